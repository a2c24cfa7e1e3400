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

from prevalence.models.correlated_map import (
    FIRST,
    LARGEST_TAU,
    ROUNDS,
    SMALLEST_TAU,
    TOLERANCE,
    WANDERINGS,
    Effects,
    Slopes,
    Wanderers,
    approximated,
    crude_spread,
    expected_moments,
    first_effects,
    information,
    inverse_root,
    score,
)
from prevalence.models.correlated_sampler import Scales
from prevalence.models.counts import CountTable
from prevalence.models.intervals import add_poisson
from prevalence.models.layout import Layout

Array = NDArray[np.float64]
Index = NDArray[np.int64]

FLAT = math.inf
FARTHEST_LOG = 100.0
TYPICAL_OMEGA = 3.0  # variance over mean, in the share of noise
UNIT_OF_TAU = 0.1
LONGEST = 0.4  # step of the search of the centre
WIDEST_TAU = 0.7  # standard deviation of a τ of which little is known, in the whitening


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
    unit_of_tau = UNIT_OF_TAU
    least_of_tau = WIDEST_TAU**-2

    @cached_property
    def layout(self) -> Layout:
        """Steps to ρ, softplus⁻¹ τ, x of L, log σ_δ, μ_ρ, log σ_ρ; each ε; steps to δ.

        What the answers say of a rare group's τ is no more than that it isn't large: its density is
        level down to 0, and its logarithm would have a tail in which a chain creeps.
        """
        groups, n = self.counts.groups, len(self.counts.table)
        names = [f"rho_step[{group}]" for group in groups]
        names += [f"softplus_tau[{group}]" for group in groups]
        rows, columns = self.lower
        names += [f"cholesky[{groups[k]}, {groups[j]}]" for k, j in zip(rows, columns, strict=True)]
        names += ["log_sigma_delta", "mu_rho", "log_sigma_rho"]
        return Layout(tuple(names), np.arange(n), n, len(groups))

    @cached_property
    def lower(self) -> tuple[Index, Index]:
        """Rows and columns of the free ``x`` of ``L``."""
        rows, columns = np.tril_indices(len(self.counts.groups), -1)
        return rows.astype(np.int64), columns.astype(np.int64)

    @cached_property
    def unit(self) -> float:
        """Scale of the x of L: about their prior's standard deviation."""
        return float(self.power**-0.5)

    @property
    def power(self) -> float:
        """Exponent of ``1/|(x_k, 1)|`` in the prior of ``L``."""
        return len(self.counts.groups) + 2 * self.priors.lkj - 1

    @cached_property
    def _filled(self) -> tuple[Array, Array]:
        """Counts with 0 for missing, and 1 where answered, shape (n, K)."""
        return np.nan_to_num(self.counts.table), self.counts.present.astype(float)

    @cached_property
    def rough(self) -> tuple[Array, Array]:
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
        people = self.rough[0]
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
            UNIT_OF_TAU * np.logaddexp(0.0, top[k : 2 * k]),
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
        top = np.concatenate([steps, _free(plain.tau), rows[self.lower] / self.unit, scales])
        return self.layout.join(top, eps, delta / plain.sigma_delta**of_row)

    def _rows(self, top: Array) -> tuple[Array, Array]:
        """Rows ``(x_k, 1)``, shape (K, K), and their lengths (K,)."""
        k = len(self.counts.groups)
        rows: Array = np.eye(k)
        rows[self.lower] = top[2 * k : -3] * self.unit
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
        free, (log_sd, _, log_sr) = top[k : 2 * k], top[-3:]
        if max(abs(log_sd), abs(log_sr), -free.min()) > FARTHEST_LOG:
            return -math.inf, np.zeros(len(x))
        of_row = self._uncentring[1]
        plain, stretch = self.plain(top), np.exp(of_row * log_sd)
        delta, spread = stretch * steps, plain.tau[:, None] * plain.cholesky
        counts, answered = self._filled
        log_mean = eps @ spread.T + (plain.rho - plain.tau**2 / 2) + delta[:, None]
        mean = np.exp(log_mean) * answered
        rest = counts - mean
        coarse = 0.0
        cells = self.counts.intervals
        if len(cells):
            place = cells.rows, cells.columns
            coarse, rest[place] = add_poisson(cells, log_mean[place], np.ones(len(counts)))
        value = coarse + float((counts * log_mean).sum() - mean.sum()) - 0.5 * float((eps**2).sum())
        squares = float(delta @ delta) / plain.sigma_delta**2
        value += float(of_row.sum() - len(delta)) * log_sd - 0.5 * squares
        d_delta = rest.sum(axis=1) - delta / plain.sigma_delta**2
        prior, d_top = self._prior_of_globals(top)
        d_top += self._slopes(top).free(
            rest.sum(axis=0),
            rest.T @ eps,
            squares - len(delta) + float(of_row @ (d_delta * delta + 1)),
        )
        return value + prior, self.layout.join(d_top, rest @ spread - eps, d_delta * stretch)

    def _prior_of_globals(self, top: Array) -> tuple[float, Array]:
        """Log prior of the global parameters, Jacobians included, and its gradient, shape (G,)."""
        priors, k = self.priors, len(self.counts.groups)
        free, (log_sd, mu, log_sr) = top[k : 2 * k], top[-3:]
        of_group, plain = self._uncentring[0], self.plain(top)
        rows, lengths = self._rows(top)
        power = self.power
        of_tau, d_tau = self.spread_prior(plain.tau)
        value = float(of_tau.sum())
        slope = _slope(free)
        value += float(np.log(slope).sum()) - power * float(np.log(lengths).sum())
        d_rows = -power * rows / lengths[:, None] ** 2
        cauchy = (plain.sigma_delta / priors.sigma_delta) ** 2
        apart, var = plain.rho - mu, plain.sigma_rho**2
        others = float(apart @ apart) / var
        value += log_sd - math.log1p(cauchy) + log_sr - 0.5 * var / priors.sigma_rho**2
        value -= 0.5 * ((mu - priors.mu_rho_mean) / priors.mu_rho) ** 2 + 0.5 * others
        value += float(of_group.sum() - k) * log_sr
        gradient = [
            -apart / var * plain.sigma_rho**of_group,
            d_tau * UNIT_OF_TAU * slope + 1 - slope,
            d_rows[self.lower] * self.unit,
            [
                1 - 2 * cauchy / (1 + cauchy),
                -(mu - priors.mu_rho_mean) / priors.mu_rho**2,
                others - k + 1 - var / priors.sigma_rho**2 + float(of_group @ (1 - apart**2 / var)),
            ],
        ]
        return value, np.concatenate(gradient)

    def spread_prior(self, tau: Array) -> tuple[Array, Array]:
        """Half-Cauchy density of ``τ_N`` taken to ``τ``, shape (K,), and its derivative."""
        s = tau**2
        grown = np.expm1(np.minimum(s, 700.0))
        # 1 + τ_N² / c² with τ_N² = 1 / (e^s − 1); Jacobian e^s (e^s − 1)^{−3/2} τ.
        scale = self.priors.tau_n**2
        value = -np.log1p(1 / (scale * grown)) + 0.5 * np.log(s) + s - 1.5 * np.log(grown)
        d_log_grown = (grown + 1) / grown  # d log(e^s − 1) / ds
        slope = d_log_grown / (1 + scale * grown) + 0.5 / s + 1 - 1.5 * d_log_grown
        return value, 2 * tau * slope

    def scales(self) -> Scales:
        """Centre and scales of the sampler's moves (:mod:`prevalence.models.correlated_map`)."""
        top, effects, bend, drawn = self._maximised()
        return Scales(top, inverse_root(bend), self._slopes(top), effects, drawn)

    def tau_of(self, free: Array) -> tuple[Array, Array]:
        """``τ`` and its slope from what stands for it, shape (…)."""
        return UNIT_OF_TAU * np.logaddexp(0.0, free), UNIT_OF_TAU * _slope(free)

    def free_of(self, tau: Array) -> Array:
        """Return what stands for ``τ``."""
        return _free(tau)

    def kept(
        self, rho: Array, tau: Array, x: Array, scales: tuple[float, float, float], delta: Array
    ) -> Array:
        """Return what :meth:`recorded` keeps of a draw, from plain parameters.

        Parameters
        ----------
        rho, tau
            Shape (K,).
        x
            Of ``L``, in its unit, below the diagonal, shape (K, K).
        scales
            ``σ_δ``, ``μ_ρ`` and ``σ_ρ``.
        delta
            Shape (n,).
        """
        of_group, of_row = self._uncentring
        sigma, mu, sigma_rho = scales
        steps = (rho - mu) / sigma_rho**of_group
        last = [math.log(sigma), mu, math.log(sigma_rho)]
        return np.concatenate([steps, _free(tau), x[self.lower], last, delta / sigma**of_row])

    def _slopes(self, top: Array) -> Slopes:
        plain, of_group = self.plain(top), self._uncentring[0]
        k = len(plain.tau)
        return Slopes(
            self.lower,
            self.unit,
            self._rows(top)[1],
            plain.cholesky,
            plain.tau,
            UNIT_OF_TAU * _slope(top[k : 2 * k]),
            plain.sigma_rho**of_group,
            of_group * (plain.rho - plain.mu_rho),
            plain.sigma_delta,
        )

    def _maximised(self) -> tuple[Array, Effects, Array, Array]:
        """Maximise the posterior of the globals, effects integrated out approximately.

        Returns
        -------
        top : numpy.ndarray
            Global parameters, shape (G,).
        effects : Effects
            Normal approximation of the respondents' effects there.
        bend : numpy.ndarray
            Information on the global parameters, prior included, shape (G, G).
        drawn : numpy.ndarray
            A draw of the effects there, shape (n, K).
        """
        counts, answered = self.rough
        k, top = len(self.counts.groups), self.layout.split(self.start())[0].copy()
        top[k : 2 * k] = _free(crude_spread(counts, answered))
        effects, rounds = first_effects(counts), 6
        for _ in range(ROUNDS):
            slopes, intercept = self._slopes(top), self._intercept(top)
            effects = approximated(counts, answered, intercept, slopes.total, effects, rounds)
            bend = information(slopes, effects.mean) + self._prior_information(top)
            root = inverse_root(bend)
            step = root @ self._score(top, *expected_moments(effects))
            length = float(np.abs(step).max())
            if length < TOLERANCE:
                break
            top = self.stepped(top, root @ step)
            rounds = 2
        wanderers = Wanderers(counts, answered, effects)
        for count in range(WANDERINGS):
            sums = wanderers.moved(self._intercept(top), self._slopes(top).total)
            step = root @ self._score(top, *sums)
            share = 0.5 if count < FIRST else 1 / (count - FIRST + 2)
            top = self.stepped(top, share * (root @ step))
            if count in (FIRST, WANDERINGS - 1):
                slopes, intercept = self._slopes(top), self._intercept(top)
                effects = approximated(counts, answered, intercept, slopes.total, effects, 3)
                bend = information(slopes, effects.mean) + self._prior_information(top)
                root = inverse_root(bend)
        return top, effects, bend, wanderers.at[:, :, 0]

    def stepped(self, top: Array, move: Array) -> Array:
        """Take a step of the search, none too long, towards no τ that is beyond belief."""
        k = len(self.counts.groups)
        longest = np.full(len(top), LONGEST)
        longest[k : 2 * k] /= UNIT_OF_TAU
        result: Array = top + np.clip(move, -longest, longest)
        ends = _free(np.array([SMALLEST_TAU, LARGEST_TAU]))
        result[k : 2 * k] = np.clip(result[k : 2 * k], *ends)
        return result

    def _intercept(self, top: Array) -> Array:
        plain = self.plain(top)
        result: Array = plain.rho - plain.tau**2 / 2
        return result

    def _score(self, top: Array, first: Array, second: Array) -> Array:
        """Slope of the marginal posterior, shape (G,)."""
        of_answers = score(self._slopes(top), first, second, len(self.counts.table))
        result: Array = of_answers + self._prior_of_globals(top)[1]
        return result

    def _prior_information(self, top: Array) -> Array:
        """Curvature of the log prior of the global parameters, never hollow, shape (G, G)."""
        plain, lengths = self.plain(top), self._rows(top)[1]
        k, g, step = len(plain.tau), self.layout.globals, 1e-4
        of_group = self._uncentring[0]
        apart = (plain.rho - plain.mu_rho) / plain.sigma_rho
        along = np.zeros((k, g))
        along[:, :k] = np.diag(plain.sigma_rho ** (of_group - 1))
        along[:, -1] = (of_group - 1) * apart
        result: Array = along.T @ along
        result[-1, -1] += float((((of_group - 1) * apart) ** 2).sum()) + min(
            plain.sigma_rho**2 / self.priors.sigma_rho**2, 1.0
        )
        result[-2, -2] += self.priors.mu_rho**-2
        above, below = (self.spread_prior(plain.tau + move)[1] for move in (step, -step))
        bend = np.maximum((below - above) / (2 * step), WIDEST_TAU**-2)
        at = np.arange(k, 2 * k)
        result[at, at] += bend * (UNIT_OF_TAU * _slope(top[at])) ** 2
        rows = self.lower[0]
        at = np.arange(2 * k, g - 3)
        result[at, at] += self.power * (self.unit / lengths[rows]) ** 2
        return result


def _slope(free: Array) -> Array:
    """Slope of softplus."""
    return np.exp(-np.logaddexp(0.0, -free))


def _free(tau: Array) -> Array:
    """Inverse of ``τ = u softplus(v)``."""
    scaled = tau / UNIT_OF_TAU
    result: Array = scaled + np.log(-np.expm1(-scaled))
    return result
