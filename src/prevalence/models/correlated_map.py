"""What makes the correlated model's posterior nearly standard normal: centre, slopes, information.

Nothing of it is in the posterior. The centre is an approximate maximum of the posterior with
respondents' effects integrated out; the information of the global parameters is that of a normal
model: each answer is taken for an observation of ``u_ik = ρ_k − τ_k²/2 + δ_i + b_ik`` with the
variance ``1/m_ik``, the inverse of its expected count, so that a respondent's answers have the
covariance ``Σ + diag(1/m_i)`` with ``Σ = σ_δ² 11ᵀ + T Tᵀ``, ``T = diag(τ) L``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ROUNDS = 15  # most steps of the deterministic search
TOLERANCE = 0.5  # largest step, in posterior standard deviations, at which it ends
LARGEST_MOVE = 1.5  # of an effect in one step
LARGEST_LOG = 20.0
LEAST_CURVATURE = 1e-6  # of the largest one
COPIES, LEAPS, LEAP = 4, 3, 0.5  # of the chains that follow the parameters
WANDERINGS, FIRST = 80, 15  # steps of stochastic approximation, and those before they shrink
SMALLEST_TAU, LARGEST_TAU = 0.1, 4.0


@dataclass(frozen=True)
class Effects:
    """Normal approximation of the respondents' ``u − a``, the nearest to their posterior.

    Parameters
    ----------
    centre
        Shape (n, K).
    covariance
        Shape (n, K, K).
    mean
        Expected counts under it, 0 where there is no answer, shape (n, K).
    """

    centre: Array
    covariance: Array
    mean: Array


def first_effects(counts: Array) -> Effects:
    """Nothing known of any effect yet, shape (n, K)."""
    n, k = counts.shape
    return Effects(np.zeros((n, k)), np.zeros((n, k, k)), np.zeros((n, k)))


def approximated(
    counts: Array, answered: Array, intercept: Array, total: Array, former: Effects, rounds: int
) -> Effects:
    """Improve the normal approximation: expected gradient 0, inverse covariance as expected.

    (The Gaussian variational approximation: Opper & Archambeau 2009.)

    Parameters
    ----------
    counts, answered
        Shape (n, K): 0 where there is no answer; 1 where there is one.
    intercept
        ``a``, shape (K,).
    total
        Prior covariance ``Σ``, shape (K, K).
    former
        Where to start.
    rounds
        Number of steps.
    """
    inverse: Array = np.asarray(np.linalg.inv(total), float)
    centre, covariance = former.centre, former.covariance
    k = len(intercept)
    for _ in range(rounds):
        around = np.diagonal(covariance, axis1=1, axis2=2) / 2
        mean = np.exp(np.minimum(intercept + centre + around, LARGEST_LOG)) * answered
        bend = inverse + mean[:, :, None] * np.eye(k)
        covariance = np.asarray(np.linalg.inv(bend), float)
        slope = counts - mean - centre @ inverse
        move = np.einsum("ikj,ij->ik", covariance, slope)
        centre = centre + np.clip(move, -LARGEST_MOVE, LARGEST_MOVE)
    around = np.diagonal(covariance, axis1=1, axis2=2) / 2
    mean = np.exp(np.minimum(intercept + centre + around, LARGEST_LOG)) * answered
    return Effects(centre, covariance, mean)


def crude_spread(counts: Array, answered: Array) -> Array:
    """``τ`` by moments, from what counts vary beyond respondents' totals, shape (K,)."""
    totals = counts.sum(axis=1, keepdims=True) * answered
    mean = totals * (counts.sum(axis=0) / np.maximum(totals.sum(axis=0), 1e-9))
    excess = ((counts - mean) ** 2 - mean).sum(axis=0) / np.maximum((mean**2).sum(axis=0), 1e-9)
    tau: Array = np.sqrt(np.log1p(np.maximum(excess, 0.0)))
    return np.clip(tau, SMALLEST_TAU, LARGEST_TAU)


@dataclass(frozen=True)
class Slopes:
    """How ``a = ρ − τ²/2``, ``T = diag(τ) L`` and ``log σ_δ`` change with the global parameters.

    Parameters
    ----------
    lower
        Rows and columns of the free ``x`` of ``L``.
    unit
        Of the free ``x``.
    lengths
        ``|(x_k, 1)|``, shape (K,).
    factor
        ``L``, shape (K, K).
    tau, slope
        ``τ`` and its slope by the parameter that stands for it, shape (K,).
    stretch, bend_of_rho
        Slope of ``ρ`` by its step, and by ``log σ_ρ``, shape (K,).
    sigma
        ``σ_δ``.
    """

    lower: tuple[Index, Index]
    unit: float
    lengths: Array
    factor: Array
    tau: Array
    slope: Array
    stretch: Array
    bend_of_rho: Array
    sigma: float

    @cached_property
    def spread(self) -> Array:
        """``T``, shape (K, K)."""
        result: Array = self.tau[:, None] * self.factor
        return result

    @cached_property
    def total(self) -> Array:
        """``Σ``, shape (K, K)."""
        result: Array = self.spread @ self.spread.T + self.sigma**2
        return result

    def plain(self, step: Array) -> tuple[Array, Array, float]:
        """Find changes of ``a`` (K,), ``T`` (K, K), ``log σ_δ`` with a step of globals (G,)."""
        k = len(self.tau)
        d_tau = self.slope * step[k : 2 * k]
        d_rho = self.stretch * step[:k] + step[-2] + self.bend_of_rho * step[-1]
        d_x = np.zeros((k, k))
        d_x[self.lower] = self.unit * step[2 * k : -3]
        along = np.einsum("kj,kj->k", self.factor, d_x)
        d_factor = (d_x - self.factor * along[:, None]) / self.lengths[:, None]
        d_spread = d_tau[:, None] * self.factor + self.tau[:, None] * d_factor
        return d_rho - self.tau * d_tau, d_spread, float(step[-3])

    def free(self, by_intercept: Array, by_spread: Array, by_sigma: float) -> Array:
        """Return the transposed map's value, shape (G,)."""
        along = np.einsum("kj,kj->k", by_spread, self.factor)
        d_tau = self.slope * (along - self.tau * by_intercept)
        by_factor = np.tril(by_spread) * self.tau[:, None] / self.lengths[:, None]
        by_x = by_factor - self.factor * np.einsum("kj,kj->k", by_factor, self.factor)[:, None]
        last = [by_sigma, by_intercept.sum(), self.bend_of_rho @ by_intercept]
        return np.concatenate(
            [self.stretch * by_intercept, d_tau, self.unit * by_x[self.lower], last]
        )


def expected_moments(effects: Effects) -> tuple[Array, Array]:
    """Sum over respondents the effects' expectation (K,), and that of their products (K, K)."""
    centre = effects.centre
    return centre.sum(axis=0), centre.T @ centre + effects.covariance.sum(axis=0)


class Wanderers:
    """Draws of the respondents' effects that follow the global parameters.

    A few chains for each respondent, all at once: leaps of Hamiltonian Monte Carlo in the scale of
    the normal approximation, accepted respondent by respondent.

    Parameters
    ----------
    counts, answered
        Shape (n, K).
    effects
        Where to start.
    """

    def __init__(self, counts: Array, answered: Array, effects: Effects) -> None:
        self._counts, self._answered = counts[:, :, None], answered[:, :, None]
        self._generator = np.random.default_rng(20230907)
        self._root = np.linalg.cholesky(effects.covariance)
        normal = self._generator.standard_normal((*counts.shape, COPIES))
        self.at: Array = effects.centre[:, :, None] + self._root @ normal

    def moved(self, intercept: Array, total: Array) -> tuple[Array, Array]:
        """Move, and sum over respondents the effects (K,) and their products (K, K)."""
        inverse: Array = np.asarray(np.linalg.inv(total), float)
        back = self._root.transpose(0, 2, 1)

        def slope(u: Array) -> tuple[Array, Array]:
            log_mean = np.minimum(intercept[:, None] + u, LARGEST_LOG)
            mean, pull = np.exp(log_mean) * self._answered, inverse @ u
            value = (self._counts * log_mean - mean - 0.5 * u * pull).sum(axis=1)
            return value, back @ (self._counts - mean - pull)

        u = self.at
        momentum = self._generator.standard_normal(u.shape)
        value, gradient = slope(u)
        before = value - 0.5 * (momentum**2).sum(axis=1)
        for _ in range(LEAPS):
            momentum = momentum + 0.5 * LEAP * gradient
            u = u + LEAP * (self._root @ momentum)
            value, gradient = slope(u)
            momentum = momentum + 0.5 * LEAP * gradient
        gained = value - 0.5 * (momentum**2).sum(axis=1) - before
        taken = np.log1p(-self._generator.uniform(size=gained.shape)) < gained
        self.at = np.where(taken[:, None, :], u, self.at)
        flat = self.at.transpose(1, 0, 2).reshape(len(intercept), -1)
        return flat.sum(axis=1) / COPIES, flat @ flat.T / COPIES


def score(slopes: Slopes, first: Array, second: Array, n: int) -> Array:
    """Slope of the answers' log-likelihood, effects integrated out, by the globals, shape (G,).

    By Fisher's identity the expected slope of the effects' normal density.

    Parameters
    ----------
    slopes
        At the parameters.
    first, second
        Sums over respondents of the effects' expectation (K,), and of their products' (K, K).
    n
        Number of respondents.
    """
    inverse: Array = np.asarray(np.linalg.inv(slopes.total), float)
    by_total = inverse @ (second - n * slopes.total) @ inverse  # twice the slope by Σ
    by_sigma = slopes.sigma**2 * float(by_total.sum())
    return slopes.free(inverse @ first, by_total @ slopes.spread, by_sigma)


def information(slopes: Slopes, mean: Array) -> Array:
    """Information of the answers on the global parameters, in the normal model, shape (G, G).

    ``Σ_i W_i`` for the intercepts and ``½ Σ_i tr(W_i dΣ W_i dΣ)`` for what ``Σ`` is made of, with
    ``W_i = (Σ + diag(1/m_i))⁻¹``. Where counts are small, the number of reports tells of ``ρ``
    whatever ``τ`` is, and not of ``a``: the intercept holds as much of ``τ²/2`` as stays unknown.

    Parameters
    ----------
    slopes
        At the centre.
    mean
        Expected counts ``m``, shape (n, K).
    """
    k, n = len(slopes.tau), len(mean)
    g = 2 * k + len(slopes.lower[0]) + 3
    weights = _weights(slopes.total, mean)
    own = np.diagonal(weights, axis1=1, axis2=2)
    unknown = 1 - np.einsum("kj,ijk->ik", slopes.total, weights)
    left = (own * unknown**2).sum(axis=0) / np.maximum(own.sum(axis=0), 1e-9)
    of_intercept, of_total = np.empty((g, k)), np.empty((g, k, k))
    for place in range(g):
        step = np.zeros(g)
        step[place] = 1.0
        d_intercept, d_spread, d_sigma = slopes.plain(step)
        half = d_spread @ slopes.spread.T
        of_total[place] = half + half.T + 2 * slopes.sigma**2 * d_sigma
        of_intercept[place] = d_intercept
    of_intercept[k : 2 * k] += np.diag(left * slopes.tau * slopes.slope)
    flat = weights.reshape(n, k * k)
    pairs = (flat.T @ flat).reshape(k, k, k, k)  # Σ_i W_ab W_cd, for Σ W_ab dΣ_bc W_cd dΣ_da
    across = pairs.transpose(1, 2, 3, 0).reshape(k * k, k * k)
    of_pairs = of_total.reshape(g, k * k)
    first: Array = of_intercept @ weights.sum(axis=0) @ of_intercept.T
    second: Array = of_pairs @ across @ of_pairs.T
    return first + 0.5 * second


def _weights(total: Array, mean: Array) -> Array:
    """``W_i = (Σ + diag(1/m_i))⁻¹``, shape (n, K, K)."""
    root = np.sqrt(mean)
    inner = np.eye(len(total)) + root[:, :, None] * total * root[:, None, :]
    result: Array = root[:, :, None] * np.linalg.inv(inner) * root[:, None, :]
    return result


def inverse_root(matrix: Array) -> Array:
    """Symmetric ``A`` with ``A A`` the inverse of a matrix, shape (G, G).

    Directions of little information get a bounded scale.
    """
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    values = np.maximum(values, LEAST_CURVATURE * values.max())
    result: Array = (vectors / np.sqrt(values)) @ vectors.T
    return result
