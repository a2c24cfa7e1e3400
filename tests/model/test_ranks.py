"""Simulation-based calibration (Talts et al. 2018): ranks of the truth are uniform."""

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.models.counts import CountTable
from prevalence.models.engine import Sampling, fit
from prevalence.models.overdispersed import Overdispersed, OverdispersedPriors

FITS = 200
RESPONDENTS, GROUPS = 60, 5
# Proper and narrow: with the default scales half of the worlds have no report or a billion.
PRIORS = OverdispersedPriors(sigma_alpha=1.0, mu_beta_mean=0.5, mu_beta=0.7, sigma_beta=0.7)


def world(generator):
    """Parameters from the prior, and data drawn at them."""
    sigma_alpha, sigma_beta = np.abs(generator.normal(0, [PRIORS.sigma_alpha, PRIORS.sigma_beta]))
    mu = generator.normal(PRIORS.mu_beta_mean, PRIORS.mu_beta)
    beta = generator.normal(mu, sigma_beta, GROUPS)
    plain = (
        beta,
        generator.normal(size=GROUPS),
        (sigma_alpha, mu, sigma_beta),
        generator.normal(0, sigma_alpha, RESPONDENTS),
    )
    blank = Overdispersed(CountTable(tuple("abcde"), np.zeros((RESPONDENTS, GROUPS))), PRIORS)
    counts = blank.simulate(blank.at(*plain), generator)
    density = Overdispersed(CountTable(blank.counts.groups, counts), PRIORS)
    return density.at(*plain), density


def quantities(density):
    def of(x):
        beta = density.prevalences(x[: density.layout.globals])
        inside = [beta[0], beta[0] - np.log(np.exp(beta[1:]).sum())]
        hyper = x[2 * GROUPS : 2 * GROUPS + 3]
        return np.array([*inside, *x[GROUPS : GROUPS + 2], *hyper, density.effects(x)[0]])

    return of


def rank(number):
    generator = np.random.default_rng([20230907, number])
    truth, density = world(generator)
    of = quantities(density)
    result = fit(density, [number], record=of, sampling=Sampling(2, 300, 400, 1))
    thinned = result.draws[:, ::8].reshape(-1, result.draws.shape[2])
    return (thinned < of(truth)).sum(axis=0), len(thinned), result.whitened


@pytest.mark.slow
def test_ranks_of_the_truth_are_uniform():
    found = [rank(number) for number in range(FITS)]
    ranks, most = np.array([row[0] for row in found]), found[0][1]
    bins = np.minimum(ranks * 10 // (most + 1), 9)
    tallies = np.array([np.bincount(column, minlength=10) for column in bins.T])
    p = stats.chisquare(tallies, axis=1).pvalue
    assert p.min() > 0.001 / len(p)
    middle = ranks.mean(axis=0) / most
    assert np.abs(middle - 0.5).max() < 4 / np.sqrt(12 * FITS)
