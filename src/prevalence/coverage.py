"""How often intervals hold the truth over many simulated surveys, and with what error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

KEYS = ("estimator", "group", "domain", "interval", "variance")
VALUES = ("truth", "estimate", "std_error", "lower", "upper", "n_reporting")


def monte_carlo_interval(hits: Array, trials: Array, level: float = 0.95) -> tuple[Array, Array]:
    """Clopper-Pearson interval of a coverage that was found by simulation.

    Parameters
    ----------
    hits, trials
        Surveys whose interval held the truth, and surveys, shape (q,).
    level
        Confidence level.

    Returns
    -------
    lower, upper : numpy.ndarray
        Shape (q,).
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    misses = trials - hits
    lower = np.where(hits > 0, betaincinv(np.maximum(hits, 1), misses + 1, tail), 0.0)
    upper = np.where(misses > 0, betaincinv(hits + 1, np.maximum(misses, 1), 1 - tail), 1.0)
    return lower, upper


def coverage_table(
    keys: Sequence[Sequence[str]], values: Array, *, oracle: str, reference: tuple[str, str]
) -> pd.DataFrame:
    """Summarise the estimates of many surveys of one world.

    Parameters
    ----------
    keys
        (estimator, group, domain, interval, variance) of each row.
    values
        Shape (surveys, rows, 6): truth, estimate, std_error, lower, upper, n_reporting.
    oracle
        The estimator that knows the degrees: widths are shown beside its own.
    reference
        Interval and variance of the oracle's width.

    Returns
    -------
    pandas.DataFrame
        For each row: surveys, how many had no interval (they count as missed), the truth, mean
        estimate, bias relative to the truth and in empirical standard deviations, mean standard
        error over empirical standard deviation (and the root of the mean square, which is 1 where
        the variance estimator is unbiased however long its tail), coverage with its Monte Carlo
        interval, median width over the oracle's, and mean number of respondents with a report.
    """
    import pandas as pd

    truth, estimate, error, lower, upper, reporting = np.moveaxis(values, 2, 0)
    surveys = len(values)
    held = (lower <= truth) & (truth <= upper)
    deviation = estimate.std(axis=0, ddof=1)
    bias = estimate.mean(axis=0) - truth.mean(axis=0)
    hits = held.sum(axis=0).astype(float)
    low, high = monte_carlo_interval(hits, np.full(len(hits), float(surveys)))
    width = np.median(np.nan_to_num(upper - lower, nan=np.inf), axis=0)
    of_oracle = {
        (key[1], key[2]): width[place]
        for place, key in enumerate(keys)
        if key[0] == oracle and (key[3], key[4]) == reference
    }
    table = pd.DataFrame([tuple(key) for key in keys], columns=list(KEYS))
    return table.assign(
        surveys=surveys,
        without_interval=np.isnan(lower).sum(axis=0),
        truth=truth.mean(axis=0),
        mean_estimate=estimate.mean(axis=0),
        relative_bias=bias / truth.mean(axis=0),
        bias_in_sd=bias / deviation,
        empirical_sd=deviation,
        se_over_sd=error.mean(axis=0) / deviation,
        rms_se_over_sd=np.sqrt((error**2).mean(axis=0)) / deviation,
        coverage=hits / surveys,
        coverage_lower=low,
        coverage_upper=high,
        width_over_oracle=[
            width[place] / of_oracle.get((key[1], key[2]), np.nan) for place, key in enumerate(keys)
        ],
        mean_reporting=reporting.mean(axis=0),
    )
