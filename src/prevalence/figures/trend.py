"""Two waves: levels side by side, and the change between them; places in one order, unranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.style import (
    BODY,
    COLOURS,
    INK,
    MUTED,
    SMALL,
    Drawing,
    canvas,
    finish,
    interval_dot,
    rounded,
)

if TYPE_CHECKING:
    import pandas as pd

TITLE = 36  # characters a line
MOST_PLACES = 6  # of a type; regions stand in the report's table
FIGURES = ("levels", "changes")
NOTE = "Places in one order, unranked. Intervals cover chance in sampling only."
PER = {"per_100": "per 100", "per_1000": "per 1,000"}


@dataclass(frozen=True)
class Named:
    """What the later wave's config says of what is drawn.

    Parameters
    ----------
    groups
        The hidden groups, with label, population and unit of the rate.
    domains
        The config's types of domain: places are those whose kind is geographic.
    synthetic
        Whether a wave is synthetic.
    """

    groups: Mapping[str, Mapping[str, Any]]
    domains: Sequence[Mapping[str, Any]]
    synthetic: bool

    @property
    def places(self) -> set[str]:
        """Types of domain that are places."""
        return {"national", *(d["type"] for d in self.domains if d["kind"] == "geographic")}

    def title(self, group: str) -> str:
        """Group in words, in short lines."""
        return fill(self.label(group), TITLE)

    def label(self, group: str) -> str:
        """Group in words, with a capital letter."""
        text = str(self.groups[group]["label"])
        return text[:1].upper() + text[1:]

    def denominator(self, group: str) -> str:
        """Give the unit of the rate in words: per 100 children."""
        population = self.groups[group]["population"]
        people = "people" if population == "all_ages" else population
        return f"{PER[self.groups[group]['per']]} {people}"


def levels(tables: Mapping[str, pd.DataFrame], words: Named) -> Drawing:
    """Rates in both waves, by place."""
    import pandas as pd

    table = _shown(tables["levels"], words)
    waves = list(dict.fromkeys(tables["levels"]["wave"]))
    groups = _groups(table, words)
    places = _places(table)
    figure, panels = canvas(1.6 + 0.5 * len(places), len(groups), sharey=True)
    said, frames = [], []
    for axes, group in zip(panels, groups, strict=True):
        mine = table[table["group"] == group]
        for number, wave in enumerate(waves):
            rows = mine[mine["wave"] == wave].set_index(["domain_type", "domain"])
            for place, name in enumerate(places):
                height = len(places) - 1 - place - 0.24 * number + 0.12
                if name in rows.index:
                    interval_dot(axes, rows.loc[name], height, COLOURS[number], text=False)
        axes.set_xlim(0, _top(mine["upper"]))
        axes.set_ylim(-0.7, len(places) - 0.3)
        axes.set_xlabel(f"estimated {words.denominator(group)}")
        axes.set_title(words.title(group), fontsize=BODY, loc="left", fontweight="bold")
        said.append(f"{words.label(group)}: {_national(mine, waves)}")
        frames.append(mine)
    panels[0].set_yticks(range(len(places)), [name for _, name in places[::-1]])
    for number, wave in enumerate(waves):
        panels[-1].plot([], [], "o-", color=COLOURS[number], label=wave)
    panels[-1].legend(fontsize=SMALL, frameon=False, loc="upper right")
    finish(figure, synthetic=words.synthetic, note=NOTE)
    columns = ["wave", "group", "domain_type", "domain", "unit", "estimate", "lower", "upper"]
    return Drawing(
        figure,
        pd.concat(frames, ignore_index=True)[[*columns, "suppressed", "precision"]],
        alt=f"Dots with intervals for {' and '.join(waves)} by place. {'. '.join(said)}.",
        caption="Estimated rates in both waves with their intervals, by the earlier wave's "
        "choices.",
    )


def changes(tables: Mapping[str, pd.DataFrame], words: Named) -> Drawing:
    """Ratio of the later to the earlier rate, by place."""
    import pandas as pd

    table = _shown(tables["changes"], words)
    table = table[table["measure"] == "ratio"]
    groups = _groups(table, words)
    places = _places(table)
    figure, panels = canvas(1.6 + 0.42 * len(places), len(groups), sharey=True, sharex=True)
    said, frames = [], []
    for number, (axes, group) in enumerate(zip(panels, groups, strict=True)):
        mine = table[table["group"] == group]
        by_place = mine.set_index(["domain_type", "domain"])
        axes.axvline(1, color=MUTED, lw=0.8, ls=(0, (4, 3)))
        for place, name in enumerate(places):
            if name in by_place.index:
                height = len(places) - 1 - place
                interval_dot(axes, by_place.loc[name], height, COLOURS[number % 4], text=False)
        axes.set_xscale("log")
        axes.set_ylim(-0.7, len(places) - 0.3)
        axes.set_xlabel("later over earlier rate (1: no change)")
        axes.set_title(words.title(group), fontsize=BODY, loc="left", fontweight="bold", color=INK)
        said += [f"{words.label(group)}, national: {_numbers(one)}" for one in _nation(mine)]
        frames.append(mine)
    ticks = [0.25, 0.5, 1, 2, 4]
    panels[0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panels[0].minorticks_off()
    low, high = table["lower"].min(), table["upper"].max()
    panels[0].set_xlim(*np.clip([low * 0.9, high * 1.1], 0.05, 20) if len(table) else (0.25, 4))
    panels[0].set_yticks(range(len(places)), [name for _, name in places[::-1]])
    finish(figure, synthetic=words.synthetic, note=NOTE)
    columns = ["group", "domain_type", "domain", "unit", "estimate", "lower", "upper"]
    return Drawing(
        figure,
        pd.concat(frames, ignore_index=True)[[*columns, "suppressed", "precision"]],
        alt=f"Dots with intervals: ratio of the later to the earlier rate. {'. '.join(said)}.",
        caption="Change of the estimated rates: later over earlier wave, with intervals. An "
        "interval that holds 1 shows a change in neither direction.",
    )


def _shown(table: pd.DataFrame, words: Named) -> pd.DataFrame:
    rates = table[table["unit"].isin(["per_100", "per_1000"]) & table["group"].isin(words.groups)]
    kinds = rates.drop_duplicates(["domain_type", "domain"])["domain_type"].value_counts()
    few = words.places & set(kinds[kinds <= MOST_PLACES].index)
    return rates[rates["domain_type"].isin(few)]


def _groups(table: pd.DataFrame, words: Named) -> list[str]:
    return [group for group in words.groups if (table["group"] == group).any()]


def _places(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(table["domain_type"], table["domain"], strict=True)))


def _top(upper: pd.Series) -> float:
    top = float(upper.max()) if upper.notna().any() else 1.0
    return max(top * 1.05, 1e-9)


def _national(table: pd.DataFrame, waves: list[str]) -> str:
    rows = {row["wave"]: row for row in _nation(table)}
    return "; ".join(f"{wave} {_numbers(rows[wave])}" for wave in waves if wave in rows)


def _nation(table: Any) -> list[dict[Any, Any]]:
    rows: list[dict[Any, Any]] = table[table["domain_type"] == "national"].to_dict("records")
    return rows


def _numbers(row: Mapping[Any, Any]) -> str:
    if str(row["suppressed"] or "") not in ("", "nan"):
        return "withheld"
    between = f"{rounded(row['lower'])} to {rounded(row['upper'])}"
    if np.isnan(row["estimate"]):
        return between
    return f"{rounded(row['estimate'])} ({between})"
