"""Results computed once, under data/reference/: of these parameters, whole, as expected."""

from pathlib import Path

import numpy as np
import pytest

from prevalence.files import read_csv, read_json, read_yaml
from prevalence.identity import value_hash

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "data" / "reference"
CONFIG = read_yaml(ROOT / "benchmarks" / "worlds.yaml")


@pytest.fixture(scope="module")
def coverage():
    return read_csv(REFERENCE / "coverage.csv")


@pytest.mark.parametrize("name", ["coverage", "planning"])
def test_a_result_says_where_it_comes_from(name):
    sidecar = read_json(REFERENCE / f"{name}.json")
    assert sidecar["parameters_sha256"] == value_hash(CONFIG), f"run benchmarks/{name}.py"
    assert sidecar["seed"] == CONFIG["seed"]
    assert {"command", "date", "code_sha256", "modules", "surveys"} <= set(sidecar)


def test_every_world_was_surveyed_a_thousand_times(coverage):
    assert set(coverage["world"]) == set(CONFIG["worlds"])
    assert (coverage["surveys"] == CONFIG["surveys"]).all()
    assert (coverage["without_interval"] == 0).all()
    assert (
        coverage["coverage"].between(coverage["coverage_lower"], coverage["coverage_upper"]).all()
    )


def headline_of(coverage, held):
    return coverage[
        (coverage["holds"] == held)
        & (coverage["estimator"] == "ratio_of_sums")
        & (coverage["interval"] == "log_t")
        & (coverage["variance"] == "bootstrap")
    ]


def test_where_assumptions_hold_nothing_is_biased(coverage):
    rows = headline_of(coverage, held=True)
    assert len(rows) >= 9
    assert (rows["bias_in_sd"].abs() < 0.2).all()
    # The variance is right on average, whatever the tail of a single survey's standard error.
    assert rows["rms_se_over_sd"].between(0.85, 1.15).all()


def test_where_reports_are_not_concentrated_the_aims_are_met(coverage):
    rows = headline_of(coverage, held=True)
    rows = rows[(rows["world"] == "less_concentrated") & (rows["mean_reporting"] >= 100)]
    nation = rows[rows["domain"] == "national"]
    assert nation["coverage_upper"].ge(0.93).all()
    assert nation["coverage_lower"].le(0.97).all()
    assert nation["se_over_sd"].between(0.93, 1.07).all()


def test_failures_are_shown_as_they_are(coverage):
    worlds = headline_of(coverage, held=False)
    nation = worlds[(worlds["domain"] == "national") & (worlds["group"] == "victims")]
    found = nation.set_index("world")
    assert found.loc["transmission_0_6", "relative_bias"] == pytest.approx(-0.4, abs=0.02)
    assert found.loc["degree_ratio_0_7", "relative_bias"] == pytest.approx(-0.3, abs=0.02)
    assert found.loc["recall_fading", "coverage"] < 0.9
    adjusted = coverage[coverage["estimator"] == "adjusted_by_the_truth"]
    assert (adjusted["relative_bias"].abs() < 0.02).all()


def test_the_planning_formula_agrees_with_simulation():
    table = read_csv(REFERENCE / "planning.csv")
    noise = 1 / np.sqrt(2 * table["surveys"])
    ratio = table["simulated_cv"] / table["expected_cv"]
    assert np.abs(np.log(ratio)).mean() < 2 * noise.mean()
    assert table["simulated_cv"].corr(table["expected_cv"]) > 0.7


def test_redrawn_surveys_are_a_thousand_and_meet_the_aims():
    table = read_csv(REFERENCE / "redrawn_surveys.csv")
    assert (table["surveys"] == 1_000).all()
    own = (table["interval"] == "log_t") & (table["variance"] == "bootstrap")
    nation = table[own & (table["domain"] == "national")]
    assert set(nation["group"]) == {"victims", "perpetrators", "victims_per_perpetrator"}
    assert nation["coverage_upper"].ge(0.93).all()
    assert nation["coverage_lower"].le(0.97).all()
    assert (nation["bias_in_sd"].abs() < 0.2).all()


def test_twenty_further_seeds_are_told_hit_or_miss():
    table = read_csv(REFERENCE / "further_seeds.csv")
    shipped = read_yaml(ROOT / "config" / "synthetic" / "ph2022.yaml")["seed"]
    assert sorted(set(table["seed"])) == list(range(shipped + 1, shipped + 21))
    held = (table["lower"] <= table["truth"]) & (table["truth"] <= table["upper"])
    assert (table["covered"] == held).all()
    # Fewer than 15 of 20 have a chance of 1 in 3,000 if the intervals hold 95 in 100.
    assert (table.groupby("group")["covered"].sum() >= 15).all()


def test_the_engine_covers_in_the_design_of_the_survey():
    table = read_csv(REFERENCE / "design_coverage.csv")
    assert (table["samples"] == 1_000).all()
    assert (table["bias_over_sd"].abs() < 0.2).all()
    logarithmic = table[(table["interval"] == "log_t") & (table["estimand"] != "domain_ratio")]
    assert logarithmic["coverage_upper"].ge(0.93).all()
