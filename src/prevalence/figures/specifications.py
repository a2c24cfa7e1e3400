"""Other choices: every combination of them, sorted by its estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.forest import plain_row
from prevalence.figures.style import (
    COLOURS,
    DIRECT,
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
    wrapped,
)
from prevalence.figures.words import CHOICES, LEVELS, Words
from prevalence.report.names import in_words, plain
from prevalence.report.wording import counted, phrase
from prevalence.united import UNCONVERGED, modelled_rows

if TYPE_CHECKING:
    import pandas as pd

# How many choices stand below a curve, and its height in inches: less where there are many groups.
SHOWN_CHOICES, TALL = (3, 1), (1.25, 0.8)
INTERVAL = "#b4c2cf"
PITCH, WIDEST_LABEL = 0.165, 1.9  # of the rows below a curve, and of their labels, in inches
LEAST_BAR = 0.009  # width of the narrowest bar in inches: nearly two dots of the PNG


def specification_curve(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw every combination of choices, sorted, and where the weightiest choices stand."""
    import pandas as pd

    table = tables["specifications"]
    groups = [group for group in words.groups if (table["group"] == group).any()]
    sheet = Sheet(words)
    many = int(len(groups) > FEW_GROUPS)
    said, frames, above = [], [], []
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
        above.append(_above(words, group, shown))
        columns = ["group", "estimate", "lower", "upper", "headline", *choices]
        frames.append(shown[columns])
    data = pd.concat(frames, ignore_index=True) if frames else table.iloc[:0]
    return Drawing(
        sheet.close(),
        data,
        alt=f"Sorted estimates of all combinations of the configured choices. {'. '.join(said)}.",
        caption="Combinations of the configured choices, sorted by their estimate, with their "
        f"{words.level} intervals; below, where in that order each level of the weightiest choices "
        f"stands. The dot is the pre-specified headline{''.join(above)}",
    )


def _one_each(mine: pd.DataFrame) -> pd.DataFrame:
    """Keep one row of each combination: the headline stands in the table by every interval."""
    own_first = mine.sort_values("headline", ascending=False, kind="stable")
    return own_first.drop_duplicates(list(CHOICES)).sort_index()


def _counted(shown: pd.DataFrame) -> str:
    """Count the combinations, and beside them the models and how many haven't converged."""
    modelled = shown[modelled_rows(shown)]
    combined = len(shown) - len(modelled)
    if not len(modelled):
        return counted(combined, "combination")
    models = modelled["estimator"].nunique()
    failed = modelled.loc[modelled["interval"] == UNCONVERGED, "estimator"].nunique()
    said = f"{counted(combined, 'combination')}, and {counted(models, 'model')}"
    said += f" ({failed} not converged)" if failed else ""
    ways = modelled.groupby("estimator")["degree"].nunique()
    if len(modelled) == models:
        return said
    if len(modelled) == ways.sum() and ways.min() == ways.max():
        return f"{said} with {counted(ways.iloc[0], 'way')} of network size each"
    return f"{said} in {len(modelled)} forms"


def _above(words: Words, group: str, shown: pd.DataFrame) -> str:
    """Say how many of the combinations lie above the headline, which is one of them.

    A share: a count of combinations is in no released table.
    """
    own = shown[~modelled_rows(shown)]
    chosen = own[own["headline"].astype(bool)]
    if not len(chosen):
        return ""
    share = 100 * float((own["estimate"] > float(chosen["estimate"].iloc[0])).mean())
    text = f"{share:.0f}%"
    if share > 99 and text == "100%":
        text = "more than 99%"
    elif 0 < share < 0.5:
        text = "less than 1%"
    return f". {words.short(group)}: {text} of {counted(len(own), 'combination')} lie above it"


def _weightiest(shares: pd.DataFrame, group: str, shown: pd.DataFrame) -> list[str]:
    """Choices that make the most difference, among those with several levels."""
    mine = shares[(shares["group"] == group) & shares["share"].notna()]
    order = mine.sort_values("share", ascending=False, kind="stable")["choice"]
    return [str(c) for c in order if c in shown and len(set(shown[c])) > 1]


def _panel(sheet: Sheet, shown: pd.DataFrame, colour: str, choices: list[str], tall: float) -> None:
    labels = [
        (choice, str(level), wrapped(_level(choice, str(level)), WIDEST_LABEL, SMALL))
        for choice in choices
        for level in dict.fromkeys(shown[choice].astype(str))
    ]
    vertical_room = text_width(f"{shown['upper'].max():,.0f}", SMALL)
    widths = [text_width(text, SMALL) for *_, lines in labels for text in lines]
    left = MARGIN + max([vertical_room, *widths]) + 0.1
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
        ink, marker = DIRECT
        axes.plot(place, row["estimate"], marker, color=ink, ms=6, clip_on=False, label="_headline")
    if labels:
        _strips(sheet, shown, colour, labels, left)


def _strips(
    sheet: Sheet,
    shown: pd.DataFrame,
    colour: str,
    labels: list[tuple[str, str, list[str]]],
    left: float,
) -> None:
    from matplotlib.collections import LineCollection

    places = np.arange(1, len(shown) + 1)
    sheet.skip(0.06)
    heights = [PITCH + (len(lines) - 1) * line_height(SMALL) for *_, lines in labels]
    # Places that a bar is wide, at least: a single place may be narrower than a dot of the screen.
    least = LEAST_BAR * len(shown) / (sheet.width - left - MARGIN)
    strip = sheet.axes(sum(heights), left)
    strip.set_xlim(0.5, len(shown) + 0.5)
    strip.set_xticks([])
    strip.spines["bottom"].set_visible(False)
    down = 0.0
    for (choice, level, text), height in zip(labels, heights, strict=True):
        middle = down + height / 2
        there = places[shown[choice].astype(str).to_numpy() == level]
        bars = [[(a, middle), (b, middle)] for a, b in _bars(there, least, len(shown))]
        look: dict[str, Any] = {"colors": colour, "linewidths": 6, "label": "_bars"}
        # Not moved to whole dots, by which a narrow bar could vanish.
        strip.add_collection(LineCollection(bars, snap=False, capstyle="butt", **look))
        strip.axhline(middle, color=FAINT, lw=0.5, zorder=-1)
        sheet.at(strip, "\n".join(text), MARGIN, middle, size=SMALL)
        down += height
    sheet.skip(0.03)


def _bars(places: Any, least: float, count: int) -> list[tuple[float, float]]:
    """Give the ends of a bar for each run of places: within the axis, and not too narrow to see."""
    found = []
    for first, last in _runs(places):
        half = max(last - first + 1, least) / 2
        middle = min(max((first + last) / 2, 0.5 + half), count + 0.5 - half)
        found.append((middle - half, middle + half))
    return found


def _runs(places: Any) -> list[tuple[int, int]]:
    """Give the first and last of each unbroken run of whole numbers."""
    breaks = np.flatnonzero(np.diff(places) > 1)
    starts = np.concatenate([[0], breaks + 1])
    stops = np.concatenate([breaks, [len(places) - 1]])
    return [(int(places[a]), int(places[b])) for a, b in zip(starts, stops, strict=True)]


def _level(choice: str, level: str) -> str:
    """Name a level of a choice, after the choice."""
    name = LEVELS.get(f"{choice}: {level}", LEVELS.get(level, plain(level)))
    return f"{in_words(CHOICES, choice)}: {name}"


def _said(words: Words, group: str, shown: pd.DataFrame) -> str:
    text = (
        f"{words.label(group)}: from {shown['estimate'].min():,.0f} to "
        f"{shown['estimate'].max():,.0f} over {_counted(shown)}"
    )
    chosen = shown[shown["headline"].astype(bool)]
    if len(chosen):
        text += f"; the headline is {phrase(plain_row(chosen.iloc[0].to_dict()))}"
    return text
