from dataclasses import replace

import numpy as np
import pytest

from prevalence.adjustment import Factor, adjusted_ratio
from prevalence.concentration import influential_table
from prevalence.sensitivity import (
    break_even,
    combined_multiplier,
    contour,
    influence,
    influence_table,
    tornado,
)


def test_the_tornado_moves_one_factor_at_a_time():
    rate = Factor("true_positive_rate", np.linspace(0.4, 0.8, 1_001), "given")
    ratio = Factor("degree_ratio", np.full(5, 0.5), "given")
    rows = tornado(100.0, [rate, ratio])
    assert [row["factor"] for row in rows] == ["true_positive_rate"] * 2 + ["degree_ratio"] * 2
    assert rows[0]["value"] == pytest.approx(0.41)
    assert rows[0]["estimate"] == pytest.approx(100 / 0.5 / 0.41)
    assert rows[2]["estimate"] == rows[3]["estimate"] == pytest.approx(100 / 0.5 / 0.6)


def test_the_contour_is_the_formula_on_a_grid():
    rows = contour(
        100.0, ("true_positive_rate", np.array([0.5, 1.0])), ("degree_ratio", np.array([0.8, 1.0]))
    )
    assert len(rows) == 4
    found = {(row["value"], row["second_value"]): row["estimate"] for row in rows}
    assert found[0.5, 0.8] == pytest.approx(250)
    assert found[1.0, 1.0] == 100


def test_at_the_break_even_value_the_claim_is_met():
    rows = break_even(400.0, 300.0, 500.0, [{"id": "children", "low": 450.0, "high": 500.0}])
    assert [row["value"] for row in rows] == [450, 500]
    for row in rows:
        adjusted = 400.0 * combined_multiplier({"true_positive_rate": row["estimate"]})
        assert adjusted == pytest.approx(row["value"])
        assert row["lower"] < row["estimate"] < row["upper"]


def test_the_break_even_value_of_a_ratio_is_a_quotient_of_products():
    row = break_even(2.0, 1.8, 2.2, [{"id": "two", "low": 1.6, "high": 2.5}])[0]
    above = Factor("true_positive_rate", np.full(9, 0.5 * row["estimate"]), "given")
    below = Factor("true_positive_rate", np.full(9, 0.5), "given")
    ratio = {
        one["adjustment"]: one for one in adjusted_ratio(np.full(9, 2.0), [above], [below], 0.9)
    }
    assert ratio["all"]["estimate"] == pytest.approx(1.6)


def test_one_place_behind_all_reports_stands_first():
    reports = np.array([0.0, 1.0, 9.0, 0.0, np.nan])
    degree = np.array([100.0, 100.0, 100.0, 100.0, 100.0])
    weights = np.array([1.0, 2.0, 1.0, 1.0, 1.0])
    unit = np.array(["a", "b", "c", "c", "d"])
    table = influence(reports, degree, weights, unit, 10_000.0)
    assert len(table) == 3  # nobody in d answered
    first = table.iloc[0]
    assert first["share_of_reports"] == pytest.approx(9 / 11)
    assert first["estimate_without"] == pytest.approx(10_000 * 2 / 300)
    assert first["relative_change"] == pytest.approx((2 / 300) / (11 / 500) - 1)
    assert first["n"] == 2
    assert first["n_reporting"] == 1
    assert table["share_of_reports"].sum() == pytest.approx(1)


def test_places_of_one_label_in_two_strata_are_two(study_from):
    study = study_from()
    unique, frame = influence_table(study), study.respondents
    again = frame.assign(psu=frame["psu"].astype(int) // 4, ssu=frame["ssu"].astype(int) % 10)
    labelled = influence_table(replace(study, respondents=again))
    assert len(unique) == len(labelled)
    np.testing.assert_allclose(
        np.sort(labelled["relative_change"]), np.sort(unique["relative_change"])
    )


@pytest.mark.parametrize("estimator", ["mean_of_ratios", "unweighted_ratio_of_sums"])
def test_influence_is_that_on_the_headlines_estimator(study_from, estimator):
    study = study_from(headline={"estimator": estimator})
    table, frame = influence_table(study), study.respondents
    place = frame["psu"] + "/" + frame["ssu"]
    first = study.hidden_groups()[0]
    whole = study.headline_estimates([first]).ratio[0]
    without = []
    for one in place.unique():
        reports = np.where(place == one, np.nan, first.reports)
        without.append(study.headline_estimates([replace(first, reports=reports)]).ratio[0])
    found = table.loc[table["group"] == first.name, "relative_change"]
    np.testing.assert_allclose(np.sort(found), np.sort(np.array(without) / whole - 1), atol=1e-12)
    ranked = influential_table(study).set_index(["group", "rank"]).loc[first.name]
    changes = []
    for i in range(len(frame)):
        reports = np.where(np.arange(len(frame)) == i, np.nan, first.reports)
        changes.append(study.headline_estimates([replace(first, reports=reports)]).ratio[0])
    changes = np.abs(np.array(changes) / whole - 1)
    assert abs(ranked.loc[1, "relative_change"]) == pytest.approx(changes.max())
