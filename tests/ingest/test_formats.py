"""The same survey exported in each format gives the same responses."""

from pathlib import Path

import pytest

from prevalence.files import read_csv, read_parquet

FORMATS = [".sav", ".dta", ".csv", ".xlsx"]


@pytest.fixture
def results(survey, answers, export_of):
    return {
        suffix: survey.read(export_of(answers, survey.folder / f"export{suffix}"))
        for suffix in FORMATS
    }


@pytest.mark.parametrize("suffix", FORMATS[1:])
def test_every_format_gives_the_same_bytes(results, suffix):
    for table in ("responses", "variables"):
        assert (
            Path(results[suffix][table]).read_bytes() == Path(results[".sav"][table]).read_bytes()
        )


def test_spss_portable_gives_the_same_responses(survey, answers, export_of):
    answers["LANG"] = answers["LANG"].str.replace("ñ", "n")
    portable = survey.read(export_of(answers, survey.folder / "export.por"))
    other = survey.read(export_of(answers, survey.folder / "export.sav"))
    assert Path(portable.responses).read_bytes() == Path(other.responses).read_bytes()


def test_responses_keep_codes_and_texts(results, answers):
    responses = read_parquet(results[".sav"].responses)
    assert len(responses) == len(answers)
    assert sorted(responses["Q6a_1"].dropna()) == sorted(answers["Q6a_1"].dropna())
    assert responses["Q6a_2"].isna().sum() == 1
    assert responses["LANG"].isna().sum() == 1
    assert "Ilokano ñ" in set(responses["LANG"])
    assert responses["START"].dropna().str.fullmatch(r"2022-05-\d\dT\d\d:\d\d:\d\d").all()


def test_ids_are_pseudonyms_and_nothing_else_of_the_export_is_written(results, answers):
    for suffix in FORMATS:
        # Parquet is compressed: its content is looked at, not its bytes.
        written = read_parquet(results[suffix].responses).astype(str).to_csv()
        written += Path(results[suffix].variables).read_text()
        written += Path(results[suffix].dropped).read_text()
        for secret in ("PH-0001", "7001", ",E3,", "seen at the market"):
            assert secret not in written, (suffix, secret)
    responses = read_parquet(results[".csv"].responses)
    assert "NOTE" not in responses
    assert "EXTRA" not in responses
    assert responses["INT"].nunique() == 4


def test_dropped_columns_are_counted(results, answers):
    dropped = read_csv(results[".csv"].dropped).set_index("raw")
    assert dropped.loc["NOTE", "reason"] == "ignored"
    assert dropped.loc["EXTRA", "reason"] == "not_in_codebook"
    assert dropped.loc["EXTRA", "n"] == len(answers)


def test_variables_carry_labels_and_missing_codes(results):
    variables = read_csv(results[".dta"].variables).set_index("raw")
    assert variables.loc["RP.Reg", "value_labels"] == '{"1": "NCR", "2": "VII", "3": "XI"}'
    assert '"998": "dont_know"' in variables.loc["Q6a_1", "missing_codes"]
    assert variables.loc["Q6a_1", "label"] == "Doctors known"


def test_the_order_of_rows_does_not_matter(survey, answers, export_of):
    first = survey.read(export_of(answers, survey.folder / "a.csv"))
    shuffled = answers.sample(frac=1, random_state=3)
    second = survey.read(export_of(shuffled, survey.folder / "b.csv"))
    assert Path(first.responses).read_bytes() == Path(second.responses).read_bytes()


def test_an_extended_missing_value_without_a_number_gets_its_own_code(survey, answers, export_of):
    text = survey.codebook.read_text().replace("996=not_asked;", "")
    survey.codebook.write_text(text)
    out = survey.read(export_of(answers, survey.folder / "export.dta"))
    responses = read_parquet(out.responses)
    assert (responses["Q12_4"] == -1003).sum() == 1
    missing = read_csv(out.variables).set_index("raw").loc["Q12_4", "missing_codes"]
    assert '"-1003": "not_asked"' in missing


def test_texts_that_spss_declares_missing_are_known(tmp_path):
    import pandas as pd
    import pyreadstat

    from prevalence.exports import read_export

    file = tmp_path / "a.sav"
    frame = pd.DataFrame({"place": ["north", "REF"], "n": [1.0, 998.0]})
    pyreadstat.write_sav(frame, str(file), missing_ranges={"place": ["REF"], "n": [998]})
    export = read_export(file)
    assert list(export.declared_texts["place"]) == ["REF"]
    assert list(export.declared_missing["n"]) == [(998.0, 998.0)]
