"""How far the sample was from the census before the weights were calibrated to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.legend import key
from prevalence.figures.style import (
    BODY,
    COLOURS,
    FAINT,
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
from prevalence.figures.words import Words
from prevalence.report.wording import capitalised, joined

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PITCH, LABELS = 0.2, 1.75
# Totals are released with three significant digits.
ROUNDING = 0.005
MARGINS = {"sex_age": "Sex and age"}


def margins(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Weighted totals against the census, before and after calibration, by category."""
    table = tables["margins"]
    table = table[(table["population"] > 0) & table["before"].notna()].reset_index(drop=True)
    data = table.assign(
        difference_before=table["before"] / table["population"] - 1,
        difference_after=table["after"] / table["population"] - 1,
    )
    kinds = list(dict.fromkeys(table["margin"]))
    names = {
        m: [
            capitalised(words.place(m, str(c))) for c in table.loc[table["margin"] == m, "category"]
        ]
        for m in kinds
    }
    lines = {m: [wrapped(name, LABELS, BODY) for name in mine] for m, mine in names.items()}
    widest = max(text_width(t, BODY) for mine in lines.values() for part in mine for t in part)
    sheet = Sheet(words)
    left = MARGIN + widest + 0.14
    head = "census, persons"
    right = MARGIN + text_width(head, SMALL) + 0.14
    before, after = (100 * data[f"difference_{when}"] for when in ("before", "after"))
    least, most = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
    low, high = min(-5.0, least - 0.05 * (most - least)), max(5.0, most + 0.05 * (most - least))
    ticks = nice_ticks(low, high, sheet.width - left - right)
    for kind in kinds:
        side: dict[str, Any] = {"size": SMALL, "colour": MUTED, "align": "right"}
        sheet.clear_mark()
        sheet.write(head, sheet.width - MARGIN, sheet.top + 0.02, **side)
        sheet.paragraph(_margin(words, kind), weight="bold", gap=0.02)
        mine = data[data["margin"] == kind]
        heights = [max(PITCH, len(part) * line_height(BODY) + 0.05) for part in lines[kind]]
        axes = sheet.axes(sum(heights), left, right)
        axes.set_xlim(low, high)
        labels = [tick_label(t, high - low) for t in ticks]
        axes.set_xticks(ticks, labels if kind == kinds[-1] else [])
        axes.xaxis.set_tick_params(pad=2)
        axes.axvline(0, color=MUTED, lw=0.9)
        down = 0.0
        for row, part, height in zip(mine.to_dict("records"), lines[kind], heights, strict=True):
            _row(sheet, axes, row, part, down + height / 2)
            down += height
        sheet.skip(0.06)
    sheet.below_axis("difference of the weighted sample from the census, per cent", left)
    key(sheet, [("o:" + COLOURS[1], "before calibration"), ("D:" + COLOURS[0], "after")])
    by = joined([f"by {_margin(words, str(kind)).lower()}" for kind in kinds])
    return Drawing(
        sheet.close(),
        table,
        alt=_alt(words, data),
        caption=f"Weighted sample against the census, before and after calibration, {by}. "
        f"{_farthest(words, data)}",
    )


def _margin(words: Words, kind: str) -> str:
    return MARGINS.get(kind, capitalised(words.kind(kind)["one"]))


def _farthest(words: Words, data: pd.DataFrame) -> str:
    """Say which category was the farthest from the census before calibration, and how far after."""
    before, after = (data[f"difference_{when}"].to_numpy(float) for when in ("before", "after"))
    far: Any = data.iloc[int(np.argmax(np.abs(before)))]
    text = f"Farthest off before: {_name(words, far)}, {_apart(far, 'before')}; "
    if np.max(np.abs(after)) <= ROUNDING:
        return f"{text}after, all agree within the rounding of the release"
    left: Any = data.iloc[int(np.argmax(np.abs(after)))]
    return f"{text}after: {_name(words, left)}, {_apart(left, 'after')}"


def _apart(row: Any, when: str) -> str:
    """Write how far a total is from the census: in per cent, where fewer than a hundred."""
    difference = float(row[f"difference_{when}"])
    if abs(difference) >= 0.995:
        return f"{row[when]:,.0f} persons for {row['population']:,.0f}"
    return f"{100 * abs(difference):.0f}% {'above' if difference > 0 else 'below'} the census"


def _row(sheet: Sheet, axes: Axes, row: Any, lines: list[str], middle: float) -> None:
    axes.axhline(middle, color="#edf0f3", lw=0.7, zorder=-3)
    far, near = 100 * row["difference_before"], 100 * row["difference_after"]
    axes.plot([near, far], [middle] * 2, color=FAINT, lw=1.6, zorder=1)
    axes.plot(far, middle, "o", color=COLOURS[1], ms=5.5, label="_before")
    axes.plot(near, middle, "D", color=COLOURS[0], ms=4, label="_after")
    sheet.at(axes, "\n".join(lines), MARGIN, middle)
    size, side = f"{row['population']:,.0f}", sheet.width - MARGIN
    sheet.at(axes, size, side, middle, ha="right", size=SMALL, color=MUTED)


def _alt(words: Words, data: pd.DataFrame) -> str:
    before, after = (
        data[f"difference_{when}"].abs().to_numpy(float) for when in ("before", "after")
    )
    far: Any = data.iloc[int(np.argmax(before))]
    text = (
        f"Weighted totals of {len(data)} categories against the census. Before calibration the "
        f"largest relative difference is {_name(words, far)}: {far['before']:,.0f} persons, where "
        f"the census has {far['population']:,.0f}."
    )
    if np.max(after) <= ROUNDING:
        return f"{text} After calibration all agree within the rounding of the release."
    left: Any = data.iloc[int(np.argmax(after))]
    return f"{text} After calibration it is {_name(words, left)}: {left['after']:,.0f} persons."


def _name(words: Words, row: Any) -> str:
    return words.place(str(row["margin"]), str(row["category"])).replace("  ", " ")
