import csv
import io
import os
import signal
import sys
import time
import zipfile

import openpyxl
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from prevalence.errors import PipelineError
from prevalence.exports import read_export

FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=8)


@FUZZ
@given(content=st.binary(max_size=400), suffix=st.sampled_from([".sav", ".dta", ".por", ".xlsx"]))
@example(content=b"$FL2@(#)" + b"\x00" * 200, suffix=".sav")
@example(content=b"<stata_dta><header><release>118</release>", suffix=".dta")
@example(content=b"PK\x05\x06" + b"\x00" * 18, suffix=".xlsx")
def test_no_bytes_get_past_the_readers_without_a_clear_message(tmp_path, content, suffix):
    path = tmp_path / f"export{suffix}"
    path.write_bytes(content)
    with pytest.raises(PipelineError):
        read_export(path)


@FUZZ
@given(content=st.binary(max_size=400))
def test_any_csv_is_a_table_or_refused(tmp_path, content):
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    try:
        export = read_export(path)
    except PipelineError:
        return
    assert export.n > 0
    assert len({len(values) for values in export.columns.values()}) == 1


@FUZZ
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_a_csv_keeps_its_cells(tmp_path, rows):
    path = tmp_path / "export.csv"
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([("a", "b"), ("c", ""), *rows])
    path.write_text(stream.getvalue(), encoding="utf-8")
    export = read_export(path)
    told = [("c", ""), *(row for row in rows if any(row))]
    assert list(zip(*export.columns.values(), strict=True)) == told


@FUZZ
@given(position=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_one_damaged_byte_of_a_workbook(tmp_path, position, byte):
    path = tmp_path / "export.xlsx"
    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, "x"], [2, "y"]):
        book.active.append(row)
    book.save(path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = byte
    path.write_bytes(content)
    try:
        export = read_export(path)
    except PipelineError:
        return
    assert export.n > 0


def crash(path, options):
    os.kill(os.getpid(), signal.SIGKILL)


def loop(path, options):
    time.sleep(60)


@pytest.mark.skipif(sys.platform == "win32", reason="no child process to crash")
@pytest.mark.parametrize(("fault", "reason"), [(crash, "crashed"), (loop, "did not end")])
def test_a_reader_that_crashes_or_loops_becomes_a_message(tmp_path, monkeypatch, fault, reason):
    path = tmp_path / "export.sav"
    path.write_bytes(b"$FL2")
    monkeypatch.setattr("prevalence.exports._parse_statistical", fault)
    monkeypatch.setattr("prevalence.exports._LONGEST_READING", 0.5)
    with pytest.raises(PipelineError, match=f"the reader {reason}"):
        read_export(path)


@settings(FUZZ, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    edits=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=20),
    suffix=st.sampled_from([".sav", ".dta", ".por"]),
)
def test_damaged_bytes_of_a_statistical_file(tmp_path, edits, suffix):
    path = tmp_path / f"export{suffix}"
    frame = pd.DataFrame({"A": [1.0, 2.0, None], "B": ["x", "y", "z"]})
    {".sav": pyreadstat.write_sav, ".dta": pyreadstat.write_dta, ".por": pyreadstat.write_por}[
        suffix
    ](frame, str(path))
    content = bytearray(path.read_bytes())
    for position, byte in edits:
        content[position % len(content)] = byte
    path.write_bytes(content)
    try:
        export = read_export(path)
    except PipelineError:
        return
    assert len({len(values) for values in export.columns.values()}) == 1


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")
    assert list(read_export(path).columns) == ["a", "b"]


def test_utf_16_is_recognised(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes("a,b\nñ,2\n".encode("utf-16"))
    assert read_export(path).columns["a"] == ["ñ"]


def test_an_unknown_encoding(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(PipelineError, match="encoding is unknown"):
        read_export(path, {"encoding": "klingon"})


def test_a_suffix_in_capitals(tmp_path):
    path = tmp_path / "EXPORT.CSV"
    path.write_text("a,b\n1,2\n")
    assert read_export(path).n == 1


def test_blank_rows_and_columns_of_a_workbook_are_left_out(tmp_path):
    path = tmp_path / "export.xlsx"
    book = openpyxl.Workbook()
    for row in (["a", "b", None], [1, None, None], [None, None, None], [2, "y", None]):
        book.active.append(row)
    book.save(path)
    export = read_export(path)
    assert export.columns == {"a": [1, 2], "b": [None, "y"]}


def test_a_workbook_without_its_sheet(tmp_path):
    path = tmp_path / "export.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(PipelineError, match=r"not an \.xlsx file"):
        read_export(path)


def test_a_folder_is_no_export(tmp_path):
    (tmp_path / "export.csv").mkdir()
    with pytest.raises(PipelineError, match="missing"):
        read_export(tmp_path / "export.csv")


def test_texts_that_stand_for_nothing(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("a,b\nNA,2\n.,NAB\n")
    assert read_export(path).columns["a"] == ["NA", "."]
    export = read_export(path, {"missing": ["NA", "."]})
    assert export.columns == {"a": [None, None], "b": ["2", "NAB"]}


def test_rows_without_a_cell_are_no_interviews(tmp_path):
    """Spreadsheet programs write rows of delimiters below the last interview."""
    file = tmp_path / "a.csv"
    file.write_text("id,n\na,1\n,\nb,\n,\n\n", encoding="utf-8")
    assert dict(read_export(file).columns) == {"id": ["a", "b"], "n": ["1", ""]}
