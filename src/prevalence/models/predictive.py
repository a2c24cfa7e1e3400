"""Posterior predictive checks: does data drawn from the model look like the answers, by group."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from prevalence.models.counts import CountTable

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


class Simulator(Protocol):
    """A model that can draw data."""

    def simulate(self, x: Array, generator: np.random.Generator) -> Array:
        """Return counts drawn at parameters `x`, shape (n, K)."""
        ...


STATISTICS = ("zero_share", "mean", "variance_to_mean", "upper_percentile")


def statistics(table: Array) -> Array:
    """Summarise counts by group.

    Parameters
    ----------
    table
        Shape (n, K); NaN where missing.

    Returns
    -------
    numpy.ndarray
        Shape (4, K): share of zeros, mean, variance over mean, 97.5th percentile.
    """
    answered = (~np.isnan(table)).sum(axis=0)
    mean = np.nanmean(table, axis=0)
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        spread = np.nanvar(table, axis=0) / mean
    return np.array(
        [(table == 0).sum(axis=0) / answered, mean, spread, np.nanpercentile(table, 97.5, axis=0)]
    )


def predictive_table(
    model: Simulator,
    counts: CountTable,
    parameters: Array,
    generator: np.random.Generator,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare the answers with data drawn from the posterior.

    Parameters
    ----------
    model
        Draws data.
    counts
        The answers. Drawn counts are put as coarsely as they are: intervals of both stand at their
        lower ends.
    parameters
        Draws of the parameters, shape (draws, size); a hundred are enough.
    generator
        Random numbers.
    level
        Probability within the limits.

    Returns
    -------
    pandas.DataFrame
        Columns `group`, `statistic`, `observed`, `predicted` (median), `lower`, `upper` (limits),
        `tail` (share of draws at or above the observed value, ties by half).
    """
    import pandas as pd

    drawn = np.array(
        [statistics(counts.coarsened(model.simulate(x, generator))) for x in parameters]
    )
    truth = statistics(counts.coarsened(counts.lowest))
    rows = []
    for k, group in enumerate(counts.groups):
        for s, statistic in enumerate(STATISTICS):
            values = drawn[:, s, k]
            values = values[np.isfinite(values)]
            lower, middle, upper = (
                np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
                if len(values)
                else [np.nan] * 3
            )
            tail = (values > truth[s, k]).mean() + (values == truth[s, k]).mean() / 2
            rows.append(
                {
                    "group": group,
                    "statistic": statistic,
                    "observed": truth[s, k],
                    "predicted": middle,
                    "lower": lower,
                    "upper": upper,
                    "tail": tail if len(values) else np.nan,
                }
            )
    return pd.DataFrame(rows)
