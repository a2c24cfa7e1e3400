"""Tables and texts are written whole or not at all, and read back the same."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence.errors import PipelineError
from prevalence.files import (
    check_writable,
    read_csv,
    read_parquet,
    read_yaml,
    replacing,
    write_csv,
    write_json,
    write_parquet,
    write_text,
)


def test_tables_read_back_the_same(tmp_path):
    frame = pd.DataFrame(
        {"group": ["a", "NA", "ñ"], "estimate": [0.1 + 0.2, np.nan, 1e-300], "n": [1, 2, 3]}
    )
    write_csv(frame, tmp_path / "t.csv")
    pd.testing.assert_frame_equal(read_csv(tmp_path / "t.csv"), frame)
    assert b"\r" not in (tmp_path / "t.csv").read_bytes()
    write_parquet(frame, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "t.parquet"), frame)


def test_an_interrupted_write_leaves_the_earlier_file_and_nothing_else(tmp_path):
    target = tmp_path / "t.csv"
    target.write_text("earlier")

    def interrupted():
        with replacing(target) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    left = tmp_path / ".a.partial1.csv"
    other = tmp_path / ".ab.partial1.csv"
    for path in (left, other):
        path.write_text("half")
    write_text("whole", tmp_path / "a.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "a.csv"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PipelineError) as caught:
        write_json({}, tmp_path / "file" / "t.json")
    assert "t.json" in caught.value.file
    assert caught.value.found


def test_json_refuses_not_a_number(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json({"x": float("nan")}, tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_bad_yaml_names_line_and_column(tmp_path):
    (tmp_path / "c.yaml").write_text("a: 1\nb: [1, 2\nc: 3\n")
    with pytest.raises(PipelineError) as caught:
        read_yaml(tmp_path / "c.yaml")
    assert "line 3" in caught.value.place


def test_a_missing_config_is_named(tmp_path):
    with pytest.raises(PipelineError, match="missing"):
        read_yaml(tmp_path / "none.yaml")


@pytest.fixture
def protect(monkeypatch):
    """Write-protect paths: an administrator could write in spite of permissions."""

    def mark(*paths):
        plain = os.access
        monkeypatch.setattr(
            os, "access", lambda path, mode: Path(path) not in paths and plain(path, mode)
        )

    return mark


@pytest.mark.parametrize(
    ("protected", "told"),
    [
        *(("", True), ("made", True), ("made/figures", True), ("made/figures/a.svg", True)),
        *(("made/other.csv", False), ("beside", False)),
    ],
)
def test_what_is_write_protected_is_told_before_anything_runs(tmp_path, protect, protected, told):
    for name in ("made/figures/a.svg", "made/other.csv", "beside/c.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    wanted = [tmp_path / "made/figures", tmp_path / "made/new.csv", tmp_path / "logs/deep/a.log"]
    protect(tmp_path / protected)
    if not told:
        check_writable(wanted)
        return
    with pytest.raises(PipelineError, match="could not be written") as caught:
        check_writable(wanted)
    assert caught.value.file == str(tmp_path / protected)
    assert caught.value.remedy
