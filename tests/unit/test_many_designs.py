"""Every design, rule for lone PSUs and calibration of many_designs.R against R survey 4.5."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence.calibration import Auxiliary, calibrate
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.replication import (
    CalibrationPlan,
    GivenReplicates,
    Replicates,
    jackknife,
    replicate,
)
from prevalence.variance import estimate_means, estimate_ratios, estimate_totals, join
from prevalence.weighting import trim_weights

REFERENCE = Path(__file__).parents[1] / "reference" / "survey"
EXPECTED = json.loads((REFERENCE / "many_designs.json").read_text())
DATA = pd.read_csv(REFERENCE / "many_designs.csv", dtype={"age": str})
KNOWN = EXPECTED["known"]
TOTALS = {f"{m}: {c}": float(n) for m in ("sex", "age") for c, n in KNOWN[m].items()}
STAGES = {
    "one_stage": ([], []),
    "one_stage_corrected": ([], ["N1"]),
    "two_stages": (["ssu"], ["N1", "N2"]),
    "strata_in_both": (["ssu"], ["N1", "N2"]),
    "three_stages": (["ssu", "tsu"], ["N1", "N2", "N3"]),
    "fractions": (["ssu", "tsu"], ["N1", "N2", "N3"]),
}
RULES = ("certainty", "adjust", "average")
CASES = [case for case in EXPECTED if case.split()[0] in STAGES]


def design_of(data, stages, rule, weights="w"):
    units, sizes = STAGES[stages]
    population = [data[size] for size in sizes]
    if stages == "fractions":
        population = [data[f"n{k}"] / data[f"N{k}"] for k in (1, 2, 3)]
    return SampleDesign.from_columns(
        data[weights],
        strata=[data["h"], data["half"]] if stages == "strata_in_both" else data["h"],
        units=[data["psu"], *(data[unit] for unit in units)],
        population=population or None,
        lone_psu=rule,
    )


def calibrated(design, data, how):
    """Give the design after one step of `calibrations` in many_designs.R, or after trimming."""
    w = design.weights
    if how == "trimmed":
        return design.with_weights(trim_weights(w, 50.0, redistribution="equal"))
    margins = Auxiliary.from_margins({"sex": data["sex"], "age": data["age"]})
    columns = [margins.x[margins.cell], data[["z"]]]
    variables = Auxiliary.from_values(np.hstack(columns), [*margins.names, "z"])
    with_z = TOTALS | {"z": KNOWN["z"]}
    sex = Auxiliary.from_margins({"sex": data["sex"]})
    sexes = {name: TOTALS[name] for name in sex.names}
    auxiliary, totals, settings = {
        "poststratified": (sex, sexes, {"method": "poststratification"}),
        "raked": (margins, TOTALS, {"method": "raking", "residuals": "rake"}),
        "linear": (variables, with_z, {"method": "linear"}),
        "exponential": (variables, with_z, {"method": "exponential"}),
        "logit": (margins, TOTALS, {"method": "logit", "bounds": (0.5, 2.0)}),
        "bounded": (variables, with_z, {"method": "linear", "bounds": (0.9, 1.3)}),
    }[how]
    return design.with_calibration(calibrate(w, auxiliary, totals, **settings))


def estimates_of(sample, data):
    y, ym, x, g, g2 = (data[name] for name in ("y", "ym", "x", "g", "g2"))
    zeros = [estimate_totals(sample, y * (g == domain)) for domain in ("lone", "u", "v")]
    return {
        "mean": estimate_means(sample, y),
        "total": estimate_totals(sample, y),
        "ratio": estimate_ratios(sample, y, x),
        "mean_missing": estimate_means(sample, ym),
        "total_missing": estimate_totals(sample, ym),
        "mean_g": estimate_means(sample, y, g),
        "total_g": estimate_totals(sample, y, g),
        "ratio_g": estimate_ratios(sample, y, x, g),
        "mean_g2": estimate_means(sample, y, g2),
        "total_g2": estimate_totals(sample, y, g2),
        "mean_missing_g": estimate_means(sample, ym, g),
        "total_missing_g": estimate_totals(sample, ym, g),
        "zeros": join(zeros),
    }


def same(found, expected, what):
    expected = np.array([np.nan if x in ("NaN", "NA") else x for x in np.ravel(expected)], float)
    # Where everything is fixed, a standard error is made of rounding errors in both programs.
    noise = 1e-11 * np.nanmax(np.abs(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=noise, err_msg=what)


def agree(sample, data, expected):
    found = estimates_of(sample, data)
    checked = 0
    for name, numbers in expected.items():
        if name in found:
            estimates = found[name]
            same(np.concatenate([estimates.value, estimates.std_errors]), numbers, name)
            checked += 1
    return checked


@pytest.mark.parametrize("case", CASES)
def test_designs_rules_and_calibrations(case):
    stages, rule, *steps = case.split()
    design = design_of(DATA, stages, rule)
    for step in steps:
        design = calibrated(design, DATA, step)
    assert agree(design, DATA, EXPECTED[case]) == len(EXPECTED[case]) - 1 == 13
    assert design.degrees_of_freedom() == EXPECTED[case]["df"]


def test_without_a_rule_each_of_these_designs_is_refused():
    for stages in STAGES:
        with pytest.raises(PipelineError, match="single sampled unit"):
            design_of(DATA, stages, "error")
    with pytest.raises(PipelineError, match="nothing to average over"):
        design_of(DATA, "strata_in_both", "average")


@pytest.mark.parametrize("how", ["linear", "raking", "logit"])
def test_households_share_one_factor(how):
    household = DATA["psu"] + "/" + DATA["ssu"].astype(str)
    data = DATA.assign(w=DATA.groupby(household)["w"].transform("mean"))
    design = design_of(data, "two_stages", "certainty")
    margins = Auxiliary.from_margins({"sex": data["sex"], "age": data["age"]})
    calibration = calibrate(
        design.weights,
        margins.shared_within(household, design.weights),
        TOTALS,
        method="exponential" if how == "raking" else how,
        bounds=(0.4, 3.0) if how == "logit" else None,
    )
    after = design.with_calibration(calibration)
    assert agree(after, data, EXPECTED[f"households {how}"]) == 13


def test_functions_of_two_estimates():
    expected = EXPECTED["functions"]
    design = design_of(DATA, "two_stages", "certainty")
    means = estimate_means(design, DATA["y"], DATA["g2"])  # mid, north, south
    totals = estimate_totals(design, DATA[["y", "x", "z"]])
    for name, found in {
        "difference": means.take([1]) - means.take([2]),
        "quotient": means.take([1]) / means.take([2]),
        "quotient_of_totals": totals.take([0]) / totals.take([1]),
        "difference_of_totals": totals.take([0]) - totals.take([2]),
    }.items():
        same([found.value[0], found.std_errors[0]], expected[name], name)
    same(means.covariance.ravel(), expected["covariance"], "covariance")
    same(totals.covariance.ravel(), expected["covariance_of_totals"], "covariance of totals")


def test_intervals_and_the_design_effect():
    expected = EXPECTED["intervals"]
    design = design_of(DATA, "one_stage_corrected", "certainty")
    mean, share = estimate_means(design, DATA["y"]), estimate_means(design, DATA["b"])
    same(np.ravel(mean.interval()), expected["t"], "t")
    same(np.ravel(mean.interval(0.9)), expected["ninety"], "90 per cent")
    same(np.ravel(mean.interval(kind="log_t")), expected["log"], "log")
    same(np.ravel(share.interval(kind="logit")), expected["logit"], "logit")
    same(mean.design_effects, expected["deff"], "design effect")


def replicated():
    data = DATA[~DATA["h"].isin(["l1", "l2"])].reset_index(drop=True)
    design = SampleDesign.from_columns(data["w"], strata=data["h"], units=data["psu"])
    return data, design, jackknife(design)


@pytest.mark.parametrize("mse", [True, False])
@pytest.mark.parametrize("case", ["given", "given factors", "given df"])
def test_given_replicate_weights(case, mse):
    expected = EXPECTED[f"{case} {str(mse).upper()}"]
    data, design, factors = replicated()
    weights = Replicates(design, factors).weights()
    if case == "given factors":  # R calls them not combined
        weights = factors.block(slice(None))[design.psu] * data[["w"]].to_numpy()
    sample = GivenReplicates.of(
        data["w"],
        weights,
        0.9 * np.array(EXPECTED["multipliers"]),
        7 if case == "given df" else None,
        about_mean=not mse,
    )
    assert agree(sample, data, expected) == 6
    assert sample.degrees_of_freedom == expected["df"]
    same(np.ravel(estimate_means(sample, data["y"]).interval()), expected["interval"], "t")
    means = estimate_means(sample, data["y"], data["g"])
    difference = means.take([0]) - means.take([1])
    same([difference.value[0], difference.std_errors[0]], expected["difference"], "difference")


def test_raking_repeated_in_every_replicate():
    data, design, factors = replicated()
    margins = Auxiliary.from_margins({"sex": data["sex"], "age": data["age"]})
    raked = calibrate(design.weights, margins, TOTALS, tolerance=1e-13)
    made = replicate(
        design.with_weights(raked.calibrated),
        factors,
        base=design.weights,
        auxiliary=margins,
        plan=CalibrationPlan(TOTALS, tolerance=1e-13, maximum_iterations=1000),
    )
    expected = EXPECTED["raked_replicates"]
    assert agree(made, data, expected) == 6
    given = GivenReplicates.of(raked.calibrated, made.weights(), factors.scale)
    assert agree(given, data, expected) == 6
    assert given.degrees_of_freedom == expected["df"]


def test_split_and_reordered_files_with_lone_psus():
    order = np.random.default_rng(1).permutation(len(DATA))
    halves = pd.concat([DATA[DATA["h"] > "b"], DATA[DATA["h"] <= "b"]])
    relabelled = DATA.assign(h=DATA["h"].map({h: f"z{h}" for h in "abcd"}).fillna(DATA["h"]))
    relabelled["psu"] = "p" + relabelled["psu"].str[::-1]
    for rule in RULES:
        expected = estimates_of(design_of(DATA, "three_stages", rule), DATA)
        for data in (DATA.iloc[order], halves, relabelled):
            found = estimates_of(design_of(data, "three_stages", rule), data)
            for name, estimates in found.items():
                close = {"rtol": 1e-9, "atol": 1e-9, "err_msg": f"{rule} {name}"}
                np.testing.assert_allclose(estimates.std_errors, expected[name].std_errors, **close)


def test_weights_times_a_constant_change_no_mean():
    design = design_of(DATA, "two_stages", "adjust")
    larger = replace(design, weights=design.weights * 1e6)
    for name in ("mean", "ratio", "mean_g", "ratio_g"):
        one, other = (estimates_of(sample, DATA)[name] for sample in (design, larger))
        np.testing.assert_allclose(other.std_errors, one.std_errors, rtol=1e-9, err_msg=name)
