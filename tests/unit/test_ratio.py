import numpy as np
import pytest

from prevalence.ratio import Inference, RatioBatch, divided, replicate_error, tidy


@pytest.fixture
def sampling(sampling_of):
    return sampling_of([2.0, 1.0, 1.0, 3.0], ["a", "a", "b", "b"], [0, 1, 2, 3], replicates=500)


def test_equal_columns_are_summed_once(sampling):
    batch = RatioBatch(4)
    y, d = np.array([1.0, 0.0, 2.0, 1.0]), np.array([5.0, 4.0, 3.0, 2.0])
    batch.add(y, d)
    batch.add(2 * y, d)
    assert len(batch.columns) == 3
    found = batch.evaluate(sampling)
    assert found.ratio[1] == pytest.approx(2 * found.ratio[0])
    np.testing.assert_allclose(found.replicates[:, 1], 2 * found.replicates[:, 0])


def test_linearised_variance_worked_by_hand(sampling):
    # Two PSUs a stratum: each stratum adds (z_1 - z_2)^2, with z = w (y - R d) / sum(w d).
    y, d = np.array([1.0, 0.0, 2.0, 1.0]), np.array([5.0, 4.0, 3.0, 2.0])
    w = sampling.weights
    ratio = (w @ y) / (w @ d)
    z = w * (y - ratio * d) / (w @ d)
    expected = np.sqrt((z[0] - z[1]) ** 2 + (z[2] - z[3]) ** 2)
    batch = RatioBatch(4)
    batch.add(y, d)
    found = batch.evaluate(sampling)
    assert found.se_linearised[0] == pytest.approx(expected)
    assert found.df[0] == 2


def test_a_domain_without_anybody_has_no_estimate(sampling):
    batch = RatioBatch(4)
    batch.add(np.ones(4), np.ones(4), np.zeros(4, bool))
    found = batch.evaluate(sampling)
    row = tidy([{"group": "x"}], found, np.ones(1), Inference()).iloc[0]
    assert np.isnan(row["estimate"])
    assert np.isnan(row["lower"])
    assert row["n"] == 0


def test_a_replicate_without_a_denominator_is_not_left_out():
    replicates = divided(np.array([[1.0], [2.0]]), np.array([[1.0], [0.0]]))
    assert np.isnan(replicate_error(np.array([1.0]), replicates)[0])


def test_the_bootstrap_is_about_the_full_sample_estimate():
    # Deviations 1 and 3 from 10, not from the replicates' mean of 12.
    error = replicate_error(np.array([10.0]), np.array([[11.0], [13.0]]))
    assert error[0] == pytest.approx(np.sqrt((1 + 9) / 2))


def test_which_variance_is_used(sampling):
    batch = RatioBatch(4)
    batch.add(np.array([1.0, 0.0, 2.0, 1.0]), np.array([5.0, 4.0, 3.0, 2.0]))
    found = batch.evaluate(sampling)
    for variance, error in (("bootstrap", found.std_error), ("linearised", found.se_linearised)):
        row = tidy([{}], found, np.array([10.0]), Inference("t", variance)).iloc[0]
        assert row["std_error"] == pytest.approx(10 * error[0])
