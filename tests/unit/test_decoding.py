import numpy as np
import pandas as pd
import pytest

from prevalence.codebook import COLUMNS, parse_codebook
from prevalence.decoding import decode_responses
from prevalence.errors import PipelineError

CODEBOOK = parse_codebook(
    "\n".join(
        [
            ",".join(COLUMNS),
            "ID,respondent,Interview,text,key,,,,,,",
            "S,sex,Sex,categorical,domain,9=refused,,,,1=male;2=female,",
            'A,age_group,Age,categorical,domain,NA=not_asked,,,,"[15,25)=15–24;[25,35)=25–34",',
            "K,doctors,Doctors,numeric,known,998=dont_know;997=refused;.a=not_asked,0,100,,,doctors",
            "L,language,Language,text,paradata,none=not_asked,,,,,",
        ]
    ).encode(),
    "codebook.csv",
)


def responses():
    return pd.DataFrame(
        {
            "ID": pd.Series(list("abcd"), dtype="str"),
            "S": [1.0, 2.0, 9.0, np.nan],
            "A": pd.Series(["[15,25)", "[25,35)", "NA", None], dtype="str"),
            "K": [3.0, 998.0, -1001.0, 500.0],
            "L": pd.Series(["Tagalog", "none", None, "Cebuano"], dtype="str"),
        }
    )


def test_codes_become_values_and_reasons():
    data = decode_responses(responses(), CODEBOOK)
    assert data.answers["sex"].tolist()[:2] == ["male", "female"]
    assert data.missing["sex"].tolist() == ["", "", "refused", "system"]
    assert data.answers["age_group"].tolist()[:2] == ["15–24", "25–34"]
    assert data.missing["age_group"].tolist() == ["", "", "not_asked", "system"]
    np.testing.assert_array_equal(data.answers["doctors"], [3, np.nan, np.nan, 500])
    assert data.missing["doctors"].tolist() == ["", "dont_know", "not_asked", ""]
    assert data.missing["language"].tolist() == ["", "not_asked", "system", ""]


def test_an_answer_is_missing_exactly_where_there_is_a_reason():
    data = decode_responses(responses(), CODEBOOK)
    np.testing.assert_array_equal(data.answers.isna(), data.missing != "")


def test_the_responses_are_not_changed():
    before = responses()
    decode_responses(before, CODEBOOK)
    pd.testing.assert_frame_equal(before, responses())


def test_responses_of_another_codebook():
    with pytest.raises(PipelineError, match="lack variables"):
        decode_responses(responses().drop(columns="K"), CODEBOOK)


def test_interviews_can_be_chosen_and_changed():
    data = decode_responses(responses(), CODEBOOK)
    some = data.where(np.array([False, True, False, True]))
    assert some.n == 2
    assert some.answers["respondent"].tolist() == ["b", "d"]
    changed = some.with_answers("doctors", pd.Series([1.0, 2.0]), np.array(["", ""], dtype=object))
    assert changed.counts(["doctors"]).tolist() == [[1.0], [2.0]]
    assert np.isnan(some.counts(["doctors"])[0, 0])
