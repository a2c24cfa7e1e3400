"""Bad raw data: a clear message without a respondent's answer, and no output left behind."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from prevalence.errors import PipelineError
from prevalence.files import read_parquet
from prevalence.identifiers import key_mark

SECRET = "Zenaida"


def message_of(survey, export, **options):
    with pytest.raises(PipelineError) as caught:
        survey.read(export, **options)
    assert not (survey.folder / f"out_{export.name}").exists(), "an output was left behind"
    text = str(caught.value)
    assert SECRET not in text
    return text


def spoil_column(survey, answers, export_of, cell, suffix=".csv"):
    column, value = cell
    row = 2
    answers = answers.astype({column: object})
    answers.loc[row, column] = value
    return message_of(survey, export_of(answers, survey.folder / f"bad{suffix}"))


@pytest.mark.parametrize("suffix", [".sav", ".csv", ".xlsx", ".dta", ".por"])
def test_a_missing_column_is_named(survey, answers, export_of, suffix):
    text = message_of(
        survey, export_of(answers.drop(columns="Q6a_2"), survey.folder / f"bad{suffix}")
    )
    assert "missing from the survey export" in text
    assert "without Q6a_2" in text


@pytest.mark.parametrize("suffix", [".sav", ".csv", ".xlsx", ".dta", ".por"])
def test_an_unknown_code_is_named_with_its_count(survey, answers, export_of, suffix):
    answers.loc[[2, 5], "RP.Reg"] = 9.0
    text = message_of(survey, export_of(answers, survey.folder / f"bad{suffix}"))
    assert "codes that the codebook doesn't list" in text
    assert "column RP.Reg" in text
    assert "9 (2 rows)" in text


@pytest.mark.parametrize(
    ("cell", "suffix"),
    [
        (("Q6a_1", SECRET), ".csv"),
        (("Q6a_1", SECRET), ".xlsx"),
        (("Q6a_1", "3,5"), ".csv"),
        (("Q6a_1", "inf"), ".csv"),
        (("Q6a_1", "1e999"), ".csv"),
        (("Q6a_1", True), ".xlsx"),
        (("START", SECRET), ".csv"),
        (("START", "31/12/2022 10:00"), ".csv"),
        (("START", 44713.5), ".xlsx"),
        (("RP.Reg", "NCR"), ".csv"),
    ],
)
def test_a_wrong_type_is_named_without_the_value(survey, answers, export_of, cell, suffix):
    column, value = cell
    text = spoil_column(survey, answers, export_of, cell, suffix)
    assert "values of another type" in text
    assert f"column {column}" in text
    assert "1 values" in text
    assert str(value) not in text


def test_a_code_that_only_the_export_calls_missing(survey, answers, export_of):
    survey.codebook.write_text(survey.codebook.read_text().replace("998=dont_know;", ""))
    text = message_of(survey, export_of(answers, survey.folder / "bad.sav"))
    assert "declares codes missing that the codebook doesn't" in text
    assert "998 (1 rows)" in text


def test_a_stata_letter_that_the_codebook_lacks(survey, answers, export_of):
    survey.codebook.write_text(survey.codebook.read_text().replace(";.b=dont_know", ""))
    text = message_of(survey, export_of(answers, survey.folder / "bad.dta"))
    assert "values of another type" in text


@pytest.mark.parametrize("suffix", [".sav", ".dta", ".por", ".xlsx"])
@pytest.mark.parametrize("share", [0.002, 0.2, 0.5, 0.95])
def test_a_truncated_file(survey, answers, export_of, suffix, share):
    path = export_of(answers, survey.folder / f"bad{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    text = message_of(survey, path)
    assert f"truncated or is not an {suffix}" in text or f"truncated or is not a {suffix}" in text


def test_a_truncated_csv(survey, answers, export_of):
    path = export_of(answers, survey.folder / "bad.csv")
    path.write_bytes(path.read_bytes()[:-40])
    assert "another number of fields than its header" in message_of(survey, path)


@pytest.mark.parametrize("suffix", [".sav", ".dta", ".por", ".csv", ".xlsx"])
def test_an_empty_file(survey, suffix):
    path = survey.folder / f"bad{suffix}"
    path.write_bytes(b"")
    assert "The survey export is empty." in message_of(survey, path)


@pytest.mark.parametrize("suffix", [".sav", ".dta", ".csv", ".xlsx"])
def test_a_file_without_interviews(survey, answers, export_of, suffix):
    path = export_of(answers.iloc[:0], survey.folder / f"bad{suffix}")
    assert "holds no interview" in message_of(survey, path)


@pytest.mark.parametrize("suffix", [".sav", ".dta", ".por", ".xlsx"])
def test_a_file_of_another_format(survey, answers, export_of, suffix):
    other = export_of(answers, survey.folder / "fine.csv")
    path = survey.folder / f"bad{suffix}"
    shutil.copy(other, path)
    assert "truncated or is not a" in message_of(survey, path)


def test_a_workbook_called_csv(survey, answers, export_of):
    path = survey.folder / "bad.csv"
    shutil.copy(export_of(answers, survey.folder / "fine.xlsx"), path)
    text = message_of(survey, path)
    assert "a workbook or another zip archive, called bad.csv" in text


def test_an_unknown_format(survey):
    path = survey.folder / "bad.rds"
    path.write_bytes(b"x")
    assert "format of the survey export is unknown" in message_of(survey, path)


def test_a_missing_file(survey):
    assert "The survey export is missing." in message_of(survey, survey.folder / "bad.csv")


def test_a_wrong_encoding(survey, answers, export_of):
    path = survey.folder / "bad.csv"
    answers.to_csv(path, index=False, encoding="windows-1252")
    text = message_of(survey, path)
    assert "not in the expected encoding" in text
    assert "windows-1252" in text
    survey.settings["reader"] = {"encoding": "windows-1252"}
    survey.read(path)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_wrong_delimiter(survey, answers, delimiter):
    path = survey.folder / "bad.csv"
    answers.to_csv(path, index=False, sep=delimiter)
    text = message_of(survey, path)
    assert "The delimiter of the survey export is not the expected one." in text
    assert repr(delimiter) in text
    survey.settings["reader"] = {"delimiter": delimiter}
    survey.read(path)


def test_a_merged_header(survey, answers, export_of):
    path = export_of(answers, survey.folder / "fine.csv")
    lines = path.read_text().splitlines()
    header = "Block A" + "," * lines[0].count(",")
    bad = survey.folder / "bad.csv"
    bad.write_text("\n".join([header, *lines]))
    assert "does not name each column once" in message_of(survey, bad)


def test_a_column_twice(survey, answers):
    path = survey.folder / "bad.csv"
    answers.rename(columns={"EXTRA": "S4a"}).to_csv(path, index=False)
    text = message_of(survey, path)
    assert "twice: S4a" in text


def test_an_open_quote(survey, answers, export_of):
    path = export_of(answers, survey.folder / "bad.csv")
    path.write_text(path.read_text() + '"PH-9999,1,2')
    assert "not a valid CSV file" in message_of(survey, path)


def test_a_workbook_with_two_sheets(survey, answers, export_of):
    path = export_of(answers, survey.folder / "bad.xlsx")
    book = openpyxl.load_workbook(path)
    book.create_sheet("Second")
    book.save(path)
    text = message_of(survey, path)
    assert "several sheets" in text
    survey.settings["reader"] = {"sheet": "Third"}
    assert "no such sheet" in message_of(survey, path)
    survey.settings["reader"] = {"sheet": "Sheet"}
    survey.read(path)


def test_a_workbook_with_a_formula(survey, answers, export_of):
    path = export_of(answers, survey.folder / "bad.xlsx")
    book = openpyxl.load_workbook(path)
    book.active["I5"] = "=SUM(1,2)"
    book.save(path)
    text = message_of(survey, path)
    assert "formulas" in text
    assert "row 5" in text


def test_a_workbook_that_would_unpack_without_end(survey):
    path = survey.folder / "bad.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 80_000_000)
    assert "unpack to far more than a survey" in message_of(survey, path)


@pytest.mark.parametrize("column", ["Q6a_1", "LANG", "S4a"])
def test_an_identifier_in_a_listed_column_stops_the_run(survey, answers, export_of, column):
    text = spoil_column(survey, answers, export_of, (column, "0917 555 0123"))
    assert "look" in text
    assert f"{column}: phone (1)" in text
    assert "555" not in text


def test_an_accepted_identifier_does_not(survey, answers, export_of):
    answers.loc[2, "LANG"] = "Rosa"
    path = export_of(answers, survey.folder / "bad.csv")
    assert "LANG: name (1)" in message_of(survey, path)
    survey.settings["accepted_identifiers"] = [
        {"variable": "LANG", "kind": "name", "reason": "a language of that name"}
    ]
    survey.read(path)


def test_a_literal_key_for_data_that_are_not_public(survey, answers, export_of):
    path = export_of(answers, survey.folder / "bad.csv")
    text = message_of(survey, path, synthetic=False)
    assert "key for pseudonyms stands in the config" in text
    assert "public-key-of-a-test" not in text
    survey.settings["public_microdata"] = True
    survey.read(path, synthetic=False)


def test_a_key_that_is_not_in_the_environment(survey, answers, export_of, monkeypatch):
    path = export_of(answers, survey.folder / "bad.csv")
    survey.settings["pseudonym_key"] = {"env": "KEY_OF_A_TEST"}
    monkeypatch.delenv("KEY_OF_A_TEST", raising=False)
    assert "KEY_OF_A_TEST is not set" in message_of(survey, path, synthetic=False)
    monkeypatch.setenv("KEY_OF_A_TEST", "short")
    assert "5 characters" in message_of(survey, path, synthetic=False)
    secret = "long-enough-to-be-a-secret"
    monkeypatch.setenv("KEY_OF_A_TEST", secret)
    made = Path(survey.read(path, synthetic=False).responses)
    assert read_parquet(made).attrs == {"key_mark": key_mark({"env": "KEY"}, {"KEY": secret})}
    assert secret.encode() not in made.read_bytes()


def test_columns_swapped_by_their_names(survey, answers, export_of):
    swapped = answers.rename(columns={"RP.Reg": "S4a", "S4a": "RP.Reg"})
    text = message_of(survey, export_of(swapped, survey.folder / "bad.csv"))
    assert "column RP.Reg" in text


def test_a_huge_number_is_not_silently_an_answer(survey, answers, export_of):
    answers["Q6a_1"] = answers["Q6a_1"].astype(float)
    answers.loc[2, "Q6a_1"] = 639175550123.0
    text = message_of(survey, export_of(answers, survey.folder / "bad.sav"))
    assert "Q6a_1: phone (1)" in text
    answers.loc[2, "Q6a_1"] = np.inf
    text = message_of(survey, export_of(answers, survey.folder / "worse.csv"))
    assert "values of another type" in text
