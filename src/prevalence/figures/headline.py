"""The headline: national estimates with intervals, beside the published words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prevalence.figures.style import (
    BAND,
    COLOURS,
    INK,
    MUTED,
    Drawing,
    Words,
    canvas,
    finish,
    interval_dot,
    rounded,
)

if TYPE_CHECKING:
    import pandas as pd


def headline(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """National estimates in persons, the reading of the published words, the planted truth."""
    table = tables["scale_up"]
    chosen = table[
        table["headline"].astype(bool)
        & (table["domain_type"] == "national")
        & (table["unit"] == "persons")
        & table["group"].isin(list(words.groups))
    ].set_index("group")
    rows = [group for group in words.groups if group in chosen.index]
    ranges = {
        finding["group"]: (finding["low"], finding["high"])
        for finding in words.findings
        if finding["unit"] == "persons"
    }
    truths = _truths(tables, words)
    figure, (axes,) = canvas(0.75 + 0.75 * len(rows))
    for place, group in enumerate(rows):
        height = len(rows) - 1 - place
        colour = COLOURS[place % len(COLOURS)]
        if group in ranges:
            low, high = ranges[group]
            axes.axvspan(
                low,
                high,
                ymin=(height + 0.1) / len(rows),
                ymax=(height + 0.9) / len(rows),
                color=BAND,
                lw=0,
            )
            axes.text(
                low, height - 0.36, "published, as read here ", fontsize=7, color=MUTED, ha="right"
            )
        interval_dot(axes, chosen.loc[group], height, colour)
        axes.text(
            0.0,
            height + 0.32,
            words.label(group),
            transform=axes.get_yaxis_transform(),
            fontsize=9,
            fontweight="bold",
        )
        if group in truths:
            axes.plot(truths[group], height - 0.22, marker="^", color=INK, ms=6, ls="")
            axes.annotate(
                f"planted truth {rounded(truths[group], 4)}",
                (truths[group], height - 0.22),
                xytext=(7, -2),
                textcoords="offset points",
                fontsize=7,
                va="center",
            )
    axes.set_ylim(-0.5, len(rows) - 0.5)
    highest = float(chosen["upper"].max())
    axes.set_xlim(0, highest * 1.45)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("estimated people, with 95 % interval")
    finish(figure, synthetic=words.synthetic)
    said = "; ".join(
        f"{words.label(group)}: {rounded(chosen.loc[group, 'estimate'])} "
        f"({rounded(chosen.loc[group, 'lower'])} to {rounded(chosen.loc[group, 'upper'])})"
        for group in rows
    )
    data = chosen.loc[rows].reset_index()[
        ["group", "unit", "estimate", "lower", "upper", "level", "suppressed", "precision"]
    ]
    beside = " Shaded: how this project reads the published words." if ranges else ""
    return Drawing(
        figure,
        data,
        alt=f"Dots with intervals. {said}.",
        caption=f"National estimates with their 95 % intervals.{beside}",
    )


def _truths(tables: Mapping[str, pd.DataFrame], words: Words) -> dict[str, float]:
    table = tables.get("validation")
    if not words.synthetic or table is None or not len(table):
        return {}
    national = table[(table["domain_type"] == "national") & (table["unit"] == "persons")]
    return dict(zip(national["group"], national["truth"].astype(float), strict=True))
