"""Several surveys beside each other: rates per 1,000 with intervals, in no order of size."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.style import (
    COLOURS,
    INK,
    SMALL,
    Drawing,
    canvas,
    finish,
    interval_dot,
    rounded,
)

if TYPE_CHECKING:
    import pandas as pd

PEOPLE = {"children": "children", "adults": "adults", "all_ages": "people"}
LINE = 78  # characters
NOTE = "Own definitions of each survey, in the order of the config: no ranking is meant."


def countries(table: pd.DataFrame) -> Drawing:
    """Draw the rates of all surveys.

    Parameters
    ----------
    table
        As the contract ``countries`` has it.
    """
    rows: list[dict[Any, Any]] = table.to_dict("records")
    surveys = list(dict.fromkeys(table["survey"]))
    figure, (axes,) = canvas(1.3 + 0.56 * len(rows))
    for place, row in enumerate(rows):
        colour = COLOURS[surveys.index(row["survey"]) % len(COLOURS)]
        height = len(rows) - 1 - place
        interval_dot(axes, row, height - 0.2, colour)
        options: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "color": INK}
        label = axes.text(
            0, height + 0.05, fill(_name(row), LINE), fontsize=SMALL, va="bottom", **options
        )
        label.set_in_layout(False)  # as wide as the figure, whatever the axes
    shown = table[table["suppressed"] == ""]
    low, high = float(shown["lower"].min()), float(shown["upper"].max())
    if len(shown) and low > 0:
        axes.set_xscale("log")
        axes.set_xlim(low / 2, high * 30)  # room for the numbers
        ticks = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        ticks = ticks[(ticks >= low / 2) & (ticks <= high * 30)]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    elif len(shown):
        axes.set_xlim(0, high * 1.6)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("estimated rate per 1,000 of the group's own denominator")
    finish(figure, synthetic=bool(table["synthetic"].any()), note=NOTE)
    said = "; ".join(f"{_name(row)}: {_numbers(row)}" for row in rows)
    return Drawing(
        figure,
        table,
        alt=f"Dots with intervals, a row a hidden group of a survey, unranked. {said}.",
        caption="National rates of hidden groups in several surveys, each by its own definitions, "
        "with intervals.",
    )


def _name(row: dict[Any, Any]) -> str:
    mark = " (synthetic)" if row["synthetic"] else ""
    where = f"{row['country']} {row['year']}{mark}"
    what = f"{row['label']}, per 1,000 {PEOPLE[row['denominator']]}"
    return f"{where[:1].upper()}{where[1:]}, {what}"


def _numbers(row: dict[Any, Any]) -> str:
    if row["suppressed"]:
        return "withheld"
    between = f"{rounded(row['lower'])} to {rounded(row['upper'])}"
    if row["precision"] == "interval_only":
        return between
    return f"{rounded(row['estimate'])} ({between})"
