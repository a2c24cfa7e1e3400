"""Populations of which a part is larger than the whole are refused, with row and numbers."""

import pytest

from prevalence.denominators import check_sizes
from prevalence.errors import PipelineError

NATION = {"domain_type": "national", "domain": "national", "all_ages": 1000.0, "year": 2022}
AGES = {"children": 400.0, "adults": 600.0}


def place(name, size, **more):
    return {"domain_type": "region", "domain": name, "all_ages": size, "year": 2022, **more}


def check(*rows):
    check_sizes(rows, [f"row {number}" for number in range(1, len(rows) + 1)], "populations.csv")


def test_sizes_that_add_up_are_accepted_and_rounding_is_allowed_for():
    check(NATION | AGES, place("A", 505.0, children=200.0, adults=305.0), place("B", 504.0))
    check(NATION | {"children": float("nan")}, place("A", 900.0, children=800.0))
    check(place("A", 5000.0))  # without a nation another message tells it


@pytest.mark.parametrize(
    ("rows", "problem", "words"),
    [
        (
            [NATION | AGES | {"adults": 700.0}],
            "more than the whole",
            ["row 1 (national, national)", "1,100 together", "at most all_ages, 1,000"],
        ),
        ([NATION, place("A", 1001.0)], "A place has more", ["row 2 (region, A)", "1,001"]),
        (
            [NATION | AGES, place("A", 700.0, children=401.0)],
            "A place has more",
            ["children", "nation's, 400"],
        ),
        (
            [NATION, place("A", 600.0), place("B", 600.0)],
            "Places of a type",
            ["rows of region, up to row 3", "1,200 together"],
        ),
    ],
)
def test_a_part_above_the_whole_is_refused_with_its_row(rows, problem, words):
    with pytest.raises(PipelineError, match=problem) as error:
        check(*rows)
    for word in (*words, "populations.csv", "thousands"):
        assert word in str(error.value)


def test_years_are_compared_with_themselves():
    later = NATION | {"year": 2030, "all_ages": 3000.0}
    check(NATION, later, place("A", 900.0), place("A", 2500.0, year=2030))
    with pytest.raises(PipelineError, match="A place has more"):
        check(later, NATION, place("A", 2500.0))
