"""Simulated worlds with a known truth, and surveys drawn from them, to see how estimators do.

A world holds all areas with their populations and with the shares of every group among the people
there; each survey draws areas, places, households and adults anew. It is not any model that is
fitted: areas differ, ties mix inside areas, respondents differ in whom they come to know.
Everything here is simulated; no number describes a real place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prevalence.calibration import Auxiliary, calibrate
from prevalence.degree import degrees
from prevalence.design import SampleDesign
from prevalence.interval import confidence_interval
from prevalence.ratio import RatioBatch, RatioEstimates, Sampling
from prevalence.replication import (
    CalibrationPlan,
    Households,
    draw_rescaled_bootstrap,
    replicate,
    rescaled,
)
from prevalence.sampling import replicate_sampling
from prevalence.scale_up import FORMS, ratio_columns
from prevalence.strata import certainty_as_strata

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

ESTIMATORS = ("ratio_of_sums", "mean_of_ratios", "mean_of_sums", "unweighted_ratio_of_sums")
RATIO = " per "
ORACLE = "oracle_degrees"
CAPPED = "ratio_of_sums_top_coded"
TOP_CODES = (100.0, 30.0)  # of known and of hidden groups, as in the headline of ph2022
ADJUSTED = "adjusted_by_the_truth"
INTERVALS = tuple(
    (interval, "bootstrap") for interval in ("log_t", "gamma_mid_p", "t", "percentile")
)
LINEARISED = ("log_t", "linearised")
ADULT_SHARE = 0.65
PEOPLE_PER_HOUSEHOLD = 4.2
PLACES = {False: 3, True: 9}  # second-stage units in a PSU, and in an area taken with certainty


@dataclass(frozen=True)
class World:
    """All areas of a simulated country.

    Parameters
    ----------
    parameters
        As in ``benchmarks/worlds.yaml``.
    population
        People of each area, shape (A,).
    region, island
        Region and island group of each area, shape (A,).
    urban
        Whether an area is urban, shape (A,).
    known, hidden
        Names of the groups.
    share
        Share of each group among the people of each area, shape (A, G), hidden groups last.
    """

    parameters: Mapping[str, Any]
    population: Array
    region: Codes
    island: Codes
    urban: NDArray[np.bool_]
    known: tuple[str, ...]
    hidden: tuple[str, ...]
    share: Array

    @property
    def national_share(self) -> Array:
        """Share of each group in the nation, shape (G,)."""
        shares: Array = self.population @ self.share / self.population.sum()
        return shares

    @property
    def known_sizes(self) -> Array:
        """Sizes of the known groups in persons, shape (K,)."""
        sizes: Array = (self.population @ self.share)[: len(self.known)]
        return sizes

    def met_share(self) -> Array:
        """Share of each group among those whom people of an area meet, shape (A, G)."""
        inside = self.parameters["mixing_inside"]
        met: Array = inside * self.share + (1 - inside) * self.national_share
        return met

    def truth(self, island: int | None = None) -> Array:
        """Sizes of the hidden groups, shape (H,).

        Parameters
        ----------
        island
            An island group: then what its residents know scaled to its population, the estimand of
            the geographic estimator; the nation where None.
        """
        place = np.ones(len(self.population), bool) if island is None else self.island == island
        shares = self.share if island is None else self.met_share()
        sizes: Array = self.population[place] @ shares[place][:, len(self.known) :]
        return sizes


def build_world(parameters: Mapping[str, Any], generator: np.random.Generator) -> World:
    """Make a world.

    Parameters
    ----------
    parameters
        As in ``benchmarks/worlds.yaml``.
    generator
        Source of randomness.

    Returns
    -------
    World
        Sizes of the groups are exactly those of the parameters; their places are random.
    """
    areas, regions = parameters["areas"], parameters["regions"]
    population = np.exp(parameters["area_size_sd"] * generator.standard_normal(areas))
    population *= parameters["population"] / population.sum()
    appeal = generator.dirichlet(np.full(regions, 8.0))
    region = generator.choice(regions, areas, p=appeal)
    island = np.digitize(np.arange(regions), parameters["island_breaks"])[region]
    chance = 1 / (1 + np.exp(-np.log(population / np.median(population))))
    urban = generator.uniform(size=areas) < chance
    groups = {**parameters["known_sizes"], **parameters["hidden_sizes"]}
    known = tuple(parameters["known_sizes"])
    spread = [
        parameters["known_area_sd" if name in parameters["known_sizes"] else "hidden_area_sd"]
        for name in groups
    ]
    relative = np.exp(np.array(spread) * generator.standard_normal((areas, len(groups))))
    total = np.array([float(size) for size in groups.values()])
    share = relative * (total / (population @ relative))
    hidden = tuple(parameters["hidden_sizes"])
    return World(parameters, population, region, island, urban, known, hidden, share)


@dataclass(frozen=True)
class SimulatedSurvey:
    """One survey of a world.

    Parameters
    ----------
    counts
        Reports of the respondents by group, shape (n, G), hidden groups last.
    degree
        Their true degrees, shape (n,).
    island
        Island group of the respondents, shape (n,).
    sampling
        Weights with nonresponse adjustment and calibration, replicates that repeat both, design.
    """

    counts: Array
    degree: Array
    island: Codes
    sampling: Sampling


def draw_areas(world: World, generator: np.random.Generator) -> tuple[Codes, Array]:
    """Draw areas with probability proportional to size, in each region at least a few.

    Parameters
    ----------
    world
        The world.
    generator
        Source of randomness.

    Returns
    -------
    areas : numpy.ndarray
        The drawn areas.
    probability : numpy.ndarray
        Their selection probabilities; 1 for those too large to be left to chance.
    """
    regions, wanted = world.parameters["regions"], world.parameters["psus"]
    sizes = np.bincount(world.region, weights=world.population, minlength=regions)
    allocated = np.maximum(
        np.round(wanted * sizes / sizes.sum()), world.parameters["fewest_psus"]
    ).astype(int)
    chosen, chances = [], []
    for region in range(regions):
        members = np.flatnonzero(world.region == region)
        chance = _inclusion(world.population[members], min(allocated[region], len(members)))
        sure = chance >= 1
        order = generator.permutation(np.flatnonzero(~sure))
        steps = np.cumsum(chance[order])
        count = round(float(steps[-1])) if len(steps) else 0
        picks = np.searchsorted(steps, np.arange(count) + generator.uniform(), side="right")
        taken = np.append(np.flatnonzero(sure), order[np.minimum(picks, max(len(order) - 1, 0))])
        chosen.append(members[taken.astype(int)])
        chances.append(chance[taken.astype(int)])
    return np.concatenate(chosen), np.concatenate(chances)


def _inclusion(size: Array, wanted: int) -> Array:
    """Inclusion probabilities proportional to size, cut at 1."""
    chance = np.zeros(len(size))
    sure = np.zeros(len(size), bool)
    while True:
        rest = ~sure
        left = wanted - int(sure.sum())
        chance = np.where(sure, 1.0, left * size / max(size[rest].sum(), 1e-12))
        more = rest & (chance >= 1)
        if not more.any():
            return np.minimum(chance, 1.0)
        sure |= more


def draw_survey(world: World, generator: np.random.Generator) -> SimulatedSurvey:
    """Draw areas, places, households and one adult in each, and ask them.

    Parameters
    ----------
    world
        The world.
    generator
        Source of randomness.

    Returns
    -------
    SimulatedSurvey
        What the respondents say, with weights and replicates made as the pipeline makes them.
    """
    areas, chance = draw_areas(world, generator)
    places = np.array([PLACES[bool(sure)] for sure in chance >= 1])
    area_of_place = np.repeat(np.arange(len(areas)), places)
    each = world.parameters["households_per_place"]
    place = np.repeat(np.arange(len(area_of_place)), each)
    drawn = area_of_place[place]
    area = areas[drawn]
    n = len(area)
    adults = generator.choice(np.arange(1, 6), n, p=[0.15, 0.4, 0.25, 0.13, 0.07])
    households = world.population[area] / PEOPLE_PER_HOUSEHOLD
    household_weight = households / (places[drawn] * each) / chance[drawn]
    degree, counts = _answers(world, area, place, adults, generator)
    sex = generator.integers(0, 2, n)
    responds = _responds(world, area, degree, counts, generator)
    strata, psus = certainty_as_strata(world.region[area], area, place, chance[drawn] >= 1)
    sampling = _weighted(
        responds,
        strata,
        psus,
        household_weight,
        adults,
        {"region": world.region[area].astype(str), "sex": sex.astype(str)},
        np.where(world.urban[area], "urban", "rural"),
        _adult_totals(world),
        world.parameters["replicates"],
        generator,
    )
    return SimulatedSurvey(
        counts[responds], degree[responds], world.island[area][responds], sampling
    )


def _answers(
    world: World, area: Codes, place: Codes, adults: Codes, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Degrees (n,) and reports (n, G) of the adults who were drawn."""
    p = world.parameters
    n, known = len(area), len(world.known)
    groups = world.share.shape[1]

    def unit_mean(sd: float, *shape: int) -> Array:
        draws: Array = np.exp(sd * generator.standard_normal(shape) - sd**2 / 2)
        return draws

    degree = p["degree_mean"] * unit_mean(p["degree_sd"], n)
    degree *= 1 + 0.05 * (adults - adults.mean())
    rate = world.met_share()[area] * degree[:, None]
    rate[:, :known] *= unit_mean(p["barrier_sd"], n, known)
    rate[:, known:] *= unit_mean(p["hidden_barrier_sd"], n, groups - known)
    rate[:, known:] *= unit_mean(p["place_sd"], int(place.max()) + 1, groups - known)[place]
    rate[:, known:] *= p["degree_ratio"] * p["true_positive_rate"]
    sizes = world.known_sizes
    rate[:, :known] *= (sizes / np.exp(np.log(sizes).mean())) ** p["recall_slope"]
    counts = generator.poisson(rate).astype(float)
    heaps = (counts > 5) & (generator.uniform(size=counts.shape) < p["heaping"])
    return degree, np.where(heaps, 5 * np.round(counts / 5), counts)


def _responds(
    world: World, area: Codes, degree: Array, counts: Array, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Who answers; depends on urbanicity, and, where it is informative, on degree and reports."""
    p = world.parameters["response"]
    knows = (counts[:, len(world.known) :] > 0).any(axis=1)
    z = (np.log(degree) - np.log(degree).mean()) / np.log(degree).std()
    score = p["intercept"] + p["urban"] * world.urban[area] + p["degree"] * z + p["knows"] * knows
    answering: NDArray[np.bool_] = generator.uniform(size=len(area)) < 1 / (1 + np.exp(-score))
    return answering


def _adult_totals(world: World) -> dict[str, float]:
    """Adults by region and by sex, which the weights are calibrated to."""
    sizes = ADULT_SHARE * np.bincount(world.region, weights=world.population)
    totals = {f"region: {region}": float(size) for region, size in enumerate(sizes)}
    return totals | {f"sex: {sex}": float(sizes.sum()) / 2 for sex in (0, 1)}


def _weighted(
    responds: NDArray[np.bool_],
    strata: NDArray[np.str_],
    psus: NDArray[np.str_],
    household_weight: Array,
    adults: Codes,
    margins: Mapping[str, NDArray[np.str_]],
    response_class: NDArray[np.str_],
    totals: Mapping[str, float],
    replicates: int,
    generator: np.random.Generator,
) -> Sampling:
    """Weight the respondents: nonresponse by class, raking, and replicates that repeat both."""
    names, classes = np.unique(response_class, return_inverse=True)
    eligible = np.bincount(classes, weights=household_weight)
    answered = np.bincount(classes, weights=household_weight * responds)
    base = household_weight[responds] * adults[responds]
    adjusted = base * (eligible / answered)[classes[responds]]
    auxiliary = Auxiliary.from_margins({name: m[responds] for name, m in margins.items()})
    targets = {name: totals[name] for name in auxiliary.names}
    calibration = calibrate(adjusted, auxiliary, targets)
    present = set(zip(strata[responds], psus[responds], strict=True))
    everything = dict.fromkeys(zip(strata, psus, strict=True))
    design = SampleDesign.from_columns(
        adjusted,
        strata=strata[responds],
        units=psus[responds],
        empty_psus=[(str(h), str(c)) for h, c in everything if (h, c) not in present],
    ).with_calibration(calibration)
    place = {pair: k for k, pair in enumerate(design.psus)}
    households = Households(
        np.array([place[str(h), str(c)] for h, c in zip(strata, psus, strict=True)]),
        classes.astype(np.intp),
        household_weight,
        household_weight * responds,
        tuple(str(name) for name in names),
    )
    made = replicate(
        design,
        rescaled(design, draw_rescaled_bootstrap(design, replicates, generator)),
        base=base,
        nonresponse_class=classes[responds].astype(np.intp),
        households=households,
        auxiliary=auxiliary,
        plan=CalibrationPlan(targets),
    )
    return replicate_sampling(made, design)


@dataclass(frozen=True)
class Outcome:
    """Estimates of one survey beside the truth; every array of shape (rows,).

    Parameters
    ----------
    keys
        (estimator, group, domain, interval, variance) of each row.
    truth, estimate, std_error, lower, upper, n_reporting
        In persons, or as a ratio; `n_reporting` respondents.
    """

    keys: list[tuple[str, str, str, str, str]]
    truth: Array
    estimate: Array
    std_error: Array
    lower: Array
    upper: Array
    n_reporting: Array


def estimate_survey(world: World, survey: SimulatedSurvey, level: float = 0.95) -> Outcome:
    """Estimate the hidden groups of a world from one survey by every estimator and interval.

    Parameters
    ----------
    world
        The world.
    survey
        From :func:`draw_survey`.
    level
        Confidence level.

    Returns
    -------
    Outcome
        The oracle knows every respondent's degree; ``adjusted_by_the_truth`` divides the headline
        by the true degree ratio and true-positive rate.
    """
    known = len(world.known)
    total = float(world.population.sum())
    islands = np.unique(world.island)
    domains: list[tuple[str, int | None]] = [("national", None)]
    domains += [(f"island {place}", int(place)) for place in islands]
    definitions = {
        name: degrees(name, survey.counts[:, :known], world.known_sizes, total)
        for name in ("known_population", "mean_of_ratios")
    }
    top_coded = degrees(
        "known_population",
        np.minimum(survey.counts[:, :known], TOP_CODES[0]),
        world.known_sizes,
        total,
    )
    batch = RatioBatch(len(survey.degree))
    keys: list[tuple[str, str, str]] = []
    scale: list[float] = []
    truth: list[float] = []
    for place, group in enumerate(world.hidden):
        reports = survey.counts[:, known + place]
        for domain, island in domains:
            mask = np.ones(batch.n, bool) if island is None else survey.island == island
            size = (
                total if island is None else float(world.population[world.island == island].sum())
            )
            real = float(world.truth(island)[place])
            for estimator in (*ESTIMATORS, ORACLE):
                form = FORMS.get(estimator, FORMS["ratio_of_sums"])
                degree = survey.degree if estimator == ORACLE else definitions[form.degree]
                batch.add(*ratio_columns(form, reports, degree, survey.sampling.weights)[:2], mask)
                keys.append((estimator, group, domain))
            batch.add(np.minimum(reports, TOP_CODES[1]), top_coded, mask)
            keys.append((CAPPED, group, domain))
            scale += [size] * (len(ESTIMATORS) + 2)
            truth += [real] * (len(ESTIMATORS) + 2)
    if len(world.hidden) == 2:
        batch.add(survey.counts[:, known], survey.counts[:, known + 1])
        sizes = world.truth()
        keys.append(("ratio_of_sums", world.hidden[0] + RATIO + world.hidden[1], "national"))
        scale.append(1.0)
        truth.append(float(sizes[0] / sizes[1]))
    return _outcome(
        batch.evaluate(survey.sampling),
        keys,
        np.array(scale),
        np.array(truth),
        visible=world.parameters["degree_ratio"] * world.parameters["true_positive_rate"],
        level=level,
    )


def _outcome(
    found: RatioEstimates,
    keys: list[tuple[str, str, str]],
    scale: Array,
    truth: Array,
    *,
    visible: float,
    level: float,
) -> Outcome:
    """Make the rows of all intervals from the ratios."""
    rows: list[tuple[str, str, str, str, str]] = []
    parts: dict[str, list[Array]] = {
        name: [] for name in ("truth", "estimate", "std_error", "lower", "upper", "n_reporting")
    }
    persons = np.array(
        [k[0] == "ratio_of_sums" and k[2] == "national" and RATIO not in k[1] for k in keys]
    )
    everything = np.ones(len(keys), bool)
    single = np.array([RATIO not in k[1] for k in keys])  # the gamma interval is of one estimate
    variants: list[tuple[str, str, NDArray[np.bool_], float]] = [
        (interval, variance, single if interval == "gamma_mid_p" else everything, 1.0)
        for interval, variance in INTERVALS
    ]
    variants.append((*LINEARISED, everything, 1.0))
    if visible != 1:
        variants.append((*INTERVALS[0], persons, visible))
    for interval, variance, chosen, divisor in variants:
        part = found.chosen(chosen)
        error = part.std_error if variance == "bootstrap" else part.se_linearised
        lower, upper = confidence_interval(
            interval,
            part.ratio,
            error,
            part.df,
            level=level,
            replicates=part.replicates,
            largest_share=part.largest_share,
        )
        factor = scale[chosen] / divisor
        rows += [
            (key[0] if divisor == 1 else ADJUSTED, key[1], key[2], interval, variance)
            for key, use in zip(keys, chosen, strict=True)
            if use
        ]
        for name, values in (
            ("truth", truth[chosen]),
            ("estimate", part.ratio * factor),
            ("std_error", error * factor),
            ("lower", lower * factor),
            ("upper", upper * factor),
            ("n_reporting", part.n_reporting.astype(float)),
        ):
            parts[name].append(values)
    return Outcome(rows, *(np.concatenate(values) for values in parts.values()))
