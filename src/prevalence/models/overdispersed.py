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

from prevalence.models.compiled import compiled
from prevalence.models.counts import CountTable
from prevalence.models.intervals import add_overdispersed
from prevalence.models.layout import Layout

Array = NDArray[np.float64]
Index = NDArray[np.int64]

FLAT = math.inf
FAR = 1e200  # a running product is turned into a logarithm before it overflows
FARTHEST_LOG = 300.0
TYPICAL_OMEGA = 2.0  # variance over mean, in the share of noise
LONG = 200.0  # beyond this count Stirling's series is exact to the last digit


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
    rows: Index,
    columns: Index,
    counts: Array,
    scale: Array,
    rate: Array,
    weights: Array,
    d_row: Array,
    d_column: Array,
) -> float:
    """Add up ``w_i Σ_{1≤j<y} log(c + j)`` with ``c = scale_i · rate_k``, and its gradient.

    Parameters
    ----------
    rows, columns, counts
        The cells with ``y ≥ 2``.
    scale, rate
        Shapes (n,) and (K,).
    weights
        Of the respondents, shape (n,).
    d_row, d_column
        Derivatives with respect to ``log scale`` and ``log rate``, added to in place.

    Returns
    -------
    float
        The weighted sum.
    """
    total = 0.0
    for cell in range(len(rows)):
        i, k, y = rows[cell], columns[cell], counts[cell]
        c = scale[i] * rate[k]
        logs, slope = 0.0, 0.0
        if y > LONG:
            a, b = c + y, c + 1.0
            logs = math.lgamma(a) - math.lgamma(b)
            while b < 20.0:
                slope += 1.0 / b
                b += 1.0
            u, v = 1.0 / (a * a), 1.0 / (b * b)
            slope += math.log(a) - 0.5 / a - u * (1 / 12 - u * (1 / 120 - u / 252))
            slope -= math.log(b) - 0.5 / b - v * (1 / 12 - v * (1 / 120 - v / 252))
        else:
            product = 1.0
            for j in range(1, int(y)):
                term = c + j
                product *= term
                slope += 1.0 / term
                if product > FAR:
                    logs += math.log(product)
                    product = 1.0
            logs += math.log(product)
        total += weights[i] * logs
        slope *= c * weights[i]
        d_row[i] += slope
        d_column[k] += slope
    return total


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
        Exponents of the respondents' likelihood and prior, mean 1; none for an unweighted fit.
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
    def _sums(self) -> tuple[Array, Array, Array, Array]:
        """Weighted: positive answers by respondent, by group; people by group; answered (n, K)."""
        filled = np.nan_to_num(self.counts.table)
        positive = (filled > 0) * self._w[:, None]
        answered = self.counts.present * self._w[:, None]
        return positive.sum(axis=1), positive.sum(axis=0), self._w @ filled, answered

    @cached_property
    def _missing(self) -> tuple[Index, Index]:
        rows, columns = np.nonzero(~self.counts.present)
        return rows.astype(np.int64), columns.astype(np.int64)

    @cached_property
    def _tail(self) -> tuple[Index, Index, Array]:
        return self.counts.cells(2)

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
        groups = len(self.counts.groups)
        steps, v, rest = x[:groups], x[groups : 2 * groups], x[2 * groups :]
        log_sa, mu, log_sb = rest[:3]
        # Beyond these bounds a variance is 0 or ∞ for the computer: no density, not a crash.
        if max(abs(log_sa), abs(log_sb)) > FARTHEST_LOG:
            return -math.inf, np.zeros(len(x))
        of_group, of_row = self._uncentring
        stretch_b, stretch_a = np.exp(of_group * log_sb), np.exp(of_row * log_sa)
        apart, alpha = stretch_b * steps, stretch_a * rest[3:]
        beta = mu + apart
        log_p, log_1p = log_ndtr(v), log_ndtr(-v)
        log_q = beta + log_p - log_1p
        scale, rate, log_omega = np.exp(alpha), np.exp(log_q), -log_p
        row_hits, column_hits, people, _ = self._sums
        d_alpha, d_log_q = row_hits.copy(), column_hits.copy()
        value = float(row_hits @ alpha + column_hits @ log_q + people @ log_1p)
        value += rising_logs(*self._tail, scale, rate, self._w, d_alpha, d_log_q)
        mean_terms = rate * log_omega
        exposure, lost = self._exposure(scale, mean_terms)
        value -= float(exposure @ mean_terms)
        d_alpha -= self._w * scale * (mean_terms.sum() - lost)
        d_log_q -= exposure * mean_terms
        d_log_omega = -exposure * rate
        coarse, d_logit = self._coarse(alpha, log_q, log_p, log_1p, d_alpha, d_log_q)
        value += coarse
        # dΦ/Φ and −dΦ/(1−Φ), by logarithms: neither tail underflows.
        log_density = -0.5 * v * v - 0.5 * math.log(2 * math.pi)
        d_log_p, d_log_1p = np.exp(log_density - log_p), -np.exp(log_density - log_1p)
        d_v = d_log_q * (d_log_p - d_log_1p) - d_log_omega * d_log_p + people * d_log_1p
        d_v += d_logit * (d_log_p - d_log_1p)
        prior, d_apart, d_v_prior, d_scales, d_alpha_prior = self._prior(
            apart, v, log_sa, mu, log_sb, alpha
        )
        d_alpha += d_alpha_prior
        d_beta = d_log_q + d_apart
        d_scales[0] += float(of_row @ (d_alpha * alpha + 1))
        d_scales[1] += float(d_log_q.sum())
        d_scales[2] += float(of_group @ (d_beta * apart + 1))
        value += prior + float(of_row.sum()) * log_sa + float(of_group.sum()) * log_sb
        return value, np.concatenate(
            [d_beta * stretch_b, d_v + d_v_prior, d_scales, d_alpha * stretch_a]
        )

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

    def _exposure(self, scale: Array, mean_terms: Array) -> tuple[Array, Array]:
        """Sum ``w e^α`` over those who answered each group; by respondent what isn't answered."""
        weighted = self._w * scale
        exposure = np.full(len(mean_terms), weighted.sum())
        lost = np.zeros(len(scale))
        rows, columns = self._missing
        if len(rows):
            exposure -= np.bincount(columns, weighted[rows], len(mean_terms))
            lost += np.bincount(rows, mean_terms[columns], len(scale))
        return exposure, lost

    def _prior(
        self, apart: Array, v: Array, log_sa: float, mu: float, log_sb: float, alpha: Array
    ) -> tuple[float, Array, Array, Array, Array]:
        """Log prior of plain effects, Jacobians of log σ included, and its gradient.

        By ``β − μ_β``, ``Φ⁻¹(1/ω)``, the three scales, and ``α``.
        """
        priors, n, groups = self.priors, float(self._w.sum()), len(apart)
        var_a, var_b = math.exp(2 * log_sa), math.exp(2 * log_sb)
        squares = float(self._w @ alpha**2)
        value = -0.5 * squares / var_a - n * log_sa - 0.5 * float(v @ v)
        value += -0.5 * float(apart @ apart) / var_b - groups * log_sb
        value += log_sa - 0.5 * var_a / priors.sigma_alpha**2
        value += log_sb - 0.5 * var_b / priors.sigma_beta**2
        value -= 0.5 * ((mu - priors.mu_beta_mean) / priors.mu_beta) ** 2
        d_sa = squares / var_a - n + 1 - var_a / priors.sigma_alpha**2
        d_mu = -(mu - priors.mu_beta_mean) / priors.mu_beta**2
        d_sb = float(apart @ apart) / var_b - groups + 1 - var_b / priors.sigma_beta**2
        scales = np.array([d_sa, d_mu, d_sb])
        return value, -apart / var_b, -v, scales, -self._w * alpha / var_a
