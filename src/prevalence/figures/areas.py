"""How the rates of unnamed areas are spread, by a model that pools them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import Entry, farthest, is_known, plain_row
from prevalence.figures.legend import key, marks_used
from prevalence.figures.panels import Panel, side_by_side
from prevalence.figures.style import TICK, Drawing, Sheet, estimator_look
from prevalence.figures.words import Words
from prevalence.report.wording import joined, significant, withheld

if TYPE_CHECKING:
    import pandas as pd

RANGES = {
    ("areas", 0.1, 0.9): "Middle 80% of areas",
    ("areas", 0.25, 0.75): "Middle half",
    ("posterior_medians", 0.1, 0.9): "Middle 80% of the areas’ medians",
    ("posterior_medians", 0.25, 0.75): "Middle half of the medians",
}
LEAST, BESIDE = 0.26, 0.09  # height of a row, and more of it for each model beside the first
Row = dict[str, Any]


def spread(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw quantiles of areas' rates: a panel a hidden group, a row for each range.

    Parameters
    ----------
    tables
        Released `area_distribution`.
    words
        The survey's words.

    Returns
    -------
    Drawing
        Without any name of an area.
    """
    import pandas as pd

    table = tables["area_distribution"]
    quantiles = [plain_row(row) for row in table.to_dict("records")]
    models = list(dict.fromkeys(str(row["estimator"]) for row in quantiles))
    groups = [group for group in words.groups if (table["group"] == group).any()]
    rows = {
        (group, model): [_range(quantiles, group, model, *limits) for limits in RANGES]
        for group in groups
        for model in models
    }
    panels = []
    for group in groups:
        beside = zip(*(rows[group, model] for model in models), strict=True)
        entries = [_entry(models, list(parts)) for parts in beside]
        title, axis = words.label(group), f"estimated {words.denominator(group)}"
        panels.append(Panel(title, axis, entries, (0, farthest(entries))))
    sheet = Sheet(words)
    pitch = LEAST + BESIDE * (len(models) - 1)
    side_by_side(sheet, list(RANGES.values()), panels, pitch=pitch)
    drawn = [row for found in rows.values() for row in found if row]
    key(sheet, _key(words, drawn, models))
    sheet.note("No area is named, and each counts alike.")
    columns = ["estimator", "group", "statistic", "from", "to", "unit", "estimate", "lower"]
    return Drawing(
        sheet.close(),
        pd.DataFrame(drawn).reindex(
            columns=[*columns, "upper", "areas", "converged", "suppressed"]
        ),
        alt=_alt(words, rows),
        caption="How the model that pools areas spreads the estimated rates over the sampled "
        "areas, which are too small to be named: the ranges that hold the middle 80% and the "
        f"middle half, with the median. {_middle(words, rows)}The areas’ own medians lie closer "
        "together than the areas do, since each is drawn to the others",
    )


def _middle(words: Words, rows: Mapping[tuple[str, str], list[Row]]) -> str:
    """Say between which rates the middle 80% of areas lie, by the first model that tells it."""
    said: dict[str, str] = {}
    for (group, _), (first, *_) in rows.items():
        if group not in said and all(is_known(first.get(end)) for end in ("lower", "upper")):
            ends = f"{_number(first['lower'])} to {_number(first['upper'])}"
            said[group] = f"from {ends} {words.denominator(group)}"
    return f"The middle 80% of areas lie {joined(list(said.values()))}. " if said else ""


def _range(rows: list[Row], group: str, model: str, statistic: str, low: float, high: float) -> Row:
    """Median and two quantiles of one distribution, as a row with an interval."""
    keys = {"group": group, "estimator": model, "statistic": statistic}
    found = {
        float(row["quantile"]): row
        for row in rows
        if all(row[name] == value for name, value in keys.items())
    }
    if not found:
        return {}
    ends = {"lower": found[low]["value"], "estimate": found[0.5]["value"]}
    return {**found[0.5], **ends, "upper": found[high]["value"], "from": low, "to": high}


def _entry(models: list[str], rows: list[Row]) -> Entry:
    """Build a row of the figure for each model: a line, and a tick that hides nothing of it."""
    first, *beside = [
        Entry(
            "",
            row,
            colour=estimator_look(model)[0],
            marker=TICK,
            filled=row.get("converged") is not False,
        )
        for model, row in zip(models, rows, strict=True)
    ]
    return replace(first, beside=beside)


def _key(words: Words, rows: list[Row], models: list[str]) -> list[tuple[str, str]]:
    parts = [
        (f"tick:{estimator_look(name)[0]}", f"{words.estimator(name)}: range, tick at the median")
        for name in models
    ]
    shown = [row for row in rows if row]
    if any(row.get("converged") is False for row in shown):
        parts.append(("broken", "a model that has not converged"))
    return parts + [
        part for part in marks_used(shown, words, float("inf")) if part[0] == "suppressed"
    ]


def _alt(words: Words, rows: Mapping[tuple[str, str], list[Row]]) -> str:
    said = ["How the rates of areas that are not named are spread."]
    for group in dict.fromkeys(group for group, _ in rows):
        said.append(f"{words.label(group)}, {words.denominator(group)}.")
        said += [
            _said(words, model, found) for (name, model), found in rows.items() if name == group
        ]
    return " ".join(said)


def _said(words: Words, model: str, rows: list[Row]) -> str:
    name, first = words.estimator(model), rows[0]
    if not all(is_known(row.get(end)) for row in rows for end in ("lower", "estimate", "upper")):
        return f"{name}: {withheld(first) or 'nothing shown'}."
    failed = " (not converged)" if first.get("converged") is False else ""
    texts = [
        f"{label[:1].lower()}{label[1:]}: {_number(row['lower'])} to {_number(row['upper'])}"
        for label, row in zip(RANGES.values(), rows, strict=True)
    ]
    return (
        f"{name}{failed}, {int(first['areas'])} areas: median {_number(first['estimate'])}; "
        f"{'; '.join(texts)}."
    )


def _number(value: Any) -> str:
    return significant(float(value))
