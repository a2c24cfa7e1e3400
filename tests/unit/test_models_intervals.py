"""Interval answers: probabilities by SciPy, scores by differences, coarse counts."""

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.errors import PipelineError
from prevalence.models.counts import CountTable
from prevalence.models.intervals import Intervals, negative_binomial_intervals, poisson_intervals

BOUNDS = [(0, 1), (2, 5), (6, 10), (11, np.inf), (1, np.inf), (30, np.inf), (100, np.inf), (0, 400)]


def probability(law, lower, upper):
    """From the nearer tail, so that rare intervals are right to many digits."""
    if np.isinf(upper):
        return law.logsf(lower - 1)
    with np.errstate(divide="ignore"):
        if lower > law.mean():
            return np.log(law.sf(lower - 1) - law.sf(upper))
        return np.log(law.cdf(upper) - law.cdf(lower - 1))


def negative_binomial(lower, upper, log_size, logit):
    out = np.empty((3, 1))
    log_p, log_1p = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    one = [np.array([float(v)]) for v in (lower, upper, np.exp(log_size), log_p, log_1p)]
    negative_binomial_intervals(*one, out)
    return out[:, 0]


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("size", [1e-3, 0.4, 7.0, 300.0])
@pytest.mark.parametrize("mean", [0.01, 1.5, 40.0, 900.0])
def test_negative_binomial_intervals(bounds, size, mean):
    log_size, logit = np.log(size), np.log(size / mean)
    value, by_size, by_logit = negative_binomial(*bounds, log_size, logit)
    expected = probability(stats.nbinom(size, size / (size + mean)), *bounds)
    if np.isfinite(expected) and expected > -30:
        assert value == pytest.approx(expected, rel=1e-6, abs=1e-8)
    step = 1e-5

    def slope(move):
        above, below = (
            negative_binomial(*bounds, log_size + s * move[0], logit + s * move[1])[0]
            for s in (1, -1)
        )
        return (above - below) / (2 * step)

    assert by_size == pytest.approx(slope((step, 0)), rel=1e-4, abs=1e-6)
    assert by_logit == pytest.approx(slope((0, step)), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("mean", [1e-4, 0.7, 12.0, 2_000.0])
def test_poisson_intervals(bounds, mean):
    def at(log_mean):
        out = np.empty((2, 1))
        one = [np.array([float(v)]) for v in (*bounds, log_mean)]
        poisson_intervals(*one, out)
        return out[:, 0]

    value, slope = at(np.log(mean))
    expected = probability(stats.poisson(mean), *bounds)
    if np.isfinite(expected) and expected > -30:
        assert value == pytest.approx(expected, rel=1e-6, abs=1e-8)
    differences = (at(np.log(mean) + 1e-5)[0] - at(np.log(mean) - 1e-5)[0]) / 2e-5
    assert slope == pytest.approx(differences, rel=1e-4, abs=1e-6)


def test_probabilities_of_all_bins_add_up_to_one():
    bins = [(0, 1), (2, 5), (6, 10), (11, np.inf)]
    logs = [negative_binomial(*bounds, np.log(0.6), -1.3)[0] for bounds in bins]
    assert np.logaddexp.reduce(logs) == pytest.approx(0, abs=1e-12)


def test_counts_are_put_as_coarsely_as_the_answers():
    cells = Intervals(
        np.array([0, 1]), np.array([1, 1]), np.array([2.0, 6.0]), np.array([5, np.inf])
    )
    counts = CountTable(("a", "b"), np.array([[3.0, np.nan], [1.0, np.nan], [0, 1]]), cells)
    assert counts.lowest.tolist() == [[3, 2], [1, 6], [0, 1]]
    assert counts.answered.all()
    assert counts.present.tolist() == [[True, False], [True, False], [True, True]]
    drawn = np.array([[4.0, 4.0], [9.0, 60.0], [0.0, 1.0]])
    assert counts.coarsened(drawn).tolist() == [[4, 2], [9, 6], [0, 1]]


@pytest.mark.parametrize(("lower", "upper"), [(3.0, 3.0), (-1.0, 2.0), (1.5, 4.0), (5.0, 4.0)])
def test_what_is_no_interval_is_refused(lower, upper):
    place = np.zeros(1, np.int64)
    with pytest.raises(PipelineError, match="none"):
        Intervals(place, place, np.array([lower]), np.array([upper]))


def test_a_count_and_an_interval_at_once_are_refused():
    place = np.zeros(1, np.int64)
    cells = Intervals(place, place, np.array([2.0]), np.array([5.0]))
    with pytest.raises(PipelineError, match="at once"):
        CountTable(("a",), np.array([[3.0]]), cells)
