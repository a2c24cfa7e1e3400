"""One byte changed in any kind of dependency re-runs what rests on it, and nothing else."""

import hashlib
import os
import shutil
from contextlib import contextmanager

import pytest

COMMENT = "\n# a comment more\n"
REPORT = {"compose_report", "render_report", "render_brief", "publish_report"}
DATA = {"verify_raw", "read_responses", "clean_responses", "compute_weights", "estimate_scale_up"}
TABLES = DATA | {"release_tables", "draw_headline", "draw_method"}
SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def kept(finished, tmp_path_factory):
    """A finished project in which each test changes a file and puts it back as it was."""
    folder = tmp_path_factory.mktemp("kept") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return type(finished)(folder)


@contextmanager
def changed(project, path: str, text: str):
    file = project / path
    before, times = file.read_bytes(), file.stat()
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    ("path", "added", "runs", "rests"),
    [
        pytest.param(
            "src/prevalence/weighting/chain.py",
            COMMENT,
            {"compute_weights", "estimate_scale_up", "release_tables", "identify_run"},
            {"verify_raw", "read_responses", "clean_responses", "describe_estimands"},
            id="module",
        ),
        pytest.param(
            "scripts/estimate/plan_next_wave.py",
            COMMENT,
            {"plan_next_wave", "release_tables", "identify_run"},
            DATA | {"specify_alternatives", "estimate_degrees"},
            id="script",
        ),
        pytest.param(
            "config/codebooks/tiny.csv",
            "\n",
            {"read_responses", "clean_responses", "identify_run"},
            {"verify_raw", "read_truth", "describe_estimands"},
            id="codebook",
        ),
        pytest.param("reports/summary.qmd", "\nA sentence.\n", REPORT, TABLES, id="page"),
        pytest.param("reports/sections/limits.qmd", "\nA.\n", REPORT, TABLES, id="include"),
        pytest.param("config/terminology.yaml", "\n", {"publish_report"}, TABLES, id="words"),
        pytest.param(
            "config/published_findings.yaml",
            "\n",
            {"draw_headline", *REPORT},
            DATA | {"release_tables"},
            id="published findings",
            marks=SLOW,
        ),
        pytest.param("reports/filters/report.lua", "\n", REPORT, TABLES, id="filter", marks=SLOW),
        pytest.param("reports/style/report.css", "\n", REPORT, TABLES, id="style", marks=SLOW),
        pytest.param(
            "workflow/schemas/disclosure.yaml",
            "\n",
            {"release_tables", "draw_headline"},
            DATA,
            id="schema",
            marks=SLOW,
        ),
        pytest.param(
            "requirements.lock",
            "\n",
            {"read_responses", "clean_responses", "identify_run"},
            {"verify_raw", "describe_estimands"},
            id="environment",
            marks=SLOW,
        ),
        pytest.param(
            "src/prevalence/__init__.py",
            COMMENT,
            TABLES | REPORT | {"describe_estimands", "identify_run"},
            {"synthesize_survey"},
            id="package",
            marks=SLOW,
        ),
    ],
)
def test_a_changed_file(kept, path, added, runs, rests):
    with changed(kept, path, (kept / path).read_text(encoding="utf-8") + added):
        planned = kept.planned()
    assert runs <= planned
    assert not rests & planned


@pytest.mark.parametrize(
    ("before", "after", "runs", "rests"),
    [
        pytest.param(
            "\n  reason: null",
            "\n  reason: an example of a reason",
            {"release_tables", "draw_headline", "identify_run"},
            DATA | {"describe_estimands"},
            id="of one rule",
        ),
        pytest.param(
            "\n  period: in 2022", "\n  period: during 2022", REPORT, TABLES, id="of the report",
            marks=SLOW,
        ),
        pytest.param(
            "minimum_respondents: 20",
            "minimum_respondents: 21",
            {"compute_weights", "estimate_scale_up", "release_tables"},
            {"read_responses", "clean_responses", "describe_estimands"},
            id="of the weights",
            marks=SLOW,
        ),
    ],
)  # fmt: skip
def test_a_changed_config_value(kept, before, after, runs, rests):
    path = "config/surveys/tiny.yaml"
    text = (kept / path).read_text(encoding="utf-8")
    assert before in text
    with changed(kept, path, text.replace(before, after, 1)):
        planned = kept.planned()
    assert runs <= planned
    assert not rests & planned


def test_a_corrected_raw_file_re_runs_what_reads_raw_data(kept):
    name = "operations.csv"
    raw, manifest = f"data/raw/tiny/{name}", "data/raw/tiny/MANIFEST.sha256"
    content = (kept / raw).read_bytes()
    other = content + b"\n"
    hashes = [hashlib.sha256(part).hexdigest() for part in (content, other)]
    declared = (kept / manifest).read_text()
    assert hashes[0] in declared
    corrected = changed(kept, manifest, declared.replace(*hashes))
    with changed(kept, raw, other.decode()), corrected:
        planned = kept.planned()
    again = {"verify_raw", "read_table", "identify_run", "check_report", "publish_report"}
    assert {*again, "describe_estimands"} <= planned  # it names the sizes of the denominators


def test_a_touched_file_re_runs_nothing(kept):
    for path in ("data/raw/tiny/tiny.sav", "config/codebooks/tiny.csv", "reports/summary.qmd"):
        (kept / path).touch()
    assert kept.planned() == set()
