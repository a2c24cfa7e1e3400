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
    """

    members: Codes
    chance: Array
    places: Codes

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
    return _hits(chance, generator.uniform())


def _hits(chance: Array, start: float) -> Codes:
    """Units in which the points ``k + start`` lie."""
    steps = np.cumsum(chance)
    points = np.arange(round(float(steps[-1]))) + start
    picks = np.searchsorted(steps, points, side="right")
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
    return Selection(members, chance, draw_systematic(chance, generator))


def select_again(earlier: Selection, share: float, generator: np.random.Generator) -> Selection:
    """Draw from the same list anew, keeping a share of the earlier draws.

    Parameters
    ----------
    earlier
        The earlier selection.
    share
        Share of the draws that are kept, about; units of probability 1 are drawn in any case.
    generator
        Source of randomness.

    Returns
    -------
    Selection
        As many units as before, each with the same inclusion probability as before.

    Notes
    -----
    The list is cut in two between units, after a cumulated probability c. In one part, chosen by
    lot, the earlier draws are kept; the other is drawn systematically with a new start v. The size
    of the sample stays if v lies on the same side of c - floor(c) as the earlier start did, and a
    start so drawn is uniform again.
    """
    rest = np.flatnonzero(earlier.chance < 1)
    sure = np.flatnonzero(earlier.chance >= 1)
    if len(rest) == 0:
        return earlier
    chance = earlier.chance[rest]
    edges = np.concatenate([[0.0], np.cumsum(chance)])
    size = round(float(edges[-1]))
    keeps_first = generator.uniform() < 0.5
    cut = int(np.argmin(np.abs(edges - size * (share if keeps_first else 1 - share))))
    first = np.arange(len(rest)) < cut
    kept = np.isin(rest, earlier.places) & (first if keeps_first else ~first)
    in_first = kept.sum() if keeps_first else size - kept.sum()
    whole, part = divmod(round(float(edges[cut]), 9), 1)
    low, high = (0.0, part) if in_first > whole else (part, 1.0)
    fresh = np.isin(np.arange(len(rest)), _hits(chance, generator.uniform(low, high)))
    drawn = kept | (fresh & (~first if keeps_first else first))
    places = np.sort(np.concatenate([sure, rest[drawn]]))
    return Selection(earlier.members, earlier.chance, places)


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

    Raises
    ------
    PipelineError
        If there are fewer areas than PSUs, or fewer PSUs than the regions need.
    """
    design = world.config["design"]
    people = np.bincount(world.region, world.population, minlength=len(world.regions))
    share = design["psus"] * people / people.sum()
    most = np.bincount(world.region, minlength=len(world.regions))
    fewest = np.minimum(design["fewest_psus"], most)
    if not fewest.sum() <= design["psus"] <= most.sum():
        raise PipelineError(
            "A synthetic sample of so many PSUs can't be drawn.",
            place="design.psus",
            found=design["psus"],
            allowed=f"from {fewest.sum()}, so that each region has {design['fewest_psus']} or all "
            f"it has, to {most.sum()}, all cities and municipalities",
            remedy="Change design.psus, design.fewest_psus, or the regions' areas.",
        )
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
