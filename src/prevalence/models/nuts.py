"""Hamiltonian Monte Carlo over whitened coordinates, with and without a known length of the way.

One chain: dual averaging of the step size, a diagonal metric learned in widening windows. As the
density is nearly normal there, a leap turns exactly by the normal part, whose step size would
otherwise shrink with the number of parameters, and is kicked by the rest alone (split Hamiltonian
Monte Carlo: Shahbaba et al. 2014). Where the coordinates are known to be white, a trajectory goes a
quarter of a turn and a bit, after which a normal density is forgotten (Neal 2011, section 4.2), and
its end is accepted or not. Where they aren't, its length is found by the no-U-turn sampler (Hoffman
& Gelman 2014) with multinomial choice (Betancourt 2017). Every value that is not finite is a
divergence: a log density of +∞ would otherwise be accepted and never left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prevalence.models.compiled import compiled

Array = NDArray[np.float64]
LogDensity = Callable[[Array], tuple[float, Array]]

TARGET_ACCEPTANCE = 0.75  # of the points of a tree
ARC_ACCEPTANCE = 0.95  # of the one end of an arc, which keeps a chain where it is if refused
LARGEST_ERROR = 1000.0  # of the energy along a trajectory, before it counts as divergent
DEEPEST_TREE, MOST_LEAPS = 9, 100  # what a chain that is frozen can cost
LARGEST_STEP = 0.7  # a ninth of a turn: on a normal density any step would be accepted
FIRST_WINDOW, BASE_WINDOW, LAST_WINDOW = 30, 50, 30


@compiled
def kicked(p: Array, gradient: Array, z: Array, variance: Array, time: float) -> Array:
    """Momentum after a kick by the part of the density that isn't normal."""
    after = np.empty_like(p)
    for i in range(len(p)):
        after[i] = p[i] + time * (gradient[i] + z[i] / variance[i])
    return after


@compiled
def turned(p: Array, z: Array, variance: Array, time: float) -> tuple[Array, Array]:
    """Position and momentum after an exact turn by the normal part."""
    cos, sin = math.cos(time), math.sin(time)
    place, after = np.empty_like(z), np.empty_like(p)
    for i in range(len(z)):
        place[i] = cos * z[i] + sin * variance[i] * p[i]
        after[i] = cos * p[i] - sin / variance[i] * z[i]
    return place, after


@compiled
def along(first: Array, variance: Array, second: Array) -> float:
    """Inner product of two momenta."""
    total = 0.0
    for i in range(len(first)):
        total += first[i] * variance[i] * second[i]
    return total


@compiled
def straight(first: Array, last: Array, momentum: Array, variance: Array) -> bool:
    """Whether both ends of a stretch still move apart, along the sum of its momenta."""
    ahead, behind = 0.0, 0.0
    for i in range(len(first)):
        velocity = variance[i] * momentum[i]
        ahead += last[i] * velocity
        behind += first[i] * velocity
    return ahead > 0.0 and behind > 0.0


@dataclass(frozen=True)
class Chain:
    """What one chain leaves behind, after warm-up.

    Parameters
    ----------
    draws
        What `record` returned at each draw, shape (draws, q).
    energy
        Hamiltonian at each draw, shape (draws,).
    divergent
        Whether the trajectory diverged, shape (draws,).
    steps
        Leaps of each draw, of two gradients each, shape (draws,).
    step_size
        After warm-up.
    gradients
        Number of gradients, warm-up included.
    """

    draws: Array
    energy: Array
    divergent: NDArray[np.bool_]
    steps: NDArray[np.int64]
    step_size: float
    gradients: int


@dataclass(slots=True)
class _Point:
    """A place of a trajectory: position, momentum, log density, gradient."""

    z: Array
    p: Array
    value: float
    gradient: Array


@dataclass(slots=True)
class _Tree:
    """A stretch of trajectory and the point chosen from it."""

    left: _Point
    right: _Point
    chosen: _Point
    momentum: Array
    log_weight: float
    goes_on: bool
    diverged: bool = False


@dataclass
class _StepSize:
    """Dual averaging (Nesterov 2009, as in Stan)."""

    log_step: float
    target: float
    centre: float = field(init=False)
    count: int = 0
    error: float = 0.0
    log_mean: float = 0.0

    def __post_init__(self) -> None:
        self.centre = math.log(10.0) + self.log_step

    def settled(self) -> float:
        """Mean of the steps tried, for the draws."""
        return min(math.exp(self.log_mean), LARGEST_STEP)

    def update(self, acceptance: float) -> float:
        """Learn from a trajectory's acceptance: the next step to try."""
        self.count += 1
        weight = 1.0 / (self.count + 10)
        self.error += weight * (self.target - acceptance - self.error)
        self.log_step = self.centre - math.sqrt(self.count) / 0.05 * self.error
        share = self.count**-0.75
        self.log_mean += share * (self.log_step - self.log_mean)
        return min(math.exp(self.log_step), LARGEST_STEP)


class _Sampler:
    def __init__(
        self,
        density: LogDensity,
        generator: np.random.Generator,
        size: int,
        arc: tuple[float, float] | None,
    ) -> None:
        self.density = density
        self.generator = generator
        self.arc = arc
        self.variance = np.ones(size)
        self.step = 0.1
        self.gradients = 0
        self._acceptance = 0.0
        self._leaves = 0

    def at(self, z: Array) -> _Point:
        self.gradients += 1
        value, gradient = self.density(z)
        return _Point(z, np.zeros_like(z), value, gradient)

    def energy(self, point: _Point) -> float:
        return 0.5 * along(point.p, self.variance, point.p) - point.value  # infinite: a divergence

    def leap(self, start: _Point, step: float) -> _Point:
        """Kick by the part of the density that isn't normal, and turn by the normal one, twice.

        Kicks weigh as in Simpson's rule: the error is of fourth order in the step as long as the
        other part is small (`SBAB2` of Laskar & Robutel 2001).
        """
        middle = self._moved(start, step / 6, step / 2)
        end = self._moved(middle, step * 2 / 3, step / 2)
        end.p = kicked(end.p, end.gradient, end.z, self.variance, step / 6)
        if not math.isfinite(middle.value):
            end.value = middle.value
        return end

    def _moved(self, start: _Point, kick: float, turn: float) -> _Point:
        p = kicked(start.p, start.gradient, start.z, self.variance, kick)
        z, p = turned(p, start.z, self.variance, turn)
        point = self.at(z)
        point.p = p
        return point

    def momentum(self) -> Array:
        normal: Array = self.generator.standard_normal(len(self.variance))
        return normal / np.sqrt(self.variance)

    def transition(self, start: _Point) -> tuple[_Point, float, int, bool, float]:
        """One draw: the point, mean acceptance, leaps, divergence, energy."""
        start = _Point(start.z, self.momentum(), start.value, start.gradient)
        origin = self.energy(start)
        if self.arc is None:
            return self._search(start, origin)
        return self._hop(start, origin, self.generator.uniform(*self.arc))

    def _hop(
        self, start: _Point, origin: float, length: float
    ) -> tuple[_Point, float, int, bool, float]:
        """Go along an arc in equal leaps; only a part of it where they are tiny."""
        leaps = min(math.ceil(length / self.step), MOST_LEAPS)
        stride = min(length / leaps, self.step)
        end, sound, taken = start, True, 0
        while sound and taken < leaps:
            end = self.leap(end, stride)
            error = origin - self.energy(end)
            sound, taken = self._sound(end, error), taken + 1
        acceptance = min(1.0, math.exp(min(error, 0.0))) if sound else 0.0
        chosen = end if self.generator.random() < acceptance else start
        return chosen, acceptance, taken, not sound, self.energy(chosen)

    def _search(self, start: _Point, origin: float) -> tuple[_Point, float, int, bool, float]:
        """Go along a trajectory in both directions until it turns back."""
        tree = _Tree(start, start, start, start.p, 0.0, True)
        self._acceptance, self._leaves = 0.0, 0
        for depth in range(DEEPEST_TREE):
            forward = self.generator.random() < 0.5
            end = tree.right if forward else tree.left
            branch = self._grow(end, depth, 1.0 if forward else -1.0, origin)
            tree.diverged = branch.diverged
            if not branch.goes_on:
                break
            if math.log(1.0 - self.generator.random()) < branch.log_weight - tree.log_weight:
                tree.chosen = branch.chosen
            tree = self._joined(tree, branch, forward, tree.chosen)
            if not tree.goes_on:
                break
        leaves = max(self._leaves, 1)
        chosen = tree.chosen
        return chosen, self._acceptance / leaves, leaves, tree.diverged, self.energy(chosen)

    def _grow(self, end: _Point, depth: int, direction: float, origin: float) -> _Tree:
        if depth == 0:
            return self._leaf(end, direction, origin)
        first = self._grow(end, depth - 1, direction, origin)
        if not first.goes_on:
            return first
        outer = first.right if direction > 0 else first.left
        second = self._grow(outer, depth - 1, direction, origin)
        if not second.goes_on:
            return second
        weight = np.logaddexp(first.log_weight, second.log_weight)
        take = math.log(1.0 - self.generator.random()) < second.log_weight - weight
        return self._joined(first, second, direction > 0, (second if take else first).chosen)

    def _leaf(self, end: _Point, direction: float, origin: float) -> _Tree:
        point = self.leap(end, direction * self.step)
        error = origin - self.energy(point)
        self._leaves += 1
        sound = self._sound(point, error)
        if sound:
            self._acceptance += min(1.0, math.exp(min(error, 0.0)))
        return _Tree(point, point, point, point.p, error if sound else -np.inf, sound, not sound)

    @staticmethod
    def _sound(point: _Point, error: float) -> bool:
        return math.isfinite(error) and math.isfinite(point.value) and error > -LARGEST_ERROR

    def _joined(self, old: _Tree, new: _Tree, forward: bool, chosen: _Point) -> _Tree:
        left, right = (old, new) if forward else (new, old)
        total = left.momentum + right.momentum
        spans = (
            (left.left, right.right, total),
            (left.left, right.left, left.momentum + right.left.p),
            (left.right, right.right, left.right.p + right.momentum),
        )
        goes_on = all(straight(one.p, other.p, way, self.variance) for one, other, way in spans)
        weight = float(np.logaddexp(left.log_weight, right.log_weight))
        return _Tree(left.left, right.right, chosen, total, weight, goes_on)

    def first_step(self, start: _Point) -> None:
        """Double or halve the step until one leap is accepted about as often as not."""
        start = _Point(start.z, self.momentum(), start.value, start.gradient)
        origin, direction = self.energy(start), 0.0
        for _ in range(60):
            error = origin - self.energy(self.leap(start, self.step))
            wanted = 1.0 if math.isfinite(error) and error > math.log(0.8) else -1.0
            if direction not in (0.0, wanted):
                return
            direction = wanted
            self.step *= 2.0**direction
            if self.step >= LARGEST_STEP:
                self.step = LARGEST_STEP
                return


def windows(warmup: int) -> list[int]:
    """Return the ends of the warm-up windows in which the metric is learned, doubling in length."""
    ends, end, length = [], FIRST_WINDOW, BASE_WINDOW
    last = warmup - LAST_WINDOW
    while end + length <= last:
        following = end + length + 2 * length
        end = last if following > last else end + length
        ends.append(end)
        length *= 2
    return ends


def sample_chain(
    density: LogDensity,
    start: Array,
    seed: np.random.SeedSequence,
    *,
    warmup: int,
    draws: int,
    record: Callable[[Array], Array],
    shrinkage: Array | float,
    progress: Callable[[int], None],
    arc: tuple[float, float] | None = None,
) -> Chain:
    """Run one chain.

    Parameters
    ----------
    density
        Log density and gradient over the coordinates that are sampled.
    start
        First point, shape (size,).
    seed
        The chain's own random numbers.
    warmup, draws
        Numbers of iterations.
    record
        What to keep of a point, shape (q,).
    shrinkage
        Draws' worth of belief that a coordinate has variance 1, of all or of each: large where the
        whitening is to be trusted, for a window's variances are noise then.
    progress
        Called with the number of finished iterations.
    arc
        Between what lengths a trajectory is, in units in which a whole turn is 2π, where the
        coordinates are white; otherwise it goes until it turns back. Lengths that differ keep it
        from circling a coordinate in step.

    Returns
    -------
    Chain
        The draws after warm-up and what the diagnostics need.
    """
    sampler = _Sampler(density, np.random.Generator(np.random.PCG64(seed)), len(start), arc)
    point = sampler.at(start)
    sampler.first_step(point)
    target = ARC_ACCEPTANCE if arc else TARGET_ACCEPTANCE
    adapting, ends = _StepSize(math.log(sampler.step), target), windows(warmup)
    window: list[Array] = []
    kept: list[Array] = []
    energy, divergent, steps = np.empty(draws), np.zeros(draws, bool), np.zeros(draws, np.int64)
    for iteration in range(warmup + draws):
        if iteration == warmup and warmup:
            sampler.step = adapting.settled()
        point, accepted, taken, broken, level = sampler.transition(point)
        if iteration < warmup:
            sampler.step = adapting.update(accepted)
        progress(iteration + 1)
        if iteration >= warmup:
            place = iteration - warmup
            kept.append(record(point.z))
            energy[place], divergent[place], steps[place] = level, broken, taken
            continue
        if FIRST_WINDOW <= iteration < warmup - LAST_WINDOW:
            window.append(point.z)
        if iteration + 1 in ends:
            found = np.var(window, axis=0, ddof=1)
            sampler.variance = (len(window) * found + shrinkage) / (len(window) + shrinkage)
            window = []
            sampler.first_step(point)
            adapting = _StepSize(math.log(sampler.step), target)
    return Chain(np.array(kept), energy, divergent, steps, sampler.step, sampler.gradients)
