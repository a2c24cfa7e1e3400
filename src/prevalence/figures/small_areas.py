"""Places that borrow strength from one another beside their direct estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.figures.estimates import against_nation, national_rate
from prevalence.figures.forest import Entry, is_known, plain_row, suppressed
from prevalence.figures.legend import key, marks_used
from prevalence.figures.panels import Panel, side_by_side
from prevalence.figures.style import Drawing, Sheet, estimator_look
from prevalence.figures.words import Words, in_sentence
from prevalence.report.wording import REASONS, written

if TYPE_CHECKING:
    import pandas as pd

DIRECT = "direct"
LEAST, BESIDE = 0.2, 0.075  # height of a row, and more of it for each estimator beside the first
Row = dict[str, Any]


def borrowing(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw direct estimates of places beside those that borrow strength.

    Parameters
    ----------
    tables
        Released `scale_up` and `small_areas`.
    words
        The survey's words.

    Returns
    -------
    Drawing
        A panel for each hidden group and a row for each place of the finest type that the
        small-area estimates have. An estimator of which nothing may be shown for a group is left
        out of its panel, with a note.
    """
    import pandas as pd

    table = tables["small_areas"]
    kind = str(table["domain_type"].value_counts().index[0])
    rows = _direct(tables["scale_up"], words, kind)
    rows += [plain_row(row) for row in table[table["domain_type"] == kind].to_dict("records")]
    groups = [group for group in words.groups if any(row["group"] == group for row in rows)]
    order = words.order(kind, list(dict.fromkeys(str(row["domain"]) for row in rows)))
    hidden = _left_out(rows)
    notes = _notes(words, rows, hidden, kind)
    rows = [row for row in rows if (row["group"], row["estimator"]) not in hidden]
    looks = {name: estimator_look(name) for name in _names(rows)}
    panels = []
    for group in groups:
        mine = [row for row in rows if row["group"] == group]
        places, shown = _by_place(mine), {name: looks[name] for name in _names(mine)}
        entries = [_entry(places.get(place, []), shown) for place in order]
        panels.append(
            Panel(
                title=words.label(group),
                axis=f"estimated {words.denominator(group)}",
                entries=entries,
                **against_nation(tables["scale_up"], words, group, entries),
            )
        )
    sheet = Sheet(words)
    labels = [words.place(kind, place) for place in order]
    side_by_side(sheet, labels, panels, pitch=LEAST + BESIDE * (len(looks) - 1))
    nation = any(national_rate(tables["scale_up"], words, group) for group in groups)
    key(sheet, _key(words, rows, looks, panels, nation=nation))
    many = words.kind(kind)["many"]
    sheet.note(" ".join([f"{many.capitalize()} in a fixed order: no ranking.", *notes]))
    columns = ["group", "domain_type", "domain", "estimator", "unit", "estimate", "lower", "upper"]
    return Drawing(
        sheet.close(),
        pd.DataFrame(rows).reindex(columns=[*columns, "converged", "suppressed", "precision"]),
        alt=" ".join([_alt(words, groups, rows, many), *notes]),
        caption=f"Estimated rates of {many}: the direct estimate, and below it those that borrow "
        f"strength from the other {many}, with {words.level} intervals. They are drawn towards "
        f"what the {many} have in common, and the more the fewer people answered. "
        f"{_spans(words, groups, rows)}",
    )


def _direct(table: pd.DataFrame, words: Words, kind: str) -> list[Row]:
    """Rows of the headline's estimator for the places, in the unit of each group's rate."""
    own = table[
        (table["estimator"] == words.headline["estimator"]) & (table["domain_type"] == kind)
    ]
    return [
        {**plain_row(row), "estimator": DIRECT}
        for row in own.to_dict("records")
        if row["group"] in words.groups and row["unit"] == words.groups[row["group"]]["per"]
    ]


def _names(rows: list[Row]) -> list[str]:
    """Estimators of the rows, the direct one first."""
    names = dict.fromkeys(str(row["estimator"]) for row in rows)
    return sorted(names, key=lambda name: name != DIRECT)


def _left_out(rows: list[Row]) -> set[tuple[str, str]]:
    """Find groups and estimators of which all is withheld, where another estimator has a number."""
    found = set()
    for group in dict.fromkeys(row["group"] for row in rows):
        mine = [row for row in rows if row["group"] == group]
        shown = {row["estimator"] for row in mine if not suppressed(row)}
        found |= {(group, row["estimator"]) for row in mine if row["estimator"] not in shown}
        if not shown:
            found -= {(group, row["estimator"]) for row in mine}
    return found


def _notes(words: Words, rows: list[Row], hidden: set[tuple[str, str]], kind: str) -> list[str]:
    """Say which estimators a panel lacks, and why."""
    notes = []
    for group, name in sorted(hidden):
        mine = [row for row in rows if (row["group"], row["estimator"]) == (group, name)]
        reasons = dict.fromkeys(suppressed(row) for row in mine)
        why = f"suppressed ({', '.join(REASONS.get(reason, reason) for reason in reasons)})"
        if "complementary" in reasons:
            why = f"its rows could reveal withheld {words.kind(kind)['many']}"
        notes.append(f"{words.short(group)}: {_name(words, name)} is left out: {why}.")
    return notes


def _by_place(rows: list[Row]) -> dict[str, list[Row]]:
    places: dict[str, list[Row]] = {}
    for row in rows:
        places.setdefault(str(row["domain"]), []).append(row)
    return places


def _entry(rows: list[Row], looks: Mapping[str, tuple[str, str]]) -> Entry:
    by_estimator = {str(row["estimator"]): row for row in rows}
    parts = []
    for name, (colour, marker) in looks.items():
        row = by_estimator.get(name, {})
        filled = row.get("converged") is not False
        parts.append(Entry("", row, colour=colour, marker=marker, filled=filled))
    first, *beside = parts
    return Entry("", first.row, colour=first.colour, beside=beside)


def _name(words: Words, name: str) -> str:
    return "Direct estimate" if name == DIRECT else words.estimator(name)


def _key(
    words: Words,
    rows: list[Row],
    looks: Mapping[str, tuple[str, str]],
    panels: list[Panel],
    *,
    nation: bool,
) -> list[tuple[str, str]]:
    parts = [(f"{marker}:{colour}", _name(words, name)) for name, (colour, marker) in looks.items()]
    if any(row.get("converged") is False for row in rows):
        parts.append(("hollow", "a model that has not converged there, or an imprecise estimate"))
    shown = {kind for kind, _ in parts}
    every = float("inf")
    parts += [
        part
        for part in marks_used(rows, words, every)
        if part[0] in ("hollow", "line", "suppressed") and part[0] not in shown
    ]
    if any(_reaches_beyond(panel) for panel in panels):
        parts.append(("beyond", "goes on beyond the scale"))
    if nation:
        parts += [("dash", "national estimate"), ("band", f"national {words.level} interval")]
    return parts


def _reaches_beyond(panel: Panel) -> bool:
    rows = [part.row for entry in panel.entries for part in (entry, *entry.beside)]
    uppers = [row["upper"] for row in rows if row and not suppressed(row)]
    return any(is_known(upper) and float(upper) > panel.scale[1] for upper in uppers)


def _spans(words: Words, groups: list[str], rows: list[Row]) -> str:
    """Say for each group how far apart the places lie by each estimator."""
    said = []
    for group in groups:
        mine = [row for row in rows if row["group"] == group]
        parts = []
        for name in _names(mine):
            ends = _ends([row for row in mine if row["estimator"] == name])
            parts += [f"{in_sentence(_name(words, name))} {' to '.join(ends)}"] if ends else []
        text = ", ".join(parts) or "nothing that may be shown"
        said.append(f"{words.short(group)}, {words.denominator(group)}: {text}")
    return ". ".join(said)


def _alt(words: Words, groups: list[str], rows: list[Row], many: str) -> str:
    said = []
    for group in groups:
        mine = [row for row in rows if row["group"] == group]
        parts = [
            _range(_name(words, name), [r for r in mine if r["estimator"] == name], many)
            for name in _names(mine)
        ]
        said.append(f"{words.label(group)}, {words.denominator(group)}. {' '.join(parts)}")
    start = f"Direct estimates of {many} beside those that borrow strength, in a fixed order."
    return " ".join([start, *said])


def _numbered(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not suppressed(row) and is_known(row.get("estimate"))]


def _ends(rows: list[Row]) -> list[str]:
    """Write the least and the largest estimate; nothing where none may be shown."""
    shown = _numbered(rows)
    if not shown:
        return []
    low, high = (pick(shown, key=lambda row: float(row["estimate"])) for pick in (min, max))
    return [written(low, "estimate"), written(high, "estimate")]


def _range(name: str, rows: list[Row], many: str) -> str:
    """Say how far an estimator's estimates of the places lie apart."""
    shown = _numbered(rows)
    if not shown:
        return f"{name}: none of {len(rows)} {many} shown."
    text = f"{name}: from {' to '.join(_ends(rows))}"
    if len(shown) < len(rows):
        text += f", {len(shown)} of {len(rows)} {many} shown"
    failed = sum(row.get("converged") is False for row in rows)
    return f"{text}, {failed} not converged." if failed else f"{text}."
