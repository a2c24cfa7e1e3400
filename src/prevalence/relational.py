"""Aggregated relational data (ARD): how many people each respondent knows in each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError, check_known

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Counts = Mapping[str, Array]


def count_columns(ard: pd.DataFrame, respondents: Sequence[str]) -> dict[str, Array]:
    """Spread the long table of counts into one array a group.

    Parameters
    ----------
    ard
        Long table with `respondent`, `group`, `count`; a count is NaN where it is missing.
    respondents
        Ids in the order of the weights.

    Returns
    -------
    dict of str to numpy.ndarray
        Counts of people known, shape (n,), by group in the order of first appearance.

    Raises
    ------
    PipelineError
        If the table holds respondents that have no weight.
    """
    import pandas as pd

    ids = ard["respondent"]
    if isinstance(ids.dtype, pd.CategoricalDtype):  # each id is looked up once
        places = pd.Index(respondents).get_indexer(pd.Index(ids.cat.categories))
        rows = np.append(places, -1)[ids.cat.codes.to_numpy()]
    else:
        rows = pd.Index(respondents).get_indexer(pd.Index(ids))
    if (rows < 0).any():
        raise PipelineError(
            "The counts hold respondents that the weights don't have.",
            place="respondent",
            found=f"{int((rows < 0).sum())} rows",
            remedy="Run snakemake again from the clean stage.",
        )
    codes, groups = pd.factorize(ard["group"], sort=False)
    table = np.full((len(groups), len(respondents)), np.nan)
    table[codes, rows] = ard["count"].to_numpy(dtype=float, na_value=np.nan)
    return {str(group): table[code] for code, group in enumerate(groups)}


def stacked(counts: Counts, groups: Sequence[str]) -> Array:
    """Put the counts of the named groups side by side, shape (n, K).

    Raises
    ------
    PipelineError
        If the data have no such group.
    """
    check_known(groups, counts, "A group is not among the counts.", place="known_groups")
    return np.column_stack([counts[group] for group in groups])


def capped(counts: Array, cap: float | None) -> Array:
    """Set each answer above the cap (a top code) to the cap; None caps nothing."""
    return counts if cap is None else np.minimum(counts, cap)


def quantile_cap(counts: Array, share: float) -> float:
    """Find the quantile of a group's answers that published code uses as its top code.

    Parameters
    ----------
    counts
        People known, shape (n,); NaN where missing.
    share
        Such as 0.95. The cap is found once on the full sample and then frozen.

    Returns
    -------
    float
        The cap, at least 1: with a cap of 0 a rare group would count as known by nobody.
    """
    answers = counts[~np.isnan(counts)]
    return max(float(np.quantile(answers, share)), 1.0) if answers.size else 1.0
