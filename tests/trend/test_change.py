"""Changes against hand-made numbers, closed forms and brute force."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prevalence.design import SampleDesign
from prevalence.interval import t_quantile
from prevalence.ratio import RatioBatch, RatioEstimates
from prevalence.replication import Replicates, rescaled
from prevalence.sampling import replicate_sampling
from prevalence.waves.change import Compared, change_df, compared, difference, relative_change
from prevalence.waves.joint import draw_jointly, overlap_of


def sample(rng, psus, *, per=6, level=0.0, shared_effects=None):
    """Labels, reports and degrees of a made-up sample; PSU effects may be given."""
    labels = np.repeat(psus, per)
    effects = {c: rng.normal(0, 0.6) for c in psus} | (shared_effects or {})
    degree = rng.lognormal(5, 0.4, len(labels))
    rate = 0.02 * np.exp(level + np.array([effects[c] for c in labels]))
    return labels, rng.poisson(rate * degree).astype(float), degree, effects


def pair_of(one, other, *, replicates=2000, seed=1, independent=False, scales=(1.0, 1.0)):
    """Both samples of one stratum a first letter, compared."""
    designs = [
        SampleDesign.from_columns(
            np.ones(len(labels)), strata=[name[0] for name in labels], units=labels
        )
        for labels, *_ in (one, other)
    ]
    overlap = overlap_of(*designs, independent=independent)
    drawn = draw_jointly(overlap, replicates, np.random.default_rng(seed))
    samplings = tuple(
        replicate_sampling(Replicates(design, rescaled(design, table)))
        for design, table in zip(designs, drawn, strict=True)
    )
    batches = []
    for labels, y, d, *_ in (one, other):
        batch = RatioBatch(len(labels))
        batch.add(y, d)
        batches.append(batch)
    return compared(
        tuple(batches), samplings, overlap, tuple(np.array([scale]) for scale in scales)
    )


PSUS = [f"{h}{c}" for h in "abc" for c in range(6)]


def test_the_same_sample_twice_has_not_changed():
    rng = np.random.default_rng(1)
    mine = sample(rng, PSUS)
    pair = pair_of(mine, mine)
    change, quotient = difference(pair, 0.95), relative_change(pair, 0.95)
    assert change.estimate == 0
    assert quotient.estimate == 1
    for measure, unit in ((change, pair.earlier.ratio), (quotient, 1.0)):
        assert measure.std_error == pytest.approx(0, abs=1e-12)
        # A root of a difference of equal variances: half the digits are left.
        assert measure.se_linearised < 1e-6 * unit
        assert measure.correlation == pytest.approx(1)


def test_linearised_variance_of_a_difference_under_independence_is_the_sum():
    rng = np.random.default_rng(2)
    pair = pair_of(sample(rng, PSUS), sample(rng, PSUS), independent=True)
    expected = np.sqrt(pair.earlier.se_linearised**2 + pair.later.se_linearised**2)
    assert difference(pair, 0.95).se_linearised == pytest.approx(expected, rel=1e-12)


def test_linearised_variance_of_a_difference_under_full_overlap_by_hand():
    """One stratum, three PSUs: the PSUs' differences of influence, times n/(n - 1)."""
    labels = np.array(["a1", "a1", "a2", "a3"])
    y1, d1 = np.array([1.0, 0, 2, 0]), np.array([10.0, 10, 20, 10])
    y2, d2 = np.array([0.0, 1, 1, 3]), np.array([10.0, 30, 10, 10])
    pair = pair_of((labels, y1, d1), (labels, y2, d2))
    r1, r2 = 3 / 50, 5 / 60
    z1 = np.array([1 - 20 * r1, 2 - 20 * r1, 0 - 10 * r1]) / 50
    z2 = np.array([1 - 40 * r2, 1 - 10 * r2, 3 - 10 * r2]) / 60
    by_psu = z2 - z1
    expected = np.sqrt(3 / 2 * ((by_psu - by_psu.mean()) ** 2).sum())
    change = difference(pair, 0.95)
    assert change.estimate == pytest.approx(r2 - r1)
    assert change.se_linearised == pytest.approx(expected)
    assert change.df == 2


def test_replicates_agree_with_linearisation_whatever_is_shared():
    rng = np.random.default_rng(3)
    many = 30
    one = sample(rng, [f"{h}{c:02d}" for h in "abc" for c in range(many)], per=40)
    for shared in (0, 15, 30):
        numbers = range(many - shared, 2 * many - shared)
        names = [f"{h}{c:02d}" for h in "abc" for c in numbers]
        effects = {name: one[3][name] for name in names if name in one[3]}
        other = sample(rng, names, per=40, level=-0.3, shared_effects=effects)
        pair = pair_of(one, other, replicates=4000)
        for measure in (difference(pair, 0.95), relative_change(pair, 0.95)):
            assert measure.std_error == pytest.approx(measure.se_linearised, rel=0.05)
        found = difference(pair, 0.95).correlation
        assert (abs(found) < 0.06) if shared == 0 else (found > 0.5 * shared / many)


def test_change_is_scaled_by_its_populations():
    rng = np.random.default_rng(4)
    one, other = sample(rng, PSUS), sample(rng, PSUS, level=-0.3)
    plain, scaled = pair_of(one, other), pair_of(one, other, scales=(1000.0, 1100.0))
    r1, r2 = plain.earlier.ratio, plain.later.ratio
    assert difference(scaled, 0.95).estimate == pytest.approx(1100 * r2 - 1000 * r1)
    assert relative_change(scaled, 0.95).estimate == pytest.approx(1.1 * r2 / r1)
    # A factor on both sides moves no relative error.
    assert relative_change(scaled, 0.95).std_error == pytest.approx(
        1.1 * relative_change(plain, 0.95).std_error
    )


def test_limits_of_the_ratio_are_those_of_log_t():
    rng = np.random.default_rng(5)
    pair = pair_of(sample(rng, PSUS), sample(rng, PSUS, level=0.4))
    found = relative_change(pair, 0.9)
    half = t_quantile(0.9, found.df) * found.std_error / found.estimate
    assert np.log(found.upper / found.estimate) == pytest.approx(half)
    assert np.log(found.estimate / found.lower) == pytest.approx(half)


def test_a_difference_from_nothing_has_an_upper_limit_only_from_exposure():
    rng = np.random.default_rng(6)
    labels, y, d, _ = sample(rng, PSUS)
    pair = pair_of((labels, y, d), (labels, np.zeros_like(y), d), scales=(100.0, 100.0))
    change = difference(pair, 0.95, design_effect=2.0)
    assert change.estimate == -pair.earlier.ratio
    assert change.lower < change.estimate < change.upper
    limit = 100 * 2.0 * -np.log(0.025) / d.sum()
    l1 = pair.earlier.ratio * np.exp(
        -t_quantile(0.95, pair.earlier.df) * pair.earlier.std_error / pair.earlier.ratio
    )
    expected = change.estimate + np.sqrt(limit**2 + (pair.earlier.ratio - l1) ** 2)
    assert change.upper == pytest.approx(expected)
    assert np.isnan(relative_change(pair, 0.95).estimate)


def estimates(ratio, std_error, df):
    """Estimates without covariance, of which limits are made."""
    one = np.array([ratio])
    replicates = np.array([[ratio - std_error], [ratio + std_error]])
    return RatioEstimates(
        one,
        replicates,
        np.array([std_error]),
        np.array([std_error]),
        np.array([df]),
        np.array([100]),
        np.array([20]),
        np.array([1000.0]),
        np.array([0.1]),
    )


def correlated(one, other, r):
    """Both estimates with replicates of which a share goes together, and their limits."""
    signs = np.array([1.0, 1.0, -1.0, -1.0])[:, None]
    others = np.array([1.0, -1.0, 1.0, -1.0])[:, None]
    mixed = r * signs + np.sqrt(1 - r**2) * others
    values = [
        replace(each, replicates=each.ratio + each.std_error * moves)
        for each, moves in ((one, signs), (other, mixed))
    ]
    return Compared(*values, np.zeros(1), np.zeros((2, 1)))


def limits(ratio, std_error, df=30.0):
    half = t_quantile(0.95, np.array([df]))[0] * std_error / ratio
    return ratio * np.exp(-half), ratio * np.exp(half)


def test_limits_of_a_difference_without_correlation_are_zou_and_donners():
    (l1, u1), (l2, u2) = limits(1.0, 0.3), limits(0.6, 0.2)
    change = difference(correlated(estimates(1.0, 0.3, 30.0), estimates(0.6, 0.2, 30.0), 0.0), 0.95)
    assert change.correlation == pytest.approx(0)
    assert change.lower == pytest.approx(-0.4 - np.hypot(0.6 - l2, u1 - 1))
    assert change.upper == pytest.approx(-0.4 + np.hypot(u2 - 0.6, 1 - l1))


def test_limits_of_a_difference_under_negative_correlation_are_zou_and_donners():
    (_, u1), (l2, _) = limits(1.0, 0.3), limits(0.6, 0.2)
    pair = correlated(estimates(1.0, 0.3, 30.0), estimates(0.6, 0.2, 30.0), -0.5)
    a, b = 0.6 - l2, u1 - 1
    assert difference(pair, 0.95).lower == pytest.approx(-0.4 - np.sqrt(a**2 + b**2 + a * b))


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_estimates_that_move_together_have_a_difference_that_moves_with_them(factor):
    """The later is always `factor` times the earlier: so is what is known of the difference."""
    pair = correlated(estimates(1.0, 0.3, 30.0), estimates(factor, factor * 0.3, 30.0), 1.0)
    change = difference(pair, 0.95)
    expected = sorted((factor - 1) * limit for limit in limits(1.0, 0.3))
    assert [*change.lower, *change.upper] == pytest.approx(expected, abs=1e-7)


def test_a_panel_without_change_has_a_difference_as_narrow_as_its_standard_error():
    """Every respondent again, with an answer more here or there: r is nearly 1."""
    rng = np.random.default_rng(8)
    labels, y, d, _ = sample(rng, PSUS)
    other = y + (rng.uniform(size=len(y)) < 0.05)
    pair = pair_of((labels, y, d), (labels, other, d))
    change = difference(pair, 0.95)
    assert change.correlation > 0.98
    width = (change.upper - change.lower) / (2 * t_quantile(0.95, change.df) * change.std_error)
    assert 0.9 < width < 1.3


@settings(deadline=None, max_examples=60)
@given(st.floats(0.5, 2), st.floats(0.5, 2), st.floats(-1, 1))
def test_small_errors_give_the_limits_of_the_standard_error(one, other, r):
    """Limits of small errors are symmetric: then the formula is that of the variances."""
    pair = correlated(estimates(one, 1e-5, 1e6), estimates(other, 2e-5, 1e6), r)
    change = difference(pair, 0.95)
    half = t_quantile(0.95, np.array([1e6])) * change.std_error
    # The limits' skewness, of the order of an error squared, is all that is between them.
    assert change.upper - change.estimate == pytest.approx(half, rel=5e-3, abs=1e-9)
    assert change.estimate - change.lower == pytest.approx(half, rel=5e-3, abs=1e-9)


@settings(deadline=None, max_examples=80)
@given(
    st.floats(0.01, 10),
    st.floats(0.01, 10),
    st.floats(-0.9, 0.9),
    st.floats(2, 200),
    st.floats(2, 200),
    st.floats(0, 1),
)
def test_degrees_of_freedom_lie_between_the_smaller_and_the_sum(v1, v2, r, df1, df2, share):
    def of(shared1, shared2, correlation):
        return change_df(
            np.array([v1]),
            np.array([v2]),
            np.array([correlation * np.sqrt(v1 * v2)]),
            (np.array([df1]), np.array([df2])),
            np.array([[shared1], [shared2]]),
        )[0]

    welch = (v1 + v2) ** 2 / (v1**2 / df1 + v2**2 / df2)
    assert of(0.0, 0.0, 0.0) == pytest.approx(welch)
    assert min(df1, df2) * (1 - 1e-9) <= welch <= (df1 + df2) * (1 + 1e-9)
    smaller = min(df1, df2)
    assert of(smaller, smaller, r) == pytest.approx(smaller) or df1 != df2
    assert 0 < of(share * df1, share * df2, share * r) <= (df1 + df2) * (1 + 1e-9)


def test_all_psus_shared_gives_psus_less_strata():
    rng = np.random.default_rng(7)
    pair = pair_of(sample(rng, PSUS), sample(rng, PSUS, level=0.2))
    assert difference(pair, 0.95).df == 15
    assert relative_change(pair, 0.95).df == 15
    apart = pair_of(sample(rng, PSUS), sample(rng, PSUS, level=0.2), independent=True)
    assert 15 < difference(apart, 0.95).df <= 30
