"""A stratified multi-stage survey of a made-up country, and what its respondents say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prevalence.synthetic.selection import Sample, draw_sample, joined
from prevalence.synthetic.world import World

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

COMPLETE, PARTIAL, REFUSAL, NON_CONTACT, OTHER, UNKNOWN, NOT_ELIGIBLE = (
    "1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "4.1",
)  # fmt: skip


@dataclass(frozen=True)
class SurveyDraw:
    """One survey of a world; a row is a sampled household, shape (n,) unless said.

    Parameters
    ----------
    area, barangay
        Where the household lives.
    certainty
        Whether its city was taken with certainty.
    p_psu, p_ssu, p_household
        Selection probabilities of the stages; their product is the household's.
    disposition
        AAPOR disposition.
    adults, children
        Members of the household.
    sex, age
        Of the adult who was drawn: 0 male, 1 female; years.
    interviewer
        Number of the interviewer.
    degree
        People whom the adult knows under the tie definition.
    counts
        Reports by group, shape (n, G), before any fieldwork error.
    """

    area: Codes
    barangay: Codes
    certainty: Mask
    p_psu: Array
    p_ssu: Array
    p_household: Array
    disposition: NDArray[np.str_]
    adults: Codes
    children: Codes
    sex: Codes
    age: Codes
    interviewer: Codes
    degree: Array
    counts: NDArray[np.int64]

    @property
    def completed(self) -> Mask:
        """Households with a completed interview."""
        done: Mask = self.disposition == COMPLETE
        return done


def draw_survey(
    world: World,
    age_sex: Array,
    ages: Sequence[tuple[int, int]],
    entropy: Sequence[int],
    earlier: Sample | None = None,
    kept: Mapping[str, float] | None = None,
) -> SurveyDraw:
    """Draw a survey: areas, barangays, households, one adult in each; ask them.

    Parameters
    ----------
    world
        The world.
    age_sex
        Adults by sex and age group in each region, shape (regions, 2, ages).
    ages
        First and last year of each age group.
    entropy
        For :class:`numpy.random.SeedSequence`.
    earlier, kept
        As in :func:`prevalence.synthetic.selection.draw_sample`.
    """
    generator = np.random.default_rng(np.random.SeedSequence(list(entropy)))
    design = world.config["design"]
    sample = draw_sample(world, generator, earlier, kept)
    areas, chance = joined(sample.regions)
    picked = [sample.barangays[int(area)] for area in areas]
    counts = [len(one.places) for one in picked]
    drawn, p_ssu = joined(tuple(picked))
    barangay = np.repeat(drawn, design["households"])
    area = np.repeat(np.repeat(areas, counts), design["households"])
    n = len(area)
    households = world.barangay_population[barangay] / world.config["people_per_household"]
    adults = 1 + generator.choice(6, n, p=design["adults_in_household"])
    children = generator.poisson(1.5, n)
    sex, age = _adults_drawn(world, area, age_sex, ages, generator)
    degree, reports = _reports(world, area, barangay, generator)
    return SurveyDraw(
        area=area,
        barangay=barangay,
        certainty=np.repeat(np.repeat(chance >= 1, counts), design["households"]),
        p_psu=np.repeat(np.repeat(chance, counts), design["households"]),
        p_ssu=np.repeat(p_ssu, design["households"]),
        p_household=np.minimum(design["households"] / households, 1.0),
        disposition=_dispositions(world, area, barangay, age, degree, generator),
        adults=adults,
        children=children,
        sex=sex,
        age=age,
        interviewer=_interviewers(area, generator),
        degree=degree,
        counts=reports,
    )


def _adults_drawn(
    world: World,
    area: Codes,
    age_sex: Array,
    ages: Sequence[tuple[int, int]],
    generator: np.random.Generator,
) -> tuple[Codes, Codes]:
    """Sex and age of one adult in each household, as in the region's census."""
    cells = age_sex.reshape(len(age_sex), -1)
    steps = np.cumsum(cells / cells.sum(axis=1, keepdims=True), axis=1)
    point = generator.uniform(size=len(area))
    cell = (point[:, None] > steps[world.region[area]][:, :-1]).sum(axis=1)
    first, last = np.array(ages).T
    group = cell % len(ages)
    age = first[group] + np.floor(
        generator.uniform(size=len(area)) * (last - first + 1)[group]
    ).astype(np.intp)
    return (cell // len(ages)).astype(np.intp), age.astype(np.intp)


def _reports(
    world: World, area: Codes, barangay: Codes, generator: np.random.Generator
) -> tuple[Array, NDArray[np.int64]]:
    """Degrees and reports; the mean of each factor is 1, so that the truth stays the truth."""
    config = world.config

    def unit_mean(sd: float, *shape: int) -> Array:
        draws: Array = np.exp(sd * generator.standard_normal(shape) - sd**2 / 2)
        return draws

    n, groups = len(area), len(world.groups)
    hidden = np.array([name in config["hidden_groups"] for name in world.groups])
    degree = world.degree[area] * unit_mean(config["degree"]["sd"], n)
    rate = degree[:, None] * world.met_share[area]
    rate[:, ~hidden] *= unit_mean(config["barrier_sd"], n, int((~hidden).sum()))
    # Most adults are in no place to see either hidden group; of the others some see much of one.
    barrier = config["hidden_barrier"]
    in_sight = (generator.uniform(size=(n, 1)) < barrier["in_sight"]) / barrier["in_sight"]
    shared = in_sight * unit_mean(barrier["shared_sd"], n, 1)
    own = unit_mean(barrier["own_sd"], n, int(hidden.sum()))
    rate[:, hidden] *= shared * own * world.barangay_relative[barangay][:, None]
    fading = np.array([config["recall_slope"]] * groups) * ~hidden
    totals = world.population @ world.share
    rate *= (totals / np.exp(np.log(totals[~hidden]).mean())) ** fading
    counts = generator.poisson(rate)
    heaped = (counts > 10) & (generator.uniform(size=counts.shape) < config["heaping"])
    return degree, np.where(heaped, 5 * np.round(counts / 5), counts).astype(np.int64)


def _dispositions(
    world: World,
    area: Codes,
    barangay: Codes,
    age: Codes,
    degree: Array,
    generator: np.random.Generator,
) -> NDArray[np.str_]:
    """AAPOR dispositions: contact and cooperation depend on region, urbanicity and age."""
    config = world.config["response"]
    n = len(area)
    effect = config["region_sd"] * np.random.default_rng(
        np.random.SeedSequence([config["region_seed"], len(world.regions)])
    ).standard_normal(len(world.regions))
    urban = world.barangay_urban[barangay]
    contact = config["contact"] + effect[world.region[area]] + config["contact_urban"] * urban
    z = (np.log(degree) - np.log(degree).mean()) / np.log(degree).std()
    cooperate = (
        config["cooperate"]
        + config["cooperate_urban"] * urban
        + config["cooperate_young"] * (age < 35)
        + config["cooperate_degree"] * z
    )
    draws = generator.uniform(size=(6, n))

    def chance(score: Array) -> Array:
        result: Array = 1 / (1 + np.exp(-score))
        return result

    result = np.full(n, COMPLETE, dtype="<U3")
    result[draws[0] < config["partial"]] = PARTIAL
    result[draws[1] < config["other"]] = OTHER
    result[draws[2] > chance(cooperate)] = REFUSAL
    result[draws[3] > chance(contact)] = NON_CONTACT
    result[draws[4] < config["unknown"]] = UNKNOWN
    result[draws[5] < config["not_eligible"]] = NOT_ELIGIBLE
    return result


def _interviewers(area: Codes, generator: np.random.Generator) -> Codes:
    """Teams of three interviewers, each with three areas that follow one another in the list."""
    per_area = generator.integers(0, 3, len(area))
    _, place = np.unique(area, return_inverse=True)
    return (place // 3 * 3 + per_area).astype(np.intp)
