from types import SimpleNamespace

import pytest

from prevalence.errors import PipelineError
from prevalence.job import TRACEBACK, run_job


def job(tmp_path):
    return SimpleNamespace(log=[str(tmp_path / "logs" / "rule.log")], rule="clean_responses")


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
