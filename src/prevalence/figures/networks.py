"""How many people respondents know, as a weighted histogram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.figures.forest import plain_row
from prevalence.figures.style import (
    BODY,
    COLOURS,
    MARGIN,
    SMALL,
    Drawing,
    Sheet,
    lean_seaborn,
    line_height,
    nice_ticks,
    text_width,
    tick_label,
)
from prevalence.figures.words import Words
from prevalence.report.wording import interval, level, written

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

MEAN, MEAN_TEXT = COLOURS[1], "#9a4d10"
OPEN_END = "#5f7f9f"
LEFT, TALL = MARGIN + 0.3, 1.75


def histogram(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw the distribution, those who know nobody and the open end apart, and the mean.

    Parameters
    ----------
    tables
        Released `degree_distribution` and `degree_summary`.
    words
        The survey's words.

    Returns
    -------
    Drawing
        The figure.
    """
    table = tables["degree_distribution"]
    mean = national_mean(tables["degree_summary"])
    lower, upper = (table[f"{end}_bound"].to_numpy(float) for end in ("lower", "upper"))
    share = 100 * table["share"].to_numpy(float)
    none, beyond = upper == lower, ~np.isfinite(upper)
    inside = ~none & ~beyond
    edges = np.append(lower[inside], upper[inside][-1:])
    sheet = Sheet(words)
    sheet.heading("Share of respondents, weighted, per cent")
    head = sheet.top
    sheet.skip(line_height(BODY))
    axes = sheet.axes(TALL, LEFT)
    ends = _bars(axes, edges, share[inside], share[none], share[beyond])
    if mean:
        _mean(sheet, axes, mean, ends, head)
    _ticks(sheet, axes, edges, ends, bool(none.any()), bool(beyond.any()))
    sheet.below_axis("estimated number of people known, of all ages", LEFT)
    return Drawing(
        sheet.close(),
        table,
        alt=_alt(mean, share[none], share[beyond], float(edges[-1])),
        caption="Estimated network sizes of respondents, weighted. The bars set apart are those "
        "who know nobody in the headline’s known groups, and all above the scale"
        + (f". The mean is {_mean_said(mean)}" if mean else ""),
    )


def national_mean(summary: pd.DataFrame) -> dict[str, Any]:
    """Mean number of people known, nationally; nothing where there is none."""
    rows = summary[
        (summary["domain_type"] == "national") & (summary["estimator"] == "known_population")
    ]
    row = plain_row(rows.iloc[0].to_dict()) if len(rows) else {}
    return row if row.get("estimate") is not None else {}


def _bars(
    axes: Axes, edges: Array, share: Array, none: Array, beyond: Array
) -> tuple[float, float, float]:
    """Draw the bars; give the start of the axis, its end and the width of a bar."""
    sns = lean_seaborn()
    step = float(np.median(np.diff(edges)))
    start = float(edges[0]) - 1.15 * step
    end = float(edges[-1]) + (1.35 * step if len(beyond) else 0.0)
    highest = 1.05 * float(np.nanmax([*share, *none, *beyond]))
    axes.set_xlim(start, end)
    axes.set_ylim(0, highest)
    sns.histplot(
        x=(edges[:-1] + edges[1:]) / 2,
        weights=np.nan_to_num(share),
        bins=list(edges),
        color=COLOURS[0],
        edgecolor="white",
        alpha=1,
        ax=axes,
    )
    axes.set(xlabel="", ylabel="")
    if len(none):
        axes.bar([start], none, width=0.8 * step, color=COLOURS[0], align="edge")
    if len(beyond):
        axes.bar([end - step], beyond, width=step, color=OPEN_END, align="edge")
    ticks = nice_ticks(0, highest, TALL, vertical=True)
    axes.set_yticks(ticks, [tick_label(tick, highest) for tick in ticks])
    axes.tick_params(axis="y", length=0)
    for tick in ticks[1:]:
        axes.axhline(tick, color="#edf0f3", lw=0.7, zorder=-1)
    return start, end, step


def _mean(
    sheet: Sheet,
    axes: Axes,
    mean: Mapping[str, Any],
    ends: tuple[float, float, float],
    head: float,
) -> None:
    axes.axvspan(mean["lower"], mean["upper"], color=MEAN, alpha=0.35, lw=0)
    axes.axvline(mean["estimate"], color=MEAN, lw=1.6, label="_estimate")
    text = f"mean {_mean_said(mean)}"
    half = text_width(text, BODY) / 2
    inch = (sheet.width - LEFT - MARGIN) / (ends[1] - ends[0])
    place = LEFT + (float(mean["estimate"]) - ends[0]) * inch
    place = min(max(place, LEFT + half), sheet.width - MARGIN - half)
    sheet.write(text, place, head, colour=MEAN_TEXT, align="center")


def _mean_said(mean: Mapping[str, Any]) -> str:
    return f"{written(mean, 'estimate')} ({level(mean)} interval {interval(mean)})"


def _ticks(
    sheet: Sheet,
    axes: Axes,
    edges: Array,
    ends: tuple[float, float, float],
    none: bool,
    beyond: bool,
) -> None:
    start, end, step = ends
    width = sheet.width - LEFT - MARGIN
    inch = width / (end - start)
    last = float(edges[-1])
    ticks = [tick for tick in nice_ticks(0, last, width) if tick > 0]
    extra: list[tuple[float, str]] = []
    if beyond:
        text = f"over {last:,.0f}"
        half = text_width(text, SMALL) / 2
        place = min(end - step / 2, end - half / inch)
        extra.append((place, text))
        stop = (place - start) * inch - half - 0.08
        halves = {tick: text_width(f"{tick:,.0f}", SMALL) / 2 for tick in ticks}
        ticks = [tick for tick in ticks if (tick - start) * inch + halves[tick] < stop]
    labels = [(tick, tick_label(tick, last)) for tick in ticks] + extra
    if none:
        labels = [(start + 0.4 * step, "0"), *labels]
    axes.set_xticks([place for place, _ in labels], [text for _, text in labels])


def _alt(mean: Mapping[str, Any], none: Array, beyond: Array, last: float) -> str:
    parts = ["Histogram of the number of people whom respondents know, weighted."]
    if mean:
        parts.append(f"The mean is {_mean_said(mean)}.")
    if len(none):
        parts.append(f"{none[0]:.1f}% know nobody in the headline’s known groups.")
    if len(beyond):
        parts.append(f"{beyond[0]:.1f}% know more than {last:,.0f}.")
    return " ".join(parts)
