"""Confidence intervals of positive quantities: on the log scale, plain, by percentile, at zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError, suggestion

Array = NDArray[np.float64]

INTERVALS = ("log_t", "t", "percentile")


def t_quantile(level: float, df: Array) -> Array:
    """Two-sided quantile of Student's *t*; NaN below one degree of freedom.

    Parameters
    ----------
    level
        Confidence level, such as 0.95.
    df
        Degrees of freedom, any shape.

    Returns
    -------
    numpy.ndarray
        The quantile, same shape.
    """
    from scipy.special import stdtrit

    enough = df >= 1
    quantile = stdtrit(np.where(enough, df, 1.0), 0.5 + level / 2)
    return np.where(enough, quantile, np.nan)


def confidence_interval(
    kind: str, estimate: Array, std_error: Array, df: Array, *, level: float, replicates: Array
) -> tuple[Array, Array]:
    """Confidence limits of several estimates.

    Parameters
    ----------
    kind
        ``log_t``: ``exp(log R ± t_df * se / R)``, which is what is released; ``t``:
        ``R ± t_df * se``; ``percentile``: quantiles of the replicates.
    estimate, std_error, df
        Shape (q,).
    level
        Confidence level.
    replicates
        Replicate estimates, shape (B, q).

    Returns
    -------
    lower, upper : numpy.ndarray
        Shape (q,); NaN where there is no standard error, no degree of freedom, or, on the log
        scale, no estimate above 0.

    Raises
    ------
    PipelineError
        If the interval has no such name.
    """
    if kind not in INTERVALS:
        raise PipelineError(
            "A kind of interval is unknown.",
            place="headline.interval",
            found=kind,
            allowed=", ".join(INTERVALS),
            remedy=suggestion(kind, INTERVALS),
        )
    if kind == "percentile":
        tails = np.quantile(replicates, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return tails[0], tails[1]
    half = t_quantile(level, df) * std_error
    if kind == "t":
        return estimate - half, estimate + half
    positive = estimate > 0
    # An interval wider than e^300 says nothing; the bound keeps the arithmetic finite.
    width = np.minimum(np.where(positive, half, np.nan) / np.where(positive, estimate, 1.0), 300.0)
    return estimate * np.exp(-width), estimate * np.exp(width)


def zero_report_limit(exposure: Array, design_effect: float, level: float) -> Array:
    """Upper limit of a prevalence where no respondent reports anybody.

    Parameters
    ----------
    exposure
        Sum of the degrees of those who answered, in persons: the number of people looked at.
    design_effect
        How much more variable reports are than a Poisson count, learnt from the known groups.
    level
        Two-sided confidence level; at 0.95 the limit is ``3.69 * design_effect / exposure``.

    Returns
    -------
    numpy.ndarray
        Upper limits as shares of the population; NaN without exposure.
    """
    limit = -np.log((1 - level) / 2) * design_effect
    return np.where(exposure > 0, limit / np.where(exposure > 0, exposure, 1.0), np.nan)
