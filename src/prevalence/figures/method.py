"""How it was measured: who was interviewed, how they were weighted, how many people they know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from prevalence.figures.style import (
    COLOURS,
    FAINT,
    MUTED,
    Drawing,
    Words,
    canvas,
    finish,
    rounded,
    rows_of,
)

if TYPE_CHECKING:
    import pandas as pd

STEPS = {
    "base": "Selection probability",
    "nonresponse": "After nonresponse adjustment",
    "trimmed": "After trimming",
    "calibrated": "After calibration",
    "final": "Final",
}


def sample_flow(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Bars of what remains after each step of sampling, fieldwork and screening."""
    table = tables["sample_flow"]
    figure, (axes,) = canvas(0.8 + 0.29 * len(table))
    heights = np.arange(len(table))[::-1]
    shades = {"sample": FAINT, "interview": COLOURS[0], "analysis": COLOURS[1]}
    axes.barh(heights, table["n"], color=[shades.get(s, FAINT) for s in table["stage"]], height=0.7)
    for height, row in zip(heights, rows_of(table), strict=True):
        lost = f"  (−{row.excluded:,.0f})" if row.excluded else ""
        axes.annotate(
            f"{row.n:,.0f}{lost}",
            (row.n, height),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )
    labels = [label[:1].upper() + label[1:] for label in table["label"]]
    axes.set_yticks(heights, labels, fontsize=8)
    axes.set_xlim(0, table["n"].max() * 1.16)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("households or interviews that remain (number excluded in brackets)")
    finish(figure, synthetic=words.synthetic)
    first, last = table.iloc[0], table.iloc[-1]
    return Drawing(
        figure,
        table,
        alt=f"Bars from {first['n']:,.0f} {first['label']} to {last['n']:,.0f} {last['label']}, "
        f"with the number excluded at each of {len(table)} steps.",
        caption="From the sample to the analysed interviews.",
    )


def weights(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Spread of the weights through their steps, relative to their mean."""
    table = tables["weighting"]
    figure, (axes,) = canvas(0.9 + 0.5 * len(table))
    heights = np.arange(len(table))[::-1]
    for height, row in zip(heights, rows_of(table), strict=True):
        axes.plot([row.p05 / row.mean, row.p95 / row.mean], [height] * 2, color=COLOURS[0], lw=5)
        axes.plot(
            [row.min / row.mean, row.max / row.mean], [height] * 2, color=COLOURS[0], lw=1, zorder=0
        )
        axes.plot(row.median / row.mean, height, "|", color="white", ms=9, mew=2)
        axes.annotate(
            f"design effect {row.deff_kish:.2f}",
            (row.max / row.mean, height),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=MUTED,
        )
    axes.axvline(1, color=FAINT, lw=0.8, zorder=-1)
    axes.set_yticks(heights, [STEPS.get(step, step) for step in table["step"]])
    axes.set_ylim(-0.6, len(table) - 0.4)
    widest = float((table["max"] / table["mean"]).max())
    axes.set_xlim(0, widest * 1.3)
    axes.set_xlabel("weight relative to the mean (bar: middle 90 %; white mark: median; line: all)")
    finish(figure, synthetic=words.synthetic)
    last = table.iloc[-1]
    return Drawing(
        figure,
        table,
        alt=f"Spread of weights after each of {len(table)} steps. Final design effect "
        f"{last['deff_kish']:.2f}, effective sample size {rounded(last['effective_n'])}.",
        caption="Weights through their steps, with Kish's design effect.",
    )


def degree_distribution(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """How many people respondents know, as a weighted histogram."""
    import seaborn as sns

    table = tables["degree_distribution"]
    summary = tables["degree_summary"]
    mean = summary[
        (summary["domain_type"] == "national") & (summary["estimator"] == "known_population")
    ].iloc[0]
    figure, (axes,) = canvas(2.9)
    finite = table["upper_bound"].where(np.isfinite(table["upper_bound"]), np.nan)
    width = float((finite - table["lower_bound"]).median())
    upper = finite.fillna(table["lower_bound"] + width)
    edges = np.append(table["lower_bound"].to_numpy(float), float(upper.iloc[-1]))
    shares = table["share"].to_numpy(float)
    sns.histplot(
        x=(edges[:-1] + edges[1:]) / 2,
        weights=100 * np.nan_to_num(shares),
        bins=list(edges),
        color=COLOURS[0],
        edgecolor="white",
        alpha=1,
        ax=axes,
    )
    axes.axvline(mean["estimate"], color=COLOURS[1], lw=1.5)
    axes.annotate(
        f"mean {rounded(mean['estimate'])}\n({rounded(mean['lower'])} to {rounded(mean['upper'])})",
        (mean["estimate"], axes.get_ylim()[1] * 0.92),
        xytext=(6, 0),
        textcoords="offset points",
        fontsize=8,
        color=COLOURS[1],
        va="top",
    )
    axes.set_xlabel("estimated number of people known, all ages")
    axes.set_ylabel("per cent of adults")
    finish(figure, synthetic=words.synthetic)
    return Drawing(
        figure,
        table,
        alt=f"Histogram of personal network size: mean {rounded(mean['estimate'])} people known "
        f"({rounded(mean['lower'])} to {rounded(mean['upper'])}), with a long right tail.",
        caption="Estimated network sizes of adults, weighted. The last bar holds all above it.",
    )
