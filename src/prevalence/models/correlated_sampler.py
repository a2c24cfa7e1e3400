"""Sampling of the correlated model by blocks: as many effects as answers are too many at once.

A sweep moves, each block given all else, the respondents' effects; ``Σ`` and the intercepts given
the effects (centred); and ``σ_δ``, ``ρ``, ``τ`` and ``L`` given standardised ones (not centred, so
that the answers speak for themselves): the two ways of looking at the same parameters mix where
either alone creeps (interweaving: Yu & Meng 2011). Respondents are independent given the rest, and
so are groups given ``ε`` and ``δ``: each accepts or rejects for itself, and its steps needn't
shrink with their number. All moves leave the posterior as it is; their scales are fixed after the
warm-up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.models.compiled import compiled
from prevalence.models.correlated_map import Effects, Slopes
from prevalence.models.nuts import Chain

if TYPE_CHECKING:
    from prevalence.models.correlated import Correlated

Array = NDArray[np.float64]
Slope = Callable[[Array], tuple[Array, Array]]

TARGET_ACCEPTANCE = 0.8
FARTHEST = 2.5  # length of a move: beyond a half turn a normal density comes back
SWEEPS = 5  # for each draw that is kept
OF_EFFECTS, OF_SPREAD, OF_GROUPS = 3, 6, 4  # leaps
LARGEST_LOG = 30.0
WIDER = (1.0, 3.0, 9.0)  # steps of a scale: the numbers it is of may be little known
DISPERSED = 2.0  # posterior standard deviations of the chains' starts


@compiled
def spread_out(roots: Array, blocks: Array) -> Array:
    """Multiply lower triangular roots (B, d, d) by vectors, shape (B, d)."""
    out = np.zeros_like(blocks)
    for i in range(blocks.shape[0]):
        for r in range(blocks.shape[1]):
            total = 0.0
            for c in range(r + 1):
                total += roots[i, r, c] * blocks[i, c]
            out[i, r] = total
    return out


@compiled
def gathered(roots: Array, blocks: Array) -> Array:
    """Multiply the transposed roots by vectors, shape (B, d)."""
    out = np.zeros_like(blocks)
    for i in range(blocks.shape[0]):
        for r in range(blocks.shape[1]):
            one = blocks[i, r]
            for c in range(r + 1):
                out[i, c] += roots[i, r, c] * one
    return out


@dataclass
class Mover:
    """Hamiltonian Monte Carlo of several independent blocks at once, shape (B, d).

    Parameters
    ----------
    root
        ``R``, lower triangular, with ``R Rᵀ`` about the covariance of each block, shape (B, d, d);
        or standard deviations, shape (B, d).
    leaps
        Of each move.
    leap
        Length of each block's leaps, which the warm-up learns, shape (B,).
    """

    root: Array
    leaps: int
    leap: Array
    moves: int = 0

    def move(
        self, at: Array, slope: Slope, generator: np.random.Generator, *, learn: bool
    ) -> Array:
        """Return the blocks after a move, accepted or rejected one by one.

        Parameters
        ----------
        at
            Shape (B, d).
        slope
            Log density of each block, shape (B,), and its gradient, shape (B, d).
        generator
            Random numbers.
        learn
            Whether to adapt the leaps' length.
        """
        momentum = generator.standard_normal(at.shape)
        length = self.leap[:, None] * generator.uniform(0.8, 1.2)
        new, (value, gradient) = at, slope(at)
        before = value - 0.5 * (momentum**2).sum(axis=1)
        for _ in range(self.leaps):
            momentum = momentum + 0.5 * length * self._gathered(gradient)
            new = new + length * self._spread_out(momentum)
            value, gradient = slope(new)
            momentum = momentum + 0.5 * length * self._gathered(gradient)
        gained = value - 0.5 * (momentum**2).sum(axis=1) - before
        accepted = np.exp(np.minimum(np.nan_to_num(gained, nan=-np.inf), 0.0))
        if learn:
            self.moves += 1
            self.leap = self.leap * np.exp((accepted - TARGET_ACCEPTANCE) * self.moves**-0.6)
            self.leap = np.minimum(self.leap, FARTHEST / self.leaps)
        taken = generator.uniform(size=len(at)) < accepted
        return np.where(taken[:, None], new, at)

    def _spread_out(self, blocks: Array) -> Array:
        return self.root * blocks if self.root.ndim == 2 else spread_out(self.root, blocks)

    def _gathered(self, blocks: Array) -> Array:
        return self.root * blocks if self.root.ndim == 2 else gathered(self.root, blocks)


@dataclass(frozen=True)
class Scales:
    """What the chains share: a centre, and the scales of their moves.

    Parameters
    ----------
    top
        Global parameters near the mode of their marginal posterior, shape (G,).
    root
        About the root of their covariance, shape (G, G).
    slopes
        There.
    effects
        Normal approximation of the effects there.
    drawn
        A draw of the effects there, shape (n, K).
    """

    top: Array
    root: Array
    slopes: Slopes
    effects: Effects
    drawn: Array


@dataclass
class State:
    """A place of a chain: ``u = a + effects``; ``x`` of ``L`` in its unit, padded to (K, K)."""

    rho: Array
    tau: Array
    x: Array
    sigma: float
    mu: float
    sigma_rho: float
    effects: Array
    delta: Array
    counts: Array


class Sweeper:
    """One chain.

    Parameters
    ----------
    density
        The model.
    scales
        Shared by the chains.
    seed
        Its own random numbers.
    """

    def __init__(self, density: Correlated, scales: Scales, seed: np.random.SeedSequence) -> None:
        self._density, self._scales = density, scales
        self._generator = np.random.Generator(np.random.PCG64(seed))
        counts, answered = density.rough
        self._answered = answered
        n, k = counts.shape
        self._of_effects = Mover(self._roots_of_effects(), OF_EFFECTS, np.full(n, 0.5))
        of_spread = np.full(k * (k + 1) // 2, n**-0.5)
        of_spread[:k] /= math.sqrt(2)
        self._of_spread = Mover(of_spread[None], OF_SPREAD, np.full(1, 0.2))
        self._of_groups = Mover(self._roots_of_groups(), OF_GROUPS, np.full(k, 0.4))
        self.learning = True
        self.state = self._first(counts)

    def _first(self, counts: Array) -> State:
        """Start away from the centre, so that R̂ can see a difference."""
        density, scales, k = self._density, self._scales, counts.shape[1]
        move = DISPERSED * scales.root @ self._generator.standard_normal(len(scales.top))
        top = density.stepped(scales.top, move)
        plain = density.plain(top)
        x = np.zeros((k, k))
        x[density.lower] = top[2 * k : -3]
        return State(
            plain.rho,
            plain.tau,
            x,
            plain.sigma_delta,
            plain.mu_rho,
            plain.sigma_rho,
            scales.effects.centre.copy(),
            np.zeros(len(counts)),
            counts,
        )

    def _roots_of_effects(self) -> Array:
        """Roots of the covariance of each respondent's effects, standardised by ``Σ``."""
        root, mean = np.linalg.cholesky(self._scales.slopes.total), self._scales.effects.mean
        k = len(root)
        outer = (root[:, :, None] * root[:, None, :]).reshape(k, k * k)
        bend = np.eye(k) + (mean @ outer).reshape(-1, k, k)
        return np.asarray(np.linalg.cholesky(np.linalg.inv(bend)), float)

    def _roots_of_groups(self) -> Array:
        """Roots of the covariances of each group's ``(ρ, v, x)`` were ``ε`` and ``δ`` known."""
        density, s, drawn = self._density, self._scales.slopes, self._scales.drawn
        k = len(s.tau)
        by_effect = np.linalg.solve(s.total, drawn.T).T
        eps = by_effect @ s.spread
        plain = density.plain(self._scales.top)
        log_mean = np.minimum(plain.rho - plain.tau**2 / 2 + drawn, LARGEST_LOG)
        mean = np.exp(log_mean) * self._answered
        roots = np.zeros((k, k + 1, k + 1))
        for group in range(k):
            along = eps @ s.factor[group]
            columns = [np.ones(len(eps)), (along - s.tau[group]) * s.slope[group]]
            for j in range(group):
                turned = eps[:, j] - s.factor[group, j] * along
                columns.append(s.unit * s.tau[group] / s.lengths[group] * turned)
            design = np.array(columns).T
            bend = design.T @ (mean[:, group, None] * design)
            prior = np.full(len(bend), density.power * (s.unit / s.lengths[group]) ** 2)
            prior[:2] = plain.sigma_rho**-2, density.least_of_tau * s.slope[group] ** 2
            bend += np.diag(prior)
            roots[group, : len(bend), : len(bend)] = np.linalg.cholesky(np.linalg.inv(bend))
        return roots

    def _factor(self, x: Array) -> tuple[Array, Array]:
        """``L`` and the lengths of its rows ``(x, 1)`` before they were standardised."""
        rows = x * self._density.unit + np.eye(len(x))
        lengths = np.sqrt(np.einsum("kj,kj->k", rows, rows))
        return rows / lengths[:, None], lengths

    def sweep(self) -> None:
        """Move every block once."""
        state = self.state
        spread = self._spread(state)
        total = spread @ spread.T + state.sigma**2
        self._fill(state)
        self._move_effects(state, total)
        self._move_intercept(state, total)
        self._move_degrees(state, spread)
        self._stretch_degrees(state)
        self._move_spread(state)
        own = state.effects - state.delta[:, None]
        eps: Array = np.asarray(np.linalg.solve(self._spread(state), own.T).T, float)
        self._move_groups(state, eps)
        self._move_scales(state)

    def _spread(self, state: State) -> Array:
        """``T``, shape (K, K)."""
        result: Array = state.tau[:, None] * self._factor(state.x)[0]
        return result

    def _fill(self, state: State) -> None:
        """Draw the counts of answers that are known as intervals only."""
        cells = self._density.counts.intervals
        if not len(cells):
            return
        from scipy.stats import poisson

        place = cells.rows, cells.columns
        mean = np.exp(np.minimum(self._log_mean(state)[place], LARGEST_LOG))
        below, upto = poisson.cdf(cells.lower - 1, mean), poisson.cdf(cells.upper, mean)
        drawn = poisson.ppf(below + (upto - below) * self._generator.uniform(size=len(mean)), mean)
        # Far in a tail no probability is left to a float: the nearest end has it all.
        upper = np.where(np.isinf(cells.upper), np.maximum(drawn, cells.lower), cells.upper)
        state.counts = state.counts.copy()
        state.counts[place] = np.clip(
            np.where(np.isfinite(drawn), drawn, cells.lower), cells.lower, upper
        )

    def _log_mean(self, state: State) -> Array:
        result: Array = state.rho - state.tau**2 / 2 + state.effects
        return result

    def _move_effects(self, state: State, total: Array) -> None:
        """Move the effects as standard normal ones: their scale follows that of ``Σ``."""
        root = np.linalg.cholesky(total)
        intercept, answered = state.rho - state.tau**2 / 2, self._answered
        known, constant = state.counts @ root, state.counts @ intercept

        def slope(standard: Array) -> tuple[Array, Array]:
            mean = np.exp(intercept + standard @ root.T) * answered
            value = np.einsum("ij,ij->i", known - 0.5 * standard, standard)
            return value + constant - mean.sum(axis=1), known - mean @ root - standard

        at = np.linalg.solve(root, state.effects.T).T
        with np.errstate(over="ignore", invalid="ignore"):
            at = self._of_effects.move(at, slope, self._generator, learn=self.learning)
        state.effects = at @ root.T

    def _move_intercept(self, state: State, total: Array) -> None:
        """``ρ`` given the log means ``a + u`` and all else: normal."""
        half, n = state.tau**2 / 2, len(state.effects)
        kept = state.rho - half + state.effects
        inverse: Array = np.asarray(np.linalg.inv(total), float)
        precision = n * inverse + np.eye(len(half)) / state.sigma_rho**2
        pull = inverse @ (kept.sum(axis=0) + n * half) + state.mu / state.sigma_rho**2
        root = np.linalg.cholesky(precision)
        normal = self._generator.standard_normal(len(half))
        state.rho = np.linalg.solve(precision, pull) + np.linalg.solve(root.T, normal)
        state.effects = kept - (state.rho - half)

    def _move_degrees(self, state: State, spread: Array) -> None:
        """``σ_δ`` given the effects, ``δ`` integrated out, by steps; then ``δ``, which is normal.

        Given ``δ`` a small ``σ_δ`` could hardly move.
        """
        generator, n = self._generator, len(state.delta)
        ones = np.linalg.inv(spread @ spread.T).sum(axis=0)
        known = float(ones.sum())  # inverse variance of what the effects say of a ``δ``
        estimate, scale = state.effects @ ones / known, self._density.priors.sigma_delta
        squares = float(estimate @ estimate)

        def log_density(log_sigma: float) -> float:
            var = math.exp(2 * log_sigma)
            spread_out = var + 1 / known
            own = -0.5 * squares / spread_out - 0.5 * n * math.log(spread_out)
            return own + log_sigma - math.log1p(var / scale**2)

        state.sigma = self._stepped(state.sigma, log_density, n)
        precision = known + state.sigma**-2
        normal = generator.standard_normal(n)
        state.delta = estimate * (known / precision) + normal / math.sqrt(precision)

    def _stretch_degrees(self, state: State) -> None:
        """``σ_δ`` given the standardised ``δ`` and ``b``: where little is known of it."""
        scale, own = self._density.priors.sigma_delta, state.effects - state.delta[:, None]
        log_mean = state.rho - state.tau**2 / 2 + own
        with np.errstate(over="ignore"):
            mean = (np.exp(log_mean) * self._answered).sum(axis=1)
        standard = state.delta / state.sigma
        reports = float(state.counts.sum(axis=1) @ standard)

        def log_density(log_sigma: float) -> float:
            sigma = math.exp(log_sigma)
            with np.errstate(over="ignore", invalid="ignore"):
                fits = reports * sigma - float(mean @ np.exp(standard * sigma))
            return fits + log_sigma - math.log1p((sigma / scale) ** 2)

        state.sigma = self._stepped(state.sigma, log_density, len(own))
        state.delta = standard * state.sigma
        state.effects = state.delta[:, None] + own

    def _stepped(self, scale: float, log_density: Callable[[float], float], count: int) -> float:
        """Walk a few steps with the logarithm of the scale of `count` normal numbers."""
        now, generator = math.log(scale), self._generator
        for wider in WIDER:
            new = now + generator.normal(0, wider * 2.4 / math.sqrt(2 * count + 2))
            if math.log1p(-generator.uniform()) < log_density(new) - log_density(now):
                now = new
        return math.exp(now)

    def _move_spread(self, state: State) -> None:
        """``τ`` and ``L`` given ``b`` and the intercepts.

        In coordinates in which ``b`` is nearly standard normal: ``T = C M``, where ``C Cᵀ`` is
        about the covariance that ``b`` has. The density of ``T`` is that of ``τ`` and ``x`` by
        ``|T_k| = τ_k``, ``x_kj = T_kj / T_kk``: row *k* has the Jacobian ``|(x_k, 1)| T_kk^{1−k}``.
        """
        density, k, n = self._density, len(state.tau), len(state.effects)
        intercept, own = state.rho - state.tau**2 / 2, state.effects - state.delta[:, None]
        moment, vague = own.T @ own, k**2 / n
        base = self._scales.slopes.spread
        root = np.linalg.cholesky((moment + vague * base @ base.T) / (n + vague))
        inner = np.linalg.inv(root)
        standard = inner @ moment @ inner.T
        places = np.diag_indices(k)
        exponent = density.power - 1

        def slope(blocks: Array) -> tuple[Array, Array]:
            changed = np.zeros((k, k))
            changed[density.lower] = blocks[0, k:]
            logs = blocks[0, :k]
            if not np.abs(logs).max() < LARGEST_LOG:
                return np.full(1, -np.inf), np.zeros_like(blocks)
            changed[places] = np.exp(logs)
            spread, inverse = root @ changed, np.linalg.inv(changed)
            tau, diagonal = np.sqrt(np.einsum("kj,kj->k", spread, spread)), np.diag(spread)
            half = inverse @ standard
            prior, d_tau = density.spread_prior(tau)
            apart = (intercept + tau**2 / 2 - state.mu) / state.sigma_rho
            value = -0.5 * float((half * inverse).sum()) - 0.5 * float(apart @ apart)
            value += float((prior - exponent * np.log(tau)).sum())
            value += float((exponent - n - np.arange(k)) @ np.log(diagonal) + logs.sum())
            by_tau = d_tau - exponent / tau - apart * tau / state.sigma_rho
            by_spread = (by_tau / tau)[:, None] * spread
            by_spread[places] += (exponent - n - np.arange(k)) / diagonal
            by_changed = root.T @ by_spread + inverse.T @ half @ inverse.T
            gradient = np.concatenate(
                [by_changed[places] * changed[places] + 1, by_changed[density.lower]]
            )
            return np.array([value]), gradient[None]

        now = inner @ self._spread(state)
        at = np.concatenate([np.log(now[places]), now[density.lower]])
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            at = self._of_spread.move(at[None], slope, self._generator, learn=self.learning)[0]
        now[places], now[density.lower] = np.exp(at[:k]), at[k:]
        spread = root @ now
        state.tau = np.sqrt(np.einsum("kj,kj->k", spread, spread))
        state.x = np.tril(spread / np.diag(spread)[:, None], -1) / density.unit
        state.rho = intercept + state.tau**2 / 2

    def _by_x(self, by_factor: Array, factor: Array, lengths: Array, x: Array) -> Array:
        """Slope by the free ``x``, its prior included, from that by ``L``, shape (K, K)."""
        lower = np.tril(by_factor)
        turned = lower - factor * np.einsum("kj,kj->k", lower, factor)[:, None]
        unit, power = self._density.unit, self._density.power
        result: Array = (
            unit * turned / lengths[:, None] - power * unit**2 * x / lengths[:, None] ** 2
        )
        return result

    def _move_groups(self, state: State, eps: Array) -> None:
        """``ρ``, ``τ`` and ``x`` of each group given ``ε`` and ``δ``: groups are independent."""
        density, k = self._density, len(state.tau)
        degree, ones = np.exp(state.delta)[:, None] * self._answered, np.ones(len(eps))
        # ``Σ y log λ`` but for what doesn't depend on the groups' parameters.
        reports, known = ones @ state.counts, state.counts.T @ eps

        def slope(blocks: Array) -> tuple[Array, Array]:
            rho, free = blocks[:, 0], blocks[:, 1]
            x = self._unpacked(blocks)
            factor, lengths = self._factor(x)
            tau, rise = density.tau_of(free)
            spread, intercept = tau[:, None] * factor, rho - tau**2 / 2
            mean = np.exp(intercept + eps @ spread.T) * degree
            expected = ones @ mean
            d_intercept, by_spread = reports - expected, known - mean.T @ eps
            prior, d_tau = density.spread_prior(tau)
            apart = (rho - state.mu) / state.sigma_rho
            value = reports * intercept + np.einsum("kj,kj->k", known, spread) - expected + prior
            value += np.log(rise) - density.power * np.log(lengths) - 0.5 * apart**2
            along = np.einsum("kj,kj->k", by_spread, factor) - tau * d_intercept + d_tau
            gradient = np.zeros_like(blocks)
            gradient[:, 0] = d_intercept - apart / state.sigma_rho
            # The slope of softplus is rise over the unit: its logarithm is the Jacobian.
            gradient[:, 1] = along * rise + 1 - rise / density.unit_of_tau
            by_x = self._by_x(by_spread * tau[:, None], factor, lengths, x)
            gradient[:, 2:] = np.tril(by_x, -1)[:, : k - 1]
            return value, gradient

        at = np.zeros((k, k + 1))
        at[:, 0], at[:, 1] = state.rho, density.free_of(state.tau)
        at[:, 2:] = state.x[:, : k - 1]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            at = self._of_groups.move(at, slope, self._generator, learn=self.learning)
        state.rho, state.tau = at[:, 0].copy(), density.tau_of(at[:, 1])[0]
        state.x = self._unpacked(at)
        state.effects = state.delta[:, None] + eps @ self._spread(state).T

    def _unpacked(self, blocks: Array) -> Array:
        x = np.zeros((len(blocks), len(blocks)))
        x[:, :-1] = blocks[:, 2:]
        return np.tril(x, -1)

    def _move_scales(self, state: State) -> None:
        """``μ_ρ``, which is normal given the rest, and ``σ_ρ``, by steps accepted or not."""
        priors, generator, k = self._density.priors, self._generator, len(state.rho)
        for _ in range(3):
            precision = k / state.sigma_rho**2 + priors.mu_rho**-2
            pull = state.rho.sum() / state.sigma_rho**2 + priors.mu_rho_mean * priors.mu_rho**-2
            normal = generator.standard_normal()
            state.mu = float(pull / precision + normal / math.sqrt(precision))
            squares = float(((state.rho - state.mu) ** 2).sum())

            def log_density(log_scale: float, squares: float = squares) -> float:
                var = math.exp(2 * log_scale)
                own = -0.5 * squares / var - 0.5 * var / priors.sigma_rho**2
                return own - (k - 1) * log_scale

            state.sigma_rho = self._stepped(state.sigma_rho, log_density, k)

    def energy(self) -> float:
        """Negative log density of answers and effects, with a momentum for each effect."""
        state = self.state
        spread = self._spread(state)
        total = spread @ spread.T + state.sigma**2
        log_mean = self._log_mean(state)
        with np.errstate(over="ignore"):
            fits = ((state.counts * log_mean - np.exp(log_mean)) * self._answered).sum()
        pull = np.linalg.solve(total, state.effects.T).T
        half = 0.5 * float((pull * state.effects).sum())
        half += 0.5 * len(log_mean) * float(np.linalg.slogdet(total)[1])
        kinetic = 0.5 * float(self._generator.chisquare(log_mean.size))
        return kinetic + half - float(fits)

    def recorded(self) -> Array:
        """Return the globals and the steps to ``δ``, as :meth:`Correlated.recorded` has them."""
        state, density = self.state, self._density
        return density.kept(
            state.rho, state.tau, state.x, (state.sigma, state.mu, state.sigma_rho), state.delta
        )


def swept_chain(
    density: Correlated,
    scales: Scales,
    seed: np.random.SeedSequence,
    *,
    warmup: int,
    draws: int,
    record: Callable[[Array], Array],
    progress: Callable[[int], None],
) -> Chain:
    """Run one chain.

    Parameters
    ----------
    density
        The model.
    scales
        Shared by the chains.
    seed
        The chain's own random numbers.
    warmup, draws
        Numbers of draws before and after the moves' scales are fixed, of `SWEEPS` sweeps each.
    record
        What to keep of the global parameters and steps to ``δ``, shape (q,).
    progress
        Called with the number of finished draws.

    Returns
    -------
    Chain
        No draw of it diverges: a move that goes astray is rejected.
    """
    sweeper = Sweeper(density, scales, seed)
    kept, energy = [], np.empty(draws)
    for count in range(warmup + draws):
        sweeper.learning = count < warmup
        for _ in range(SWEEPS):
            sweeper.sweep()
        progress(count + 1)
        if count >= warmup:
            energy[count - warmup] = sweeper.energy()
            kept.append(record(sweeper.recorded()))
    moves = SWEEPS * (OF_EFFECTS + OF_SPREAD + OF_GROUPS + 3)
    return Chain(
        np.array(kept),
        energy,
        np.zeros(draws, bool),
        np.full(draws, moves, np.int64),
        float(np.median(sweeper._of_effects.leap)),
        moves * (warmup + draws),
    )
