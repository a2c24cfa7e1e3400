"""Markdown tables that every renderer understands."""

from __future__ import annotations

from collections.abc import Sequence

from prevalence.report.variables import escaped
from prevalence.report.wording import capitalised

# Longer than any renderer's notion of a line, so that the dashes below the header set the widths.
RULE = 120


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str,
    label: str,
    align: str,
    widths: Sequence[float] | None = None,
    note: str = "",
) -> str:
    """Write a pipe table with its caption and label.

    A first column that is left empty where it repeats the row above takes the room that the numbers
    need on a narrow screen: what it says heads the rows instead, in a row of its own.

    Parameters
    ----------
    header
        Column titles, plain text.
    rows
        Cells, plain text; those made by `raw` are taken as Markdown. A row with nothing but its
        first cell heads those below it.
    caption
        Caption, plain text.
    label
        Label without its prefix ``tbl-``.
    align
        One letter a column: l, r or c.
    widths
        Relative widths of the columns; equal to the longest text where not given.
    note
        A line below the table.

    Returns
    -------
    str
        Markdown.
    """
    if _repeats_first(rows):
        header, align, widths = header[1:], align[1:], widths and widths[1:]
        rows = _headed(rows)
    cells = [[_cell(text) for text in row] for row in rows]
    shares = widths or [
        max(6, *(len(row[column]) for row in [list(header), *map(list, rows)]))
        for column in range(len(header))
    ]
    dashes = [max(3, round(RULE * share / sum(shares))) for share in shares]
    rule = "|".join(
        {"l": f":{'-' * n}", "r": f"{'-' * n}:", "c": f":{'-' * n}:"}[letter]
        for letter, n in zip(align, dashes, strict=True)
    )
    lines = [
        f"| {' | '.join(_cell(text) for text in header)} |",
        f"|{rule}|",
        *(f"| {' | '.join(row)} |" for row in cells),
        "",
        f": {escaped(caption)} {{#tbl-{label}}}",
    ]
    if note:
        lines += ["", "::: {.table-note}", escaped(note), ":::"]
    return "\n".join(lines) + "\n"


def _repeats_first(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first column names what several rows share, and no row is a heading yet."""
    headings = any(not any(row[1:]) for row in rows)
    return bool(rows) and bool(rows[0][0]) and not headings and any(not row[0] for row in rows)


def _headed(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Turn each name in the first column into a row that heads those below it."""
    headed: list[list[str]] = []
    for first, *others in rows:
        if first:
            headed.append([raw(f"*{_cell(first)}*"), *[""] * (len(others) - 1)])
        headed.append(others)
    return headed


def raw(text: str) -> str:
    """Mark a cell's text as Markdown that is not to be escaped."""
    return f"\x00{text}"


def _cell(text: str) -> str:
    return text[1:] if text.startswith("\x00") else escaped(text) or "&nbsp;"


def bullets(items: Sequence[str]) -> str:
    """Write a list, one item a line, each begun with a capital letter."""
    return "".join(f"- {escaped(capitalised(item))}\n" for item in items)


def card(big: str, what: str, others: Sequence[str] = (), *, span: bool = False) -> str:
    """Write a card: a number or a span of numbers, what it counts, further lines."""
    size = ".big .range" if span else ".big"
    lines = [f"[{escaped(big)}]{{{size}}}", f"[{escaped(what)}]{{.what}}", *map(escaped, others)]
    return "::: {.headline-card}\n" + "\\\n".join(lines) + "\n:::\n\n"


def cards(written: Sequence[str]) -> str:
    """Put cards beside each other; nothing where there is none."""
    return ":::: {.headline}\n" + "".join(written) + "::::\n" if written else ""
