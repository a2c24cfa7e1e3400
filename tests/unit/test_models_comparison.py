"""Leave-one-respondent-out against exact answers, and reweighting against other priors."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import ndtr

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.models.comparison import comparison_table, left_out
from prevalence.models.counts import CountTable
from prevalence.models.engine import Sampling, fit
from prevalence.models.intervals import Intervals
from prevalence.models.overdispersed import Overdispersed, OverdispersedPriors
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.models.pointwise import log_likelihoods
from prevalence.models.poisson_lognormal import PoissonLognormal
from prevalence.models.prior_sensitivity import (
    log_hyperprior,
    smoothed_weights,
    weighted_quantiles,
)

GROUPS = tuple("abcd")


def answers(seed=1, n=120, extra=0.5):
    """Counts with log-normal degrees; `extra` is the variance of gamma effects by cell."""
    generator = np.random.default_rng(seed)
    mean = generator.lognormal(0, 0.7, (n, 1)) * [6.0, 3.0, 1.0, 0.3]
    if extra:
        mean = mean * generator.gamma(1 / extra, extra, mean.shape)
    counts = generator.poisson(mean).astype(float)
    counts[0, 1] = np.nan
    return CountTable(GROUPS, counts)


def posterior(density, name, sampling=Sampling(2, 150, 200, 1)):  # noqa: B008
    result = fit(density, [3], sampling=sampling)
    return SimpleNamespace(density=density, model=name, parameters=result.draws)


def binned(counts):
    """The same answers, larger ones as 2 to 5 or as 6 and more."""
    table = counts.table.copy()
    rows, columns = np.nonzero(np.nan_to_num(table) >= 2)
    lower = np.where(table[rows, columns] > 5, 6.0, 2.0)
    table[rows, columns] = np.nan
    cells = Intervals(rows, columns, lower, np.where(lower == 6, np.inf, 5.0))
    return CountTable(counts.groups, table, cells)


def exactly(density, x, i):
    """Integrate a respondent's effect on a fine grid over the definition of the model."""
    y, cells = density.counts.table[i], density.counts.intervals
    k, g = len(y), density.layout.globals
    mine = cells.rows == i
    pooled = isinstance(density, PartiallyPooled)
    grid = np.linspace(1e-9, 11.5, 4001) if pooled else np.linspace(-6, 6, 4001)
    if pooled:
        top = density.layout.split(x)[0]
        size = np.exp(top[2 * k : 3 * k])
        mean = np.exp(grid[:, None] + density.prevalences(x)[density.area_of[i]])
        law = stats.nbinom(size, size / (size + mean))
        sigma = 1.5 / (1 + np.exp(-top[-1]))
        terms = stats.truncnorm.logpdf(grid, -5.5 / sigma, np.inf, 5.5, sigma)
    else:
        mean = np.exp(grid[:, None] + density.prevalences(x[:g]))
        law = stats.poisson(mean)
        if isinstance(density, Overdispersed):
            p = ndtr(x[k : 2 * k])
            law = stats.nbinom(mean * p / (1 - p), p)
        terms = stats.norm.logpdf(grid, 0, np.exp(x[g - 3]))
    terms = terms + np.where(np.isnan(y), 0.0, law.logpmf(np.nan_to_num(y))).sum(axis=1)
    for group, lower, upper in zip(
        cells.columns[mine], cells.lower[mine], cells.upper[mine], strict=True
    ):
        inside = (law.cdf(upper) if np.isfinite(upper) else 1.0) - law.cdf(lower - 1)
        with np.errstate(divide="ignore"):
            terms = terms + np.log(inside[:, group])
    return np.logaddexp.reduce(terms) + np.log(grid[1] - grid[0])


@pytest.mark.parametrize(
    "make",
    [PoissonLognormal, Overdispersed, lambda c: PartiallyPooled(c, np.arange(len(c.table)) % 5)],
    ids=["poisson_lognormal", "overdispersed", "partially_pooled"],
)
@pytest.mark.parametrize("coarsely", [False, True])
def test_effects_are_integrated_out(make, coarsely):
    density = make(binned(answers()) if coarsely else answers())
    found = posterior(density, "some", Sampling(2, 100, 60, 1))
    values = log_likelihoods(found, draws=40)
    step = found.parameters.shape[0] * found.parameters.shape[1] // 40
    for draw, i in ((0, 0), (1, 3), (2, 17)):
        x = found.parameters[0, draw * step]
        assert values[0, draw, i] == pytest.approx(exactly(density, x, i), abs=0.01)


def test_effects_with_a_wide_common_shift_are_integrated_out():
    """Many common groups, two respondents an area: an effect is known up to the area's shift."""
    generator = np.random.default_rng(1)
    area, groups = np.repeat(np.arange(12), 2), tuple(f"g{k}" for k in range(16))
    log_mean = np.log(0.02) + 0.3 * generator.standard_normal((12, 16))
    mean = np.exp(generator.normal(5.5, 1.2, 24)[:, None] + log_mean[area])
    counts = CountTable(groups, generator.poisson(generator.gamma(20, mean / 20)).astype(float))
    density = PartiallyPooled(counts, area)
    found = posterior(density, "pooled", Sampling(2, 100, 60, 1))
    values = log_likelihoods(found, draws=40)
    step = found.parameters.shape[0] * found.parameters.shape[1] // 40
    apart = [
        values[0, draw, i] - exactly(density, found.parameters[0, draw * step], i)
        for draw in range(8)
        for i in range(0, 24, 3)
    ]
    assert np.abs(apart).max() < 0.005


def test_leaving_out_by_weights_is_leaving_out_by_refitting():
    counts = answers(seed=5, n=60)
    density = Overdispersed(counts)
    table = left_out(log_likelihoods(posterior(density, "all", Sampling(2, 150, 500, 1)), 1000))
    assert not table["high_k"].any()
    for i in (0, 5):
        fewer = Overdispersed(CountTable(GROUPS, np.delete(counts.table, i, axis=0)))
        refit = fit(fewer, [4], sampling=Sampling(2, 150, 250, 1))
        top = refit.draws[..., : fewer.layout.globals].reshape(-1, fewer.layout.globals)
        # The steps stand for other effects in the smaller table: by plain parameters.
        k = len(GROUPS)
        values = []
        for x in top[::10]:
            scales = np.exp(x[2 * k]), x[2 * k + 1], np.exp(x[2 * k + 2])
            plain = density.at(fewer.prevalences(x), x[k : 2 * k], scales, np.zeros(60))
            values.append(exactly(density, plain, i))
        exact = np.logaddexp.reduce(values) - np.log(len(values))
        assert table.loc[i, "elpd"] == pytest.approx(exact, abs=0.1)


def test_the_model_that_made_the_data_predicts_best():
    counts = answers(seed=2, n=200, extra=1.0)
    parts = []
    for name, density in (("plain", PoissonLognormal(counts)), ("over", Overdispersed(counts))):
        part = left_out(log_likelihoods(posterior(density, name)))
        parts.append(part.assign(estimator=name))
    table = comparison_table(pd.concat(parts, ignore_index=True)).set_index("estimator")
    assert list(table.index) == ["over", "plain"]
    assert table.loc["over", "difference"] == 0
    assert table.loc["plain", "difference"] < -4 * table.loc["plain", "difference_error"]
    gap = table.loc["plain", "elpd"] - table.loc["over", "elpd"]
    assert table.loc["plain", "difference"] == pytest.approx(gap)


def test_no_model_with_a_likelihood_gives_an_empty_comparison():
    weighted = SimpleNamespace(density=Overdispersed(answers()), model="overdispersed_weighted")
    assert log_likelihoods(weighted) is None
    assert len(comparison_table(left_out(None).assign(estimator="x"))) == 0


def test_reweighting_reaches_the_posterior_under_other_scales():
    counts = answers(seed=7, n=30)
    narrow = OverdispersedPriors(sigma_alpha=0.6, sigma_beta=3.0)
    wide = OverdispersedPriors(sigma_alpha=1.2, mu_beta=20.0, sigma_beta=6.0)
    long = Sampling(2, 150, 2000, 1)  # the error of a quantile of 0.1 is then about 0.015
    fits = [
        fit(Overdispersed(counts, priors), [1], sampling=long).draws for priors in (narrow, wide)
    ]
    density = Overdispersed(counts, narrow)
    g = density.layout.globals
    top = fits[0][:, :, :g].reshape(-1, g)
    ratio = log_hyperprior(density, top, 2.0) - log_hyperprior(density, top)
    weights, k = smoothed_weights(ratio)
    assert k < 0.7
    log_sigma = np.quantile(fits[1][:, :, g - 3], [0.1, 0.5, 0.9])
    reweighted = weighted_quantiles(top[:, g - 3], weights, [0.1, 0.5, 0.9])
    assert reweighted == pytest.approx(log_sigma, abs=0.05)
    assert np.quantile(top[:, g - 3], 0.5) < log_sigma[1] - 0.01
