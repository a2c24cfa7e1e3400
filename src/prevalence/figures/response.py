"""Who answered: the response rate in each part of the country."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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

RATE = "RR3"
RATE_MEANS = (
    f"{RATE}: response rate 3 of the AAPOR standard, which counts of the households of unknown "
    "eligibility those estimated to be eligible"
)
NATIONAL = "national"
PITCH, LABELS = 0.2, 1.75


def response(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Weighted response rate by place, the nation's as a line, and the sampled households."""
    table = tables["response_rates"]
    table = table[(table["rate"] == RATE) & table["weighted"].notna()].reset_index(drop=True)
    places = _in_order(table[table["domain_type"] != NATIONAL], words)
    if places.empty:
        places = table
    nation = _nation(table)
    names = [
        capitalised(words.place(str(kind), str(domain)))
        for kind, domain in zip(places["domain_type"], places["domain"], strict=True)
    ]
    lines = [wrapped(name, LABELS, BODY) for name in names]
    heights = [max(PITCH, len(part) * line_height(BODY) + 0.05) for part in lines]
    sheet = Sheet(words)
    left = MARGIN + max(text_width(t, BODY) for part in lines for t in part) + 0.14
    head = "households sampled"
    right = MARGIN + text_width(head, SMALL) + 0.14
    rates = 100 * places["weighted"].astype(float)
    spread = max(float(rates.max() - rates.min()), 4.0)
    low, high = float(rates.min()) - 0.15 * spread, min(100.0, float(rates.max()) + 0.15 * spread)
    ticks = nice_ticks(low, high, sheet.width - left - right)
    sheet.clear_mark()
    heading: dict[str, Any] = {"size": SMALL, "colour": MUTED, "align": "right"}
    sheet.write(head, sheet.width - MARGIN, sheet.top, **heading)
    line = "" if nation is None else f"nation {nation:.1f}, dashed line"
    sheet.paragraph(line, size=SMALL, colour=MUTED, left=left, gap=0.04)
    axes = sheet.axes(sum(heights), left, right)
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [tick_label(t, high - low) for t in ticks])
    axes.xaxis.set_tick_params(pad=2)
    if nation is not None:
        axes.axvline(nation, color=MUTED, lw=0.9, ls=(0, (3, 2)))
    down = 0.0
    for part, height, rate, size in zip(lines, heights, rates, places["n"], strict=True):
        middle = down + height / 2
        axes.plot([rate if nation is None else nation, rate], [middle] * 2, color=FAINT, lw=1.6)
        axes.plot(rate, middle, "o", color=COLOURS[0], ms=5.5, label="_rate")
        sheet.at(axes, "\n".join(part), MARGIN, middle)
        side: dict[str, Any] = {"ha": "right", "size": SMALL, "color": MUTED}
        sheet.at(axes, f"{size:,.0f}", sheet.width - MARGIN, middle, **side)
        down += height
    sheet.below_axis(f"response rate ({RATE}, weighted by the selection), per cent", left)
    kinds = [words.kind(str(kind)) for kind in places["domain_type"].unique() if kind != NATIONAL]
    by = f", by {joined([kind['one'] for kind in kinds])}" if kinds else ""
    many = joined([kind["many"] for kind in kinds])
    parts = [*_ends(places, names), *([f"{nation:.1f}% in the nation"] if nation else [])]
    found = f": {', '.join(parts)}" if parts else ""
    found += f". {RATE_MEANS}"
    return Drawing(
        sheet.close(),
        table,
        alt=_alt(places, names, nation, many),
        caption=f"Share of eligible households that gave an interview ({RATE}){by}{found}",
    )


def _nation(table: pd.DataFrame) -> float | None:
    """National rate in per cent, where it is shown."""
    shown = table.loc[table["domain_type"] == NATIONAL, "weighted"]
    return 100 * float(shown.iloc[0]) if len(shown) else None


def _in_order(places: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Put the places of each kind in the config's official order."""
    import pandas as pd

    parts = [
        part.set_index("domain").loc[words.order(str(kind), list(part["domain"]))].reset_index()
        for kind, part in places.groupby("domain_type", sort=False)
    ]
    return pd.concat(parts, ignore_index=True) if parts else places


def _ends(places: pd.DataFrame, names: list[str]) -> list[str]:
    """Say which rates are the lowest and the highest; nothing where there is only one."""
    if len(places) < 2:
        return []
    rates = 100 * places["weighted"].astype(float).to_numpy()
    least, most = (
        f"{rates[at]:.1f}% ({names[at].replace('  ', ' ')})"
        for at in (int(rates.argmin()), int(rates.argmax()))
    )
    return [f"from {least} to {most}"]


def _alt(places: pd.DataFrame, names: list[str], nation: float | None, many: str) -> str:
    told = []
    if nation is not None:
        told.append(f"Of all eligible households {nation:.1f} per cent gave an interview ({RATE}).")
    told += [f"Among {len(places)} {many} the rate goes {ends}." for ends in _ends(places, names)]
    return " ".join(told)
