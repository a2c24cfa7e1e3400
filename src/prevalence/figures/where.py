"""Where: rates by place with intervals, always in the same order, never ranked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prevalence.figures.style import (
    COLOURS,
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

NAMES = {"island_group": "island group", "region": "region"}


def island_groups(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Rates by island group."""
    return _by_place(tables["scale_up"], words, "island_group", 0.55)


def regions(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Rates by region, in the official order."""
    return _by_place(tables["scale_up"], words, "region", 0.27)


def _by_place(table: pd.DataFrame, words: Words, domain_type: str, step: float) -> Drawing:
    import pandas as pd

    own = table[(table["estimator"] == words.headline["estimator"]) & (table["unit"] != "persons")]
    groups = [group for group in words.groups if (own["group"] == group).any()]
    place_rows = own[(own["domain_type"] == domain_type) & own["group"].isin(groups)]
    places = list(dict.fromkeys(place_rows["domain"]))
    figure, panels = canvas(1.3 + step * len(places), len(groups), sharey=True)
    said, frames = [], []
    for number, (axes, group) in enumerate(zip(panels, groups, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        national = own[(own["group"] == group) & (own["domain_type"] == "national")].iloc[0]
        axes.axvline(national["estimate"], color=MUTED, lw=0.8, ls=(0, (4, 3)))
        axes.text(
            national["estimate"],
            1.0,
            f" nation {rounded(national['estimate'], 2)}",
            transform=axes.get_xaxis_transform(),
            fontsize=7,
            color=MUTED,
            va="bottom",
            ha="center",
        )
        mine = place_rows[place_rows["group"] == group].set_index("domain").reindex(places)
        for place, name in enumerate(places):
            interval_dot(axes, mine.loc[name], len(places) - 1 - place, colour, text=False)
        shown = mine[mine["suppressed"].fillna("") == ""]
        axes.set_xlim(0, max(float(shown["upper"].max()) * 1.05, 1e-9) if len(shown) else 1)
        axes.set_ylim(-0.7, len(places) - 0.3)
        axes.set_xlabel(f"estimated {words.denominator(group)}")
        axes.set_title(words.label(group), fontsize=8.5, loc="left", fontweight="bold", pad=14)
        withheld = len(mine) - len(shown)
        said.append(
            f"{words.label(group)}: {len(shown)} of {len(mine)} shown"
            + (
                f", intervals between {rounded(float(shown['lower'].min()), 2)} and "
                f"{rounded(float(shown['upper'].max()), 2)} {words.denominator(group)}"
                if len(shown)
                else ""
            )
            + (f", {withheld} withheld" if withheld else "")
        )
        frames.append(mine.reset_index().assign(group=group))
    panels[0].set_yticks(range(len(places)), places[::-1])
    name = NAMES.get(domain_type, domain_type)
    finish(
        figure,
        synthetic=words.synthetic,
        note="Places in official order. Intervals overlap widely: no ranking is meant.",
    )
    columns = ["group", "domain", "unit", "estimate", "lower", "upper", "suppressed", "precision"]
    return Drawing(
        figure,
        pd.concat(frames, ignore_index=True)[columns],
        alt=f"Dots with 95 % intervals by {name}. {'. '.join(said)}. Intervals overlap.",
        caption=f"Estimated rates by {name} with 95 % intervals: people whom residents know. "
        "Hollow dots are imprecise; a bar without a dot is shown as an interval only.",
    )
