"""How numbers are written."""

import math

import pytest

from prevalence.report.wording import (
    alike,
    interval,
    joined,
    number,
    one_in,
    phrase,
    point,
    significant,
)

ROW = {"estimate": 471000.0, "lower": 402000.0, "upper": 552000.0, "level": 0.95, "unit": "persons",
       "suppressed": "", "precision": ""}  # fmt: skip
RATE = ROW | {"estimate": 1.214, "lower": 1.03, "upper": 1.43, "unit": "per_100"}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (471000.0, "persons", "471,000"),
        (1.214, "per_100", "1.21"),
        (0.04321, "per_1000", "0.0432"),
        (1234.6, "per_1000", "1,235"),
        (15.25, "per_cent", "15.2"),
        (101.26, "people_known", "101"),
        (9.96, "people_known", "10.0"),
        (0.0, "ratio", "0"),
    ],
)
def test_a_number_is_as_fine_as_its_unit(value, unit, text):
    assert number(value, unit) == text


def test_a_limit_that_is_not_finite_is_a_word():
    assert significant(math.inf) == "unbounded"


def test_an_estimate_carries_its_interval():
    assert phrase(ROW) == "471,000 (95% interval 402,000 to 552,000)"
    assert phrase(RATE, "per 100 children") == "1.21 per 100 children (95% interval 1.03 to 1.43)"
    assert interval(RATE) == "1.03 to 1.43"


def test_no_number_has_more_digits_than_were_released():
    assert phrase(RATE | {"estimate": 0.71, "lower": 0.58, "upper": 0.86}).startswith("0.71 (")
    assert interval(RATE | {"estimate": 3.3, "lower": 2.4, "upper": 4.7}) == "2.4 to 4.7"
    assert interval(RATE | {"estimate": 3.0, "lower": 2.0, "upper": 4.75}) == "2.00 to 4.75"


@pytest.mark.parametrize("unit", ["per_1000", "people_known", "persons"])
def test_a_number_below_a_hundred_keeps_its_decimal_beside_a_limit_above(unit):
    row = ROW | {"estimate": 96.5, "lower": 85.3, "upper": 109.0, "unit": unit}
    assert (point(row), interval(row)) == ("96.5", "85.3 to 109")
    assert interval(row | {"lower": 85.0}) == "85 to 109"
    assert interval(row | {"lower": 0.04}) == "0.04 to 109"


def test_a_rate_is_turned_round_with_its_limits():
    assert one_in(RATE, 100, "children") == "1 in 82 children (95% interval 1 in 97 to 1 in 70)"


@pytest.mark.parametrize("reason", ["primary", "complementary", "dominance", "geography"])
def test_a_suppressed_cell_says_why_and_shows_nothing(reason):
    row = ROW | {"suppressed": reason}
    for text in (point(row), phrase(row), one_in(row, 100)):
        assert text.startswith("suppressed (")
        assert not any(character.isdigit() for character in text)


def test_an_imprecise_estimate_is_marked_or_an_interval_only():
    assert point(ROW | {"precision": "imprecise"}) == "471,000 †"
    only = ROW | {"precision": "interval_only"}
    assert "471,000" not in point(only) + phrase(only)
    assert phrase(only) == "between 402,000 and 552,000 (95% interval)"
    missing = ROW | {"estimate": math.nan}
    assert point(missing) == "interval only"


def test_words_are_joined_as_in_a_sentence():
    assert joined([]) == ""
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"], "or") == "a, b or c"


@pytest.mark.parametrize(
    ("estimates", "places"),
    [((1.2, 0.7), [2, 2]), ((121.0, 0.7), [0, 2]), ((12.4, 9.71), [1, 1]), ((0.7, None), [2, 2])],
)
def test_rows_beside_each_other_have_one_number_of_decimals(estimates, places):
    rows = [
        {
            "unit": "per_100",
            "estimate": one,
            "lower": one and 0.83 * one,
            "upper": one and 1.16 * one,
        }
        for one in estimates
    ]
    assert alike(rows) == places
