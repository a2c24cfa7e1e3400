"""How much estimates lean on the scales of the priors: by reweighting the draws.

Draws are reweighted to the posterior under half and twice the scales of the hyperparameters'
priors, and by powers of the prior (Kallioinen, Paananen, Bürkner & Vehtari 2023). Importance
weights are Pareto smoothed; their ``k`` says whether they carry that far. Draws that are stretched
to a design's variance belong to no density: those they were before are reweighted, and what becomes
of their centre and width is done to the stretched ones.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from prevalence.models.correlated import Correlated
from prevalence.models.partially_pooled import PartiallyPooled

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.models.fitting import AnyModel, ModelInputs, Posterior

Array = NDArray[np.float64]
SCALES = (0.5, 2.0)
POWERS = (0.8, 1.25)
SENSITIVE = 0.05  # of the power-scaling measure, from the paper


def log_hyperprior(density: AnyModel, top: Array, factor: float = 1.0) -> Array:
    """Log prior density of the hyperparameters, up to a constant.

    Parameters
    ----------
    density
        The model.
    top
        Global parameters, shape (…, G).
    factor
        By which the scales of the priors are multiplied. Uniform priors, the location of the
        degrees, and the shape of the correlations' prior stay as they are.

    Returns
    -------
    numpy.ndarray
        Shape (…,), as a density of the parameters themselves, not of their logarithms.
    """
    k = len(density.counts.groups)
    if isinstance(density, PartiallyPooled):
        pooled = density.priors
        values = density.hyperparameters(top)
        scales = factor * np.array([pooled.mu, pooled.sigma, pooled.size])[:, None]
        return np.asarray(-0.5 * ((values / scales) ** 2).sum(axis=(-1, -2)), float)
    first, mean, last = np.exp(top[..., -3]), top[..., -2], np.exp(top[..., -1])
    if isinstance(density, Correlated):
        own = density.priors
        # τ_N is half-Cauchy, τ_N² = 1 / (e^{τ²} − 1).
        grown = np.expm1(np.minimum(density.tau_of(top[..., k : 2 * k])[0] ** 2, 700.0))
        result = -np.log1p(1 / (grown * (factor * own.tau_n) ** 2)).sum(axis=-1)
        result = result - np.log1p((first / (factor * own.sigma_delta)) ** 2)
        centre, wide, upper = own.mu_rho_mean, own.mu_rho, own.sigma_rho
    else:
        priors = density.priors
        result = -0.5 * (first / (factor * priors.sigma_alpha)) ** 2
        centre, wide, upper = priors.mu_beta_mean, priors.mu_beta, priors.sigma_beta
    result = result - 0.5 * ((mean - centre) / (factor * wide)) ** 2
    return np.asarray(result - 0.5 * (last / (factor * upper)) ** 2, float)


def smoothed_weights(log_ratio: Array) -> tuple[Array, float]:
    """Pareto smoothed importance weights that sum to 1, and their ``k``.

    Parameters
    ----------
    log_ratio
        Logarithms of new over old density, shape (S,).
    """
    from arviz_stats.base import array_stats

    if np.ptp(log_ratio) < 1e-12:
        return np.full(len(log_ratio), 1 / len(log_ratio)), -math.inf
    # Its weights are those of leaving out: of minus a log-likelihood.
    logs, k = array_stats.psislw(-log_ratio)
    weights = np.exp(logs - logs.max())
    return weights / weights.sum(), float(k)


def prior_sensitivity_rows(posterior: Posterior, inputs: ModelInputs, level: float) -> pd.DataFrame:
    """Estimate hidden groups of the nation under other scales of the priors.

    Parameters
    ----------
    posterior
        The draws of a model.
    inputs
        The survey.
    level
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        A row a hidden group and scale (1 as fitted, then half and twice): `estimate`, `lower`,
        `upper` in persons, `pareto_k` of the weights, and `power_scaling`, how far the cumulative
        distribution moves with a power of the prior (above 0.05: it leans on the prior).

    Notes
    -----
    The weights go with the pseudo-posterior's own draws. Where the model's reported draws are
    stretched, both are compared in logarithms: the reported median moves by as much as that of the
    own draws, and the limits' distances from it grow as the own draws' half-width does, which
    assumes that the stretch itself is the same under the other prior.
    """
    import pandas as pd

    g = posterior.density.layout.globals
    top = posterior.parameters[:, :, :g].reshape(-1, g)
    usual = log_hyperprior(posterior.density, top)
    chains, length = posterior.draws.shape[:2]
    powers = [smoothed_weights((power - 1) * usual)[0] for power in POWERS]
    rows = []
    names = {hidden.name for hidden in inputs.hidden}
    for place, quantity in enumerate(posterior.quantities):
        if quantity.group not in names or quantity.domain_type != "national":
            continue
        draws = posterior.draws[:, :, place]
        own = draws
        if posterior.uncorrected is not None:
            own = posterior.uncorrected[:, :, inputs.counts.groups.index(quantity.group)]
        moved = power_scaling(own, *(w.reshape(chains, length) for w in powers))
        for factor in (1.0, *SCALES):
            other = log_hyperprior(posterior.density, top, factor)
            weights, k = smoothed_weights(other - usual)
            limits = [(1 - level) / 2, 0.5, (1 + level) / 2]
            lower, middle, upper = weighted_quantiles(own.ravel(), weights, limits)
            if own is not draws:
                lower, middle, upper = carried_over(draws.ravel(), own.ravel(), weights, limits)
            rows.append(
                {
                    "estimator": posterior.model,
                    "group": quantity.group,
                    "prior_scale": factor,
                    "estimate": middle,
                    "lower": lower,
                    "upper": upper,
                    "level": level,
                    "unit": "persons",
                    "pareto_k": k if math.isfinite(k) else np.nan,
                    "power_scaling": moved,
                }
            )
    return pd.DataFrame(rows)


def carried_over(draws: Array, own: Array, weights: Array, levels: list[float]) -> Array:
    """Quantiles of stretched draws under another prior.

    Parameters
    ----------
    draws, own
        Positive draws, stretched and as they were before, shape (S,).
    weights
        Importance weights of `own` that add up to 1, shape (S,).
    levels
        Of the quantiles.

    Returns
    -------
    numpy.ndarray
        Of ``exp(m' + (log x − m) s'/s)``, ``m`` and ``s`` being the median and half the distance of
        the central 68 per cent of the logarithms of `own`, without and with `weights`; the centre
        of the stretched draws keeps its distance from ``m``. Shape as `levels`.
    """
    logs, alike = np.log(own), np.full(len(own), 1 / len(own))
    sixth = float(ndtr(-1.0))
    before, after = (weighted_quantiles(logs, w, [sixth, 0.5, 1 - sixth]) for w in (alike, weights))
    stretched = np.log(draws)
    centre = np.median(stretched)
    width = (after[2] - after[0]) / (before[2] - before[0])
    quantiles = np.quantile(stretched, levels)
    result: Array = np.exp(centre + after[1] - before[1] + (quantiles - centre) * width)
    return result


def power_scaling(draws: Array, lower: Array, upper: Array) -> float:
    """Sensitivity of a quantity to a power of the prior, from draws and weights (chains, draws)."""
    from arviz_stats.base import array_stats

    found = array_stats.power_scale_sense(
        draws, lower, upper, POWERS[0], POWERS[1], chain_axis=0, draw_axis=1
    )
    return float(found)


def weighted_quantiles(values: Array, weights: Array, levels: list[float]) -> Array:
    """Quantiles of weighted draws, weights adding up to 1, by their midpoint distribution."""
    order = np.argsort(values)
    middle = np.cumsum(weights[order]) - weights[order] / 2
    result: Array = np.interp(levels, middle, values[order])
    return result
