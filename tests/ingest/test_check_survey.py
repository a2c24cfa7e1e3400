"""`make check-survey` finds before a run what would stop it, and writes nothing."""

import contextlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
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
    shutil.copy(ROOT / "config" / "disclosure.yaml", tmp_path / "config")
    (tmp_path / "reports" / "strings").mkdir(parents=True)
    shutil.copy(ROOT / "reports" / "strings" / "ph2022.fil.yml", tmp_path / "reports" / "strings")
    shutil.copy(ROOT / "reports" / "references.bib", tmp_path / "reports")

    def run(survey="tiny", **replaced):
        for name, (before, after) in replaced.items():
            places = ("config/surveys", "config/codebooks", "config")
            path = next(p for place in places if (p := tmp_path / place / name).exists())
            text = path.read_text()
            assert before in text
            path.write_text(text.replace(before, after))
        files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        with contextlib.chdir(tmp_path):
            found = script.check(survey, run.notes)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == files
        return "\n".join(map(str, found))

    run.notes = []
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


ONE_AREA = "model:\n  models: [overdispersed]\n"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (ONE_AREA, f"{ONE_AREA}  area: islnd\n", ["model.area", "islnd", "island_group"]),
        (
            ONE_AREA,
            f"{ONE_AREA}  known_groups: [doctors, nurse]\n",
            ["model.known_groups", "nurse", "'nurses'"],
        ),
        (
            ONE_AREA,
            f"{ONE_AREA}  scaling: {{groups: subset, subset: [doctor, nurses]}}\n",
            ["model.scaling.subset", "'doctors'"],
        ),
        (
            "published: [drivers",
            "published: [drivesr",
            ["estimate.specifications.known_groups.published", "'drivers'"],
        ),
        (
            "  language: en\n",
            "  language: en\n  translations: [pt]\n",
            ["report.translations", "reports/strings/tiny.pt.yml", "ph2022.fil.yml"],
        ),
        (
            "model:\n",
            "waves: [{survey: tiny2020, psus: shared}]\nmodel:\n",
            ["waves", "tiny2020", "no config file"],
        ),
        (
            "  smallest_geography: region\n",
            "  smallest_geography: region\n  earlier: data/before\n",
            ["release.earlier", "no .csv files in data/before"],
        ),
        ("date: 2023-09-07", "date: 2123-09-07", ["headline.date", "2123", "in the future"]),
        (", VII: [1, 3]", "", ["figures.tiles.region", "nothing for VII", "VII: [column, row]"]),
    ],
    ids=[
        *("area", "model's group", "subset", "set of groups", "translation", "wave", "earlier"),
        *("date", "tile missing"),
    ],
)
def test_names_of_what_lies_elsewhere_are_looked_up(check, before, after, words):
    said = check(**{"tiny.yaml": (before, after)})
    for word in (*words, "config/surveys/tiny.yaml"):
        assert word in said


def test_covariates_of_areas_are_looked_up_in_the_list_of_areas(check, tmp_path):
    (tmp_path / "data/raw/tiny/areas.csv").write_text("region,population,poor\nVII,5,1\nX,6,2\n")
    tables = ("    frame: sample", "    areas: areas.csv\n    frame: sample")
    check(**{"tiny.yaml": tables})
    model = f"{ONE_AREA}  area: region\n  area_covariates: [poverty]\n"
    said = check(**{"tiny.yaml": (ONE_AREA, model)})
    for word in ("model.area_covariates", "poverty", "poor"):
        assert word in said


EXCEPTION = (
    "exceptions: [{survey: tiny, group: victims, domain_type: region, domain: VII, approver: "
    "A. Person, reason: published by its owner before, expiry: 2123-02-03}]"
)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("minimum_areas", "minimum_area", ["minimum_area", "A config key is"]),
        ("minimum_respondents: 10", "minimum_respondents: 3", ["minimum_respondents", "10"]),
        ("[national, island_group, reg", "[island_group, national, reg", ["in order"]),
        (
            *("exceptions: []", EXCEPTION.replace("tiny", "tinny")),
            ["exceptions.0.survey", "'tiny'"],
        ),
        (
            *("exceptions: []", EXCEPTION.replace("victims", "victim")),
            ["exceptions.0.group", "'victims'"],
        ),
        (
            *("exceptions: []", EXCEPTION.replace("region", "regions")),
            ["exceptions.0.domain_type", "'region'"],
        ),
        (*("exceptions: []", EXCEPTION.replace("2123", "2020")), ["expired", "2020-02-03"]),
    ],
    ids=["key", "floor", "order", "survey", "group", "type", "expired"],
)
def test_rules_of_disclosure_control_are_read_too(check, before, after, words):
    said = check(**{"disclosure.yaml": (before, after)})
    for word in (*words, "config/disclosure.yaml"):
        assert word in said


def test_an_exception_may_have_its_expiry_with_or_without_quotation_marks(check):
    assert check(**{"disclosure.yaml": ("exceptions: []", EXCEPTION)}) == ""
    assert check(**{"disclosure.yaml": ("2123-02-03", "'2123-02-03'")}) == ""
    said = check(**{"disclosure.yaml": ("'2123-02-03'", "soon")})
    assert "exceptions.0.expiry" in said


def test_labels_of_psus_in_several_strata_are_noted_and_no_fault(script):
    class Study:
        respondents = pd.DataFrame({"stratum": ["a", "b", "b"], "psu": ["1", "1", "2"]})

    (note,) = script.notes_of(Study)
    assert "1 of 2 labels" in note
    Study.respondents = Study.respondents.assign(stratum="a")
    assert script.notes_of(Study) == []


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
