"""The engine at its edges: nothing to estimate, nothing that varies, and input that doesn't fit."""

import warnings

import numpy as np
import pandas as pd
import pytest

from prevalence.calibration import Auxiliary, calibrate
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.replication import (
    GivenReplicates,
    Replicates,
    draw_rescaled_bootstrap,
    jackknife,
    rescaled,
)
from prevalence.variance import (
    INTERVALS,
    estimate_means,
    estimate_proportions,
    estimate_ratios,
    estimate_totals,
)
from prevalence.weighting import trim_weights

N = 40
PEOPLE = pd.DataFrame(
    {
        "h": np.repeat(["a", "b"], N // 2),
        "c": np.repeat(np.arange(8), N // 8),
        "w": 1.0,
        "y": np.random.default_rng(1).poisson(1.0, N).astype(float),
        "x": np.random.default_rng(2).uniform(1, 5, N),
        "g": np.random.default_rng(3).choice(["u", "v"], N),
    }
)


def made(**changes):
    given = {"weights": PEOPLE["w"], "strata": PEOPLE["h"], "units": PEOPLE["c"]} | changes
    return SampleDesign.from_columns(given.pop("weights"), **given)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def samples():
    design = made()
    drawn = draw_rescaled_bootstrap(design, 20, np.random.default_rng(4))
    return (
        design,
        Replicates(design, rescaled(design, drawn)),
        Replicates(design, jackknife(design)),
    )


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_outcome_that_does_not_vary(value):
    for sample in samples():
        found = estimate_means(sample, np.full(N, value))
        np.testing.assert_allclose(found.value, value)
        np.testing.assert_allclose(found.std_errors, 0.0, atol=1e-12)
        for kind in INTERVALS[:5]:
            lower, upper = found.interval(kind=kind)
            assert np.isnan(lower[0]) or lower[0] == pytest.approx(value, abs=1e-9)
            assert np.isnan(upper[0]) or upper[0] == pytest.approx(value, abs=1e-9)


def test_domains_with_nobody_with_one_and_without_an_answer():
    nobody, one = np.zeros(N, dtype=bool), np.arange(N) == 3
    for sample in samples():
        assert estimate_totals(sample, PEOPLE["y"], nobody).value[0] == 0.0
        assert np.isnan(estimate_ratios(sample, PEOPLE["y"], PEOPLE["x"], nobody).value[0])
        assert np.isnan(estimate_means(sample, np.full(N, np.nan)).value[0])
        assert np.isnan(estimate_ratios(sample, PEOPLE["y"], np.zeros(N)).value[0])
    lone = estimate_means(made(), PEOPLE["y"], one)
    assert (lone.n[0], lone.df[0], lone.std_errors[0]) == (1, 3, 0)
    assert np.isnan(lone.design_effects[0])
    nowhere = estimate_means(made(), PEOPLE["y"], pd.Series([None] * N))
    assert np.isnan(nowhere.value).all()


def test_weights_that_sum_to_n_have_a_design_effect_with_replacement_only():
    found, scaled = (
        estimate_means(made(weights=PEOPLE["w"] * size), PEOPLE["y"]) for size in (1.0, 1e9)
    )
    assert np.isnan(found.design_effects[0])
    for estimates in (found, scaled):
        np.testing.assert_allclose(
            estimates.design_effects_with_replacement,
            scaled.design_effects * (1 - 1e-9),
            rtol=1e-12,
        )


def test_huge_populations_and_tiny_weights():
    y = PEOPLE["y"]
    expected = estimate_totals(made(), y).std_errors
    huge = made(weights=PEOPLE["w"] * 1e12, population=np.full(N, 1e15))
    np.testing.assert_allclose(estimate_totals(huge, y).std_errors / 1e12, expected, rtol=1e-12)
    tiny = made(weights=PEOPLE["w"] * 1e-12)
    np.testing.assert_allclose(estimate_totals(tiny, y).std_errors * 1e12, expected, rtol=1e-12)
    totals = {"g: u": 4e9, "g: v": 6e9}
    raked = calibrate(PEOPLE["w"], Auxiliary.from_margins({"g": PEOPLE["g"]}), totals)
    np.testing.assert_allclose(raked.calibrated[PEOPLE["g"] == "u"].sum(), 4e9, rtol=1e-9)


def test_one_stratum_of_people_is_the_textbook_formula():
    y, w = PEOPLE["y"].to_numpy(), np.full(N, 25.0)
    plain = SampleDesign.from_columns(w, population=np.full(N, 1000))
    expected = np.sqrt((1 - N / 1000) * y.var(ddof=1) / N)
    found = estimate_means(plain, y)
    np.testing.assert_allclose(found.std_errors[0], expected)
    np.testing.assert_allclose(found.design_effects[0], 1.0)
    everybody = SampleDesign.from_columns(np.ones(N), population=np.full(N, N))
    assert estimate_means(everybody, y).std_errors[0] == 0


def test_any_kind_of_column_will_do():
    expected = estimate_means(made(), PEOPLE["y"], PEOPLE["g"])
    other = SampleDesign.from_columns(
        PEOPLE["w"].tolist(),
        strata=PEOPLE["h"].astype("category"),
        units=PEOPLE[["c"]].astype("Int64"),
    )
    for labels in (PEOPLE["g"].astype("category"), PEOPLE["g"].astype("string"), list(PEOPLE["g"])):
        found = estimate_means(other, PEOPLE["y"].astype("Int64"), labels)
        assert found.names == ("u", "v")
        np.testing.assert_allclose(found.std_errors, expected.std_errors)
    shares = estimate_proportions(made(), PEOPLE["y"] > 0, PEOPLE["g"])
    assert shares.names == ("False, u", "False, v", "True, u", "True, v")
    table = shares.table(0.9, "logit")
    assert list(table["name"]) == list(shares.names)
    assert ((table["lower"] < table["estimate"]) & (table["estimate"] < table["upper"])).all()


def test_estimates_of_two_designs_are_not_compared():
    one = estimate_means(made(), PEOPLE["y"])
    for other in (SampleDesign.from_columns(PEOPLE["w"]), made(units=PEOPLE["c"] // 2 * 2)):
        with pytest.raises(PipelineError, match="belong together"):
            _ = one - estimate_means(other, PEOPLE["y"])
    again = estimate_means(made(), PEOPLE["y"])  # the same design, compiled twice
    np.testing.assert_allclose((one - again).std_errors, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strata": PEOPLE["h"][:5]}, "shape \\(5,\\)"),
        ({"units": PEOPLE["c"][:5]}, "unit"),
        ({"weights": PEOPLE[["w"]]}, "shape \\(40, 1\\)"),
        ({"weights": PEOPLE["w"] * np.inf}, "20 infinite in stratum a"),
        ({"population": [np.full(N, 20), np.full(N, 20)]}, "2 of corrections"),
        ({"units": [PEOPLE["c"]] * 4}, "too many stages"),
    ],
)
def test_columns_that_do_not_fit_a_design(changes, words):
    with pytest.raises(PipelineError, match=words):
        made(**changes)


def test_columns_that_do_not_fit_the_sample():
    margins, totals = Auxiliary.from_margins({"g": PEOPLE["g"]}), {"g: u": 30.0, "g: v": 50.0}
    gap = PEOPLE["w"].where(PEOPLE.index > 1)
    for action, words in [
        (lambda: estimate_means(made(), PEOPLE["y"], PEOPLE["g"][:5]), "domain"),
        (lambda: estimate_means(made(), PEOPLE["y"][:5]), "one value a respondent"),
        (lambda: calibrate(PEOPLE["w"][:5], margins, totals), "one value a respondent"),
        (lambda: calibrate(gap, margins, totals), "2 missing"),
        (lambda: calibrate(-PEOPLE["w"], margins, totals), "40 negative"),
        (lambda: calibrate(PEOPLE["w"], margins, totals | {"g: u": np.nan}), "g: u"),
        (lambda: GivenReplicates.of(PEOPLE["w"], np.ones((5, 3)), 1.0), "shape \\(5, 3\\)"),
        (lambda: GivenReplicates.of(PEOPLE["w"], np.ones((N, 3)), [1.0, 1.0]), "2 values of scale"),
        (lambda: GivenReplicates.of(PEOPLE["w"], np.full((N, 3), np.nan), 1.0), "120 missing"),
        (lambda: trim_weights([1.0, 9.0], 6.0, redistribution="even"), "redistribute"),
    ]:
        with pytest.raises(PipelineError, match=words):
            action()


@pytest.mark.parametrize("rule", ["adjust", "average"])
def test_replicates_cannot_follow_some_rules(rule):
    design = SampleDesign.from_columns(
        np.ones(3), strata=["a", "a", "b"], units=[1, 2, 3], lone_psu=rule
    )
    for action in (
        lambda: jackknife(design),
        lambda: draw_rescaled_bootstrap(design, 10, np.random.default_rng(5)),
    ):
        with pytest.raises(PipelineError, match="cannot follow the rule"):
            action()
