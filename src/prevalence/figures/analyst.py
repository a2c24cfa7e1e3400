"""The analyst's picture of the weights, of restricted tables: it stays with them.

What the report shows of the weights is drawn from released tables (`figures.method`,
`figures.response`, `figures.calibration`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.style import (
    BAND,
    BODY,
    COLOURS,
    MARGIN,
    MARK,
    MUTED,
    SMALL,
    WARNING,
    open_canvas,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW = 8.3, 0.17  # inches
RATE = "RR3"
MOST_ROWS = 40  # of a kind of domain; with more of them, their distribution is drawn


def weight_diagnostics(tables: Mapping[str, pd.DataFrame], *, synthetic: bool) -> Figure:
    """Draw everything that describes the weights on one sheet.

    Parameters
    ----------
    tables
        ``weighting``, ``weight_distribution``, ``effective_n``, ``influential``, ``margins`` and
        ``response_rates``; panels of empty tables are left out.
    synthetic
        Whether the data are synthetic: then the sheet is marked so.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rates = tables["response_rates"].query("rate == @RATE")
    panels: list[tuple[float, Any, pd.DataFrame]] = [
        (1.9, _distributions, tables["weight_distribution"]),
        (_height(tables["weighting"]), _design_effects, tables["weighting"]),
        (_height(tables["effective_n"]), _effective, tables["effective_n"]),
    ]
    panels += [
        (_height(part), _influence, part) for _, part in _parts(tables["influential"], "group")
    ]
    panels += [(_height(part), _margin, part) for _, part in _parts(tables["margins"], "margin")]
    panels += [
        (_height(part) if len(part) <= MOST_ROWS else 1.2, _response, part)
        for kind, part in _parts(rates, "domain_type")
        if kind != "national"
    ]
    panels = [panel for panel in panels if len(panel[2])]
    heights = [height + 0.75 for height, *_ in panels]
    figure = open_canvas(WIDTH, sum(heights) + 0.35)
    whole, top = sum(heights) + 0.35, 0.35
    for (height, draw, table), space in zip(panels, heights, strict=True):
        below = 1 - (top + 0.3 + height) / whole
        axes = figure.add_axes((0.3, below, 0.66, height / whole))
        draw(axes, table)
        top += space
    if synthetic:
        place = (1 - MARGIN / WIDTH, 1 - MARGIN / whole)
        look: dict[str, Any] = {"ha": "right", "va": "top", "fontweight": "bold"}
        figure.text(*place, MARK, color=WARNING, fontsize=SMALL, **look)
    return figure


def _parts(table: pd.DataFrame, column: str) -> list[tuple[str, pd.DataFrame]]:
    if not len(table):
        return []
    return [(str(name), part) for name, part in table.groupby(column, sort=False)]


def _height(table: pd.DataFrame) -> float:
    return max(0.5, ROW * len(table))


def _rows(axes: Axes, names: list[str], title: str) -> Any:
    """Name the rows of a panel, the first on top, and give their places."""
    places = np.arange(len(names))[::-1]
    axes.set_yticks(places, names)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.tick_params(axis="y", length=0)
    _title(axes, title)
    return places


def _title(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=BODY, fontweight="bold", pad=4)


def _distributions(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the distribution of the weights after each step, as steps of one line each."""
    for number, (step, part) in enumerate(_parts(table, "step")[:-1]):  # calibrated is final
        low = part["lower_bound"].to_numpy(float)
        high = part["upper_bound"].fillna(2 * low[-1]).to_numpy(float)
        density = part["share"].to_numpy(float) / (high - low)
        look: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "lw": 1.3}
        axes.stairs(density, [*low, high[-1]], label=step, **look)
    axes.set_xlim(0, 4)
    axes.set_yticks([])
    axes.set_xlabel("weight over its mean", fontsize=SMALL)
    axes.legend(frameon=False, fontsize=SMALL)
    _title(axes, "Weights after each step: share of respondents by size")


def _design_effects(axes: Axes, table: pd.DataFrame) -> None:
    places = _rows(
        axes, list(table["step"]), "Kish's design effect (1 + cv²) and largest weight over the mean"
    )
    axes.plot(table["deff_kish"], places, "o", color=COLOURS[0], ms=5)
    axes.plot(table["max"] / table["mean"], places, "D", color=COLOURS[1], ms=4)
    axes.set_xlim(left=1)


def _effective(axes: Axes, table: pd.DataFrame) -> None:
    names = [
        f"{row['domain_type']} {row['domain']} ({row['effective_n']:,.0f} of {row['n']:,})"
        for row in table.to_dict("records")
    ]
    places = _rows(axes, names, "Effective number of respondents over their number")
    axes.barh(places, 1, height=0.6, color=BAND)
    axes.barh(places, table["effective_n"] / table["n"], height=0.6, color=COLOURS[0])
    axes.set_xlim(0, 1)


def _influence(axes: Axes, table: pd.DataFrame) -> None:
    names = [f"rank {rank}" for rank in table["rank"]]
    title = f"{table['group'].iloc[0]}: change of the headline without the respondent, per cent"
    places = _rows(axes, names, title)
    axes.barh(places, 100 * table["relative_change"], height=0.6, color=COLOURS[1])
    axes.axvline(0, color=MUTED, lw=0.8)


def _margin(axes: Axes, table: pd.DataFrame) -> None:
    places = _rows(
        axes,
        [str(name) for name in table["category"]],
        f"Margin {table['margin'].iloc[0]}: difference from the population, per cent; after "
        "calibration (diamonds)",
    )
    population = table["population"].replace(0, np.nan)
    axes.plot(100 * (table["before"] / population - 1), places, "o", color=COLOURS[1], ms=5)
    axes.plot(100 * (table["after"] / population - 1), places, "D", color=COLOURS[0], ms=4)
    axes.axvline(0, color=MUTED, lw=0.8)


def _response(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the weighted response rates of one kind of domain, or how they are distributed."""
    kind, rates = str(table["domain_type"].iloc[0]), 100 * table["weighted"].astype(float)
    title = f"Response rate ({RATE}, weighted) by {kind}, per cent"
    if len(table) <= MOST_ROWS:
        places = _rows(axes, [str(name) for name in table["domain"]], title)
        axes.plot(rates, places, "o", color=COLOURS[0], ms=5)
        return
    known = rates.dropna()
    axes.hist(known, bins=[float(edge) for edge in np.linspace(0, 100, 41)], color=COLOURS[0])
    axes.set_xlim(min(99.0, 2.5 * np.floor(known.min() / 2.5)), 100)
    axes.set_ylabel(f"{len(table)} of them", fontsize=SMALL)
    _title(axes, title)
