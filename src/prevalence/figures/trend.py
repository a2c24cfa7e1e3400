"""Two waves: levels side by side, and the change between them; places in one order, unranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import Entry, farthest, forest, plain_row, suppressed, written
from prevalence.figures.legend import key, marks_used
from prevalence.figures.style import COLOURS, SMALL, Drawing, Sheet, text_width
from prevalence.report.names import place_name
from prevalence.report.wording import TOO_IMPRECISE, alike, capitalised

if TYPE_CHECKING:
    import pandas as pd

MOST_PLACES = 6  # of a type; regions stand in the report's table
FIGURES = ("levels", "changes")
NOTE = "Places in one order, unranked. Intervals cover chance in sampling only."
PER = {"per_100": "per 100", "per_1000": "per 1,000"}
MARKERS = ("o", "s")
TICKS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20)
FARTHEST_RATIO = 20.0


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
    years
        Years of the waves, by survey.
    level
        Level of the intervals, in words.
    precision
        From which coefficient of variation a number is flagged.
    """

    groups: Mapping[str, Mapping[str, Any]]
    domains: Sequence[Mapping[str, Any]]
    synthetic: bool
    years: Mapping[str, int]
    level: str
    precision: Mapping[str, float]

    @property
    def places(self) -> set[str]:
        """Types of domain that are places."""
        return {"national", *(d["type"] for d in self.domains if d["kind"] == "geographic")}

    def label(self, group: str) -> str:
        """Group in words, with a capital letter."""
        return capitalised(str(self.groups[group]["label"]))

    def denominator(self, group: str) -> str:
        """Give the unit of the rate in words: per 100 children."""
        population = self.groups[group]["population"]
        people = "people" if population == "all_ages" else population
        return f"{PER[self.groups[group]['per']]} {people}"


def ruled(
    later: Mapping[str, Mapping[str, Any]], earlier: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Give hidden groups of the later wave the earlier's denominator and unit: both waves have it.

    Parameters
    ----------
    later, earlier
        The waves' hidden groups, as their configs have them.

    Returns
    -------
    dict
        Groups that both waves have, in the later's order and by its labels.
    """
    return {
        name: {**own, **{key: earlier[name][key] for key in ("population", "per")}}
        for name, own in later.items()
        if name in earlier
    }


def levels(tables: Mapping[str, pd.DataFrame], words: Named) -> Drawing:
    """Rates in both waves, by place."""
    import pandas as pd

    table = _shown(tables["levels"], words)
    waves = list(dict.fromkeys(tables["levels"]["wave"]))
    years = [str(words.years[wave]) for wave in waves]
    column = _column([written(plain_row(row)) for row in table.to_dict("records")])
    sheet = Sheet(words)
    looks = list(zip(MARKERS, COLOURS, strict=False))
    key(sheet, [(f"{m}:{c}", year) for (m, c), year in zip(looks, years, strict=False)])
    said, frames, drawn, farthest_end = [], [], [], 0.0
    for group in _groups(table, words):
        mine = table[table["group"] == group]
        places = _places(mine)
        entries = []
        for place in places:
            rows = [
                plain_row(row)
                for wave in waves
                for row in _at(mine[mine["wave"] == wave], place).to_dict("records")
            ]
            first, *others = [
                Entry(place_name(*place), row, "", colour, marker, bold=place[0] == "national")
                for row, (marker, colour) in zip(rows, looks, strict=False)
            ]
            text = "\n".join(_beside(rows))
            entries.append(replace(first, text=text, beside=others))
            drawn += rows
        end = farthest(entries)
        farthest_end = max(farthest_end, end)
        sheet.heading(words.label(group))
        forest(
            sheet,
            entries,
            title=f"estimated {words.denominator(group)}",
            scale=(0, end),
            column_title=f"{years[0]}, below it {years[-1]}",
            text_column=column,
        )
        sheet.skip(0.08)
        said.append(f"{words.label(group)}: {_national(mine, waves, words)}")
        frames.append(mine)
    key(sheet, marks_used(drawn, words, farthest_end))
    sheet.note(NOTE)
    columns = ["wave", "group", "domain_type", "domain", "unit", "estimate", "lower", "upper"]
    return Drawing(
        sheet.close(),
        pd.concat(frames, ignore_index=True)[[*columns, "suppressed", "precision"]],
        alt=f"Dots with intervals for {' and '.join(years)} by place. {'. '.join(said)}.",
        caption=f"Estimated rates in both waves with their {words.level} intervals, by the earlier "
        "wave's choices.",
    )


def changes(tables: Mapping[str, pd.DataFrame], words: Named) -> Drawing:
    """Ratio of the later to the earlier rate, by place."""
    import pandas as pd

    table = _shown(tables["changes"], words)
    table = table[table["measure"] == "ratio"]
    low = max(min([0.7, *(0.9 * table["lower"].dropna())]), 1 / FARTHEST_RATIO)
    high = min(max([1.5, *(1.1 * table["upper"].dropna())]), FARTHEST_RATIO)
    column = _column([_ratio(row) for row in table.to_dict("records")])
    sheet = Sheet(words)
    said, frames, drawn = [], [], []
    for group in _groups(table, words):
        mine = table[table["group"] == group]
        rows = [plain_row(row) for row in mine.to_dict("records")]
        entries = [
            Entry(
                place_name(row["domain_type"], row["domain"]),
                row,
                _ratio(row),
                bold=row["domain_type"] == "national",
            )
            for row in rows
        ]
        sheet.heading(words.label(group))
        forest(
            sheet,
            entries,
            title="later over earlier rate (logarithmic scale)",
            scale=(low, high),
            log_ticks=[tick for tick in TICKS if low <= tick <= high],
            line=1,
            line_text="no change",
            text_column=column,
        )
        sheet.skip(0.08)
        said += [f"{words.label(group)}, national: {_ratio(one)}" for one in _nation(mine)]
        frames.append(mine)
        drawn += rows
    key(sheet, marks_used(drawn, words, high))
    sheet.note(NOTE)
    columns = ["group", "domain_type", "domain", "unit", "estimate", "lower", "upper"]
    return Drawing(
        sheet.close(),
        pd.concat(frames, ignore_index=True)[[*columns, "suppressed", "precision"]],
        alt=f"Dots with intervals: ratio of the later to the earlier rate. {'. '.join(said)}.",
        caption=f"Change of the estimated rates: later over earlier wave, with {words.level} "
        "intervals. An interval that holds 1 is compatible with a rise and with a fall.",
    )


def _at(table: pd.DataFrame, place: tuple[str, str]) -> pd.DataFrame:
    return table[(table["domain_type"] == place[0]) & (table["domain"] == place[1])]


def _shown(table: pd.DataFrame, words: Named) -> pd.DataFrame:
    rates = table[table["unit"].isin(["per_100", "per_1000"]) & table["group"].isin(words.groups)]
    kinds = rates.drop_duplicates(["domain_type", "domain"])["domain_type"].value_counts()
    few = words.places & set(kinds[kinds <= MOST_PLACES].index)
    return rates[rates["domain_type"].isin(few)]


def _groups(table: pd.DataFrame, words: Named) -> list[str]:
    return [group for group in words.groups if (table["group"] == group).any()]


def _places(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(table["domain_type"], table["domain"], strict=True)))


def _national(table: pd.DataFrame, waves: list[str], words: Named) -> str:
    rows = {row["wave"]: row for row in _nation(table)}
    shown = [wave for wave in waves if wave in rows]
    texts = _beside([plain_row(rows[wave]) for wave in shown])
    said = zip(shown, texts, strict=True)
    return "; ".join(f"{words.years[wave]} {text}" for wave, text in said)


def _beside(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write the levels of both waves with one number of decimals."""
    return [written(row, places=places) for row, places in zip(rows, alike(rows), strict=True)]


def _nation(table: Any) -> list[dict[Any, Any]]:
    rows: list[dict[Any, Any]] = table[table["domain_type"] == "national"].to_dict("records")
    return rows


def _ratio(row: Mapping[Any, Any]) -> str:
    row = plain_row(row)
    if suppressed(row):
        return "suppressed"
    if row["lower"] is None or row["upper"] is None:
        return TOO_IMPRECISE
    return written(row)  # as finely as it was released


def _column(texts: Sequence[str]) -> float:
    """Width of a column of numbers, the same in all panels."""
    return max((text_width(text, SMALL, "bold") for text in texts), default=0.0)
