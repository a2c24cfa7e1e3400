import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prevalence.codebook import COLUMNS, parse_codebook
from prevalence.decoding import Interviews
from prevalence.screening import (
    duplicate_content,
    duplicate_id,
    incomplete,
    interview_minutes,
    not_eligible_age,
    screen_interviews,
    straight_lining,
    too_short,
    without_consent,
)

CODEBOOK = parse_codebook(
    "\n".join(
        [
            ",".join(COLUMNS),
            "ID,respondent,Interview,text,key,,,,,,",
            "CONS,consent,Consent,categorical,consent,,,,,1=yes;2=no,",
            "T1,interview_start,Beginning,datetime,paradata,,,,,,",
            "T2,interview_end,End,datetime,paradata,,,,,,",
            "AGE,age,Age,numeric,domain,,,,,,",
            *(f"K{i},k{i},Known {i},numeric,known,,0,,,,k{i}" for i in range(4)),
        ]
    ).encode(),
    "codebook.csv",
)
COUNTS = [f"k{i}" for i in range(4)]


def interviews(**columns):
    n = len(next(iter(columns.values())))
    answers = pd.DataFrame(
        {
            "respondent": pd.Series([f"r{i}" for i in range(n)], dtype="str"),
            "consent": pd.Series(["yes"] * n, dtype="str"),
            "interview_start": pd.Series(["2022-05-01T08:00:00"] * n, dtype="str"),
            "interview_end": pd.Series(["2022-05-01T08:40:00"] * n, dtype="str"),
            "age": np.full(n, 30.0),
            **{name: np.arange(n, dtype=float) + i for i, name in enumerate(COUNTS)},
        }
    ).assign(**columns)
    missing = pd.DataFrame(
        np.where(answers.isna(), "system", ""), columns=answers.columns, dtype=object
    )
    return Interviews(answers, missing)


def test_consent_must_be_given():
    data = interviews(consent=pd.Series(["yes", "no", None], dtype="str"))
    assert without_consent(data, CODEBOOK, {"rule": "consent", "keep": ["yes"]}).tolist() == [
        False,
        True,
        True,
    ]


def test_ages_outside_are_excluded_and_bounds_are_in():
    data = interviews(age=[17.0, 18.0, 110.0, 111.0, np.nan])
    rule = {"rule": "eligible_age", "minimum": 18, "maximum": 110}
    assert not_eligible_age(data, CODEBOOK, rule).tolist() == [True, False, False, True, False]
    strict = rule | {"missing": "exclude"}
    assert not_eligible_age(data, CODEBOOK, strict).tolist() == [True, False, False, True, True]


def test_of_an_id_the_fullest_interview_stays_then_the_earliest():
    data = interviews(
        respondent=pd.Series(["a", "a", "b", "b", "c", None], dtype="str"),
        k0=[np.nan, 1.0, 1.0, 1.0, 1.0, 1.0],
        interview_start=pd.Series(
            ["2022-05-01T08:00:00"] * 2 + ["2022-05-02T08:00:00"] + ["2022-05-01T08:00:00"] * 3,
            dtype="str",
        ),
    )
    assert duplicate_id(data, CODEBOOK, {}).tolist() == [True, False, True, False, False, False]


def test_the_same_content_under_two_ids():
    same = {key: [3.0, 3.0, 3.0] for key in COUNTS}
    data = interviews(**(same | {"k3": [1.0, 1.0, 2.0]}))
    rule = {"rule": "duplicate_content", "minimum_items": 4}
    assert duplicate_content(data, CODEBOOK, rule).sum() == 1
    assert not duplicate_content(data, CODEBOOK, rule)[2]
    other_age = interviews(**(same | {"k3": [1.0, 1.0, 2.0], "age": [30.0, 31.0, 30.0]}))
    assert duplicate_content(other_age, CODEBOOK, rule).sum() == 0


def test_people_who_know_few_are_no_duplicates():
    data = interviews(**{key: [0.0, 0.0, 0.0] for key in COUNTS})
    rule = {"rule": "duplicate_content", "minimum_items": 1}
    assert duplicate_content(data, CODEBOOK, rule).sum() == 0


@pytest.mark.parametrize(("answered", "excluded"), [(1, True), (2, False), (4, False)])
def test_incomplete_means_more_than_the_share(answered, excluded):
    counts = {name: [1.0 if i < answered else np.nan] for i, name in enumerate(COUNTS)}
    rule = {"rule": "incomplete", "maximum_missing_share": 0.5}
    assert incomplete(interviews(**counts), CODEBOOK, rule).tolist() == [excluded]


def test_what_was_not_asked_is_missing_unless_the_design_left_it_out():
    data = interviews(**{key: [np.nan, np.nan] for key in COUNTS})
    missing = data.missing.copy()
    missing.loc[0, COUNTS] = "not_asked"
    missing.loc[1, COUNTS[:3]] = "not_asked"
    answers = data.answers.assign(k3=[np.nan, 2.0])
    missing.loc[1, "k3"] = ""
    rule = {"rule": "incomplete", "maximum_missing_share": 0.5}
    data = Interviews(answers, missing)
    assert incomplete(data, CODEBOOK, rule).tolist() == [True, True]
    neutral = rule | {"not_asked": "neutral"}
    assert incomplete(data, CODEBOOK, neutral).tolist() == [True, False], "nothing was asked of 1"


def test_the_length_of_interviews():
    ends = ["2022-05-01T08:40:00", "2022-05-01T08:13:00", "2022-05-02T08:00:00", None]
    data = interviews(interview_end=pd.Series(ends, dtype="str"))
    np.testing.assert_allclose(interview_minutes(data), [40, 13, 1440, np.nan])
    rule = {"rule": "too_short", "minimum_share_of_median": 0.33}
    # The median is 40 minutes, a third of it 13.2; a missing time is no short interview.
    assert too_short(data, CODEBOOK, rule).tolist() == [False, True, False, False]


def test_without_any_time_nobody_is_too_short():
    data = interviews(interview_end=pd.Series([None, None], dtype="str"))
    assert not too_short(data, CODEBOOK, {"rule": "x", "minimum_share_of_median": 0.3}).any()


def test_one_answer_to_all_is_a_straight_line_but_zeros_are_not():
    rows = [[5, 5, 5, 5], [0, 0, 0, 0], [5, 5, 5, 4], [5, 5, 5, np.nan], [np.nan] * 4]
    data = interviews(**dict(zip(COUNTS, np.array(rows).T, strict=True)))
    four = straight_lining(data, CODEBOOK, {"minimum_items": 4})
    assert four.tolist() == [True, False, False, False, False]
    three = straight_lining(data, CODEBOOK, {"minimum_items": 3})
    assert three.tolist() == [True, False, False, True, False]


def test_rules_see_what_the_rules_before_them_left():
    data = interviews(consent=pd.Series(["no", "yes", "yes"], dtype="str"), age=[12.0, 12.0, 40.0])
    rules = [
        {"rule": "consent", "keep": ["yes"]},
        {"rule": "eligible_age", "minimum": 18},
    ]
    kept, steps = screen_interviews(data, CODEBOOK, rules)
    assert kept.answers["respondent"].tolist() == ["r2"]
    assert [(step.remaining, step.excluded) for step in steps] == [(2, 1), (1, 1)]
    assert steps[1].reason == "minimum: 18"


@settings(max_examples=30, deadline=None)
@given(
    ids=st.lists(st.sampled_from("abcd"), min_size=2, max_size=12),
    seed=st.integers(0, 1000),
)
def test_one_interview_of_each_id_stays_whatever_the_order(ids, seed):
    generator = np.random.default_rng(seed)
    counts = {name: generator.integers(0, 3, len(ids)).astype(float) for name in COUNTS}
    data = interviews(respondent=pd.Series(ids, dtype="str"), **counts)
    order = generator.permutation(len(ids))
    shuffled = Interviews(
        data.answers.iloc[order].reset_index(drop=True),
        data.missing.iloc[order].reset_index(drop=True),
    )
    kept = [one.where(~duplicate_id(one, CODEBOOK, {})).answers for one in (data, shuffled)]
    assert sorted(kept[0]["respondent"]) == sorted(set(ids))
    pd.testing.assert_frame_equal(
        *(frame.sort_values("respondent", ignore_index=True) for frame in kept)
    )


def test_eligibility_has_its_own_question():
    book = parse_codebook(
        "\n".join(
            [
                ",".join(COLUMNS),
                "ID,respondent,Interview,text,key,,,,,,",
                "CONS,consent,Consent,categorical,consent,,,,,1=yes;2=no,",
                "EL,eligible,Eligible,categorical,consent,,,,,1=yes;2=no,",
            ]
        ).encode(),
        "codebook.csv",
    )
    data = interviews(eligible=pd.Series(["yes", "no", "no"], dtype="str"))
    rule = {"rule": "eligible", "keep": ["yes"]}
    assert without_consent(data, book, rule).tolist() == [False, True, True]


def test_a_single_answer_is_no_straight_line():
    alone = {name: np.full(2, np.nan) for name in COUNTS[1:]}
    data = interviews(k0=np.array([3.0, 3.0]), **alone)
    assert not straight_lining(data, CODEBOOK, {}).any()
