"""The plain baseline: Poisson counts and log-normal degrees.

``y_ik ~ Poisson(e^{α_i + β_k})``, ``α_i ~ N(0, σ_α)``, ``β_k ~ N(μ_β, σ_β)``: the random degree
model (Maltiel et al. 2015) on counts, that is the overdispersed model with every ``ω_k`` at 1. What
it misses is what the others are for. Effects are partially uncentred as there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from prevalence.models.counts import CountTable
from prevalence.models.intervals import add_poisson
from prevalence.models.layout import Layout
from prevalence.models.overdispersed import FARTHEST_LOG, OverdispersedPriors

Array = NDArray[np.float64]
DEFAULT = OverdispersedPriors()


@dataclass(frozen=True)
class PoissonLognormal:
    """Log posterior of the baseline.

    Parameters
    ----------
    counts
        The counts of all groups, known and hidden.
    priors
        Scales of σ_α, μ_β and σ_β.
    weights
        Exponents of the respondents' likelihood and prior, mean 1; none for an unweighted fit.
    """

    counts: CountTable
    priors: OverdispersedPriors = DEFAULT
    weights: Array | None = None

    def reweighted(self, weights: Array) -> PoissonLognormal:
        """Return the same density with other weights."""
        return replace(self, weights=weights)

    @cached_property
    def layout(self) -> Layout:
        """Steps to β, log σ_α, μ_β, log σ_β; then steps to α."""
        names = [f"beta_step[{group}]" for group in self.counts.groups]
        names += ["log_sigma_alpha", "mu_beta", "log_sigma_beta"]
        area = np.zeros(len(self.counts.table), np.int64)
        return Layout(tuple(names), area, scales=(len(names) - 1,))

    @cached_property
    def _w(self) -> Array:
        n = len(self.counts.table)
        return np.ones(n) if self.weights is None else np.asarray(self.weights, float)

    @cached_property
    def _people(self) -> tuple[Array, Array, Array]:
        """Weighted people known by respondent (n,), by group (K,); weighted answers (n, K)."""
        filled = np.nan_to_num(self.counts.table)
        answered = self.counts.present * self._w[:, None]
        return self._w * filled.sum(axis=1), self._w @ filled, answered

    @cached_property
    def _crude(self) -> tuple[Array, Array]:
        """Logarithms of row totals, centred (n,), and of column means (K,), kept off zero."""
        table = self.counts.rough
        rows = np.log(np.nansum(table, axis=1) + 0.5)
        columns = np.log(np.nanmean(table, axis=0) + 0.5 / len(table))
        return rows - rows.mean(), columns

    @cached_property
    def _uncentring(self) -> tuple[Array, Array]:
        """Shares of noise in what the answers say of β, shape (K,), and of α, shape (n,)."""
        rows, columns = self._crude
        people = np.nan_to_num(self.counts.rough)
        shares = []
        for crude, total in ((columns, people.sum(axis=0)), (rows, people.sum(axis=1))):
            noise = 1 / (total + 1)
            between = max(float(crude.var() - noise.mean()), 0.0)
            shares.append(noise / (noise + between))
        return shares[0], shares[1]

    def start(self) -> Array:
        """Logarithms of row and column means."""
        rows, columns = self._crude
        alpha = np.clip(rows, -2, 2) * 0.8
        beta = columns - np.log(np.exp(alpha).mean())
        spreads = max(float(alpha.std()), 0.3), max(float(beta.std()), 0.3)
        return self.at(beta, (spreads[0], float(beta.mean()), spreads[1]), alpha)

    def at(self, beta: Array, scales: tuple[float, float, float], alpha: Array) -> Array:
        """Return the vector that stands for ``β`` (K,), ``σ_α, μ_β, σ_β`` and ``α`` (n,)."""
        sigma_alpha, mu, sigma_beta = scales
        of_group, of_row = self._uncentring
        steps = (beta - mu) / sigma_beta**of_group
        top = [*steps, np.log(sigma_alpha), mu, np.log(sigma_beta)]
        return np.concatenate([top, alpha / sigma_alpha**of_row])

    def prevalences(self, top: Array) -> Array:
        """Log prevalences ``β`` before scaling, shape (…, K), from global parameters (…, G)."""
        k = len(self.counts.groups)
        stretch = np.exp(self._uncentring[0] * top[..., k + 2, None])
        result: Array = top[..., k + 1, None] + stretch * top[..., :k]
        return result

    def effects(self, x: Array) -> Array:
        """Respondents' ``α``, shape (n,)."""
        g = self.layout.globals
        result: Array = np.exp(self._uncentring[1] * x[g - 3]) * x[g:]
        return result

    def mean_degree(self, x: Array) -> float:
        """Weighted mean of ``e^α``, before scaling."""
        return float(np.average(np.exp(self.effects(x)), weights=self._w))

    def simulate(self, x: Array, generator: np.random.Generator) -> Array:
        """Draw counts from the model at `x`, shape (n, K); missing where the answer is missing."""
        beta = self.prevalences(x[: self.layout.globals])
        drawn = generator.poisson(np.exp(self.effects(x)[:, None] + beta)).astype(float)
        return np.where(self.counts.answered, drawn, np.nan)

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Log posterior up to a constant, and its gradient."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._value_and_gradient(x)

    def _value_and_gradient(self, x: Array) -> tuple[float, Array]:
        k = len(self.counts.groups)
        log_sa, mu, log_sb = x[k : k + 3]
        if max(abs(log_sa), abs(log_sb)) > FARTHEST_LOG:
            return -math.inf, np.zeros(len(x))
        of_group, of_row = self._uncentring
        stretch_b, stretch_a = np.exp(of_group * log_sb), np.exp(of_row * log_sa)
        apart, alpha = stretch_b * x[:k], stretch_a * x[k + 3 :]
        by_row, by_group, answered = self._people
        scale, rate = np.exp(alpha), np.exp(mu + apart)
        exposure = scale @ answered
        value = float(by_row @ alpha + by_group @ (mu + apart) - exposure @ rate)
        d_beta = by_group - exposure * rate
        d_alpha = by_row - scale * (answered @ rate)
        cells = self.counts.intervals
        if len(cells):
            log_mean = alpha[cells.rows] + mu + apart[cells.columns]
            coarse, slope = add_poisson(cells, log_mean, self._w)
            value += coarse
            d_alpha += np.bincount(cells.rows, slope, len(alpha))
            d_beta += np.bincount(cells.columns, slope, k)
        prior, d_apart, d_scales, d_alpha_prior = self._prior(apart, log_sa, mu, log_sb, alpha)
        d_alpha += d_alpha_prior
        d_apart += d_beta
        there = of_row * (self._w > 0)  # a respondent without a weight has no Jacobian either
        value += prior + float(there.sum()) * log_sa + float(of_group.sum()) * log_sb
        d_scales[0] += float(of_row @ (d_alpha * alpha)) + float(there.sum())
        d_scales[1] += float(d_beta.sum())
        d_scales[2] += float(of_group @ (d_apart * apart + 1))
        return value, np.concatenate([d_apart * stretch_b, d_scales, d_alpha * stretch_a])

    def _prior(
        self, apart: Array, log_sa: float, mu: float, log_sb: float, alpha: Array
    ) -> tuple[float, Array, Array, Array]:
        """Log prior of plain effects, Jacobians of log σ included, and its gradient."""
        priors, n, groups = self.priors, float(self._w.sum()), len(apart)
        var_a, var_b = math.exp(2 * log_sa), math.exp(2 * log_sb)
        squares, others = float(self._w @ alpha**2) / var_a, float(apart @ apart) / var_b
        value = -0.5 * squares - n * log_sa - 0.5 * others - groups * log_sb
        value += log_sa - 0.5 * var_a / priors.sigma_alpha**2
        value += log_sb - 0.5 * var_b / priors.sigma_beta**2
        value -= 0.5 * ((mu - priors.mu_beta_mean) / priors.mu_beta) ** 2
        d_scales = np.array(
            [
                squares - n + 1 - var_a / priors.sigma_alpha**2,
                -(mu - priors.mu_beta_mean) / priors.mu_beta**2,
                others - groups + 1 - var_b / priors.sigma_beta**2,
            ]
        )
        return value, -apart / var_b, d_scales, -self._w * alpha / var_a
