"""The correlated model (Laga, Bao & Niu 2023), without covariates.

``y_ik ~ Poisson(e^{δ_i + ρ_k + b_ik})``, ``δ_i ~ N(0, σ_δ)``, ``ρ_k ~ N(μ_ρ, σ_ρ)``,
``b_i ~ N(−τ²/2, diag(τ) Ω diag(τ))``, so that ``E e^{b_ik} = 1``; ``Ω ~ LKJ(2)``. As in the
published code the half-Cauchy prior is on ``τ_N = (e^{τ²} − 1)^{−1/2}``.

Sampled as ``b_i = −τ²/2 + diag(τ) L ε_i`` with ``ε`` standard normal. Row *k* of the Cholesky
factor ``L`` of ``Ω`` is ``(x_k, 1) / |(x_k, 1)|``: LKJ(η) is then ``∏ (1 + |x_k|²)^{−(K+2η−1)/2}``
over free ``x_k``. ``δ`` and ``ρ`` are partially uncentred, as in the overdispersed model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from prevalence.models.blocks import BlockWhitening, block_whitening
from prevalence.models.counts import CountTable
from prevalence.models.intervals import add_poisson
from prevalence.models.layout import Layout

Array = NDArray[np.float64]
Index = NDArray[np.int64]

FLAT = math.inf
FARTHEST_LOG = 100.0
TYPICAL_OMEGA = 3.0  # variance over mean, in the share of noise
ROUNDS = 25  # of expectation-maximisation for the preconditioner's centre
SMALLEST_TAU, LARGEST_TAU = 0.1, 4.0  # of that centre


@dataclass(frozen=True)
class CorrelatedPriors:
    """Scales of the priors; infinite means flat.

    Parameters
    ----------
    sigma_delta
        Of ``σ_δ``, half-Cauchy.
    tau_n
        Of ``τ_N``, half-Cauchy.
    lkj
        Shape ``η`` of the correlations' prior: above 1 favours small ones.
    mu_rho_mean, mu_rho
        Mean and scale of ``μ_ρ``, normal.
    sigma_rho
        Of ``σ_ρ``, half-normal.
    """

    sigma_delta: float = 2.5
    tau_n: float = 2.5
    lkj: float = 2.0
    mu_rho_mean: float = 0.0
    mu_rho: float = 10.0
    sigma_rho: float = 5.0


PUBLISHED = CorrelatedPriors(mu_rho=FLAT, sigma_rho=FLAT)


@dataclass(frozen=True)
class Plain:
    """Parameters by their own names.

    Parameters
    ----------
    rho, tau
        Shape (K,).
    cholesky
        ``L``, shape (K, K).
    sigma_delta, mu_rho, sigma_rho
        Hyperparameters.
    """

    rho: Array
    tau: Array
    cholesky: Array
    sigma_delta: float
    mu_rho: float
    sigma_rho: float


@dataclass(frozen=True)
class Correlated:
    """Log posterior of the correlated model.

    Parameters
    ----------
    counts
        The counts of all groups, known and hidden.
    priors
        Their scales.
    """

    counts: CountTable
    priors: CorrelatedPriors = CorrelatedPriors()

    @cached_property
    def layout(self) -> Layout:
        """Steps to ρ, log τ, x of L, log σ_δ, μ_ρ, log σ_ρ; ε of each respondent; steps to δ."""
        groups, n = self.counts.groups, len(self.counts.table)
        names = [f"rho_step[{group}]" for group in groups]
        names += [f"log_tau[{group}]" for group in groups]
        rows, columns = self._lower
        names += [f"cholesky[{groups[k]}, {groups[j]}]" for k, j in zip(rows, columns, strict=True)]
        names += ["log_sigma_delta", "mu_rho", "log_sigma_rho"]
        return Layout(tuple(names), np.arange(n), n, len(groups))

    @cached_property
    def _lower(self) -> tuple[Index, Index]:
        rows, columns = np.tril_indices(len(self.counts.groups), -1)
        return rows.astype(np.int64), columns.astype(np.int64)

    @cached_property
    def _unit(self) -> float:
        """Scale of the x of L: about their prior's standard deviation."""
        return float((len(self.counts.groups) + 2 * self.priors.lkj - 1) ** -0.5)

    @cached_property
    def _filled(self) -> tuple[Array, Array]:
        """Counts with 0 for missing, and 1 where answered, shape (n, K)."""
        return np.nan_to_num(self.counts.table), self.counts.present.astype(float)

    @cached_property
    def _rough(self) -> tuple[Array, Array]:
        """The same with a stand-in for interval answers: for first guesses and the map."""
        return np.nan_to_num(self.counts.rough), self.counts.answered.astype(float)

    @cached_property
    def _crude(self) -> tuple[Array, Array]:
        """Logarithms of row totals, centred (n,), and of column means (K,), kept off zero."""
        table = self.counts.rough
        rows = np.log(np.nansum(table, axis=1) + 0.5)
        columns = np.log(np.nanmean(table, axis=0) + 0.5 / len(table))
        return rows - rows.mean(), columns

    @cached_property
    def _uncentring(self) -> tuple[Array, Array]:
        """Shares of noise in what the answers say of ρ, shape (K,), and of δ, shape (n,)."""
        rows, columns = self._crude
        people = self._rough[0]
        shares = []
        for crude, total in ((columns, people.sum(axis=0)), (rows, people.sum(axis=1))):
            noise = TYPICAL_OMEGA / (total + 1)
            between = max(float(crude.var() - noise.mean()), 0.0)
            shares.append(noise / (noise + between))
        return shares[0], shares[1]

    def plain(self, top: Array) -> Plain:
        """Read the global parameters, shape (G,)."""
        k = len(self.counts.groups)
        log_sd, mu, log_sr = top[-3:]
        rho = mu + np.exp(self._uncentring[0] * log_sr) * top[:k]
        rows, lengths = self._rows(top)
        return Plain(
            rho,
            np.exp(top[k : 2 * k]),
            rows / lengths[:, None],
            float(np.exp(log_sd)),
            float(mu),
            float(np.exp(log_sr)),
        )

    def at(self, plain: Plain, delta: Array, eps: Array) -> Array:
        """Return the vector that stands for plain parameters, ``δ`` (n,) and ``ε`` (n, K)."""
        of_group, of_row = self._uncentring
        steps = (plain.rho - plain.mu_rho) / plain.sigma_rho**of_group
        rows = plain.cholesky / np.diag(plain.cholesky)[:, None]
        scales = [np.log(plain.sigma_delta), plain.mu_rho, np.log(plain.sigma_rho)]
        top = np.concatenate([steps, np.log(plain.tau), rows[self._lower] / self._unit, scales])
        return self.layout.join(top, eps, delta / plain.sigma_delta**of_row)

    def _rows(self, top: Array) -> tuple[Array, Array]:
        """Rows ``(x_k, 1)``, shape (K, K), and their lengths (K,)."""
        k = len(self.counts.groups)
        rows: Array = np.eye(k)
        rows[self._lower] = top[2 * k : -3] * self._unit
        return rows, np.sqrt(np.einsum("kj,kj->k", rows, rows))

    def prevalences(self, top: Array) -> Array:
        """Log prevalences ``ρ`` before scaling, shape (…, K), from global parameters (…, G)."""
        k = len(self.counts.groups)
        stretch = np.exp(self._uncentring[0] * top[..., -1, None])
        result: Array = top[..., -2, None] + stretch * top[..., :k]
        return result

    def correlation(self, top: Array) -> Array:
        """Correlation ``Ω`` of the groups' effects, shape (K, K)."""
        factor = self.plain(top).cholesky
        result: Array = factor @ factor.T
        return result

    def recorded(self, x: Array) -> Array:
        """Keep of a draw the global parameters and the steps to δ: ``ε`` is too long to store."""
        top, _, effects = self.layout.split(x)
        return np.concatenate([top, effects])

    def degrees(self, kept: Array) -> Array:
        """``δ`` from what :meth:`recorded` kept, shape (…, n)."""
        g = self.layout.globals
        result: Array = np.exp(self._uncentring[1] * kept[..., g - 3, None]) * kept[..., g:]
        return result

    def mean_degree(self, kept: Array) -> float:
        """Mean of ``e^δ``, before scaling, from what :meth:`recorded` kept."""
        return float(np.exp(self.degrees(kept)).mean())

    def simulate(self, kept: Array, generator: np.random.Generator) -> Array:
        """Draw counts from what :meth:`recorded` kept, with new ``b``, shape (n, K)."""
        plain = self.plain(kept[: self.layout.globals])
        delta = self.degrees(kept)
        normal = generator.standard_normal(self.counts.table.shape)
        effects = normal @ (plain.tau[:, None] * plain.cholesky).T - plain.tau**2 / 2
        # A draw of a rare group's τ may give a rate that no integer holds.
        mean = np.exp(np.minimum(delta[:, None] + plain.rho + effects, 30.0))
        return np.where(self.counts.answered, generator.poisson(mean).astype(float), np.nan)

    def start(self) -> Array:
        """Logarithms of row and column means, τ of 1, no correlation."""
        rows, columns = self._crude
        delta = np.clip(rows, -2, 2) * 0.8
        rho = columns - np.log(np.exp(delta).mean())
        k, n = len(columns), len(rows)
        plain = Plain(
            rho,
            np.ones(k),
            np.eye(k),
            max(float(delta.std()), 0.3),
            float(rho.mean()),
            max(float(rho.std()), 0.3),
        )
        return self.at(plain, delta, np.zeros((n, k)))

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Log posterior up to a constant, and its gradient."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._value_and_gradient(x)

    def _value_and_gradient(self, x: Array) -> tuple[float, Array]:
        top, eps, steps = self.layout.split(x)
        k = len(self.counts.groups)
        log_tau, (log_sd, mu, log_sr) = top[k : 2 * k], top[-3:]
        if max(abs(log_sd), abs(log_sr), np.abs(log_tau).max()) > FARTHEST_LOG:
            return -math.inf, np.zeros(len(x))
        of_group, of_row = self._uncentring
        stretch_r, stretch_d = np.exp(of_group * log_sr), np.exp(of_row * log_sd)
        apart, delta = stretch_r * top[:k], stretch_d * steps
        rows, lengths = self._rows(top)
        factor, tau = rows / lengths[:, None], np.exp(log_tau)
        spread = tau[:, None] * factor
        counts, answered = self._filled
        log_mean = eps @ spread.T + (mu + apart - tau**2 / 2) + delta[:, None]
        mean = np.exp(log_mean) * answered
        rest = counts - mean
        coarse = 0.0
        cells = self.counts.intervals
        if len(cells):
            place = cells.rows, cells.columns
            coarse, rest[place] = add_poisson(cells, log_mean[place], np.ones(len(counts)))
        value = coarse + float((counts * log_mean).sum() - mean.sum()) - 0.5 * float((eps**2).sum())
        d_rho, d_delta, d_spread = rest.sum(axis=0), rest.sum(axis=1), rest.T @ eps
        d_log_tau = tau * (d_spread * factor).sum(axis=1) - tau**2 * d_rho
        d_factor = np.tril(tau[:, None] * d_spread)
        d_rows = d_factor - factor * (d_factor * factor).sum(axis=1)[:, None]
        d_rows = d_rows / lengths[:, None]
        power = k + 2 * self.priors.lkj - 1
        value -= power * float(np.log(lengths).sum())
        d_rows -= power * rows / lengths[:, None] ** 2
        prior, d_log_tau_prior = self._spread_prior(tau)
        scales, d_apart, d_scales, d_delta_prior = self._prior(apart, log_sd, mu, log_sr, delta)
        d_delta += d_delta_prior
        d_apart += d_rho
        value += prior + scales
        value += float(of_row.sum()) * log_sd + float(of_group.sum()) * log_sr
        d_scales[0] += float(of_row @ (d_delta * delta + 1))
        d_scales[1] += float(d_rho.sum())
        d_scales[2] += float(of_group @ (d_apart * apart + 1))
        d_top = np.concatenate(
            [
                d_apart * stretch_r,
                d_log_tau + d_log_tau_prior,
                d_rows[self._lower] * self._unit,
                d_scales,
            ]
        )
        return value, self.layout.join(d_top, rest @ spread - eps, d_delta * stretch_d)

    def _spread_prior(self, tau: Array) -> tuple[float, Array]:
        """Half-Cauchy density of ``τ_N`` taken to ``log τ``, and its derivative."""
        s = tau**2
        grown = np.expm1(np.minimum(s, 700.0))
        # 1 + τ_N² / c² with τ_N² = 1 / (e^s − 1); Jacobian ½ e^s (e^s − 1)^{−3/2} · 2 s.
        scale = self.priors.tau_n**2
        value = -np.log1p(1 / (scale * grown)) + np.log(s) + s - 1.5 * np.log(grown)
        d_log_grown = (grown + 1) / grown  # d log(e^s − 1) / ds
        slope = d_log_grown / (1 + scale * grown) + 1 / s + 1 - 1.5 * d_log_grown
        return float(value.sum()), 2 * s * slope

    def _prior(
        self, apart: Array, log_sd: float, mu: float, log_sr: float, delta: Array
    ) -> tuple[float, Array, Array, Array]:
        """Log prior of ``ρ − μ_ρ``, ``δ`` and their scales, Jacobians included; its gradient."""
        priors, n, k = self.priors, len(delta), len(apart)
        var_d, var_r = math.exp(2 * log_sd), math.exp(2 * log_sr)
        squares, others = float(delta @ delta) / var_d, float(apart @ apart) / var_r
        cauchy = var_d / priors.sigma_delta**2
        value = -0.5 * squares - n * log_sd - 0.5 * others - k * log_sr
        value += log_sd - math.log1p(cauchy) + log_sr - 0.5 * var_r / priors.sigma_rho**2
        value -= 0.5 * ((mu - priors.mu_rho_mean) / priors.mu_rho) ** 2
        d_scales = np.array(
            [
                squares - n + 1 - 2 * cauchy / (1 + cauchy),
                -(mu - priors.mu_rho_mean) / priors.mu_rho**2,
                others - k + 1 - var_r / priors.sigma_rho**2,
            ]
        )
        return value, -apart / var_r, d_scales, -delta / var_d

    def preconditioner(self) -> BlockWhitening:
        """Map to coordinates in which each respondent's effects are nearly standard normal.

        Global parameters by a few rounds of expectation-maximisation with normal approximations;
        the sampler learns their scales.
        """
        intercept, sigma, covariance, effects = self._maximised()
        tau = np.sqrt(np.diag(covariance))
        root = np.linalg.cholesky(covariance)
        rho = intercept + tau**2 / 2
        delta = effects @ _share_of_degree(sigma, covariance)
        eps = np.linalg.solve(root, (effects - delta[:, None]).T).T
        plain = Plain(
            rho,
            tau,
            root / tau[:, None],
            sigma,
            float(rho.mean()),
            max(float(rho.std()), 0.3),
        )
        mean = np.exp(intercept + effects) * self._rough[1]
        stretch = sigma ** self._uncentring[1]
        k, n = len(rho), len(delta)
        bend = np.empty((n, k + 1, k + 1))
        bend[:, :k, :k] = np.eye(k) + np.einsum("ik,kp,kq->ipq", mean, root, root, optimize=True)
        bend[:, :k, k] = (mean @ root) * stretch[:, None]
        bend[:, k, :k] = bend[:, :k, k]
        bend[:, k, k] = stretch**2 * (mean.sum(axis=1) + sigma**-2)
        leading = np.r_[: 2 * k, self.layout.globals - 3 : self.layout.globals].astype(np.int64)
        return block_whitening(self, self.at(plain, delta, eps), bend, leading)

    def _crude_spread(self) -> Array:
        """``τ`` by moments, from what counts vary beyond respondents' totals, shape (K,)."""
        counts, answered = self._rough
        totals = counts.sum(axis=1, keepdims=True) * answered
        mean = totals * (counts.sum(axis=0) / np.maximum(totals.sum(axis=0), 1e-9))
        excess = ((counts - mean) ** 2 - mean).sum(axis=0) / np.maximum((mean**2).sum(axis=0), 1e-9)
        tau: Array = np.sqrt(np.log1p(np.maximum(excess, 0.0)))
        return np.clip(tau, SMALLEST_TAU, LARGEST_TAU)

    def _maximised(self) -> tuple[Array, float, Array, Array]:
        """Approximate maximum of the marginal posterior.

        Returns
        -------
        intercept : numpy.ndarray
            ``ρ − τ²/2``, shape (K,).
        sigma : float
            ``σ_δ``.
        covariance : numpy.ndarray
            Of ``b``, shape (K, K).
        effects : numpy.ndarray
            Modes of ``δ + b + τ²/2``, shape (n, K).
        """
        plain = self.plain(self.start()[: self.layout.globals])
        counts, answered = self._rough
        n, k = counts.shape
        intercept, sigma = plain.rho, plain.sigma_delta
        covariance = np.diag(self._crude_spread() ** 2)
        effects = np.zeros((n, k))
        weight = n / (n + self._unit**-2)  # of the data in a correlation, beside the LKJ prior
        for _ in range(ROUNDS):
            inverse: Array = np.asarray(np.linalg.inv(covariance + sigma**2), float)
            effects = self._moved(intercept, inverse, effects, 2)
            shift = effects.mean(axis=0)
            intercept, effects = intercept + shift, effects - shift
            mean = np.exp(np.minimum(intercept + effects, 20.0)) * answered
            inner = np.linalg.inv(inverse + mean[:, :, None] * np.eye(k))
            around = np.diagonal(inner, axis1=1, axis2=2)
            expected = (mean * np.exp(np.minimum(around / 2, 2.0))).sum(axis=0)
            moment = (effects.T @ effects + inner.sum(axis=0)) / n
            share = _share_of_degree(sigma, covariance)
            left = 1 / (sigma**-2 + np.linalg.inv(covariance).sum())
            apart = np.eye(k) - share
            covariance = apart @ moment @ apart.T + left
            sigma = max(float(np.sqrt(share @ moment @ share + left)), 0.1)
            tau = np.clip(np.sqrt(np.diag(covariance)), SMALLEST_TAU, LARGEST_TAU)
            correlation = covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
            correlation = weight * correlation + (1 - weight) * np.eye(k)
            covariance = tau[:, None] * correlation * tau
            intercept = intercept + np.clip(
                np.log((counts.sum(axis=0) + 0.5) / (expected + 0.5)), -1, 1
            )
        inverse = np.asarray(np.linalg.inv(covariance + sigma**2), float)
        effects = self._moved(intercept, inverse, effects, 4)
        return intercept, sigma, covariance, effects

    def _moved(self, intercept: Array, inverse: Array, effects: Array, rounds: int) -> Array:
        """Newton steps of the respondents' effects towards their modes, shape (n, K)."""
        counts, answered = self._rough
        for _ in range(rounds):
            mean = np.exp(np.minimum(intercept + effects, 20.0)) * answered
            bend = inverse + mean[:, :, None] * np.eye(len(intercept))
            slope = counts - mean - effects @ inverse
            move = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
            effects = effects + np.clip(move, -1.5, 1.5)
        return effects


def _share_of_degree(sigma: float, covariance: Array) -> Array:
    """Coefficients of ``δ`` on ``δ + b``, shape (K,)."""
    inverse = np.linalg.inv(covariance)
    result: Array = inverse.sum(axis=0) / (sigma**-2 + inverse.sum())
    return result
