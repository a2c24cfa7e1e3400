"""No suppressed cell can be derived: small systems by hand, random weighted tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prevalence.disclosure.complementary import (
    System,
    derivable,
    nested_equations,
    protect,
    unproved,
)


def one_way(parts, protection, half=0.0):
    """Parts and their total, as weighted sums released up to a rounding interval."""
    values = np.array([sum(parts), *parts], float)
    equations = nested_equations([("", "")] * len(values), [(0, range(1, len(values)))])
    slack = half * values
    need = np.full(len(values), float(protection))
    return System(
        "s", values, values - slack, values + slack, equations, need, 10 * values.sum() + 0 * values
    )


def total_only(n):
    fixed = np.zeros(n, bool)
    fixed[0] = True
    return fixed


def test_a_total_gives_a_lone_suppressed_cell_away():
    system = one_way([3, 20, 30], 10)
    suppressed = np.array([False, True, False, False])
    lower, upper = derivable(system, suppressed, [1])
    assert lower[0] == pytest.approx(3)
    assert upper[0] == pytest.approx(3)
    assert unproved([system], suppressed) == [("s", 1)]


def test_the_cheapest_cell_that_protects_goes_too():
    system = one_way([3, 20, 30], 10)
    found, hopeless = protect(
        [system], np.array([False, True, False, False]), 1 + system.values, total_only(4)
    )
    assert list(found) == [False, True, True, False]
    assert not hopeless


def test_two_tiny_cells_need_a_third():
    system = one_way([3, 4, 20, 30], 10)
    primary = np.array([False, True, True, False, False])
    assert unproved([system], primary)
    found, _ = protect([system], primary, 1 + system.values, total_only(5))
    assert list(found) == [False, True, True, True, False]


def test_coarse_rounding_protects_by_itself():
    system = one_way([3, 200, 300], 10, half=0.02)
    primary = np.array([False, True, False, False])
    found, _ = protect([system], primary, 1 + system.values, total_only(4))
    assert list(found) == list(primary)


def test_one_pattern_protects_in_every_system():
    counts = one_way([3, 20, 30, 40], 10)
    weighted = one_way([900, 100, 5_000, 9_000], 450)
    primary = np.array([False, True, False, False, False])
    found, _ = protect([counts, weighted], primary, 1 + counts.values, total_only(5))
    assert unproved([counts, weighted], found) == []


def test_a_cell_beside_fixed_ones_only_is_told():
    system = one_way([3, 20], 10)
    fixed = np.array([True, False, True])
    _, hopeless = protect([system], np.array([False, True, False]), 1 + system.values, fixed)
    assert hopeless == [1]


def two_way(core, half):
    """A table with margins in both directions; cells, margins and grand total."""
    rows, columns = core.shape
    full = np.zeros((rows + 1, columns + 1))
    full[:rows, :columns] = core
    full[rows] = full[:rows].sum(axis=0)
    full[:, columns] = full[:, :columns].sum(axis=1)
    place = np.arange(full.size).reshape(full.shape)
    parents = [(place[r, columns], place[r, :columns]) for r in range(rows + 1)]
    parents += [(place[rows, c], place[:rows, c]) for c in range(columns + 1)]
    values = full.ravel()
    equations = nested_equations([("", "")] * full.size, parents)
    slack = half * values
    fixed = np.zeros(full.shape, bool)
    fixed[rows, columns] = True
    return values, equations, slack, fixed.ravel()


def check_random_table(seed, rows, columns, half):
    generator = np.random.default_rng(seed)
    counts = generator.poisson(generator.gamma(1.0, 25, (rows, columns))).astype(float)
    weight = generator.lognormal(0, 0.7, (rows, columns))
    values, equations, slack, fixed = two_way(counts * weight, half)
    n_values, _, _, _ = two_way(counts, 0.0)
    primary = (n_values < 10) & ~fixed
    need = 0.5 * np.maximum(np.where(primary, values, 0.0), 10 * weight.mean())
    weighted = System(
        "w",
        values,
        values - slack,
        values + slack,
        equations,
        need,
        10 * values.max() + 100 + 0 * values,
    )
    reporting = System(
        "n",
        n_values,
        n_values,
        n_values,
        equations,
        np.full(len(values), 10.0),
        np.full(len(values), n_values.max() + 20),
    )
    found, hopeless = protect([weighted, reporting], primary, 1 + n_values, fixed)
    assert (found >= primary).all()
    for system in (weighted, reporting):
        cells = [c for c in np.flatnonzero(found) if c not in hopeless]
        if cells:
            lower, upper = derivable(system, found, cells)
            assert (upper - lower >= system.protection[cells] * (1 - 1e-4)).all()
            assert (lower <= system.values[cells] + 1e-4 * system.protection.max()).all()
            assert (upper >= system.values[cells] - 1e-4 * system.protection.max()).all()


TABLES = {
    "seed": st.integers(0, 2**32 - 1),
    "rows": st.integers(2, 7),
    "columns": st.integers(1, 4),
    "half": st.sampled_from([0.0, 0.005, 0.05]),
}


@settings(max_examples=15, deadline=None)
@given(**TABLES)
def test_no_derivable_interval_is_narrower_than_the_protection(seed, rows, columns, half):
    check_random_table(seed, rows, columns, half)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(**TABLES)
def test_nor_on_thousands_of_tables(seed, rows, columns, half):
    check_random_table(seed, rows, columns, half)


def tried(values, equations, hidden, ceiling):
    """Every table of whole numbers that agrees with what is shown: no programme, no arithmetic."""
    fills = np.indices([ceiling + 1] * len(hidden)).reshape(len(hidden), -1).T
    tables = np.repeat(values[None], len(fills), axis=0)
    tables[:, hidden] = fills
    tables = tables[(tables @ equations.T == 0).all(axis=1)]
    return tables.min(axis=0), tables.max(axis=0)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_derived_intervals_agree_with_trying_every_table(data):
    """Nested and crossed tables have totally unimodular equations: whole ends are attained."""
    rows, columns = data.draw(st.sampled_from([(1, 3), (2, 2), (2, 3)]))
    core = np.array(
        data.draw(
            st.lists(st.integers(0, 3), min_size=rows * columns, max_size=rows * columns),
        ),
        float,
    ).reshape(rows, columns)
    values, equations, _, _ = two_way(core, 0.0)
    hidden = sorted(data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1, max_size=3)))
    ceiling = int(values.max()) + 3
    need = np.full(len(values), 1.0)
    system = System(
        "n", values, values, values, equations, need, np.full(len(values), float(ceiling))
    )
    mask = np.zeros(len(values), bool)
    mask[hidden] = True
    lower, upper = derivable(system, mask, hidden)
    low, high = tried(values, equations, hidden, ceiling)
    assert lower == pytest.approx(low[hidden], abs=1e-6)
    assert upper == pytest.approx(high[hidden], abs=1e-6)
    narrow = {c for _, c in unproved([system], mask)}
    assert narrow == {c for c in hidden if high[c] - low[c] < 1}


def test_nothing_is_suppressed_in_vain():
    for seed in range(3):
        generator = np.random.default_rng(seed)
        counts = generator.poisson(generator.gamma(1.0, 25, (6, 3))).astype(float)
        values, equations, _, fixed = two_way(counts, 0.0)
        need = np.full(len(values), 10.0)
        most = np.full(len(values), values.max() + 20)
        system = System("n", values, values, values, equations, need, most)
        primary = (values < 10) & ~fixed
        found, hopeless = protect([system], primary, 1 + values, fixed)
        assert not hopeless
        again, _ = protect([system], primary, 1 + values, fixed)
        assert (found == again).all()
        for cell in np.flatnonzero(found & ~primary):
            fewer = found.copy()
            fewer[cell] = False
            assert unproved([system], fewer), "a cell was suppressed that needn't be"


def test_regions_by_two_by_six_are_proved():
    generator = np.random.default_rng(3)
    core = generator.poisson(generator.gamma(1.0, 30, (17, 2, 6))).astype(float)
    full = np.zeros((18, 3, 7))
    full[:17, :2, :6] = core
    full[17] = full[:17].sum(axis=0)
    full[:, 2] = full[:, :2].sum(axis=1)
    full[:, :, 6] = full[:, :, :6].sum(axis=2)
    place = np.arange(full.size).reshape(full.shape)
    parents = [(place[17, a, b], place[:17, a, b]) for a in range(3) for b in range(7)]
    parents += [(place[r, 2, b], place[r, :2, b]) for r in range(18) for b in range(7)]
    parents += [(place[r, a, 6], place[r, a, :6]) for r in range(18) for a in range(3)]
    values = full.ravel()
    fixed = np.zeros(full.shape, bool)
    fixed[17, 2, 6] = True
    fixed = fixed.ravel()
    equations = nested_equations([("", "")] * values.size, parents)
    need = np.full(values.size, 10.0)
    system = System("n", values, values, values, equations, need, values.max() * 2 + 0 * values)
    primary = (values < 10) & ~fixed
    assert primary.sum() > 20
    found, hopeless = protect([system], primary, 1 + values, fixed)
    assert unproved([system], found) == []
    assert not hopeless
