"""Samplings for the estimators, from design columns and from replicates of every kind."""

import numpy as np
import pytest

from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.ratio import Inference, RatioBatch, tidy
from prevalence.replication import GivenReplicates, Replicates, jackknife
from prevalence.sampling import bootstrap_sampling, replicate_sampling
from prevalence.variance import estimate_ratios

N = 60
RNG = np.random.default_rng(12)
Y, D, W = RNG.poisson(1, N).astype(float), RNG.uniform(50, 200, N), RNG.uniform(1, 3, N)
STRATA, UNITS = np.arange(N) % 3, np.arange(N) % 15
DESIGN = SampleDesign.from_columns(W, strata=STRATA, units=UNITS)


def ratio(sampling):
    batch = RatioBatch(N)
    batch.add(Y, D)
    return batch.evaluate(sampling)


def test_a_jackknifes_error_is_that_of_the_engine():
    made = Replicates(DESIGN, jackknife(DESIGN))
    found, expected = ratio(replicate_sampling(made)), estimate_ratios(made, Y, D)
    np.testing.assert_allclose(found.ratio, expected.value)
    np.testing.assert_allclose(found.std_error, expected.std_errors)
    np.testing.assert_allclose(found.se_linearised, estimate_ratios(DESIGN, Y, D).std_errors)
    assert found.df == 12


def test_supplied_weights_have_no_linearised_error():
    made = Replicates(DESIGN, jackknife(DESIGN))
    given = GivenReplicates.of(W, made.weights(), made.scale)
    found = ratio(replicate_sampling(given))
    np.testing.assert_allclose(found.std_error, ratio(replicate_sampling(made)).std_error)
    assert np.isnan(found.se_linearised[0])
    assert found.df == given.degrees_of_freedom
    with pytest.raises(PipelineError, match="full-sample estimate"):
        replicate_sampling(GivenReplicates.of(W, made.weights(), made.scale, about_mean=True))
    with pytest.raises(PipelineError, match="need a bootstrap"):
        tidy([{"group": "h"}], found, np.ones(1), Inference("percentile", "replicates"))


def test_a_bootstrap_of_ones_own():
    made = bootstrap_sampling(
        W, strata=STRATA, units=UNITS, replicates=4000, generator=np.random.default_rng(1)
    )
    found = ratio(made)
    assert made.drawn
    np.testing.assert_allclose(found.std_error, found.se_linearised, rtol=0.1)
    alone = bootstrap_sampling(W, replicates=5, generator=np.random.default_rng(1))
    assert alone.degrees_of_freedom(np.ones(N, bool)) == N - 1
