import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from prevalence.sample_flow import sample_flow
from prevalence.screening import Step

CODES = ["1.1", "1.2", "2.1", "2.2", "2.3", "2.21", "3.1", "3.2", "4.1", "4.7"]


def test_dispositions_thin_the_sample_out_in_order():
    frame = pd.DataFrame({"disposition": CODES})
    flow = sample_flow(frame, 2, []).set_index("code")
    assert flow["excluded"].to_dict() == {
        "sampled": 0,
        "not_eligible": 2,
        "unknown_eligibility": 2,
        "non_contact": 2,
        "refusal": 1,
        "other_non_interview": 1,
        "completed": 0,
        "export": 0,
        "analysed": 0,
    }
    assert flow.loc["completed", "n"] == 2
    assert flow.loc["export", "reason"] == ""


def test_screening_follows_the_export():
    steps = [Step("consent", "no consent", 8, 2, "keep: yes"), Step("x", "y", 7, 1, "")]
    flow = sample_flow(None, 10, steps)
    assert flow["n"].tolist() == [10, 8, 7, 7]
    assert flow["code"].tolist() == ["export", "consent", "x", "analysed"]


def test_fewer_interviews_than_completed_households_are_said():
    frame = pd.DataFrame({"disposition": ["1.1"] * 5})
    flow = sample_flow(frame, 3, []).set_index("code")
    assert flow.loc["export", "reason"] == "2 fewer than completed households"


@given(st.lists(st.sampled_from(CODES), min_size=1))
def test_every_household_is_counted_once(codes):
    flow = sample_flow(pd.DataFrame({"disposition": codes}), 0, []).set_index("code")
    assert flow["excluded"].sum() + flow.loc["completed", "n"] == len(codes)
