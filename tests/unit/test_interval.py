import numpy as np
import pytest
from scipy.stats import poisson

from prevalence.errors import PipelineError
from prevalence.interval import (
    confidence_interval,
    gamma_mid_p_interval,
    t_quantile,
    zero_report_limit,
)


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


def gamma(estimate, error, share, df=np.inf, level=0.95):
    one = lambda value: np.array([value], float)  # noqa: E731
    lower, upper = gamma_mid_p_interval(one(estimate), one(error), one(df), one(share), level)
    return lower[0], upper[0]


@pytest.mark.parametrize("count", [1, 4, 30])
def test_gamma_limits_of_an_unweighted_count_are_the_mid_p_limits_of_poisson(count):
    """Mid-p: the mean at which fewer than the count, and half the count itself, have 2.5 in 100."""
    lower, upper = gamma(count, np.sqrt(count), 1 / count, df=1e12)
    below = lambda mean: poisson.cdf(count - 1, mean) + poisson.pmf(count, mean) / 2  # noqa: E731
    assert 1 - below(lower) == pytest.approx(0.025, abs=1e-9)
    assert below(upper) == pytest.approx(0.025, abs=1e-9)


def test_gamma_limits_of_weighted_counts_against_their_own_definition():
    """Fay and Feuer's two limits, at half each: found here by integrating draws of both gammas."""
    weights, counts = np.array([5.0, 1.0, 2.0]), np.array([2.0, 9.0, 4.0])
    total, variance = weights @ counts, weights**2 @ counts
    largest = weights.max()
    lower, upper = gamma(total, np.sqrt(variance), largest / total, df=1e12)
    generator = np.random.default_rng(8)
    draws = np.concatenate(
        [
            generator.gamma(mean**2 / v, v / mean, 400_000)
            for mean, v in ((total, variance), (total + largest, variance + largest**2))
        ]
    )
    np.testing.assert_allclose(np.quantile(draws, [0.025, 0.975]), [lower, upper], rtol=5e-3)


def test_gamma_limits_against_the_r_package():
    """R 4.2, dsrTest 1.0.0 on asht: its vignette's rate of 75.52901, limits to five decimals.

    Down's syndrome in Michigan by mother's age, table II of Fay and Feuer 1997.
    """
    cases = np.array([0, 8, 63, 112, 262, 295.0])
    births = np.array([327, 30_666, 123_419, 149_919, 104_088, 34_392.0])
    standard = np.array([319_933, 931_318, 786_511, 488_235, 237_863, 61_313.0])
    weights = 1e5 * standard / births / standard.sum()
    rate, variance = weights @ cases, weights**2 @ cases
    assert rate == pytest.approx(75.52901, abs=5e-6)
    found = gamma(rate, np.sqrt(variance), weights.max() / rate, df=1e12)
    # The package finds its limits by a search that stops within 1e-6 of them.
    assert found == pytest.approx((59.71632, 173.08170), rel=1e-6)


def test_gamma_limits_widen_upwards_with_the_largest_share_and_with_fewer_degrees_of_freedom():
    alike, one_place = gamma(100, 20, 0.01, df=30), gamma(100, 20, 0.4, df=30)
    assert one_place[1] > alike[1]
    assert one_place[1] - 100 > 100 - one_place[0]
    assert gamma(100, 20, 0.1, df=3)[1] > gamma(100, 20, 0.1, df=30)[1]
    assert gamma(7, 2, 0.1)[0] == pytest.approx(gamma(7_000, 2_000, 0.1)[0] / 1_000)
    # Near the normal: a small relative error and no large PSU.
    assert gamma(100, 0.5, 0.0) == pytest.approx((100 - 0.98, 100 + 0.98), abs=0.01)


@pytest.mark.parametrize(
    "given", [(0, 1, 0.1), (5, np.nan, 0.1), (5, 1, np.nan), (np.nan, 1, 0.1), (5, 1, 0.1, 0)]
)
def test_gamma_limits_need_an_estimate_an_error_a_share_and_degrees_of_freedom(given):
    assert np.isnan(gamma(*given)).all()


@pytest.mark.parametrize("error", [0.0, 1e-9, 30.0, 1e6])
def test_gamma_limits_stay_finite_and_in_order(error):
    lower, upper = gamma(5, error, 0.9, df=2)
    assert np.isfinite([lower, upper]).all()
    assert 0 <= lower <= upper
