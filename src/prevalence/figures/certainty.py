"""How sure we are: known groups as a check, and other estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.estimates import planted
from prevalence.figures.forest import (
    Entry,
    farthest,
    forest,
    is_known,
    plain_row,
    suppressed,
    written,
)
from prevalence.figures.legend import key, marks_used
from prevalence.figures.style import (
    BODY,
    COLOURS,
    FEW_GROUPS,
    MUTED,
    SMALL,
    Drawing,
    Sheet,
    text_width,
    unit_of,
)
from prevalence.figures.words import Words
from prevalence.report.wording import REASONS, capitalised
from prevalence.united import modelled_rows

if TYPE_CHECKING:
    import pandas as pd

RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
FINER = (0.5, 0.6, 0.7, 0.8, 1, 1.2, 1.5, 2)


def known_groups(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Known groups estimated from the others, relative to their sizes on record."""
    table = tables["known_groups"]
    table = table[table["estimator"] == words.headline["estimator"]].reset_index(drop=True)
    rows = [_ratio(row) for row in table.to_dict("records")]
    inside = table["in_headline"].astype(bool).to_numpy()
    entries = [
        Entry(
            f"{capitalised(str(row['label']))} ({row['known_size']:,.0f})",
            row,
            _ratio_text(row),
            COLOURS[0] if used else MUTED,
            "o",
            filled=bool(used),
        )
        for row, used in zip(rows, inside, strict=True)
    ]
    shown = [row for row in rows if not suppressed(row)]
    low = min([0.8, *(row["lower"] for row in shown if row["lower"])]) / 1.08
    high = max([1.25, *(row["upper"] for row in shown if row["upper"])]) * 1.08
    steps = FINER if high / low < 5 else RATIOS
    sheet = Sheet(words)
    sheet.clear_mark()
    forest(
        sheet,
        entries,
        title="estimate from the other groups over the size on record (logarithmic scale)",
        scale=(low, high),
        log_ticks=[tick for tick in steps if low <= tick <= high],
        line=1,
        line_text="equal",
        room_for_labels=2.3,
        label_size=SMALL,
        pad=0.07,
    )
    parts = [("o:" + COLOURS[0], f"used for the headline, with {words.level} interval")]
    if not inside.all():
        parts.append((f"o-:{MUTED}", "not used"))
    reasons = list(dict.fromkeys(suppressed(row) for row in rows if suppressed(row)))
    if reasons:
        why = ", ".join(REASONS.get(reason, reason) for reason in reasons)
        parts.append(("suppressed", f"suppressed ({why})"))
    key(sheet, parts)
    columns = ["group", "label", "known_size", "in_headline"]
    data = table[columns].copy()
    for name in ("estimate", "lower", "upper"):
        data[name] = [row[name] for row in rows]
    data["suppressed"] = [suppressed(row) for row in rows]
    return Drawing(
        sheet.close(),
        data,
        alt=_known_alt(words, table, rows),
        caption="Each group of known size (size on record in brackets) estimated from the others: "
        f"ratios to the size on record with {words.level} intervals; 1 is right" + _found(rows),
    )


def _found(rows: list[dict[str, Any]]) -> str:
    """Say how many intervals hold 1, and which ratio is the farthest from it."""
    shown = [row for row in rows if not suppressed(row) and row["estimate"]]
    if not shown:
        return ""
    hold = sum(row["lower"] <= 1 <= row["upper"] for row in shown)
    far = max(shown, key=lambda row: abs(row["log_ratio"]))
    return (
        f". {hold} of {len(shown)} intervals hold 1; the farthest from it is {far['estimate']:.2f} "
        f"({far['label']})"
    )


def _ratio(row: Mapping[Any, Any]) -> dict[str, Any]:
    found = plain_row(row)
    names = {"estimate": "log_ratio", "lower": "log_ratio_lower", "upper": "log_ratio_upper"}
    ratios = {
        name: None if found.get(log) is None else float(np.exp(found[log]))
        for name, log in names.items()
    }
    return {**found, **ratios, "precision": None}


def _ratio_text(row: Mapping[str, Any]) -> str:
    if suppressed(row):
        return "suppressed"
    if row["estimate"] is None:
        return "none known"
    return f"{row['estimate']:.2f} ({_limit(row['lower'])} to {_limit(row['upper'])})"


def _limit(ratio: float) -> str:
    """Write a limit; one that only rounding puts on equality keeps its side of it."""
    side = ">" if ratio > 1 else "<" if ratio < 1 else ""
    text = f"{ratio:.2f}"
    return f"{side}{text}" if text == "1.00" else text


def _known_alt(words: Words, table: pd.DataFrame, rows: list[dict[str, Any]]) -> str:
    shown = [row for row in rows if not suppressed(row) and row["estimate"]]
    hold = sum(row["lower"] <= 1 <= row["upper"] for row in shown)
    text = f"{len(table)} groups of known size estimated from the others."
    if shown:
        far = max(shown, key=lambda row: abs(row["log_ratio"]))
        low, high = (pick(shown, key=lambda row: row["estimate"]) for pick in (min, max))
        text += (
            f" The ratios to the sizes on record run from {low['estimate']:.2f} ({low['label']}) "
            f"to {high['estimate']:.2f} ({high['label']}); the {words.level} intervals of "
            f"{hold} of the {len(shown)} hold 1. Farthest from 1: {far['label']}, "
            f"{_ratio_text(far)}."
        )
    return text


def estimators(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """National estimates by other estimators, beside the planted truth of a synthetic survey."""
    import pandas as pd

    table = tables["scale_up"]
    table = table[~modelled_rows(table)]  # the models have a figure of their own
    national = table[(table["domain_type"] == "national") & (table["unit"] == "persons")]
    truths = planted(tables, words, "persons")
    groups = [group for group in words.groups if (national["group"] == group).any()]
    chosen = {
        g: [plain_row(r) for r in national[national["group"] == g].to_dict("records")]
        for g in groups
    }
    blocks = {
        g: _estimator_entries(words, rows, place) for place, (g, rows) in enumerate(chosen.items())
    }
    every = [entry for block in blocks.values() for entry in block]
    labels = min(max(text_width(entry.label, BODY, "bold") for entry in every) + 0.06, 1.75)
    texts = [line for entry in every for line in entry.text.split("\n")]
    column = max(text_width(text, SMALL, "bold") for text in texts) + 0.03
    sheet = Sheet(words)
    limits = [farthest(blocks[g], *([truths[g]] if truths.get(g) else [])) for g in groups]
    for group, limit in zip(groups, limits, strict=True):
        truth = truths.get(group)
        sheet.heading(words.label(group))
        forest(
            sheet,
            blocks[group],
            title="estimated {million}people",
            scale=(0, limit),
            unit=unit_of(*limits),
            line=truth,
            line_text=f"planted truth {truth:,.0f}" if truth else "",
            label_width=labels,
            text_column=column,
            pad=0.09 if len(groups) <= FEW_GROUPS else 0.05,
        )
        sheet.skip(0.06)
    rows = [row for mine in chosen.values() for row in mine]
    used = [part for part in marks_used(rows, words, np.inf) if part[0] != "beyond"]
    if any(
        not suppressed(row) and (row["upper"] or 0) > limit
        for limit, rows in zip(limits, chosen.values(), strict=True)
        for row in rows
    ):
        used.append(("beyond", "goes on beyond the scale"))
    key(sheet, used)
    data = pd.DataFrame([row for rows in chosen.values() for row in rows])
    columns = [
        "group",
        "estimator",
        "unit",
        "estimate",
        "lower",
        "upper",
        "suppressed",
        "precision",
    ]
    data = data.reindex(columns=columns)
    data["truth"] = data["group"].map(truths).astype(float)
    return Drawing(
        sheet.close(),
        data,
        alt=_estimators_alt(words, chosen, truths),
        caption=f"National estimates by each estimator, with {words.level} intervals; the "
        f"pre-specified headline is in bold. {_between(words, chosen)}"
        + (". The dashed line is the number planted in the synthetic population" if truths else ""),
    )


def _estimator_entries(words: Words, rows: list[dict[str, Any]], place: int) -> list[Entry]:
    found = []
    for row in rows:
        headline = row["estimator"] == words.headline["estimator"]
        name = words.estimator(row["estimator"])
        label = f"{name}: headline" if headline else name
        colour = COLOURS[place % len(COLOURS)]
        found.append(Entry(label, row, written(row, lines=True), colour, bold=headline))
    return found


def _between(words: Words, chosen: Mapping[str, list[dict[str, Any]]]) -> str:
    """Say for each group between which numbers the estimates lie."""
    said = []
    for group, rows in chosen.items():
        shown = [row for row in rows if not suppressed(row) and is_known(row["estimate"])]
        if shown:
            low, high = (pick(float(row["estimate"]) for row in shown) for pick in (min, max))
            said.append(f"{words.short(group)}: from {low:,.0f} to {high:,.0f}")
    return ". ".join(said) or "No estimate may be shown"


def _estimators_alt(
    words: Words, chosen: Mapping[str, list[dict[str, Any]]], truths: Mapping[str, float]
) -> str:
    parts = []
    for group, rows in chosen.items():
        said = ", ".join(f"{words.estimator(r['estimator']).lower()} {written(r)}" for r in rows)
        truth = f"; planted truth {truths[group]:,.0f}" if group in truths else ""
        parts.append(f"{words.label(group)}: {said}{truth}")
    start = f"National estimates in persons by estimator, with {words.level} intervals."
    return f"{start} {'. '.join(parts)}."
