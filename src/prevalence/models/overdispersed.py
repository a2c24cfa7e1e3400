"""The overdispersed model (Zheng, Salganik & Gelman 2006).

``y_ik ~ NB(mean e^{α_i + β_k}, variance ω_k · mean)``, ``α_i ~ N(0, σ_α)``, ``β_k ~ N(μ_β, σ_β)``,
``1/ω_k ~ U(0, 1)``. Sampled as ``Φ⁻¹(1/ω)``, which mixes well where 1/ω is near 1, ``log σ``, and
partially uncentred effects (Papaspiliopoulos, Roberts & Sköld 2007): ``β_k = μ_β + σ_β^{c_k} t_k``
and ``α_i = σ_α^{c_i} a_i``, with ``c`` the share of noise in what the answers say of the effect.
Where that is little (few respondents, rare groups) plain effects and their ``σ`` form a funnel in
which a chain sticks; where it is much, ``c`` is next to nothing.

The likelihood is sparse: with ``c = e^{α_i} q_k`` and ``log Γ(y+c) − log Γ(c) = Σ_{j<y} log(c+j)``
zeros cost nothing and ones nearly nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from prevalence.models.compiled import compiled, digamma, exponentials, logarithms
from prevalence.models.counts import CountTable
from prevalence.models.intervals import add_overdispersed
from prevalence.models.layout import Layout

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Pieces = tuple[Index, Index, Array, Index]

FLAT = math.inf
FARTHEST_LOG = 300.0
TYPICAL_OMEGA = 2.0  # variance over mean, in the share of noise
LONG = 200  # counts above this are summed by gamma functions, not term by term
TERMS = 8  # of a product whose logarithm is taken at once
LARGEST_SIZE = 1e37  # of c: the product of so many terms is a number
TILE = 256  # pieces that are multiplied while they are in the cache


@dataclass(frozen=True)
class OverdispersedPriors:
    """Scales of the priors; infinite means flat, as in the published code.

    Parameters
    ----------
    sigma_alpha
        Of ``σ_α``, half-normal.
    mu_beta_mean, mu_beta
        Mean and scale of ``μ_β``, normal.
    sigma_beta
        Of ``σ_β``, half-normal.
    """

    sigma_alpha: float = 2.0
    mu_beta_mean: float = 0.0
    mu_beta: float = 10.0
    sigma_beta: float = 5.0


PUBLISHED = OverdispersedPriors(FLAT, 0.0, FLAT, FLAT)


@compiled
def rising_logs(
    pieces: Pieces, scale: Array, rate: Array, weights: Array, d_row: Array, d_column: Array
) -> float:
    """Add up ``w_i Σ_{1≤j<y} log(c + j)`` with ``c = scale_i · rate_k``, and its gradient.

    A count's terms come in pieces of up to 8, whose product is finite. Pieces of one length are
    multiplied side by side, their derivatives by the product rule, and the logarithms of all are
    taken at once.

    Parameters
    ----------
    pieces
        Row, column and first ``j`` of each piece, ordered by the number of terms; and the place
        where those of each number begin, from 0 to 8, and the end.
    scale, rate
        Shapes (n,) and (K,).
    weights
        Of the respondents, shape (n,).
    d_row, d_column
        Derivatives with respect to ``log scale`` and ``log rate``, added to in place.

    Returns
    -------
    float
        The weighted sum; −∞ where a ``c`` is too large to be multiplied.
    """
    rows, columns, first, begins = pieces
    count = len(rows)
    size, product, slope = np.empty(count), np.empty(count), np.empty(count)
    logs, scratch = np.empty(count), np.empty(count)
    sound = True
    for p in range(count):
        size[p] = scale[rows[p]] * rate[columns[p]]
        product[p] = size[p] + first[p]
        slope[p] = 1.0
        sound &= size[p] < LARGEST_SIZE  # false for what is no number
    if not sound:
        return -math.inf
    for terms in range(2, len(begins) - 1):
        for tile in range(begins[terms], begins[terms + 1], TILE):
            end = min(tile + TILE, begins[terms + 1])
            for j in range(1, terms):
                for p in range(tile, end):
                    term = size[p] + (first[p] + j)
                    slope[p] = slope[p] * term + product[p]
                    product[p] *= term
    logarithms(product, scratch, logs)
    total = 0.0
    for p in range(count):
        i = rows[p]
        total += weights[i] * logs[p]
        along = weights[i] * size[p] * slope[p] / product[p]
        d_row[i] += along
        d_column[columns[p]] += along
    return total


@compiled
def long_rising_logs(
    cells: tuple[Index, Index, Array],
    scale: Array,
    rate: Array,
    weights: Array,
    d_row: Array,
    d_column: Array,
) -> float:
    """Add up the same for huge counts, by gamma functions.

    Parameters
    ----------
    cells
        Row, column and count.
    scale, rate, weights, d_row, d_column
        As for :func:`rising_logs`.

    Returns
    -------
    float
        The weighted sum.
    """
    total = 0.0
    rows, columns, counts = cells
    for cell in range(len(rows)):
        i, k = rows[cell], columns[cell]
        c = scale[i] * rate[k]
        top, bottom = c + counts[cell], c + 1.0
        total += weights[i] * (math.lgamma(top) - math.lgamma(bottom))
        along = weights[i] * c * (digamma(top) - digamma(bottom))
        d_row[i] += along
        d_column[k] += along
    return total


@compiled
def overdispersed_terms(
    effects: tuple[Array, Array],
    odds: tuple[Array, Array, Array],
    sums: tuple[Array, Array, Array],
    pieces: Pieces,
    long_cells: tuple[Index, Index, Array],
    missing: tuple[Index, Index],
    weights: Array,
    further: tuple[Array, Array, Array],
) -> float:
    """Evaluate the log-likelihood of exact answers, and its gradient.

    Parameters
    ----------
    effects
        ``α``, shape (n,), and ``log q``, shape (K,).
    odds
        ``log 1/ω``, ``log(1 − 1/ω)``, and filled with the derivative by ``log ω``, shape (K,).
    sums
        Weighted: positive answers by respondent (n,) and by group (K,), people by group (K,).
    pieces, long_cells
        For :func:`rising_logs` and :func:`long_rising_logs`.
    missing
        Row and column of the answers that are missing.
    weights
        Shape (n,).
    further
        Derivatives by ``α`` (n,) and ``log q`` (K,), added to; by ``log(1 − 1/ω)`` as it stands by
        itself (K,), filled.

    Returns
    -------
    float
        The log-likelihood, up to a constant.
    """
    alpha, log_q = effects
    log_p, log_1p, d_log_omega = odds
    row_hits, column_hits, people = sums
    d_alpha, d_log_q, d_log_1p = further
    n, groups = len(alpha), len(log_q)
    scale = np.empty(n)
    exponentials(alpha, np.empty(n), scale)
    rate, mean_terms = np.empty(groups), np.empty(groups)
    value, together = 0.0, 0.0
    for k in range(groups):
        rate[k] = math.exp(log_q[k])
        mean_terms[k] = -rate[k] * log_p[k]
        together += mean_terms[k]
        value += column_hits[k] * log_q[k] + people[k] * log_1p[k]
        d_log_q[k] += column_hits[k]
        d_log_1p[k] = people[k]
    all_scales = 0.0
    for i in range(n):
        value += row_hits[i] * alpha[i]
        all_scales += weights[i] * scale[i]
        d_alpha[i] += row_hits[i] - weights[i] * scale[i] * together
    exposure = np.full(groups, all_scales)
    rows, columns = missing
    for cell in range(len(rows)):
        i, k = rows[cell], columns[cell]
        exposure[k] -= weights[i] * scale[i]
        d_alpha[i] += weights[i] * scale[i] * mean_terms[k]
    value += rising_logs(pieces, scale, rate, weights, d_alpha, d_log_q)
    value += long_rising_logs(long_cells, scale, rate, weights, d_alpha, d_log_q)
    for k in range(groups):
        value -= exposure[k] * mean_terms[k]
        d_log_q[k] -= exposure[k] * mean_terms[k]
        d_log_omega[k] = -exposure[k] * rate[k]
    return value


@compiled
def stretched(steps: Array, shares: Array, log_spread: float, stretch: Array, out: Array) -> None:
    """Fill in partially uncentred effects, ``σ^c`` times their steps.

    Parameters
    ----------
    steps, shares
        Steps and ``c``, shape (n,).
    log_spread
        ``log σ``.
    stretch, out
        ``σ^c`` and the effects, filled, shape (n,).
    """
    n = len(steps)
    for i in range(n):
        out[i] = shares[i] * log_spread
    exponentials(out, np.empty(n), stretch)
    for i in range(n):
        out[i] = stretch[i] * steps[i]


@compiled
def effect_terms(
    effects: Array,
    stretch: Array,
    shares: Array,
    weights: Array,
    variance: float,
    d_effects: Array,
    gradient: Array,
) -> tuple[float, float]:
    """Take a gradient by effects to one by steps, the effects' normal prior included.

    Parameters
    ----------
    effects, stretch, shares
        As for :func:`stretched`.
    weights
        Of the respondents, shape (n,).
    variance
        ``σ²`` of the prior.
    d_effects
        Derivatives of the likelihood, shape (n,).
    gradient
        Filled, shape (n,).

    Returns
    -------
    float, float
        Weighted sum of squares over the variance; derivative by ``log σ`` through the steps.
    """
    squares, along = 0.0, 0.0
    for i in range(len(effects)):
        pull = weights[i] * effects[i] / variance
        squares += pull * effects[i]
        slope = d_effects[i] - pull
        # The Jacobian of a step is its respondent's: without a weight there is no respondent.
        along += shares[i] * (slope * effects[i] + (1.0 if weights[i] > 0.0 else 0.0))
        gradient[i] = slope * stretch[i]
    return squares, along


@dataclass(frozen=True)
class Overdispersed:
    """Log posterior of the overdispersed model.

    Parameters
    ----------
    counts
        The counts of all groups, known and hidden.
    priors
        Their scales.
    weights
        Exponents of the respondents' likelihood and prior, mean 1; none for an unweighted fit. A
        respondent of weight 0 is as good as absent, the Jacobian of the effect's step included.
    """

    counts: CountTable
    priors: OverdispersedPriors = OverdispersedPriors()
    weights: Array | None = None

    def reweighted(self, weights: Array) -> Overdispersed:
        """Return the same density with other weights."""
        return replace(self, weights=weights)

    @cached_property
    def layout(self) -> Layout:
        """Steps t to β, Φ⁻¹(1/ω), log σ_α, μ_β, log σ_β; then steps a to α."""
        groups = self.counts.groups
        names = [f"beta_step[{group}]" for group in groups]
        names += [f"probit_inverse_omega[{group}]" for group in groups]
        names += ["log_sigma_alpha", "mu_beta", "log_sigma_beta"]
        g = len(names)
        return Layout(tuple(names), np.zeros(len(self.counts.table), np.int64), scales=(g - 1,))

    @cached_property
    def _w(self) -> Array:
        n = len(self.counts.table)
        return np.ones(n) if self.weights is None else np.asarray(self.weights, float)

    @cached_property
    def _sums(self) -> tuple[Array, Array, Array]:
        """Weighted: positive answers by respondent, by group; people by group."""
        filled = np.nan_to_num(self.counts.table)
        positive = (filled > 0) * self._w[:, None]
        return positive.sum(axis=1), positive.sum(axis=0), self._w @ filled

    @cached_property
    def _missing(self) -> tuple[Index, Index]:
        rows, columns = np.nonzero(~self.counts.present)
        return rows.astype(np.int64), columns.astype(np.int64)

    @cached_property
    def _pieces(self) -> Pieces:
        """Terms ``c + j``, ``1 ≤ j < y``, of counts that aren't huge, in pieces of one length."""
        rows, columns, counts = self.counts.cells(2)
        terms = np.where(counts <= LONG, counts - 1, 0).astype(np.int64)
        many = -(-terms // TERMS)
        cell = np.repeat(np.arange(len(rows)), many)
        part = np.arange(len(cell)) - np.repeat(np.cumsum(many) - many, many)
        length = np.minimum(terms[cell] - TERMS * part, TERMS)
        order = np.lexsort((cell, length))
        begins = np.searchsorted(length[order], np.arange(TERMS + 2)).astype(np.int64)
        first = (1 + TERMS * part)[order].astype(float)
        return rows[cell][order], columns[cell][order], first, begins

    @cached_property
    def _long_cells(self) -> tuple[Index, Index, Array]:
        return self.counts.cells(LONG + 1)

    @cached_property
    def _crude(self) -> tuple[Array, Array]:
        """Logarithms of row totals, centred (n,), and of column means (K,), kept off zero."""
        table = self.counts.rough
        rows = np.log(np.nansum(table, axis=1) + 0.5)
        columns = np.log(np.nanmean(table, axis=0) + 0.5 / len(table))
        return rows - rows.mean(), columns

    @cached_property
    def _uncentring(self) -> tuple[Array, Array]:
        """Shares of noise ``c_k``, shape (K,), and ``c_i``, shape (n,)."""
        rows, columns = self._crude
        people = np.nan_to_num(self.counts.rough)
        shares = []
        for crude, total in ((columns, people.sum(axis=0)), (rows, people.sum(axis=1))):
            noise = TYPICAL_OMEGA / (total + 1)
            between = max(float(crude.var() - noise.mean()), 0.0)
            shares.append(noise / (noise + between))
        return shares[0], shares[1]

    def start(self) -> Array:
        """Logarithms of row and column means, ω about 2."""
        rows, columns = self._crude
        alpha = np.clip(rows, -2, 2) * 0.8
        beta = columns - np.log(np.exp(alpha).mean())
        of_group, of_row = self._uncentring
        # Not below 0.3: from a spread of next to nothing the mode isn't found.
        spread_a, spread_b = max(float(alpha.std()), 0.3), max(float(beta.std()), 0.3)
        steps = (beta - beta.mean()) / spread_b**of_group
        top = [*steps, *np.zeros(len(beta)), np.log(spread_a), beta.mean(), np.log(spread_b)]
        return np.concatenate([top, alpha / spread_a**of_row])

    def prevalences(self, top: Array) -> Array:
        """Log prevalences ``β`` before scaling, shape (…, K), from global parameters (…, G)."""
        groups = len(self.counts.groups)
        mu, log_sigma = top[..., 2 * groups + 1, None], top[..., 2 * groups + 2, None]
        result: Array = mu + np.exp(self._uncentring[0] * log_sigma) * top[..., :groups]
        return result

    def effects(self, x: Array) -> Array:
        """Respondents' ``α``, shape (n,)."""
        g = self.layout.globals
        result: Array = np.exp(self._uncentring[1] * x[g - 3]) * x[g:]
        return result

    def at(
        self, beta: Array, probits: Array, scales: tuple[float, float, float], alpha: Array
    ) -> Array:
        """Return the vector that stands for plain parameters.

        Parameters
        ----------
        beta, probits
            ``β`` and ``Φ⁻¹(1/ω)``, shape (K,).
        scales
            ``σ_α``, ``μ_β``, ``σ_β``.
        alpha
            Shape (n,).
        """
        sigma_alpha, mu, sigma_beta = scales
        of_group, of_row = self._uncentring
        steps = (beta - mu) / sigma_beta**of_group
        top = [*steps, *probits, np.log(sigma_alpha), mu, np.log(sigma_beta)]
        return np.concatenate([top, alpha / sigma_alpha**of_row])

    def mean_degree(self, x: Array) -> float:
        """Weighted mean of ``e^α``, before scaling."""
        return float(np.average(np.exp(self.effects(x)), weights=self._w))

    def simulate(self, x: Array, generator: np.random.Generator) -> Array:
        """Draw counts from the model at `x`, shape (n, K); missing where the answer is missing."""
        groups = len(self.counts.groups)
        p = np.clip(ndtr(x[groups : 2 * groups]), 1e-12, 1 - 1e-12)
        mean = np.exp(self.effects(x)[:, None] + self.prevalences(x[: self.layout.globals]))
        drawn = generator.poisson(generator.gamma(mean * p / (1 - p)) * (1 - p) / p)
        return np.where(self.counts.answered, drawn.astype(float), np.nan)

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Log posterior up to a constant, and its gradient."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._value_and_gradient(x)

    def _value_and_gradient(self, x: Array) -> tuple[float, Array]:
        groups, n = len(self.counts.groups), len(self.counts.table)
        v, (log_sa, mu, log_sb) = x[groups : 2 * groups], x[2 * groups : 2 * groups + 3]
        # Beyond these bounds a variance is 0 or ∞ for the computer: no density, not a crash.
        if max(abs(log_sa), abs(log_sb)) > FARTHEST_LOG:
            return -math.inf, np.zeros(len(x))
        of_group, of_row = self._uncentring
        stretch_b, stretch_a, alpha = np.exp(of_group * log_sb), np.empty(n), np.empty(n)
        apart = stretch_b * x[:groups]
        stretched(x[2 * groups + 3 :], of_row, log_sa, stretch_a, alpha)
        log_p, log_1p = log_ndtr(v), log_ndtr(-v)
        log_q = mu + apart + log_p - log_1p
        d_alpha, d_log_q = np.zeros(n), np.zeros(groups)
        d_log_omega, people = np.empty(groups), np.empty(groups)
        value = overdispersed_terms(
            (alpha, log_q),
            (log_p, log_1p, d_log_omega),
            self._sums,
            self._pieces,
            self._long_cells,
            self._missing,
            self._w,
            (d_alpha, d_log_q, people),
        )
        coarse, d_logit = self._coarse(alpha, log_q, log_p, log_1p, d_alpha, d_log_q)
        value += coarse
        # dΦ/Φ and −dΦ/(1−Φ), by logarithms: neither tail underflows.
        log_density = -0.5 * v * v - 0.5 * math.log(2 * math.pi)
        d_log_p, d_log_1p = np.exp(log_density - log_p), -np.exp(log_density - log_1p)
        d_v = d_log_q * (d_log_p - d_log_1p) - d_log_omega * d_log_p + people * d_log_1p
        d_v += d_logit * (d_log_p - d_log_1p) - v
        gradient = np.empty(len(x))
        squares, along = effect_terms(
            alpha,
            stretch_a,
            of_row,
            self._w,
            math.exp(2 * log_sa),
            d_alpha,
            gradient[2 * groups + 3 :],
        )
        prior, d_apart, d_scales = self._prior(apart, v, log_sa, mu, log_sb, squares)
        d_beta = d_log_q + d_apart
        value += prior
        gradient[:groups] = d_beta * stretch_b
        gradient[groups : 2 * groups] = d_v
        gradient[2 * groups] = d_scales[0] + along
        gradient[2 * groups + 1] = d_scales[1] + d_log_q.sum()
        gradient[2 * groups + 2] = d_scales[2] + of_group @ (d_beta * apart + 1)
        return value, gradient

    def _coarse(
        self,
        alpha: Array,
        log_q: Array,
        log_p: Array,
        log_1p: Array,
        d_alpha: Array,
        d_log_q: Array,
    ) -> tuple[float, Array]:
        """Log-likelihood of interval answers and its derivative by ``logit 1/ω``, shape (K,).

        Derivatives by ``α`` and ``log q`` are added to in place.
        """
        cells = self.counts.intervals
        if not len(cells):
            return 0.0, np.zeros(len(log_q))
        log_size = alpha[cells.rows] + log_q[cells.columns]
        value, by_size, by_logit = add_overdispersed(cells, log_size, log_p, log_1p, self._w)
        d_alpha += np.bincount(cells.rows, by_size, len(alpha))
        d_log_q += np.bincount(cells.columns, by_size, len(log_q))
        return value, np.asarray(np.bincount(cells.columns, by_logit, len(log_q)), float)

    def _prior(
        self, apart: Array, v: Array, log_sa: float, mu: float, log_sb: float, squares: float
    ) -> tuple[float, Array, tuple[float, float, float]]:
        """Log prior of plain effects, all Jacobians included, and its gradient.

        By ``β − μ_β`` and by the three scales; `squares` is that of ``α`` over its variance.
        """
        priors, groups = self.priors, len(apart)
        people, of_rows, of_groups = self._constants
        var_a, var_b = math.exp(2 * log_sa), math.exp(2 * log_sb)
        others = float(apart @ apart) / var_b
        value = -0.5 * (squares + float(v @ v) + others)
        value += (1 - people + of_rows) * log_sa - 0.5 * var_a / priors.sigma_alpha**2
        value += (1 - groups + of_groups) * log_sb - 0.5 * var_b / priors.sigma_beta**2
        value -= 0.5 * ((mu - priors.mu_beta_mean) / priors.mu_beta) ** 2
        d_sa = squares - people + 1 - var_a / priors.sigma_alpha**2
        d_mu = -(mu - priors.mu_beta_mean) / priors.mu_beta**2
        d_sb = others - groups + 1 - var_b / priors.sigma_beta**2
        return value, -apart / var_b, (d_sa, d_mu, d_sb)

    @cached_property
    def _constants(self) -> tuple[float, float, float]:
        """Sum of the weights, of the shares of respondents with a weight, and of groups."""
        of_group, of_row = self._uncentring
        return float(self._w.sum()), float(of_row @ (self._w > 0)), float(of_group.sum())
