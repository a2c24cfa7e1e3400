"""Densities against scipy's distributions, gradients against differences of the densities."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.errors import PipelineError
from prevalence.models.correlated import PUBLISHED as FLAT_CORRELATED
from prevalence.models.correlated import Correlated
from prevalence.models.counts import CountTable
from prevalence.models.intervals import Intervals
from prevalence.models.overdispersed import (
    LONG,
    PUBLISHED,
    Overdispersed,
    OverdispersedPriors,
    long_rising_logs,
    rising_logs,
)
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.models.poisson_lognormal import PoissonLognormal


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
    mu, sigma, size = density.hyperparameters(top)
    free = top[k : 2 * k]
    assert sigma == pytest.approx(1e-6 + 0.05 * np.logaddexp(0, free))
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
        value += stats.halfnorm.logpdf(values, scale=scale).sum()
    value += np.log(mu * size).sum() - np.logaddexp(0, -free).sum()
    value += np.log(sigma_delta * (1 - sigma_delta / priors.sigma_delta))
    jacobians = np.log(unit).sum() - np.logaddexp(0, -effects).sum()
    return value + jacobians


def poisson_lognormal_by_scipy(density, x):
    counts, priors = density.counts.table, density.priors
    k = counts.shape[1]
    log_sa, mu, log_sb = x[k : k + 3]
    beta, alpha = density.prevalences(x[: k + 3]), density.effects(x)
    terms = stats.poisson.logpmf(np.nan_to_num(counts), np.exp(alpha[:, None] + beta))
    w = np.ones(len(counts)) if density.weights is None else density.weights
    value = (w[:, None] * np.where(np.isnan(counts), 0, terms)).sum()
    value += (w * stats.norm.logpdf(alpha, 0, np.exp(log_sa))).sum()
    value += stats.norm.logpdf(beta, mu, np.exp(log_sb)).sum()
    value += stats.halfnorm.logpdf(np.exp(log_sa), scale=priors.sigma_alpha) + log_sa
    value += stats.halfnorm.logpdf(np.exp(log_sb), scale=priors.sigma_beta) + log_sb
    value += stats.norm.logpdf(mu, priors.mu_beta_mean, priors.mu_beta)
    further = x + 1.0
    further[k : k + 3] -= 1.0
    stretch = density.prevalences(further[: k + 3]) - beta, density.effects(further) - alpha
    return value + np.log(np.concatenate(stretch)).sum()


def correlated_by_scipy(density, x):
    """From effects and the matrix of correlations, whose density is taken to x by differences."""
    counts, priors = density.counts.table, density.priors
    k, g = counts.shape[1], density.layout.globals
    top, eps, _ = density.layout.split(x)
    plain, delta = density.plain(top), density.degrees(density.recorded(x))
    effects = eps @ (plain.tau[:, None] * plain.cholesky).T - plain.tau**2 / 2
    mean = np.exp(delta[:, None] + plain.rho + effects)
    terms = stats.poisson.logpmf(np.nan_to_num(counts), mean)
    value = np.where(np.isnan(counts), 0, terms).sum() + stats.norm.logpdf(eps).sum()
    value += stats.norm.logpdf(delta, 0, plain.sigma_delta).sum()
    value += stats.norm.logpdf(plain.rho, plain.mu_rho, plain.sigma_rho).sum()
    value += stats.norm.logpdf(plain.mu_rho, priors.mu_rho_mean, priors.mu_rho)
    value += stats.halfnorm.logpdf(plain.sigma_rho, scale=priors.sigma_rho) + x[g - 1]
    value += stats.halfcauchy.logpdf(plain.sigma_delta, scale=priors.sigma_delta) + x[g - 3]

    def tau_n(free):
        return np.expm1((0.1 * np.logaddexp(0, free)) ** 2) ** -0.5

    of_tau = top[k : 2 * k]
    slope = (tau_n(of_tau + 1e-6) - tau_n(of_tau - 1e-6)) / 2e-6
    value += (stats.halfcauchy.logpdf(tau_n(of_tau), scale=priors.tau_n) + np.log(-slope)).sum()

    def correlations(free):
        moved = top.copy()
        moved[2 * k : -3] = free
        return density.correlation(moved)[np.tril_indices(k, -1)]

    free = top[2 * k : -3]
    moves = 1e-6 * np.eye(len(free))
    jacobian = [(correlations(free + m) - correlations(free - m)) / 2e-6 for m in moves]
    value += np.linalg.slogdet(np.array(jacobian))[1]
    value += (priors.lkj - 1) * np.linalg.slogdet(density.correlation(top))[1]
    further = x + 1.0
    further[2 * k : g] -= 1.0
    stretch = (
        density.prevalences(further[:g]) - plain.rho,
        density.degrees(density.recorded(further)) - delta,
    )
    return value + np.log(np.concatenate(stretch)).sum()


CASES = [
    (overdispersed_by_scipy, lambda c, w: Overdispersed(c, OverdispersedPriors(), w)),
    (
        partially_pooled_by_scipy,
        lambda c, w: PartiallyPooled(c, np.arange(len(c.table)) % 3, weights=w),
    ),
    (poisson_lognormal_by_scipy, lambda c, w: PoissonLognormal(c, weights=w)),
    (correlated_by_scipy, lambda c, w: Correlated(c)),
]
NAMES = ["overdispersed", "partially_pooled", "poisson_lognormal", "correlated"]


@pytest.mark.parametrize(("by_scipy", "make"), CASES, ids=NAMES)
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


def test_terms_in_pieces_are_all_terms():
    counts = np.arange(230.0)[:, None]
    density = Overdispersed(CountTable(("a",), counts))
    scale, rate = np.geomspace(1e-9, 1e4, len(counts)), np.array([0.7])
    weights = np.linspace(0.5, 1.5, len(counts))
    size, y = scale * rate, np.maximum(counts[:, 0], 1)
    for cells, add, inside in (
        (density._pieces, rising_logs, y <= LONG),
        (density._long_cells, long_rising_logs, y > LONG),
    ):
        d_row, d_column = np.zeros(len(counts)), np.zeros(1)
        value = add(cells, scale, rate, weights, d_row, d_column)
        terms = [np.log(c + np.arange(1, n)).sum() for c, n in zip(size, y, strict=True)]
        slopes = [(c / (c + np.arange(1, n))).sum() for c, n in zip(size, y, strict=True)]
        assert value == pytest.approx((weights * terms)[inside].sum(), rel=1e-11)
        assert d_row == pytest.approx(np.where(inside, weights * slopes, 0), rel=1e-8)
        assert d_column[0] == pytest.approx(d_row.sum(), rel=1e-12)


def test_a_size_that_cannot_be_multiplied_has_no_density():
    density = Overdispersed(CountTable(("a",), np.array([[3.0], [1.0]])))
    for size in (1e40, np.inf, np.nan):
        found = rising_logs(
            density._pieces, np.array([size, 1.0]), np.ones(1), np.ones(2), np.zeros(2), np.zeros(1)
        )
        assert found == -np.inf


def test_large_counts_are_summed_by_gamma_functions():
    table_ = table().table.copy()
    table_[2, 1], table_[4, 0], table_[5, 0] = 5_000, 1_001, 1_000
    weights = np.random.default_rng(2).uniform(0.3, 2, len(table_))
    density = PartiallyPooled(
        CountTable(table().groups, table_), np.arange(len(table_)) % 3, weights=weights
    )
    assert len(density._exceeding[0]) < 1_000 * table_.shape[1]
    generator = np.random.default_rng(3)
    gaps = []
    for _ in range(3):
        x = density.start() + generator.normal(0, 0.3, density.layout.size)
        value, gradient = density.value_and_gradient(x)
        gaps.append(value - partially_pooled_by_scipy(density, x))
        for place in range(density.layout.globals):
            move = np.zeros(len(x))
            move[place] = 1e-5
            up, down = (density.value_and_gradient(x + s * move)[0] for s in (1, -1))
            assert (up - down) / 2e-5 == pytest.approx(gradient[place], rel=1e-5, abs=2e-3)
    assert np.ptp(gaps) < 1e-5


def coarse_table(seed):
    """Some answers known as intervals only: top-coded, and binned."""
    counts = table(seed=seed)
    generator = np.random.default_rng(seed)
    filled, cells = counts.table.copy(), []
    chosen = counts.present & (generator.uniform(size=filled.shape) < 0.5)
    for i, k in np.argwhere(chosen):
        y = filled[i, k]
        lower, upper = (2, 5) if 2 <= y <= 5 else (0, 1) if y < 2 else (6, np.inf)
        cells.append((i, k, lower, upper))
        filled[i, k] = np.nan
    rows, columns, lower, upper = np.array(cells, float).T
    where = rows.astype(np.int64), columns.astype(np.int64)
    return CountTable(counts.groups, filled, Intervals(*where, lower, upper))


def laws(density, x):
    """Distributions of all cells, by SciPy."""
    k, g = len(density.counts.groups), density.layout.globals
    if isinstance(density, Overdispersed):
        p = ndtr(x[k : 2 * k])
        mean = np.exp(density.effects(x)[:, None] + density.prevalences(x[:g]))
        return stats.nbinom(mean * p / (1 - p), p)
    if isinstance(density, PartiallyPooled):
        top, _, effects = density.layout.split(x)
        log_mean = np.logaddexp(0, effects)[:, None] + density.prevalences(x)[density.area_of]
        size = np.exp(top[2 * k : 3 * k])
        return stats.nbinom(size, size / (size + np.exp(log_mean)))
    if isinstance(density, PoissonLognormal):
        return stats.poisson(np.exp(density.effects(x)[:, None] + density.prevalences(x[:g])))
    top, eps, _ = density.layout.split(x)
    plain = density.plain(top)
    b = eps @ (plain.tau[:, None] * plain.cholesky).T - plain.tau**2 / 2
    return stats.poisson(np.exp(density.degrees(density.recorded(x))[:, None] + plain.rho + b))


@pytest.mark.parametrize(("by_scipy", "make"), CASES, ids=NAMES)
def test_interval_answers_add_the_probability_of_their_intervals(by_scipy, make):
    counts = coarse_table(seed=8)
    cells = counts.intervals
    weights = np.random.default_rng(2).uniform(0.3, 2, len(counts.table))
    density = make(counts, weights)
    w = np.ones(len(weights)) if isinstance(density, Correlated) else weights
    generator = np.random.default_rng(3)
    gaps = []
    for _ in range(3):
        x = density.start() + generator.normal(0, 0.4, density.layout.size)
        law = laws(density, x)
        with np.errstate(invalid="ignore"):
            upper = np.full(counts.table.shape, np.inf)
            lower = np.zeros(counts.table.shape)
            upper[cells.rows, cells.columns] = cells.upper
            lower[cells.rows, cells.columns] = cells.lower
            inside = np.where(np.isinf(upper), 1.0, law.cdf(upper)) - law.cdf(lower - 1)
        extra = w[cells.rows] @ np.log(inside[cells.rows, cells.columns])
        gaps.append(density.value_and_gradient(x)[0] - by_scipy(density, x) - extra)
    assert np.ptp(gaps) < 1e-5


@pytest.mark.parametrize("counts", [table(seed=4), coarse_table(seed=4)], ids=["exact", "coarse"])
@pytest.mark.parametrize("make", [case[1] for case in CASES], ids=NAMES)
def test_gradient_is_the_slope_of_the_density(make, counts):
    density = make(counts, np.random.default_rng(5).uniform(0.3, 2, len(counts.table)))
    x = density.start() + np.random.default_rng(6).normal(0, 0.4, density.layout.size)
    gradient = density.value_and_gradient(x)[1]
    assert gradient == pytest.approx(differences(density, x), rel=1e-5, abs=1e-5)


def test_areas_that_do_not_differ_have_a_smooth_density():
    """Far down in σ a chain is not caught in the rounding of a difference."""
    counts = table(n=40, largest=9)
    density = PartiallyPooled(counts, np.arange(40) // 4)
    x, k = density.start(), len(counts.groups)
    x += 0.1 * np.random.default_rng(5).standard_normal(len(x))
    for free in (-20.0, -25.0, -30.0, -200.0):
        x[k : 2 * k] = free
        value, gradient = density.value_and_gradient(x)
        moved = x + 1e-6 * np.sign(gradient)
        expected = 1e-6 * np.abs(gradient).sum()
        assert density.value_and_gradient(moved)[0] - value == pytest.approx(expected, rel=0.01)


def test_far_out_a_density_has_no_value_and_raises_nothing():
    density = PartiallyPooled(CountTable(("a", "b"), np.ones((4, 2))), np.arange(4) % 2)
    x = density.start()
    x[density.layout.globals - 1] = -1069.0  # σ_δ underflows to 0
    assert not np.isfinite(density.value_and_gradient(x)[0])


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


def test_plain_parameters_of_the_correlated_model_come_back():
    generator = np.random.default_rng(7)
    density = Correlated(table(largest=6), FLAT_CORRELATED)
    x = density.start() + generator.normal(0, 0.3, density.layout.size)
    top, eps, _ = density.layout.split(x)
    delta = density.degrees(density.recorded(x))
    assert density.at(density.plain(top), delta, eps) == pytest.approx(x)
    # Effects of groups have mean 1: the mean count is that of δ and ρ alone.
    plain = density.plain(top)
    kept = density.recorded(x)
    mean = np.mean([density.simulate(kept, generator) for _ in range(4000)], axis=0)
    expected = np.exp(delta[:, None] + plain.rho)
    seen = ~np.isnan(mean) & (plain.tau < 1.0)
    assert np.log(mean[seen] / expected[seen]).mean() == pytest.approx(0, abs=0.05)
