"""What stands among the staged files: plain files only, and words that stop or advise."""

import runpy
from pathlib import Path

import pytest

from prevalence.disclosure.wording import word_findings
from prevalence.errors import PipelineError
from prevalence.files import read_yaml
from prevalence.terminology import Terminology

ROOT = Path(__file__).parents[2]
CHECK = runpy.run_path(str(ROOT / "scripts/report/check_report.py"), run_name="check")
DECLARED = ["summary.html", "figures/a.svg"]


@pytest.fixture
def staged(tmp_path):
    folder = tmp_path / "staged"
    (folder / "figures").mkdir(parents=True)
    (folder / "source").mkdir()
    (folder / "summary.html").write_text("<p>x</p>")
    (folder / "figures" / "a.svg").write_text("<svg/>")
    (folder / "source" / "summary.qmd").write_text("x")
    return folder


def test_every_declared_file_is_read_and_no_other(staged, caplog):
    caplog.set_level("INFO", "prevalence")
    assert set(CHECK["staged_files"](staged, DECLARED)) == set(DECLARED)
    assert not caplog.messages, "the composed source belongs there"
    (staged / "figures" / "tile_map.csv").write_text("a\n13400\n")
    assert set(CHECK["staged_files"](staged, DECLARED)) == set(DECLARED)
    assert "no rule of this run makes them: 1 (" in caplog.text
    assert "tile_map.csv" in caplog.text


@pytest.mark.parametrize("name", ["figures/b.svg", "figures/more", "a"])
def test_links_are_refused(staged, tmp_path, name):
    secret = tmp_path / "restricted"
    secret.mkdir()
    (secret / "weights.csv").write_text("1")
    (staged / name).symlink_to(secret if name.endswith("more") else secret / "weights.csv")
    with pytest.raises(PipelineError, match="plain file") as caught:
        CHECK["staged_files"](staged, DECLARED)
    assert name in str(caught.value)


def test_a_linked_folder_is_refused(staged, tmp_path):
    linked = tmp_path / "linked"
    linked.symlink_to(staged)
    with pytest.raises(PipelineError, match="plain file"):
        CHECK["staged_files"](linked, DECLARED)


def test_words_stop_or_advise():
    config = read_yaml(ROOT / "config/terminology.yaml")
    avoided, careful = (
        {**config["terms"][0], "id": kind, "class": kind, "pattern": word, "allowed": []}
        for kind, word in (("avoid", "badword"), ("caution", "careword"))
    )
    words = Terminology.from_config(config | {"terms": [avoided, careful]})
    files = {
        "summary.html": b"<p>a badword</p><!-- a careword -->",
        "figures/a.csv": b"label\nBad\xc2\xadWord\n",
    }
    found = [word_findings(name, content, words) for name, content in files.items()]
    stops, advice = ([f for parts in found for f in parts[place]] for place in (0, 1))
    assert {(f.file, f.found) for f in stops} == {
        ("summary.html", "badword"),
        ("figures/a.csv", "BadWord"),
    }
    assert [f.found for f in advice] == ["careword"]
