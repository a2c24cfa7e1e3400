import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.populations import project_denominators

CENSUS = {
    "A": {"children": 30.0, "adults": 70.0},
    "B": {"children": 60.0, "adults": 40.0},
}


def test_shares_of_each_age_group_times_the_later_total():
    result = project_denominators(CENSUS, {"children": 180.0, "adults": 220.0})
    assert result["A"] == {"children": 60.0, "adults": 140.0, "all_ages": 200.0}
    assert result["B"] == {"children": 120.0, "adults": 80.0, "all_ages": 200.0}


@given(st.floats(1, 1e8), st.floats(1, 1e8))
def test_regions_add_up_to_the_nation(children, adults):
    result = project_denominators(CENSUS, {"children": children, "adults": adults})
    assert sum(region["children"] for region in result.values()) == pytest.approx(children)
    assert sum(region["all_ages"] for region in result.values()) == pytest.approx(children + adults)
