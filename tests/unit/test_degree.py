import numpy as np
import pytest

from prevalence.degree import (
    degree_distribution,
    degrees,
    groups_answered,
    known_population_degrees,
    mean_of_ratios_degrees,
)
from prevalence.errors import PipelineError

NAN = np.nan
SIZES = np.array([100.0, 300.0, 600.0])


def test_degrees_worked_by_hand():
    counts = np.array([[1.0, 2.0, 7.0], [0.0, 0.0, 0.0]])
    # 10 of the 1,000 members known, in a population of 50,000: 500 people.
    np.testing.assert_allclose(known_population_degrees(counts, SIZES, 50_000), [500, 0])
    # (1/100 + 2/300 + 7/600) / 3 of 50,000.
    expected = 50_000 * (1 / 100 + 2 / 300 + 7 / 600) / 3
    np.testing.assert_allclose(mean_of_ratios_degrees(counts, SIZES, 50_000), [expected, 0])


def test_a_skipped_question_does_not_shrink_the_network():
    counts = np.array([[1.0, NAN, 7.0]])
    assert known_population_degrees(counts, SIZES, 50_000)[0] == pytest.approx(50_000 * 8 / 700)
    zero = known_population_degrees(counts, SIZES, 50_000, missing="zero")
    assert zero[0] == pytest.approx(50_000 * 8 / 1_000)
    mean = mean_of_ratios_degrees(counts, SIZES, 50_000)[0]
    assert mean == pytest.approx(50_000 * (1 / 100 + 7 / 600) / 2)


def test_too_few_answers_leave_the_degree_missing():
    counts = np.array([[1.0, NAN, NAN], [1.0, 2.0, NAN], [NAN, NAN, NAN]])
    for estimator in ("known_population", "mean_of_ratios"):
        found = degrees(estimator, counts, SIZES, 1_000, minimum_groups=2)
        np.testing.assert_array_equal(np.isnan(found), [True, False, True])
    np.testing.assert_array_equal(groups_answered(counts), [1, 2, 0])


def test_sizes_may_differ_by_respondent():
    counts = np.array([[1.0, 1.0], [1.0, 1.0]])
    sizes = np.array([[10.0, 30.0], [5.0, 5.0]])
    found = known_population_degrees(counts, sizes, np.array([1_000.0, 400.0]))
    np.testing.assert_allclose(found, [2 / 40 * 1_000, 2 / 10 * 400])


@pytest.mark.parametrize("size", [0.0, -5.0, NAN])
def test_a_known_group_without_a_size_is_refused(size):
    with pytest.raises(PipelineError, match="no size above 0"):
        known_population_degrees(np.ones((2, 2)), np.array([10.0, size]), 1_000)


def test_unknown_names_are_refused():
    with pytest.raises(PipelineError, match="degree estimator"):
        degrees("mean", np.ones((1, 3)), SIZES, 1.0)
    with pytest.raises(PipelineError, match="missing answers"):
        degrees("known_population", np.ones((1, 3)), SIZES, 1.0, missing="drop")


def test_the_distribution_accounts_for_everybody_once():
    generator = np.random.default_rng(4)
    degree = np.append(generator.lognormal(4.5, 1, 500), [0.0, 0.0, NAN])
    weights = generator.uniform(0.5, 2, degree.size)
    lower, upper, share, n = degree_distribution(degree, weights)
    assert n.sum() == 502
    assert share.sum() == pytest.approx(1)
    assert (lower[0], upper[0], n[0]) == (0, 0, 2)
    assert np.isnan(upper[-1])
    np.testing.assert_array_equal(lower[2:], upper[1:-1])
    for low, high, count in zip(lower[1:], upper[1:], n[1:], strict=True):
        inside = (degree > low) & ((degree <= high) | np.isnan(high))
        assert inside.sum() == count
