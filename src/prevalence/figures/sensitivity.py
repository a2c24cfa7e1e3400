"""What respondents cannot know: how far the estimates move with what is assumed about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.estimates import national_headline
from prevalence.figures.forest import plain_row
from prevalence.figures.legend import key
from prevalence.figures.style import (
    BAND,
    COLOURS,
    DIRECT,
    MARGIN,
    MUTED,
    SMALL,
    Drawing,
    Sheet,
    line_height,
    nice_ticks,
    number_axis,
    text_width,
    tick_label,
    unit_of,
    wrapped,
)
from prevalence.figures.words import FACTORS, Words
from prevalence.report.names import in_words, plain
from prevalence.report.wording import phrase

if TYPE_CHECKING:
    import pandas as pd

NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)


def tornado(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """How far each adjustment factor would move the estimate, over its assumed range."""
    import pandas as pd

    table = _analysis(tables["sensitivity"], "tornado")
    chosen = national_headline(tables["scale_up"], words)
    groups = [group for group in words.groups if (table["group"] == group).any()]
    ranges = tables.get("factors")
    ends = {group: _ends(table[table["group"] == group], ranges) for group in groups}
    sheet = Sheet(words)
    names = {f: wrapped(in_words(FACTORS, f), 1.95, SMALL) for e in ends.values() for f in e.index}
    left = MARGIN + max(text_width(t, SMALL) for lines in names.values() for t in lines) + 0.12
    head = "range assumed"
    right = MARGIN + text_width(head, SMALL) + 0.14
    side = sheet.width - MARGIN
    headlines = {group: float((chosen.get(group) or {}).get("estimate") or 0) for group in groups}
    tops = {g: 1.04 * max(float(mine["high"].max()), headlines[g]) for g, mine in ends.items()}
    scale = unit_of(*tops.values())
    for place, group in enumerate(groups):
        mine, colour = ends[group], COLOURS[place % len(COLOURS)]
        sheet.heading(words.label(group))
        estimate, top = headlines[group], tops[group]
        room = sheet.width - left - right
        sheet.write(head, side, sheet.top, size=SMALL, colour=MUTED, align="right")
        if estimate:
            text = f"headline {estimate:,.0f}"
            half = text_width(text, SMALL) / 2
            spot = left + room * estimate / top
            spot = min(max(spot, left + half), left + room - half)
            sheet.write(text, spot, sheet.top, size=SMALL, colour=MUTED, align="center")
        sheet.skip(line_height(SMALL) + 0.03)
        heights = [len(names[str(f)]) * line_height(SMALL) + 0.11 for f in mine.index]
        axes = sheet.axes(sum(heights), left, right)
        unit = number_axis(axes, 0, top, room, scale)
        if estimate:
            axes.axvline(estimate, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=3)
        down = 0.0
        for (factor, end), height in zip(mine.iterrows(), heights, strict=True):
            middle = down + height / 2
            sheet.at(axes, "\n".join(names[str(factor)]), MARGIN, middle, size=SMALL)
            bar: dict[str, Any] = {
                "left": end["low"],
                "height": 0.2,
                "color": colour,
                "label": "_range",
            }
            axes.barh(middle, end["high"] - end["low"], **bar)
            text = f"{end['least']:.2f} to {end['most']:.2f}"
            sheet.at(axes, text, side, middle, ha="right", size=SMALL)
            down += height
        sheet.below_axis(f"adjusted estimate, {unit}people", left)
        sheet.skip(0.06)
    sheet.note(
        "The ranges are this project’s own assumptions; the factors not moved stay in their middle."
    )
    data = pd.concat(
        [ends[g].reset_index().assign(group=g) for g in groups], ignore_index=True
    ).rename(columns={"least": "factor_low", "most": "factor_high"})
    data = data[["group", "factor", "factor_low", "factor_high", "low", "high"]]
    return Drawing(
        sheet.close(),
        data.rename(columns={"low": "lower", "high": "upper"}),
        alt=_tornado_alt(words, ends, chosen),
        caption="What respondents cannot know: the estimate if one factor took the ends of its "
        "assumed range and the others the middle of theirs. The dashed line is the headline, which "
        f"takes all of them as one. {_most_moved(words, ends)}",
    )


def _most_moved(words: Words, ends: Mapping[str, pd.DataFrame]) -> str:
    """Say which factor moves each group's estimate most, and between which numbers."""
    said = [
        f"{words.short(group)}: most by the {_factor(mine)}, from {mine.iloc[0]['low']:,.0f} to "
        f"{mine.iloc[0]['high']:,.0f}"
        for group, mine in ends.items()
    ]
    return ". ".join(said)


def _factor(mine: pd.DataFrame) -> str:
    """Name the factor that moves the estimate most, without its explanation."""
    name = str(mine.index[0])
    return FACTORS.get(name, plain(name)).split(":", maxsplit=1)[0].lower()


def _analysis(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[(table["analysis"] == name) & table["estimate"].notna()]


def _ends(mine: pd.DataFrame, ranges: pd.DataFrame | None) -> pd.DataFrame:
    """Each factor's two estimates, and its range: as the table of factors rounds it."""
    by = mine.groupby("factor", sort=False)
    ends = by.agg(
        low=("estimate", "min"),
        high=("estimate", "max"),
        least=("value", "min"),
        most=("value", "max"),
    )
    order = (ends["high"] - ends["low"]).sort_values(ascending=False, kind="stable").index
    if ranges is not None:
        own = ranges[ranges["group"].isin(mine["group"])].set_index("factor")
        own = own.rename(columns={"lower": "least", "upper": "most"})[["least", "most"]]
        ends.update(own)
    return ends.loc[order]


def _tornado_alt(
    words: Words, ends: Mapping[str, pd.DataFrame], chosen: Mapping[str, Mapping[str, Any]]
) -> str:
    parts = []
    for group, mine in ends.items():
        widest: Any = mine.iloc[0]
        text = (
            f"{words.label(group)}: the {_factor(mine)} moves the estimate most, from "
            f"{widest['low']:,.0f} to {widest['high']:,.0f}"
        )
        if group in chosen:
            text += f"; the headline is {phrase(chosen[group])}"
        parts.append(text)
    start = "Bars: adjusted estimates over the assumed range of one factor at a time."
    return f"{start} {'. '.join(parts)}."


def contour(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw the estimate over true-positive rate and degree ratio, as contour lines."""
    table = _analysis(tables["sensitivity"], "contour")
    groups = [group for group in words.groups if (table["group"] == group).any()]
    ranges = {f["group"]: f for f in words.findings if f["unit"] == "persons"}
    chosen = national_headline(tables["scale_up"], words)
    factors = tables["factors"]
    sheet = Sheet(words)
    left = MARGIN + 0.34
    for place, group in enumerate(groups):
        sheet.heading(words.label(group))
        _say_factor(sheet, "degree_ratio", MARGIN)
        _contour_panel(
            sheet,
            table[table["group"] == group],
            left,
            COLOURS[place % len(COLOURS)],
            ranges.get(group),
            _assumed(factors, group),
        )
        sheet.below_axis("", left)
        _say_factor(sheet, "true_positive_rate", left)
        sheet.skip(0.06)
    colour, marker = DIRECT
    parts = [(f"{marker}:{colour}", "headline: both taken as 1")]
    if len(factors):
        parts.append(("+:" + WHAT_IS_ASSUMED, f"assumed here, with its {words.level} range"))
    if any(_in_panel(table, group, ranges) for group in groups):
        parts.append(("band", "the published words, as read here"))
    key(sheet, parts)
    sheet.note("On a line the estimate is the number of people at its upper end.")
    data = table[["group", "factor", "value", "second_factor", "second_value", "estimate"]]
    return Drawing(
        sheet.close(),
        data.reset_index(drop=True),
        alt=_contour_alt(words, table, groups, chosen, factors),
        caption="The estimate under other assumptions on how many of their acquaintances know of "
        "people in the group (true-positive rate) and on how many acquaintances these have (degree "
        f"ratio), the other factors taken as one. {_over_panel(words, table, groups, chosen)}",
    )


def _say_factor(sheet: Sheet, factor: str, left: float) -> None:
    """Write beside an axis what its factor is."""
    text = FACTORS[factor]
    sheet.paragraph(text[:1].lower() + text[1:], size=SMALL, colour=MUTED, left=left, gap=0.0)


def _over_panel(
    words: Words,
    table: pd.DataFrame,
    groups: list[str],
    chosen: Mapping[str, Mapping[str, Any]],
) -> str:
    """Say between which numbers the estimate lies over each panel, beside the headline."""
    said = []
    for group in groups:
        mine = table.loc[table["group"] == group, "estimate"]
        text = f"{words.short(group)}: from {mine.min():,.0f} to {mine.max():,.0f}"
        estimate = (chosen.get(group) or {}).get("estimate")
        said.append(f"{text}, headline {estimate:,.0f}" if estimate else text)
    return ". ".join(said)


def _in_panel(table: pd.DataFrame, group: str, ranges: Mapping[str, Mapping[str, Any]]) -> bool:
    """Tell whether the panel of a group shows a part of its published range."""
    shown = table.loc[table["group"] == group, "estimate"]
    found = ranges.get(group)
    if not found:
        return False
    return bool(shown.min() < found["high"] and shown.max() > found["low"])


WHAT_IS_ASSUMED = COLOURS[2]


def _contour_panel(
    sheet: Sheet,
    mine: pd.DataFrame,
    left: float,
    colour: str,
    found: Mapping[str, Any] | None,
    assumed: Mapping[str, Mapping[str, Any]],
) -> None:
    grid = mine.set_index(["second_value", "value"])["estimate"].unstack()  # noqa: PD010
    x, y, z = grid.columns.to_numpy(float), grid.index.to_numpy(float), grid.to_numpy(float)
    room, tall = sheet.room - 0.4, 1.55
    sheet.skip(line_height(SMALL) + 0.03)
    axes = sheet.axes(tall, left, sheet.width - left - room)
    axes.set_xlim(x.min(), x.max())
    axes.set_ylim(y.min(), y.max())
    levels = _levels(x, y, z, room)
    if found:
        shade: dict[str, Any] = {
            "levels": [found["low"], found["high"]],
            "colors": [BAND],
            "zorder": -2,
        }
        axes.contourf(x, y, z, **shade)
    axes.contour(x, y, z, levels=[v for v, _ in levels], colors=colour, linewidths=1.1)
    above = axes.secondary_xaxis("top")
    above.set_xticks([place for _, place in levels], [f"{value:,.0f}" for value, _ in levels])
    above.tick_params(length=0, pad=1, labelcolor=colour, labelsize=SMALL)
    above.spines["top"].set_visible(False)
    if {"true_positive_rate", "degree_ratio"} <= set(assumed):
        tau, delta = assumed["true_positive_rate"], assumed["degree_ratio"]
        line: dict[str, Any] = {"color": WHAT_IS_ASSUMED, "lw": 1.5, "label": "_assumed"}
        axes.plot([tau["lower"], tau["upper"]], [delta["estimate"]] * 2, **line)
        axes.plot([tau["estimate"]] * 2, [delta["lower"], delta["upper"]], **line)
    ink, marker = DIRECT
    axes.plot(1, 1, marker, color=ink, ms=7, clip_on=False, zorder=5, label="_headline")
    horizontal = nice_ticks(x.min(), x.max(), room)
    vertical = nice_ticks(y.min(), y.max(), tall, vertical=True)
    axes.set_xticks(horizontal, [tick_label(t, 1.0) for t in horizontal])
    axes.set_yticks(vertical, [tick_label(t, 1.0) for t in vertical])
    axes.spines["left"].set_visible(True)
    axes.xaxis.set_tick_params(pad=2)


def _levels(x: Any, y: Any, z: Any, room: float) -> list[tuple[float, float]]:
    """Choose round values, and where their lines leave the panel at its top."""
    edge = z[np.argmax(y)]
    power = 10.0 ** np.floor(np.log10(edge.min()))
    values = [n * p for p in (power, 10 * power, 100 * power) for n in NICE]
    kept: list[tuple[float, float]] = []
    order = np.argsort(edge)
    last = np.inf
    for value in values:
        if not edge.min() <= value <= edge.max():
            continue
        place = float(np.exp(np.interp(np.log(value), np.log(edge[order]), np.log(x[order]))))
        inches = room * (place - x.min()) / (x.max() - x.min())
        half = text_width(f"{value:,.0f}", SMALL) / 2
        fits = inches - half > -0.3 and inches + half < room + 0.04
        if fits and inches + half < last - 0.12:
            kept.append((float(value), place))
            last = inches - half
    return kept


def _assumed(factors: pd.DataFrame, group: str) -> dict[str, dict[str, Any]]:
    mine = factors[factors["group"] == group]
    return {str(row["factor"]): plain_row(row) for row in mine.to_dict("records")}


def _contour_alt(
    words: Words,
    table: pd.DataFrame,
    groups: list[str],
    chosen: Mapping[str, Mapping[str, Any]],
    factors: pd.DataFrame,
) -> str:
    parts = []
    for group in groups:
        mine = table[table["group"] == group]
        text = (
            f"{words.label(group)}: between {mine['estimate'].min():,.0f} and "
            f"{mine['estimate'].max():,.0f} over the whole panel"
        )
        if group in chosen:
            text += f"; the headline, with both taken as 1, is {phrase(chosen[group])}"
        tau = _assumed(factors, group).get("true_positive_rate")
        if tau:
            text += f"; the true-positive rate assumed here is {tau['estimate']:.2f}"
        parts.append(text)
    return (
        "Contour lines of the estimate over true-positive rate and degree ratio: it grows as "
        f"either falls. {'. '.join(parts)}."
    )
