import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.codebook import COLUMNS, parse_codebook
from prevalence.decoding import decode_responses
from prevalence.errors import PipelineError
from prevalence.exports import Export
from prevalence.responses import describe_dropped, locate_variables, type_responses

CODEBOOK = parse_codebook(
    "\n".join(
        [
            ",".join(COLUMNS),
            "Q.ID,respondent,Interview,text,key,,,,,,",
            "Q6a_10,doctors,Doctors,numeric,known,998=dont_know;.b=dont_know,0,100,,,doctors",
            "S.2,sex,Sex,categorical,domain,,,,,1=male;2=female,",
            "L,language,Language,text,paradata,,,,,,",
            "T,interview_start,Start,datetime,paradata,,,,,,",
            "N,note,Note,text,ignore,,,,,,",
        ]
    ).encode(),
    "codebook.csv",
)
ROW = {"Q.ID": "a", "Q6a_10": 1.0, "S.2": 1.0, "L": "x", "T": "2022-05-01T08:00:00"}


def export(suffix=".csv", **columns):
    return Export(columns={name: [value] for name, value in (ROW | columns).items()}, format=suffix)


def typed(data):
    return type_responses(data, CODEBOOK, "key", "export")


@pytest.mark.parametrize("value", [3, 3.0, "3", " 3 ", "3.0", "+3", "3e0"])
def test_a_number_written_in_different_ways(value):
    assert typed(export(Q6a_10=value))["Q6a_10"].tolist() == [3.0]


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_nothing_is_missing(value):
    assert np.isnan(typed(export(Q6a_10=value))["Q6a_10"]).all()


@pytest.mark.parametrize("value", ["b", ".b"])
def test_a_stata_letter_becomes_the_code_of_its_kind(value):
    assert typed(export(Q6a_10=value))["Q6a_10"].tolist() == [998.0]


@pytest.mark.parametrize("value", ["nan", "inf", "1_000", "0x10", "١٢", "1,5", "--1", "NA"])
def test_what_python_or_numpy_would_take_for_a_number_is_refused(value):
    with pytest.raises(PipelineError, match="another type"):
        typed(export(Q6a_10=value))


@pytest.mark.parametrize(
    "value",
    [
        dt.datetime(2022, 5, 31, 9, 30),
        dt.datetime(2022, 5, 31, 9, 30, 0, 400),
        dt.datetime(2022, 5, 31, 9, 30, tzinfo=dt.UTC),
        "2022-05-31T09:30:00",
        "2022-05-31 09:30",
        "2022-05-31T09:30:00+08:00",
    ],
)
def test_one_time_written_in_different_ways(value):
    assert typed(export(T=value))["T"].tolist() == ["2022-05-31T09:30:00"]


def test_a_date_is_its_midnight():
    assert typed(export(T=dt.date(2022, 5, 31)))["T"].tolist() == ["2022-05-31T00:00:00"]


def test_names_that_a_format_cannot_hold_are_found():
    stata = export(".dta")
    columns = {name.replace(".", "_"): values for name, values in stata.columns.items()}
    found = locate_variables(Export(columns=columns, format=".dta"), CODEBOOK, "x")
    assert found["Q.ID"] == "Q_ID"
    portable = {name.upper(): values for name, values in columns.items()}
    assert locate_variables(Export(columns=portable, format=".por"), CODEBOOK, "x")["L"] == "L"
    with pytest.raises(PipelineError, match="missing from the survey export"):
        locate_variables(Export(columns=columns, format=".csv"), CODEBOOK, "x")


def test_a_name_that_could_be_two_columns_is_not_guessed():
    columns = {"Q_ID": ["a"], "q_id": ["b"], "Q6a_10": [1.0], "S_2": [1.0], "L": ["x"], "T": [None]}
    with pytest.raises(PipelineError, match=r"without Q\.ID"):
        locate_variables(Export(columns=columns, format=".dta"), CODEBOOK, "x")


def test_dropped_columns_are_counted_without_their_content():
    table = describe_dropped(
        export(N="seen", EXTRA=""), CODEBOOK, {"N": ["free_text", "name"]}, "x"
    ).set_index("raw")
    assert table.loc["N"].tolist() == ["ignored", 1, "free_text name"]
    assert table.loc["EXTRA"].tolist() == ["not_in_codebook", 0, ""]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.dates(),
    st.datetimes(),
)


@given(st.sampled_from(list(ROW)), VALUES)
def test_any_value_is_typed_or_refused_without_being_told(column, value):
    try:
        frame = typed(export(**{column: value}))
    except PipelineError as error:
        text = str(value)
        if len(text) > 4 and not text.replace(".", "").replace("-", "").isdigit():
            assert text not in str(error)
        return
    assert len(frame) == 1
    assert list(frame.columns) == list(ROW)


@pytest.mark.parametrize("value", [1e-12, 14.5995, 9175550123.0])
def test_a_number_that_cannot_be_a_code_is_counted_and_not_told(value):
    with pytest.raises(PipelineError, match="1 numbers that can't be codes") as error:
        typed(export(**{"S.2": value}))
    assert f"{value:g}" not in str(error.value)
    with pytest.raises(PipelineError, match=r"7 \(1 rows\)"):
        typed(export(**{"S.2": 7.0}))


@pytest.mark.parametrize("value", [2.0**53, -(2.0**60), 12345678901234567890])
def test_ids_that_have_lost_digits(value):
    with pytest.raises(PipelineError, match="more digits") as caught:
        typed(export(**{"Q.ID": value}))
    assert str(int(value)) not in str(caught.value)
    assert len(typed(export(**{"Q.ID": str(int(value))}))) == 1


KEYED = parse_codebook(
    "\n".join(
        [
            ",".join(COLUMNS),
            "ID,respondent,Interview,text,key,,,,,,",
            "P,psu,PSU,text,key,999=system;none=refused,,,,,",
            "R,region,Region,text,domain,X=refused,,,,,",
        ]
    ).encode(),
    "codebook.csv",
)


def keyed(**settings):
    columns = {"ID": ["a", "b", "c"], "P": [1.0, 999.0, "none"], "R": ["N", "S", "X"]}
    return type_responses(Export(columns=columns, **settings), KEYED, "key", "export")


def test_a_code_of_no_id_is_no_id():
    assert keyed()["P"].isna().sum() == 2


@pytest.mark.parametrize(
    "declared",
    [{"declared_missing": {"P": [(1.0, 1.0)]}}, {"declared_texts": {"R": ["S"]}}],
)
def test_what_the_file_declares_missing_is_no_id_and_no_text(declared):
    assert len(keyed(declared_missing={"P": [(999.0, 999.0)]}, declared_texts={"R": ["X"]})) == 3
    with pytest.raises(PipelineError, match="declares codes missing"):
        keyed(**declared)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("9999-12-31", "9999-12-31"),
        ("9999-12-31", dt.datetime(9999, 12, 31)),
        ("none", " none "),
        ("-9", -9.0),
    ],
)
def test_a_code_of_no_time_is_no_time(code, value):
    book = parse_codebook(
        "\n".join(
            [
                ",".join(COLUMNS),
                "ID,respondent,Interview,text,key,,,,,,",
                f"T,interview_end,End,datetime,paradata,{code}=system,,,,,",
            ]
        ).encode(),
        "codebook.csv",
    )
    data = Export(columns={"ID": ["a"], "T": [value]})
    answers = decode_responses(type_responses(data, book, "key", "export"), book)
    assert answers.answers["interview_end"].isna().all()
    assert answers.missing["interview_end"].tolist() == ["system"]
