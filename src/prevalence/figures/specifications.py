"""Other choices: every combination of them, sorted by its estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.forest import plain_row
from prevalence.figures.style import (
    COLOURS,
    FAINT,
    FEW_GROUPS,
    INK,
    MARGIN,
    MUTED,
    SMALL,
    Drawing,
    Sheet,
    line_height,
    nice_ticks,
    text_width,
    tick_label,
)
from prevalence.figures.words import CHOICES, LEVELS, Words
from prevalence.report.names import in_words, plain
from prevalence.report.wording import phrase
from prevalence.united import UNCONVERGED, modelled_rows

if TYPE_CHECKING:
    import pandas as pd

# How many choices stand below a curve, and its height in inches: less where there are many groups.
SHOWN_CHOICES, TALL = (3, 1), (1.25, 0.8)
INTERVAL = "#b4c2cf"


def specification_curve(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw every combination of choices, sorted, and where the weightiest choices stand."""
    import pandas as pd

    table = tables["specifications"]
    groups = [group for group in words.groups if (table["group"] == group).any()]
    sheet = Sheet(words)
    many = int(len(groups) > FEW_GROUPS)
    said, frames = [], []
    for number, group in enumerate(groups):
        mine = _one_each(table[table["group"] == group])
        shown = mine[mine["estimate"].notna()].sort_values("estimate", kind="stable")
        shown = shown.reset_index(drop=True)
        sheet.heading(words.label(group))
        if not len(shown):
            sheet.note("Every estimate is suppressed or too imprecise to be given as a number.")
            said.append(f"{words.label(group)}: no estimate can be given as a number")
            continue
        choices = _weightiest(tables["choice_shares"], group, shown)[: SHOWN_CHOICES[many]]
        _panel(sheet, shown, COLOURS[number % len(COLOURS)], choices, TALL[many])
        hidden = len(mine) - len(shown)
        without = f"; {hidden} without a number that may be given" if hidden else ""
        sheet.note(f"{_counted(shown)}, sorted by their estimate{without}")
        sheet.skip(0.08)
        said.append(_said(words, group, shown))
        columns = ["group", "estimate", "lower", "upper", "headline", *choices]
        frames.append(shown[columns])
    data = pd.concat(frames, ignore_index=True) if frames else table.iloc[:0]
    return Drawing(
        sheet.close(),
        data,
        alt=f"Sorted estimates of all combinations of choices. {'. '.join(said)}.",
        caption="Every combination of defensible choices, sorted by its estimate, with its "
        f"{words.level} interval; below, where in that order each level of the weightiest choices "
        "stands. The diamond is the pre-specified headline",
    )


def _one_each(mine: pd.DataFrame) -> pd.DataFrame:
    """Keep one row of each combination: the headline stands in the table by every interval."""
    own_first = mine.sort_values("headline", ascending=False, kind="stable")
    return own_first.drop_duplicates(list(CHOICES)).sort_index()


def _counted(shown: pd.DataFrame) -> str:
    """Count the combinations, and beside them the models and how many haven't converged."""
    modelled = shown[modelled_rows(shown)]
    said = f"{len(shown) - len(modelled)} combinations"
    if not len(modelled):
        return said
    models = modelled["estimator"].nunique()
    failed = modelled.loc[modelled["interval"] == UNCONVERGED, "estimator"].nunique()
    said += f" and {models} model{'s' * (models > 1)}"
    said += f" ({failed} not converged)" if failed else ""
    return said + (f" in {len(modelled)} scalings" if len(modelled) > models else "")


def _weightiest(shares: pd.DataFrame, group: str, shown: pd.DataFrame) -> list[str]:
    """Choices that make the most difference, among those with several levels."""
    mine = shares[(shares["group"] == group) & shares["share"].notna()]
    order = mine.sort_values("share", ascending=False, kind="stable")["choice"]
    return [str(c) for c in order if c in shown and len(set(shown[c])) > 1]


def _panel(sheet: Sheet, shown: pd.DataFrame, colour: str, choices: list[str], tall: float) -> None:
    labels = [
        (choice, str(level), f"{in_words(CHOICES, choice)}: {_level(level)}")
        for choice in choices
        for level in dict.fromkeys(shown[choice].astype(str))
    ]
    vertical_room = text_width(f"{shown['upper'].max():,.0f}", SMALL)
    left = MARGIN + max([vertical_room, *(text_width(t, SMALL) for *_, t in labels)]) + 0.1
    count = len(shown)
    places = np.arange(1, count + 1)
    chosen = shown[shown["headline"].astype(bool)]
    sheet.write("estimated people", MARGIN, sheet.top, size=SMALL, colour=MUTED)
    row: Any = chosen.iloc[0] if len(chosen) else None
    room = sheet.width - left - MARGIN
    if row is not None:
        text = f"headline {row['estimate']:,.0f}"
        half = text_width(text, SMALL, "bold") / 2
        spot = left + room * (int(chosen.index[0]) + 0.5) / count
        least = max(left, MARGIN + text_width("estimated people", SMALL) + 0.1)
        spot = min(max(spot, least + half), sheet.width - MARGIN - half)
        sheet.write(text, spot, sheet.top, size=SMALL, weight="bold", align="center")
    sheet.skip(line_height(SMALL) + 0.03)
    axes = sheet.axes(tall, left)
    top = 1.03 * float(shown["upper"].max())
    axes.set_xlim(0.5, count + 0.5)
    axes.set_ylim(0, top)
    axes.set_xticks([])
    ticks = nice_ticks(0, top, tall, vertical=True)
    axes.set_yticks(ticks, [tick_label(tick, top) for tick in ticks])
    axes.tick_params(axis="y", length=0)
    for tick in ticks[1:]:
        axes.axhline(tick, color="#edf0f3", lw=0.7, zorder=-1)
    known = shown["lower"].notna() & shown["upper"].notna()
    lower, upper = (shown[name].where(known, shown["estimate"]) for name in ("lower", "upper"))
    axes.fill_between(places, lower, upper, step="mid", color=INTERVAL, lw=0, label="_interval")
    line: dict[str, Any] = {"where": "mid", "color": colour, "lw": 1.6, "label": "_estimate"}
    axes.step(places, shown["estimate"], **line)
    if row is not None:
        place = int(chosen.index[0]) + 1
        axes.axvline(place, color=MUTED, lw=0.9, ls=(0, (4, 3)))
        axes.plot([place] * 2, [row["lower"], row["upper"]], color=INK, lw=2)
        axes.plot(place, row["estimate"], "D", color=INK, ms=6, clip_on=False, label="_headline")
    if labels:
        _strips(sheet, shown, colour, labels, left)


def _strips(
    sheet: Sheet, shown: pd.DataFrame, colour: str, labels: list[tuple[str, str, str]], left: float
) -> None:
    from matplotlib.collections import LineCollection

    places = np.arange(1, len(shown) + 1)
    sheet.skip(0.06)
    pitch = 0.165
    strip = sheet.axes(pitch * len(labels), left)
    strip.set_xlim(0.5, len(shown) + 0.5)
    strip.set_xticks([])
    strip.spines["bottom"].set_visible(False)
    for number, (choice, level, text) in enumerate(labels):
        middle = (number + 0.5) * pitch
        there = places[shown[choice].astype(str).to_numpy() == level]
        lines = [[(a - 0.5, middle), (b + 0.5, middle)] for a, b in _runs(there)]
        strip.add_collection(LineCollection(lines, colors=colour, linewidths=6))
        strip.axhline(middle, color=FAINT, lw=0.5, zorder=-1)
        sheet.at(strip, text, MARGIN, middle, size=SMALL)
    sheet.skip(0.03)


def _runs(places: Any) -> list[tuple[int, int]]:
    """Give the first and last of each unbroken run of whole numbers."""
    breaks = np.flatnonzero(np.diff(places) > 1)
    starts = np.concatenate([[0], breaks + 1])
    stops = np.concatenate([breaks, [len(places) - 1]])
    return [(int(places[a]), int(places[b])) for a, b in zip(starts, stops, strict=True)]


def _level(level: Any) -> str:
    return LEVELS.get(str(level), plain(str(level)))


def _said(words: Words, group: str, shown: pd.DataFrame) -> str:
    text = (
        f"{words.label(group)}: from {shown['estimate'].min():,.0f} to "
        f"{shown['estimate'].max():,.0f} over {_counted(shown)}"
    )
    chosen = shown[shown["headline"].astype(bool)]
    if len(chosen):
        text += f"; the headline is {phrase(plain_row(chosen.iloc[0].to_dict()))}"
    return text
