"""How sure we are: known groups as a check, other choices, other assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.style import (
    COLOURS,
    FAINT,
    INK,
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

FACTORS = {
    "true_positive_rate": "True-positive rate",
    "degree_ratio": "Degree ratio",
    "frame_ratio": "Frame ratio",
    "precision": "Precision of reports",
}


def known_groups(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Known groups estimated from the others, relative to their official sizes."""
    table = tables["known_groups"]
    table = table[table["estimator"] == words.headline["estimator"]].reset_index(drop=True)
    figure, (axes,) = canvas(1.0 + 0.27 * len(table))
    heights = np.arange(len(table))[::-1]
    for height, row in zip(heights, rows_of(table), strict=True):
        inside = bool(row.in_headline)
        colour = COLOURS[0] if inside else COLOURS[1]
        if str(row.suppressed or "") not in ("", "nan"):
            axes.text(1, height, f"withheld ({row.suppressed})", fontsize=7.5, color=MUTED)
            continue
        axes.plot(np.exp([row.log_ratio_lower, row.log_ratio_upper]), [height] * 2, color=colour)
        axes.plot(np.exp(row.log_ratio), height, "o" if inside else "D", color=colour, ms=5)
        axes.annotate(
            f"{np.exp(row.log_ratio):.2f}" + ("" if inside else "  not used for the headline"),
            (np.exp(row.log_ratio_upper), height),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=colour,
        )
    axes.axvline(1, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    axes.set_xscale("log")
    low, high = np.exp(table["log_ratio_lower"].min()), np.exp(table["log_ratio_upper"].max())
    axes.set_xlim(low / 1.15, high * 1.9)
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10) if low / 1.15 <= tick <= high * 1.9]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    labels = [f"{row.label} ({row.known_size:,.0f})" for row in rows_of(table)]
    axes.set_yticks(heights, labels)
    axes.set_ylim(-0.7, len(table) - 0.3)
    axes.set_xlabel("estimate from the other groups over the official size (1 = equal; log scale)")
    finish(figure, synthetic=words.synthetic)
    ratios = np.exp(table["log_ratio"].to_numpy(float))
    farthest = table.iloc[int(np.nanargmax(np.abs(table["log_ratio"].to_numpy(float))))]
    return Drawing(
        figure,
        table,
        alt=f"{len(table)} known groups estimated from the others. Ratios to the official sizes "
        f"range from {np.nanmin(ratios):.2f} to {np.nanmax(ratios):.2f}; farthest from 1: "
        f"{farthest['label']}.",
        caption="Leave-one-out check: each group of known size (official size in brackets) "
        "estimated from the others, with 95 % intervals.",
    )


def specification_curve(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Every combination of choices, sorted by its estimate, the headline marked."""
    import pandas as pd

    table = tables["specifications"]
    groups = [group for group in words.groups if (table["group"] == group).any()]
    figure, panels = canvas(2.9, len(groups))
    said, frames = [], []
    for number, (axes, group) in enumerate(zip(panels, groups, strict=True)):
        mine = table[(table["group"] == group) & table["estimate"].notna()]
        mine = mine.sort_values("estimate", kind="stable").reset_index(drop=True)
        x = np.arange(len(mine))
        axes.vlines(x, mine["lower"], mine["upper"], color=FAINT, lw=0.6)
        axes.plot(x, mine["estimate"], ".", ms=2, color=COLOURS[number % len(COLOURS)])
        chosen = mine[mine["headline"].astype(bool)]
        if len(chosen):
            place = int(chosen.index[0])
            row: Any = chosen.iloc[0]
            below, above = row["estimate"] - row["lower"], row["upper"] - row["estimate"]
            axes.errorbar(
                place, row["estimate"], yerr=[[below], [above]], fmt="D", color=INK, ms=5, lw=1.5
            )
            axes.annotate(
                f"headline {rounded(row['estimate'])}",
                (place, row["upper"]),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
                fontweight="bold",
            )
        axes.set_title(words.label(group), fontsize=8.5, loc="left", fontweight="bold")
        axes.set_ylim(0, float(mine["upper"].quantile(0.995)) * 1.08)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel(f"{len(mine)} combinations of choices, sorted")
        axes.set_xticks([])
        said.append(
            f"{words.label(group)}: from {rounded(mine['estimate'].min())} to "
            f"{rounded(mine['estimate'].max())} over {len(mine)} combinations"
        )
        frames.append(mine)
    panels[0].set_ylabel("estimated people")
    finish(figure, synthetic=words.synthetic)
    return Drawing(
        figure,
        pd.concat(frames, ignore_index=True),
        alt=f"Sorted estimates of all combinations of choices. {'. '.join(said)}.",
        caption="Every combination of defensible choices, with 95 % intervals; the pre-specified "
        "headline is marked.",
    )


def tornado(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """How far each adjustment factor would move the estimate, over its assumed range."""
    table = tables["sensitivity"]
    table = table[(table["analysis"] == "tornado") & table["estimate"].notna()]
    groups = [group for group in words.groups if (table["group"] == group).any()]
    figure, panels = canvas(2.6, len(groups))
    said = []
    for number, (axes, group) in enumerate(zip(panels, groups, strict=True)):
        mine = table[table["group"] == group]
        ends = mine.groupby("factor", sort=False)["estimate"].agg(["min", "max"])
        ends = ends.loc[(ends["max"] - ends["min"]).sort_values().index]
        values = mine.groupby("factor", sort=False)["value"].agg(["min", "max"])
        for height, (factor, row) in enumerate(ends.iterrows()):
            axes.barh(
                height,
                row["max"] - row["min"],
                left=row["min"],
                color=COLOURS[number % len(COLOURS)],
                height=0.55,
            )
            span = values.loc[str(factor)]
            axes.text(
                row["max"],
                height,
                f"  {span['min']:.2f}–{span['max']:.2f}",
                va="center",
                fontsize=7.5,
                color=MUTED,
            )
        axes.set_yticks(range(len(ends)), [FACTORS.get(str(f), str(f)) for f in ends.index])
        axes.set_xlim(0, float(ends["max"].max()) * 1.3)
        axes.xaxis.set_major_locator(_few())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel("adjusted estimate, people")
        axes.set_title(words.label(group), fontsize=8.5, loc="left", fontweight="bold")
        widest = ends.index[-1]
        said.append(
            f"{words.label(group)}: widest for {FACTORS.get(str(widest), str(widest)).lower()}, "
            f"{rounded(ends.iloc[-1]['min'])} to {rounded(ends.iloc[-1]['max'])}"
        )
    if len(panels) > 1:
        for axes in panels[1:]:
            axes.set_yticks([])
    finish(
        figure,
        synthetic=words.synthetic,
        note="Beside each bar: the range assumed for the factor, this project's own assumption.",
    )
    return Drawing(
        figure,
        table,
        alt=f"Ranges of the estimate when one adjustment factor is varied. {'. '.join(said)}.",
        caption="What respondents cannot know: the estimate if one factor took the ends of its "
        "assumed range, the others in the middle of theirs.",
    )


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)
