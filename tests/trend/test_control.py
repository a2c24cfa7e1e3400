"""A trend shows nothing that either wave withholds."""

import numpy as np
import pandas as pd
import pytest

from prevalence.disclosure.rules import Policy
from prevalence.waves.control import (
    cell_reasons,
    controlled_changes,
    controlled_controls,
    controlled_levels,
    validated,
)

POLICY = Policy()
CELL = {"group": "victims", "domain_type": "region"}


def own(domains, **flags):
    """A wave's released estimates."""
    rows = [
        {**CELL, "estimator": "ratio_of_sums", "domain": domain, "unit": "per_100"}
        | {"suppressed": flags.get(domain, ""), "precision": flags.get(f"{domain}_precision", "")}
        | {"n": flags.get("n", 100)}
        for domain in domains
    ]
    return cell_reasons(pd.DataFrame(rows).replace("", np.nan), "ratio_of_sums")


def changes(domains, **values):
    rows = [
        {**CELL, "domain": domain, "unit": "per_100", "measure": measure, "estimate": 0.77123}
        | {"std_error": 0.0957, "lower": 0.6012, "upper": 0.9891, "level": 0.95, "df": 308.3}
        | {"se_linearised": 0.09, "correlation": 0.0333, "n": 100, "n_reporting": 40}
        | {"n_earlier": 100, "n_reporting_earlier": 60}
        | values
        for domain in domains
        for measure in ("ratio", "difference")
    ]
    return pd.DataFrame(rows)


NUMBERS = ["estimate", "std_error", "lower", "upper", "df", "correlation", "n", "n_earlier"]


@pytest.mark.parametrize("wave", [0, 1])
def test_a_change_is_withheld_where_either_wave_withholds_the_level(wave):
    waves = [own("AB"), own("AB")]
    waves[wave] = own("AB", B="primary")
    found = controlled_changes(changes("AB"), waves, POLICY).set_index("domain")
    assert (found.loc["A", "suppressed"] == "").all()
    assert found.loc["A", NUMBERS].notna().all(axis=None)
    assert (found.loc["B", "suppressed"] == "primary").all()
    assert found.loc["B", NUMBERS].isna().all(axis=None)


def test_a_cell_that_a_wave_never_released_is_withheld():
    found = controlled_changes(changes("AB"), [own("AB"), own("A")], POLICY).set_index("domain")
    assert (found.loc["B", "suppressed"] == "geography").all()
    assert found.loc["B", NUMBERS].isna().all(axis=None)


def test_no_point_where_a_level_has_none():
    waves = [own("A", A_precision="interval_only"), own("A")]
    found = controlled_changes(changes("A"), waves, POLICY)
    assert (found["precision"] == "interval_only").all()
    assert found[["estimate", "std_error"]].isna().all(axis=None)
    assert found[["lower", "upper"]].notna().all(axis=None)


def test_few_respondents_are_withheld():
    found = controlled_changes(changes("A", n_earlier=9), [own("A"), own("A")], POLICY)
    assert (found["suppressed"] == "primary").all()


def test_a_number_of_respondents_that_the_waves_own_release_does_not_show_is_left_out():
    """Frozen choices leave others out: two numbers would count the handful between them."""
    table = changes("AB")
    table.loc[table["domain"] == "B", "n"] = 103
    found = controlled_changes(table, [own("AB"), own("AB")], POLICY)
    assert found["n"].isna().all()  # of the whole group: B's is the whole's less A's
    assert found["n_earlier"].tolist() == [100] * 4
    assert found["estimate"].notna().all()
    found = controlled_changes(changes("AB"), [own("AB", n=np.nan), own("AB")], POLICY)
    assert found["n_earlier"].isna().all()
    withheld = controlled_changes(table, [own("AB"), own("AB", B="primary")], POLICY)
    assert withheld["n"].fillna(0).tolist() == [100, 100, 0, 0]


def test_a_change_of_nothing_at_all_is_rounded_by_its_limits():
    table = changes("A", estimate=0.0, std_error=0.0, lower=-0.92743254, upper=0.92743254)
    found = controlled_changes(table, [own("A"), own("A")], POLICY)
    assert (found["precision"] == "interval_only").all()
    assert found["lower"].tolist() == [-0.927, -0.927]
    assert found["upper"].tolist() == [0.927, 0.927]


def test_numbers_are_rounded_and_reporters_left_out():
    found = controlled_changes(changes("A"), [own("A"), own("A")], POLICY).iloc[0]
    assert (found["estimate"], found["lower"], found["upper"]) == (0.77, 0.6, 0.99)
    assert found["df"] == 310
    assert not {"n_reporting", "n_reporting_earlier", "se_linearised"} & {*found.index}


def test_precision_is_that_of_the_ratio_for_both_measures():
    table = changes("A", std_error=0.3)
    table.loc[table["measure"] == "difference", ["estimate", "std_error"]] = [0.001, 0.1]
    found = controlled_changes(table, [own("A"), own("A")], POLICY)
    assert list(found["precision"]) == ["imprecise", "imprecise"]


def test_a_level_follows_its_own_wave():
    rows = changes("A").drop(columns=["n_earlier", "n_reporting_earlier", "measure", "correlation"])
    levels = rows.assign(wave=["one", "two"], interval="zero_reports")
    waves = {"one": own("A", A="dominance"), "two": own("A")}
    found = controlled_levels(levels, waves, POLICY)
    assert list(found["suppressed"]) == ["dominance", ""]
    assert list(found["interval"]) == ["", "zero_reports"]
    assert np.isnan(found["estimate"][0])


def test_controls_rest_on_enough_respondents():
    table = pd.DataFrame(
        {"group": ["a", "b"], "estimate": 1.0234, "std_error": 0.04, "lower": 0.94, "upper": 1.11}
        | {"level": 0.95, "df": 30.0, "expected": 1.05123, "agrees": True, "n": [50, 9]}
        | {"n_earlier": 40}
    )
    found = controlled_controls(table, POLICY)
    assert list(found["group"]) == ["a"]
    assert found["expected"][0] == 1.05


def test_truth_is_beside_what_was_released():
    released = controlled_changes(changes("AB"), [own("AB"), own("A")], POLICY)
    truth = [
        {**CELL, "domain": domain, "unit": "per_100", "measure": "ratio", "truth": 0.7}
        for domain in "AB"
    ]
    found = validated(released, truth).set_index("domain")
    assert found.loc["A", "covered"] is True
    assert found.loc["B", "covered"] is None
    assert validated(released, []).empty
