"""From areas to regions and the nation, areas that weren't sampled included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
LEAST_SHARE = 1e-9


def psu_multipliers(stratum: Index, draws: int, generator: np.random.Generator) -> Array:
    """Draw a Bayesian bootstrap (Rubin 1981) of PSUs within strata, unbiased in its variance.

    The sampled PSUs stand for those that were not: each draw reweights them, so that totals carry
    their sampling and not only the model's uncertainty about those that were seen. Shares
    are Dirichlet with parameters ``1 - 2/n`` in place of Rubin's 1: then each multiplier has
    variance 1, and a mean of *n* PSUs the variance ``s²/n`` of PSUs drawn with replacement, as
    the multipliers of a generalised bootstrap have (Beaumont & Patak 2012). Of two PSUs that is
    one, at random.

    Parameters
    ----------
    stratum
        Of each PSU, shape (M,).
    draws
        Number of draws.
    generator
        Random numbers.

    Returns
    -------
    numpy.ndarray
        Shape (draws, M), positive, mean 1 in each stratum; a lone PSU keeps 1.
    """
    shares = np.ones((draws, len(stratum)))
    for label in np.unique(stratum):
        inside = stratum == label
        n = int(inside.sum())
        if n == 2:
            shares[:, inside] = np.eye(2)[generator.integers(2, size=draws)]
        elif n > 2:
            shares[:, inside] = generator.standard_gamma(1 - 2 / n, (draws, n))
        # A domain may hold but one PSU of a stratum: that has some weight in every draw.
        shares[:, inside] = np.maximum(shares[:, inside], LEAST_SHARE)
        shares[:, inside] /= shares[:, inside].mean(axis=1, keepdims=True)
    return shares


def mean_reports(prevalence: Array, network: Array, weights: Array, area: Index) -> Array:
    """Average over a domain's residents the people in each group whom they are expected to report.

    ``Σ_i w_i d_i p_{a(i)k} / Σ_i w_i``: what a design-based ratio of sums has in its numerator and
    its denominator, of fitted reports in place of the answers. Prevalences and network sizes of an
    area are known up to one factor, which cancels out of their product.

    Parameters
    ----------
    prevalence
        Of each area and group, up to a factor of the area, shape (draws, M, K).
    network
        Network size of each of the domain's respondents, up to its inverse, shape (draws, n).
    weights
        Final weights times multipliers of PSUs, shape (draws, n).
    area
        Code of each respondent's area, 0 … M−1, shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (draws, K).
    """
    from scipy.sparse import csr_array

    people = len(area), prevalence.shape[1]
    inside = csr_array((np.ones(len(area)), (np.arange(len(area)), area)), shape=people)
    mass = (network * weights) @ inside / weights.sum(axis=1, keepdims=True)
    result: Array = np.einsum("dm,dmk->dk", mass, prevalence)
    return result


def effective_number(weights: Array) -> float:
    """Effective number of areas under unequal design weights (Kish): ``(Σw)² / Σw²``."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def predicted_total(
    log_prevalence: Array,
    sampled: Array,
    unsampled: Array,
    weights: Array,
    generator: np.random.Generator,
    *,
    covariates: tuple[Array, Array] | None = None,
) -> Array:
    """Total over a list of areas, those that were not sampled drawn from those that were.

    In each draw the scaled log prevalence is regressed on log population, and on what else is
    known of all areas, over the sampled ones, by design weight, since selection is proportional to
    size; each unsampled area gets a value from that distribution, coefficients included.

    Parameters
    ----------
    log_prevalence
        Scaled, shape (draws, M, K).
    sampled, unsampled
        Populations of the areas, in persons, shapes (M,) and (U,).
    weights
        Design weights of the sampled areas (inverse selection probabilities), shape (M,).
    generator
        Random numbers.
    covariates
        Further covariates of the sampled and of the unsampled areas, shapes (M, P) and (U, P).

    Returns
    -------
    numpy.ndarray
        Shape (draws, K), in persons.
    """
    draws, areas, groups = log_prevalence.shape
    total: Array = np.einsum("m,dmk->dk", sampled, np.exp(log_prevalence))
    if len(unsampled) == 0:
        return total
    design, target = (
        np.column_stack([np.log(size), *(part.T if part is not None else ())])
        for size, part in zip((sampled, unsampled), covariates or (None, None), strict=True)
    )
    centre, scale = design.mean(axis=0), design.std(axis=0)
    # Where one doesn't vary, or hardly any area was sampled, there is no slope to learn.
    sloped = (scale > 1e-6 * (1 + np.abs(centre))) & (areas > design.shape[1] + 2)
    design, target = (
        np.column_stack([np.ones(len(x)), ((x - centre) / np.where(sloped, scale, 1.0))[:, sloped]])
        for x in (design, target)
    )
    share = weights / weights.mean()
    bread = np.linalg.inv(design.T @ (share[:, None] * design))
    fit = bread @ (design * share[:, None]).T
    effective = effective_number(share)
    free = max(effective - design.shape[1], 1.0)
    meat = np.linalg.cholesky(fit @ fit.T)
    for draw in range(draws):
        coefficients = fit @ log_prevalence[draw]
        residual = log_prevalence[draw] - design @ coefficients
        spread = np.sqrt((share @ residual**2) / share.sum() * effective / free)
        spread = spread * np.sqrt(free / generator.chisquare(free, groups))
        moved = coefficients + meat @ generator.standard_normal(coefficients.shape) * spread
        values = target @ moved + spread * generator.standard_normal((len(unsampled), groups))
        total[draw] += unsampled @ np.exp(np.minimum(values, 0.0))  # nobody counts twice
    return total
