"""The headline: national estimates with intervals, beside the published words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.figures.estimates import national_headline, planted
from prevalence.figures.forest import Entry, farthest, forest, written
from prevalence.figures.legend import key, marks_used
from prevalence.figures.style import COLOURS, INK, MUTED, Drawing, Sheet, unit_of
from prevalence.figures.words import Words
from prevalence.report.wording import capitalised, phrase

if TYPE_CHECKING:
    import pandas as pd

# Groups whose largest numbers are farther apart than this don't share a scale.
ONE_SCALE = 8.0
WIDEST = 1.75  # of a column of words, in inches


def headline(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """National estimates in persons, the reading of the published words, the planted truth."""
    chosen = national_headline(tables["scale_up"], words)
    groups = [group for group in words.groups if group in chosen]
    ranges = {f["group"]: f for f in words.findings if f["unit"] == "persons"}
    truths = planted(tables, words, "persons")
    blocks = {
        group: _entries(chosen[group], ranges.get(group), truths.get(group), place)
        for place, group in enumerate(groups)
    }
    ends = {group: farthest(block) for group, block in blocks.items()}
    shared = max(ends.values()) <= ONE_SCALE * min(ends.values())
    sheet = Sheet(words)
    title = f"estimated {{million}}people, {words.survey['year']}"
    texts = [line for block in blocks.values() for e in block for line in e.text.split("\n")]
    column = _widest(texts)
    labels = _widest([entry.label for block in blocks.values() for entry in block])
    last = groups[-1]
    for group in groups:
        sheet.heading(words.label(group))
        found = ranges.get(group)
        axes = forest(
            sheet,
            blocks[group],
            title=title if group == last or not shared else "",
            scale=(0, max(ends.values()) if shared else ends[group]),
            band=(found["low"], found["high"]) if found else None,
            label_width=labels,
            text_column=column,
            unit=None if shared else unit_of(*ends.values()),
        )
        if shared and group != last:
            axes.set_xticklabels([])
            sheet.skip(0.1)
        else:
            sheet.skip(0.05)
    if not shared:
        sheet.note("Each group has a scale of its own.")
    key(sheet, marks_used(list(chosen.values()), words, max(ends.values())))
    said = "; ".join(f"{words.label(group)}: {phrase(chosen[group])}" for group in groups)
    return Drawing(
        sheet.close(),
        _data(groups, chosen, ranges, truths),
        alt=f"Estimated people, {words.survey['year']}, nationally. "
        f"{said}.{_beside(words, groups, ranges, truths)}",
        caption=f"National estimates with their {words.level} intervals"
        + (", beside the range this project reads into the published words" if ranges else "")
        + (" and the number planted in the synthetic population" if truths else "")
        + f". {'. '.join(f'{words.short(group)}: {written(chosen[group])}' for group in groups)}",
    )


def _entries(
    row: Mapping[str, Any],
    found: Mapping[str, Any] | None,
    truth: float | None,
    place: int,
) -> list[Entry]:
    colour = COLOURS[place % len(COLOURS)]
    entries = [Entry("This survey", row, written(row, lines=True), colour, bold=True)]
    if found:
        limits = f"{found['low']:,.0f} to {found['high']:,.0f}"
        row = {"lower": found["low"], "upper": found["high"]}
        entries.append(Entry(f"Published words:\n“{found['wording']}”", row, limits, MUTED))
    if truth is not None:
        truth_row = {"estimate": truth}
        entries.append(Entry("Planted truth", truth_row, f"{truth:,.0f}", INK, "*"))
    return entries


def _widest(texts: list[str]) -> float:
    from prevalence.figures.style import BODY, text_width

    parts = [part for text in texts for part in text.split("\n")]
    return min(max(text_width(part, BODY, "bold") for part in parts) + 0.02, WIDEST)


def _data(
    groups: list[str],
    chosen: Mapping[str, Any],
    ranges: Mapping[str, Any],
    truths: Mapping[str, float],
) -> pd.DataFrame:
    import pandas as pd

    columns = ["estimate", "lower", "upper", "level", "suppressed", "precision"]
    rows: list[dict[str, Any]] = []
    for group in groups:
        keys = {"group": group, "unit": "persons"}
        rows.append({**keys, "shown": "estimate", **{c: chosen[group].get(c) for c in columns}})
        if group in ranges:
            ends = {"lower": ranges[group]["low"], "upper": ranges[group]["high"]}
            rows.append({**keys, "shown": "published words as read", **ends})
        if group in truths:
            rows.append({**keys, "shown": "planted truth", "estimate": truths[group]})
    return pd.DataFrame(rows, columns=["group", "unit", "shown", *columns])


def _beside(
    words: Words, groups: list[str], ranges: Mapping[str, Any], truths: Mapping[str, float]
) -> str:
    parts = [
        f"{words.short(g)}: the published words are read as {ranges[g]['low']:,.0f} to "
        f"{ranges[g]['high']:,.0f}"
        for g in groups
        if g in ranges
    ]
    parts += [f"{words.short(g)}: planted truth {truths[g]:,.0f}" for g in groups if g in truths]
    return f" {capitalised('; '.join(parts))}." if parts else ""
