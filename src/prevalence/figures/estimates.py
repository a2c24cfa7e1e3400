"""The national estimates and truths that several figures show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import plain_row
from prevalence.figures.words import Words

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
