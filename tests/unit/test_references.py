"""Names and numbers of a config that contradict one another are refused, each with its place."""

import copy
from pathlib import Path

import pytest

from prevalence.errors import PipelineError
from prevalence.files import read_yaml
from prevalence.references import check_references

CONFIG = read_yaml(Path(__file__).parents[2] / "config/surveys/ph2022.yaml")


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (
            lambda e: e["hidden_groups"]["victims"].update(known_groups=["doctors", "nurses"]),
            "estimate.hidden_groups.victims.known_groups",
        ),
        (lambda e: e["degree"].update(minimum_groups=10), "estimate.degree.minimum_groups"),
        (lambda e: e.update(benchmarked=["sex"]), "estimate.benchmarked"),
        (
            lambda e: e["ratios"]["victims_per_perpetrator"].update(numerator="victim"),
            "estimate.ratios.victims_per_perpetrator.numerator",
        ),
        (
            lambda e: e["sensitivity"]["contour"]["degree_ratio"].update(low=2.0),
            "estimate.sensitivity.contour.degree_ratio",
        ),
        (
            lambda e: e["planning"]["designs"][0].update(respondents=100),
            "estimate.planning.designs.0",
        ),
    ],
)
def test_a_contradiction_is_told_with_its_place(spoil, place):
    check_references(CONFIG, "ph2022.yaml")
    config = copy.deepcopy(CONFIG)
    spoil(config["estimate"])
    with pytest.raises(PipelineError) as error:
        check_references(config, "ph2022.yaml")
    assert error.value.place == place
