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
from scipy.special import digamma, expit, gammaln, log_ndtr

from prevalence.errors import PipelineError
from prevalence.models.compiled import added, compiled, logarithms, softplus
from prevalence.models.counts import CountTable
from prevalence.models.intervals import add_fixed_size
from prevalence.models.layout import Layout

Array = NDArray[np.float64]
Index = NDArray[np.int64]


UNIT_OF_SIGMA = 0.05
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
def gamma_terms(
    rho: Array, mu: Array, shape: Array, deviance: Array, apart: Array, d_rho: Array
) -> float:
    """Add up what the gamma density of the areas' ``ρ`` needs.

    Parameters
    ----------
    rho
        Shape (M, K).
    mu, shape
        Means and shapes ``(μ/σ)²``, shape (K,).
    deviance, apart
        Sums over areas of ``log r − r + 1`` and ``r − 1``, with ``r = ρ/μ``, added to in place,
        shape (K,).
    d_rho
        Derivative of the log density by ``ρ``, filled, shape (M, K).

    Returns
    -------
    float
        Sum of ``log r``.
    """
    total = 0.0
    for m in range(rho.shape[0]):
        for k in range(rho.shape[1]):
            a = (rho[m, k] - mu[k]) / mu[k]
            log_ratio = math.log1p(a)
            total += log_ratio
            deviance[k] += log_ratio - a
            apart[k] += a
            d_rho[m, k] = -(shape[k] * a + 1.0) / rho[m, k]
    return total


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

    @property
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
    def _exceeding(self) -> tuple[Index, Array, Array]:
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
        free = _inverse_softplus(sigma / UNIT_OF_SIGMA)
        top = np.concatenate([np.log(mu), free, size, [0.0]])
        centre, stretch, _ = self._placed(mu, sigma, np.zeros(rho.shape))
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

    def _placed(self, mu: Array, sigma: Array, steps: Array) -> tuple[Array, Array, Array]:
        """Inverse softplus of ``ρ`` from the areas' steps.

        ``ξ(ρ) = ξ(μ_k) + s_k t`` with ``s = σ / √(1 + I σ²)``, about the standard deviation of
        ``ρ`` given ``σ`` and the answers, whose information is ``I``. Where areas differ much,
        ``t`` is in units of what the answers leave open; where ``σ`` goes to 0, in units of ``σ``.
        Plain ``ρ`` and ``σ`` form a funnel in which a chain sticks.

        Returns
        -------
        blocks : numpy.ndarray
            Shape (M, K).
        stretch, share : numpy.ndarray
            ``s`` and ``d log s / d log σ``, shape (K,).
        """
        share = 1 / (1 + self._information * sigma**2)
        stretch = sigma * np.sqrt(share)
        return _inverse_softplus(mu) + stretch * steps, stretch, share

    def hyperparameters(self, top: Array) -> Array:
        """``μ``, ``σ`` and ``w``, shape (…, 3, K), from global parameters (…, G)."""
        free = top[..., :-1].reshape(*top.shape[:-1], 3, -1)
        result: Array = np.exp(free)
        result[..., 1, :] = UNIT_OF_SIGMA * _softplus(free[..., 1, :])
        return result

    def prevalences(self, x: Array) -> Array:
        """Log prevalence ``−ρ`` before scaling, shape (M, K)."""
        top, steps, _ = self.layout.split(x)
        mu, sigma, _ = self.hyperparameters(top)
        return -_softplus(self._placed(mu, sigma, steps)[0])

    def mean_degree(self, x: Array) -> float:
        """Weighted mean of ``e^δ``, before scaling."""
        return float(np.average(np.exp(_softplus(self.layout.split(x)[2])), weights=self._w))

    def simulate(self, x: Array, generator: np.random.Generator) -> Array:
        """Draw counts from the model at `x`, shape (n, K); missing where the answer is missing."""
        top, _, effects = self.layout.split(x)
        groups = len(self.counts.groups)
        size = np.exp(top[2 * groups : 3 * groups])
        mean = np.exp(_softplus(effects)[:, None] + self.prevalences(x)[self.area_of])
        drawn = generator.poisson(generator.gamma(np.broadcast_to(size, mean.shape)) * mean / size)
        return np.where(self.counts.answered, drawn.astype(float), np.nan)

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Log posterior up to a constant, and its gradient."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._value_and_gradient(x)

    def _value_and_gradient(self, x: Array) -> tuple[float, Array]:
        top, steps, effects = self.layout.split(x)
        groups = len(self.counts.groups)
        log_mu, free, log_size = top[: 3 * groups].reshape(3, groups)
        values = self.hyperparameters(top)
        log_sigma = np.log(values[1])
        blocks, stretch, share = self._placed(values[0], values[1], steps)
        rho, slopes, prevalence = _softplus_and_slopes(blocks)
        delta, slope, inverse_degree = _softplus_and_slopes(effects)
        likelihood, d_delta, d_minus_rho, d_size = self._likelihood(
            (delta, 1 / inverse_degree), (rho, prevalence), values[2]
        )
        pooled, d_rho, d_log_mu, d_log_sigma = _pooling(rho, log_mu, log_sigma)
        degrees, d_delta_prior, d_logit = self._degrees(delta, top[-1])
        value = likelihood + pooled + degrees
        # The slope of softplus is e^{x − softplus(x)}: its logarithm is the Jacobian.
        value += float((blocks - rho).sum()) + float((effects - delta).sum())
        scale = np.array([self.priors.mu, self.priors.sigma, self.priors.size])[:, None]
        squares = (values / scale) ** 2
        value -= 0.5 * float(squares.sum())
        d_hyper = np.array([d_log_mu, d_log_sigma, d_size * values[2]]) - squares
        d_blocks = (d_rho - d_minus_rho) * slopes + prevalence
        value += float(len(steps) * np.log(stretch).sum())
        d_hyper[0] += d_blocks.sum(axis=0) * np.exp(log_mu) / -np.expm1(-np.exp(log_mu))
        d_hyper[1] += share * ((d_blocks * steps).sum(axis=0) * stretch + len(steps))
        # From logarithms to the parameters; the slope of σ is e^{x − softplus(x)} in its unit.
        inner = _softplus(free)
        value += float((log_mu + log_size + free - inner).sum())
        rise = -np.expm1(-inner)
        d_hyper[1] *= rise / inner
        d_hyper += np.array([np.ones(groups), 1 - rise, np.ones(groups)])
        gradient = self.layout.join(
            np.append(d_hyper.ravel(), d_logit),
            d_blocks * stretch,
            (d_delta + d_delta_prior) * slope + inverse_degree,
        )
        return value, gradient

    def _likelihood(
        self, degrees: tuple[Array, Array], prevalences: tuple[Array, Array], size: Array
    ) -> tuple[float, Array, Array, Array]:
        """Evaluate at ``δ`` and ``e^δ``, ``ρ`` and ``e^{−ρ}``, and ``w``."""
        (delta, degree), (rho, prevalence) = degrees, prevalences
        by_row, by_area = self._people
        order, first = self.layout.by_area
        d_ordered, d_size = np.zeros(len(delta)), np.zeros(len(size))
        d_minus_rho = np.zeros(rho.shape)
        value = negative_binomial_terms(
            *self._by_group,
            np.append(first, len(delta)),
            degree[order],
            prevalence,
            size,
            d_ordered,
            d_minus_rho,
            d_size,
        )
        d_delta = np.empty(len(delta))
        d_delta[order] = d_ordered
        value += float(by_row @ delta) - float((by_area * rho).sum())
        value += float(self._answered @ (size * np.log(size)))
        columns, levels, shares = self._exceeding
        rising = size[columns] + levels
        value += float(shares @ np.log(rising))
        d_size += self._answered * (np.log(size) + 1)
        d_size += np.bincount(columns, shares / rising, len(size))
        columns, large, shares = self._far
        if len(large):
            top, bottom = size[columns] + large, size[columns] + LONG
            value += float(shares @ (gammaln(top) - gammaln(bottom)))
            d_size += np.bincount(columns, shares * (digamma(top) - digamma(bottom)), len(size))
        cells = self.counts.intervals
        if len(cells):
            place = self.layout.area_of[cells.rows], cells.columns
            log_mean = delta[cells.rows] - rho[place]
            log_size = np.log(size[cells.columns])
            coarse, by_mean, by_size = add_fixed_size(cells, log_mean, log_size, self._w)
            value += coarse
            d_delta += np.bincount(cells.rows, by_mean, len(delta))
            np.add.at(d_minus_rho, place, by_mean)
            d_size += np.bincount(cells.columns, by_size, len(size)) / size
        return value, d_delta, d_minus_rho, d_size

    def _degrees(self, delta: Array, logit: float) -> tuple[float, Array, float]:
        """Evaluate the truncated normal prior of ``δ`` and the uniform one of ``σ_δ``."""
        share, n = expit(logit), float(self._w.sum())  # no float: far out this divides by zero
        sigma = self.priors.sigma_delta * share
        apart = (delta - self.priors.delta_mean) / sigma
        squares = float(self._w @ apart**2)
        bound = self.priors.delta_mean / sigma
        log_inside = float(log_ndtr(bound))
        value = -0.5 * squares - n * np.log(sigma) - n * log_inside
        value += np.log(share) + np.log1p(-share)
        hazard = np.exp(-0.5 * bound * bound - 0.5 * np.log(2 * np.pi) - log_inside)
        d_log_sigma = squares - n + n * hazard * bound
        d_logit = d_log_sigma * (1 - share) + 1 - 2 * share
        return float(value), -self._w * apart / sigma, float(d_logit)


def _softplus_and_slopes(x: Array) -> tuple[Array, Array, Array]:
    """Softplus, its slope, and 1 less the slope, each of the shape of `x`."""
    soft, slope, rest = np.empty(x.shape), np.empty(x.shape), np.empty(x.shape)
    softplus(np.ascontiguousarray(x).ravel(), soft.ravel(), slope.ravel(), rest.ravel())
    return soft, slope, rest


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _inverse_softplus(y: Array) -> Array:
    return y + np.log(-np.expm1(-y))


def _pooling(rho: Array, log_mu: Array, log_sigma: Array) -> tuple[float, Array, Array, Array]:
    """Gamma density of the areas' ``ρ`` and its derivatives by ``ρ``, ``log μ`` and ``log σ``.

    By deviances from the mean: with nearly equal areas the shape is huge, and the textbook's form
    would be a difference of huge numbers.
    """
    shape, mu, areas = np.exp(2 * (log_mu - log_sigma)), np.exp(log_mu), len(rho)
    deviance, apart, d_rho = np.zeros(len(mu)), np.zeros(len(mu)), np.empty(rho.shape)
    logs = gamma_terms(rho, mu, shape, deviance, apart, d_rho)
    large = shape > 1e4
    moderate = np.where(large, 1.0, shape)
    series = 0.5 * np.log(shape / (2 * np.pi)) - 1 / (12 * shape)
    exact = moderate * np.log(moderate) - moderate - gammaln(moderate)
    norm = np.where(large, series, exact)
    d_norm = np.where(
        large, 0.5 / shape + 1 / (12 * shape**2), np.log(moderate) - digamma(moderate)
    )
    value = float((shape * deviance + areas * (norm - log_mu)).sum()) - logs
    d_shape = shape * (deviance + areas * d_norm)
    d_mu = shape * apart  # −r ∂/∂r of the density
    return value, d_rho, 2 * d_shape + d_mu, -2 * d_shape
