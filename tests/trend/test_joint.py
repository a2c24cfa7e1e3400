"""Shared PSUs: joint draws against their closed forms, covariance against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prevalence.design import SampleDesign
from prevalence.waves.joint import (
    draw_jointly,
    linearised_covariance,
    overlap_of,
    shared_degrees_of_freedom,
)


def design_of(psus, *, weights=None, empty=()):
    """One respondent a PSU; PSUs are (stratum, label)."""
    return SampleDesign.from_columns(
        np.ones(len(psus)) if weights is None else weights,
        strata=[h for h, _ in psus],
        units=[c for _, c in psus],
        empty_psus=empty,
    )


def named(stratum, labels):
    return [(stratum, label) for label in labels]


def test_shared_psus_are_found_by_stratum_and_label():
    one = design_of([*named("a", "123"), *named("b", "12")])
    other = design_of([*named("a", "234"), *named("c", "12")])
    found = overlap_of(one, other)
    assert [stratum.label for stratum in found.strata] == ["a"]
    assert found.shared == 2
    assert not found.strata[0].identical
    shared = [one.psus[k] for k in found.strata[0].earlier[:2]]
    assert shared == [other.psus[k] for k in found.strata[0].later[:2]]
    assert shared == [("a", "2"), ("a", "3")]


def test_psus_without_respondents_are_shared_too():
    one = design_of(named("a", "12"), empty=[("a", "3")])
    other = design_of(named("a", "123"))
    assert overlap_of(one, other).strata[0].identical


def test_samples_drawn_independently_share_nothing():
    one = design_of(named("a", "123"))
    assert overlap_of(one, one, independent=True).shared == 0


def test_a_lone_psu_is_in_every_replicate():
    lone = SampleDesign.from_columns(
        np.ones(4), strata=list("aabb"), units=list("1133"), lone_psu="certainty"
    )
    other = design_of([*named("a", "12"), *named("b", "34")])
    overlap = overlap_of(lone, other)
    first, second = draw_jointly(overlap, 200, np.random.default_rng(5))
    assert (first == 1).all()
    assert (second.sum(axis=0) == 2).all()
    assert linearised_covariance(overlap, np.ones((4, 1)), np.ones((4, 1))) == 0


def test_identical_sets_get_the_same_draws():
    one = design_of([*named("a", "1234"), *named("b", "12")])
    other = design_of([*named("b", "21"), *named("a", "4321")])
    overlap = overlap_of(one, other)
    first, second = draw_jointly(overlap, 50, np.random.default_rng(1))
    assert np.array_equal(first, second)  # PSUs of a design stand in the order of their labels
    assert first.std() > 0


@pytest.mark.parametrize(("n1", "n2", "c"), [(6, 6, 3), (6, 6, 1), (5, 8, 3), (8, 4, 4), (5, 7, 0)])
def test_each_sample_keeps_its_own_bootstrap(n1, n2, c):
    one = design_of(named("a", [f"{k:02d}" for k in range(n1)]))
    other = design_of(named("a", [f"{k:02d}" for k in range(n1 - c, n1 - c + n2)]))
    drawn = draw_jointly(overlap_of(one, other), 60_000, np.random.default_rng(2))
    for table, n in zip(drawn, (n1, n2), strict=True):
        assert (table.sum(axis=0) == n - 1).all()
        covariance = np.cov(table.astype(float))
        expected = (n - 1) * (np.eye(n) / n - 1 / n**2)  # multinomial
        assert np.abs(table.mean(axis=1) - (n - 1) / n).max() < 0.02
        assert np.abs(covariance - expected).max() < 0.03


@pytest.mark.parametrize(("n", "c"), [(6, 6), (6, 4), (9, 1), (4, 2)])
def test_joint_draws_have_the_covariance_of_the_closed_form(n, c):
    one = design_of(named("a", [f"{k:02d}" for k in range(n)]))
    other = design_of(named("a", [f"{k:02d}" for k in range(n - c, 2 * n - c)]))
    rng = np.random.default_rng(3)
    z1, z2 = rng.normal(size=n), rng.normal(size=n)
    z2[:c] += 2 * z1[n - c :]
    drawn = draw_jointly(overlap_of(one, other), 100_000, rng)
    totals = [n / (n - 1) * z @ table for z, table in zip((z1, z2), drawn, strict=True)]
    found = np.cov(*totals)
    # Counts on shared PSUs are the same, the rest independent given how many draws that leaves.
    rest1 = z1[: n - c].mean() if c < n else 0.0
    rest2 = z2[c:].mean() if c < n else 0.0
    expected = (
        z1[n - c :] @ z2[:c] + (n - c) * rest1 * rest2 - n * z1.mean() * z2.mean()
    ) * n / (n - 1)  # fmt: skip
    noise = np.sqrt(found[0, 0] * found[1, 1] / 100_000)
    assert abs(found[0, 1] - expected) < 4 * noise


def test_linearised_covariance_is_unbiased_for_psus_drawn_with_replacement():
    """Over many draws of PSU contributions it is c times their covariance, whatever the overlap."""
    rng = np.random.default_rng(4)
    for n1, n2, c in ((5, 5, 5), (5, 7, 3), (6, 4, 1)):
        one = design_of(named("a", [f"{k:02d}" for k in range(n1)]))
        other = design_of(named("a", [f"{k:02d}" for k in range(n1 - c, n1 - c + n2)]))
        times = 40_000
        z1, z2 = rng.normal(1, 1, (n1, times)), rng.normal(2, 1, (n2, times))
        z2[:c] = 0.6 * z1[n1 - c :] + 0.8 * z2[:c]  # covariance 0.6 in shared PSUs
        found = linearised_covariance(overlap_of(one, other), z1, z2)
        assert abs(found.mean() - 0.6 * c) < 4 * found.std() / np.sqrt(times)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 6), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_under_full_overlap_the_difference_is_one_sample_of_differences(psus, strata, seed):
    rng = np.random.default_rng(seed)
    labels = [(f"h{h}", f"c{c}") for h in range(strata) for c in range(psus)]
    n = len(labels)
    one = design_of(labels)
    other = design_of([labels[k] for k in rng.permutation(n)])
    z1, z2 = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    by_psu = np.empty_like(z2)
    for row, pair in enumerate(other.psus[k] for k in other.psu):
        by_psu[labels.index(pair)] = z2[row]
    covariance = linearised_covariance(overlap_of(one, other), z1, z2)
    found = one.linearised_variance(z1) + other.linearised_variance(z2) - 2 * covariance
    assert np.allclose(found, one.linearised_variance(by_psu - z1), rtol=1e-10)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_covariance_is_symmetric_and_vanishes_without_shared_psus(n1, n2, c, seed):
    rng = np.random.default_rng(seed)
    c = min(c, n1, n2)
    one = design_of(named("a", [f"{k:02d}" for k in range(n1)]))
    other = design_of(named("a", [f"{k:02d}" for k in range(n1 - c, n1 - c + n2)]))
    z1, z2 = rng.normal(size=(n1, 1)), rng.normal(size=(n2, 1))
    there = linearised_covariance(overlap_of(one, other), z1, z2)
    back = linearised_covariance(overlap_of(other, one), z2, z1)
    assert np.allclose(there, back)
    if c == 0:
        assert there == 0


def test_shared_degrees_of_freedom():
    one = design_of([*named("a", "1234"), *named("b", "123"), *named("c", "12")])
    other = design_of([*named("a", "1234"), *named("b", "345"), *named("d", "12")])
    overlap = overlap_of(one, other)
    everybody = (np.ones(one.n, bool), np.ones(other.n, bool))
    assert shared_degrees_of_freedom(overlap, *everybody) == pytest.approx((3 + 2 / 3, 3 + 2 / 3))
    only_b = (np.arange(one.n) == 4, np.arange(other.n) == 4)
    assert shared_degrees_of_freedom(overlap, *only_b) == pytest.approx((2 / 3, 2 / 3))
    same = overlap_of(one, one)
    assert shared_degrees_of_freedom(same, everybody[0], everybody[0]) == (6.0, 6.0)
    assert one.degrees_of_freedom() == 6.0
