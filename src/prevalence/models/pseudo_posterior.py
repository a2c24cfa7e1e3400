"""Survey weights in a model: the weighted pseudo-posterior and its sandwich correction.

Weights of mean 1 are exponents of each respondent's likelihood and prior. The pseudo-posterior is
centred right but as wide as if the respondents were independent; its global parameters' draws are
stretched to the design's variance (Williams & Savitsky 2021), and as that is known from a limited
number of PSUs, to a Student distribution. Effects of areas that are themselves PSUs can't be
corrected so: their intervals stay the model's.

``H`` is the curvature of the log pseudo-posterior, ``H_0`` the prior's part of it, and ``J`` the
design covariance of the likelihood's scores. ``H⁻¹ J H⁻¹`` alone is right where the sample says all
and wrong elsewhere: in a direction that only the prior knows ``J`` is next to nothing, and the
interval of a group that nobody reports would vanish. Draws get ``H⁻¹ (J + H_0) H⁻¹`` in its place.
The prior counts like an observation of its own, apart from the sample, whose information no design
makes more or less. With ``J = H − H_0``, what the likelihood says of itself, nothing moves.

From few reports ``J`` itself is hardly known, and more often too small than too large. What is
reported is therefore never narrower than by the pseudo-posterior, to first order; where a design is
better than one of independent respondents, that gain is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError
from prevalence.models.layout import Density
from prevalence.models.preconditioning import (
    STEP,
    Guarded,
    Whitening,
    curvature,
    expected_gradient,
    nodes,
)

Array = NDArray[np.float64]


class WeightedDensity(Density, Protocol):
    """A density that is linear in weights of the respondents, its prior on globals aside."""

    def reweighted(self, weights: Array) -> Self:
        """Return the same density with other weights."""
        ...


def exponents(weights: Array) -> Array:
    """Scale survey weights to mean 1.

    Raises
    ------
    PipelineError
        If a weight isn't positive.
    """
    if not (weights > 0).all():
        raise PipelineError(
            "A model can't take weights that aren't positive.",
            found=f"{int((~(weights > 0)).sum())} weights",
            allowed="final weights above 0",
            remedy="Look at weighting.csv: the calibration may be asked for too much.",
        )
    result: Array = weights / weights.mean()
    return result


def psu_scores(
    density: WeightedDensity, shape: Whitening, weights: Array, psu: NDArray[np.int64]
) -> Array:
    """Weighted score of the global parameters, summed by PSU.

    Parameters
    ----------
    density
        The density; its own weights don't matter.
    shape
        Map centred at the marginal mode: the score is the expected joint score there.
    weights
        Exponents, shape (n,).
    psu
        PSU of each respondent, 0 … C−1.

    Returns
    -------
    numpy.ndarray
        Shape (C, G); the prior's part is taken out. The Jacobian of a respondent's step is the
        respondent's: it leaves with the weight.
    """
    points, g = nodes(density.layout), density.layout.globals

    def score(some: Array) -> Array:
        return expected_gradient(density.reweighted(some), shape, points)[:g]

    prior = score(np.zeros(len(weights)))
    units = range(int(psu.max()) + 1)
    return np.array([score(np.where(psu == unit, weights, 0.0)) - prior for unit in units])


def prior_information(density: WeightedDensity, shape: Whitening) -> Array:
    """Curvature of the prior of the global parameters, as it is part of the map's.

    Parameters
    ----------
    density
        The density; its own weights don't matter.
    shape
        Map at whose centre the curvature is taken.

    Returns
    -------
    numpy.ndarray
        ``H_0``, shape (G, G), the guard of the search of the mode included. It need not be positive
        definite: the prior of a spread is no normal one.
    """
    nobody = density.reweighted(np.zeros(density.layout.respondents))
    return curvature(Guarded(nobody), shape.centre).top


def design_covariance(scores: Array, stratum: NDArray[np.int64]) -> Array:
    """Estimate the sampling covariance of a total: ``Σ_h n_h/(n_h−1) Σ_c (z_hc−z̄_h)(z_hc−z̄_h)ᵀ``.

    Parameters
    ----------
    scores
        Totals by PSU, shape (C, G).
    stratum
        Stratum of each PSU, shape (C,).

    Returns
    -------
    numpy.ndarray
        Shape (G, G); a stratum with one PSU adds nothing.
    """
    total = np.zeros((scores.shape[1], scores.shape[1]))
    for label in np.unique(stratum):
        within = scores[stratum == label]
        if len(within) > 1:
            apart = within - within.mean(axis=0)
            total += len(within) / (len(within) - 1) * apart.T @ apart
    return total


def total_covariance(design: Array, prior: Array, shape: Whitening, reported: Array) -> Array:
    """Put together what the scores' covariance is to be in the sandwich.

    Parameters
    ----------
    design
        ``J``, from :func:`design_covariance`, shape (G, G).
    prior
        ``H_0``, from :func:`prior_information`, shape (G, G).
    shape
        Its root ``A`` has ``A Aᵀ = H⁻¹``.
    reported
        Gradients, by the global parameters, of what is reported, shape (G, R).

    Returns
    -------
    numpy.ndarray
        ``J + H_0``, shape (G, G), where the prior's share of ``H`` is put between none and all in
        each direction: where the likelihood bends the other way, ``H_0`` exceeds ``H``. Then, for
        each column ``d`` of `reported` in turn, so much is added along it that the variance of
        ``dᵀ θ`` isn't below ``dᵀ H⁻¹ d``.
    """
    root = shape.root
    inverse = np.linalg.inv(root)
    shares, vectors = np.linalg.eigh(root.T @ prior @ root)
    total = root.T @ design @ root + (vectors * np.clip(shares, 0.0, 1.0)) @ vectors.T
    for along in (root.T @ reported).T:
        unit = along / max(float(np.linalg.norm(along)), 1e-300)  # 0 for what is given
        total = total + max(1.0 - float(unit @ total @ unit), 0.0) * np.outer(unit, unit)
    result: Array = inverse.T @ total @ inverse
    return result


def gradients(function: Callable[[Array], Array], top: Array) -> Array:
    """Differentiate a function of the global parameters.

    Parameters
    ----------
    function
        From parameters, shape (N, G), to values, shape (N, R).
    top
        Where, shape (G,).

    Returns
    -------
    numpy.ndarray
        By central differences, shape (G, R'); values that don't exist are left out.
    """
    steps = STEP * np.eye(len(top))
    slopes = (function(top + steps) - function(top - steps)) / (2 * STEP)
    result: Array = slopes[:, np.isfinite(slopes).all(axis=0)]
    return result


def degrees_of_freedom(stratum: NDArray[np.int64]) -> int:
    """Count PSUs less strata, over strata with two PSUs or more.

    Parameters
    ----------
    stratum
        Stratum of each PSU, 0 …, shape (C,).
    """
    return int(np.maximum(np.bincount(stratum) - 1, 0).sum())


def corrected(
    draws: Array, shape: Whitening, covariance: Array, df: int, generator: np.random.Generator
) -> Array:
    """Stretch draws of the global parameters to the covariance ``H⁻¹ C H⁻¹``.

    Parameters
    ----------
    draws
        Shape (…, G).
    shape
        Its root ``A`` has ``A Aᵀ = H⁻¹``.
    covariance
        ``C``, from :func:`total_covariance`.
    df
        Degrees of freedom of the design.
    generator
        Of the numbers that tell how far off `covariance` may be.

    Returns
    -------
    numpy.ndarray
        Same shape, and the same mean but for that chance. The symmetric root of ``Aᵀ C A`` is the
        map nearest to none: with ``C = H`` nothing moves. Each draw is then taken away from the
        mean by ``√(df / χ²_df)``: what was normal is Student's with `df` degrees of freedom, as the
        intervals of the design-based estimates are.
    """
    root = shape.root
    values, vectors = np.linalg.eigh(root.T @ covariance @ root)
    middle = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    stretch = root @ middle @ np.linalg.inv(root)
    centre = draws.reshape(-1, draws.shape[-1]).mean(axis=0)
    tail = np.sqrt(df / generator.chisquare(df, (*draws.shape[:-1], 1)))
    result: Array = centre + (draws - centre) @ stretch.T * tail
    return result
