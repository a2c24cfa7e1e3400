"""Which cells and rows of the headline table are withheld, for the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prevalence.disclosure.rules import records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cell", "Withheld", "withheld_cells"]

Cell = tuple[str, str, str]  # group, type of domain, domain


@dataclass(frozen=True)
class Withheld:
    """What of the headline table may not be shown.

    Parameters
    ----------
    cells
        Cells (group, type of domain, domain) of which no number may be shown, by any estimator.
    rows
        Rows (group, type of domain, domain, estimator, unit) that are withheld for themselves, such
        as a sum over domains that would give another cell away.
    """

    cells: frozenset[Cell] = frozenset()
    rows: frozenset[tuple[str, str, str, str, str]] = frozenset()

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether no number of a row of data may be shown.

        Parameters
        ----------
        row
            Texts by column: `group`, `domain_type`, `domain`, and `estimator` and `unit` where the
            data have them.

        Returns
        -------
        bool
            True where the row's cell is withheld; also where the row of its estimator is: of any
            unit, if the data name none.
        """
        cell = (str(row["group"]), str(row["domain_type"]), str(row["domain"]))
        if cell in self.cells:
            return True
        estimator, unit = str(row.get("estimator", "")), str(row.get("unit", ""))
        if not estimator:
            return False
        if unit:
            return (*cell, estimator, unit) in self.rows
        return any(key[:4] == (*cell, estimator) for key in self.rows)

    @property
    def places(self) -> frozenset[str]:
        """Names of all domains of which something is withheld."""
        return frozenset(key[2] for key in (*self.cells, *self.rows))


def withheld_cells(tables: Mapping[str, pd.DataFrame], headline: str) -> Withheld:
    """Read from the headline table what is withheld.

    Parameters
    ----------
    tables
        Released tables by name.
    headline
        The pre-specified estimator: a cell is withheld where one of its rows is. A cell without
        such a row is withheld where any of its rows is.

    Returns
    -------
    Withheld
        Nothing if there is no table `scale_up`.
    """
    table = tables.get("scale_up")
    if table is None:
        return Withheld()
    own: set[Cell] = set()
    cells: dict[bool, set[Cell]] = {True: set(), False: set()}
    rows = set()
    suppressed = table["suppressed"].astype(object).fillna("") != ""
    for row, gone in zip(records(table), suppressed, strict=True):
        cell = (str(row["group"]), str(row["domain_type"]), str(row["domain"]))
        estimator = str(row["estimator"])
        if estimator == headline:
            own.add(cell)
        if gone:
            cells[estimator == headline].add(cell)
            rows.add((*cell, estimator, str(row["unit"])))
    return Withheld(frozenset(cells[True] | (cells[False] - own)), frozenset(rows))
