"""Fay & Herriot (1979) on log direct rates: the design-based small-area check beside the models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FayHerriot:
    """Small-area estimates on the log scale.

    Parameters
    ----------
    estimate, std_error
        Empirical best predictors and the root of their mean squared errors, shape (m,).
    shrinkage
        Share of the direct estimate in each, shape (m,).
    between
        Variance between areas that the covariates leave.
    coefficients
        Of the covariates, intercept first.
    """

    estimate: Array
    std_error: Array
    shrinkage: Array
    between: float
    coefficients: Array


def smoothed_variances(variance: Array, exposure: Array) -> Array:
    """Smooth the variances of log rates by their regression on the log of exposure.

    Parameters
    ----------
    variance
        Direct variances of the log rates, shape (m,); NaN or 0 where none could be estimated.
    exposure
        What information grows with, such as the expected number of reports, shape (m,).

    Returns
    -------
    numpy.ndarray
        Shape (m,): noisy variances of small areas would else decide their own weight.

    Raises
    ------
    PipelineError
        If fewer than three areas have a direct variance.
    """
    usable = (variance > 0) & (exposure > 0)
    if usable.sum() < 3:
        raise PipelineError(
            "Too few areas have a direct variance for a small-area model.",
            found=f"{int(usable.sum())} areas",
            allowed="3 or more with a report each",
            remedy="Use larger areas, or leave the small-area model out.",
        )
    design = np.column_stack([np.ones(usable.sum()), np.log(exposure[usable])])
    target = np.log(variance[usable])
    line = np.linalg.lstsq(design, target, rcond=None)[0]
    # The mean of a log-normal is above its median: keep the sum of the variances.
    smooth = np.exp(line[0] + line[1] * np.log(np.maximum(exposure, 1e-12)))
    result: Array = smooth * variance[usable].sum() / smooth[usable].sum()
    return result


def fay_herriot(direct: Array, variance: Array, covariates: Array | None = None) -> FayHerriot:
    """Fit by restricted maximum likelihood and predict each area.

    Parameters
    ----------
    direct
        Direct estimates on the log scale, shape (m,); NaN where there is none (predicted only).
    variance
        Their (smoothed) sampling variances, shape (m,).
    covariates
        Shape (m, p), intercept not included.

    Returns
    -------
    FayHerriot
        Mean squared errors hold the uncertainty of coefficients and of the variance between areas
        (Prasad & Rao 1990, Datta & Lahiri 2000).
    """
    from scipy.optimize import minimize_scalar

    m = len(direct)
    design = np.column_stack([np.ones(m), *([] if covariates is None else covariates.T)])
    seen = ~np.isnan(direct)
    x, y, v = design[seen], direct[seen], variance[seen]

    def solved(between: float) -> tuple[Array, Array, Array]:
        inverse = 1 / (between + v)
        covariance = np.linalg.inv(x.T @ (inverse[:, None] * x))
        return covariance @ (x.T @ (inverse * y)), covariance, inverse

    def minus_restricted_likelihood(between: float) -> float:
        coefficients, covariance, inverse = solved(between)
        residual = y - x @ coefficients
        determinant = float(np.linalg.slogdet(covariance)[1])
        return float(-np.log(inverse).sum() - determinant + inverse @ residual**2) / 2

    top = 10 * (float(np.var(y)) + float(v.max())) + 1e-6
    between = float(
        minimize_scalar(minus_restricted_likelihood, bounds=(0.0, top), method="bounded").x
    )
    if minus_restricted_likelihood(0.0) <= minus_restricted_likelihood(between):
        between = 0.0
    coefficients, covariance, inverse = solved(between)
    shrinkage = np.where(seen, between / np.maximum(between + variance, 1e-300), 0.0)
    fitted = design @ coefficients
    estimate = fitted + shrinkage * np.where(seen, direct - fitted, 0.0)
    g1 = np.where(seen, shrinkage * variance, between)
    g2 = (1 - shrinkage) ** 2 * np.einsum("mp,pq,mq->m", design, covariance, design)
    of_between = 2 / (inverse**2).sum()
    g3 = np.where(seen, variance**2 / np.maximum(between + variance, 1e-300) ** 3 * of_between, 0.0)
    return FayHerriot(estimate, np.sqrt(g1 + g2 + 2 * g3), shrinkage, between, coefficients)
