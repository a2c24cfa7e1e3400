"""A synthetic survey's config is checked before anything is made."""

from pathlib import Path

import pytest

from prevalence.errors import PipelineError
from prevalence.files import read_yaml
from prevalence.synthetic.checks import check_synthetic

ROOT = Path(__file__).parents[2]
SCHEMA = read_yaml(ROOT / "workflow/schemas/synthetic.yaml")
FIRST, SECOND = (read_yaml(ROOT / f"config/synthetic/{wave}.yaml") for wave in ("ph2022", "ph2024"))
TINY = read_yaml(ROOT / "tests/surveys/tiny/config/synthetic/tiny.yaml")


@pytest.mark.parametrize(
    ("config", "earlier"), [(FIRST, None), (SECOND, FIRST), (TINY, None)], ids=["1", "2", "tiny"]
)
def test_shipped_configs_can_be_made(config, earlier):
    check_synthetic(config, earlier, SCHEMA, "file")


def within(section, **values):
    return {**FIRST, section: {**FIRST[section], **values}}


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({**FIRST, "heapin": 0.3}, "(top level)"),
        ({**FIRST, "heaping": 1.3}, "heaping"),
        (within("dirt", refussed=0.1), "dirt"),
        (within("hidden_groups", buyers=FIRST["hidden_groups"]["victims"]), "hidden_groups"),
        (within("mixing", area=0.8), "mixing"),
        (within("reporting", reported=0.9), "reporting"),
        (within("reporting", authorities=[0.5, 0.2, 0.1, 0.1]), "reporting.authorities"),
        (within("design", adults_in_household=[0.2] * 6), "design.adults_in_household"),
        (within("occupations", plumbers=5000), "occupations"),
        (within("columns", NIR="NEGROS ISLAND REGION"), "columns"),
        ({**FIRST, "reference_groups": ["doctors", "nurse"]}, "reference_groups"),
        ({**FIRST, "overlap": {"psus": 1, "barangays": 1}}, "overlap"),
    ],
)
def test_what_would_be_passed_over_or_cannot_be_made_is_told(config, place):
    with pytest.raises(PipelineError) as error:
        check_synthetic(config, None, SCHEMA, "config/synthetic/x.yaml")
    assert error.value.place == place
    assert error.value.file == "config/synthetic/x.yaml"


def test_a_later_config_is_checked_with_what_it_takes_over():
    with pytest.raises(PipelineError, match="unknown") as error:
        check_synthetic({**SECOND, "dirt": {"too_shrt": 3}}, FIRST, SCHEMA, "file")
    assert error.value.place == "dirt"
