"""Counts of people known, arranged for likelihoods in which zeros cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError, listed

Array = NDArray[np.float64]
Index = NDArray[np.int64]
LARGEST_COUNT = 1_000_000


@dataclass(frozen=True)
class CountTable:
    """Counts by respondent and group.

    Parameters
    ----------
    groups
        Names of the ``K`` groups.
    table
        Counts, shape (n, K); NaN where missing.
    """

    groups: tuple[str, ...]
    table: Array

    def __post_init__(self) -> None:
        """Refuse what no count model can take."""
        check_counts(self.table, self.groups)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which cells were answered, shape (n, K)."""
        return ~np.isnan(self.table)

    def cells(self, minimum: float) -> tuple[Index, Index, Array]:
        """Row, column and count of the cells that hold `minimum` or more."""
        rows, columns = np.nonzero(np.nan_to_num(self.table) >= minimum)
        return rows.astype(np.int64), columns.astype(np.int64), self.table[rows, columns]


def check_counts(table: Array, groups: Sequence[str]) -> None:
    """Check that a table holds counts, and enough of them to fit a model.

    Parameters
    ----------
    table
        Shape (n, K); NaN where missing.
    groups
        Names of the columns.

    Raises
    ------
    PipelineError
        If there are no respondents or groups, a group was answered by nobody, or a cell holds no
        count.
    """
    if table.ndim != 2 or 0 in table.shape:
        raise PipelineError(
            "There is nothing to fit a model to.",
            found=f"a table of shape {table.shape}",
            allowed="one respondent and one group at least",
            remedy="Name the groups in headline.known_groups and estimate.hidden_groups.",
        )
    empty = np.atleast_1d(np.isnan(table).all(axis=0))
    unanswered = [group for group, nobody in zip(groups, empty, strict=True) if nobody]
    if unanswered:
        raise PipelineError(
            "No respondent answered about a group.",
            found=listed(unanswered),
            allowed="one answer at least",
            remedy="Take the group out of model.known_groups, or mend the codebook.",
        )
    answers = table[~np.isnan(table)]
    bad = (answers < 0) | (answers != np.floor(answers)) | (answers > LARGEST_COUNT)
    if bad.any():
        raise PipelineError(
            "The models need whole, non-negative counts.",
            found=f"{int(bad.sum())} cells that are none",
            allowed=f"0, 1, 2, … up to {LARGEST_COUNT}, or missing",
            remedy="Mend the codebook's range or missing codes, or set a top code.",
        )
