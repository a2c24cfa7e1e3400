import numpy as np
import pandas as pd
import pytest

from prevalence.codebook import COLUMNS, parse_codebook
from prevalence.decoding import Interviews
from prevalence.edits import edit_answers
from prevalence.errors import PipelineError

CODEBOOK = parse_codebook(
    "\n".join(
        [
            ",".join(COLUMNS),
            "ID,respondent,Interview,text,key,,,,,,",
            "F,knows_any,Knows any,categorical,covariate,,,,,1=yes;2=no,",
            "K0,whole,Whole,numeric,known,,0,100,,,whole",
            "K1,part,Part,numeric,known,,0,100,,,part",
            "AGE,age,Age,numeric,domain,,15,110,,,",
        ]
    ).encode(),
    "codebook.csv",
)
NA = np.nan


def interviews(whole, part, knows="yes", age=30.0, why="system"):
    n = len(whole)
    answers = pd.DataFrame(
        {
            "respondent": pd.Series([f"r{i}" for i in range(n)], dtype="str"),
            "knows_any": pd.Series([knows] * n, dtype="str"),
            "whole": np.array(whole, float),
            "part": np.array(part, float),
            "age": np.full(n, age),
        }
    )
    missing = pd.DataFrame(np.where(answers.isna(), why, ""), columns=answers.columns, dtype=object)
    return Interviews(answers, missing)


def edited(data, *rules):
    return edit_answers(data, CODEBOOK, rules)


def test_values_outside_the_range_become_missing_and_bounds_stay():
    data, edits = edited(interviews([0, 100, 101, -1, 2.5, NA], [0] * 6), {"rule": "out_of_range"})
    np.testing.assert_array_equal(data.answers["whole"], [0, 100, NA, NA, NA, NA])
    assert data.missing["whole"].tolist() == ["", ""] + ["out_of_range"] * 3 + ["system"]
    assert edits["before"].tolist() == ["101", "-1", "2.5"]
    assert set(edits["after"]) == {"out_of_range"}


def test_ages_need_not_be_whole():
    data, edits = edited(interviews([0], [0], age=30.5), {"rule": "out_of_range"})
    assert data.answers["age"].tolist() == [30.5]
    assert edits.empty


def test_a_code_typed_as_a_count():
    rule = {"rule": "typed_missing_code", "codes": [99], "kind": "dont_know"}
    data, edits = edited(interviews([99, 9], [1, 99]), rule)
    assert data.missing["whole"].tolist() == ["dont_know", ""]
    assert edits[["respondent", "variable", "before"]].to_numpy().tolist() == [
        ["r0", "whole", "99"],
        ["r1", "part", "99"],
    ]
    with pytest.raises(PipelineError, match="kind of missing value is unknown"):
        edited(interviews([1], [1]), rule | {"kind": "unsure"})


def test_a_part_above_its_whole():
    rule = {"rule": "part_above_whole", "part": "part", "whole": "whole"}
    data, edits = edited(interviews([1, 3, NA], [2, 2, 2]), rule)
    np.testing.assert_array_equal(data.answers["whole"], [2, 3, NA])
    assert edits[["before", "after"]].to_numpy().tolist() == [["1", "2"]]
    data, _ = edited(interviews([1, 3, NA], [2, 2, 2]), rule | {"become": "missing"})
    np.testing.assert_array_equal(data.answers["part"], [NA, 2, 2])


def test_a_filter_that_rules_counts_out():
    rule = {
        "rule": "implied_zero",
        "filter": "knows_any",
        "equals": ["no"],
        "variables": ["whole"],
    }
    data, edits = edited(interviews([NA, 4], [1, 1], knows="no"), rule)
    assert data.answers["whole"].tolist() == [0, 4]
    assert data.missing["whole"].tolist() == ["", ""]
    assert edits["before"].tolist() == ["system"]
    refused = interviews([NA], [1], knows="no", why="refused")
    assert np.isnan(edited(refused, rule)[0].answers["whole"]).all(), "a refusal is no zero"
    asked = interviews([NA], [1], knows="yes")
    assert np.isnan(edited(asked, rule)[0].answers["whole"]).all()


def test_rules_work_in_their_order():
    first = {"rule": "typed_missing_code", "codes": [999]}
    second = {"rule": "out_of_range"}
    _, edits = edited(interviews([999], [0]), first, second)
    assert edits["rule"].tolist() == ["typed_missing_code"]
    _, edits = edited(interviews([999], [0]), second, first)
    assert edits["rule"].tolist() == ["out_of_range"]


def test_the_interviews_given_are_not_changed():
    data = interviews([999], [0])
    edited(data, {"rule": "out_of_range"})
    assert data.answers["whole"].tolist() == [999]
    assert data.missing["whole"].tolist() == [""]


def test_a_range_without_a_rule_is_an_error_with_counts_alone():
    with pytest.raises(PipelineError) as caught:
        edited(interviews([777, 888, 1], [0, 0, 0]))
    assert "whole: 2 answers" in str(caught.value)
    assert "777" not in str(caught.value)


def test_unknown_names():
    with pytest.raises(PipelineError, match="Did you mean 'part'"):
        edited(interviews([1], [1]), {"rule": "part_above_whole", "part": "prt", "whole": "whole"})
    with pytest.raises(PipelineError, match="An edit is unknown"):
        edited(interviews([1], [1]), {"rule": "round"})


@pytest.mark.parametrize(("question", "answer"), [("knows_any", "non"), ("age", "30")])
def test_a_filter_answer_that_nobody_can_give(question, answer):
    rule = {"rule": "implied_zero", "filter": question, "equals": [answer], "variables": ["whole"]}
    with pytest.raises(PipelineError, match="names an answer that the codebook"):
        edited(interviews([NA], [0]), rule)
