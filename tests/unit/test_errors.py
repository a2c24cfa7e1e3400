import pickle
from pathlib import Path

from prevalence.errors import CONFIG_SECTIONS, PipelineError, listed, suggestion


def test_an_error_shows_each_field_that_is_given():
    error = PipelineError("A column is missing.", file="a.csv", place="age", remedy="Add it.")
    assert str(error).splitlines() == [
        "A column is missing.",
        "  file:     a.csv",
        "  place:    age",
        "  do this:  Add it.",
    ]


def test_an_error_keeps_its_fields_across_processes():
    error = pickle.loads(pickle.dumps(PipelineError("Bad.", place="k", found=3, allowed="1")))
    assert (error.problem, error.place, error.found, error.allowed) == ("Bad.", "k", "3", "1")


def test_long_lists_are_cut_and_counted():
    assert listed(range(3)) == "0, 1, 2"
    assert listed(range(20), most=2) == "0, 1 and 18 more"
    assert listed([]) == "nothing"


def test_the_nearest_word_is_suggested():
    assert "'ratio_of_sums'" in suggestion("ratio_of_sum", ["ratio_of_sums", "mean_of_ratios"])
    assert "allowed" in suggestion("zzz", ["ratio_of_sums"])


def test_each_section_of_a_config_is_known_to_messages():
    schemas = Path(__file__).parents[2] / "workflow" / "schemas" / "survey"
    assert {path.stem for path in schemas.glob("*.yaml")} == CONFIG_SECTIONS
