"""Bayesian models beside the design-based headline, nationally and by place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import (
    Entry,
    farthest,
    forest,
    is_known,
    plain_row,
    shown_values,
    suppressed,
    written,
)
from prevalence.figures.legend import key, marks_used
from prevalence.figures.predictive import replicated
from prevalence.figures.style import DIRECT, Drawing, Sheet, estimator_look
from prevalence.figures.words import Words
from prevalence.report.wording import written as digits
from prevalence.united import UNCONVERGED, modelled_rows

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def models(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Rates by the headline and by each model, in the nation and its largest parts."""
    import pandas as pd

    own = tables["scale_up"]
    own = own[own["estimator"] == words.headline["estimator"]]
    rows = _rates(own, words)
    modelled = tables["scale_up"][modelled_rows(tables["scale_up"])]
    rows += [row for row in _rates(modelled, words) if _places(row, rows)]
    looks = _looks(words, rows)
    beyond = False
    sheet = Sheet(words)
    for group in words.groups:
        mine = [row for row in rows if row["group"] == group]
        if not mine:
            continue
        entries = [_entry(words, found, looks) for found in _by_place(mine)]
        end = farthest(entries)
        beyond |= max(shown_values(entries)[1], default=0.0) > end
        sheet.heading(words.label(group))
        forest(
            sheet,
            entries,
            title=f"estimated {words.denominator(group)}",
            scale=(0, end),
            pad=0.03 * max(len(entry.beside) for entry in entries) + 0.08,
        )
        sheet.skip(0.06)
    arrow = [("beyond", "goes on beyond the scale")] if beyond else []
    key(sheet, [*_key(words, rows, looks), *arrow])
    columns = ["group", "domain_type", "domain", "estimator", "unit", "estimate", "lower", "upper"]
    return Drawing(
        sheet.close(),
        pd.DataFrame(rows).reindex(columns=[*columns, "interval", "suppressed", "precision"]),
        alt=_alt(words, rows),
        caption="The headline beside Bayesian models of the same answers: posterior medians with "
        f"{words.level} credible intervals, under other assumptions. The headline's "
        f"{words.level} interval is design-based, and stands in the column of numbers"
        + _beside(words, rows),
    )


def _beside(words: Words, rows: list[Row]) -> str:
    """Say where the models' national medians lie, beside the headline."""
    said = []
    for group in words.groups:
        mine = [row for row in rows if row["group"] == group and row["domain_type"] == "national"]
        shown = [row for row in mine if not suppressed(row) and is_known(row.get("estimate"))]
        own = [row for row in shown if row["estimator"] == words.headline["estimator"]]
        models = [row for row in shown if row not in own]
        if own and models:
            ends = [pick(models, key=lambda r: float(r["estimate"])) for pick in (min, max)]
            texts = dict.fromkeys(digits(row, "estimate") for row in ends)
            said.append(
                f". {words.short(group)}, nationally: headline {digits(own[0], 'estimate')}, "
                f"models {' to '.join(texts)} "
                f"{words.denominator(group)}"
            )
    return "".join(said)


def predictive(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Whether data drawn from the models resemble the answers."""
    return replicated(tables, words)


def _rates(table: pd.DataFrame, words: Words) -> list[Row]:
    """Rates of the nation and the first geographic type of place."""
    kinds = ["national"]
    geographic = [d for d in words.estimate.get("domains") or [] if d["kind"] == "geographic"]
    kinds += [str(geographic[0]["type"])] if geographic else []
    unit = {group: settings["per"] for group, settings in words.groups.items()}
    found = [plain_row(row) for row in table.to_dict("records")]
    return [
        row
        for row in found
        if row["domain_type"] in kinds and unit.get(str(row["group"])) == row["unit"]
    ]


def _places(row: Row, rows: list[Row]) -> bool:
    """Whether the headline has a row for the same group and place."""
    names = ("group", "domain_type", "domain")
    return any(all(row[name] == other[name] for name in names) for other in rows)


def _by_place(rows: list[Row]) -> list[list[Row]]:
    places: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        places.setdefault((str(row["domain_type"]), str(row["domain"])), []).append(row)
    return list(places.values())


def _looks(words: Words, rows: list[Row]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each model."""
    names = dict.fromkeys(str(row["estimator"]) for row in rows)
    modelled = [name for name in names if name != words.headline["estimator"]]
    return {name: estimator_look(name) for name in modelled}


def _entry(words: Words, rows: list[Row], looks: Mapping[str, tuple[str, str]]) -> Entry:
    """Build a row of the figure: the headline, the models a little below each other."""
    headline, *modelled = rows
    beside = []
    for row in modelled:
        colour, marker = looks[str(row["estimator"])]
        filled = row.get("interval") != UNCONVERGED
        beside.append(Entry("", row, colour=colour, marker=marker, filled=filled))
    national = headline["domain_type"] == "national"
    text = written(headline, lines=True)
    colour, marker = DIRECT
    look: dict[str, Any] = {"colour": colour, "marker": marker, "bold": national}
    return Entry(_place(words, headline), headline, text, beside=beside, **look)


def _place(words: Words, row: Row) -> str:
    if row["domain_type"] == "national":
        return "National"
    return words.place(str(row["domain_type"]), str(row["domain"]))


def _key(words: Words, rows: list[Row], looks: Mapping[str, tuple[str, str]]) -> Any:
    own = [row for row in rows if row["estimator"] == words.headline["estimator"]]
    colour, marker = DIRECT
    own_name = words.estimator(words.headline["estimator"])
    parts = [(f"{marker}:{colour}", f"{own_name}: headline")]
    parts += [
        (f"{marker}:{colour}", words.estimator(name)) for name, (colour, marker) in looks.items()
    ]
    if any(row.get("interval") == UNCONVERGED for row in rows):
        parts.append(("hollow", "a model that has not converged, or an imprecise estimate"))
    kinds = ("hollow", "line", "suppressed")
    used = [part for part in marks_used([*own, *rows], words, float("inf")) if part[0] in kinds]
    return parts + [part for part in used if part[0] not in {kind for kind, _ in parts}]


def _alt(words: Words, rows: list[Row]) -> str:
    parts = []
    for group in words.groups:
        mine = [row for row in rows if row["group"] == group]
        for found in _by_place(mine):
            said = ", ".join(
                f"{words.estimator(str(row['estimator'])).lower()} "
                + ("suppressed" if suppressed(row) else written(row))
                + (" (not converged)" if row.get("interval") == UNCONVERGED else "")
                for row in found
            )
            parts.append(f"{words.label(group)}, {_place(words, found[0])}: {said}.")
    start = f"The headline beside models of the same answers, with {words.level} intervals."
    return " ".join([start, *parts])
