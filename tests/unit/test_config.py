import pytest

from prevalence.config import check_config, check_survey_id, read_config, setting, survey_schema
from prevalence.errors import PipelineError
from prevalence.files import read_yaml

WEIGHT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["method"],
    "properties": {
        "method": {"enum": ["raking", "linear"]},
        "minimum_psus": {"type": "integer", "minimum": 1, "description": "PSUs a category needs"},
    },
}
SCHEMA = survey_schema({"weight": WEIGHT | {"x-required": True}, "model": {"type": "object"}})


def error_of(config):
    with pytest.raises(PipelineError) as caught:
        check_config(config, SCHEMA, "config/surveys/s.yaml")
    return caught.value


def test_a_good_config_passes():
    check_config({"weight": {"method": "raking", "minimum_psus": 5}}, SCHEMA, "s.yaml")


def test_a_misspelt_value_names_the_key_and_prints_the_corrected_line():
    error = error_of({"weight": {"method": "rakng"}})
    assert error.file == "config/surveys/s.yaml"
    assert error.place == "weight.method"
    assert error.found == "rakng"
    assert error.allowed == "raking, linear"
    assert "method: raking" in error.remedy


def test_an_unknown_key_names_the_nearest_one_and_prints_the_corrected_line():
    error = error_of({"weight": {"method": "raking", "minimum_psu": 4}})
    assert error.place == "weight"
    assert error.found == "minimum_psu"
    assert "minimum_psus: 4" in error.remedy


def test_a_missing_key_is_named():
    error = error_of({"weight": {"minimum_psus": 4}})
    assert error.place == "weight"
    assert "method" in error.found
    assert "method" in error.remedy


def test_a_missing_section_is_named():
    assert "weight" in error_of({"model": {}}).found


def test_a_wrong_type_says_which_type():
    error = error_of({"weight": {"method": "raking", "minimum_psus": "five"}})
    assert error.place == "weight.minimum_psus"
    assert "integer" in error.allowed
    assert "str" in error.found


def test_a_value_out_of_range_says_the_range():
    error = error_of({"weight": {"method": "raking", "minimum_psus": 0}})
    assert "minimum 1" in error.allowed
    assert "PSUs a category needs" in error.allowed


@pytest.mark.parametrize("survey", ["PH", "2022ph", "a-b", "../x", "a b", ""])
def test_an_id_that_cannot_name_a_folder_is_refused(survey):
    with pytest.raises(PipelineError, match="id cannot be used"):
        check_survey_id(survey, "f", set())


def test_an_id_that_is_a_rule_is_refused():
    with pytest.raises(PipelineError, match="name of a rule") as caught:
        check_survey_id("all", "config/surveys/all.yaml", {"all", "synthesize"})
    assert "all_survey" in caught.value.remedy


def test_dotted_keys_and_absent_optional_ones():
    config = {"weight": {"calibration": {"method": "raking"}, "trimming": None}}
    assert setting(config, "weight.calibration.method") == "raking"
    assert setting(config, "weight.trimming.bound") is None
    assert setting(config, "model") is None


@pytest.mark.parametrize("written", ["0", "10", "-3", "0.5", "1e3", '"017"', "2023-09-07", "0x1F"])
def test_numbers_that_are_what_they_look_like_are_read(tmp_path, written):
    path = tmp_path / "config.yaml"
    path.write_text(f"seed: {written}\n")
    assert read_config(path) == read_yaml(path)


@pytest.mark.parametrize("written", ["017", "-012", "1:30", "12:30:45", "[3, 010]"])
def test_numbers_that_yaml_reads_otherwise_are_refused(tmp_path, written):
    path = tmp_path / "config.yaml"
    path.write_text(f"seed: {written}\n")
    with pytest.raises(PipelineError, match="which YAML reads as"):
        read_config(path)
