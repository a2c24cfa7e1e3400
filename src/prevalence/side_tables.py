"""Side tables of a survey: named as the pipeline names them, ids as pseudonyms."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prevalence.codebook import KEY_KINDS, Codebook
from prevalence.contracts import check_table
from prevalence.contracts.ingest import SIDE_TABLES
from prevalence.denominators import check_sizes
from prevalence.errors import PipelineError, check_known, listed, suggestion
from prevalence.identifiers import pseudonyms
from prevalence.open_decisions import open_cells, refuse_open
from prevalence.plain_text import active_content

if TYPE_CHECKING:
    import pandas as pd

MEMBER = "member"  # of the survivors' panel


def parse_table(content: bytes, file: object) -> pd.DataFrame:
    """Read a side table: CSV, UTF-8, commas, a header.

    Parameters
    ----------
    content
        The file's bytes.
    file
        Its name, for messages.

    Returns
    -------
    pandas.DataFrame
        Every column as text, blanks at the ends removed.

    Raises
    ------
    PipelineError
        If it is not UTF-8, has no row, or a line has another number of fields than the header.
    """
    import pandas as pd

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PipelineError(
            "A side table is not UTF-8.", file=file, remedy="Save it as CSV UTF-8."
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except csv.Error as error:
        raise PipelineError(
            "A side table is not a valid CSV file.",
            file=file,
            place=f"line {reader.line_num}",
            found=error,
            remedy="Mend the quotes on that line.",
        ) from None
    if len(lines) < 2:
        raise PipelineError(
            "A side table holds no row.",
            file=file,
            remedy="Fill it, or leave it out of the config.",
        )
    header = lines[0][1]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice or "" in header:
        raise PipelineError(
            "The header of a side table does not name each column once.",
            file=file,
            place="line 1",
            found=f"{header.count('')} empty names; twice: {listed(filter(None, twice))}",
            remedy="Put one name over each column, in one line.",
        )
    divided = next((c for c in ";\t|" if len(header) == 1 and c in header[0]), None)
    if divided:
        raise PipelineError(
            "A side table is not divided by commas.",
            file=file,
            place="line 1",
            found=f"{header[0].count(divided) + 1} names divided by {divided!r}",
            allowed="names divided by commas",
            remedy="Save it as CSV with commas; a decimal comma becomes a point.",
        )
    for line, row in lines[1:]:
        if len(row) != len(header):
            raise PipelineError(
                "A line of a side table has another number of fields than its header.",
                file=file,
                place=f"line {line}",
                found=f"{len(row)} fields",
                allowed=f"{len(header)} fields",
                remedy="Quote fields that hold a comma; the last line may be cut off.",
            )
    named = ((line, dict(zip(header, row, strict=True))) for line, row in lines[1:])
    refuse_open(open_cells(named), file, "side table")
    table = pd.DataFrame([row for _, row in lines[1:]], columns=header, dtype="str")
    _check_plain(table, file)
    return table


def _check_plain(table: pd.DataFrame, file: object) -> None:
    found = {}
    for name in table:
        kinds = sorted({kind for text in set(table[name]) if (kind := active_content(str(text)))})
        if kinds or active_content(str(name)):
            found[str(name)] = kinds or ["its name"]
    if found:
        raise PipelineError(
            "Texts of a side table are not plain.",
            file=file,
            place=f"columns {listed(found)}",
            found=listed(f"{name}: {listed(kinds)}" for name, kinds in found.items()),
            allowed="plain text: no formulas, no HTML or Markdown, no control characters",
            remedy="Write these cells as plain text.",
        )


def arrange_table(
    table: pd.DataFrame,
    settings: Mapping[str, Any] | None,
    key: str | None,
    file: object,
) -> pd.DataFrame:
    """Give a side table the pipeline's column names, constant columns and pseudonyms.

    Parameters
    ----------
    table
        The table as its file holds it, all text.
    settings
        The config's ``ingest.arrange.<table>``: ``columns`` (column of the file to column of the
        pipeline), ``repeated`` (column of the pipeline to columns of the file that hold it one
        after the other) and ``constants`` (column to one value for all rows).
    key
        Key of the pseudonyms; None if the table has no ids.
    file
        The table's name, for messages.

    Returns
    -------
    pandas.DataFrame
        The arranged table, all text, with ids replaced. With repeated columns a row for each of
        their places; rows of one line of the file share a `respondent`.

    Raises
    ------
    PipelineError
        If the config names a column that the file lacks, two columns would have one name, or
        repeated columns differ in number.
    """
    settings = settings or {}
    names: Mapping[str, str] = settings.get("columns") or {}
    repeated: Mapping[str, Sequence[str]] = settings.get("repeated") or {}
    places = [name for listing in repeated.values() for name in listing]
    check_known(
        (*names, *places),
        table.columns,
        "The config names a column that a side table lacks.",
        file=file,
        place="ingest.arrange",
    )
    if twice := sorted(
        name for name in set(places) | set(names) if [*names, *places].count(name) > 1
    ):
        raise PipelineError(
            "The config uses a column of a side table twice.",
            file=file,
            place="ingest.arrange",
            found=listed(twice),
            allowed="each column once, under columns or repeated",
            remedy="Take it out of one of the two.",
        )
    constants: Mapping[str, Any] = settings.get("constants") or {}
    left = [str(name) for name in table if name not in places]
    after = [*(names.get(name, name) for name in left), *repeated, *constants]
    if twice := sorted({name for name in after if after.count(name) > 1}):
        raise PipelineError(
            "Two columns of a side table would have one name.",
            file=file,
            place="ingest.arrange",
            found=listed(twice),
            allowed="each name once: of a column that the file has, that is renamed, that is "
            "repeated, or that is constant",
            remedy="Give the file's own column of that name another one under columns, or take it "
            "out of repeated or constants.",
        )
    table = _lengthened(table.rename(columns=dict(names)), repeated, file)
    for name, value in constants.items():
        table[name] = "" if value is None else str(value)
    if key is not None:
        for kind in (*KEY_KINDS, MEMBER):
            if kind in table:
                table[kind] = pseudonyms(key, kind, table[kind])
    return table


def _lengthened(
    table: pd.DataFrame, repeated: Mapping[str, Sequence[str]], file: object
) -> pd.DataFrame:
    """Make a row of each place of repeated columns, the rows of one line after one another."""
    import pandas as pd

    if not repeated:
        return table
    counts = {name: len(columns) for name, columns in repeated.items()}
    if len(set(counts.values())) > 1:
        raise PipelineError(
            "Repeated columns of a side table differ in number.",
            file=file,
            place="ingest.arrange",
            found=listed(f"{name}: {count}" for name, count in counts.items()),
            allowed="as many columns for each",
            remedy="List the columns of each in the same order, one for each kind of contact.",
        )
    kept = table.drop(columns=sorted({name for listing in repeated.values() for name in listing}))
    if "respondent" not in kept:
        kept = kept.assign(respondent=[str(line) for line in range(1, len(kept) + 1)])
    parts = [
        kept.assign(**{name: table[listing[place]] for name, listing in repeated.items()})
        for place in range(min(counts.values()))
    ]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def complete_known_groups(table: pd.DataFrame, codebook: Codebook, file: object) -> pd.DataFrame:
    """Name the groups as the codebook does, and list those of unknown size too.

    Parameters
    ----------
    table
        ``group`` (the codebook's group, or the raw variable that asks for it) and ``size``; where
        it lacks them, ``label``, ``year``, ``source``, ``quality`` and ``note`` are added.
    codebook
        The codebook.
    file
        The table's name, for messages.

    Returns
    -------
    pandas.DataFrame
        One row a known group, in the codebook's order; groups that the file doesn't list have an
        empty size.

    Raises
    ------
    PipelineError
        If the table names a group that the survey doesn't ask for, or one twice.
    """
    import pandas as pd

    asked = codebook.with_role("known", "child")
    by_raw = {variable.raw: variable.group for variable in asked}
    groups = [variable.group for variable in asked]
    if "group" not in table:
        raise PipelineError(
            "The known groups have no column group.",
            file=file,
            found=listed(table.columns),
            remedy="Name it under ingest.arrange.known_groups.columns.",
        )
    named = [name if name in groups else by_raw.get(name, name) for name in table["group"]]
    strange = [name for name in named if name not in groups]
    twice = sorted({name for name in named if named.count(name) > 1})
    if strange or twice:
        raise PipelineError(
            "Known groups are listed that the survey doesn't ask for."
            if strange
            else "A known group is listed twice.",
            file=file,
            place="column group",
            found=listed(strange or twice),
            allowed=listed(groups, 40),
            remedy=suggestion(strange[0], groups) if strange else "Keep one row a group.",
        )
    labels = {variable.group: variable.label for variable in asked}
    complete = table.assign(group=named).set_index("group").reindex(groups).fillna("")
    complete.index.name = "group"
    complete = complete.reset_index()
    for column in ("label", "size", "year", "source", "quality", "note"):
        if column not in complete:
            complete[column] = ""
    complete["label"] = [
        label or labels[group]
        for label, group in zip(complete["label"], complete["group"], strict=True)
    ]
    columns = ["group", "label", "size", "year", "source", "quality", "note"]
    others = [name for name in complete.columns if name not in columns]
    return pd.DataFrame(complete[[*columns, *others]])


def emptied(table: pd.DataFrame, numbers: Sequence[str]) -> pd.DataFrame:
    """Make the empty cells of number columns missing, so that they can be read as numbers."""
    present = [name for name in numbers if name in table]
    return table.assign(**{name: table[name].replace("", None) for name in present})


def checked_table(name: str, table: pd.DataFrame, file: object) -> pd.DataFrame:
    """Check a side table by its contract, and sizes of populations by one another.

    Parameters
    ----------
    name
        Name of the table.
    table
        The arranged table, all text.
    file
        Its name, for messages.

    Returns
    -------
    pandas.DataFrame
        The table in the contract's types.

    Raises
    ------
    PipelineError
        As :func:`prevalence.contracts.check_table` and :func:`prevalence.denominators.check_sizes`
        do.
    """
    contract = SIDE_TABLES[name]
    numbers = [column for column, spec in contract.columns.items() if str(spec.dtype) != "str"]
    checked = check_table(emptied(table, numbers), contract, file)
    if name == "populations":
        rows = [
            {str(key): value for key, value in row.items()} for row in checked.to_dict("records")
        ]
        check_sizes(rows, [f"row {number}" for number in range(1, len(rows) + 1)], file)
    return checked
