"""Designs that the main reference numbers don't cover, and properties that must not change."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prevalence.calibration import Auxiliary, calibrate
from prevalence.coding import texts
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.replication import GivenReplicates, Replicates, balanced_repeated, jackknife
from prevalence.strata import certainty_as_strata
from prevalence.variance import (
    estimate_means,
    estimate_proportions,
    estimate_ratios,
    estimate_totals,
    join,
)
from prevalence.weighting import trim_weights

REFERENCE = Path(__file__).parents[1] / "reference" / "survey"
EXPECTED = json.loads((REFERENCE / "more_designs.json").read_text())


def agree(sample, data, expected, *, domains=True):
    found = {
        "mean": estimate_means(sample, data["y"]),
        "total": estimate_totals(sample, data["y"]),
        "ratio": estimate_ratios(sample, data["y"], data["x"]),
    }
    if domains:
        found["domain_mean"] = estimate_means(sample, data["y"], data["g"])
        found["domain_total"] = estimate_totals(sample, data["y"], data["g"])
    for name, estimates in found.items():
        if name not in expected:
            continue
        numbers = expected[name]
        names = numbers.get("key", estimates.names)
        chosen = estimates.take([estimates.names.index(name) for name in names])
        np.testing.assert_allclose(chosen.value, numbers["est"], rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(
            chosen.std_errors, np.array(numbers["se"], float), rtol=1e-9, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("case", ["two_stage", "missing_outcome"])
def test_two_stages_with_corrections_at_both(case):
    data = pd.read_csv(REFERENCE / "apiclus2.csv")
    if case == "missing_outcome":
        data.loc[2::7, "y"] = np.nan
    # R takes weights from the corrections where none are given.
    psus = data.groupby("dnum")["snum"].transform("nunique")
    weights = data["fpc1"] / data["dnum"].nunique() * data["fpc2"] / psus
    design = SampleDesign.from_columns(
        weights,
        units=[data["dnum"], data["snum"]],
        population=[data["fpc1"], data["fpc2"]],
    )
    agree(design, data, EXPECTED[case])


def test_three_stages_with_strata_in_the_second():
    data = pd.read_csv(REFERENCE / "three_stage.csv")
    zeros = np.zeros(len(data), dtype=int)
    design = SampleDesign.from_columns(
        data["w"],
        strata=[data["stratum"], data["half"], zeros],
        units=[data["psu"], data["ssu"], data["tsu"]],
        population=[data["N1"], data["N2"], data["N3"]],
    )
    assert design.degrees_of_freedom() == 9
    agree(design, data, EXPECTED["three_stage"])


def lone_sample():
    data = pd.read_csv(REFERENCE / "apistrat.csv")
    first = data.loc[data["stype"] == "H", "snum"].iloc[0]
    data = data[(data["stype"] != "H") | (data["snum"] == first)].reset_index(drop=True)
    g = data["sch.wide"].where(data["stype"] != "H", "only_lone")
    return data.assign(y=data["api00"], x=data["enroll"], g=g)


@pytest.mark.parametrize("correction", [False, True])
@pytest.mark.parametrize("rule", ["certainty", "adjust", "average"])
def test_lone_psus_and_domains_inside_them(rule, correction):
    data = lone_sample()
    design = SampleDesign.from_columns(
        data["pw"],
        strata=data["stype"],
        population=data["fpc"] if correction else None,
        lone_psu=rule,
    )
    agree(design, data, EXPECTED[f"lone_fpc_{rule}" if correction else f"lone_{rule}"])


def test_under_adjust_a_column_with_zeros_is_centred_on_all_strata():
    data = lone_sample()
    design = SampleDesign.from_columns(data["pw"], strata=data["stype"], lone_psu="adjust")
    for k, domain in enumerate(("No", "only_lone", "Yes")):
        found = estimate_totals(design, data["y"] * (data["g"] == domain))
        np.testing.assert_allclose(found.value[0], EXPECTED["zeros_adjust"]["est"][k], rtol=1e-9)
        np.testing.assert_allclose(
            found.std_errors[0], EXPECTED["zeros_adjust"]["se"][k], rtol=1e-9
        )


def test_a_lone_psu_is_an_error_that_names_its_stratum():
    data = lone_sample()
    with pytest.raises(PipelineError) as caught:
        SampleDesign.from_columns(data["pw"], strata=data["stype"])
    assert "1 of 3 strata has" in str(caught.value)
    assert "strata H" in str(caught.value)


def test_collapsing_joins_the_named_strata():
    data = lone_sample()
    design = SampleDesign.from_columns(
        data["pw"], strata=data["stype"], lone_psu="collapse", partners={"H": "M"}
    )
    same = SampleDesign.from_columns(data["pw"], strata=data["stype"].replace("H", "M"))
    np.testing.assert_allclose(
        estimate_means(design, data["y"]).std_errors, estimate_means(same, data["y"]).std_errors
    )
    with pytest.raises(PipelineError, match="single sampled unit"):
        SampleDesign.from_columns(data["pw"], strata=data["stype"], lone_psu="collapse")


@pytest.mark.parametrize("fractions", [False, True])
def test_joined_strata_have_the_population_of_both(fractions):
    data = lone_sample()
    sizes = data["fpc"]
    if fractions:
        sizes = data.groupby("stype")["snum"].transform("nunique") / sizes
    design = SampleDesign.from_columns(
        data["pw"],
        strata=data["stype"],
        units=data["snum"],
        population=sizes,
        lone_psu="collapse",
        partners={"H": "M"},
    )
    of_stratum = data.groupby("stype")["fpc"].first()
    both = data["fpc"].where(data["stype"] == "E", of_stratum["H"] + of_stratum["M"])
    same = SampleDesign.from_columns(
        data["pw"],
        strata=data["stype"].replace("H", "M"),
        units=data["stype"] + data["snum"].astype(str),
        population=both,
    )
    for estimate in (estimate_means, estimate_totals):
        np.testing.assert_allclose(
            estimate(design, data["y"], data["g"]).std_errors,
            estimate(same, data["y"], data["g"]).std_errors,
            rtol=1e-12,
        )


def test_two_lone_strata_that_name_each_other_meet():
    design = SampleDesign.from_columns(
        np.ones(4),
        strata=["a", "b", "c", "c"],
        units=["1", "1", "1", "2"],
        lone_psu="collapse",
        partners={"a": "b", "b": "a"},
    )
    assert design.strata == ("a", "c")
    assert len(design.psus) == 4


def test_standard_errors_after_trimming():
    data = pd.read_csv(REFERENCE / "apistrat.csv")
    data = data.assign(y=data["api00"], x=data["enroll"], g=data["sch.wide"])
    design = SampleDesign.from_columns(data["pw"], strata=data["stype"], population=data["fpc"])
    trimmed = trim_weights(data["pw"], upper=40, redistribution="equal")
    agree(design.with_weights(trimmed), data, EXPECTED["trimmed"])


def test_texts_keep_their_length_beside_missing_values():
    for missing in (None, np.nan, pd.NA):
        column = pd.Series(["northern", missing, "southern"])
        assert texts(column).tolist() == ["northern", "", "southern"]
        assert texts(column.astype("string")).tolist() == ["northern", "", "southern"]
    assert texts(pd.Series([1, 2])).tolist() == ["1", "2"]
    assert texts([]).tolist() == []


def clusters():
    data = pd.read_csv(REFERENCE / "apiclus1.csv")
    return data.assign(y=data["api00"], x=data["enroll"])


def test_jackknives():
    data = clusters()
    data["g"] = np.where(data["dnum"] % 2 == 0, "even", "odd")
    design = SampleDesign.from_columns(data["pw"], strata=data["g"], units=data["dnum"])
    agree(Replicates(design, jackknife(design)), data, EXPECTED["jkn"])
    data["g"] = data["stype"]
    design = SampleDesign.from_columns(data["pw"], units=data["dnum"])
    agree(Replicates(design, jackknife(design)), data, EXPECTED["jk1"])


def half_samples():
    data = pd.read_csv(REFERENCE / "half_samples.csv")
    return data.assign(y=data["alive"], x=data["arrests"])


@pytest.mark.parametrize(("case", "fay"), [("brr", 0.0), ("fay", 0.3)])
def test_balanced_half_samples(case, fay):
    data = half_samples()
    design = SampleDesign.from_columns(data["w"], strata=data["ESA"], units=data["ambulance"])
    made = Replicates(design, balanced_repeated(design, fay))
    # A ratio depends on which balanced set is taken; linear statistics don't.
    found, numbers = estimate_totals(made, data["y"]), EXPECTED[case]["total"]
    np.testing.assert_allclose(found.std_errors, numbers["se"], rtol=1e-9)


def test_given_replicate_weights():
    data = half_samples()
    weights = np.array([list(row.values()) for row in EXPECTED["fay_weights"]])
    given_weights = GivenReplicates.of(data["w"], weights, EXPECTED["fay_scale"][0])
    agree(given_weights, data, EXPECTED["fay"], domains=False)


def test_half_samples_need_two_psus_a_stratum():
    data = clusters()
    with pytest.raises(PipelineError, match="two PSUs"):
        balanced_repeated(SampleDesign.from_columns(data["pw"], units=data["dnum"]))


def test_weights_are_refused_by_count_and_stratum():
    with pytest.raises(PipelineError) as caught:
        SampleDesign.from_columns([1, 0, -1, np.nan, 1, 1], strata=["a", "a", "b", "b", "b", "a"])
    for words in ("1 missing in stratum b", "1 zero in stratum a", "1 negative in stratum b"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "population", [[2.0] * 6, [10.0] * 3 + [10.0, 11.0, 10.0], [0.0] * 6, [np.nan] * 6]
)
def test_impossible_corrections(population):
    with pytest.raises(PipelineError):
        SampleDesign.from_columns(np.ones(6), strata=["a"] * 3 + ["b"] * 3, population=population)


def test_fractions_and_counts_are_the_same_correction():
    y = np.array([1.0, 5.0, 2.0, 8.0])
    counts = SampleDesign.from_columns(np.ones(4), population=[16.0] * 4)
    shares = SampleDesign.from_columns(np.ones(4), population=[0.25] * 4)
    np.testing.assert_allclose(
        estimate_totals(counts, y).std_errors, estimate_totals(shares, y).std_errors
    )


def test_a_certainty_psu_is_a_stratum_of_its_next_stage_units():
    strata, psu = certainty_as_strata(
        ["r", "r", "r", "r"], ["big", "big", "x", "y"], ["b1", "b2", "b1", "b1"], [1, 1, 0, 0]
    )
    design = SampleDesign.from_columns(np.ones(4), strata=strata, units=psu)
    assert design.strata == ("r", "r:big")
    assert design.degrees_of_freedom() == 2


def test_psus_without_respondents_count():
    strata, psu, y = ["h"] * 4, ["a", "a", "b", "b"], np.array([1.0, 2.0, 3.0, 5.0])
    design = SampleDesign.from_columns(
        np.ones(4), strata=strata, units=psu, empty_psus=[("h", "c")]
    )
    assert design.degrees_of_freedom() == 2
    totals = np.array([3.0, 8.0, 0.0])
    expected = 3 / 2 * ((totals - totals.mean()) ** 2).sum()
    np.testing.assert_allclose(estimate_totals(design, y).std_errors ** 2, expected)


def test_linearised_variance_of_scores_is_that_of_the_estimate():
    data = clusters()
    design = SampleDesign.from_columns(data["pw"], units=data["dnum"], population=data["fpc"])
    w, y = design.weights, data["y"].to_numpy(float)
    scores = (w * (y - w @ y / w.sum()) / w.sum())[:, None]
    found = np.sqrt(design.linearised_variance(scores))
    np.testing.assert_allclose(found, estimate_means(design, y).std_errors, rtol=1e-12)
    groups = Auxiliary.from_margins({"stype": data["stype"]})
    totals = {name: 1000.0 * (k + 1) for k, name in enumerate(groups.names)}
    after = design.with_calibration(calibrate(w, groups, totals, method="poststratification"))
    w = after.weights
    scores = (w * (y - w @ y / w.sum()) / w.sum())[:, None]
    found = np.sqrt(after.linearised_variance(scores))
    np.testing.assert_allclose(found, estimate_means(after, y).std_errors, rtol=1e-10)


def test_differences_and_ratios_of_estimates():
    data = clusters()
    design = SampleDesign.from_columns(data["pw"], units=data["dnum"])
    for sample in (design, Replicates(design, jackknife(design))):
        means = estimate_means(sample, data["y"], data["stype"])
        first, second = means.take([0]), means.take([1])
        v = join([first, second]).covariance
        difference, quotient = first - second, first / second
        np.testing.assert_allclose(difference.value, means.value[0] - means.value[1])
        np.testing.assert_allclose(
            difference.std_errors[0] ** 2, v[0, 0] + v[1, 1] - 2 * v[0, 1], rtol=1e-10
        )
        r = quotient.value[0]
        linear = (v[0, 0] + r**2 * v[1, 1] - 2 * r * v[0, 1]) / means.value[1] ** 2
        close = 1e-10 if sample is design else 0.2
        np.testing.assert_allclose(quotient.std_errors[0] ** 2, linear, rtol=close)
        assert len((means / means.take([0])).value) == 3


def test_estimates_of_different_samples_are_not_compared():
    data = clusters()
    design = SampleDesign.from_columns(data["pw"], units=data["dnum"])
    linear = estimate_means(design, data["y"])
    replicated = estimate_means(Replicates(design, jackknife(design)), data["y"])
    with pytest.raises(PipelineError, match="belong together"):
        _ = linear - replicated


def everything(data, weights="w"):
    """Estimates and standard errors of a made-up sample, calibrated and not."""
    design = SampleDesign.from_columns(data[weights], strata=data["h"], units=data["c"])
    groups = Auxiliary.from_margins({"g": data["g"]})
    totals = {name: 50.0 + 10 * k for k, name in enumerate(groups.names)}
    calibrated = design.with_calibration(calibrate(data[weights], groups, totals))
    parts = []
    for sample in (design, calibrated):
        for found in (
            estimate_ratios(sample, data["y"], data["d"], data["g"]),
            estimate_means(sample, data["y"]),
        ):
            parts += [found.value, found.std_errors, found.df]
    return np.concatenate(parts)


def sample_of(seed, n=80):
    rng = np.random.default_rng(seed)
    psu = np.concatenate([np.arange(12), rng.integers(0, 12, n - 12)])
    return pd.DataFrame(
        {
            "h": psu % 3,
            "c": psu,
            "g": np.concatenate([np.arange(12) % 2, rng.integers(0, 2, n - 12)]),
            "w": rng.uniform(1, 5, n),
            "y": rng.poisson(1.5, n).astype(float),
            "d": rng.uniform(1, 10, n),
        }
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_nothing_depends_on_row_order_labels_scale_or_splitting(seed):
    data = sample_of(seed)
    expected = everything(data)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(data))
    np.testing.assert_allclose(everything(data.iloc[order]), expected, rtol=1e-8)
    names = rng.permutation(12)
    relabelled = data.assign(c=[f"psu-{names[c]}" for c in data["c"]])
    np.testing.assert_allclose(everything(relabelled), expected, rtol=1e-8)
    np.testing.assert_allclose(everything(data.assign(w=data["w"] * 1e4)), expected, rtol=1e-7)
    # Two halves of a file, one after the other, are the file.
    halves = pd.concat([data[data["c"] >= 6], data[data["c"] < 6]], ignore_index=True)
    np.testing.assert_allclose(everything(halves), expected, rtol=1e-8)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_domain_total_is_the_total_of_a_column_with_zeros(seed):
    data = sample_of(seed)
    design = SampleDesign.from_columns(data["w"], strata=data["h"], units=data["c"])
    by_domain = estimate_totals(design, data["y"], data["g"] == 1)
    with_zeros = estimate_totals(design, data["y"] * (data["g"] == 1))
    np.testing.assert_allclose(by_domain.value, with_zeros.value)
    np.testing.assert_allclose(by_domain.std_errors, with_zeros.std_errors)


def test_a_missing_label_is_in_no_domain_and_stays_in_the_design():
    data = sample_of(3)
    design = SampleDesign.from_columns(data["w"], strata=data["h"], units=data["c"])
    labels = data["g"].map({0: "a", 1: "b"})
    gone = np.arange(len(data)) % 7 == 0
    full = labels.where(~gone, "nowhere")
    expected = estimate_ratios(design, data["y"], data["d"], full).take([0, 1])
    for missing in (None, np.nan, pd.NA):
        some = labels.astype(object).where(~gone, missing)
        found = estimate_ratios(design, data["y"], data["d"], some)
        assert found.names == ("a", "b")
        np.testing.assert_allclose(found.std_errors, expected.std_errors)
    mask = (labels == "a").astype(object).where(~gone, None)
    inside = estimate_ratios(design, data["y"], data["d"], mask)
    np.testing.assert_allclose(inside.value, expected.value[:1])
    # A category that is missing leaves its respondent out of all shares.
    shares = estimate_proportions(design, labels.where(~gone))
    assert shares.names == ("a", "b")
    assert shares.value.sum() == pytest.approx(1)
    known = estimate_proportions(design, full, ~gone)
    np.testing.assert_allclose(shares.std_errors, known.std_errors[[0, 1]])


@pytest.mark.parametrize("column", ["h", "c"])
def test_a_missing_place_in_the_design_is_refused(column):
    data = sample_of(4).astype({column: object})
    data.loc[[1, 5], column] = None
    with pytest.raises(PipelineError, match="2 of 80 labels missing"):
        SampleDesign.from_columns(data["w"], strata=data["h"], units=data["c"])


def test_an_empty_domain_has_no_estimate():
    data = sample_of(1)
    design = SampleDesign.from_columns(data["w"], strata=data["h"], units=data["c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate_ratios(design, data["y"], data["d"], np.zeros(len(data), dtype=bool))
        assert np.isnan(found.value[0])
        assert np.isnan(found.std_errors[0])
        assert found.df[0] == 0
