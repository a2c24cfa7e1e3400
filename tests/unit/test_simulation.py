"""Simulation studies in parts: the same numbers however the surveys are divided."""

from pathlib import Path

import numpy as np
import pytest

from prevalence.coverage import VALUES
from prevalence.files import read_yaml
from prevalence.planning import detectable_log_change
from prevalence.simulation import (
    PRESENT_SURVEYS,
    change_found,
    expected_components,
    planning_rows,
    redesigned,
    simulate_coverage,
    simulate_design,
    world_table,
)
from prevalence.streams import stream
from prevalence.worlds import build_world

CONFIG = read_yaml(Path(__file__).parents[2] / "benchmarks" / "worlds.yaml")
SMALL = {"areas": 200, "regions": 4, "island_breaks": [1, 2], "psus": 40, "replicates": 20}
PARAMETERS = {**CONFIG["defaults"], **CONFIG["worlds"]["plain"], **SMALL}
DESIGN = {"psus": 60, "households_per_place": 5}


@pytest.mark.parametrize("size", [1, 2, 4])
def test_parts_of_a_world_give_the_values_of_the_whole(size):
    keys, whole = simulate_coverage("plain", PARAMETERS, 7, 0, 4)
    pieces = [simulate_coverage("plain", PARAMETERS, 7, first, size) for first in range(0, 4, size)]
    assert all(piece[0] == keys for piece in pieces)
    np.testing.assert_array_equal(np.concatenate([piece[1] for piece in pieces]), whole)
    assert whole.shape == (4, len(keys), len(VALUES))


def test_a_world_s_table_says_whose_it_is():
    keys, values = simulate_coverage("plain", PARAMETERS, 7, 0, 3)
    table = world_table("plain", PARAMETERS, [list(key) for key in keys], values)
    assert set(table["world"]) == {"plain"}
    assert table["holds"].all()
    assert (table["surveys"] == 3).all()
    assert len(table) == len(keys)


def test_a_redesigned_world_is_the_same_world():
    world = build_world(PARAMETERS, stream(7, "plain", "world"))
    other = redesigned(world, DESIGN)
    np.testing.assert_array_equal(other.share, world.share)
    assert other.parameters["psus"] == 60
    assert world.parameters["psus"] == 40


def test_parts_of_a_design_give_the_values_of_the_whole():
    whole = simulate_design("plain", PARAMETERS, 7, DESIGN, 1, 0, 3)
    pieces = [simulate_design("plain", PARAMETERS, 7, DESIGN, 1, first, 1) for first in range(3)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    another = simulate_design("plain", PARAMETERS, 7, DESIGN, 2, 0, 1)
    assert not np.array_equal(another, whole[:1])


def test_the_planning_table_counts_and_compares():
    values = simulate_design("plain", PARAMETERS, 7, DESIGN, 1, 0, 3)
    components = expected_components("plain", PARAMETERS, 7)
    rows = planning_rows("plain", components, values, present=values)
    assert [row["group"] for row in rows] == ["victims", "perpetrators"]
    assert all(len(found) == PRESENT_SURVEYS for found in components.values())
    first = rows[0]
    assert first["surveys"] == 3
    assert first["psus"] == round(values[:, -3].mean())
    assert first["simulated_cv"] == pytest.approx(
        np.std(values[:, 0], ddof=1) / values[:, 0].mean()
    )
    assert first["power"] == 0.8
    assert first["expected_cv_low"] <= first["expected_cv"] <= first["expected_cv_high"]
    assert (1 + first["detectable_fall"]) * (1 + first["detectable_rise"]) == pytest.approx(1)


def test_the_detectable_change_is_found_in_four_of_five_pairs_of_waves():
    """Log-normal estimates with the variances that the formula is told, and known errors."""
    generator = np.random.default_rng(3)
    waves = [
        np.column_stack([1e5 * np.exp(cv * generator.standard_normal(900)), np.full(900, cv)])
        for cv in (0.06, 0.1)
    ]
    reach = detectable_log_change(0.06**2, 0.1**2, 120, level=0.95, power=0.8)
    for change in (reach, -reach):
        assert change_found(*waves, change, 120) == pytest.approx(0.8, abs=0.03)
    assert change_found(*waves, 0.0, 120) == pytest.approx(0.05, abs=0.015)
