"""Several surveys beside each other: rates per 1,000 with intervals, in no order of size."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import Entry, farthest, forest, plain_row, shown_values, suppressed
from prevalence.figures.forest import written as numbers
from prevalence.figures.legend import key, marks_used
from prevalence.figures.style import COLOURS, Drawing, Sheet
from prevalence.report.wording import capitalised

if TYPE_CHECKING:
    import pandas as pd

PEOPLE = {"children": "children", "adults": "adults", "all_ages": "people"}
NOTE = "Own definitions of each survey, in the order of the config: no ranking is meant."


@dataclass(frozen=True)
class Compared:
    """What is said of all surveys together.

    Parameters
    ----------
    synthetic
        Whether a survey is synthetic.
    level
        Level of the intervals, in words.
    precision
        From which coefficient of variation a number is flagged.
    """

    synthetic: bool
    level: str
    precision: Mapping[str, float]


def countries(table: pd.DataFrame, precision: Mapping[str, float]) -> Drawing:
    """Draw the rates of all surveys.

    Parameters
    ----------
    table
        As the contract ``countries`` has it.
    precision
        From which coefficient of variation a number is flagged.
    """
    rows = [plain_row(row) for row in table.to_dict("records")]
    levels = dict.fromkeys(_level(row) for row in rows if row["level"])
    words = Compared(bool(table["synthetic"].any()), " or ".join(levels), precision)
    sheet = Sheet(words)
    sheet.clear_mark()
    names = _names(rows, levels)
    surveys = list(names)
    entries = []
    for survey in surveys:
        mine = [row for row in rows if row["survey"] == survey]
        colour = COLOURS[surveys.index(survey) % len(COLOURS)]
        entries.append(Entry(names[survey], heading=True))
        entries += [Entry(_what(row), row, _numbers(row), colour) for row in mine]
    scale, ticks = _scale(entries)
    forest(
        sheet,
        entries,
        title="estimated rate per 1,000 of the group's own denominator"
        + (" (logarithmic scale)" if ticks else ""),
        scale=scale,
        log_ticks=ticks,
    )
    key(sheet, marks_used(rows, words, scale[1]))
    sheet.note(NOTE)
    said = "; ".join(f"{names[row['survey']]}, {_what(row)}: {_numbers(row)}" for row in rows)
    return Drawing(
        sheet.close(),
        table,
        alt=f"Dots with intervals, a row a hidden group of a survey, unranked. {said}.",
        caption="National rates of hidden groups in several surveys, each by its own definitions, "
        f"with {words.level} intervals.",
    )


def _scale(entries: Sequence[Entry]) -> tuple[tuple[float, float], list[float] | None]:
    """Choose the ends of the axis, and ticks of a logarithmic one: where rates differ much."""
    points, ends = shown_values(entries)
    low, high = min([*points, *ends], default=0.0), max([*points, *ends], default=0.0)
    if low <= 0 or high < 10 * low:
        return (0.0, farthest(entries)), None
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    steps = (1, 3) if high < 1000 * low else (1,)
    low, high = low / 1.2, high * 1.2
    ticks = [step * 10.0**power for power in powers for step in steps]
    return (low, high), [tick for tick in ticks if low <= tick <= high]


def _names(rows: Sequence[Mapping[str, Any]], levels: Collection[str]) -> dict[str, str]:
    """Name each survey by country and year, by its id and level too where those don't tell."""
    places = {row["survey"]: f"{row['country']} {row['year']}" for row in rows}
    found: dict[str, str] = {}
    for row in rows:
        name = places[row["survey"]]
        own = f" {row['survey']}" if list(places.values()).count(name) > 1 else ""
        mark = " (synthetic)" if row["synthetic"] else ""
        level = f", {_level(row)} intervals" if len(levels) > 1 and row["level"] else ""
        found.setdefault(row["survey"], capitalised(f"{name}{own}{mark}{level}"))
    return found


def _level(row: Mapping[str, Any]) -> str:
    return f"{100 * row['level']:g}%"


def _what(row: Mapping[str, Any]) -> str:
    return f"{capitalised(row['label'])}, per 1,000 {PEOPLE[row['denominator']]}"


def _numbers(row: Mapping[str, Any]) -> str:
    if suppressed(row):
        return "suppressed"
    return numbers(row)
