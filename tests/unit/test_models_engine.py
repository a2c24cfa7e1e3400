"""Whitening, sampler and diagnostics on densities whose answers are known."""

import numpy as np
import pytest
from scipy.special import expit, gammaincc, polygamma, psi

from prevalence.models.compiled import (
    added,
    digamma,
    exponentials,
    logarithms,
    softplus,
)
from prevalence.models.diagnostics import (
    Thresholds,
    diagnostics_table,
    ebfmi,
    ess_bulk,
    ess_mean,
    ess_tail,
    rhat,
)
from prevalence.models.engine import ARC, FROZEN_STEP, Sampling, fit
from prevalence.models.layout import Layout
from prevalence.models.nuts import LARGEST_STEP, MOST_LEAPS, _Point, _Sampler, sample_chain
from prevalence.models.preconditioning import curvature, marginal_mode, whitening


class Arrow:
    """A normal density with the shape of an arrow: two globals, three areas of two, respondents."""

    def __init__(self, n=30, seed=0):
        self.layout = Layout(("a", "b"), np.arange(n) % 3, 3, 2)
        generator = np.random.default_rng(seed)
        size = self.layout.size
        precision = np.diag(generator.uniform(5, 60, size))
        top = slice(0, 2)
        cross = generator.normal(0, 0.4, (size, 2))
        precision[:, top] += cross
        precision[top, :] += cross.T
        for i, area in enumerate(self.layout.area_of):
            for p in range(2):
                j, u = 2 + area * 2 + p, 8 + i
                precision[j, u] = precision[u, j] = generator.normal(0, 0.8)
        for area in range(3):
            j = 2 + area * 2
            precision[j, j + 1] = precision[j + 1, j] = 1.5
        self.precision = precision
        self.mean = generator.normal(0, 3, size)

    def start(self):
        return np.zeros(self.layout.size)

    def value_and_gradient(self, x):
        pull = self.precision @ (self.mean - x)
        return -0.5 * float((x - self.mean) @ self.precision @ (x - self.mean)), pull


class Frozen:
    """A density that is finite at its start only: no chain can move."""

    layout = Layout(("a",), np.zeros(2, int))

    def start(self):
        return np.zeros(3)

    def value_and_gradient(self, x):
        return (np.nan, x * np.nan)


def test_whitening_factors_the_inverse_of_the_precision():
    density = Arrow()
    shape = whitening(density.layout, density.mean, curvature(density, density.mean))
    identity = np.eye(density.layout.size)
    root = np.array([shape.forward(row) - density.mean for row in identity]).T
    assert root @ root.T == pytest.approx(np.linalg.inv(density.precision), abs=1e-6)
    pulled = np.array([shape.pull_back(row) for row in identity])
    assert pulled == pytest.approx(root, abs=1e-12)


def test_marginal_mode_of_a_normal_density_is_its_mean():
    density = Arrow()
    assert marginal_mode(density).centre == pytest.approx(density.mean, abs=1e-2)


def chain_of(density, start, seed, **settings):
    """Run a chain that keeps every coordinate and tells nothing."""
    return sample_chain(
        density, start, seed, record=lambda z: z, progress=lambda _: None, **settings
    )


def test_draws_have_the_mean_and_covariance_of_the_density():
    density = Arrow()
    draws = fit(density, [1], sampling=Sampling(2, 150, 2000, 1)).draws
    flat = draws.reshape(-1, density.layout.size)
    covariance = np.linalg.inv(density.precision)
    deviation = np.sqrt(np.diag(covariance))
    assert np.abs((flat.mean(0) - density.mean) / deviation).max() < 0.1
    assert flat.std(0) / deviation == pytest.approx(np.ones(len(deviation)), abs=0.12)
    assert rhat(draws).max() < 1.02


def test_a_leap_keeps_the_energy_of_a_normal_density():
    # Nothing is left to be kicked by: trajectories are circles, and every draw is a sound one.
    chain = chain_of(
        lambda z: (-0.5 * float(z @ z), -z),
        np.full(50, 0.5),
        np.random.SeedSequence(3),
        warmup=150,
        draws=600,
        shrinkage=1e9,
        arc=ARC,
    )
    assert chain.step_size == LARGEST_STEP
    assert set(chain.steps) == {3}
    assert not chain.divergent.any()
    assert chain.draws.mean() == pytest.approx(0, abs=0.05)
    assert chain.draws.std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("arc", [ARC, None], ids=["an arc", "a tree"])
def test_draws_of_a_density_that_is_not_normal_have_its_moments(arc):
    # Logarithms of gamma variables of shape 1.5: skewed, in coordinates that are not white.
    shape = 1.5

    def log_gamma(z):
        return float((shape * z - np.exp(z)).sum()), shape - np.exp(z)

    draws = np.array(
        [
            chain_of(
                log_gamma,
                np.full(20, -0.5 + seed),
                np.random.SeedSequence([7, seed]),
                warmup=150,
                draws=2_000,
                shrinkage=200.0,
                arc=arc,
            ).draws
            for seed in range(2)
        ]
    )
    # Mean, variance and share above 1 of each coordinate, within Monte Carlo error.
    for values, truth in (
        (draws, psi(shape)),
        ((draws - psi(shape)) ** 2, polygamma(1, shape)),
        ((draws > 1) * 1.0, gammaincc(shape, np.e)),
    ):
        error = values.std((0, 1)) / np.sqrt(ess_bulk(values))
        z = (values.mean((0, 1)) - truth) / error
        assert np.sqrt((z**2).mean()) < 1.7
        assert abs(z.mean()) < 0.9  # 20 coordinates: four standard errors


def test_a_frozen_chain_costs_little_and_is_seen_to_be_frozen():
    # Ten thousand times narrower than its coordinates are said to be.
    chain = chain_of(
        lambda z: (-0.5e8 * float(z @ z), -1e8 * z),
        np.full(5, 1e-4),
        np.random.SeedSequence(5),
        warmup=60,
        draws=10,
        shrinkage=1e9,
        arc=ARC,
    )
    assert chain.step_size < FROZEN_STEP
    assert chain.steps.max() <= MOST_LEAPS
    assert chain.gradients < 2 * 80 * MOST_LEAPS


def nearly_normal(z, share=1e-4):
    """Log density and gradient of a normal one with a little of another shape."""
    return -0.5 * float(z @ z) - share * float(np.cosh(z).sum()), -z - share * np.sinh(z)


def error_of_energy(steps):
    """Energy gained along one and the same trajectory, in so many leaps."""
    sampler = _Sampler(nearly_normal, np.random.default_rng(1), 20, ARC)
    point = sampler.at(np.linspace(-1.5, 1.5, 20))
    point.p = sampler.momentum()
    origin = sampler.energy(point)
    for _ in range(steps):
        point = sampler.leap(point, 1.2 / steps)
    return abs(sampler.energy(point) - origin)


def test_the_error_of_a_leap_is_of_fourth_order_near_a_normal_density():
    assert error_of_energy(3) / error_of_energy(6) == pytest.approx(16, rel=0.1)


def test_a_leap_backwards_returns_to_its_start():
    sampler = _Sampler(nearly_normal, np.random.default_rng(1), 20, ARC)
    sampler.variance = np.linspace(0.5, 2, 20)
    start = sampler.at(np.linspace(-1.5, 1.5, 20))
    start.p = sampler.momentum()
    back = sampler.leap(sampler.leap(start, 0.6), -0.6)
    assert back.z == pytest.approx(start.z, abs=1e-12)
    assert back.p == pytest.approx(start.p, abs=1e-12)


def test_a_leap_across_a_place_without_a_value_is_rejected():
    def holed(z):
        value, gradient = nearly_normal(z)
        return (value, gradient) if abs(z[0]) > 0.2 else (-np.inf, np.zeros(1))

    sampler = _Sampler(holed, np.random.default_rng(1), 1, ARC)
    start = _Point(np.array([-0.4]), np.array([1.0]), *nearly_normal(np.array([-0.4])))
    end = sampler.leap(start, 0.85)
    assert abs(end.z[0]) > 0.2
    assert end.value == -np.inf


def test_logarithms_and_sums_of_many_numbers():
    values = np.exp(np.random.default_rng(1).uniform(-200, 200, 2001))
    values[:4] = [1.0, np.nextafter(1, 2), np.sqrt(2), np.sqrt(0.5)]
    out = np.empty_like(values)
    logarithms(values, np.empty_like(values), out)
    expected = np.log(values)
    assert np.abs(out - expected).max() < 1e-13
    assert out == pytest.approx(expected, rel=1e-15)
    assert added(values[4:9]) == pytest.approx(values[4:9].sum(), rel=1e-15)


def test_powers_of_e_of_many_numbers():
    values = np.append(np.random.default_rng(2).uniform(-708, 709, 2001), [0.0, -0.0, 1e-300])
    out = np.empty_like(values)
    exponentials(values, np.empty_like(values), out)
    assert out == pytest.approx(np.exp(values), rel=1e-15)
    beyond = np.array([-800.0, 800.0, np.nan])
    exponentials(beyond, np.empty(3), out[:3])
    assert out[:2] == pytest.approx(np.exp([-708, 709]), rel=1e-15)
    assert np.isnan(out[2])


def test_softplus_its_slope_and_the_rest():
    values = np.concatenate([np.linspace(-700, 700, 1001), np.linspace(-45, 45, 1001), [0.0]])
    soft, slope, rest = (np.empty_like(values) for _ in range(3))
    softplus(values, soft, slope, rest)
    assert soft == pytest.approx(np.logaddexp(0, values), rel=2e-15)
    assert slope == pytest.approx(expit(values), rel=2e-15)
    assert rest == pytest.approx(expit(-values), rel=2e-15)


def test_derivative_of_the_log_gamma_function():
    values = np.append(np.geomspace(1e-6, 1e8, 200), [1.0, 2.0, 9.999, 10.0])
    assert [digamma(x) for x in values] == pytest.approx(psi(values), rel=1e-12, abs=1e-13)


def test_draws_do_not_depend_on_the_number_of_cores():
    density = Arrow()
    one, two = (fit(density, [7, 8], sampling=Sampling(3, 60, 40, cores)) for cores in (1, 3))
    assert (one.draws == two.draws).all()
    other = fit(density, [7, 9], sampling=Sampling(3, 60, 40, 1))
    assert not (one.draws == other.draws).any()


def test_a_density_without_a_value_is_a_clear_error():
    from prevalence.errors import PipelineError

    with pytest.raises(PipelineError, match="not finite"):
        fit(Frozen(), [1])


def autoregressive(share, chains=4, draws=5000, seed=1):
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal((chains, draws))
    series = np.empty_like(noise)
    series[:, 0] = noise[:, 0]
    for t in range(1, draws):
        series[:, t] = share * series[:, t - 1] + np.sqrt(1 - share**2) * noise[:, t]
    return series[:, :, None]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_effective_sample_size_of_an_autoregression(share):
    draws = autoregressive(share)
    expected = draws.size * (1 - share) / (1 + share)
    assert ess_mean(draws)[0] == pytest.approx(expected, rel=0.15)
    assert ess_bulk(draws)[0] == pytest.approx(expected, rel=0.15)


def test_rhat_sees_other_means_and_other_spreads():
    draws = autoregressive(0.0, draws=500)
    assert rhat(draws)[0] < 1.01
    shifted, stretched = draws.copy(), draws.copy()
    shifted[0] += 1
    stretched[0] *= 3
    assert rhat(shifted)[0] > 1.05
    assert rhat(stretched)[0] > 1.05


def test_diagnostics_agree_with_arviz():
    arviz = pytest.importorskip("arviz", reason="a second implementation to agree with")
    draws = np.concatenate([autoregressive(s, draws=400) for s in (0.1, 0.7, 0.95)], axis=2)
    for place in range(3):
        mine = draws[:, :, place]
        assert rhat(draws)[place] == pytest.approx(float(arviz.rhat(mine)), rel=1e-6)
        for method, found in (("bulk", ess_bulk), ("tail", ess_tail), ("mean", ess_mean)):
            assert found(draws)[place] == pytest.approx(
                float(arviz.ess(mine, method=method)), rel=0.02
            )


def test_a_fit_that_can_not_be_judged_has_not_passed():
    draws = autoregressive(0.0, draws=500)
    energy = np.random.default_rng(1).normal(size=draws.shape[:2])
    quiet = np.zeros(draws.shape[:2], bool)
    names = ["size"]
    assert diagnostics_table(names, draws, energy, quiet, Thresholds())["passed"].all()
    broken = draws.copy()
    broken[0, 0] = np.nan
    assert not diagnostics_table(names, broken, energy, quiet, Thresholds())["passed"].any()
    assert not diagnostics_table(names, draws, energy, ~quiet, Thresholds())["passed"].any()


def test_energy_that_wanders_slowly_is_seen():
    assert ebfmi(autoregressive(0.0)[:, :, 0]).min() > 1
    assert ebfmi(autoregressive(0.99)[:, :, 0]).max() < 0.1
