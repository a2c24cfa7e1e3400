"""`make check-survey` finds before a run what would stop it, and writes nothing."""

import contextlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "surveys" / "tiny"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("check", ROOT / "scripts/ingest/check_survey.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def check(tmp_path, script):
    for part in ("config", "data"):
        shutil.copytree(TINY / part, tmp_path / part)
    shutil.copytree(ROOT / "workflow" / "schemas", tmp_path / "workflow" / "schemas")
    (tmp_path / "reports").mkdir()
    shutil.copy(ROOT / "reports" / "references.bib", tmp_path / "reports")

    def run(survey="tiny", **replaced):
        for name, (before, after) in replaced.items():
            path = next(tmp_path.glob(f"config/*s/{name}"))
            text = path.read_text()
            assert before in text
            path.write_text(text.replace(before, after))
        files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        with contextlib.chdir(tmp_path):
            found = script.check(survey)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == files
        return "\n".join(map(str, found))

    return run


def test_files_that_fit_are_said_to_fit(check):
    assert check() == ""


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"tiny.yaml": ('keep: ["yes"]', "keep: [agreed]")}, ["clean.screening", "agreed"]),
        ({"tiny.csv": ("1=male;2=female", "1=male;3=female")}, ["codes", "S2"]),
        ({"tiny.yaml": ("stratum: stratum", "stratum: layer")}, ["clean.keys.stratum", "layer"]),
        ({"tiny.yaml": ("adults       #", "grown_ups    #")}, ["weight.within_household"]),
        ({"tiny.yaml": ("known_groups: [doctors, lawyers, dr", "known_groups: [doc, dr")}, ["doc"]),
        ({"tiny.yaml": ("variable: urban", "variable: town")}, ["estimate.domains: urban", "town"]),
    ],
    ids=["answer", "code", "key", "weight", "known group", "domain"],
)
def test_what_would_stop_a_run_is_found(check, replaced, words):
    said = check(**replaced)
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("{police: the", "{polise: the", ["report.reporting.to", "polise", "'police'"]),
        ("keys: [scale", "keys: [scales", ["report.source.keys", ".bib", "scalesof"]),
        ("X: Northern Mindanao", "XX: Northern", ["figures.names.region", "XX", "nothing for X"]),
        ("VII: [1, 3]", "VIJ: [1, 3]", ["figures.tiles.region", "nothing for VII", "VIJ"]),
    ],
    ids=["authority", "citation", "name", "tile"],
)
def test_words_that_the_report_would_pass_over_are_found(check, before, after, words):
    said = check(**{"tiny.yaml": (before, after)})
    for word in (*words, "config/surveys/tiny.yaml"):
        assert word in said


def test_an_unknown_survey_is_told_with_those_that_exist(check):
    assert "'tiny'" in check("tinny")


def test_a_draft_is_read_as_its_file_needs(tmp_path):
    """A file divided by semicolons could not be drafted: no config said so yet."""
    for folder in ("config/surveys", "config/codebooks", "data/raw"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copytree(ROOT / "workflow" / "rules", tmp_path / "workflow" / "rules")
    shutil.copy(ROOT / "Snakefile", tmp_path)
    (tmp_path / "export.csv").write_text("id;nurses\na;1\nb;NA\n")
    script = str(ROOT / "scripts/ingest/draft_survey.py")
    command = [sys.executable, script, "--survey", "pilot", "--export", "export.csv", "--reader"]
    told, done = (
        subprocess.run(
            [*command, reader], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        for reader in ("", "delimiter=; missing=NA")
    )
    assert (told.returncode, done.returncode) == (1, 0)
    assert 'READER="delimiter=…"' in told.stderr
    assert (
        'reader: {"delimiter": ";", "missing": ["NA"]}'
        in (tmp_path / "config/surveys/pilot.yaml").read_text()
    )
