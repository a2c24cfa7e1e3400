import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "ingest" / "write_manifest.py"


@pytest.fixture
def survey(tmp_path):
    (tmp_path / "config" / "surveys").mkdir(parents=True)
    (tmp_path / "config" / "surveys" / "s.yaml").write_text(
        "ingest: {responses: s.csv, tables: {known_groups: known_groups.csv}}\n"
    )
    raw = tmp_path / "data" / "raw" / "s"
    raw.mkdir(parents=True)
    (raw / "s.csv").write_text("a\n1\n")
    (raw / "known_groups.csv").write_text("group\n")
    return tmp_path


def declare(folder, reason="first delivery"):
    command = [sys.executable, str(SCRIPT), "--survey", "s", "--reason", reason]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_delivery_then_a_correction(survey):
    raw = survey / "data" / "raw" / "s"
    assert declare(survey).returncode == 0
    lines = (raw / "MANIFEST.sha256").read_text().splitlines()
    assert lines[1] == f"{hashlib.sha256((raw / 's.csv').read_bytes()).hexdigest()}  s.csv"

    (raw / "s.csv").write_text("a\n2\n")
    done = declare(survey, "a typing error, corrected by the field team")
    assert "1 of 2 files" in done.stdout
    assert "CHANGELOG" in done.stdout
    corrections = (raw / "CORRECTIONS.csv").read_text().splitlines()
    assert len(corrections) == 4
    assert corrections[-1].endswith('"a typing error, corrected by the field team"')
    assert "nothing was written" in declare(survey).stdout


def test_a_declared_file_that_no_rule_reads_stays_declared(survey):
    raw = survey / "data" / "raw" / "s"
    declare(survey)
    (raw / "notes.txt").write_text("of the field team\n")
    digest = hashlib.sha256((raw / "notes.txt").read_bytes()).hexdigest()
    with (raw / "MANIFEST.sha256").open("a") as stream:
        stream.write(f"{digest}  notes.txt\n")
    (raw / "s.csv").write_text("a\n2\n")
    assert "1 of 3 files declared anew (s.csv)" in declare(survey, "a correction").stdout
    assert f"{digest}  notes.txt" in (raw / "MANIFEST.sha256").read_text()


def test_a_missing_file_leaves_the_manifest(survey):
    declare(survey)
    manifest = survey / "data" / "raw" / "s" / "MANIFEST.sha256"
    before = manifest.read_bytes()
    (survey / "data" / "raw" / "s" / "s.csv").unlink()
    done = declare(survey, "oops")
    assert done.returncode == 1
    assert "s.csv" in done.stderr
    assert manifest.read_bytes() == before


def test_a_reason_is_required(survey):
    done = declare(survey, " ")
    assert done.returncode == 1
    assert "reason is missing" in done.stderr
