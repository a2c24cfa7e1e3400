"""The page for a look: the pipeline's own page, made from the last run as it stands."""

import importlib
import shutil
import sys

import pytest
from scratch_project import ROOT, Project

# It has what holds the place of an embedded table while the page is rendered.
SENTENCE = "No run has seen this data:text/csv;held,99999 sentence."
PROSE = "reports/sections/notice.qmd"


@pytest.fixture
def seen(finished, tmp_path, monkeypatch) -> Project:
    """A finished project of a test's own, its row-level files left out: a page needs none."""
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, ignore=shutil.ignore_patterns("restricted", ".*"))
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "report"))
    return Project(folder)


@pytest.fixture
def look(seen, monkeypatch, capsys):
    """The function that calls the script: its exit code and what it says."""

    def called(survey="tiny"):
        monkeypatch.setattr(sys, "argv", ["preview_page.py", "--survey", survey])
        code = importlib.import_module("preview_page").main()
        told = capsys.readouterr()
        return code, told.out + told.err

    return called


def test_it_is_the_page_of_the_run_and_stands_apart_from_what_is_published(seen, look):
    before = seen.outputs()
    code, told = look()
    after = seen.outputs()
    page = after.pop("data/processed/tiny/preview.html")
    assert code == 0
    assert page == after["data/processed/tiny/staged/summary.html"]
    assert after == before
    assert "data/processed/tiny/preview.html" in told
    assert "preview" in told
    assert "make report publishes" in told


def test_a_changed_sentence_and_a_changed_word_of_the_config_are_on_the_page(seen, look):
    prose, config = seen / PROSE, seen / "config/surveys/tiny.yaml"
    prose.write_text(f"{prose.read_text()}\n{SENTENCE}\n")
    config.write_text(config.read_text().replace("a reproducible mirror", "a second look"))
    assert look()[0] == 0
    page = (seen / "data/processed/tiny/preview.html").read_text()
    assert SENTENCE in page
    assert "Scale of Harm: a second look" in page


def refused(look, survey="tiny"):
    code, told = look(survey)
    assert code == 1
    return told


def test_an_unknown_survey_is_named_with_the_known_ones(seen, look):
    told = refused(look, "tinny")
    assert "A survey has no config file." in told
    assert "config/surveys/tinny.yaml" in told
    assert "Did you mean 'tiny'?" in told


@pytest.mark.parametrize(
    "absent", ["release/scale_up.csv", "staged/figures/headline.svg", "audit/identity.json"]
)
def test_a_survey_without_a_whole_run_is_told_what_to_run(seen, look, absent):
    (seen / "data/processed/tiny" / absent).unlink()
    told = refused(look)
    assert "There is no whole run of the survey to look at." in told
    assert f"no {absent}" in told
    assert ".venv/bin/snakemake tiny" in told
    assert not (seen / "data/processed/tiny/preview.html").exists()


def test_an_unknown_variable_is_named_with_its_place(seen, look):
    prose = seen / PROSE
    prose.write_text(f"{prose.read_text()}\n{{{{< var survey.contry >}}}}\n")
    told = refused(look)
    assert "survey.contry" in told
    assert "sections/notice.qmd" in told
