"""Densities against scipy's distributions, gradients against differences of the densities."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.errors import PipelineError
from prevalence.models.counts import CountTable
from prevalence.models.overdispersed import PUBLISHED, Overdispersed, OverdispersedPriors
from prevalence.models.partially_pooled import PartiallyPooled


def table(seed=1, n=12, groups=4, missing=0.15, largest=400):
    generator = np.random.default_rng(seed)
    counts = generator.poisson(generator.lognormal(0, 1.2, (n, 1)) * [3.0, 1.0, 0.3, 0.05][:groups])
    counts = counts.astype(float)
    counts[0, 0] = largest  # beyond the place where products give way to Stirling's series
    counts[1:][generator.uniform(size=(n - 1, groups)) < missing] = np.nan
    return CountTable(tuple("abcd"[:groups]), counts)


def differences(density, x, step=1e-5):
    gradient = np.empty(len(x))
    for place in range(len(x)):
        move = np.zeros(len(x))
        move[place] = step
        above, below = (density.value_and_gradient(x + sign * move)[0] for sign in (1, -1))
        gradient[place] = (above - below) / (2 * step)
    return gradient


def overdispersed_by_scipy(density, x):
    """The log posterior from its definition, constants included."""
    counts, priors = density.counts.table, density.priors
    k = counts.shape[1]
    v, (log_sa, mu, log_sb) = x[k : 2 * k], x[2 * k : 2 * k + 3]
    beta, alpha = density.prevalences(x[: 2 * k + 3]), density.effects(x)
    p = ndtr(v)
    mean = np.exp(alpha[:, None] + beta)
    terms = stats.nbinom.logpmf(np.nan_to_num(counts), mean * p / (1 - p), p)
    w = np.ones(len(counts)) if density.weights is None else density.weights
    value = (w[:, None] * np.where(np.isnan(counts), 0, terms)).sum()
    value += (w * stats.norm.logpdf(alpha, 0, np.exp(log_sa))).sum()
    value += stats.norm.logpdf(beta, mu, np.exp(log_sb)).sum() + stats.norm.logpdf(v).sum()
    value += stats.halfnorm.logpdf(np.exp(log_sa), scale=priors.sigma_alpha) + log_sa
    value += stats.halfnorm.logpdf(np.exp(log_sb), scale=priors.sigma_beta) + log_sb
    value += stats.norm.logpdf(mu, priors.mu_beta_mean, priors.mu_beta)
    # The vector holds steps, on which effects depend linearly: their Jacobian.
    further = x + 1.0
    further[2 * k : 2 * k + 3] -= 1.0
    stretch = density.prevalences(further[: 2 * k + 3]) - beta, density.effects(further) - alpha
    return value + np.log(np.concatenate(stretch)).sum()


def partially_pooled_by_scipy(density, x):
    counts, area, priors = density.counts.table, density.area_of, density.priors
    k = counts.shape[1]
    top, blocks, effects = density.layout.split(x)
    mu, sigma, size = np.exp(top[: 3 * k]).reshape(3, k)
    sigma_delta = priors.sigma_delta / (1 + np.exp(-top[-1]))
    # Areas are steps from μ; the density of ρ is taken to the steps by its Jacobian.
    rho, delta = -density.prevalences(x), np.logaddexp(0, effects)
    stretched = x.copy()
    density.layout.split(stretched)[1][:] = blocks + 1e-6
    unit = (-density.prevalences(stretched) - rho) / 1e-6
    mean = np.exp(delta[:, None] - rho[area])
    terms = stats.nbinom.logpmf(np.nan_to_num(counts), size, size / (size + mean))
    w = np.ones(len(counts)) if density.weights is None else density.weights
    value = (w[:, None] * np.where(np.isnan(counts), 0, terms)).sum()
    lower = -priors.delta_mean / sigma_delta
    truncated = stats.truncnorm.logpdf(delta, lower, np.inf, priors.delta_mean, sigma_delta)
    value += (w * truncated).sum()
    value += stats.gamma.logpdf(rho, mu**2 / sigma**2, scale=sigma**2 / mu).sum()
    for values, scale in ((mu, priors.mu), (sigma, priors.sigma), (size, priors.size)):
        value += (stats.halfnorm.logpdf(values, scale=scale) + np.log(values)).sum()
    value += np.log(sigma_delta * (1 - sigma_delta / priors.sigma_delta))
    jacobians = np.log(unit).sum() - np.logaddexp(0, -effects).sum()
    return value + jacobians


CASES = [
    (overdispersed_by_scipy, lambda c, w: Overdispersed(c, OverdispersedPriors(), w)),
    (
        partially_pooled_by_scipy,
        lambda c, w: PartiallyPooled(c, np.arange(len(c.table)) % 3, weights=w),
    ),
]


@pytest.mark.parametrize(("by_scipy", "make"), CASES, ids=["overdispersed", "partially_pooled"])
@pytest.mark.parametrize("weighted", [False, True])
def test_density_is_the_definition_up_to_a_constant(by_scipy, make, weighted):
    counts = table()
    weights = np.random.default_rng(2).uniform(0.3, 2, len(counts.table)) if weighted else None
    density = make(counts, weights)
    generator = np.random.default_rng(3)
    gaps = []
    for _ in range(4):
        x = density.start() + generator.normal(0, 0.5, density.layout.size)
        gaps.append(density.value_and_gradient(x)[0] - by_scipy(density, x))
    assert np.ptp(gaps) < 1e-5


@pytest.mark.parametrize("make", [case[1] for case in CASES], ids=["overdispersed", "pooled"])
def test_gradient_is_the_slope_of_the_density(make):
    counts = table(seed=4)
    density = make(counts, np.random.default_rng(5).uniform(0.3, 2, len(counts.table)))
    x = density.start() + np.random.default_rng(6).normal(0, 0.4, density.layout.size)
    gradient = density.value_and_gradient(x)[1]
    assert gradient == pytest.approx(differences(density, x), rel=1e-5, abs=1e-5)


def test_published_priors_are_flat():
    density = Overdispersed(table(), PUBLISHED)
    x = density.start()
    # The mean of β and its mean prior move together: a flat prior can't tell.
    g, k = density.layout.globals, len(density.counts.groups)
    scales = np.exp(x[g - 3]), x[g - 2], np.exp(x[g - 1])
    beta, alpha, v = density.prevalences(x[:g]), density.effects(x), x[k : 2 * k]
    assert density.at(beta, v, scales, alpha) == pytest.approx(x)
    moved = density.at(beta + 0.7, v, (scales[0], scales[1] + 0.7, scales[2]), alpha - 0.7)
    likelihood_same = density.value_and_gradient(moved)[0] - density.value_and_gradient(x)[0]
    normal = stats.norm(0, scales[0])
    expected = normal.logpdf(alpha - 0.7) - normal.logpdf(alpha)
    assert likelihood_same == pytest.approx(expected.sum())


@pytest.mark.parametrize(
    "bad",
    [
        np.array([[1.5, 2.0]]),
        np.array([[-1.0, 2.0]]),
        np.array([[np.nan, 2.0], [np.nan, 1.0]]),
        np.empty((0, 2)),
        np.array([[np.inf, 1.0]]),
    ],
)
def test_what_is_no_count_is_refused(bad):
    with pytest.raises(PipelineError):
        CountTable(("a", "b"), bad)


def test_areas_must_fit_the_respondents():
    with pytest.raises(PipelineError, match="Areas"):
        PartiallyPooled(table(), np.full(12, 2))
