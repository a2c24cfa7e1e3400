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
UPPER = 0.975


def statistics(table: Array, weights: Array | None = None) -> Array:
    """Summarise counts by group.

    Parameters
    ----------
    table
        Shape (n, K); NaN where missing.
    weights
        Of the respondents, shape (n,), on any scale; all alike by default.

    Returns
    -------
    numpy.ndarray
        Shape (4, K): share of zeros, mean, variance over mean, 97.5th percentile. With weights
        each is that of the people for whom the respondents stand, and the percentile is the least
        count at or below which that share of the weights lies.
    """
    if weights is not None:
        return _weighted_statistics(table, weights)
    answered = (~np.isnan(table)).sum(axis=0)
    mean = np.nanmean(table, axis=0)
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        spread = np.nanvar(table, axis=0) / mean
    return np.array(
        [(table == 0).sum(axis=0) / answered, mean, spread, np.nanquantile(table, UPPER, axis=0)]
    )


def _weighted_statistics(table: Array, weights: Array) -> Array:
    answered = ~np.isnan(table)
    share = answered * weights[:, None]
    share /= share.sum(axis=0)
    filled = np.nan_to_num(table)
    mean = (share * filled).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (share * (filled - mean) ** 2).sum(axis=0) / mean
    upper = [
        np.quantile(column[there], UPPER, weights=weights[there], method="inverted_cdf")
        for column, there in zip(table.T, answered.T, strict=True)
    ]
    return np.array([(share * (table == 0)).sum(axis=0), mean, spread, upper])


def predictive_table(
    model: Simulator,
    counts: CountTable,
    parameters: Array,
    generator: np.random.Generator,
    level: float = 0.95,
    weights: Array | None = None,
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
    weights
        Survey weights of a weighted model, shape (n,). Such a model is of the population, and not
        of its sample: answers and drawn data are summarised as weighted ones.

    Returns
    -------
    pandas.DataFrame
        Columns `group`, `statistic`, `observed`, `predicted` (median), `lower`, `upper` (limits),
        `tail` (share of draws at or above the observed value, ties by half).
    """
    import pandas as pd

    drawn = np.array(
        [statistics(counts.coarsened(model.simulate(x, generator)), weights) for x in parameters]
    )
    truth = statistics(counts.coarsened(counts.lowest), weights)
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
