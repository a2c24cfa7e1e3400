"""The weighting chain on a made-up frame, and its rules one by one."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence.calibration import Auxiliary, calibrate
from prevalence.contracts import check_table
from prevalence.contracts import weight as contracts
from prevalence.errors import PipelineError
from prevalence.estimation import sampling_of
from prevalence.replication import replicates_of_tables
from prevalence.variance import estimate_means
from prevalence.weighting import (
    effective_sizes,
    influential_respondents,
    merge_thin_categories,
    partners_after_merging,
    replicate_weights,
    selection_weights,
    trim_weights,
    trimming_bound,
    weigh,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "survey"
SETTINGS = {
    "base": {"from": "frame"},
    "within_household": "adults",
    "nonresponse": {"classes": ["region", "urban"], "minimum_respondents": 8, "maximum_factor": 3},
    "trimming": {"upper_share_of_median": 2.0},
    "calibration": {
        "method": "raking",
        "margins": ["region", "sex"],
        "minimum_psus": 3,
        "partners": {"region": {"south": "north"}},
    },
    "replication": {"method": "rescaled_bootstrap", "replicates": 60},
    "lone_psu": "error",
}


def made_up_survey(n=600, seed=8):
    """Frame, respondents and census of two regions with eight PSUs each; synthetic."""
    rng = np.random.default_rng(seed)
    psu = rng.integers(0, 16, n)
    frame = pd.DataFrame(
        {
            "household": [f"hh{i:04d}" for i in range(n)],
            "stratum": np.where(psu < 8, "north", "south"),
            "psu": [f"c{p:02d}" for p in psu],
            "region": np.where(psu < 8, "north", "south"),
            "urban": (psu % 2).astype(str),
            "p_psu": 0.2 + 0.02 * (psu % 5),
            "p_ssu": 0.5,
            "p_household": 0.01,
            "disposition": rng.choice(
                ["1.1", "1.2", "2.112", "2.2", "3.1", "4.1"],
                n,
                p=[0.6, 0.05, 0.15, 0.1, 0.05, 0.05],
            ),
        }
    )
    done = frame[frame["disposition"].str.startswith("1")]
    done = done.iloc[: len(done) - 3]  # three interviews were screened out in the clean stage
    respondents = done[["household", "stratum", "psu", "region"]].assign(
        respondent=[f"r{i:04d}" for i in range(len(done))],
        adults=rng.integers(1, 6, len(done)),
        sex=rng.choice(["female", "male"], len(done)),
    )
    census = pd.DataFrame(
        [
            ("region", "north", 300e3),
            ("region", "south", 200e3),
            ("sex", "female", 255e3),
            ("sex", "male", 245e3),
        ],
        columns=["margin", "category", "population"],
    )
    return respondents.reset_index(drop=True), frame, census


def test_the_chain_from_end_to_end():
    respondents, frame, census = made_up_survey()
    made = weigh(respondents, SETTINGS, frame, census)
    w = check_table(made.weights, contracts.WEIGHTS, "weights")
    for table, contract in [
        (made.households, contracts.HOUSEHOLDS),
        (made.weighting, contracts.WEIGHTING),
        (made.weight_distribution, contracts.WEIGHT_DISTRIBUTION),
        (made.response_rates, contracts.RESPONSE_RATES),
        (made.margins, contracts.MARGINS),
        (made.collapsed, contracts.COLLAPSED),
    ]:
        check_table(table, contract, "table")
    by_id = frame.set_index("household").loc[respondents["household"]]
    design = 1 / (by_id["p_psu"] * by_id["p_ssu"] * by_id["p_household"]).to_numpy()
    np.testing.assert_allclose(w["base"], design * respondents["adults"])
    # Nonresponse: responding households stand for all eligible ones, class by class.
    household_weight = w["nonresponse"] / respondents["adults"]
    np.testing.assert_allclose(household_weight.sum(), made.households["eligible"].sum())
    np.testing.assert_allclose(w["trimmed"].sum(), w["nonresponse"].sum())
    assert w["trimmed"].max() <= 2 * w["nonresponse"].median() * (1 + 1e-12)
    assert w["nonresponse"].max() > 2 * w["nonresponse"].median()
    np.testing.assert_allclose(made.margins["after"], made.margins["population"], rtol=1e-9)
    np.testing.assert_allclose(w.groupby("margin_sex")["final"].sum()["female"], 255e3)


def test_replicates_of_the_chain_repeat_it():
    respondents, frame, census = made_up_survey()
    made = weigh(respondents, SETTINGS, frame, census)
    table, factors, replicates = replicate_weights(
        made.weights, made.households, made.margins, SETTINGS, [1, 2, 3]
    )
    check_table(table, contracts.REPLICATES, "replicates")
    factors = check_table(factors, contracts.REPLICATE_FACTORS, "factors")
    again = replicates_of_tables(made.weights, table, factors)
    columns = pd.get_dummies(respondents["region"]).to_numpy(float)
    np.testing.assert_allclose(again.totals(columns), np.tile([300e3, 200e3], (60, 1)), rtol=1e-8)
    np.testing.assert_allclose(again.weights(), replicates.weights(), rtol=1e-10)
    same = replicate_weights(made.weights, made.households, made.margins, SETTINGS, [1, 2, 3])[0]
    pd.testing.assert_frame_equal(table, same)


def whole_households():
    """Everybody of a household is interviewed: one to three rows each."""
    respondents, frame, census = made_up_survey()
    times = np.random.default_rng(2).integers(1, 4, len(respondents))
    people = respondents.loc[respondents.index.repeat(times)].reset_index(drop=True)
    people["respondent"] = [f"r{i:04d}" for i in range(len(people))]
    people["sex"] = np.random.default_rng(3).choice(["female", "male"], len(people))
    return people, frame, census


@pytest.mark.parametrize("method", ["linear", "exponential", "logit"])
def test_members_of_a_household_share_one_calibration_factor(method):
    people, frame, census = whole_households()
    rule = SETTINGS["calibration"] | {"method": method, "within": "household"}
    rule |= {"bounds": [0.2, 4.0] if method == "logit" else None}
    settings = SETTINGS | {"within_household": None, "trimming": None, "calibration": rule}
    made = weigh(people, settings, frame, census)
    weights = check_table(made.weights, contracts.WEIGHTS, "weights")
    factor = weights["calibrated"] / weights["trimmed"]
    assert factor.groupby(people["household"]).std().max() < 1e-12
    assert factor.std() > 1e-3
    np.testing.assert_allclose(weights.groupby("margin_sex")["final"].sum()["female"], 255e3)
    table, factors, replicates = replicate_weights(
        weights, made.households, made.margins, settings, [1]
    )
    females = (people["sex"] == "female").to_numpy(float)
    np.testing.assert_allclose(replicates.totals(females), np.full((60, 1), 255e3), rtol=1e-8)
    again = replicates_of_tables(weights, table, factors)
    np.testing.assert_allclose(again.weights(), replicates.weights(), rtol=1e-10)
    sampling = sampling_of({"weights": weights, "replicates": table, "replicate_factors": factors})
    scores = (weights["final"] * females).to_numpy()[:, None]
    assert np.sqrt(sampling.variance(scores))[0] < 1e-6 * scores.sum()


def test_integrated_calibration_needs_a_unit_and_a_method_that_can():
    people, frame, census = whole_households()
    for changes, words in (
        ({"method": "raking", "within": "household"}, "needs categorical margins"),
        ({"method": "linear", "within": "housholds"}, "household"),
    ):
        rule = SETTINGS["calibration"] | changes
        with pytest.raises(PipelineError, match=words):
            weigh(people, SETTINGS | {"calibration": rule}, frame, census)


def paired(tables):
    """Leave two PSUs a stratum, for half-samples."""
    respondents, frame, census = tables
    psus = np.array([f"c{k:02d}" for k in range(16)])
    place = {name: k for k, name in enumerate(psus)}
    for table in (respondents, frame):
        number = table["psu"].map(place)
        table["stratum"] = table["stratum"] + (number % 8 // 2).astype(str)
    return respondents, frame, census


@pytest.mark.parametrize(
    ("replication", "count", "scale"),
    [
        ({"method": "jkn"}, 16, 1 / 2),
        ({"method": "brr"}, 16, 1 / 16),
        ({"method": "fay", "fay": 0.3}, 16, 1 / (16 * 0.49)),
    ],
)
def test_other_replicates_go_through_the_tables(replication, count, scale):
    respondents, frame, census = paired(made_up_survey(n=2000))
    settings = SETTINGS | {"replication": replication}
    made = weigh(respondents, settings, frame, census)
    table, factors, replicates = replicate_weights(
        made.weights, made.households, made.margins, settings, [1]
    )
    check_table(table, contracts.REPLICATES, "replicates")
    factors = check_table(factors, contracts.REPLICATE_FACTORS, "factors")
    again = replicates_of_tables(made.weights, table, factors)
    assert again.factors.method == replication["method"]
    np.testing.assert_allclose(again.scale, np.full(count, scale))
    np.testing.assert_allclose(again.weights(), replicates.weights(), rtol=1e-10)
    # Each replicate meets the margins anew.
    columns = pd.get_dummies(respondents["region"]).to_numpy(float)
    np.testing.assert_allclose(
        again.totals(columns), np.tile([300e3, 200e3], (count, 1)), rtol=1e-8
    )
    y = np.arange(len(respondents)) % 7.0
    linear = sampling_of(
        {"weights": made.weights, "replicates": table, "replicate_factors": factors}
    )
    total = estimate_means(again, y)
    scores = linear.weights * (y - total.value[0]) / linear.weights.sum()
    np.testing.assert_allclose(
        total.std_errors, np.sqrt(linear.variance(scores[:, None])), rtol=0.35
    )
    assert not linear.drawn


@pytest.mark.parametrize(
    ("replication", "words"),
    [
        ({"method": "jk1"}, "jk1 with 8 strata"),
        ({"method": "fay"}, "lacks a setting"),
        ({"method": "rescaled_bootstrap"}, "replicates: 1000"),
        ({"method": "jackknifed"}, "unknown"),
    ],
)
def test_replication_that_does_not_fit_is_refused(replication, words):
    respondents, frame, census = paired(made_up_survey())
    made = weigh(respondents, SETTINGS, frame, census)
    with pytest.raises(PipelineError, match=words):
        replicate_weights(
            made.weights,
            made.households,
            made.margins,
            SETTINGS | {"replication": replication},
            [1],
        )


def test_a_missing_value_in_the_frame_is_a_class_of_its_own():
    respondents, frame, census = made_up_survey()
    frame["urban"] = frame["urban"].map({"0": "rural", "1": "rurban"}).where(frame.index > 80)
    rule = {"classes": ["urban"], "minimum_respondents": 8, "maximum_factor": 9}
    made = weigh(respondents, SETTINGS | {"nonresponse": rule}, frame, census)
    assert set(made.weights["nonresponse_class"]) == {"", "rural", "rurban"}
    weighted = made.households.groupby("nonresponse_class")[["eligible", "responding"]].sum()
    factor = weighted["eligible"] / weighted["responding"]
    mine = made.weights.groupby("nonresponse_class")[["nonresponse", "base"]].sum()
    np.testing.assert_allclose(mine["nonresponse"] / mine["base"], factor)


def test_supplied_weights_are_carried():
    respondents, _, _ = made_up_survey()
    respondents["base_weight_supplied"] = np.linspace(1, 2, len(respondents))
    settings = {
        "base": {"variable": "base_weight_supplied"},
        "replication": {"method": "rescaled_bootstrap", "replicates": 20},
    }
    made = weigh(respondents, settings)
    np.testing.assert_array_equal(made.weights["final"], respondents["base_weight_supplied"])
    assert len(made.margins) == len(made.response_rates) == len(made.households) == 0
    for name in ("HOUSEHOLDS", "RESPONSE_RATES", "MARGINS", "COLLAPSED"):
        check_table(getattr(made, name.lower()), getattr(contracts, name), name)
    table, factors, _ = replicate_weights(
        made.weights, made.households, made.margins, settings, [1]
    )
    assert len(factors) == 0
    check_table(factors, contracts.REPLICATE_FACTORS, "factors")
    weights = replicates_of_tables(made.weights, table, factors).weights()
    drawn = table.set_index(["stratum", "psu"])
    row = drawn.loc[[tuple(made.weights.loc[0, ["stratum", "psu"]])]].to_numpy()[0]
    np.testing.assert_allclose(weights[0], made.weights["final"][0] * row * 8 / 7)


def test_psus_without_respondents_count():
    respondents, frame, census = made_up_survey()
    gone = respondents["psu"] == "c03"
    frame.loc[frame["psu"] == "c03", "disposition"] = "2.2"
    settings = SETTINGS | {
        "nonresponse": {"classes": ["region"], "minimum_respondents": 8, "maximum_factor": 3}
    }
    made = weigh(respondents[~gone].reset_index(drop=True), settings, frame, census)
    table, *_ = replicate_weights(made.weights, made.households, made.margins, settings, [1])
    assert len(table) == 16
    assert (table.drop(columns="psu").groupby("stratum").sum() == 7).all().all()


def test_lone_strata_are_named_or_joined():
    respondents, frame, census = made_up_survey()
    for table in (respondents, frame):
        table["stratum"] = table["stratum"].where(table["psu"] != "c00", "capital")
    with pytest.raises(PipelineError, match="capital"):
        weigh(respondents, SETTINGS, frame, census)
    joined = SETTINGS | {"lone_psu": "collapse", "lone_psu_partners": {"capital": "north"}}
    made = weigh(respondents, joined, frame, census)
    assert set(made.weights["stratum"]) == {"north", "south"}
    assert "capital:c00" in set(made.weights["psu"])


def test_frame_and_respondents_must_agree():
    respondents, frame, census = made_up_survey()
    first = frame["household"] == respondents["household"][0]
    frame.loc[first, "disposition"] = "2.1"
    with pytest.raises(PipelineError, match="don't agree"):
        weigh(respondents, SETTINGS, frame, census)


def test_selection_probabilities_are_checked():
    np.testing.assert_allclose(selection_weights([[0.5, 0.5], [np.nan, 0.1]]), [2, 20])
    with pytest.raises(PipelineError, match="stage 2"):
        selection_weights([[0.5], [0.0]])


@pytest.mark.parametrize("name", ["apiclus1", "apistrat"])
@pytest.mark.parametrize(
    ("case", "passes"), [("trim_rake3_q02_q95_nonstrict", 1), ("trim_rake3_q95_strict", 1000)]
)
def test_equal_redistribution_is_that_of_r(name, case, passes):
    expected = json.loads((REFERENCE / "calibration.json").read_text())
    numbers = expected[f"{name}_fpc"][case]
    data = pd.read_csv(REFERENCE / f"{name}.csv")
    names = ["stype", "sch.wide", "awards"]
    totals = {f"{m}: {c}": v for m in names for c, v in expected["pop"][m].items()}
    raked = calibrate(data["pw"], Auxiliary.from_margins({m: data[m] for m in names}), totals)
    found = trim_weights(
        raked.calibrated,
        numbers["upper"],
        numbers.get("lower", -np.inf),
        redistribution="equal",
        passes=passes,
    )
    np.testing.assert_allclose(found, numbers["weights"], rtol=1e-8)


def test_proportional_trimming_keeps_the_sum_and_the_bound():
    w = np.random.default_rng(3).lognormal(0, 1, 500)
    found = trim_weights(w, upper=3.0)
    np.testing.assert_allclose(found.sum(), w.sum())
    assert found.max() <= 3 * (1 + 1e-12)
    free = found < 3 * (1 - 1e-9)
    np.testing.assert_allclose(found[free] / w[free], (found[free] / w[free])[0])
    with pytest.raises(PipelineError, match="bounds"):
        trim_weights(w, upper=0.5)
    assert trimming_bound(w, None) == np.inf
    assert trimming_bound(w, {"upper": 7}) == 7


def thin(**changes):
    labels = np.array(list("aaaabbbccd"))
    psu = np.array([1, 2, 3, 4, 1, 2, 3, 1, 2, 1])
    given = {
        "population": {"a": 40.0, "b": 30.0, "c": 20.0, "d": 10.0},
        "minimum_psus": 3,
        "partners": {"d": "c", "c": "b"},
    } | changes
    return merge_thin_categories("m", labels, psu, **given)


def test_thin_categories_merge_along_their_partners():
    found = thin()
    assert found.population == {"a": 40.0, "b + c + d": 60.0}
    assert sorted(set(found.labels.tolist())) == ["a", "b + c + d"]
    assert [(m.category, m.into) for m in found.merges] == [("d", "c"), ("c + d", "b")]
    partners = partners_after_merging("m", list(found.population), {"d": "c", "c": "b", "b": "a"})
    assert partners == {"m: b + c + d": "m: a"}


def test_a_category_without_respondents_merges_too():
    found = thin(
        population={"a": 40.0, "b": 30.0, "c": 20.0, "d": 10.0, "e": 5.0},
        partners={"d": "c", "c": "b", "e": "a"},
    )
    assert found.population["a + e"] == 45.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"partners": {}}, "no partner"),
        ({"population": {"a": 1.0, "b": 1.0, "c": 1.0}}, "no population"),
        ({"structural_zeros": ["a"]}, "structural zero"),
    ],
)
def test_margins_that_cannot_be_used_are_named(changes, words):
    with pytest.raises(PipelineError, match=words) as caught:
        thin(**changes)
    assert "margin m" in str(caught.value)


def test_diagnostics():
    top = influential_respondents(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0]), most=2)
    np.testing.assert_allclose(top["share"], [6 / 9, 2 / 9])
    sizes = effective_sizes(np.array([1.0, 1.0, 1.0, 3.0]), ["a", "a", "b", "b"])
    np.testing.assert_allclose(sizes["effective_n"], [2, 1.6])


@pytest.mark.parametrize("name", ["eligible", "responding", "design_weight", "nonresponse_class"])
def test_a_column_of_the_frame_never_replaces_one_that_is_computed(name):
    respondents, frame, census = made_up_survey()
    plain = weigh(respondents, SETTINGS, frame, census)
    again = weigh(respondents, SETTINGS, frame.assign(**{name: 1.0}), census)
    pd.testing.assert_frame_equal(again.weights, plain.weights)
    pd.testing.assert_frame_equal(again.households, plain.households)
    pd.testing.assert_frame_equal(again.response_rates, plain.response_rates)
    by_name = SETTINGS | {"nonresponse": SETTINGS["nonresponse"] | {"classes": [name]}}
    with pytest.raises(PipelineError, match="that are computed"):
        weigh(respondents, by_name, frame.assign(**{name: 1.0}), census)


def test_an_adjustment_for_nonresponse_needs_a_frame():
    respondents, _, census = made_up_survey()
    settings = SETTINGS | {"base": {"variable": "weight"}}
    with pytest.raises(PipelineError, match="there is no sampling frame"):
        weigh(respondents.assign(weight=3.0), settings, None, census)


@pytest.mark.parametrize("wrong", [np.nan, 0.0, -1.0, np.inf])
def test_supplied_weights_are_numbers_above_zero(wrong):
    respondents, frame, census = made_up_survey()
    weight = np.full(len(respondents), 3.0)
    weight[1] = wrong
    settings = SETTINGS | {"base": {"variable": "weight"}, "within_household": None}
    with pytest.raises(PipelineError, match=r"weight\.base\.variable: weight\n.*1 of"):
        weigh(respondents.assign(weight=weight), settings, frame, census)


@pytest.mark.parametrize("wrong", [0, np.nan, 2.5])
def test_a_number_of_adults_is_whole_and_at_least_one(wrong):
    respondents, frame, census = made_up_survey()
    adults = respondents["adults"].astype(float)
    adults[3] = wrong
    with pytest.raises(PipelineError, match=r"1 of .* without a whole number") as caught:
        weigh(respondents.assign(adults=adults), SETTINGS, frame, census)
    assert "missing: exclude" in str(caught.value)


def test_respondents_without_a_psu_are_not_one_together():
    respondents, _, _ = made_up_survey()
    settings = {"base": {"variable": "weight"}, "replication": SETTINGS["replication"]}
    weighted = respondents.assign(weight=3.0)
    with pytest.raises(PipelineError, match="psu: respondent"):
        weigh(weighted.assign(psu="", stratum=""), settings)
    for name in ("psu", "stratum"):
        some = weighted.assign(**{name: weighted[name].mask(weighted.index < 5, "")})
        with pytest.raises(PipelineError, match=f"Some respondents have no {name}"):
            weigh(some, settings)
    direct = weigh(weighted.assign(psu=weighted["respondent"], stratum=""), settings)
    assert (direct.weights["final"] == 3).all()


def test_nobody_shares_a_factor_for_want_of_a_household():
    respondents, frame, census = made_up_survey()
    calibration = SETTINGS["calibration"] | {"method": "linear", "within": "place"}
    place = respondents["household"].mask(respondents.index < 2, "")
    with pytest.raises(PipelineError, match=r"2 of .* respondents without place"):
        weigh(
            respondents.assign(place=place), SETTINGS | {"calibration": calibration}, frame, census
        )


def test_who_was_selected_is_said_clearly():
    respondents, frame, census = made_up_survey()
    code = frame["disposition"]
    chosen = (code.str.startswith("1") | (code == "2.112")).astype(int)
    given = weigh(respondents, SETTINGS, frame.assign(person_selected=chosen), census)
    rates = given.response_rates.set_index(["domain", "rate"])["weighted"]["national"]
    assert rates["RR1"] == pytest.approx(rates["HR1"] * rates["WR1"])
    for wrong in ("yes", 0, np.nan):
        with pytest.raises(PipelineError, match="person_selected"):
            weigh(respondents, SETTINGS, frame.assign(person_selected=wrong), census)


def test_number_codes_of_a_margin_are_written_as_in_the_census():
    respondents, frame, census = made_up_survey()
    codes = {"female": 1.0, "male": 2.0}
    numbered = census.assign(category=census["category"].replace({"female": "1", "male": "2"}))
    plain = weigh(respondents, SETTINGS, frame, census)
    made = weigh(respondents.assign(sex=respondents["sex"].map(codes)), SETTINGS, frame, numbered)
    np.testing.assert_allclose(made.weights["final"], plain.weights["final"])


def test_a_margin_without_population_is_named():
    respondents, frame, census = made_up_survey()
    nobody = census.assign(population=census["population"].mask(census["margin"] == "sex", 0.0))
    calibration = SETTINGS["calibration"] | {"reconcile": 0.01}
    with pytest.raises(PipelineError, match="sex: female has weight"):
        weigh(respondents, SETTINGS | {"calibration": calibration}, frame, nobody)


def test_partners_of_strata_that_are_not_joined():
    respondents, frame, census = made_up_survey()
    settings = SETTINGS | {"lone_psu": "certainty", "lone_psu_partners": {"north": "south"}}
    with pytest.raises(PipelineError, match="none are joined"):
        weigh(respondents, settings, frame, census)


def test_weights_below_zero_are_laid_to_the_calibration():
    respondents, frame, census = made_up_survey()
    # Nearly all women live in the south; the census has many people there and few women.
    usual = np.where(respondents["region"] == "south", "female", "male")
    sex = np.where(np.arange(len(respondents)) % 20 == 0, respondents["sex"], usual)
    lopsided = census.assign(population=[50e3, 450e3, 20e3, 480e3])
    settings = SETTINGS | {"calibration": SETTINGS["calibration"] | {"method": "linear"}}
    with pytest.raises(PipelineError, match="weights that are none") as caught:
        weigh(respondents.assign(sex=sex), settings, frame, lopsided)
    assert "bounds" in str(caught.value)


def test_a_category_may_hold_the_joint_in_its_own_name():
    partners = {"a + b": "c", "c": "a + b", "d": "c"}
    found = partners_after_merging("m", ["a + b", "c + d"], partners)
    assert found == {"m: a + b": "m: c + d", "m: c + d": "m: a + b"}


def test_a_city_taken_with_certainty_is_a_stratum():
    respondents, frame, census = made_up_survey()
    certain = (frame["psu"] == "c03").astype(int)
    plain = weigh(respondents, SETTINGS, frame.assign(certainty=0), census)
    with pytest.raises(PipelineError, match="1 strata with such a city and other places"):
        weigh(respondents, SETTINGS, frame.assign(certainty=certain), census)
    whole = frame.assign(certainty=(frame["stratum"] == "north").astype(int), city=frame["psu"])
    with pytest.raises(PipelineError, match="1 with several such cities"):
        weigh(respondents, SETTINGS, whole, census)
    made = weigh(respondents, SETTINGS, whole.assign(city=frame["stratum"]), census)
    pd.testing.assert_frame_equal(made.weights, plain.weights)


def test_a_coefficient_of_another_method_is_refused():
    respondents, frame, census = made_up_survey()
    made = weigh(respondents, SETTINGS, frame, census)
    settings = SETTINGS | {"replication": {"method": "jkn", "fay": 0.3}}
    with pytest.raises(PipelineError, match="Fay"):
        replicate_weights(made.weights, made.households, made.margins, settings, [1])


def test_a_frame_without_probabilities():
    respondents, frame, census = made_up_survey()
    without = frame.drop(columns=["p_psu", "p_ssu", "p_household"])
    with pytest.raises(PipelineError, match="no selection probabilities"):
        weigh(respondents, SETTINGS, without, census)
