"""The one reader of survey exports: SPSS, Stata, CSV and Excel files with their labels.

Whatever the format, an export becomes the same thing: columns of plain values, with the labels and
the declared missing values that the format can hold. What the values mean is the codebook's
business (`prevalence.responses`). This module reads from the disk and writes nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import multiprocessing
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from prevalence.errors import PipelineError, listed

Value = float | int | str | dt.date | None

# An .xlsx file is a zip archive: one that unpacks to more than this is not a survey.
_MOST_UNPACKED = 2_000_000_000
_MOST_RATIO = 200
_SMALL = 50_000_000
_MOST_BLANK = 10_000  # rows without a cell, one after the other
# How files begin that are now and then called .csv, in capitals and small letters as they are.
_NO_TEXT = {
    b"\x1f\x8b": "a file packed by gzip",
    b"PK\x03\x04": "a workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"%PDF": "a PDF",
    b"$FL2": "an SPSS file",
    b"$FL3": "a compressed SPSS file",
    b"<stata_dta>": "a Stata file",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"<HTML": "a web page",
    b"<?xml": "an XML file",
    b"{\\rtf": "a text of a word processor",
}
_MERGED = re.compile(rb'mergeCell\b[^>]*?\bref="(([A-Z]+)\d+:[A-Z]+(\d+))"')
_LONGEST_READING = 900.0  # seconds
_PIECE = 20_000  # rows of a CSV file that are held as rows
_MOST_SHARED = 50_000  # different texts of a column of which each is kept once


@dataclass(frozen=True)
class Export:
    """A survey export as its file holds it.

    Attributes
    ----------
    columns
        Values of each variable, one an interview, in the file's order. Dates are `datetime`
        objects where the format knows dates.
    labels
        Variable labels.
    declared_missing
        Ranges ``(low, high)`` of codes that the file itself declares to be missing, by variable.
    declared_texts
        Texts that the file declares to be missing, by variable.
    format
        The suffix, such as ``".sav"``.
    value_labels
        Code to label, by variable.
    """

    columns: Mapping[str, Sequence[Value]]
    labels: Mapping[str, str] = field(default_factory=dict)
    declared_missing: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    format: str = ".csv"
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    declared_texts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Number of interviews."""
        return len(next(iter(self.columns.values()), ()))


def read_export(path: str | Path, options: Mapping[str, Any] | None = None) -> Export:
    """Read a survey export.

    Parameters
    ----------
    path
        A ``.sav``, ``.zsav``, ``.dta``, ``.por``, ``.csv`` or ``.xlsx`` file.
    options
        ``encoding`` (CSV: UTF-8 unless told; SPSS and Stata: what the file says), ``delimiter``
        (CSV: a comma unless told), ``sheet`` (Excel: the only one unless told), ``missing`` (CSV
        and Excel: texts that stand for nothing, such as R's ``NA``; none unless told).

    Returns
    -------
    Export
        Columns, labels and declared missing values.

    Raises
    ------
    PipelineError
        If the file is absent, empty, truncated, of another format or encoding, or not one table.
    """
    path = Path(path)
    options = options or {}
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise PipelineError(
            "The format of the survey export is unknown.",
            file=path,
            found=path.suffix or "no suffix",
            allowed=listed(sorted(_READERS)),
            remedy="Export the survey in one of these formats.",
        )
    _check_readable(path)
    export = reader(path, options)
    if not export.columns or export.n == 0:
        raise PipelineError(
            "The survey export holds no interview.",
            file=path,
            found=f"{len(export.columns)} variables, 0 rows",
            remedy="Export the survey again, with its cases.",
        )
    return export


def _check_readable(path: Path) -> None:
    if not path.is_file():
        raise PipelineError("The survey export is missing.", file=path, remedy="Put it there.")
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise PipelineError(
            "The survey export cannot be read.",
            file=path,
            found=error.strerror,
            remedy="Mend the file's permissions.",
        ) from None
    if empty:
        raise PipelineError(
            "The survey export is empty.",
            file=path,
            found="0 bytes",
            remedy="Copy the file again from where it came.",
        )


def _read_statistical(path: Path, options: Mapping[str, Any]) -> Export:
    """Read SPSS and Stata files in a child process.

    The C library behind pyreadstat can crash or loop on a damaged file; a child that dies or takes
    too long becomes a message, where the step itself would vanish without one.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        return _parse_statistical(path, options)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send_parsed, args=(sender, path, options), daemon=True)
    child.start()
    sender.close()
    try:
        ended = receiver.poll(_LONGEST_READING)
        result = receiver.recv() if ended else None
    except EOFError:
        result = None
    finally:
        child.kill()
        child.join()
        receiver.close()
    if result is None:
        raise _unreadable(path, "the reader crashed" if ended else "the reader did not end")
    if isinstance(result, PipelineError):
        raise result
    return cast(Export, result)


def _send_parsed(sender: Any, path: Path, options: Mapping[str, Any]) -> None:
    try:
        result: Export | PipelineError = _parse_statistical(path, options)
    except PipelineError as error:
        result = error
    sender.send(result)
    sender.close()


def _unreadable(path: Path, reason: str) -> PipelineError:
    return PipelineError(
        f"The survey export is truncated or is not a {path.suffix.lower()} file.",
        file=path,
        found=f"{reason}; {path.stat().st_size:,} bytes",
        remedy="Copy the file again, compare its checksum, or export it again.",
    )


def _parse_statistical(path: Path, options: Mapping[str, Any]) -> Export:
    """Read SPSS and Stata files with pyreadstat, keeping codes that are declared missing."""
    import pyreadstat

    suffix = path.suffix.lower()
    arguments: dict[str, Any] = {"output_format": "dict"}
    if suffix == ".por":
        read: Any = pyreadstat.read_por  # the format's reader has no user-missing values
    else:
        read = pyreadstat.read_dta if suffix == ".dta" else pyreadstat.read_sav
        arguments["user_missing"] = True
    if options.get("encoding"):
        arguments["encoding"] = options["encoding"]
    try:
        columns, metadata = read(str(path), **arguments)
    except Exception as error:  # pyreadstat lets through whatever a damaged file makes it raise
        # The library's own text describes the file, not an answer; others are not repeated.
        own = isinstance(error, pyreadstat.ReadstatError)
        reason = str(error) if own else type(error).__name__
        if "encoding" not in reason:
            raise _unreadable(path, reason) from None
        raise PipelineError(
            "The text of the survey export is not in the encoding that it names.",
            file=path,
            found=reason,
            remedy="Set ingest.reader.encoding, e.g. windows-1252.",
        ) from None
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1 or not all(isinstance(name, str) and name for name in columns):
        raise _unreadable(path, "columns without a name or of different lengths")
    return Export(
        columns=dict(columns),
        labels={name: label for name, label in metadata.column_names_to_labels.items() if label},
        declared_missing={
            name: [
                (float(span["lo"]), float(span["hi"]))
                for span in spans
                if not isinstance(span["lo"], str)
            ]
            for name, spans in (metadata.missing_ranges or {}).items()
        },
        format=suffix,
        value_labels=dict(metadata.variable_value_labels or {}),
        declared_texts={
            name: [span["lo"].strip() for span in spans if isinstance(span["lo"], str)]
            for name, spans in (metadata.missing_ranges or {}).items()
        },
    )


def _read_csv(path: Path, options: Mapping[str, Any]) -> Export:
    delimiter = options.get("delimiter") or ","
    content, encoding = _text_content(path, options.get("encoding") or "utf-8")
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    first: list[str] = []
    ragged: tuple[int, int] | None = None
    table = _SharedColumns(0)
    try:
        for fields in reader:
            if not any(fields):  # a row without a cell is no interview, as in a workbook
                continue
            if not first:
                first, table = fields, _SharedColumns(len(fields))
            elif len(fields) == len(first):
                table.add(fields)
            else:
                ragged = ragged or (reader.line_num, len(fields))
    except csv.Error:
        raise PipelineError(
            "The survey export is not a valid CSV file.",
            file=path,
            place=f"line {reader.line_num}",
            found="a quote that doesn't close, or a field that is too long",
            remedy="Export the file again; it may be cut off.",
        ) from None
    if not first:
        raise PipelineError(
            "The survey export is empty.",
            file=path,
            found="blank lines only",
            remedy="Export the survey again, with its cases.",
        )
    header = [name.strip() for name in first]
    _check_delimiter(header, first, delimiter, path)
    _check_names(header, path)
    if ragged is not None:
        raise PipelineError(
            "A line of the survey export has another number of fields than its header.",
            file=path,
            place=f"line {ragged[0]}",
            found=f"{ragged[1]} fields",
            allowed=f"{len(header)} fields",
            remedy="Quote fields that hold the delimiter, or export the file again; the last "
            "line may be cut off.",
        )
    columns = dict(zip(header, table.columns(), strict=True))
    return Export(columns=_blanked(columns, options), format=".csv")


class _SharedColumns:
    """Columns of texts that are filled piece by piece; equal texts of a column are kept once.

    A survey has few different answers to a question: a cell then takes a reference, not a text.
    """

    def __init__(self, width: int) -> None:
        self._columns: list[list[Value]] = [[] for _ in range(width)]
        self._known: list[dict[str, str]] = [{} for _ in range(width)]
        self._rows: list[list[str]] = []

    def add(self, fields: list[str]) -> None:
        """Add a row."""
        self._rows.append(fields)
        if len(self._rows) == _PIECE:
            self._settle()

    def columns(self) -> list[list[Value]]:
        """Give the columns."""
        self._settle()
        return self._columns

    def _settle(self) -> None:
        for number, values in enumerate(zip(*self._rows, strict=True)):
            known = self._known[number]
            if len(known) <= _MOST_SHARED:
                self._columns[number].extend(map(known.setdefault, values, values))
            else:  # ids and times: nearly each of them is different
                self._columns[number].extend(values)
        self._rows = []


def _text_content(path: Path, encoding: str) -> tuple[bytes, str]:
    """Read a text file and check that it is one: its bytes, and the encoding in which to read."""
    content = path.read_bytes()
    for first, what in _NO_TEXT.items():
        if content.lstrip().startswith(first):
            raise PipelineError(
                "The survey export is not a CSV file.",
                file=path,
                found=f"{what}, called {path.name}",
                allowed="a table of text: a line an interview, a delimiter between its fields",
                remedy="Unpack it, or export it as CSV; do not rename it.",
            )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8":
        encoding = "utf-16"
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        text = content.decode(codec)
    except LookupError:
        raise PipelineError(
            "The encoding is unknown.",
            place="ingest.reader.encoding",
            found=encoding,
            allowed="utf-8, windows-1252, latin-1 …",
        ) from None
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        raise PipelineError(
            "The survey export is not in the expected encoding.",
            file=path,
            place=f"byte {start + 1:,}",
            found=f"a byte that {encoding} doesn't know",
            allowed=encoding,
            remedy="Export it as UTF-8, or set ingest.reader.encoding, e.g. windows-1252.",
        ) from None
    if "\x00" in text:
        raise PipelineError(
            "The survey export is not a text file.",
            file=path,
            found="null characters",
            remedy="Export it as CSV, or give it the suffix of its real format.",
        )
    return content, codec


def _check_delimiter(header: list[str], raw: list[str], delimiter: str, path: Path) -> None:
    if len(header) > 1:
        return
    for other, name in ((";", "a semicolon"), ("\t", "a tab"), ("|", "a bar"), (",", "a comma")):
        if other != delimiter and other in raw[0]:
            raise PipelineError(
                "The delimiter of the survey export is not the expected one.",
                file=path,
                place="line 1",
                found=f"{raw[0].count(other) + 1} names divided by {name}",
                allowed=f"names divided by {delimiter!r}",
                remedy=f"Set ingest.reader.delimiter: {other!r}, or export with commas.",
            )


def _check_names(header: Sequence[str], path: Path) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice or "" in header:
        raise PipelineError(
            "The header of the survey export does not name each column once.",
            file=path,
            place="line 1",
            found=f"{header.count('')} empty names; twice: {listed(filter(None, twice))}",
            remedy="Put one name over each column, in one line, without merged cells.",
        )


def _read_excel(path: Path, options: Mapping[str, Any]) -> Export:
    import openpyxl

    _check_archive(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=False)
    except Exception as error:  # openpyxl raises whatever its XML and zip libraries raise
        raise PipelineError(
            "The survey export is truncated or is not an .xlsx file.",
            file=path,
            found=type(error).__name__,
            remedy="Save it again as an Excel workbook (.xlsx).",
        ) from None
    try:
        rows = _sheet_rows(book, options.get("sheet"), path)
    finally:
        book.close()
    if not rows:
        raise PipelineError(
            "The survey export is empty.",
            file=path,
            found="an empty sheet",
            remedy="Export the survey again, with its cases.",
        )
    header = ["" if name is None else str(name).strip() for name in rows[0]]
    while header and header[-1] == "":
        header.pop()
    _check_names(header, path)
    width = len(header)
    body = [row[:width] + [None] * (width - len(row)) for row in rows[1:]]
    body = [row for row in body if any(value is not None for value in row)]
    columns: dict[str, list[Value]] = {}
    if body:
        columns = dict(zip(header, map(list, zip(*body, strict=True)), strict=True))
    return Export(columns=_blanked(columns, options) or _empty(header), format=".xlsx")


def _blanked(
    columns: Mapping[str, list[Value]], options: Mapping[str, Any]
) -> dict[str, list[Value]]:
    """Make nothing of the texts that stand for nothing."""
    nothing = set(options.get("missing") or ())
    if not nothing:
        return dict(columns)
    return {
        name: [
            None if isinstance(value, str) and value.strip() in nothing else value
            for value in values
        ]
        for name, values in columns.items()
    }


def _empty(header: Sequence[str]) -> dict[str, list[Value]]:
    return {name: [] for name in header}


def _check_archive(path: Path) -> None:
    """Refuse what isn't a workbook, and an archive that would unpack to far more than it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except Exception:  # zipfile raises many things on a damaged archive
        raise PipelineError(
            "The survey export is truncated or is not an .xlsx file.",
            file=path,
            found=f"{path.stat().st_size:,} bytes that are no workbook",
            remedy="Save it again as an Excel workbook (.xlsx).",
        ) from None
    ratio = unpacked / max(path.stat().st_size, 1)
    if unpacked > _MOST_UNPACKED or (unpacked > _SMALL and ratio > _MOST_RATIO):
        raise PipelineError(
            "The survey export would unpack to far more than a survey.",
            file=path,
            found=f"{unpacked:,} bytes unpacked, {ratio:,.0f} times the file",
            allowed=f"at most {_MOST_UNPACKED:,} bytes and {_MOST_RATIO} times the file",
            remedy="Export the survey as .sav or .csv.",
        )


def _sheet_rows(book: Any, sheet: str | None, path: Path) -> list[list[Value]]:
    names = list(book.sheetnames)
    if sheet is None and len(names) > 1:
        raise PipelineError(
            "The workbook has several sheets.",
            file=path,
            found=listed(names),
            remedy=f"Set ingest.reader.sheet, e.g. {names[0]}.",
        )
    if sheet is not None and sheet not in names:
        raise PipelineError(
            "The workbook has no such sheet.",
            file=path,
            place="ingest.reader.sheet",
            found=sheet,
            allowed=listed(names),
        )
    rows: list[list[Value]] = []
    formula = None
    width: int | None = None
    blank = 0
    try:
        # A sheet may claim a million rows and 16,384 columns: its header says how wide it is, and
        # a long run of empty rows ends the reading.
        worksheet = book[sheet or names[0]]
        for cells in worksheet.iter_rows(max_row=1):
            width = _width(cells)
        for number, cells in enumerate(worksheet.iter_rows(max_col=width or 1), start=1):
            if any(cell.data_type in ("f", "e") for cell in cells):
                formula = number
                break
            values = [cell.value for cell in cells]
            blank = 0 if any(value is not None for value in values) else blank + 1
            if blank > _MOST_BLANK:
                break
            rows.append(values)
        merged = _merged_below_header(book, worksheet, width or 1)
    except Exception as error:  # a damaged sheet fails when it is read, in many ways
        raise PipelineError(
            "The survey export is truncated or is not an .xlsx file.",
            file=path,
            place=f"row {len(rows) + 1}",
            found=type(error).__name__,
            remedy="Save it again as an Excel workbook (.xlsx).",
        ) from None
    if blank > _MOST_BLANK:
        raise PipelineError(
            "The sheet goes on far below its last interview.",
            file=path,
            place=f"below row {len(rows) - _MOST_BLANK:,}",
            found=f"more than {_MOST_BLANK:,} empty rows",
            remedy="Delete the rows below the last interview, then save the workbook again.",
        )
    if merged is not None:
        raise PipelineError(
            "The workbook holds merged cells where answers should stand.",
            file=path,
            place=f"cells {merged}",
            found="one value over several cells: the others would be empty",
            allowed="one value in each cell",
            remedy="Unmerge the cells and fill each one in, or export the survey again.",
        )
    if formula is not None:
        raise PipelineError(
            "The workbook holds formulas or errors where answers should stand.",
            file=path,
            place=f"row {formula}",
            remedy="Copy the sheet and paste it as values.",
        )
    return rows


def _merged_below_header(book: Any, worksheet: Any, width: int) -> str | None:
    """Find merged cells in the rows of interviews; openpyxl tells of none while it streams."""
    from openpyxl.utils import column_index_from_string

    rest = b""
    with (
        zipfile.ZipFile(book._archive.filename) as archive,
        archive.open(worksheet._worksheet_path) as sheet,
    ):
        while block := sheet.read(1 << 20):
            for found in _MERGED.finditer(rest + block):
                cells, column, last = found[1].decode(), found[2].decode(), int(found[3])
                if last > 1 and column_index_from_string(column) <= width:
                    return cells
            rest = block[-200:]
    return None


def _width(cells: Sequence[Any]) -> int:
    """Columns up to the last that has a name."""
    return max((n for n, cell in enumerate(cells, start=1) if cell.value is not None), default=0)


_READERS: dict[str, Callable[[Path, Mapping[str, Any]], Export]] = {
    ".sav": _read_statistical,
    ".zsav": _read_statistical,
    ".dta": _read_statistical,
    ".por": _read_statistical,
    ".csv": _read_csv,
    ".xlsx": _read_excel,
}
