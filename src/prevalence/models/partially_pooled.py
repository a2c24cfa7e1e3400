"""The model that pools areas partially (Nyarko-Agyei et al., arXiv:2407.13267).

``y_ik ~ NegBin2(mean λ_ik, size w_k)``, ``λ_ik = exp(δ_i − ρ_{m(i)k})``,
``ρ_mk ~ Gamma(mean μ_k, sd σ_k)``, ``μ_k ~ N⁺(0, 10)``, ``σ_k ~ N⁺(0, 1)``, ``w_k ~ N⁺(0, 10)``,
``δ_i ~ N(5.5, σ_δ)`` truncated to ``δ_i > 0``, ``σ_δ ~ U(0, 1.5)``.

``δ`` and ``ρ`` of an area have a common shift that the data hardly see: convergence is judged on
scaled prevalences and on the hyperparameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, psi

from prevalence.errors import PipelineError
from prevalence.models.compiled import added, compiled, digamma, logarithms, softplus
from prevalence.models.counts import CountTable
from prevalence.models.intervals import add_fixed_size
from prevalence.models.layout import Layout

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Answers = tuple[Array, Array, Index, Index]
Sums = tuple[Array, Array, Array]
Exceeding = tuple[Index, Array, Array]


UNIT_OF_SIGMA = 0.05
# Areas that differ by less can't be told from equal ones; further down a difference of μ and ρ is
# rounding, in which a chain would be caught.
LEAST_SIGMA = 1e-6
LONG = 1000  # counts above this are summed by gamma functions, not one by one


@dataclass(frozen=True)
class PartiallyPooledPriors:
    """Scales of the published priors.

    Parameters
    ----------
    mu, sigma, size
        Half-normal scales of ``μ_k``, ``σ_k`` and ``w_k``.
    delta_mean
        Mean of the log degrees.
    sigma_delta
        Upper bound of ``σ_δ``, uniform.
    """

    mu: float = 10.0
    sigma: float = 1.0
    size: float = 10.0
    delta_mean: float = 5.5
    sigma_delta: float = 1.5


@compiled
def negative_binomial_terms(
    counts: Array,
    weights: Array,
    first: Index,
    degree: Array,
    prevalence: Array,
    size: Array,
    d_degree: Array,
    d_prevalence: Array,
    d_size: Array,
) -> float:
    """Add up ``−w_i (y + w_k) log(λ + w_k)``, and the gradient of the whole mean part.

    Group by group, so that the computer does several respondents at once, who are ordered by area.

    Parameters
    ----------
    counts, weights
        Shape (K, n); weight 0 where the answer is missing.
    first
        Place of each area's first respondent, and n, shape (M + 1,).
    degree, prevalence, size
        ``e^δ``, shape (n,); ``e^{−ρ}``, shape (M, K); ``w``, shape (K,).
    d_degree, d_prevalence, d_size
        Derivatives with respect to ``δ``, ``−ρ`` and ``w``, added to in place; the first two hold
        the derivative of ``y log λ`` too.

    Returns
    -------
    float
        The weighted sum.
    """
    total = 0.0
    n = len(degree)
    mean, bottom, logs, slope = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    scratch = np.empty(n)
    for k in range(len(size)):
        w = size[k]
        for m in range(len(first) - 1):
            p = prevalence[m, k]
            for i in range(first[m], first[m + 1]):
                mean[i] = degree[i] * p
        for i in range(n):
            bottom[i] = mean[i] + w
        logarithms(bottom, scratch, logs)
        for i in range(n):
            ratio = (counts[k, i] + w) / bottom[i]
            slope[i] = weights[k, i] * (counts[k, i] - ratio * mean[i])
            d_degree[i] += slope[i]
            scratch[i] = weights[k, i] * (logs[i] + ratio)
            logs[i] *= weights[k, i] * (counts[k, i] + w)
        for m in range(len(first) - 1):
            inside = 0.0
            for i in range(first[m], first[m + 1]):
                inside += slope[i]
            d_prevalence[m, k] += inside
        d_size[k] -= added(scratch)
        total -= added(logs)
    return total


@compiled
def pooling_terms(rho: Array, mu: float, sigma: float, d_rho: Array, slopes: Array) -> float:
    """Evaluate the gamma density of one group's ``ρ`` over areas, and its derivatives.

    By deviances from the mean: with nearly equal areas the shape is huge, and the textbook's form
    would be a difference of huge numbers.

    Parameters
    ----------
    rho
        Shape (M,).
    mu, sigma
        Mean and standard deviation.
    d_rho
        Derivative by ``ρ``, added to in place, shape (M,).
    slopes
        Derivatives by ``log μ`` and ``log σ``, filled, shape (2,).

    Returns
    -------
    float
        The log density.
    """
    shape = (mu / sigma) ** 2
    logs, deviance, apart = 0.0, 0.0, 0.0
    for m in range(len(rho)):
        a = (rho[m] - mu) / mu
        log_ratio = math.log1p(a)
        logs += log_ratio
        deviance += log_ratio - a
        apart += a
        d_rho[m] -= (shape * a + 1.0) / rho[m]
    if shape > 1e4:
        norm = 0.5 * math.log(shape / (2 * math.pi)) - 1 / (12 * shape)
        d_norm = 0.5 / shape + 1 / (12 * shape**2)
    else:
        norm = shape * math.log(shape) - shape - math.lgamma(shape)
        d_norm = math.log(shape) - digamma(shape)
    d_shape = shape * (deviance + len(rho) * d_norm)
    slopes[0] = 2 * d_shape + shape * apart
    slopes[1] = -2 * d_shape
    return shape * deviance + len(rho) * (norm - math.log(mu)) - logs


@compiled
def size_terms(size: Array, exceeding: Exceeding, answered: Array, d_size: Array) -> float:
    """Add up what depends on the sizes alone, ``Σ log Γ(y+w) − log Γ(w) + w log w``.

    Parameters
    ----------
    size
        ``w``, shape (K,).
    exceeding
        Group, ``j`` and weight of respondents with ``y > j``.
    answered
        Weight of those who answered, shape (K,).
    d_size
        Derivative by ``w``, added to in place, shape (K,).

    Returns
    -------
    float
        The weighted sum.
    """
    total = 0.0
    columns, levels, shares = exceeding
    for c in range(len(columns)):
        rising = size[columns[c]] + levels[c]
        total += shares[c] * math.log(rising)
        d_size[columns[c]] += shares[c] / rising
    for k in range(len(size)):
        total += answered[k] * size[k] * math.log(size[k])
        d_size[k] += answered[k] * (math.log(size[k]) + 1)
    return total


@compiled
def degree_terms(
    delta: Array, weights: Array, centre: float, widest: float, logit: float, d_delta: Array
) -> tuple[float, float]:
    """Evaluate the truncated normal prior of ``δ`` and the uniform one of ``σ_δ``.

    Parameters
    ----------
    delta, weights
        Shape (n,).
    centre, widest
        Mean of ``δ``, and the bound of ``σ_δ``.
    logit
        Of the share of ``σ_δ`` in its bound.
    d_delta
        Derivative by ``δ``, added to in place, shape (n,).

    Returns
    -------
    float, float
        Log density, and its derivative by the logit.
    """
    small = math.exp(-abs(logit))
    larger, smaller = 1 / (1 + small), small / (1 + small)
    share, rest = (larger, smaller) if logit >= 0 else (smaller, larger)
    sigma = widest * share
    squares, people = 0.0, 0.0
    for i in range(len(delta)):
        apart = (delta[i] - centre) / sigma
        squares += weights[i] * apart * apart
        d_delta[i] -= weights[i] * apart / sigma
        people += weights[i]
    bound = centre / sigma
    if bound > 0:
        log_inside = math.log1p(-0.5 * math.erfc(bound / math.sqrt(2.0)))
    else:
        log_inside = math.log(0.5 * math.erfc(-bound / math.sqrt(2.0)))
    hazard = math.exp(-0.5 * bound * bound - 0.5 * math.log(2 * math.pi) - log_inside)
    value = -0.5 * squares - people * (math.log(sigma) + log_inside)
    by_log_sigma = squares - people + people * hazard * bound
    return value + math.log(share) + math.log(rest), by_log_sigma * rest + 1 - 2 * share


@compiled
def pooled_density(
    x: Array,
    answers: Answers,
    sums: Sums,
    exceeding: Exceeding,
    weights: Array,
    information: Array,
    priors: Array,
    further: tuple[Array, Array, Array],
    gradient: Array,
) -> float:
    """Evaluate the log posterior, laid out as in :class:`PartiallyPooled`, and its gradient.

    Parameters
    ----------
    x
        Shape (size,).
    answers
        Counts and weights, shape (K, n), of respondents ordered by area; that order; and each
        area's first respondent, and n, shape (M + 1,).
    sums
        Weighted people known by respondent (n,), by area and group (M, K), and the weight of those
        who answered, (K,).
    exceeding
        Group, ``j`` and weight of respondents with ``y > j``.
    weights
        Shape (n,).
    information
        What an area's answers say of its ``ρ``, shape (K,).
    priors
        Scales of ``μ``, ``σ`` and ``w``, mean of ``δ``, bound of ``σ_δ``.
    further
        Derivatives of the terms that stand elsewhere by ``δ`` (n,), ``−ρ`` (M, K) and ``w`` (K,).
        They are added to.
    gradient
        Filled, shape (size,).

    Returns
    -------
    float
        The log density, up to a constant, without the terms that stand elsewhere.
    """
    counts, cell_weights, order, first = answers
    by_row, by_area, answered = sums
    d_delta, d_minus_rho, d_size = further
    groups, n, areas = counts.shape[0], counts.shape[1], len(first) - 1
    top, inside = 3 * groups + 1, areas * groups
    mu, sigma = np.exp(x[:groups]), np.empty(groups)
    size, rises = np.exp(x[2 * groups : 3 * groups]), np.empty(groups)
    value = 0.0
    blocks, stretch, share = np.empty(inside), np.empty(groups), np.empty(groups)
    for k in range(groups):
        free = x[groups + k]
        inner = max(free, 0.0) + math.log1p(math.exp(-abs(free)))
        sigma[k] = LEAST_SIGMA + UNIT_OF_SIGMA * inner
        share[k] = 1 / (1 + information[k] * sigma[k] ** 2)
        stretch[k] = sigma[k] * math.sqrt(share[k])
        centre = mu[k] + math.log(-math.expm1(-mu[k]))
        for m in range(areas):
            blocks[m * groups + k] = centre + stretch[k] * x[top + m * groups + k]
        # From logarithms to the parameters; the slope of σ is e^{x − softplus(x)} in its unit.
        value += x[k] + x[2 * groups + k] + free - inner + areas * math.log(stretch[k])
        rises[k] = -math.expm1(-inner)
    flat_rho, slopes, prevalence = np.empty(inside), np.empty(inside), np.empty(inside)
    softplus(blocks, flat_rho, slopes, prevalence)
    delta, slope, inverse_degree = np.empty(n), np.empty(n), np.empty(n)
    softplus(x[top + inside :], delta, slope, inverse_degree)
    degree, d_ordered = np.empty(n), np.zeros(n)
    for i in range(n):
        degree[i] = 1 / inverse_degree[order[i]]
        value += by_row[i] * delta[i]
        # The slope of softplus is e^{x − softplus(x)}: its logarithm is the Jacobian.
        value += x[top + inside + i] - delta[i]
    rho = flat_rho.reshape(areas, groups)
    value += negative_binomial_terms(
        counts,
        cell_weights,
        first,
        degree,
        prevalence.reshape(areas, groups),
        size,
        d_ordered,
        d_minus_rho,
        d_size,
    )
    for i in range(n):
        d_delta[order[i]] += d_ordered[i]
    value += size_terms(size, exceeding, answered, d_size)
    by_scale, by_rho, column = np.empty(2), np.empty(areas), np.empty(areas)
    for k in range(groups):
        for m in range(areas):
            column[m] = rho[m, k]
            by_rho[m] = -d_minus_rho[m, k]
            value += blocks[m * groups + k] - column[m] - by_area[m, k] * column[m]
        value += pooling_terms(column, mu[k], sigma[k], by_rho, by_scale)
        along, moved = 0.0, 0.0
        for m in range(areas):
            place = m * groups + k
            by_block = by_rho[m] * slopes[place] + prevalence[place]
            along += by_block
            moved += by_block * x[top + place]
            gradient[top + place] = by_block * stretch[k]
        scaled = mu[k] / priors[0], sigma[k] / priors[1], size[k] / priors[2]
        value -= 0.5 * (scaled[0] ** 2 + scaled[1] ** 2 + scaled[2] ** 2)
        gradient[k] = by_scale[0] - scaled[0] ** 2 + 1 + along * mu[k] / -math.expm1(-mu[k])
        by_sigma = by_scale[1] - scaled[1] ** 2 + share[k] * (moved * stretch[k] + areas)
        gradient[groups + k] = by_sigma * rises[k] * UNIT_OF_SIGMA / sigma[k] + 1 - rises[k]
        gradient[2 * groups + k] = d_size[k] * size[k] - scaled[2] ** 2 + 1
    degrees, gradient[top - 1] = degree_terms(
        delta, weights, priors[3], priors[4], x[top - 1], d_delta
    )
    for i in range(n):
        gradient[top + inside + i] = d_delta[i] * slope[i] + inverse_degree[i]
    return value + degrees


@dataclass(frozen=True)
class PartiallyPooled:
    """Log posterior of the partially pooled model.

    Parameters
    ----------
    counts
        The counts of all groups.
    area_of
        Area of each respondent as 0 … M−1, shape (n,); each area has a respondent.
    priors
        Their scales.
    weights
        Exponents of the respondents' likelihood and prior, mean 1; none for an unweighted fit.
    """

    counts: CountTable
    area_of: Index
    priors: PartiallyPooledPriors = PartiallyPooledPriors()
    weights: Array | None = None

    def __post_init__(self) -> None:
        """Refuse areas that don't fit the respondents."""
        areas = np.unique(self.area_of)
        fits = (
            len(self.area_of) == len(self.counts.table) and (areas == np.arange(len(areas))).all()
        )
        if not fits:
            raise PipelineError(
                "Areas and respondents don't fit one another.",
                found=f"{len(areas)} areas, {len(self.area_of)} of {len(self.counts.table)} "
                "respondents",
                allowed="an area for each respondent, numbered without gaps",
                remedy="Run snakemake again from the clean stage.",
            )

    def reweighted(self, weights: Array) -> PartiallyPooled:
        """Return the same density with other weights."""
        return replace(self, weights=weights)

    @cached_property
    def areas(self) -> int:
        """Number of areas."""
        return int(self.area_of.max()) + 1

    @cached_property
    def layout(self) -> Layout:
        """Hold log μ, softplus⁻¹ σ, log w, logit σ_δ; steps to the softplus⁻¹ of ρ; that of δ.

        Where areas hardly differ, σ has a density that is level down to 0. Its logarithm would
        have a sharp edge and a tail many times as long, in which a chain creeps: hence softplus,
        in a small unit.
        """
        groups = self.counts.groups
        parts = ("log_mu", "softplus_sigma", "log_size")
        names = [f"{part}[{group}]" for part in parts for group in groups]
        return Layout(
            (*names, "logit_sigma_delta"), self.area_of.astype(np.int64), self.areas, len(groups)
        )

    @cached_property
    def _w(self) -> Array:
        n = len(self.counts.table)
        return np.ones(n) if self.weights is None else np.asarray(self.weights, float)

    @cached_property
    def _by_group(self) -> tuple[Array, Array]:
        """Counts with 0 for missing, and weights with 0 there, (K, n), ordered by area."""
        order, _ = self.layout.by_area
        counts = np.nan_to_num(self.counts.table)[order].T
        weights = (self.counts.present * self._w[:, None])[order].T
        return np.ascontiguousarray(counts), np.ascontiguousarray(weights)

    @cached_property
    def _people(self) -> tuple[Array, Array]:
        """Weighted people known, by respondent (n,) and by area and group (M, K)."""
        filled = np.nan_to_num(self.counts.table) * self._w[:, None]
        by_area = np.zeros((self.areas, filled.shape[1]))
        np.add.at(by_area, self.area_of, filled)
        return filled.sum(axis=1), by_area

    @cached_property
    def _exceeding(self) -> Exceeding:
        """Group, ``j``, and weighted respondents with ``y > j``: for ``Σ_j log(w + j)``.

        Up to `LONG`; what larger counts have beyond stands in `_far`.
        """
        columns, levels, shares = [], [], []
        for k, column in enumerate(self.counts.table.T):
            answered = ~np.isnan(column)
            counts = np.minimum(column[answered], LONG).astype(np.int64)
            tally = np.bincount(counts, self._w[answered])
            above = tally[::-1].cumsum()[::-1][1:]
            columns.append(np.full(len(above), k))
            levels.append(np.arange(len(above), dtype=float))
            shares.append(above)
        return np.concatenate(columns), np.concatenate(levels), np.concatenate(shares)

    @cached_property
    def _far(self) -> tuple[Index, Array, Array]:
        """Group, count and weight of answers above `LONG`."""
        rows, columns = np.nonzero(np.nan_to_num(self.counts.table) > LONG)
        return columns, self.counts.table[rows, columns], self._w[rows]

    @cached_property
    def _answered(self) -> Array:
        return self._w @ self.counts.present

    def start(self) -> Array:
        """Area means, drawn towards the nation's; dispersion from plain moments of none."""
        table, priors = self.counts.rough, self.priors
        rows = np.log(np.nan_to_num(table).sum(axis=1) + 0.5)
        delta = np.maximum(priors.delta_mean + 0.7 * np.clip(rows - rows.mean(), -2, 2), 0.5)
        mean = np.nanmean(table, axis=0) + 0.5 / len(table)
        people, answered = self._by_area
        rho = np.maximum(priors.delta_mean - np.log((people + 4 * mean) / (answered + 4)), 0.5)
        mu, sigma = rho.mean(axis=0), np.maximum(rho.std(axis=0), 0.3)
        size = np.full(len(mean), np.log(2.0))
        free = _inverse_softplus((sigma - LEAST_SIGMA) / UNIT_OF_SIGMA)
        top = np.concatenate([np.log(mu), free, size, [0.0]])
        centre, stretch = self._placed(mu, sigma, np.zeros(rho.shape))
        return self.layout.join(
            top, (_inverse_softplus(rho) - centre) / stretch, _inverse_softplus(delta)
        )

    @cached_property
    def _information(self) -> Array:
        """About how much an area's answers say of its ``ρ``: inverse variance by moments, (K,)."""
        table = self.counts.rough
        mean = np.nanmean(table, axis=0) + 0.5 / len(table)
        answered = self._by_area[1]
        # Respondents differ by more than a Poisson count, in degree and otherwise.
        dispersion = np.maximum(np.nanvar(table, axis=0) / mean, 1.0)
        result: Array = answered.mean(axis=0) * mean / dispersion
        return result

    @cached_property
    def _by_area(self) -> tuple[Array, Array]:
        """People known and answers given, by area and group (M, K), unweighted."""
        people = np.zeros((self.areas, len(self.counts.groups)))
        answered = people.copy()
        np.add.at(people, self.area_of, np.nan_to_num(self.counts.rough))
        np.add.at(answered, self.area_of, self.counts.answered * 1.0)
        return people, answered

    def _placed(self, mu: Array, sigma: Array, steps: Array) -> tuple[Array, Array]:
        """Inverse softplus of ``ρ`` from the areas' steps.

        ``ξ(ρ) = ξ(μ_k) + s_k t`` with ``s = σ / √(1 + I σ²)``, about the standard deviation of
        ``ρ`` given ``σ`` and the answers, whose information is ``I``. Where areas differ much,
        ``t`` is in units of what the answers leave open; where ``σ`` goes to 0, in units of ``σ``.
        Plain ``ρ`` and ``σ`` form a funnel in which a chain sticks.

        Returns
        -------
        blocks : numpy.ndarray
            Shape (M, K).
        stretch : numpy.ndarray
            ``s``, shape (K,).
        """
        stretch = sigma * np.sqrt(1 / (1 + self._information * sigma**2))
        return _inverse_softplus(mu) + stretch * steps, stretch

    def hyperparameters(self, top: Array) -> Array:
        """``μ``, ``σ`` and ``w``, shape (…, 3, K), from global parameters (…, G)."""
        free = top[..., :-1].reshape(*top.shape[:-1], 3, -1)
        result: Array = np.exp(free)
        result[..., 1, :] = LEAST_SIGMA + UNIT_OF_SIGMA * _softplus(free[..., 1, :])
        return result

    def prevalences(self, x: Array) -> Array:
        """Log prevalence ``−ρ`` before scaling, shape (M, K)."""
        top, steps, _ = self.layout.split(x)
        mu, sigma, _ = self.hyperparameters(top)
        return -_softplus(self._placed(mu, sigma, steps)[0])

    def log_degrees(self, x: Array) -> Array:
        """Log network size ``δ`` of each respondent before scaling, shape (n,)."""
        return _softplus(self.layout.split(x)[2])

    def simulate(self, x: Array, generator: np.random.Generator) -> Array:
        """Draw counts from the model at `x`, shape (n, K); missing where the answer is missing."""
        top, _, effects = self.layout.split(x)
        groups = len(self.counts.groups)
        size = np.exp(top[2 * groups : 3 * groups])
        mean = np.exp(_softplus(effects)[:, None] + self.prevalences(x)[self.area_of])
        drawn = generator.poisson(generator.gamma(np.broadcast_to(size, mean.shape)) * mean / size)
        return np.where(self.counts.answered, drawn.astype(float), np.nan)

    @cached_property
    def _data(self) -> tuple[Answers, Sums, Exceeding, Array, Array, Array]:
        """Arguments of :func:`pooled_density` that don't depend on the parameters."""
        order, first = self.layout.by_area
        bounds = np.append(first, len(order)).astype(np.int64)
        priors = self.priors
        scales = [priors.mu, priors.sigma, priors.size, priors.delta_mean, priors.sigma_delta]
        return (
            (*self._by_group, order, bounds),
            (*self._people, self._answered),
            self._exceeding,
            self._w,
            self._information,
            np.array(scales),
        )

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Log posterior up to a constant, and its gradient."""
        x = np.ascontiguousarray(x)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            elsewhere, further = self._elsewhere(x)
            gradient = np.empty(len(x))
            value = pooled_density(x, *self._data, further, gradient)
        return value + elsewhere, gradient

    def _elsewhere(self, x: Array) -> tuple[float, tuple[Array, Array, Array]]:
        """Evaluate large counts and interval answers, of which there are few.

        Returns
        -------
        float
            Their log-likelihood, so far as it isn't in :func:`pooled_density`.
        tuple of numpy.ndarray
            Derivatives by ``δ`` (n,), ``−ρ`` (M, K) and ``w`` (K,).
        """
        groups, value = len(self.counts.groups), 0.0
        d_delta, d_size = np.zeros(self.layout.respondents), np.zeros(groups)
        d_minus_rho = np.zeros((self.areas, groups))
        cells, (columns, large, shares) = self.counts.intervals, self._far
        if len(large):
            size = np.exp(x[2 * groups : 3 * groups])[columns]
            value += float(shares @ (gammaln(size + large) - gammaln(size + LONG)))
            slope = shares * (psi(size + large) - psi(size + LONG))
            d_size += np.bincount(columns, slope, groups)
        if len(cells):
            top, _, effects = self.layout.split(x)
            place = self.layout.area_of[cells.rows], cells.columns
            log_mean = _softplus(effects[cells.rows]) + self.prevalences(x)[place]
            log_size = top[2 * groups : 3 * groups]
            coarse, by_mean, by_size = add_fixed_size(
                cells, log_mean, log_size[cells.columns], self._w
            )
            value += coarse
            d_delta += np.bincount(cells.rows, by_mean, len(d_delta))
            np.add.at(d_minus_rho, place, by_mean)
            d_size += np.bincount(cells.columns, by_size, groups) / np.exp(log_size)
        return value, (d_delta, d_minus_rho, d_size)


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _inverse_softplus(y: Array) -> Array:
    return y + np.log(-np.expm1(-y))
