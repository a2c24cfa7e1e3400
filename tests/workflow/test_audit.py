"""An audit says reproduced, or which outputs differ and why."""

import csv
import json
import shutil
import subprocess
import sys

import pytest

RECORD = "data/processed/tiny/audit"
MANIFEST = "data/reference/manifest.tiny.builtin.json"


def audit(project, *words: str) -> subprocess.CompletedProcess:
    script = ["scripts/audit/audit_run.py", "--survey", "tiny", "--cores", "2", *words]
    return subprocess.run(
        [sys.executable, *script], cwd=project.folder, capture_output=True, text=True, check=False
    )


def test_a_changed_raw_cell_stops_the_audit_and_what_rests_on_it_is_counted(project):
    raw = project / "data/raw/tiny/census_2020.csv"
    raw.write_text(raw.read_text().replace("1", "2", 1))
    before = project.outputs()
    done = audit(project)
    assert done.returncode == 1
    assert "A raw file is not the one that the manifest declares." in done.stderr
    assert "census_2020.csv" in done.stderr
    number = int(done.stderr.split(" outputs rest on it")[0].rsplit(" ", 1)[1])
    assert 50 < number <= len(before)
    assert project.outputs() == before


@pytest.fixture(scope="module")
def referenced(finished, tmp_path_factory):
    """A project whose manifest is committed."""
    folder = tmp_path_factory.mktemp("referenced") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = type(finished)(folder)
    done = audit(project, "--reference")
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def copied(referenced, tmp_path):
    shutil.copytree(referenced.folder, tmp_path / "project", symlinks=True)
    return type(referenced)(tmp_path / "project")


@pytest.mark.slow
def test_what_is_unchanged_is_reproduced_and_put_on_record(copied):
    before = copied.outputs()
    done = audit(copied, "--auditor", "A person")
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = done.stdout.splitlines()[-1]
    total = len(json.loads((copied / MANIFEST).read_text())["outputs"])
    assert verdict.startswith(f"reproduced: {total} outputs: {total} identical")
    after = copied.outputs()
    assert {path: after[path] for path in before} == before, "nothing of the user's is touched"
    assert all(path.startswith(RECORD) for path in after.keys() - before.keys())
    crate = "crate/ro-crate-metadata.json"
    for name in (
        *("summary.md", "comparison.json", "manifest.json", "config.yaml", "seeds.json"),
        *("exhibits.csv", "jobs.json", "dag.svg", "disclosure_log.csv", "run.json"),
        *("report.zip", "codecheck.yml", crate),
    ):
        assert (copied / RECORD / name).stat().st_size > 100
    with (copied / RECORD / "exhibits.csv").open(encoding="utf-8") as stream:
        exhibits = list(csv.DictReader(stream))
    shown = [row for row in exhibits if row["kind"] in ("figure", "table")]
    led_back = [row for row in shown if row["data"].startswith(("figures/", "tables/"))]
    assert len(led_back) > 20
    for row in led_back:
        for column in ("rule", "script", "written_by", "released", "restricted_script"):
            assert row[column], (row["exhibit"], column)
    assert all(row["raw_files"] for row in led_back if "estimands" not in row["released"])
    run = json.loads((copied / RECORD / "run.json").read_text())
    assert {"commit", "dirty", "hardware", "started", "jobs"} <= set(run)
    assert max(job["peak_mb"] or 0 for job in run["jobs"]) > 50


CHANGES = {
    "config/surveys/tiny.yaml": (
        "upper_share_of_median: 6.0",
        "upper_share_of_median: 1.5",
        ("restricted/weight/weights.parquet", "release/scale_up.csv", "summary.pdf"),
    ),
    "src/prevalence/weighting/chain.py": (
        "import numpy as np\n",
        "import numpy as np\n\n",
        ("restricted/weight/weights.parquet", "summary.html"),
    ),
    "reports/sections/limits.qmd": ("\n", "\nOne more sentence.\n", ("summary.docx",)),
}


@pytest.mark.slow
def test_a_change_is_told_with_what_it_changed(copied):
    """A weight bound, a line of an estimator, a word: each with the outputs that rest on it."""
    for path, (old, new, _) in CHANGES.items():
        text = (copied / path).read_text(encoding="utf-8")
        assert old in text
        (copied / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    done = audit(copied)
    assert done.returncode == 1
    assert "NOT reproduced" in done.stdout.splitlines()[-1]
    assert "is REFUSED" in done.stdout.splitlines()[-1], "the report that stands is an older one"
    outcomes = json.loads((copied / RECORD / "comparison.json").read_text())["outcomes"]
    wrong = {one["path"]: one["reasons"] for one in outcomes if one["status"] == "different"}
    for path, (*_, outputs) in CHANGES.items():
        reason = "trimming.upper_share_of_median 6.0 → 1.5" if path.endswith("tiny.yaml") else path
        for name in outputs:
            reasons = [why for file, why in wrong.items() if file.endswith(name)]
            assert reasons, name
            assert all(any(reason in told for told in why) for why in reasons), (path, name)
    assert not [file for file in wrong if "/ingest/" in file]
    page = "reports/sections/limits.qmd"
    assert not [file for file, why in wrong.items() if "/release/" in file and page in why]


@pytest.mark.slow
def test_a_report_edited_by_hand_is_refused(copied):
    results = copied / "reports/tiny/results.json"
    results.write_text(results.read_text().replace('"level": 0.95', '"level": 0.96', 1))
    done = audit(copied)
    assert done.returncode == 1
    assert "reports/tiny/results.json: number: " in done.stdout
    assert "REFUSED" in done.stdout
