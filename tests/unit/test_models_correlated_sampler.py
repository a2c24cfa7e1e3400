"""Each move of the correlated model's sampler leaves the posterior as it is."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.models.correlated import Correlated, CorrelatedPriors
from prevalence.models.correlated_sampler import Mover, State, Sweeper
from prevalence.models.counts import CountTable
from prevalence.models.intervals import Intervals

PRIORS = CorrelatedPriors(0.5, 2.5, 2.0, mu_rho_mean=0.5, mu_rho=0.7, sigma_rho=0.7)
LARGEST = 1000  # count of a simulated survey


def log_density(density, state):
    """Log posterior in ``ρ``, ``v`` of ``τ``, ``x``, ``log σ_δ``, ``μ``, ``log σ_ρ``, ``u``, ``δ``.

    From the model's own density, by the Jacobians of its steps to ``ρ`` and ``δ`` and of ``ε``.
    """
    scales = state.sigma, state.mu, state.sigma_rho
    kept = density.kept(state.rho, state.tau, state.x, scales, state.delta)
    plain = density.plain(kept[: density.layout.globals])
    spread = plain.tau[:, None] * plain.cholesky
    eps = np.linalg.solve(spread, (state.effects - state.delta[:, None]).T).T
    of_group, of_row = density._uncentring
    value = density.value_and_gradient(density.at(plain, state.delta, eps))[0]
    value -= of_group.sum() * np.log(state.sigma_rho) + of_row.sum() * np.log(state.sigma)
    return value - len(eps) * np.linalg.slogdet(spread)[1]


def simulated(generator, density, n):
    """Parameters, effects and counts of a survey; implausible surveys are drawn anew."""
    priors, k = density.priors, len(density.counts.groups)
    while True:
        sigma = priors.sigma_delta * abs(generator.standard_cauchy())
        tau = np.sqrt(np.log1p((priors.tau_n * generator.standard_cauchy(k)) ** -2))
        mu = generator.normal(priors.mu_rho_mean, priors.mu_rho)
        sigma_rho = abs(generator.normal(0, priors.sigma_rho))
        rho, delta = generator.normal(mu, sigma_rho, k), generator.normal(0, sigma, n)
        # LKJ's x of row k is multivariate t.
        x = np.tril(generator.standard_normal((k, k)), -1)
        x /= np.sqrt(generator.chisquare(density.power - np.arange(k)))[:, None]
        factor = (x + np.eye(k)) / np.linalg.norm(x + np.eye(k), axis=1)[:, None]
        own = generator.standard_normal((n, k)) @ (tau[:, None] * factor).T
        effects = delta[:, None] + own
        log_mean = np.minimum(rho - tau**2 / 2 + effects, 30.0)
        counts = generator.poisson(np.exp(log_mean)).astype(float)
        if counts.max() <= LARGEST:  # of the data alone: the posterior doesn't know of it
            x /= density.unit
            return State(rho, tau, x, sigma, mu, sigma_rho, effects, delta, counts)


class Noise:
    """Stands for the generator of a normal draw: returns what it was told to."""

    def __init__(self, values):
        self.values = values

    def standard_normal(self, size=()):
        return np.reshape(self.values, size)[()]


class Seen:
    """Stands for a mover: keeps the block and its density, and takes the step it is told."""

    def __init__(self, step=0.0):
        self.step = step

    def move(self, at, slope, generator, *, learn):
        self.at, self.slope = at, slope
        return at + self.step


def slopes_fit(block, at):
    """Check the gradient of a block's density along a random step; return the density."""
    value, gradient = block.slope(at)
    step = 1e-5 * (gradient != 0) * np.random.default_rng(4).normal(size=at.shape)
    up, down = (block.slope(at + sign * step)[0].sum() for sign in (1, -1))
    assert up - down == pytest.approx(2 * (gradient * step).sum(), rel=1e-4, abs=1e-8)
    return value.sum()


@pytest.fixture(scope="module")
def scaled():
    """A density with some answers missing, and the scales of its moves."""
    counts = np.random.default_rng(6).poisson([3.0, 1.0, 2.0, 0.5], (9, 4)).astype(float)
    counts[2, 1] = counts[5, 3] = np.nan
    density = Correlated(CountTable(tuple("abcd"), counts), PRIORS)
    return density, density.scales()


@pytest.fixture
def sweeper(scaled):
    """A chain in a place that is not the mode of anything."""
    made, generator = Sweeper(*scaled, np.random.SeedSequence(4)), np.random.default_rng(6)
    state = made.state
    state.effects, state.delta = generator.normal(0, 0.6, (9, 4)), generator.normal(0, 0.5, 9)
    state.sigma, state.mu, state.sigma_rho = 0.6, 0.2, 1.3
    return made


def held(sweeper, monkeypatch):
    """Keep scales where they are; return what each was asked to walk in."""
    seen = []
    monkeypatch.setattr(
        sweeper, "_stepped", lambda scale, value, count: seen.append((scale, value)) or scale
    )
    return seen


def degrees_at_their_centre(sweeper, state):
    """Put ``δ`` at its conditional mean: there the density of ``u`` and ``δ`` is that of ``u``."""
    sweeper._generator = Noise(np.zeros(len(state.delta)))
    sweeper._move_degrees(state, sweeper._spread(state))
    return log_density(sweeper._density, state)


def gaps(draw, size):
    """Log density of a normal draw less that of its noise, for some noises of a size."""
    noises = np.random.default_rng(7).standard_normal((6, size))
    return [draw(noise) + 0.5 * float(noise @ noise) for noise in noises]


def test_degrees_are_drawn_from_their_conditional(sweeper, monkeypatch):
    held(sweeper, monkeypatch)

    def draw(noise):
        state = replace(sweeper.state)
        sweeper._generator = Noise(noise)
        sweeper._move_degrees(state, sweeper._spread(state))
        return log_density(sweeper._density, state)

    assert np.ptp(gaps(draw, len(sweeper.state.delta))) < 1e-8


def test_intercepts_are_drawn_from_their_conditional(sweeper, monkeypatch):
    """Given the log means and all else, ``δ`` integrated out."""
    held(sweeper, monkeypatch)
    spread = sweeper._spread(sweeper.state)
    total = spread @ spread.T + sweeper.state.sigma**2

    def draw(noise):
        state = replace(sweeper.state)
        before = sweeper._log_mean(state)
        sweeper._generator = Noise(noise)
        sweeper._move_intercept(state, total)
        assert sweeper._log_mean(state) == pytest.approx(before)
        return degrees_at_their_centre(sweeper, state)

    assert np.ptp(gaps(draw, len(sweeper.state.rho))) < 1e-8


def test_effects_move_in_the_density_of_the_whole(sweeper, monkeypatch):
    held(sweeper, monkeypatch)
    state, block = replace(sweeper.state), Seen()
    spread = sweeper._spread(state)
    total = spread @ spread.T + state.sigma**2
    sweeper._of_effects = block
    sweeper._move_effects(state, total)
    assert state.effects == pytest.approx(sweeper.state.effects)

    def whole(standard):
        effects = standard @ np.linalg.cholesky(total).T
        return degrees_at_their_centre(sweeper, replace(state, effects=effects))

    moved = block.at + 0.3 * np.random.default_rng(8).normal(size=block.at.shape)
    gained = slopes_fit(block, moved) - slopes_fit(block, block.at)
    assert gained == pytest.approx(whole(moved) - whole(block.at))


def test_groups_move_in_the_density_of_the_whole(sweeper):
    """Given ε and δ: the effects follow."""
    state, k = replace(sweeper.state), len(sweeper.state.rho)
    eps = np.linalg.solve(sweeper._spread(state), (state.effects - state.delta[:, None]).T).T

    def given_noise():
        jacobian = len(eps) * np.linalg.slogdet(sweeper._spread(state))[1]  # from u to ε
        return log_density(sweeper._density, state) + jacobian

    step = 0.3 * np.random.default_rng(8).normal(size=(k, k + 1))
    step[:, 2:] = np.tril(step[:, 2:], -1)
    before, block = given_noise(), Seen(step)
    sweeper._of_groups = block
    sweeper._move_groups(state, eps)
    gained = slopes_fit(block, block.at + step) - slopes_fit(block, block.at)
    assert given_noise() - before == pytest.approx(gained)


def test_spreads_move_in_the_density_of_the_whole(sweeper):
    """Given b and the intercepts, in coordinates in which b is nearly standard normal."""
    density, state = sweeper._density, replace(sweeper.state)
    k, n = len(state.tau), len(state.effects)
    own = state.effects - state.delta[:, None]
    base, vague = sweeper._scales.slopes.spread, k**2 / n
    root = np.linalg.cholesky((own.T @ own + vague * base @ base.T) / (n + vague))

    def made(vector):
        changed = np.diag(np.exp(vector[:k]))
        changed[density.lower] = vector[k:]
        spread = root @ changed
        x = (spread / np.diag(spread)[:, None])[density.lower] / density.unit
        return np.concatenate([density.free_of(np.linalg.norm(spread, axis=1)), x])

    def whole(state, vector):
        free = np.concatenate([density.free_of(state.tau), state.x[density.lower]])
        assert made(vector) == pytest.approx(free)
        moves = 1e-6 * np.eye(len(vector))
        jacobian = [(made(vector + m) - made(vector - m)) / 2e-6 for m in moves]
        return log_density(density, state) + np.linalg.slogdet(np.array(jacobian))[1]

    block = Seen(0.2 * np.random.default_rng(5).normal(size=k * (k + 1) // 2))
    sweeper._of_spread = block
    sweeper._move_spread(state)
    there, here = block.at + block.step, block.at
    gained = slopes_fit(block, there) - slopes_fit(block, here)
    expected = whole(state, there[0]) - whole(sweeper.state, here[0])
    assert gained == pytest.approx(expected, abs=1e-5)


def test_a_sweep_keeps_the_log_means_where_only_parameters_move(sweeper, monkeypatch):
    held(sweeper, monkeypatch)  # with its spread the degrees would move
    k = len(sweeper.state.rho)
    step = 0.3 * np.random.default_rng(8).normal(size=k * (k + 1) // 2)
    before, tau = sweeper._log_mean(sweeper.state), sweeper.state.tau
    sweeper._of_effects, sweeper._of_spread, sweeper._of_groups = Seen(), Seen(step), Seen()
    sweeper.sweep()
    assert (sweeper.state.tau != tau).all()
    assert sweeper._log_mean(sweeper.state) == pytest.approx(before)


def test_the_mean_and_spread_of_groups_move_in_the_density_of_the_whole(sweeper, monkeypatch):
    seen, density, state = held(sweeper, monkeypatch), sweeper._density, sweeper.state

    def draw(noise):
        moved = replace(state)
        sweeper._generator = Noise(noise)
        sweeper._move_scales(moved)
        return log_density(density, moved)

    assert np.ptp(gaps(draw, 1)) < 1e-8
    last = replace(state)
    sweeper._generator = Noise(0.4)
    sweeper._move_scales(last)
    _, value = seen[-1]
    there, here = (log_density(density, replace(last, sigma_rho=scale)) for scale in (0.45, 1.7))
    assert value(np.log(0.45)) - value(np.log(1.7)) == pytest.approx(there - here)


def test_the_spread_of_degrees_moves_in_the_density_of_the_whole(sweeper, monkeypatch):
    """Given the effects, ``δ`` integrated out; and given ``b`` and the standardised ``δ``."""
    seen, state, n = held(sweeper, monkeypatch), sweeper.state, len(sweeper.state.delta)
    spread = sweeper._spread(state)
    known = np.linalg.inv(spread @ spread.T).sum()

    def integrated(sigma):
        of_centre = degrees_at_their_centre(sweeper, replace(state, sigma=sigma))
        return of_centre - 0.5 * n * np.log(known + sigma**-2)

    gained = integrated(0.45) - integrated(1.7)
    _, value = seen[-1]
    assert value(np.log(0.45)) - value(np.log(1.7)) == pytest.approx(gained)

    def stretched(sigma):
        monkeypatch.setattr(sweeper, "_stepped", lambda *walk: seen.append(walk) or sigma)
        moved = replace(state)
        sweeper._stretch_degrees(moved)
        return log_density(sweeper._density, moved) + n * np.log(sigma)  # from δ to its standard

    gained = stretched(0.45) - stretched(1.7)
    value = seen[-1][1]
    assert value(np.log(0.45)) - value(np.log(1.7)) == pytest.approx(gained)


def test_answers_in_an_interval_are_filled_by_their_law():
    lower, upper = np.array([0.0, 2, 4]), np.array([1.0, 5, np.inf])
    n = 3000
    rows, columns = np.repeat(np.arange(n), 3), np.tile(np.arange(3), n)
    cells = Intervals(rows, columns, np.tile(lower, n), np.tile(upper, n))
    table = np.hstack([np.full((n, 3), np.nan), np.ones((n, 1))])
    density = Correlated(CountTable(tuple("abcd"), table, cells), PRIORS)
    sweeper = Sweeper.__new__(Sweeper)
    sweeper._density, sweeper._generator = density, np.random.default_rng(3)
    rho, tau = np.array([0.3, 0.8, 1.0, 0.0]), np.array([0.1, 0.5, 1.0, 0.2])
    state = State(rho, tau, np.zeros((4, 4)), 1.0, 0.0, 1.0, np.zeros((n, 4)), np.zeros(n), table)
    sweeper._fill(state)
    assert (state.counts[:, 3] == 1).all()
    for place in range(3):
        law = stats.poisson(np.exp(rho[place] - tau[place] ** 2 / 2))
        inside = np.arange(lower[place], min(upper[place], 30) + 1)
        share = law.pmf(inside) / law.pmf(inside).sum()
        found = state.counts[:, place]
        assert np.isin(found, inside).all()
        error = np.sqrt(share @ inside**2 - (share @ inside) ** 2) / np.sqrt(n)
        assert found.mean() == pytest.approx(share @ inside, abs=4 * error)


def test_moves_of_a_block_keep_a_skewed_density():
    """Logarithms of gamma variables stay such, with leaps so long that many are rejected."""
    generator, shape = np.random.default_rng(11), 2.0
    root = np.tile([[1.2, 0.0], [0.5, 0.9]], (4000, 1, 1))
    mover = Mover(root, 3, np.full(4000, 0.6))

    def slope(at):
        return (shape * at - np.exp(at)).sum(axis=1), shape - np.exp(at)

    at = np.log(generator.gamma(shape, size=(4000, 2)))
    moved = mover.move(at, slope, generator, learn=False)
    assert 0.3 < (moved != at).all(axis=1).mean() < 0.95
    for _ in range(8):
        moved = mover.move(moved, slope, generator, learn=False)
    for column in moved.T:
        assert stats.kstest(np.exp(column), stats.gamma(shape).cdf).pvalue > 0.001


def test_the_walk_of_a_scale_keeps_its_density(sweeper):
    shape, found = 3.0, [1.0]
    for _ in range(6000):
        found.append(sweeper._stepped(found[-1], lambda s: shape * s - np.exp(s), 6))
    assert stats.kstest(found[::10], stats.gamma(shape).cdf).pvalue > 0.001


def test_sweeps_keep_the_joint_distribution_of_parameters_and_answers():
    """Parameters from the prior, answers at them, sweeps given these: the law is as before.

    (Geweke 2004; one replicate of it after another, so that they are independent.)
    """
    n, groups, replicates = 5, 3, 120
    generator = np.random.default_rng(12)
    names = tuple("abc")
    blank = Correlated(CountTable(names, np.ones((n, groups))), PRIORS)
    sweeper = Sweeper(blank, blank.scales(), np.random.SeedSequence(5))
    sweeper.learning = False  # leaps that follow the answers would not be fixed beforehand

    def quantities(state):
        share = 2 / np.pi * np.arctan(PRIORS.tau_n * np.sqrt(np.expm1(state.tau**2)))
        level = np.log(state.counts.mean(axis=0) + 0.2)
        sigma = 2 / np.pi * np.arctan(state.sigma / PRIORS.sigma_delta)
        apart, own = state.rho - state.mu, state.effects - state.delta[:, None]
        log_mean = np.minimum(state.rho - state.tau**2 / 2 + state.effects, 20.0)
        misfit = (state.counts - np.exp(log_mean)) / np.sqrt(state.counts + 1)
        return [
            *(share.mean(), (share**2).mean(), (share * level).mean(), sigma, sigma**2),
            *(state.rho.mean(), np.tanh((state.rho - level) ** 2).mean(), state.mu),
            *(state.sigma_rho, np.tanh(apart**2 / state.sigma_rho**2).mean(), share.mean() * sigma),
            *np.tanh(state.x[blank.lower]),
            *(np.tanh(state.delta**2 / state.sigma**2).mean(), np.tanh(own).mean()),
            *(np.tanh(own**2 / state.tau**2).mean(), np.tanh(misfit**2).mean()),
        ]

    change = []
    for _ in range(replicates):
        begun = simulated(generator, blank, n)
        sweeper.state = replace(begun)
        for _ in range(3):
            sweeper.sweep()
        change.append(np.subtract(quantities(sweeper.state), quantities(begun)))
    change = np.array(change)
    z = change.mean(axis=0) / change.std(axis=0, ddof=1) * np.sqrt(replicates)
    assert np.abs(z).max() < 3.5
