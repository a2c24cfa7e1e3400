"""How often the interval holds the truth, in simulated worlds in which it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import Entry, forest
from prevalence.figures.legend import key
from prevalence.figures.style import COLOURS, Drawing, Sheet
from prevalence.figures.words import Words
from prevalence.report.names import WORLD_HEADINGS, WORLDS, in_words
from prevalence.report.tables_certainty import coverage_rows
from prevalence.report.wording import day

if TYPE_CHECKING:
    import pandas as pd


def coverage(tables: Mapping[str, Any], words: Words) -> Drawing:
    """Share of simulated surveys whose interval held the truth, by world and hidden group."""
    import pandas as pd

    record = tables["coverage_record"]
    rows = chosen_rows(tables["coverage"], words)
    if rows.empty:  # the study doesn't cover every choice of a headline
        from prevalence.figures.drawing import empty

        return empty(words)
    groups = [group for group in words.groups if (rows["group"] == group).any()]
    nominal = 100 * float(words.estimate["level"])
    entries: list[Entry] = []
    for holds, heading in WORLD_HEADINGS.items():
        part = rows[rows["holds"].astype(bool) == holds]
        if len(part):
            entries.append(Entry(heading, heading=True))
        for world in WORLDS | {w: w for w in dict.fromkeys(part["world"])}:
            mine = part[part["world"] == world]
            entries += _entries(world, mine, groups)
    sheet = Sheet(words)
    sheet.clear_mark()
    forest(
        sheet,
        entries,
        title=f"simulated surveys whose {words.level} interval held the truth, per cent",
        scale=(0, 100),
        line=nominal,
        line_text=f"aim {nominal:g}",
        room_for_labels=2.15,
        pad=0.07,
    )
    parts = [(f"o:{COLOURS[n]}", words.short(g)) for n, g in enumerate(groups)]
    key(sheet, parts)
    surveys = int(rows["surveys"].max())
    when = day(record["date"])
    sheet.note(
        f"Computed once, on {when}, from {surveys:,} simulated surveys a world. Lines: the "
        "uncertainty of counting them."
    )
    data = pd.DataFrame(
        {
            "group": rows["group"],
            "world": rows["world"],
            "assumptions_hold": rows["holds"],
            "estimate": 100 * rows["coverage"],
            "lower": 100 * rows["coverage_lower"],
            "upper": 100 * rows["coverage_upper"],
            "surveys": rows["surveys"],
        }
    )
    return Drawing(
        sheet.close(),
        data.reset_index(drop=True),
        alt=_alt(words, rows, groups, when),
        caption=f"How often the {words.level} interval held the truth in simulated worlds: "
        f"{_between(rows)}. Computed once, on {when}",
    )


def chosen_rows(table: pd.DataFrame, words: Words) -> pd.DataFrame:
    """National rows of the headline's estimator, interval and variance, for the survey's groups."""
    rows = coverage_rows(table, words.headline, float(words.estimate["level"]))
    return rows[rows["group"].isin(list(words.groups))]


def _entries(world: str, mine: pd.DataFrame, groups: list[str]) -> list[Entry]:
    """One row of the figure: a mark for each hidden group, and their numbers."""
    parts = []
    for number, group in enumerate(groups):
        for row in mine[mine["group"] == group].to_dict("records"):
            names = {"estimate": "coverage", "lower": "coverage_lower", "upper": "coverage_upper"}
            values = {name: 100 * float(row[source]) for name, source in names.items()}
            parts.append(Entry("", values, "", COLOURS[number]))
    if not parts:
        return []
    label = in_words(WORLDS, world)
    text = "\n".join(f"{part.row['estimate']:.1f}" for part in parts)
    return [replace(parts[0], label=label, text=text, beside=tuple(parts[1:]))]


def _alt(words: Words, rows: pd.DataFrame, groups: list[str], when: str) -> str:
    names = " and ".join(words.short(group).lower() for group in groups)
    return (
        f"Share of simulated surveys whose {words.level} interval held the truth, for {names}: "
        f"{_between(rows)}. Computed once, on {when}."
    )


def _between(rows: pd.DataFrame) -> str:
    """Say between which shares the coverage lies, where the assumptions hold and where not."""
    parts = []
    for holds, text in (
        (True, "where the assumptions hold"),
        (False, "where one fails on purpose"),
    ):
        part = 100 * rows.loc[rows["holds"].astype(bool) == holds, "coverage"]
        if len(part):
            parts.append(f"between {part.min():.1f}% and {part.max():.1f}% {text}")
    return "; ".join(parts)
