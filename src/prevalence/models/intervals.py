"""Answers of which only an interval is known: top-coded ones, ``Y ≥ cap``, and binned ones.

Such a cell adds ``log P(lower ≤ Y ≤ upper)`` to a log-likelihood whose other cells are exact. The
probability is a sum of the distribution's terms, by their ratios; of an open interval it is 1 less
the terms below, unless that is next to nothing. Derivatives are the terms' scores, averaged over
the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError
from prevalence.models.compiled import compiled

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# What is left above the terms below is a difference from 1: smaller than this, it is summed itself.
LEAST_COMPLEMENT = 1e-6
MOST_TERMS = 200_000
RESCALED = 1e100
OPEN_FACTOR = 1.5  # an open interval's stand-in where only a rough count is needed


@dataclass(frozen=True)
class Intervals:
    """Cells of a table of counts that are known to lie in an interval.

    Parameters
    ----------
    rows, columns
        Respondent and group of each cell, shape (C,).
    lower, upper
        Smallest and largest count that the answer admits, shape (C,); `upper` may be infinite.
    """

    rows: Index
    columns: Index
    lower: Array
    upper: Array

    def __post_init__(self) -> None:
        """Refuse intervals that hold no two counts."""
        whole = (self.lower == np.floor(self.lower)) & (self.upper == np.floor(self.upper))
        bad = ~((self.lower >= 0) & (self.upper > self.lower) & whole)
        if bad.any():
            raise PipelineError(
                "Intervals of counts are none.",
                found=f"{int(bad.sum())} cells",
                allowed="whole numbers from 0, the upper one above the lower one",
                remedy="Mend the codebook's values of the binned questions.",
            )

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.rows)

    @property
    def stand_in(self) -> Array:
        """A rough count for each cell: the middle, or half as much again as an open one's start."""
        middle = (self.lower + np.where(np.isfinite(self.upper), self.upper, 0.0)) / 2
        return np.where(np.isfinite(self.upper), middle, OPEN_FACTOR * np.maximum(self.lower, 1.0))


def no_intervals() -> Intervals:
    """Give a table's intervals where every answer is exact."""
    nothing, none = np.zeros(0, np.int64), np.zeros(0)
    return Intervals(nothing, nothing, none, none)


@compiled
def _negative_binomial(
    lower: float, upper: float, size: float, log_p: float, log_1p: float
) -> tuple[float, float, float]:
    """Log probability of an interval, and its derivatives by ``log size`` and ``logit p``.

    Terms are ``Γ(c+j)/(Γ(c) j!) p^c (1−p)^j`` with ``c`` the size: the mean is ``c (1−p)/p``.
    """
    p, q = math.exp(log_p), math.exp(log_1p)
    log_term = size * log_p
    by_size = size * log_p  # derivative of the term's logarithm by log c: c (Σ 1/(c+i) + log p)
    below, below_size, below_logit = 0.0, 0.0, 0.0
    start = int(lower)
    for j in range(start):
        term = math.exp(log_term)
        below += term
        below_size += term * by_size
        below_logit += term * (size * q - j * p)
        log_term += math.log((size + j) / (j + 1)) + log_1p
        by_size += size / (size + j)
    if math.isinf(upper) and 1.0 - below > LEAST_COMPLEMENT:
        above = 1.0 - below
        return math.log(above), -below_size / above, -below_logit / above
    term, total, total_size, total_logit, scaled = 1.0, 0.0, 0.0, 0.0, 0.0
    j = start
    while True:
        total += term
        total_size += term * by_size
        total_logit += term * (size * q - j * p)
        if j >= upper or j - start >= MOST_TERMS:
            break
        ratio = (size + j) / (j + 1) * q
        most = max(ratio, q)  # of all ratios from here on
        if most < 1.0 and term * ratio < 1e-17 * total * (1.0 - most):
            break
        term *= ratio
        by_size += size / (size + j)
        j += 1
        if term > RESCALED:
            term /= RESCALED
            total /= RESCALED
            total_size /= RESCALED
            total_logit /= RESCALED
            scaled += math.log(RESCALED)
    return log_term + scaled + math.log(total), total_size / total, total_logit / total


@compiled
def _poisson(lower: float, upper: float, log_mean: float) -> tuple[float, float]:
    """Log probability of an interval, and its derivative by the log mean."""
    mean = math.exp(log_mean)
    log_term, below, below_mean = -mean, 0.0, 0.0
    start = int(lower)
    for j in range(start):
        term = math.exp(log_term)
        below += term
        below_mean += term * (j - mean)
        log_term += log_mean - math.log(j + 1)
    if math.isinf(upper) and 1.0 - below > LEAST_COMPLEMENT:
        return math.log(1.0 - below), -below_mean / (1.0 - below)
    term, total, total_mean, scaled = 1.0, 0.0, 0.0, 0.0
    j = start
    while True:
        total += term
        total_mean += term * (j - mean)
        ratio = mean / (j + 1)
        if j >= upper or j - start >= MOST_TERMS:
            break
        if ratio < 1.0 and term * ratio < 1e-17 * total * (1.0 - ratio):
            break
        term *= ratio
        j += 1
        if term > RESCALED:
            term /= RESCALED
            total /= RESCALED
            total_mean /= RESCALED
            scaled += math.log(RESCALED)
    return log_term + scaled + math.log(total), total_mean / total


@compiled
def negative_binomial_intervals(
    lower: Array, upper: Array, size: Array, log_p: Array, log_1p: Array, out: Array
) -> None:
    """Evaluate intervals under negative binomial distributions.

    Parameters
    ----------
    lower, upper
        Shape (C,).
    size, log_p, log_1p
        Size, and logarithms of the success probability and of its complement, shape (C,).
    out
        Shape (3, C), filled: log probability, derivatives by ``log size`` and by ``logit p``.
    """
    for cell in range(len(lower)):
        value, by_size, by_logit = _negative_binomial(
            lower[cell], upper[cell], size[cell], log_p[cell], log_1p[cell]
        )
        out[0, cell], out[1, cell], out[2, cell] = value, by_size, by_logit


@compiled
def poisson_intervals(lower: Array, upper: Array, log_mean: Array, out: Array) -> None:
    """Evaluate intervals under Poisson distributions.

    Parameters
    ----------
    lower, upper, log_mean
        Shape (C,).
    out
        Shape (2, C), filled: log probability, derivative by the log mean.
    """
    for cell in range(len(lower)):
        value, slope = _poisson(lower[cell], upper[cell], log_mean[cell])
        out[0, cell], out[1, cell] = value, slope


def add_poisson(cells: Intervals, log_mean: Array, weights: Array) -> tuple[float, Array]:
    """Log-likelihood of interval cells with Poisson counts.

    Parameters
    ----------
    cells
        The cells.
    log_mean
        Of each, shape (C,).
    weights
        Of the respondents, shape (n,).

    Returns
    -------
    value : float
        Weighted sum of log probabilities.
    slope : numpy.ndarray
        Weighted derivative by each cell's log mean, shape (C,).
    """
    out = np.empty((2, len(cells)))
    poisson_intervals(cells.lower, cells.upper, log_mean, out)
    weight = weights[cells.rows]
    return float(weight @ out[0]), weight * out[1]


def add_overdispersed(
    cells: Intervals, log_size: Array, log_p: Array, log_1p: Array, weights: Array
) -> tuple[float, Array, Array]:
    """Log-likelihood of interval cells whose counts have variance ``ω`` times the mean.

    Parameters
    ----------
    cells
        The cells.
    log_size
        ``α_i + log q_k`` of each, shape (C,).
    log_p, log_1p
        ``log 1/ω_k`` and ``log(1 − 1/ω_k)``, shape (K,).
    weights
        Of the respondents, shape (n,).

    Returns
    -------
    value : float
        Weighted sum of log probabilities.
    by_size, by_logit : numpy.ndarray
        Weighted derivatives by each cell's log size and by ``logit 1/ω``, shape (C,).
    """
    out = np.empty((3, len(cells)))
    size, k = np.exp(log_size), cells.columns
    negative_binomial_intervals(cells.lower, cells.upper, size, log_p[k], log_1p[k], out)
    weight = weights[cells.rows]
    return float(weight @ out[0]), weight * out[1], weight * out[2]


def add_fixed_size(
    cells: Intervals, log_mean: Array, log_size: Array, weights: Array
) -> tuple[float, Array, Array]:
    """Log-likelihood of interval cells with a size ``w_k`` and any mean (NegBin2).

    Parameters
    ----------
    cells
        The cells.
    log_mean, log_size
        Of each, shape (C,).
    weights
        Of the respondents, shape (n,).

    Returns
    -------
    value : float
        Weighted sum of log probabilities.
    by_mean, by_size : numpy.ndarray
        Weighted derivatives by each cell's log mean and log size, shape (C,).
    """
    out = np.empty((3, len(cells)))
    both = np.logaddexp(log_mean, log_size)
    negative_binomial_intervals(
        cells.lower, cells.upper, np.exp(log_size), log_size - both, log_mean - both, out
    )
    weight = weights[cells.rows]
    # p = w/(w + λ): its logit is log w − log λ.
    return float(weight @ out[0]), -weight * out[2], weight * (out[1] + out[2])
