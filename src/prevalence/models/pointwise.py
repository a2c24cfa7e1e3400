"""Log-likelihood of each respondent with the respondent's own effect integrated out.

What is left out in leave-one-respondent-out is the respondent with all answers, so that the effect,
which only these answers inform, has to be integrated over its distribution given the rest. Gauss–
Hermite nodes are placed for each draw by two Newton steps from the posterior mean of the effect:
given the global and the area's parameters an effect may be much narrower than by itself, where an
area's prevalences and its respondents' degrees have a common shift.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr

from prevalence.models.compiled import compiled
from prevalence.models.correlated import Correlated
from prevalence.models.counts import CountTable
from prevalence.models.intervals import negative_binomial_intervals, poisson_intervals
from prevalence.models.overdispersed import Overdispersed
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.models.poisson_lognormal import PoissonLognormal

if TYPE_CHECKING:
    from prevalence.models.fitting import Posterior

Array = NDArray[np.float64]
Index = NDArray[np.int64]
NODES = 9
STEPS = 2
WIDEN = 1.3  # of the nodes, beside the integrand's width at its mode: its tails are heavier


@compiled
def _overdispersed(
    table: Array, degree: Array, rate: Array, log_p: Array, log_1p: Array, out: Array
) -> None:
    """Add the log probabilities of the counts but for ``−log y!``, shape (n, Q), at each node."""
    for i in range(table.shape[0]):
        for k in range(table.shape[1]):
            y = table[i, k]
            if np.isnan(y):
                continue
            for q in range(degree.shape[1]):
                c = degree[i, q] * rate[k]
                value = c * log_p[k] + y * log_1p[k]
                if y > 200.0:
                    value += math.lgamma(c + y) - math.lgamma(c)
                elif y > 0.0:
                    product = 1.0
                    for j in range(int(y)):
                        product *= c + j
                        if product > 1e200 or product < 1e-200:
                            value += np.log(product)
                            product = 1.0
                    value += np.log(product)
                out[i, q] += value


@compiled
def _partially_pooled(
    table: Array, area_of: Index, degree: Array, prevalence: Array, size: Array, out: Array
) -> None:
    """Add the log probabilities of the counts but for ``−log y!``, shape (n, Q), at each node."""
    for i in range(table.shape[0]):
        m = area_of[i]
        for k in range(table.shape[1]):
            y = table[i, k]
            if np.isnan(y):
                continue
            w = size[k]
            fixed = math.lgamma(y + w) - math.lgamma(w) + w * np.log(w)
            for q in range(degree.shape[1]):
                mean = degree[i, q] * prevalence[m, k]
                value = fixed - (y + w) * np.log(mean + w)
                if y > 0.0:
                    value += y * np.log(mean)
                out[i, q] += value


def _effects(density: PoissonLognormal | Overdispersed | PartiallyPooled, x: Array) -> Array:
    if isinstance(density, PartiallyPooled):
        return np.logaddexp(0.0, density.layout.split(x)[2])
    return density.effects(x)


def _at_nodes(
    density: PoissonLognormal | Overdispersed | PartiallyPooled, x: Array, nodes: Array
) -> tuple[Array, Array]:
    """Log-likelihood and log density of the effects at nodes, both of shape (n, Q)."""
    k = len(density.counts.groups)
    table = density.counts.table
    found = np.zeros(nodes.shape)
    cells = density.counts.intervals
    if isinstance(density, PartiallyPooled):
        top = density.layout.split(x)[0]
        size, share = np.exp(top[2 * k : 3 * k]), 1 / (1 + np.exp(-top[-1]))
        prevalence = np.exp(density.prevalences(x))
        _partially_pooled(table, density.area_of, np.exp(nodes), prevalence, size, found)
        place = density.area_of[cells.rows], cells.columns
        log_size = np.log(size)[cells.columns, None]
        log_mean = nodes[cells.rows] + np.log(prevalence[place])[:, None]
        both = np.logaddexp(log_mean, log_size)
        _add_coarse(density.counts, (log_size, log_size - both, log_mean - both), found)
        sigma, centre = density.priors.sigma_delta * share, density.priors.delta_mean
        inside = np.where(nodes > 0, 0.0, -np.inf) - np.log(ndtr(centre / sigma))
    else:
        g = density.layout.globals
        beta = density.prevalences(x[:g])
        if isinstance(density, Overdispersed):
            p = np.clip(ndtr(x[k : 2 * k]), 1e-12, 1 - 1e-12)
            rate = np.exp(beta) * p / (1 - p)
            log_p, log_1p = np.log(p), np.log1p(-p)
            _overdispersed(table, np.exp(nodes), rate, log_p, log_1p, found)
            of = cells.columns
            log_size = nodes[cells.rows] + np.log(rate)[of, None]
            _add_coarse(density.counts, (log_size, log_p[of, None], log_1p[of, None]), found)
        else:
            filled, present = np.nan_to_num(table), density.counts.present
            found += filled.sum(axis=1)[:, None] * nodes + (filled @ beta)[:, None]
            found -= np.exp(nodes) * (present @ np.exp(beta))[:, None]
            _add_coarse(density.counts, (nodes[cells.rows] + beta[cells.columns, None],), found)
        sigma, centre, inside = float(np.exp(x[g - 3])), 0.0, np.zeros(nodes.shape)
    prior = -0.5 * ((nodes - centre) / sigma) ** 2 - np.log(sigma) - 0.5 * math.log(2 * math.pi)
    return found, prior + inside


def _placed(
    density: PoissonLognormal | Overdispersed | PartiallyPooled,
    x: Array,
    centre: Array,
    spread: Array,
) -> tuple[Array, Array]:
    """Find about where, and how wide, the integrand of each respondent is at one draw.

    Parameters
    ----------
    density
        The model.
    x
        A draw of its parameters.
    centre, spread
        Mean and standard deviation of the effects over the draws, shape (n,).

    Returns
    -------
    centre, spread : numpy.ndarray
        Of the parabola through three points, the first a standard deviation apart and then a width
        of the integrand, shape (n,). Where that has no maximum the place stays as it was.
    """
    middle, width = centre, spread
    for _ in range(STEPS):
        points = middle[:, None] + width[:, None] * np.array([-1.0, 0.0, 1.0])
        found, prior = _at_nodes(density, x, points)
        low, here, high = (found + prior).T
        with np.errstate(invalid="ignore"):
            bend = (2 * here - low - high) / width**2
            move = np.clip((high - low) / (2 * width * bend), -2 * width, 2 * width)
        sound = np.isfinite(bend) & (bend > 0) & np.isfinite(move)
        middle = np.where(sound, middle + np.where(sound, move, 0.0), middle)
        narrow = 1 / np.sqrt(np.where(sound, bend, 1.0))
        width = np.where(sound, np.clip(narrow, 0.05 * spread, spread), width)
    return middle, width


def _add_coarse(counts: CountTable, law: tuple[Array, ...], found: Array) -> None:
    """Add the log probabilities of interval answers, shape (n, Q), at each node.

    `law` is the log mean (Poisson), or log size, ``log p`` and ``log(1 − p)``, each of a shape that
    stretches to (C, Q).
    """
    cells, nodes = counts.intervals, found.shape[1]
    shape = len(cells), nodes
    if not len(cells):
        return
    lower, upper = np.repeat(cells.lower, nodes), np.repeat(cells.upper, nodes)
    flat = [np.broadcast_to(part, shape).ravel() for part in law]
    out = np.empty((2 if len(flat) == 1 else 3, len(lower)))
    if len(flat) == 1:
        poisson_intervals(lower, upper, flat[0], out)
    else:
        negative_binomial_intervals(lower, upper, np.exp(flat[0]), flat[1], flat[2], out)
    np.add.at(found, cells.rows, out[0].reshape(shape))


def log_likelihoods(posterior: Posterior, draws: int = 400) -> Array | None:
    """Evaluate each respondent's log-likelihood at some draws.

    Parameters
    ----------
    posterior
        Of an unweighted model.
    draws
        About how many, evenly from all chains.

    Returns
    -------
    numpy.ndarray or None
        Shape (chains, draws, n). None for a weighted model, whose draws belong to no likelihood,
        and for the correlated one, in which a respondent has as many effects as there are groups.
    """
    density = posterior.density
    if isinstance(density, Correlated) or posterior.model.endswith("_weighted"):
        return None
    chains, length, _ = posterior.parameters.shape
    kept = posterior.parameters[:, :: max(chains * length // draws, 1)]
    flat = kept.reshape(-1, kept.shape[2])
    effects = np.array([_effects(density, x) for x in flat])
    points, weights = np.polynomial.hermite_e.hermegauss(NODES)
    centre, spread = effects.mean(axis=0), np.maximum(effects.std(axis=0), 1e-3)
    constant = -gammaln(np.nan_to_num(density.counts.table) + 1).sum(axis=1)
    result = np.empty((len(flat), len(centre)))
    for draw, x in enumerate(flat):
        with np.errstate(divide="ignore", over="ignore"):
            middle, width = _placed(density, x, centre, spread)
            nodes = middle[:, None] + WIDEN * width[:, None] * points
            found, prior = _at_nodes(density, x, nodes)
        measure = np.log(weights) + points**2 / 2 + np.log(WIDEN * width)[:, None]
        result[draw] = np.logaddexp.reduce(found + prior + measure, axis=1) + constant
    return result.reshape(chains, -1, len(centre))
