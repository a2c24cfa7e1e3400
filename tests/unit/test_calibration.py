"""Agreement with R survey's calibrated weights and standard errors; margins that cannot be met."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence.calibration import Auxiliary, calibrate
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.variance import estimate_means, estimate_ratios, estimate_totals

REFERENCE = Path(__file__).parents[1] / "reference" / "survey"
EXPECTED = json.loads((REFERENCE / "calibration.json").read_text())
POP = EXPECTED["pop"]
NAMES = ("apiclus1_fpc", "apistrat_fpc")
# test_weighting.py has the trimmed weights.
CASES = [
    (name, case) for name in NAMES for case in EXPECTED[name] if not case.startswith("trim_rake3")
]


def design_of(name):
    data = pd.read_csv(REFERENCE / f"{name.split('_')[0]}.csv")
    labels = {"units": data["dnum"]} if name == "apiclus1_fpc" else {"strata": data["stype"]}
    return data, SampleDesign.from_columns(data["pw"], population=data["fpc"], **labels)


def margins(data, names):
    totals = {f"{m}: {c}": v for m in names for c, v in POP[m].items()}
    return Auxiliary.from_margins({m: data[m] for m in names}), totals


def type_and_score(data):
    """R's model ~ stype + api99."""
    columns = [np.ones(len(data)), data["stype"] == "H", data["stype"] == "M", data["api99"]]
    names = ["one", "H", "M", "api99"]
    totals = [POP["N"], POP["stype"]["H"], POP["stype"]["M"], POP["sum_api99"]]
    return Auxiliary.from_values(np.column_stack(columns), names), dict(
        zip(names, totals, strict=True)
    )


def calibration_of(data, design, case, tight):
    w = design.weights
    if case == "poststrat_stype":
        return calibrate(w, *margins(data, ["stype"]), method="poststratification")
    if case.startswith("rake"):
        names = {"rake2": ["stype", "sch.wide"], "rake3": ["stype", "sch.wide", "awards"]}
        if case.startswith("rake2") or case.startswith("rake3"):
            auxiliary, totals = margins(data, names[case[:5]])
            return calibrate(w, auxiliary, totals, method="raking", residuals="rake", **tight)
    auxiliary, totals = type_and_score(data)
    if case == "linear_aggregate_stage1":
        return calibrate(w, auxiliary.shared_within(data["dnum"], w), totals, method="linear")
    method, bounds = {
        "greg_linear_stype_api99": ("linear", None),
        "raking_cal_stype_api99": ("exponential", None),
        "linear_bounded_0.7_1.6_stype_api99": ("linear", (0.7, 1.6)),
        "logit_0.5_2.5_stype_api99": ("logit", (0.5, 2.5)),
    }[case]
    return calibrate(w, auxiliary, totals, method=method, bounds=bounds, **tight)


def close(found, expected):
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), rtol=1e-9)


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize(("name", "case"), CASES)
def test_weights_and_standard_errors(name, case, precise):
    data, design = design_of(name)
    expected = EXPECTED[name][case]
    calibration = calibration_of(data, design, case, {"tolerance": 1e-13} if precise else {})
    close(calibration.calibrated, expected["weights"])
    g = calibration.calibrated / calibration.initial
    close([g.min(), g.max()], expected["g_range"])
    after = design.with_calibration(calibration)
    found = {
        "mean_api00": estimate_means(after, data["api00"]),
        "total_api00": estimate_totals(after, data["api00"]),
        "total_enroll": estimate_totals(after, data["enroll"]),
        "ratio_stu_enroll": estimate_ratios(after, data["api.stu"], data["enroll"]),
        "domain_mean_api00_sch.wide": estimate_means(after, data["api00"], data["sch.wide"]),
    }
    assert set(found) | {"weights", "g_range"} == set(expected)
    for key, estimates in found.items():
        numbers = expected[key]
        close(estimates.value, numbers["est"])
        close(estimates.std_errors, numbers["se"])
        if "vcov" in numbers:
            close(estimates.covariance, numbers["vcov"])
            assert estimates.df[0] == numbers["df"]
            close(estimates.interval(), [numbers["lci"], numbers["uci"]])


def test_residuals_of_rake_are_near_those_of_the_regression():
    data, design = design_of("apistrat_fpc")
    auxiliary, totals = margins(data, ["stype", "sch.wide", "awards"])
    errors = []
    for residuals in ("weighted", "rake"):
        made = calibrate(design.weights, auxiliary, totals, residuals=residuals)
        errors.append(estimate_means(design.with_calibration(made), data["api00"]).std_errors[0])
    assert errors[0] == pytest.approx(errors[1], rel=0.02)
    assert errors[0] != pytest.approx(errors[1], rel=1e-6)
    for residuals, other in (("plain", auxiliary), ("rake", type_and_score(data)[0])):
        with pytest.raises(PipelineError, match="Residuals"):
            calibrate(design.weights, other, totals, residuals=residuals)


def simple(totals, **changes):
    labels = {"sex": list("ffmm"), "age": list("yoyo")}
    return calibrate(np.ones(4), Auxiliary.from_margins(labels), totals, **changes)


GOOD = {"sex: f": 30.0, "sex: m": 20.0, "age: y": 25.0, "age: o": 25.0}


@pytest.mark.parametrize(
    ("changes", "problem", "words"),
    [
        ({"age: o": 35.0}, "different population totals", ["sex sums to 50", "age sums to 60"]),
        ({"sex: m": 0.0, "sex: f": 50.0}, "cannot be met", ["sex: m has weight 2"]),
        ({"sex: x": 1.0}, "same categories", ["totals without respondents: sex: x"]),
    ],
)
def test_impossible_margins_name_margin_and_category(changes, problem, words):
    with pytest.raises(PipelineError, match=problem) as caught:
        simple(GOOD | changes)
    for word in words:
        assert word in str(caught.value)


def test_non_convergence_says_how_far_off_and_where():
    with pytest.raises(PipelineError, match="didn't converge") as caught:
        simple(GOOD, method="logit", bounds=(0.9, 1.1))
    assert "margin sex: f" in str(caught.value)
    assert "for a population of 30" in str(caught.value)


@pytest.mark.parametrize(
    ("method", "bounds"),
    [("rake", None), ("logit", None), ("raking", (0.5, 2.0)), ("linear", (1.2, 2.0))],
)
def test_methods_and_bounds_must_fit(method, bounds):
    with pytest.raises(PipelineError):
        simple(GOOD, method=method, bounds=bounds)
