"""First drafts of a codebook and a config: what an export says is taken, the rest is left open."""

import pytest
import yaml

from prevalence.codebook import COLUMNS, parse_codebook
from prevalence.drafting.draft import (
    codebook_text,
    columns_of,
    draft_codebook,
    draft_config,
    known_groups_text,
)
from prevalence.drafting.guesses import COUNT, NUMBER
from prevalence.drafting.xlsform import parse_xlsform
from prevalence.errors import PipelineError
from prevalence.exports import Export
from prevalence.open_decisions import MARK, open_cells, open_keys, refuse_open

EXPORT = Export(
    columns={
        "RESP_ID": [f"R{i}" for i in range(6)],
        "HH_ID": ["H1", "H1", "H2", "H3", "H4", "H5"],
        "S2": [1.0, 2.0, 2.0, 1.0, 9.0, 1.0],
        "S4": [20.0, 33.0, 45.0, 61.0, 18.0, 70.0],
        "K1": [0.0, 3.0, 98.0, 1.0, 97.0, 2.0],
        "N1": [1.0, 2.0, 2.0, 4.0, 3.0, 1.0],
        "TEL": ["0917 555 0123"] * 6,
        "T0": ["2022-05-01 08:00"] * 6,
        "LAB": [1.0, 1.0, 1.0, 2.0, 2.0, 2.0],
    },
    labels={
        "RESP_ID": "Respondent",
        "S2": "Sex of the respondent",
        "S4": "Age in years",
        "K1": "Number of doctors known",
        "N1": "Adults in the household",
        "T0": "Start of the interview",
        "LAB": "<b>Bold</b>",
    },
    declared_missing={"K1": [(97.0, 97.0), (98.0, 98.0)]},
    value_labels={
        "S2": {1.0: "Male", 2.0: "Female", 9.0: "Refused"},
        "K1": {98.0: "Don't know"},
        "LAB": {1.0: "=cmd|x", 2.0: "a;b=c"},
    },
)


@pytest.fixture
def rows():
    drafted = draft_codebook(columns_of(EXPORT, {}), {"TEL"})
    return {row["raw"]: row for row in drafted}


def test_ids_and_characteristics_are_told_by_their_words(rows):
    assert (rows["RESP_ID"]["variable"], rows["RESP_ID"]["role"]) == ("respondent", "key")
    assert (rows["HH_ID"]["variable"], rows["HH_ID"]["role"]) == ("household", "key")
    assert (rows["S2"]["variable"], rows["S2"]["role"]) == ("sex", "domain")
    assert rows["S2"]["values"] == "1=Male;2=Female"
    assert rows["S2"]["missing_codes"] == "9=refused"
    assert (rows["S4"]["variable"], rows["S4"]["type"]) == ("age", "numeric")
    assert rows["T0"]["type"] == "datetime"


def test_a_count_is_named_by_its_topic_and_its_role_is_open(rows):
    count = rows["K1"]
    assert (count["variable"], count["label"], count["group"]) == ("doctors",) * 3
    assert count["role"] == COUNT
    assert count["missing_codes"] == f"97={MARK};98=dont_know"
    assert (count["minimum"], count["maximum"]) == ("0", "96")
    assert rows["N1"]["role"] == NUMBER


def test_what_looks_like_an_identifier_is_never_read(rows):
    assert rows["TEL"]["role"] == "ignore"


def test_labels_that_would_act_are_not_taken_over(rows):
    assert "<" not in rows["LAB"]["label"]
    assert rows["LAB"]["values"].split(";")[0] == f"1={MARK}"
    assert rows["LAB"]["values"].split(";")[1] == "2=a,b-c"


def test_the_codebook_is_refused_until_it_is_decided_and_accepted_then(rows):
    drafted = list(rows.values())
    with pytest.raises(PipelineError, match="open decisions"):
        parse_codebook(codebook_text(drafted).encode(), "draft.csv")
    for row in drafted:
        row["role"] = {COUNT: "known", NUMBER: "covariate"}.get(row["role"], row["role"])
        for column in COLUMNS:
            row[column] = row[column].replace(f"97={MARK}", "97=refused").replace(MARK, "x")
    book = parse_codebook(codebook_text(drafted).encode(), "draft.csv")
    assert [variable.group for variable in book.counts] == ["doctors"]


def test_the_config_leaves_every_judgement_open(rows):
    drafted = list(rows.values())
    config = yaml.safe_load(draft_config("pilot", "pilot.sav", drafted))
    left = open_keys(config)
    for key in ("survey.synthetic", "headline.known_groups", "headline.date", "weight.base"):
        assert key in left
    assert "estimate.hidden_groups.DECIDE" in left
    assert config["clean"]["keys"]["household"] == "household"
    keys = config["clean"]["keys"]
    assert (keys["respondent"], keys["ssu"]) == ("respondent", None)
    for key in ("stratum", "psu"):
        assert f"clean.keys.{key}" in left
        assert "null if the sample had none" in keys[key]
    assert "report.safety" in left


def test_known_groups_have_a_line_a_count(rows):
    text = known_groups_text(list(rows.values()), columns_of(EXPORT, {}))
    assert text.splitlines()[1:] == [f"doctors,doctors,{MARK},,,,"]


def test_a_weight_in_the_export_is_taken():
    export = Export({"id": ["a", "b"], "wgt": [1.5, 2.25]}, {"wgt": "Final weight"})
    drafted = draft_codebook(columns_of(export, {}), set())
    assert [row["role"] for row in drafted] == ["key", "base_weight"]
    assert "base: {variable: base_weight_supplied}" in draft_config("p", "p.csv", drafted)


FORM = Export(
    {
        "type": ["start", "begin group", "integer", "select_one yn", "note", "end group", None],
        "name": ["start", "know", "doctors", "consent", "thanks", None, None],
        "label::English (en)": [
            None,
            None,
            "How many doctors do you know?",
            "Consent?",
            "",
            "",
            "",
        ],
    }
)
CHOICES = Export(
    {
        "list_name": ["yn", "yn", "yn"],
        "name": [1, 2, 99],
        "label::English (en)": ["Yes", "No", "Prefer not to say"],
    }
)


def test_the_only_stage_of_sampling_that_is_recognised_is_the_first():
    def stages(*names):
        columns = {"RESP_ID": ["a", "b", "c"]} | {name: [1.0, 1.0, 2.0] for name in names}
        rows = draft_codebook(columns_of(Export(columns=columns), {}), set())
        return [row["variable"] for row in rows if row["raw"] != "RESP_ID"]

    assert stages("village") == ["psu"]
    assert stages("psu", "village") == ["psu", "ssu"]


def test_a_form_gives_labels_types_and_choices_to_an_export_that_has_none():
    form = parse_xlsform(FORM, CHOICES, "form.xlsx")
    assert set(form) == {"start", "doctors", "consent"}
    export = Export(
        {"know/doctors": ["0", "4"], "know/consent": ["1", "99"], "start": ["2022-01-02", ""]}
    )
    drafted = {row["raw"]: row for row in draft_codebook(columns_of(export, form), set())}
    assert drafted["know/doctors"]["role"] == COUNT
    assert drafted["know/doctors"]["variable"] == "doctors"
    assert drafted["know/consent"]["values"] == "1=yes;2=no"
    assert drafted["know/consent"]["missing_codes"] == "99=refused"
    assert drafted["start"]["type"] == "datetime"


def test_a_workbook_that_is_no_form():
    with pytest.raises(PipelineError, match="XLSForm lacks a column"):
        parse_xlsform(Export({"a": ["x"]}), None, "form.xlsx")


def test_open_places_are_named():
    assert open_keys({"a": [{"b": f"{MARK}: x"}], f"{MARK}: id": {}}) == ["a.0.b", MARK]
    assert open_cells([(2, {"size": MARK}), (3, {"size": "5"})]) == ["column size on 1 lines (2)"]
    refuse_open([], "f", "config")
    with pytest.raises(PipelineError, match="The config has open decisions"):
        refuse_open(["a"], "f", "config")


MANY = 12  # enough answers for categories to be told from ids


def drafted(name, label="", answers=("1", "2"), **known):
    """The drafted line of one column, beside the ids of the respondents."""
    ids = [f"R{number}" for number in range(MANY)]
    values = [answers[number % len(answers)] for number in range(MANY)]
    columns = columns_of(Export({"resp_id": ids, name: values}, {name: label}, **known), {})
    return draft_codebook(columns, set())[1]


@pytest.mark.parametrize(
    ("name", "label", "answers", "variable", "role"),
    [
        ("Sex", "", ["Male", "Female"], "sex", "domain"),
        ("Sex", "Sex", [1.0, 2.0], "sex", "domain"),
        ("q2_gender", "", ["m", "f"], "sex", "domain"),
        ("S2", "What is your gender?", ["1", "2"], "sex", "domain"),
        ("S2", "Kasarian ng respondent", [1.0, 2.0], "sex", "domain"),
        ("sexe", "Sexe de l'enquêté", ["F", "H"], "sex", "domain"),
        ("P02", "Sexo del entrevistado", [1.0, 2.0], "sex", "domain"),
        ("Género", "", ["M", "F"], "sex", "domain"),
        ("AGE", "Age", [18.0, 33.0, 70.0], "age", "covariate"),
        ("v012", "Respondent's age at last birthday", [18.0, 33.0], "age", "covariate"),
        ("edad", "¿Cuál es su edad en años cumplidos?", [18.0, 44.0], "age", "covariate"),
        ("S4", "Ilang taon ka na?", [18.0, 44.0], "age", "covariate"),
        ("q3", "Quel âge avez-vous ?", [18.0, 44.0], "age", "covariate"),
        ("agegrp", "", ["18-29", "30+"], "age_group", "domain"),
        ("REG", "", ["NCR", "CAR", "I"], "region", "domain"),
        ("Rehiyon", "", [1.0, 2.0, 3.0], "region", "domain"),
        ("Région", "", ["Nord", "Sud"], "region", "domain"),
        ("ClusterNo", "", [1.0, 2.0, 3.0], "psu", "key"),
        ("v001", "Cluster number", [1.0, 2.0, 3.0], "psu", "key"),
        ("grappe", "Numéro de grappe", [1.0, 2.0, 3.0], "psu", "key"),
        ("UPM", "Unidad primaria de muestreo", [1.0, 2.0], "psu", "key"),
        ("EA_CODE", "", ["A1", "A2"], "psu", "key"),
        ("strata", "", [1.0, 2.0], "stratum", "design"),
        ("Estrato", "Estrato de la muestra", [1.0, 2.0], "stratum", "design"),
        ("strate", "", ["N", "S"], "stratum", "design"),
        ("strat", "", ["BAR-U", "FOG-R", "SAN-U"], "stratum", "design"),
        ("STRAT_CODE", "", [1.0, 2.0], "stratum", "design"),
        ("v022", "Sample strata for sampling errors", [1.0, 2.0], "stratum", "design"),
        ("pointno", "Sampling point", [1.0, 2.0], "psu", "key"),
        ("ZD", "Zone de dénombrement", [1.0, 2.0], "psu", "key"),
        ("HouseholdID", "", [1.0, 2.0, 3.0], "household", "key"),
        ("sambahayan", "", [1.0, 2.0, 3.0], "household", "key"),
        ("MENAGE", "Numéro du ménage", [1.0, 2.0, 3.0], "household", "key"),
        ("hogar", "", [1.0, 2.0, 3.0], "household", "key"),
        ("v005", "Sample weight", [0.5, 1.5], "base_weight", "base_weight"),
        ("poids", "Coefficient de pondération", [0.5, 1.5], "base_weight", "base_weight"),
        ("fexp", "Factor de expansión", [0.5, 1.5], "base_weight", "base_weight"),
    ],
)
def test_what_every_survey_has_is_told_in_four_languages(name, label, answers, variable, role):
    row = drafted(name, label, answers)
    assert (row["variable"], row["role"]) == (variable, role)
    assert row["type"] == {"domain": "categorical", "key": "text", "design": "text"}.get(
        role, "numeric"
    )


@pytest.mark.parametrize(
    ("name", "label", "answers"),
    [
        ("W3", "Weight of the child in kg", [9.5, 11.5]),
        ("P4", "Sex of the household's head", [1.0, 2.0]),
        ("N1", "Adults in the household", [1.0, 2.0]),
        ("H3", "Household income", ["low", "high"]),
        ("K9", "Number of people known who sell sex", [0.0, 1.0, 2.0]),
        ("A7", "Age of the youngest child", [1.0, 2.0]),
        ("region", "", [f"a place {number}" for number in range(MANY)]),
    ],
)
def test_what_only_sounds_alike_is_left(name, label, answers):
    row = drafted(name, label, answers)
    assert row["role"] in ("ignore", COUNT, NUMBER)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("quest_no", ""),
        ("QuestionnaireNo", ""),
        ("q0", "Questionnaire number"),
        ("case_id", ""),
        ("CASEID", ""),
        ("interview_id", ""),
        ("ResponseId", ""),
        ("folio", "Folio del cuestionario"),
        ("KEY", ""),
        ("_id", ""),
    ],
)
def test_ids_of_interviews_have_many_names(name, label):
    ids = [f"R{number}" for number in range(MANY)]
    rows = lines_of({"kn": [1.0] * MANY, name: ids}, {name: label})
    assert (rows[name]["variable"], rows[name]["role"]) == ("respondent", "key")


def test_a_file_without_a_recognised_id_or_design_leaves_them_open():
    dates = [f"2025-03-{day:02d}" for day in range(1, MANY + 1)]
    columns = {"interview_date": dates, "case_weight": [n + 0.5 for n in range(MANY)]}
    rows = list(lines_of(columns).values())
    assert "respondent" not in [row["variable"] for row in rows]
    left = open_keys(yaml.safe_load(draft_config("p", "p.csv", rows)))
    for key in ("respondent", "stratum", "psu"):
        assert f"clean.keys.{key}" in left


def test_a_number_that_the_file_does_not_explain_is_an_open_decision():
    assert drafted("sex", answers=[2.0, 1.0])["values"] == f"1={MARK};2={MARK}"
    assert drafted("sex", answers=["Male", "Female"])["values"] == "Female=Female;Male=Male"
    columns = columns_of(Export({"sex": ["Male", "Female"] * 6}), {})
    (row,) = draft_codebook(columns, {"sex"})
    assert (row["role"], row["values"]) == ("ignore", "")


def test_the_whole_name_goes_before_a_word_wherever_it_stands():
    columns = {
        "id": [f"R{number}" for number in range(MANY)],
        "hh_phone_shared": [1.0, 2.0] * 6,
        "hh": [float(number) for number in range(MANY)],
    }
    rows = draft_codebook(columns_of(Export(columns), {}), set())
    assert [row["variable"] for row in rows] == ["respondent", "hh_phone_shared", "household"]


def lines_of(columns, labels=None):
    return {
        row["raw"]: row
        for row in draft_codebook(columns_of(Export(columns, labels or {}), {}), set())
    }


def test_counts_of_a_file_that_declares_no_codes_have_them_left_open():
    """Codes below 0 made a count unreadable in a draft, silently; others would be counted."""
    rows = lines_of(
        {
            "id": [f"a{n}" for n in range(8)],
            "nurses": ["0", "3", "-99", "-88.0", "1", "2", "0", "5"],
            "taxis": [1.0, 999.0, 0.0, 4.0, 2.0, 40.0, 3.0, 7.0],
            "students": [60.0, 98.0, 99.0, 75.0, 3.0, 12.0, 40.0, 55.0],
        }
    )
    assert rows["nurses"]["role"] == rows["taxis"]["role"] == rows["students"]["role"] == COUNT
    assert rows["nurses"]["missing_codes"] == f"-99={MARK};-88={MARK}"
    assert rows["taxis"]["missing_codes"] == f"999={MARK}"
    assert rows["taxis"]["maximum"] == "998"
    assert rows["students"]["missing_codes"] == ""


@pytest.mark.parametrize(
    ("name", "label", "values", "role"),
    [
        ("hh_wt", "Household weight", [1.5, 2.0, 2.5, 1.25], "base_weight"),
        ("K", "Comments by interviewer", ["fine", "", "rain", "dog"], "ignore"),
        ("INT", "Interviewer", ["", "", "", ""], "ignore"),
    ],
    ids=["weight of households", "comments", "nothing"],
)
def test_what_only_mentions_a_key_is_none(name, label, values, role):
    rows = lines_of({"id": ["a", "b", "c", "d"], name: values}, {name: label})
    assert rows[name]["role"] == role


def test_how_an_export_was_read_stands_in_the_draft():
    text = draft_config("p", "p.csv", [], {"delimiter": ";", "encoding": "windows-1252"})
    read = yaml.safe_load(text)["ingest"]["reader"]
    assert read == {"delimiter": ";", "encoding": "windows-1252"}
    assert "reader" not in yaml.safe_load(draft_config("p", "p.csv", []))["ingest"]
