from pathlib import Path

import numpy as np
import pytest

from prevalence.files import read_yaml
from prevalence.worlds import (
    ADJUSTED,
    ORACLE,
    build_world,
    draw_areas,
    draw_survey,
    estimate_survey,
)

CONFIG = read_yaml(Path(__file__).parents[2] / "benchmarks" / "worlds.yaml")


def world_of(name="plain", **changes):
    parameters = CONFIG["defaults"] | CONFIG["worlds"][name] | {"replicates": 60} | changes
    return build_world(parameters, np.random.default_rng(5))


@pytest.fixture(scope="module")
def plain():
    return world_of()


def test_enough_worlds_and_those_where_assumptions_hold_are_named_beforehand():
    assert len(CONFIG["worlds"]) >= 8
    assert CONFIG["surveys"] == 1000
    held = [name for name, world in CONFIG["worlds"].items() if world.get("holds")]
    assert held[:2] == ["plain", "barrier_effects"]  # named before the first results
    for world in CONFIG["worlds"].values():
        assert set(world) <= set(CONFIG["defaults"])


def test_groups_have_exactly_the_sizes_of_the_parameters(plain):
    sizes = list(CONFIG["defaults"]["known_sizes"].values())
    np.testing.assert_allclose(plain.known_sizes, sizes)
    np.testing.assert_allclose(plain.truth(), [480_000, 240_000])
    assert len(set(plain.island)) == 3


def test_what_residents_of_the_islands_know_adds_up_to_the_nation(plain):
    parts = sum(plain.truth(int(island)) for island in np.unique(plain.island))
    np.testing.assert_allclose(parts, plain.truth())


def test_areas_are_drawn_in_proportion_to_their_size(plain):
    generator = np.random.default_rng(1)
    drawn, expected = np.zeros(len(plain.population)), np.zeros(len(plain.population))
    for _ in range(300):
        areas, chance = draw_areas(plain, generator)
        drawn[areas] += 1 / 300
        expected[areas] = chance
        assert len(set(areas)) == len(areas)
        assert np.bincount(plain.region[areas], minlength=17).min() >= 6
    seen = expected > 0
    error = (drawn - expected)[seen] / np.sqrt(expected * (1 - expected) / 300 + 1e-9)[seen]
    assert np.abs(error).mean() < 1.2
    assert (drawn[expected >= 1] == pytest.approx(1)) if (expected >= 1).any() else True


def test_weights_meet_the_margins_and_replicates_too(plain):
    survey = draw_survey(plain, np.random.default_rng(2))
    assert 3_300 < len(survey.degree) < 3_900
    adults = 0.65 * plain.population.sum()
    assert survey.sampling.weights.sum() == pytest.approx(adults)
    totals = survey.sampling.replicates.totals(np.ones((len(survey.degree), 1)))
    np.testing.assert_allclose(totals, adults, rtol=1e-8)


def test_one_survey_of_the_same_stream_is_the_same(plain):
    one, two = (draw_survey(plain, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.counts, two.counts)
    first, second = (estimate_survey(plain, survey) for survey in (one, two))
    np.testing.assert_array_equal(first.lower, second.lower)


def mean_ratio(world, estimator, surveys=12):
    generator = np.random.default_rng(7)
    found = []
    for _ in range(surveys):
        outcome = estimate_survey(world, draw_survey(world, generator))
        place = outcome.keys.index((estimator, "victims", "national", "log_t", "bootstrap"))
        found.append(outcome.estimate[place] / outcome.truth[place])
    return np.mean(found), np.std(found) / np.sqrt(surveys)


def test_the_oracle_is_right_where_nothing_is_hidden(plain):
    mean, error = mean_ratio(plain, ORACLE)
    assert abs(mean - 1) < 4 * error + 0.01


def test_what_respondents_do_not_know_is_missing_from_the_estimate():
    world = world_of("transmission_0_6")
    mean, error = mean_ratio(world, "ratio_of_sums")
    assert abs(mean - 0.6) < 4 * error + 0.01
    mean, error = mean_ratio(world, ADJUSTED)
    assert abs(mean - 1) < 4 * error + 0.02


def test_recall_that_fades_with_size_inflates():
    mean, error = mean_ratio(world_of("recall_fading"), "ratio_of_sums")
    assert mean - 4 * error > 1.05
