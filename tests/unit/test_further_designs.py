"""Calibration, lone PSUs and replicates against R survey, beyond the designs of test_design.py."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_design import agree, clusters, half_samples, lone_sample

from prevalence.calibration import Auxiliary, calibrate
from prevalence.design import SampleDesign
from prevalence.replication import (
    CalibrationPlan,
    GivenReplicates,
    Replicates,
    balanced_repeated,
    jackknife,
    replicate,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "survey"
EXPECTED = json.loads((REFERENCE / "further_designs.json").read_text())


def test_a_lone_stratum_without_the_outcome_counts_among_the_strata():
    data = lone_sample()
    data = data.assign(y=np.where(data["stype"] == "H", 0, data["api00"]), g=data["sch.wide"])
    design = SampleDesign.from_columns(
        data["pw"], strata=data["stype"], population=data["fpc"], lone_psu="average"
    )
    agree(design, data, EXPECTED["average_zero"])


@pytest.mark.parametrize(
    ("case", "method", "bounds"),
    [("two_stage_logit", "logit", (0.4, 2.2)), ("two_stage_raking", "exponential", None)],
)
def test_two_stages_after_calibration(case, method, bounds):
    data = pd.read_csv(REFERENCE / "apiclus2.csv")
    psus = data.groupby("dnum")["snum"].transform("nunique")
    weights = data["fpc1"] / data["dnum"].nunique() * data["fpc2"] / psus
    design = SampleDesign.from_columns(
        weights, units=[data["dnum"], data["snum"]], population=[data["fpc1"], data["fpc2"]]
    )
    columns = [np.ones(len(data)), data["g"] == "H", data["g"] == "M"]
    auxiliary = Auxiliary.from_values(np.column_stack(columns), ["one", "H", "M"])
    totals = {"one": 6194.0, "H": 755.0, "M": 1018.0}
    calibration = calibrate(
        weights, auxiliary, totals, method=method, bounds=bounds, tolerance=1e-13
    )
    if "weights" in EXPECTED[case]:
        np.testing.assert_allclose(calibration.calibrated, EXPECTED[case]["weights"], rtol=1e-8)
    data["g"] = np.where(data["x"] < 350, "small", "large")
    agree(design.with_calibration(calibration), data, EXPECTED[case])


@pytest.mark.parametrize(
    ("case", "stratified", "method"),
    [
        ("jkn_raking", True, "raking"),
        ("jkn_raking", True, "exponential"),
        ("jkn_linear", True, "linear"),
        ("jk1_raking", False, "raking"),
    ],
)
def test_jackknives_with_calibration_repeated(case, stratified, method):
    data = clusters()
    data = data.assign(g=data["sch.wide"], h=np.where(data["dnum"] % 2 == 0, "even", "odd"))
    design = SampleDesign.from_columns(
        data["pw"], strata=data["h"] if stratified else None, units=data["dnum"]
    )
    margins = Auxiliary.from_margins({"wide": data["sch.wide"], "awards": data["awards"]})
    totals = {"wide: No": 6194 - 5122, "wide: Yes": 5122, "awards: No": 6194 - 4027}
    totals |= {"awards: Yes": 4027}
    calibration = calibrate(data["pw"], margins, totals, method=method, tolerance=1e-13)
    made = replicate(
        design.with_weights(calibration.calibrated),
        jackknife(design),
        base=design.weights,
        auxiliary=margins,
        plan=CalibrationPlan(totals, method=method, tolerance=1e-13, maximum_iterations=1000),
    )
    agree(made, data, EXPECTED[case])


def test_fays_half_samples_with_calibration_repeated():
    data = half_samples()
    data["g"] = np.where(data["ambulance"] == 1, "a", "b")
    design = SampleDesign.from_columns(data["w"], strata=data["ESA"], units=data["ambulance"])
    margin = Auxiliary.from_margins({"g": data["g"]})
    totals = {"g: a": 5.5, "g: b": 4.5}
    calibration = calibrate(data["w"], margin, totals, method="linear")
    made = replicate(
        design.with_weights(calibration.calibrated),
        balanced_repeated(design, 0.3),
        base=design.weights,
        auxiliary=margin,
        plan=CalibrationPlan(totals, method="linear"),
    )
    # The balanced set is another than R's: within its strata a total of the margin doesn't vary.
    ones = (data["g"] == "a").to_numpy(float)
    np.testing.assert_allclose(made.totals(ones)[:, 0], np.full(made.count, 5.5))
    # With R's half-samples, its numbers.
    expected = EXPECTED["fay_linear"]
    weights = np.array([list(row.values()) for row in expected["weights"]])
    sums = {label: weights[data["g"] == label].sum(axis=0) for label in ("a", "b")}
    for label, total in (("a", 5.5), ("b", 4.5)):
        weights[data["g"] == label] *= total / sums[label]
    agree(GivenReplicates.of(calibration.calibrated, weights, expected["scale"][0]), data, expected)


def test_given_weights_about_their_mean():
    data = clusters()
    data = data.assign(g=data["sch.wide"], h=np.where(data["dnum"] % 2 == 0, "even", "odd"))
    design = SampleDesign.from_columns(data["pw"], strata=data["h"], units=data["dnum"])
    factors = jackknife(design)
    weights = Replicates(design, factors).weights()
    given = GivenReplicates.of(data["pw"], weights, factors.scale, about_mean=True)
    agree(given, data, EXPECTED["given_about_mean"])
    assert given.degrees_of_freedom == EXPECTED["given_about_mean"]["degf"][0]
