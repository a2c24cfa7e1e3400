import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from prevalence.errors import PipelineError
from prevalence.job import TRACEBACK, run_job


def job(tmp_path):
    return SimpleNamespace(
        log=[str(tmp_path / "logs" / "rule.log")],
        rule="clean_responses",
        wildcards=SimpleNamespace(survey="pilot"),
    )


def stopped(main, tmp_path):
    with pytest.raises(SystemExit) as caught:
        run_job(main, job(tmp_path))
    assert caught.value.code == 1
    return (tmp_path / "logs" / "rule.log").read_text()


def test_a_known_error_is_told_in_the_log_without_a_traceback(tmp_path):
    def main(_):
        raise PipelineError("A column is missing.", file="x.sav", place="age")

    text = stopped(main, tmp_path)
    assert "error in rule clean_responses: A column is missing." in text
    assert "x.sav" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(("place", "told"), [("clean.keys.psu", True), ("age", False)])
def test_an_error_that_names_only_a_key_tells_its_config(tmp_path, place, told):
    def main(_):
        raise PipelineError("A variable is missing.", place=place)

    assert ("config/surveys/pilot.yaml" in stopped(main, tmp_path)) == told


def test_an_unknown_error_never_shows_an_answer(tmp_path, capsys):
    def main(_):
        int("the respondent said 7")

    text = stopped(main, tmp_path)
    assert "ValueError" in text
    assert "respondent said" not in text + capsys.readouterr().err


def test_the_traceback_is_shown_when_asked(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(TRACEBACK, "1")

    def main(_):
        raise PipelineError("Bad.")

    stopped(main, tmp_path)
    assert "Traceback" in capsys.readouterr().err


def test_a_job_that_is_stopped_cleans_up_behind_itself(tmp_path):
    script = (
        "import os, signal, sys, time\n"
        "from types import SimpleNamespace\n"
        "from prevalence.files import replacing\n"
        "from prevalence.job import run_job\n"
        "def main(job):\n"
        "    with replacing(sys.argv[1]) as partial:\n"
        "        partial.write_text('half')\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(10)\n"
        "run_job(main, SimpleNamespace(log=[], rule='r', wildcards=None))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.csv")], check=False)
    assert done.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
