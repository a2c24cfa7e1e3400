"""Each primary rule at its threshold, below and above; precision; exceptions; rounding."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.config import check_config
from prevalence.disclosure.rounding import rounded, rounded_apart, rounding_step, significant
from prevalence.disclosure.rules import (
    Policy,
    cell_reasons,
    geographic_reasons,
    precision_flags,
    valid_exceptions,
)
from prevalence.errors import PipelineError
from prevalence.files import read_yaml

POLICY = Policy()
SAFE = {
    "group": "victims",
    "role": "hidden",
    "domain_type": "region",
    "domain": "one",
    "n": 200,
    "n_reporting": 40,
    "n_complement": 900.0,
    "n_reporting_complement": 100.0,
    "top1_share": 0.1,
    "top2_share": 0.2,
}


def reason(**changes):
    return cell_reasons(pd.DataFrame([SAFE | changes]), POLICY)[0]


@pytest.mark.parametrize("column", ["n", "n_reporting", "n_complement", "n_reporting_complement"])
@pytest.mark.parametrize(
    ("value", "expected"), [(9, "primary"), (10, ""), (11, ""), (0, "primary")]
)
def test_counts_at_their_threshold(column, value, expected):
    assert reason(**{column: value}) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"top1_share": 0.5}, ""),
        ({"top1_share": 0.5001}, "dominance"),
        ({"top2_share": 0.9}, ""),
        ({"top2_share": 0.9001}, "dominance"),
        ({"top1_share": 0.6, "n": 9}, "primary"),
        ({"top1_share": np.nan, "top2_share": np.nan, "n_reporting": 0}, "primary"),
    ],
)
def test_dominance_at_its_threshold(changes, expected):
    assert reason(**changes) == expected


@pytest.mark.parametrize("role", ["known", "degree"])
def test_known_groups_and_degrees_need_respondents_only(role):
    assert reason(role=role, n_reporting=0, top1_share=1.0) == ""
    assert reason(role=role, n=9) == "primary"


def test_the_whole_has_no_complement():
    assert reason(n_complement=np.nan, n_reporting_complement=np.nan) == ""


@pytest.mark.parametrize(("zero", "expected"), [(9, "primary"), (10, "")])
def test_those_who_report_nobody_count_for_published_shares(zero, expected):
    assert reason(role="situation", n_zero=zero) == expected


def regions(failing, of=16):
    cells = pd.DataFrame({"group": "victims", "domain_type": "region", "x": range(of)})
    reasons = np.array(["primary"] * failing + [""] * (of - failing), dtype=object)
    return geographic_reasons(cells, reasons, {"region": "geographic"}, "region", POLICY)


def test_a_sieve_is_withheld_as_a_whole():
    assert list(regions(8)).count("") == 8
    assert set(regions(9)) == {"geography"}


def test_the_smallest_geography_is_the_regions():
    cells = pd.DataFrame({"group": "victims", "domain_type": ["province", "region", "village"]})
    kinds = dict.fromkeys(["province", "region", "village"], "geographic")
    found = geographic_reasons(cells, np.array([""] * 3, object), kinds, "region", POLICY)
    assert list(found) == ["geography", "", "geography"]


@pytest.mark.parametrize(
    ("estimate", "error", "df", "flag"),
    [
        (100, 30, 20, ""),
        (100, 30.1, 20, "imprecise"),
        (100, 50, 20, "imprecise"),
        (100, 50.1, 20, "interval_only"),
        (100, 5, 4, ""),
        (100, 5, 3, "interval_only"),
        (0, 0, 20, ""),
    ],
)
def test_precision_flags(estimate, error, df, flag):
    table = pd.DataFrame({"estimate": [estimate], "std_error": [error], "df": [df]})
    assert precision_flags(table, POLICY)[0] == flag


def schema_with(**changes):
    config = read_yaml("config/disclosure.yaml")
    config.update(changes)
    check_config(config, read_yaml("workflow/schemas/disclosure.yaml"), "config/disclosure.yaml")


@pytest.mark.parametrize(
    "changes",
    [
        {"minimum_respondents": 9},
        {"minimum_reporting": 5},
        {"minimum_areas": 49},
        {"dominance": {"largest": 0.6, "two_largest": 0.9}},
        {"protection": {"relative_width": 0.4, "reporting": 10}},
        {"rounding": {"significant_digits": 4, "standard_error_share": 0.1}},
        {"protected": ["island_group"]},
    ],
)
def test_a_laxer_policy_is_refused(changes):
    with pytest.raises(PipelineError):
        schema_with(**changes)


@pytest.mark.parametrize("order", [["barangay", "region"], ["national", "city", "region"]])
def test_small_places_cannot_be_called_large(order):
    config = read_yaml("config/disclosure.yaml") | {"geographies": order}
    with pytest.raises(PipelineError, match="order"):
        Policy.from_config(config)


def test_the_smallest_geography_is_no_sieve_though_it_be_protected():
    policy = Policy(protected=("national", "island_group", "region"))
    cells = pd.DataFrame({"group": "victims", "domain_type": "region", "x": range(3)})
    reasons = np.array(["primary", "primary", ""], dtype=object)
    found = geographic_reasons(cells, reasons, {"region": "geographic"}, "region", policy)
    assert set(found) == {"geography"}


def test_a_stricter_policy_is_taken():
    schema_with(minimum_respondents=30, dominance={"largest": 0.3, "two_largest": 0.5})
    assert Policy.from_config(read_yaml("config/disclosure.yaml")).minimum_respondents == 10


EXCEPTION = {
    "survey": "one",
    "group": "victims",
    "domain_type": "region",
    "domain": "NCR",
    "reason": "published by the statistics office already",
    "approver": "two checkers",
    "expiry": "2030-01-01",
}


def test_an_exception_holds_until_its_expiry():
    day = datetime.date(2030, 1, 1)
    assert valid_exceptions([EXCEPTION], "one", day) == {("victims", "region", "NCR")}
    assert valid_exceptions([EXCEPTION], "other", day) == set()
    with pytest.raises(PipelineError, match="no day"):
        valid_exceptions([EXCEPTION | {"expiry": "2030-02-31"}], "one", day)
    with pytest.raises(PipelineError, match="expired"):
        valid_exceptions([EXCEPTION], "one", day + datetime.timedelta(days=1))


@pytest.mark.parametrize(
    ("estimate", "error", "step"),
    [
        (471_416, 38_416, 5_000),
        (471_416, 4_000, 1_000),
        (471_416, np.nan, 1_000),
        (0.9943, 0.0321, 0.005),
        (0, 25, 5),
    ],
)
def test_rounding_is_never_finer_than_a_tenth_of_the_error(estimate, error, step):
    found = rounding_step(np.array([estimate], float), np.array([error], float), POLICY)
    assert found[0] == pytest.approx(step)


@given(
    st.floats(1e-4, 1e8, allow_nan=False),
    st.floats(1e-6, 1.0),
)
def test_steps_hold_for_all_sizes(estimate, cv):
    step = rounding_step(np.array([estimate]), np.array([estimate * cv]), POLICY)[0]
    assert step >= 0.1 * estimate * cv * (1 - 1e-6)
    assert step >= 10.0 ** (np.floor(np.log10(estimate)) - 2) * (1 - 1e-9)
    value = rounded(np.array([estimate]), np.array([step]))[0]
    assert abs(value - estimate) <= step / 2 * (1 + 1e-6)


def test_numbers_are_clean_decimals():
    assert rounded(np.array([0.30000000000000004]), np.array([0.1]))[0] == 0.3
    assert list(significant(np.array([0.012345, 123456.0, 0.0, np.nan]), 3))[:3] == [
        0.0123,
        123000.0,
        0.0,
    ]


@given(
    st.floats(0.5, 2.0),
    st.sampled_from([0.5, 0.1, 0.05, 0.02, 0.01, 0.001]),
)
def test_a_limit_stays_on_its_side_of_equality(value, step):
    shown = float(rounded_apart(np.array([value]), np.array([step]), np.array([1.0]))[0])
    plain = float(rounded(np.array([value]), np.array([step]))[0])
    assert abs(shown - value) <= step / 2 + 1e-12
    assert plain in (shown, 1)
    if abs(value - 1) > 1e-6 * step:
        assert np.sign(shown - 1) == np.sign(value - 1)


def test_a_limit_that_is_no_comparison_is_rounded_as_it_is():
    values, step = np.array([0.996, 0.996, 1.0]), np.full(3, 0.02)
    assert list(rounded_apart(values, step, np.array([np.nan, 1.0, 1.0]))) == [1.0, 0.996, 1.0]
