import numpy as np
import pytest

from prevalence.errors import PipelineError
from prevalence.interval import confidence_interval, t_quantile, zero_report_limit


def limits(kind, estimate, error, df, replicates=None):
    one = lambda value: np.array([value], float)  # noqa: E731
    draws = np.ones((3, 1)) if replicates is None else replicates
    lower, upper = confidence_interval(
        kind, one(estimate), one(error), one(df), level=0.95, replicates=draws
    )
    return lower[0], upper[0]


def test_t_quantile_against_the_printed_table():
    found = t_quantile(0.95, np.array([1.0, 10.0, 30.0, 0.0]))
    np.testing.assert_allclose(found[:3], [12.706, 2.228, 2.042], atol=5e-4)
    assert np.isnan(found[3])


def test_log_t_is_symmetric_in_ratios_and_stays_above_zero():
    lower, upper = limits("log_t", 100.0, 60.0, 10)
    assert lower > 0
    assert lower * upper == pytest.approx(100.0**2)
    assert np.log(upper / 100) == pytest.approx(2.2281 * 0.6, rel=1e-4)


def test_plain_t_and_percentile():
    lower, upper = limits("t", 100.0, 60.0, 10)
    assert (lower + upper) / 2 == pytest.approx(100)
    assert lower < 0
    draws = np.arange(101.0)[:, None]
    assert limits("percentile", 50.0, 1.0, 5, draws) == pytest.approx((2.5, 97.5))


def test_without_degrees_of_freedom_there_is_no_interval():
    assert all(np.isnan(limits("log_t", 100.0, 10.0, 0)))


def test_no_report_at_all_gives_an_upper_limit():
    # 5,000 people looked at, none in the group: the "rule of three", two-sided.
    assert zero_report_limit(np.array([5_000.0]), 1.0, 0.95)[0] == pytest.approx(
        3.689 / 5_000, 1e-3
    )
    assert np.isnan(zero_report_limit(np.array([0.0]), 1.0, 0.95)[0])


def test_an_unknown_interval_is_refused():
    with pytest.raises(PipelineError, match="kind of interval"):
        limits("bayes", 1.0, 1.0, 5)
