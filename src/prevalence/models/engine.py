"""From a density to draws: mode, whitening, chains, and a second way where the first fails."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError
from prevalence.models.correlated import Correlated
from prevalence.models.correlated_sampler import Scales, swept_chain
from prevalence.models.layout import Density
from prevalence.models.nuts import Chain, sample_chain
from prevalence.models.preconditioning import Whitening, identity_whitening, marginal_mode
from prevalence.processes import in_processes

LOG = logging.getLogger("prevalence")
Array = NDArray[np.float64]
Record = Callable[[Array], Array]

# Below this step the whitened chain is frozen; above this share of divergences it is biased.
FROZEN_STEP = 0.02
MOST_DIVERGENT = 0.05
# Where chains begin in the global directions, in posterior standard deviations: wider than the
# posterior, so that R̂ can see a difference; and nearer, where one was lost out there.
WIDE, NEAR, AT_MODE = 2.0, 0.5, 0.1
TRUSTED, UNTRUSTED = 200.0, 5.0  # draws' worth of belief in the whitening's scales
# Where the map whitens all, a trajectory goes a quarter of a turn: a normal density is forgotten
# then. Directions that are wider than the map says turn more slowly, hence a bit further.
ARC = (1.5, 1.9)


class Task(Protocol):
    """What every chain of a fit shares."""

    @property
    def sampling(self) -> Sampling:
        """Chains and iterations."""
        ...

    def run(self, number: int, seed: np.random.SeedSequence) -> Chain:
        """Run a chain with random numbers of its own."""
        ...


@dataclass(frozen=True)
class Sampling:
    """How long to sample.

    Parameters
    ----------
    chains
        Number of chains.
    warmup, draws
        Iterations of each chain; the fall-back without whitening warms up four times as long.
    cores
        Chains that run at the same time: the draws don't depend on it.
    """

    chains: int = 4
    warmup: int = 150
    draws: int = 600
    cores: int = 1


@dataclass(frozen=True)
class Fit:
    """Draws from a posterior.

    Parameters
    ----------
    draws
        What was recorded, shape (chains, draws, q).
    energy, divergent, steps
        Shape (chains, draws).
    whitening
        The map in whose coordinates the chains moved, centred at the marginal mode; none where they
        moved block by block.
    whitened
        False where the fall-back was needed.
    step_sizes
        One a chain.
    gradients
        Number of gradients of all chains.
    seconds
        Wall time of the mode, and of the chains.
    """

    draws: Array
    energy: Array
    divergent: NDArray[np.bool_]
    steps: NDArray[np.int64]
    whitening: Whitening | None
    whitened: bool
    step_sizes: tuple[float, ...]
    gradients: int
    seconds: tuple[float, float]


def fit(
    density: Density | Correlated,
    entropy: Sequence[int],
    *,
    record: Record | None = None,
    sampling: Sampling | None = None,
) -> Fit:
    """Sample a density.

    Parameters
    ----------
    density
        The log posterior.
    entropy
        Seed of all random numbers; chains get their own by spawning.
    record
        What to keep of each draw's parameters, shape (q,); all of them by default.
    sampling
        Chains and iterations.

    Returns
    -------
    Fit
        Whether it may be used is for :mod:`prevalence.models.diagnostics` to say.

    Raises
    ------
    PipelineError
        If the density isn't finite anywhere near its start.
    """
    sampling = sampling or Sampling()
    keep = record or (lambda x: x)
    begun = time.perf_counter()
    start = density.start()
    if not np.isfinite(density.value_and_gradient(start)[0]):
        raise PipelineError(
            "A model can't be fitted: its density is not finite at a plain first guess.",
            allowed="counts that are whole numbers of moderate size",
            remedy="Set a top code, or look at the table data_quality.csv for the groups.",
        )
    if isinstance(density, Correlated):
        return _fit_by_blocks(density, keep, sampling, entropy, begun)
    try:
        shape = marginal_mode(density)
        whitened = bool(np.isfinite(density.value_and_gradient(shape.centre)[0]))
    except np.linalg.LinAlgError:  # the search left the place where derivatives are finite
        shape, whitened = identity_whitening(density.layout, start), False
    middle = time.perf_counter()
    chains: list[Chain] = []
    if whitened:
        chains = _chains(_Task(density, shape, keep, sampling, WIDE), entropy)
        if _failed(chains):
            LOG.warning("a chain froze or diverged from where it began: all begin nearer the mode")
            chains = _chains(_Task(density, shape, keep, sampling, NEAR), [*entropy, 2])
        whitened = not _failed(chains)
    if not whitened:
        LOG.warning("the whitened chains froze or diverged: sampling without whitening")
        shape = identity_whitening(density.layout, start)
        slower = Sampling(sampling.chains, 4 * sampling.warmup, sampling.draws, sampling.cores)
        chains = _chains(_Task(density, shape, keep, slower, AT_MODE, trusted=False), [*entropy, 1])
    return _fit_of(chains, shape, (begun, middle), whitened=whitened)


def _fit_by_blocks(
    density: Correlated, keep: Record, sampling: Sampling, entropy: Sequence[int], begun: float
) -> Fit:
    """Sample the one model whose effects are too many for a common step."""
    scales = density.scales()
    middle = time.perf_counter()
    chains = _chains(_Sweeps(density, scales, keep, sampling), entropy)
    return _fit_of(chains, None, (begun, middle), whitened=True)


def _fit_of(
    chains: Sequence[Chain],
    shape: Whitening | None,
    times: tuple[float, float],
    *,
    whitened: bool,
) -> Fit:
    begun, middle = times
    return Fit(
        np.array([chain.draws for chain in chains]),
        np.array([chain.energy for chain in chains]),
        np.array([chain.divergent for chain in chains]),
        np.array([chain.steps for chain in chains]),
        shape,
        whitened,
        tuple(chain.step_size for chain in chains),
        sum(chain.gradients for chain in chains),
        (middle - begun, time.perf_counter() - middle),
    )


def _failed(chains: Sequence[Chain]) -> bool:
    frozen = min(chain.step_size for chain in chains) < FROZEN_STEP
    return frozen or any(chain.divergent.mean() > MOST_DIVERGENT for chain in chains)


@dataclass(frozen=True)
class _Task:
    """A density, its map, and how to move."""

    density: Density
    shape: Whitening
    record: Record
    sampling: Sampling
    spread: float
    trusted: bool = True

    def whitened(self, z: Array) -> tuple[float, Array]:
        value, gradient = self.density.value_and_gradient(self.shape.forward(z))
        # A sum is finite only where all its parts are.
        if not (math.isfinite(value) and math.isfinite(gradient.sum())):
            return -np.inf, np.zeros(len(z))  # the sampler takes it for a divergence
        return value, self.shape.pull_back(gradient)

    def recorded(self, z: Array) -> Array:
        return self.record(self.shape.forward(z))

    def run(self, number: int, seed: np.random.SeedSequence) -> Chain:
        starts, moves = seed.spawn(2)
        normal = np.random.Generator(np.random.PCG64(starts)).standard_normal(
            self.density.layout.size
        )
        normal[: self.density.layout.globals] *= self.spread
        return sample_chain(
            self.whitened,
            _finite_start(self.whitened, normal),
            moves,
            warmup=self.sampling.warmup,
            draws=self.sampling.draws,
            record=self.recorded,
            shrinkage=TRUSTED if self.trusted else UNTRUSTED,
            progress=lambda done: _progress(number, done, self.sampling),
            arc=ARC if self.trusted else None,
        )


@dataclass(frozen=True)
class _Sweeps:
    """The same for chains that move block by block."""

    density: Correlated
    scales: Scales
    record: Record
    sampling: Sampling

    def run(self, number: int, seed: np.random.SeedSequence) -> Chain:
        return swept_chain(
            self.density,
            self.scales,
            seed,
            warmup=self.sampling.warmup,
            draws=self.sampling.draws,
            record=self.record,
            progress=lambda done: _progress(number, done, self.sampling),
        )


def _chains(task: Task, entropy: Sequence[int]) -> list[Chain]:
    """Run the chains, each with random numbers of its own, some at the same time."""
    count = task.sampling.chains
    jobs = list(enumerate(np.random.SeedSequence(list(entropy)).spawn(count)))
    return in_processes(lambda job: task.run(*job), jobs, task.sampling.cores)


def _finite_start(density: Callable[[Array], tuple[float, Array]], z: Array) -> Array:
    """Draw a start towards the mode until its density is finite."""
    for _ in range(20):
        if np.isfinite(density(z)[0]):
            break
        z = z / 2
    return z


def _progress(chain: int, done: int, sampling: Sampling) -> None:
    total = sampling.warmup + sampling.draws
    if done in (sampling.warmup, total):
        stage = "warm-up done" if done == sampling.warmup else "finished"
        LOG.info("chain %d: %s, %d of %d iterations", chain + 1, stage, done, total)
