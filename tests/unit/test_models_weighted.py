"""Weighted models: scores, what the prior knows, robust spreads, checks with weights."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln, ndtr

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import Thresholds, diagnostics_table, log_spread
from prevalence.models.overdispersed import Overdispersed
from prevalence.models.poisson_lognormal import PoissonLognormal
from prevalence.models.preconditioning import marginal_mode
from prevalence.models.predictive import predictive_table, statistics
from prevalence.models.prior_sensitivity import POWERS, carried_over, power_scaling
from prevalence.models.pseudo_posterior import (
    corrected,
    design_covariance,
    gradients,
    prior_information,
    psu_scores,
    total_covariance,
)

GROUPS = tuple("abcd")
GRID = np.linspace(-5.5, 5.5, 441)


def unequal_survey(seed=3, poisson=False):
    """Twelve PSUs of 4 and twelve of 26 respondents, small networks, weights by respondent."""
    generator = np.random.default_rng(seed)
    psu = np.repeat(np.arange(24), np.repeat([4, 26], 12))
    degree = generator.lognormal(2.3, 0.5, len(psu)) * generator.lognormal(0, 0.3, 24)[psu]
    mean = degree[:, None] * [0.02, 0.05, 0.1, 0.01]
    counts = generator.poisson(mean if poisson else generator.gamma(mean))
    weights = generator.lognormal(0, 0.5, len(psu))
    return CountTable(GROUPS, counts.astype(float)), weights / weights.mean(), psu


def marginals(density, top):
    """Log of each respondent's weighted likelihood and prior, the effect integrated out."""
    k, y = len(GROUPS), density.counts.table
    log_sigma = top[-3]
    mean = np.exp(GRID[:, None] + density.prevalences(top))
    if isinstance(density, Overdispersed):
        p = ndtr(top[k : 2 * k])
        size = mean * p / (1 - p)
        terms = gammaln(y[:, None] + size) - gammaln(size) + size * np.log(p)
        terms = terms + y[:, None] * np.log1p(-p)
    else:
        terms = y[:, None] * np.log(mean) - mean
    terms = terms.sum(axis=2) + stats.norm.logpdf(GRID, 0, np.exp(log_sigma))
    return np.logaddexp.reduce(density.w[:, None] * terms, axis=1)


@pytest.mark.parametrize("kind", [Overdispersed, PoissonLognormal])
def test_scores_of_psus_are_those_of_the_marginal_likelihood(kind):
    """Jacobians of respondents' steps once came off with the prior, more in larger PSUs."""
    table, weights, psu = unequal_survey(poisson=kind is PoissonLognormal)
    density = kind(table, weights=weights)
    object.__setattr__(density, "w", weights)
    shape = marginal_mode(density)
    found = psu_scores(density, shape, weights, psu)
    g = density.layout.globals
    top, exact = shape.centre[:g], np.empty_like(found)
    for j, step in enumerate(1e-4 * np.eye(g)):
        slope = (marginals(density, top + step) - marginals(density, top - step)) / 2e-4
        exact[:, j] = np.bincount(psu, slope)
    apart = np.sqrt(((found - exact) ** 2).mean(axis=0) / (exact**2).mean(axis=0))
    assert (apart < 0.2).all(), dict(zip(density.layout.names, apart.round(3), strict=True))
    covariances = [design_covariance(scores, np.zeros(24, int)) for scores in (found, exact)]
    inverse = shape.root @ shape.root.T
    sandwiches = [np.sqrt(np.diag(inverse @ c @ inverse)) for c in covariances]
    assert sandwiches[0] == pytest.approx(sandwiches[1], rel=0.1)


def test_a_respondent_without_weight_is_absent():
    table, weights, psu = unequal_survey()
    density = Overdispersed(table, weights=weights)
    x, g = density.start(), density.layout.globals
    inside = psu % 2 == 0
    whole = density.value_and_gradient(x)[1][:g]
    nobody = density.reweighted(np.zeros(len(psu))).value_and_gradient(x)[1][:g]
    halves = [
        density.reweighted(np.where(half, weights, 0.0)).value_and_gradient(x)[1][:g] - nobody
        for half in (inside, ~inside)
    ]
    assert sum(halves) + nobody == pytest.approx(whole)


def test_what_the_prior_knows_is_its_curvature():
    table, weights, _ = unequal_survey()
    density = Overdispersed(table, weights=weights)
    shape = marginal_mode(density)
    k = len(GROUPS)
    log_sa, _, log_sb = shape.centre[2 * k : 2 * k + 3]
    found = np.diag(prior_information(density, shape))
    steps = np.exp(2 * (density._uncentring[0] - 1) * log_sb)
    assert found[:k] == pytest.approx(steps, rel=1e-4)
    assert found[k : 2 * k] == pytest.approx(np.ones(k), rel=1e-4)
    assert found[2 * k] == pytest.approx(2 * np.exp(2 * log_sa) / 4, rel=1e-3)
    assert found[2 * k + 1] == pytest.approx(0.01, rel=1e-3)


def fitted(silent=False):
    """A density, its map, draws that are normal by it, and the design covariance of its scores."""
    table, weights, psu = unequal_survey()
    answers = table.table.copy()
    if silent:
        answers[:, 3] = 0
    density = Overdispersed(CountTable(GROUPS, answers), weights=weights)
    shape, g = marginal_mode(density), density.layout.globals
    normal = np.random.default_rng(4).standard_normal((2, 4_000, g))
    scores = psu_scores(density, shape, weights, psu)
    draws = shape.centre[:g] + normal @ shape.root.T
    return density, shape, draws, design_covariance(scores, np.zeros(24, int))


def widths(density, shape, draws, covariance):
    """By group the standard deviation of stretched log prevalences over that of plain ones."""
    found = corrected(draws, shape, covariance, 10**9, np.random.default_rng(5))
    return [density.prevalences(x).std(axis=(0, 1)) for x in (found, draws)]


def test_a_group_that_only_the_prior_knows_keeps_its_width():
    """Of a sandwich without the prior's part nothing would be left there."""
    density, shape, draws, design = fitted(silent=True)
    alone, plain = widths(density, shape, draws, design)
    assert alone[3] < 0.6 * plain[3]
    prior, nothing = prior_information(density, shape), np.empty((len(design), 0))
    whole, plain = widths(density, shape, draws, total_covariance(design, prior, shape, nothing))
    assert 0.8 < whole[3] / plain[3] < 1.3


def test_nothing_that_is_reported_is_narrower_than_by_the_model():
    density, shape, draws, design = fitted()
    prior, g = prior_information(density, shape), len(design)
    directions = gradients(density.prevalences, shape.centre[:g])
    assert directions.shape == (g, 4)
    floored = total_covariance(0 * design, 0 * prior, shape, directions)
    found, plain = widths(density, shape, draws, floored)
    assert (found > 0.97 * plain).all()
    # Far above the floor nothing is added.
    large = total_covariance(
        100 * np.linalg.inv(shape.root @ shape.root.T), 0 * prior, shape, directions
    )
    found, plain = widths(density, shape, draws, large)
    assert found == pytest.approx(10 * plain, rel=0.1)


def test_gradients_leave_out_what_does_not_exist():
    found = gradients(
        lambda x: np.stack([x[:, 0] ** 2, np.nan * x[:, 0]], axis=1), np.array([3.0, 1.0])
    )
    assert found == pytest.approx(np.array([[6.0], [0.0]]))


def test_draws_stay_where_scores_vary_as_the_likelihood_says():
    density, shape, draws, _ = fitted()
    prior = prior_information(density, shape)
    shares, vectors = np.linalg.eigh(shape.root.T @ prior @ shape.root)
    inverse = np.linalg.inv(shape.root)
    prior = inverse.T @ (vectors * np.clip(shares, 0, 1)) @ vectors.T @ inverse
    likelihood = np.linalg.inv(shape.root @ shape.root.T) - prior
    directions = gradients(density.prevalences, shape.centre[: len(prior)])
    total = total_covariance(likelihood, prior, shape, directions)
    found = corrected(draws, shape, total, 10**12, np.random.default_rng(1))
    assert found == pytest.approx(draws, abs=1e-4)


def test_the_spread_of_draws_without_moments_is_that_of_their_middle():
    generator = np.random.default_rng(1)
    logs = 0.2 * generator.standard_normal(200_000)
    assert log_spread(50 * np.exp(logs)) == pytest.approx(10, rel=0.01)
    # e^t with 3 degrees of freedom: Student's quantile at Φ(1) is 1.197.
    few = [log_spread(np.exp(generator.standard_t(3, 2_400))) for _ in range(20)]
    assert np.mean(few) == pytest.approx(1.197, rel=0.05)
    assert np.std(few) < 0.1
    draws = np.exp(generator.standard_t(3, (4, 600, 1)))
    energy, divergent = generator.standard_normal((4, 600)), np.zeros((4, 600), bool)
    row = diagnostics_table(["a"], draws, energy, divergent, Thresholds(), heavy=True).iloc[0]
    assert row["mean"] == np.median(draws)
    assert row["sd"] == pytest.approx(1.197, rel=0.15)
    # The density at the logarithms' median is 0.368: 1 / (2 · 0.368 · √2400).
    assert row["mcse"] == pytest.approx(0.028, rel=0.4)


def test_statistics_with_weights_are_those_of_as_many_people():
    table = np.array([[0.0, 2.0], [3.0, np.nan], [1.0, 5.0], [0.0, 0.0]])
    weights = np.array([3, 1, 2, 4])
    repeated = np.repeat(table, weights, axis=0)
    found, plain = statistics(table, weights / 7), statistics(repeated)
    assert found[:3] == pytest.approx(plain[:3])
    assert found[3] == pytest.approx([3.0, 5.0])
    assert statistics(table)[0] == pytest.approx([0.5, 1 / 3])


class Population:
    """Counts of everybody: half of the people know two on average, half know half a one."""

    def __init__(self, mean):
        self.mean = mean

    def simulate(self, x, generator):
        return generator.poisson(self.mean[:, None]).astype(float)


def test_a_check_of_a_weighted_model_is_of_the_population():
    """Nine in ten of the sample are of the half that knows many; a model of the sample's mean."""
    generator = np.random.default_rng(2)
    many = np.arange(1_000) % 10 > 0
    mean = np.where(many, 2.0, 0.5)
    weights = np.where(many, 0.5 / 0.9, 5.0)
    answers = CountTable(("a",), generator.poisson(mean[:, None]).astype(float))
    right, wrong = Population(np.full(1_000, 1.25)), Population(np.full(1_000, 1.85))
    tails = {
        (name, given is not None): predictive_table(
            model, answers, np.zeros((200, 1)), generator, weights=given
        )
        .set_index("statistic")
        .loc["mean", "tail"]
        for name, model in (("right", right), ("wrong", wrong))
        for given in (None, weights)
    }
    assert 0.02 < tails["right", True] < 0.98
    assert tails["wrong", True] > 0.99
    assert tails["right", False] < 0.01
    assert 0.02 < tails["wrong", False] < 0.98


def test_power_scaling_tells_a_prior_from_data():
    """θ ~ N(0, 1): posteriors without data, and with data worth 400 observations."""
    generator = np.random.default_rng(6)
    found = []
    for precision in (1.0, 401.0):
        centre = 2 * (precision - 1) / precision
        draws = centre + generator.standard_normal((4, 1_000)) / np.sqrt(precision)
        powers = [np.exp((power - 1) * -0.5 * draws**2) for power in POWERS]
        found.append(power_scaling(draws, *(w / w.sum() for w in powers)))
    assert found[0] > 0.07
    assert found[1] < 0.03


def test_another_prior_moves_stretched_draws_as_it_moves_their_own():
    generator = np.random.default_rng(7)
    own = np.exp(generator.normal(3, 0.5, 40_000))
    stretched = np.exp(3 + 2 * (np.log(own) - 3))
    # By weights the logarithms are N(3.2, 0.4).
    ratio = stats.norm.logpdf(np.log(own), 3.2, 0.4) - stats.norm.logpdf(np.log(own), 3, 0.5)
    weights = np.exp(ratio) / np.exp(ratio).sum()
    found = np.log(carried_over(stretched, own, weights, [0.025, 0.5, 0.975]))
    assert found == pytest.approx(3.2 + 0.8 * np.array([-1.96, 0, 1.96]), abs=0.05)
    alike = np.full(len(own), 1 / len(own))
    same = carried_over(stretched, own, alike, [0.025, 0.5, 0.975])
    assert same == pytest.approx(np.quantile(stretched, [0.025, 0.5, 0.975]), rel=1e-3)
