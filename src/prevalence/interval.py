"""Confidence intervals of positive quantities: log scale, gamma, plain, percentile, at zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import check_known

Array = NDArray[np.float64]

INTERVALS = ("log_t", "gamma_mid_p", "t", "percentile")
HALVINGS = 60  # of the bracket in which a quantile lies: to the last digit


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
    kind: str,
    estimate: Array,
    std_error: Array,
    df: Array,
    *,
    level: float,
    replicates: Array,
    largest_share: Array | None = None,
) -> tuple[Array, Array]:
    """Confidence limits of several estimates.

    Parameters
    ----------
    kind
        ``log_t``: ``exp(log R ± t_df * se / R)``, which is what is released; ``t``:
        ``R ± t_df * se``; ``percentile``: quantiles of the replicates; ``gamma_mid_p``: see
        :func:`gamma_mid_p_interval`.
    estimate, std_error, df
        Shape (q,).
    level
        Confidence level.
    replicates
        Replicate estimates, shape (B, q).
    largest_share
        Share of the largest PSU in the numerator, shape (q,), for ``gamma_mid_p``.

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
    check_known(kind, INTERVALS, "A kind of interval is unknown.", place="headline.interval")
    if kind == "percentile":
        tails = np.quantile(replicates, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return tails[0], tails[1]
    if kind == "gamma_mid_p":
        share = np.full(np.shape(estimate), np.nan) if largest_share is None else largest_share
        return gamma_mid_p_interval(estimate, std_error, df, share, level)
    half = t_quantile(level, df) * std_error
    if kind == "t":
        return estimate - half, estimate + half
    positive = estimate > 0
    # An interval wider than e^300 says nothing; the bound keeps the arithmetic finite.
    width = np.minimum(np.where(positive, half, np.nan) / np.where(positive, estimate, 1.0), 300.0)
    return estimate * np.exp(-width), estimate * np.exp(width)


def gamma_mid_p_interval(
    estimate: Array, std_error: Array, df: Array, largest_share: Array, level: float
) -> tuple[Array, Array]:
    """Mid-p gamma limits, which allow for one more PSU like the largest.

    The estimate, in units of itself, is 1 with relative variance ``v``; the largest PSU brings the
    share ``k`` of the weighted reports. The limits are quantiles of an even mixture of two gamma
    distributions, one of mean 1 and variance ``v``, one of mean ``1 + k`` and variance
    ``v + k^2``. A sample that missed the few places with many members has too small an estimate
    and too small a standard error at once; ``k`` says how much one place can bring.

    Parameters
    ----------
    estimate, std_error, df
        Shape (q,). ``v`` is the square of ``std_error / estimate``, raised by the square of
        Student's over the normal quantile.
    largest_share
        ``k``, shape (q,), between 0 and 1.
    level
        Two-sided confidence level.

    Returns
    -------
    lower, upper : numpy.ndarray
        Shape (q,); NaN where there is no estimate above 0, standard error, share, or degree of
        freedom. With equal weights and one report a PSU they are the mid-p limits of a Poisson
        count.

    Notes
    -----
    Fay & Feuer 1997, *Statistics in Medicine* 16:791, and in its mid-p form Fay & Kim 2017,
    *Biometrical Journal*, doi:10.1002/bimj.201600111, for sums of weighted Poisson counts. That
    PSUs take the place of counts, and the design's variance that of the sum of squared weights, is
    this project's own.
    """
    from scipy.special import gammainc, gammaincinv, ndtri

    inflation = t_quantile(level, df) / ndtri(0.5 + level / 2)
    usable = (estimate > 0) & (std_error >= 0) & (largest_share >= 0) & np.isfinite(inflation)
    ratio = np.where(usable, std_error, 1.0) / np.where(usable, estimate, 1.0)
    # Without any variance both limits are those of a variance that is next to nothing.
    variance = np.maximum((ratio * np.where(usable, inflation, 1.0)) ** 2, 1e-12)
    share = np.where(usable, largest_share, 0.0)
    shapes = 1 / variance, (1 + share) ** 2 / (variance + share**2)
    scales = variance, (variance + share**2) / (1 + share)
    limits = []
    for probability in (0.5 - level / 2, 0.5 + level / 2):
        ends = [
            scale * gammaincinv(shape, probability)
            for shape, scale in zip(shapes, scales, strict=True)
        ]
        below, above = np.minimum(*ends), np.maximum(*ends)
        for _ in range(HALVINGS):
            middle = (below + above) / 2
            reached = sum(
                gammainc(shape, middle / scale) / 2
                for shape, scale in zip(shapes, scales, strict=True)
            )
            below = np.where(reached < probability, middle, below)
            above = np.where(reached < probability, above, middle)
        limits.append(np.where(usable, estimate * (below + above) / 2, np.nan))
    return limits[0], limits[1]


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
