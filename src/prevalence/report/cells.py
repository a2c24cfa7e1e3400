"""Cells of the report's tables: estimates with their intervals, counts, shares, notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prevalence.report.markdown import raw
from prevalence.report.material import Material, Row
from prevalence.report.variables import escaped
from prevalence.report.wording import (
    EXPLANATIONS,
    interval,
    number,
    places_of,
    point,
    significant,
    withheld,
)

DASH = "–"
# Heads of the columns that `count_cells` fills.
ANSWERED = ("Answered", "Know any")


def estimate_cells(row: Row) -> list[str]:
    """Write an estimate and its interval as two cells, or why there are none."""
    if withheld(row):
        return [withheld(row), DASH]
    return [point(row), unbroken(interval(row))]


def count_cells(row: Row) -> list[str]:
    """Write the numbers of respondents and of those with a report as two cells."""
    return [whole(row.get("n")), whole(row.get("n_reporting"))]


def unbroken(text: str) -> str:
    """Keep a short text on one line of its cell."""
    return text.replace(" ", "\u00a0")


def whole(value: Any) -> str:
    """Write a count; a dash where there is none."""
    return DASH if value is None else number(float(value))


def share(value: Any) -> str:
    """Write a share as per cent; a dash where there is none."""
    if value is None:
        return DASH
    text = number(100 * float(value), "per_cent")
    return "0.0" if text == "-0.0" else text.replace("-", "−")


def digits(value: Any, count: int = 3) -> str:
    """Write a number to so many significant digits; a dash where there is none."""
    return DASH if value is None else significant(float(value), count)


def fixed(value: Any, places: int = 2) -> str:
    """Write a number with so many decimals; a dash where there is none."""
    return DASH if value is None else f"{float(value):,.{places}f}".replace("-", "−")


def limits(low: Any, high: Any, places: int = 2) -> str:
    """Write two limits as one cell; a dash where there are none."""
    if low is None or high is None:
        return DASH
    return unbroken(f"{fixed(low, places)} to {fixed(high, places)}")


def level_of(material: Material) -> str:
    """Write the level of the survey's intervals, as in ``95%``."""
    return f"{100 * float(material.estimate['level']):g}%"


def precision_note(material: Material, rows: Sequence[Row]) -> str:
    """Explain the mark of imprecise estimates, if one of the rows carries it."""
    parts = []
    flags = {str(row.get("precision") or "") for row in rows}
    thresholds = material.policy.get("precision") or {}
    if "imprecise" in flags:
        above = f" above {100 * thresholds['imprecise']:g}%" if thresholds else " large"
        parts.append(f"† imprecise: the coefficient of variation is{above}.")
    if "interval_only" in flags:
        parts.append("Interval only: too imprecise for a single number.")
    return " ".join(parts)


def suppression_note(rows: Sequence[Row]) -> str:
    """Explain why cells are suppressed, if one of the rows is."""
    reasons = {str(row.get("suppressed") or "") for row in rows} - {""}
    if not reasons:
        return ""
    meanings = "; ".join(EXPLANATIONS.get(reason, reason) for reason in sorted(reasons))
    return f"A suppressed cell is neither zero nor small ({meanings})."


def notes(*sentences: str) -> str:
    """Join the sentences of a table's note; empty ones are left out."""
    return " ".join(sentence for sentence in sentences if sentence)


def once(rows: Sequence[Sequence[str]], columns: int = 1) -> list[list[str]]:
    """Leave repeated first cells empty, as printed tables do.

    Parameters
    ----------
    rows
        Cells of the rows.
    columns
        How many of the first columns.

    Returns
    -------
    list of list of str
        The rows; a cell is empty where it and those to its left repeat the row above.
    """
    shown: list[list[str]] = []
    above: list[str] = []
    for row in rows:
        kept = [
            "" if above[: place + 1] == list(row[: place + 1]) and place < columns else cell
            for place, cell in enumerate(row)
        ]
        shown.append(kept)
        above = list(row)
    return shown


def subheading(text: str, columns: int) -> list[str]:
    """Write a row that heads those below it, and has no other cells."""
    return [raw(f"*{escaped(text)}*"), *([""] * (columns - 1))]


def truth_cell(row: Row) -> str:
    """Write a planted value as finely as the estimate beside it."""
    if row.get("truth") is None:
        return DASH
    truth = float(row["truth"])
    return f"{truth:,.{places_of(row, truth)}f}"
