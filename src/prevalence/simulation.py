"""Simulation studies in parts: any part can be computed alone, in any order, on any machine.

Every simulated survey has a random generator of its own, named by the study and the survey's
number. Parts put together therefore give the same numbers however the surveys were divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.coverage import VALUES, coverage_table
from prevalence.design import SampleDesign
from prevalence.interval import t_quantile
from prevalence.planning import RelativeVariance, detectable_log_change, relative_variance
from prevalence.replication import Replicates
from prevalence.streams import stream
from prevalence.worlds import (
    INTERVALS,
    ORACLE,
    SimulatedSurvey,
    World,
    build_world,
    draw_survey,
    estimate_survey,
)

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Key = tuple[str, str, str, str, str]

PLANNING = "planning"
PRESENT_SURVEYS = 20  # of the present design: what a formula based on any one of them would expect
LEVEL, POWER = 0.95, 0.8  # of the test of a change between two waves
HEADLINE = ("ratio_of_sums", "national", *INTERVALS[0])


def simulate_coverage(
    name: str, parameters: Mapping[str, Any], seed: int, first: int, count: int
) -> tuple[list[Key], Array]:
    """Draw and estimate some surveys of a world.

    Parameters
    ----------
    name
        The world's name; its random numbers belong to it.
    parameters
        As in ``benchmarks/worlds.yaml``, defaults included.
    seed
        The study's seed.
    first, count
        Number of the first survey, and how many.

    Returns
    -------
    keys : list
        Rows of :func:`prevalence.worlds.estimate_survey`.
    values : numpy.ndarray
        Shape (count, rows, 6), in the order of :data:`prevalence.coverage.VALUES`.
    """
    world = build_world(parameters, stream(seed, name, "world"))
    keys: list[Key] = []
    values = []
    for number in range(first, first + count):
        outcome = estimate_survey(world, draw_survey(world, stream(seed, name, number)))
        keys = outcome.keys
        values.append(np.stack([getattr(outcome, value) for value in VALUES], axis=1))
    return keys, np.array(values)


def world_table(
    name: str, parameters: Mapping[str, Any], keys: Sequence[Sequence[str]], values: Array
) -> pd.DataFrame:
    """Summarise all surveys of a world.

    Parameters
    ----------
    name, parameters
        As for :func:`simulate_coverage`.
    keys, values
        From it; the values of all parts, in the order of the surveys.

    Returns
    -------
    pandas.DataFrame
        As from :func:`prevalence.coverage.coverage_table`, with the world's name and whether the
        estimator's assumptions hold in it.
    """
    rows = [tuple(key) for key in keys]
    table = coverage_table(rows, values, oracle=ORACLE, reference=INTERVALS[0])
    table.insert(0, "world", name)
    table.insert(1, "holds", bool(parameters["holds"]))
    return table


def redesigned(world: World, design: Mapping[str, int]) -> World:
    """Give the same world with another survey design.

    Parameters
    ----------
    world
        The world.
    design
        Parameters of the design that differ, such as ``psus`` and ``households_per_place``.

    Returns
    -------
    World
    """
    return World(**{**vars(world), "parameters": {**world.parameters, **design}})


def _design_of(survey: SimulatedSurvey) -> SampleDesign:
    """Strata and PSUs of a simulated survey, with which its replicates were made."""
    made = survey.sampling.replicates
    if not isinstance(made, Replicates):
        raise TypeError(type(made).__name__)
    return made.design


def simulate_design(
    name: str,
    parameters: Mapping[str, Any],
    seed: int,
    design: Mapping[str, int],
    number: int,
    first: int,
    count: int,
) -> Array:
    """Draw some surveys of another design from a world.

    Parameters
    ----------
    name, parameters, seed
        As for :func:`simulate_coverage`.
    design, number
        What differs in the design, and its place among the designs.
    first, count
        Number of the first survey, and how many.

    Returns
    -------
    numpy.ndarray
        Shape (count, 2 H + 3): the headline of each hidden group in persons, the relative standard
        error of each, PSUs, strata, respondents.
    """
    world = build_world(parameters, stream(seed, name, "world"))
    other = redesigned(world, design)
    rows = []
    for draw in range(first, first + count):
        survey = draw_survey(other, stream(seed, PLANNING, number, draw))
        units = _design_of(survey)
        sizes = (len(units.psus), len(units.strata), len(survey.degree))
        rows.append([*np.concatenate(_headlines(other, survey)), *map(float, sizes)])
    return np.array(rows)


def _headlines(world: World, survey: SimulatedSurvey) -> tuple[Array, Array]:
    """Headline of each hidden group, in persons, and its standard error over it; shapes (H,)."""
    outcome = estimate_survey(world, survey)
    estimator, domain, interval, variance = HEADLINE
    places = [
        outcome.keys.index((estimator, group, domain, interval, variance)) for group in world.hidden
    ]
    estimates = outcome.estimate[places]
    return estimates, outcome.std_error[places] / estimates


def expected_components(
    name: str, parameters: Mapping[str, Any], seed: int
) -> dict[str, list[RelativeVariance]]:
    """Components of the planning formula from surveys of the present design.

    Parameters
    ----------
    name, parameters, seed
        As for :func:`simulate_coverage`.

    Returns
    -------
    dict
        For each hidden group, the components that each of some surveys gives.
    """
    world = build_world(parameters, stream(seed, name, "world"))
    known = len(world.known)
    found: dict[str, list[RelativeVariance]] = {group: [] for group in world.hidden}
    for number in range(PRESENT_SURVEYS):
        survey = draw_survey(world, stream(seed, PLANNING, "present", number))
        design = _design_of(survey)
        place = design.psu
        _, errors = _headlines(world, survey)
        for column, group in enumerate(world.hidden):
            reports = survey.counts[:, known + column]
            stratum = design.stages[0].stratum[place]
            components = relative_variance(
                reports, survey.degree, survey.sampling.weights, stratum, place
            )
            found[group].append(components.anchored(float(errors[column])))
    return found


def planning_rows(
    name: str,
    components: Mapping[str, Sequence[RelativeVariance]],
    values: Array,
    present: Array,
) -> list[dict[str, Any]]:
    """Set the planning formula beside the simulated surveys of a design.

    Parameters
    ----------
    name
        The world's name.
    components
        From :func:`expected_components`.
    values
        From :func:`simulate_design`, of all parts.
    present
        The same for the design of the present wave.

    Returns
    -------
    list of dict
        A row a hidden group: mean PSUs and respondents, expected coefficient of variation with its
        10 and 90 per cent quantiles over the surveys that give the components, the simulated one;
        the smallest fall and rise from a wave of the present design that the formula says are
        found with a probability of 0.8 (:data:`POWER`), and the shares of simulated pairs of waves
        in which they were.
    """
    psus, strata, respondents = (int(mean) for mean in np.round(values[:, -3:].mean(axis=0)))
    rows = []
    for column, (group, parts) in enumerate(components.items()):
        expected = [one.of(psus, respondents) ** 0.5 for one in parts]
        estimates = values[:, column]
        now = float(np.mean([one.of(one.psus, one.respondents) ** 0.5 for one in parts]))
        reach = detectable_log_change(
            now**2, float(np.mean(expected)) ** 2, psus - strata, level=LEVEL, power=POWER
        )
        mine = [column, len(components) + column]
        found = [
            change_found(present[:, mine], values[:, mine], change, psus - strata)
            for change in (-reach, reach)
        ]
        rows.append(
            {
                "world": name,
                "group": group,
                "psus": psus,
                "respondents": respondents,
                "expected_cv": float(np.mean(expected)),
                "expected_cv_low": float(np.quantile(expected, 0.1)),
                "expected_cv_high": float(np.quantile(expected, 0.9)),
                "simulated_cv": float(estimates.std(ddof=1) / estimates.mean()),
                "power": POWER,
                "detectable_fall": float(np.exp(-reach) - 1),
                "detectable_rise": float(np.exp(reach) - 1),
                "fall_found": found[0],
                "rise_found": found[1],
                "surveys": len(values),
            }
        )
    return rows


def change_found(present: Array, later: Array, change: float, df: float) -> float:
    """Share of pairs of simulated waves in which a test finds a change of that size.

    Parameters
    ----------
    present, later
        Estimates and their relative standard errors, shapes (m, 2) and (n, 2): every survey of the
        one wave is paired with every one of the other.
    change
        Of the logarithm of the true size: it multiplies the later estimates.
    df
        Degrees of freedom.

    Returns
    -------
    float
        Share of the pairs whose log ratio lies further from 0 than Student's *t* times its error.
    """
    ratio = np.log(later[:, 0])[:, None] + change - np.log(present[:, 0])
    error = np.hypot(later[:, 1][:, None], present[:, 1])
    return float((np.abs(ratio) > t_quantile(LEVEL, np.array([df]))[0] * error).mean())
