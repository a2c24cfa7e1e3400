import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.derivation import derive_variables
from prevalence.errors import PipelineError

ANSWERS = pd.DataFrame(
    {
        "region": pd.Series(["NCR", "VII", None, "V"], dtype="str"),
        "age": [18.0, 24.0, np.nan, 65.0],
        "sex": pd.Series(["male", "female", "male", "female"], dtype="str"),
        "adults": [1.0, 2.0, 3.0, np.nan],
        "others": [0.0, 2.0, 3.0, 1.0],
    }
)
AGE = {"from": "age", "breaks": [18, 25, 65], "labels": ["18–24", "25–64", "65+"]}


def derived(**definitions):
    return derive_variables(ANSWERS, definitions)


def as_list(column):
    return [None if pd.isna(value) else value for value in column]


def test_a_map_gathers_values():
    table = derived(island={"from": "region", "map": {"Luzon": ["NCR", "V"], "Visayas": ["VII"]}})
    assert as_list(table["island"]) == ["Luzon", "Visayas", None, "Luzon"]


def test_classes_begin_at_their_breaks():
    assert as_list(derived(age_group=AGE)["age_group"]) == ["18–24", "18–24", None, "65+"]


def test_a_later_variable_may_rest_on_an_earlier_one():
    table = derived(age_group=AGE, sex_age={"paste": ["sex", "age_group"], "separator": " "})
    assert as_list(table["sex_age"]) == ["male 18–24", "female 18–24", None, "female 65+"]


def test_a_sum_is_missing_where_a_part_is():
    assert as_list(derived(size={"sum": ["adults", "others"]})["size"]) == [1, 4, 6, None]


def test_a_copy():
    assert as_list(derived(province={"from": "region"})["province"]) == ["NCR", "VII", None, "V"]


def test_the_answers_stay_as_they_were():
    before = ANSWERS.copy()
    derived(region={"from": "sex"})
    pd.testing.assert_frame_equal(ANSWERS, before)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"from": "regions"}, "Did you mean 'region'"),
        ({"from": "region", "map": {"Luzon": ["NCR"]}}, "2 values of fewer than 3"),
        ({"from": "region", "map": {"a": ["NCR", "V", "VII"], "b": ["V"]}}, "stands twice"),
        (AGE | {"labels": ["a"]}, "3 breaks, 1 labels"),
        (AGE | {"breaks": [18, 65, 25]}, "rising breaks"),
        (AGE | {"breaks": [20, 25, 65]}, "1 values below 20"),
    ],
)
def test_faults(definition, expected):
    with pytest.raises(PipelineError, match=expected):
        derived(new=definition)


@given(st.lists(st.floats(0, 120), min_size=1))
def test_every_age_has_exactly_one_class(ages):
    table = derive_variables(
        pd.DataFrame({"age": ages}),
        {"group": {"from": "age", "breaks": [0, 18, 65], "labels": ["a", "b", "c"]}},
    )
    for age, group in zip(ages, table["group"], strict=True):
        assert group == ("a" if age < 18 else "b" if age < 65 else "c")


def test_number_codes_are_written_as_a_config_has_them():
    answers = pd.DataFrame({"code": [1.0, 2.0, 2.5, np.nan]})
    derived = derive_variables(
        answers,
        {
            "few": {"from": "code", "map": {"low": [1], "high": [2, 2.5]}},
            "pair": {"paste": ["code", "few"], "separator": " "},
        },
    )
    assert derived["few"].tolist()[:3] == ["low", "high", "high"]
    assert derived["pair"].tolist()[:3] == ["1 low", "2 high", "2.5 high"]
    assert derived.loc[3, ["few", "pair"]].isna().all()


def test_ids_are_not_derived():
    with pytest.raises(PipelineError, match="ids"):
        derive_variables(pd.DataFrame({"x": [1.0]}), {"respondent": {"from": "x"}})


def test_a_message_names_no_answer_of_a_single_person():
    answers = pd.DataFrame({"place": pd.Series(["north"] * 3 + ["my own words"], dtype="str")})
    with pytest.raises(PipelineError, match=r"north \(3\)") as caught:
        derive_variables(answers, {"x": {"from": "place", "map": {"s": ["south"]}}})
    assert "own words" not in str(caught.value)
    assert "1 values of fewer than 3" in str(caught.value)
