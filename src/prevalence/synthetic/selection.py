"""Areas and barangays of a survey of a made-up country, drawn anew or kept from an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError
from prevalence.synthetic.world import World

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

MOST_TRIES = 1000


@dataclass(frozen=True, eq=False)
class Selection:
    """Units drawn systematically from a list.

    Parameters
    ----------
    members
        The list in the order in which it was gone through, shape (N,).
    chance
        Inclusion probability of each, shape (N,).
    places
        Places in the list of the units that were drawn, shape (n,).
    starts
        Where in each step the draw fell, on the list without units of probability 1, shape (m,).
    """

    members: Codes
    chance: Array
    places: Codes
    starts: Array

    @property
    def units(self) -> Codes:
        """The units that were drawn, shape (n,)."""
        return self.members[self.places]

    @property
    def probability(self) -> Array:
        """Their inclusion probabilities, shape (n,)."""
        return self.chance[self.places]


@dataclass(frozen=True, eq=False)
class Sample:
    """Areas and barangays of a survey.

    Parameters
    ----------
    regions
        Areas drawn in each region.
    barangays
        Barangays drawn in each area that was drawn.
    """

    regions: tuple[Selection, ...]
    barangays: Mapping[int, Selection]


def inclusion_probabilities(size: Array, wanted: int) -> Array:
    """Inclusion probabilities proportional to size; units too large for chance get 1.

    Parameters
    ----------
    size
        Sizes, shape (N,).
    wanted
        Number of units to be drawn, at most N.
    """
    sure = np.zeros(len(size), dtype=bool)
    while True:
        left = wanted - int(sure.sum())
        rest = size[~sure].sum()
        chance = np.where(sure, 1.0, left * size / rest if rest > 0 else 0.0)
        more = ~sure & (chance >= 1 - 1e-12)
        if not more.any():
            return chance
        sure |= more


def draw_systematic(chance: Array, generator: np.random.Generator) -> Codes:
    """Draw units systematically in the given order, with the given probabilities.

    Parameters
    ----------
    chance
        Inclusion probabilities, shape (N,); their sum is the number of draws.
    generator
        Source of randomness.
    """
    return _hits(chance, generator.uniform() + np.zeros(round(float(chance.sum()))))


def _hits(chance: Array, starts: Array) -> Codes:
    """Units in which the points ``k + starts[k]`` lie."""
    picks = np.searchsorted(np.cumsum(chance), np.arange(len(starts)) + starts, side="right")
    return np.minimum(picks, len(chance) - 1).astype(np.intp)


def select(members: Codes, chance: Array, generator: np.random.Generator) -> Selection:
    """Draw units systematically from a list.

    Parameters
    ----------
    members
        The list, shape (N,).
    chance
        Inclusion probabilities, shape (N,).
    generator
        Source of randomness.
    """
    start = generator.uniform()
    places = _hits(chance, np.full(round(float(chance.sum())), start))
    # A unit of probability 1 is as long as a step: without it the others start where they did.
    return Selection(members, chance, places, np.full(int((chance < 1)[places].sum()), start))


def select_again(earlier: Selection, share: float, generator: np.random.Generator) -> Selection:
    """Draw from the same list anew, keeping a share of the earlier draws.

    Parameters
    ----------
    earlier
        The earlier selection.
    share
        Share of the draws that are kept, besides units of probability 1.
    generator
        Source of randomness.

    Returns
    -------
    Selection
        Each unit has the same inclusion probability as before: in each step of the list the draw
        either stays where it was or falls anew, uniformly.

    Raises
    ------
    PipelineError
        If no draw hits each unit at most once.
    """
    sure = earlier.chance >= 1
    rest = np.flatnonzero(~sure)
    steps = len(earlier.starts)
    for _ in range(MOST_TRIES):
        kept = generator.permutation(steps) < round(share * steps)
        starts = np.where(kept, earlier.starts, generator.uniform())
        places = rest[_hits(earlier.chance[rest], starts)] if steps else rest[:0]
        if len(np.unique(places)) == steps:
            together = np.sort(np.concatenate([np.flatnonzero(sure), places]))
            return Selection(earlier.members, earlier.chance, together, starts)
    raise PipelineError(
        "A later wave's sample cannot be drawn from an earlier one's.",
        place="overlap",
        found=f"{steps} draws from {len(rest)} units, of which some are hit twice",
        remedy="Draw fewer units, or keep none: overlap: {psus: 0, barangays: 0}.",
    )


def select_areas(world: World, generator: np.random.Generator) -> tuple[Selection, ...]:
    """Draw cities and municipalities in each region, proportional to their population.

    Parameters
    ----------
    world
        The world.
    generator
        Source of randomness.

    Returns
    -------
    tuple of Selection
        One a region.
    """
    design = world.config["design"]
    people = np.bincount(world.region, world.population, minlength=len(world.regions))
    share = design["psus"] * people / people.sum()
    most = np.bincount(world.region, minlength=len(world.regions))
    fewest = np.minimum(design["fewest_psus"], most)
    wanted = np.clip(np.floor(share), fewest, most).astype(int)
    while wanted.sum() != design["psus"]:  # largest remainders, within what a region has and needs
        step = 1 if wanted.sum() < design["psus"] else -1
        free = wanted < most if step > 0 else wanted > fewest
        wanted[int(np.argmax(np.where(free, step * (share - wanted), -np.inf)))] += step
    found = []
    for region, count in enumerate(wanted):
        members = np.flatnonzero(world.region == region)
        members = members[generator.permutation(len(members))]
        chance = inclusion_probabilities(world.population[members], int(count))
        found.append(select(members, chance, generator))
    return tuple(found)


def draw_areas(world: World, generator: np.random.Generator) -> tuple[Codes, Array]:
    """Give the areas that :func:`select_areas` draws, and their inclusion probabilities."""
    return joined(select_areas(world, generator))


def joined(selections: tuple[Selection, ...]) -> tuple[Codes, Array]:
    """Put the units of several selections and their inclusion probabilities one after another."""
    return (
        np.concatenate([one.units for one in selections]),
        np.concatenate([one.probability for one in selections]),
    )


def draw_sample(
    world: World,
    generator: np.random.Generator,
    earlier: Sample | None = None,
    kept: Mapping[str, float] | None = None,
) -> Sample:
    """Draw areas and barangays.

    Parameters
    ----------
    world
        The world.
    generator
        Source of randomness.
    earlier
        An earlier survey's sample of the same places; None: everything is drawn anew.
    kept
        Shares that are kept of it: ``psus`` (areas, and barangays where the area was taken with
        certainty) and ``barangays`` within kept areas.

    Raises
    ------
    PipelineError
        If PSUs are to be kept and their number is another one.
    """
    share = {"psus": 0.0, "barangays": 0.0} if kept is None else kept
    if earlier is None or share["psus"] == 0:
        regions, before = select_areas(world, generator), {}
    else:
        before = dict(earlier.barangays)
        drawn = sum(len(one.places) for one in earlier.regions)
        if drawn != world.config["design"]["psus"]:
            raise PipelineError(
                "A later wave that keeps PSUs has another number of them.",
                place="design.psus",
                found=world.config["design"]["psus"],
                allowed=f"{drawn}, as in the earlier wave",
                remedy="Give the same number, or keep none: overlap: {psus: 0, barangays: 0}.",
            )
        regions = tuple(select_again(one, share["psus"], generator) for one in earlier.regions)
    barangays = {}
    order = np.argsort(world.barangay_area, kind="stable")
    starts = np.searchsorted(world.barangay_area[order], np.arange(len(world.population) + 1))
    for area, probability in zip(*joined(regions), strict=True):
        sure = probability >= 1
        members = order[starts[area] : starts[area + 1]]
        wanted = min(
            world.config["design"]["barangays_certainty" if sure else "barangays"], len(members)
        )
        old = before.get(int(area))
        if old is not None and len(old.places) == wanted:
            part = share["psus" if sure else "barangays"]
            barangays[int(area)] = select_again(old, part, generator)
            continue
        members = members[generator.permutation(len(members))]
        members = members[np.argsort(world.barangay_urban[members], kind="stable")]
        inclusion = inclusion_probabilities(world.barangay_population[members], wanted)
        barangays[int(area)] = select(members, inclusion, generator)
    return Sample(regions, barangays)
