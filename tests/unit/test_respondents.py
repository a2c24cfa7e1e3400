import numpy as np
import pandas as pd
import pytest

from prevalence.codebook import COLUMNS, parse_codebook
from prevalence.decoding import Interviews
from prevalence.errors import PipelineError
from prevalence.respondents import (
    check_respondent_ids,
    combine_groups,
    impute_reports,
    place_in_design,
    respondents_table,
)

CODEBOOK = parse_codebook(
    "\n".join(
        [
            ",".join(COLUMNS),
            "ID,respondent,Interview,text,key,,,,,,",
            "REG,region,Region,categorical,domain,,,,,1=North;2=South,",
            "WT,weight,Weight,numeric,base_weight,,,,,,",
            "A,live,Live,numeric,hidden_item,,0,,,,live",
            "B,nonlive,Non-live,numeric,hidden_item,,0,,,,nonlive",
        ]
    ).encode(),
    "codebook.csv",
)


def interviews(**columns):
    answers = pd.DataFrame(
        {
            "respondent": pd.Series(["b", "a"], dtype="str"),
            "region": pd.Series(["North", "South"], dtype="str"),
            "weight": [1.5, 0.5],
            "live": [1.0, np.nan],
            "nonlive": [2.0, np.nan],
        }
    ).assign(**columns)
    missing = pd.DataFrame(
        np.where(answers.isna(), "refused", ""), columns=answers.columns, dtype=object
    )
    return Interviews(answers, missing)


def test_a_variable_can_be_the_stratum_and_rows_are_sorted():
    placed = place_in_design(interviews(), {"stratum": "region", "household": None}, None)
    assert placed.answers["respondent"].tolist() == ["a", "b"]
    assert placed.answers["stratum"].tolist() == ["South", "North"]
    assert placed.answers["household"].tolist() == ["", ""]
    assert placed.missing["live"].tolist() == ["refused", ""], "reasons move with their rows"


def test_a_stratum_that_does_not_exist():
    with pytest.raises(PipelineError, match="Did you mean 'region'"):
        place_in_design(interviews(), {"stratum": "regions"}, None)


def test_a_frame_without_a_household_to_link():
    frame = pd.DataFrame({"household": ["h1"], "stratum": ["s"]})
    with pytest.raises(PipelineError, match="name no household"):
        place_in_design(interviews(), {}, frame)


def test_the_supplied_weight_gets_its_name():
    placed = place_in_design(interviews(), {}, None)
    table = respondents_table(placed.answers, CODEBOOK, [])
    assert table["base_weight_supplied"].tolist() == [0.5, 1.5]
    assert "live" not in table
    assert "weight" not in table


def test_combined_groups_keep_the_reason():
    combined = combine_groups(
        interviews(), CODEBOOK, {"hidden": {"items": ["live", "nonlive"], "rule": "sum"}}
    )
    assert combined.answers["hidden"].tolist()[0] == 3
    assert combined.missing["hidden"].tolist() == ["", "refused"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [(["a", "a"], "1 with an id used before"), (["a", None], "1 interviews without an id")],
)
def test_ids_must_identify(ids, expected):
    with pytest.raises(PipelineError, match=expected):
        check_respondent_ids(interviews(respondent=pd.Series(ids, dtype="str")))


def test_number_codes_of_the_design_are_those_of_the_frame():
    frame = pd.DataFrame({"household": ["h1", "h2"], "stratum": ["2", "1"]})
    data = interviews(stratum=[2.0, np.nan], household=pd.Series(["h1", "h2"], dtype="str"))
    placed = place_in_design(data, {}, frame)
    assert placed.answers["stratum"].tolist() == ["1", "2"], "and the frame knows what is missing"
    with pytest.raises(PipelineError, match="1 interviews"):
        place_in_design(data, {}, frame.assign(stratum=["7", "1"]))


def test_a_key_that_the_survey_is_said_to_lack_is_not_used():
    data = interviews(psu=pd.Series(["p1", "p2"], dtype="str"))
    assert place_in_design(data, {}, None).answers["psu"].tolist() == ["p2", "p1"]
    assert place_in_design(data, {"psu": None}, None).answers["psu"].tolist() == ["", ""]


@pytest.mark.parametrize("order", [("stratum", "psu"), ("psu", "stratum")])
def test_keys_may_stand_in_any_order(order):
    data = interviews(
        psu=pd.Series(["p1", "p2"], dtype="str"), ssu=pd.Series(["s1", "s2"], dtype="str")
    )
    keys = {"stratum": "psu", "psu": "ssu"}
    placed = place_in_design(data, {name: keys[name] for name in order}, None)
    assert placed.answers["stratum"].tolist() == ["p2", "p1"]
    assert placed.answers["psu"].tolist() == ["s2", "s1"]


def test_a_combined_group_never_replaces_a_variable():
    with pytest.raises(PipelineError, match="name of a variable"):
        combine_groups(
            interviews(), CODEBOOK, {"weight": {"items": ["live", "nonlive"], "rule": "maximum"}}
        )


def test_imputations_name_hidden_groups_by_their_ids():
    book = parse_codebook(
        "\n".join(
            [
                ",".join(COLUMNS),
                "ID,respondent,Interview,text,key,,,,,,",
                "A,q12,Victims,numeric,hidden,,0,,,,children",
                "B,q13,Perpetrators,numeric,hidden,,0,,,,adults",
            ]
        ).encode(),
        "codebook.csv",
    )
    data = interviews(q12=[0.0, 1.0], q13=[2.0, 0.0])
    rule = {"rule": "victims_from_perpetrators", "victims": "children", "perpetrators": "adults"}
    imputed, records = impute_reports(data, book, [rule])
    assert imputed.answers["q12"].tolist() == [4.0, 1.0]
    assert len(records[0]) == 1


def test_a_psu_may_be_the_city_though_pseudonyms_differ_by_kind():
    data = interviews(
        household=pd.Series(["h1", "h2"], dtype="str"), city=pd.Series(["c1", "c2"], dtype="str")
    )
    frame = pd.DataFrame({"household": ["h1", "h2"], "psu": ["p1", "p2"]})
    placed = place_in_design(data, {"psu": "city"}, frame)
    assert placed.answers["psu"].tolist() == ["p2", "p1"]
    with pytest.raises(PipelineError, match="1 labels that stand for several"):
        place_in_design(data, {"psu": "city"}, frame.assign(psu="p1"))


def test_a_household_is_a_variable_of_its_own():
    frame = pd.DataFrame({"household": ["h1", "h2"], "psu": ["p1", "p2"]})
    with pytest.raises(PipelineError, match="a variable of its own"):
        place_in_design(interviews(), {"household": "respondent"}, frame)
