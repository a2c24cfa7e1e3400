"""AAPOR rates against hand calculation, classes and propensities."""

import numpy as np
import pytest

from prevalence.errors import PipelineError
from prevalence.nonresponse import (
    STEP_RATES,
    eligibility_share,
    nearest_classes,
    nonresponse_classes,
    outcomes,
    persons_selected,
    propensity_classes,
    response_rate_table,
    response_rates,
    step_rates,
)

CODES = ["1.1"] * 50 + ["1.2"] * 10 + ["2.1"] * 20 + ["2.21"] * 8 + ["2.3"] * 2
CODES += ["3.1"] * 5 + ["4.1"] * 10


def test_rates_by_hand():
    outcome = outcomes(CODES)
    ones = np.ones(len(outcome))
    e = eligibility_share(outcome, ones)
    assert e == 90 / 100
    rates = response_rates(outcome, ones, e)
    np.testing.assert_allclose(rates, [50 / 95, 60 / 95, 50 / 94.5, 60 / 94.5])


def test_numbers_are_read_as_codes():
    np.testing.assert_array_equal(outcomes([1.1, 4.1]), ["complete", "not_eligible"])
    with pytest.raises(PipelineError, match="AAPOR") as caught:
        outcomes(["1.1", "9", "9"])
    assert "9 (2 households)" in str(caught.value)


def test_the_table_has_weighted_and_unweighted_rates():
    outcome = outcomes(CODES)
    weight = np.where(outcome == "complete", 3.0, 1.0)
    table = response_rate_table(outcome, weight, {"half": np.arange(len(CODES)) % 2})
    nation = table[table["domain_type"] == "national"].set_index("rate")
    assert nation.loc["RR1", "unweighted"] == 50 / 95
    assert nation.loc["RR1", "weighted"] == 150 / 195
    assert set(table["domain_type"]) == {"national", "half"}
    assert table["n"].iloc[0] == len(CODES)


DETAILED = ["1.1"] * 50 + ["1.2"] * 10 + ["2.111"] * 6 + ["2.112"] * 14 + ["2.24"] * 5
DETAILED += ["2.25"] * 3 + ["2.32"] * 2 + ["3.1"] * 5 + ["4.1"] * 10


def test_two_steps_of_response_by_hand():
    outcome, ones = outcomes(DETAILED), np.ones(len(DETAILED))
    selected = persons_selected(DETAILED)
    assert selected.sum() == 50 + 10 + 14 + 3 + 2
    e = eligibility_share(outcome, ones)
    found = dict(zip(STEP_RATES, step_rates(outcome, ones, e, selected), strict=True))
    assert found == pytest.approx(
        {"HR1": 79 / 95, "HR3": 79 / 94.5, "WR1": 50 / 79, "WR2": 60 / 79}
    )
    whole = response_rates(outcome, ones, e)
    pairs = [("HR1", "WR1"), ("HR1", "WR2"), ("HR3", "WR1"), ("HR3", "WR2")]
    np.testing.assert_allclose(whole, [found[h] * found[w] for h, w in pairs])
    table = response_rate_table(outcome, ones, {"half": np.arange(len(outcome)) % 2}, selected)
    assert set(table["rate"]) == {"RR1", "RR2", "RR3", "RR4", *STEP_RATES}
    nation = table[table["domain_type"] == "national"].set_index("rate")
    assert nation.loc["WR2", "weighted"] == pytest.approx(60 / 79)


def test_coarse_codes_do_not_tell_the_steps_apart():
    assert persons_selected(CODES) is None
    assert persons_selected(["1.1", "2.112", "2.111", "4.1"]).tolist() == [True, True, False, False]


def classes(**changes):
    region = np.repeat(["n", "n", "s", "s"], 25)
    urban = np.repeat(["0", "1", "0", "1"], 25)
    responding = np.ones(100)
    responding[3:25] = 0  # 3 respondents in the first class
    responding[50:60] = 0
    given = {"minimum_respondents": 5, "maximum_factor": 3.0} | changes
    return nonresponse_classes([region, urban], np.ones(100), responding, **given)


def test_a_small_class_joins_one_of_its_region():
    found = classes()
    assert found.names == ("n, 0 + n, 1", "s, 0", "s, 1")
    np.testing.assert_allclose(found.factors, [50 / 28, 25 / 15, 1.0])
    assert found.merges[0].category == "n, 0"
    assert "3 respondents" in found.merges[0].reason


def test_a_large_factor_is_merged():
    found = classes(minimum_respondents=1, maximum_factor=1.5)
    assert max(found.factors) <= 1.5 or len(found.names) == 1
    assert any("factor" in merge.reason for merge in found.merges)


def test_nobody_responded():
    with pytest.raises(PipelineError, match="No sampled household"):
        nonresponse_classes(
            [["a"]], np.ones(1), np.zeros(1), minimum_respondents=1, maximum_factor=3
        )


def test_the_partner_has_the_nearest_response_rate():
    codes = np.repeat([0, 1, 2], 10)
    responding = np.concatenate([np.ones(10), np.ones(9), [0], np.zeros(9), [1]])
    found = nearest_classes(codes, ("a", "b", "c"), np.ones(30), responding)
    assert found == {"a": "b", "b": "a", "c": "b"}


def test_propensities_recover_the_model():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4000, 2))
    true = 1 / (1 + np.exp(-(0.3 + x @ [0.8, -0.5])))
    group, p = propensity_classes(x, rng.uniform(size=4000) < true, np.ones(4000))
    assert np.corrcoef(p, true)[0, 1] > 0.99
    assert np.array_equal(np.unique(group), np.arange(5))
    assert p[group == 0].max() <= p[group == 4].min()
    with pytest.raises(PipelineError, match="propensities"):
        propensity_classes(x[:, :1], x[:, 0] > 0, np.ones(4000))


def test_a_factor_that_no_merging_can_reach_stops():
    with pytest.raises(PipelineError, match=r"a factor of 1\.47 for all"):
        classes(maximum_factor=1.4)


def test_households_alike_have_one_class_whatever_the_last_digits():
    """Products of matrices differ in the last digits by a row's place, as these covariates do."""
    x = np.tile([0.3, 0.3 + 1e-14, 0.9], 40)[:, None]
    responded = np.arange(120) % 4 > 0
    responded[2::12] = False
    group, _ = propensity_classes(x, responded, np.ones(120), count=3)
    assert set(group[0::3]) == set(group[1::3])
    assert set(group[0::3]) != set(group[2::3])


@pytest.mark.parametrize("answer", [True, False])
def test_where_all_respond_alike_there_is_one_class(answer):
    x = np.arange(30.0)[:, None]
    group, p = propensity_classes(x, np.full(30, answer), np.ones(30))
    assert set(group) == {0}
    assert set(p) == {float(answer)}
