"""Counts of people known, arranged for likelihoods in which zeros cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError, listed
from prevalence.models.intervals import Intervals, no_intervals

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
        Counts, shape (n, K); NaN where missing, or known as an interval only.
    intervals
        Answers of which only an interval is known; none by default.
    """

    groups: tuple[str, ...]
    table: Array
    intervals: Intervals = field(default_factory=no_intervals)

    def __post_init__(self) -> None:
        """Refuse what no count model can take."""
        cells = self.intervals
        if len(cells) and not np.isnan(self.table[cells.rows, cells.columns]).all():
            raise PipelineError(
                "An answer can't be a count and an interval at once.",
                allowed="a missing count where there is an interval",
                remedy="Run snakemake again from the clean stage.",
            )
        check_counts(self.rough, self.groups)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which cells hold a count, shape (n, K)."""
        return ~np.isnan(self.table)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which cells hold a count or an interval, shape (n, K)."""
        return ~np.isnan(self.lowest)

    @property
    def lowest(self) -> Array:
        """Counts with intervals at their lower end, shape (n, K)."""
        return self._filled(self.intervals.lower)

    @property
    def rough(self) -> Array:
        """Counts with a whole number in place of each interval, for first guesses only."""
        return self._filled(np.floor(self.intervals.stand_in))

    def _filled(self, values: Array) -> Array:
        if not len(self.intervals):
            return self.table
        filled = self.table.copy()
        filled[self.intervals.rows, self.intervals.columns] = values
        return filled

    def coarsened(self, counts: Array) -> Array:
        """Put counts as coarsely as the answers were given.

        Parameters
        ----------
        counts
            Shape (n, K); such as drawn ones.

        Returns
        -------
        numpy.ndarray
            A count that lies in an interval of its group becomes that interval's lower end.
        """
        cells = self.intervals
        coarse = counts.copy()
        found = np.unique(np.column_stack([cells.columns, cells.lower, cells.upper]), axis=0)
        for k, lower, upper in found:
            column = counts[:, int(k)]
            coarse[(column >= lower) & (column <= upper), int(k)] = lower
        return coarse

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
