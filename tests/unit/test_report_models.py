"""The report's table of priors: what it says of changes, and where it says nothing."""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "report"))

from material_of import philippine_material  # noqa: E402

from prevalence.report.tables_models import priors_table  # noqa: E402

FULL = philippine_material()


def row_of(half, twice, k=(0.1, 0.1), power=0.01, draws=2_400):
    """The table's row of victims, its cells, and what stands below it."""
    sensitivity = pd.DataFrame(
        [
            {"estimator": "overdispersed", "group": "victims", "prior_scale": scale,
             "estimate": 100_000.0 * change, "pareto_k": pareto, "power_scaling": power,
             "converged": True}
            for scale, change, pareto in ((1.0, 1.0, None), (0.5, half, k[0]), (2.0, twice, k[1]))
        ]
    )  # fmt: skip
    diagnostics = FULL.tables["diagnostics"].assign(draws=draws)
    tables = FULL.tables | {"prior_sensitivity": sensitivity, "diagnostics": diagnostics}
    written = priors_table(replace(FULL, tables=tables))
    line = next(one for one in written.splitlines() if "| " in one and "0.0" in one)
    return [cell.strip() for cell in line.strip("| ").split("|")][2:], written


def test_changes_that_weights_reach_are_written_in_per_cent():
    cells, written = row_of(1.04, 0.97)
    assert cells == ["+4", "−3", "0.010", "no"]
    assert "Pareto" not in written


def test_a_large_change_or_power_scaling_says_that_an_estimate_leans():
    assert row_of(1.57, 0.84)[0] == ["+57", "−16", "0.010", "yes"]
    assert row_of(1.02, 0.99, power=0.06)[0][3] == "yes"


def test_a_change_that_weights_do_not_reach_is_a_dash_with_a_note():
    cells, written = row_of(1.04, 0.97, k=(0.75, 0.1))
    assert cells == ["–", "−3", "0.010", "–"]
    assert "Pareto k too high" in written
    assert row_of(1.04, 0.8, k=(0.75, 0.1))[0][3] == "yes"
    # Of 120 draws a k of 0.6 is too high, of 2,400 it isn't.
    assert row_of(1.04, 0.97, k=(0.6, 0.1))[0][0] == "+4"
    assert row_of(1.04, 0.97, k=(0.6, 0.1), draws=120)[0][0] == "–"
