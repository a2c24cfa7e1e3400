"""The national estimates and truths that several figures show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import Entry, farthest, plain_row, suppressed
from prevalence.figures.words import Words
from prevalence.report.wording import written

if TYPE_CHECKING:
    import pandas as pd


def national_headline(table: pd.DataFrame, words: Words, unit: str = "") -> dict[str, Any]:
    """National rows of the headline's estimator, by hidden group.

    Parameters
    ----------
    table
        The released scale-up table.
    words
        The survey's words.
    unit
        ``persons`` if not given.

    Returns
    -------
    dict
        A row of plain values for each group that the table has.
    """
    rows = table[
        (table["estimator"] == words.headline["estimator"])
        & (table["domain_type"] == "national")
        & (table["unit"] == (unit or "persons"))
        & table["group"].isin(list(words.groups))
    ]
    return {str(row["group"]): plain_row(row) for row in rows.to_dict("records")}


def planted(tables: Mapping[str, pd.DataFrame], words: Words, unit: str) -> dict[str, float]:
    """Planted truth of a synthetic survey, nationally, by hidden group."""
    table = tables.get("validation")
    if not words.synthetic or table is None or not len(table):
        return {}
    national = table[(table["domain_type"] == "national") & (table["unit"] == unit)]
    known = national[national["truth"].notna()]
    return dict(zip(known["group"], known["truth"].astype(float), strict=True))


def national_rate(table: pd.DataFrame, words: Words, group: str) -> dict[str, Any]:
    """Give the headline's national rate of a group; nothing where no number may be shown."""
    unit = words.groups[group]["per"]
    row = national_headline(table, words, unit).get(group) or {}
    return {} if not row or suppressed(row) or row.get("estimate") is None else row


def against_nation(
    table: pd.DataFrame, words: Words, group: str, entries: Sequence[Entry]
) -> dict[str, Any]:
    """Scale, line and band of a panel that sets places beside the nation.

    Parameters
    ----------
    table
        The released scale-up table.
    words
        The survey's words.
    group
        The hidden group.
    entries
        The rows of the panel.

    Returns
    -------
    dict
        `scale` from zero and, where the nation's rate may be shown, `line`, `line_text`, `band`.
    """
    nation = national_rate(table, words, group)
    if not nation:
        return {"scale": (0.0, farthest(entries))}
    return {
        "scale": (0.0, farthest(entries, float(nation["upper"]))),
        "line": float(nation["estimate"]),
        "line_text": f"nation {written(nation, 'estimate')}",
        "band": (float(nation["lower"]), float(nation["upper"])),
    }
