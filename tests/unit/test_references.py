"""Names and numbers of a config that contradict one another are refused, each with its place."""

import copy
from pathlib import Path

import pytest

from prevalence.errors import PipelineError
from prevalence.files import read_yaml
from prevalence.references import check_citations, check_references

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


def test_a_type_of_domain_may_not_take_the_name_of_another_figure():
    config = copy.deepcopy(CONFIG)
    config["estimate"]["domains"].append({"type": "weight", "variable": "w", "kind": "geographic"})
    with pytest.raises(PipelineError, match="figure") as error:
        check_references(config, "ph2022.yaml")
    assert error.value.found == "weight"


def test_two_places_on_one_tile_are_told():
    config = copy.deepcopy(CONFIG)
    config["figures"]["tiles"]["region"] |= {"NCR": [1, 1], "VII": [1, 1]}
    with pytest.raises(PipelineError, match="one tile") as error:
        check_references(config, "ph2022.yaml")
    assert error.value.place == "figures.tiles.region.VII"
    assert error.value.found == "[1, 1], where NCR stands"


def test_a_citation_without_an_entry_is_told_with_the_likeliest_one(tmp_path):
    file = tmp_path / "references.bib"
    file.write_text("@book{lohr2021,\n  title = {x},\n}\n@article{ killworth1998,\n}\n")
    check_citations(["lohr2021"], "pilot.yaml", "report.source.keys", bibliography=file)
    with pytest.raises(PipelineError) as error:
        check_citations(["lohr2012"], "pilot.yaml", "report.source.keys", bibliography=file)
    assert error.value.found == "lohr2012"
    assert "'lohr2021'" in str(error.value)


def test_words_for_a_misspelt_group_are_told_as_such():
    config = copy.deepcopy(CONFIG)
    words = config["report"]["groups"]
    words["victim"] = words.pop("victims")
    with pytest.raises(PipelineError, match="doesn't exist") as error:
        check_references(config, "ph2022.yaml")
    assert (error.value.found, error.value.place) == ("victim", "report.groups")
    assert "'victims'" in str(error.value)


@pytest.mark.parametrize(
    ("smallest", "reason", "place"),
    [
        ("islands", None, "release.smallest_geography"),
        ("city", None, "release.reason"),
        ("city", "agreed", "release.reason"),
    ],
)
def test_a_small_geography_is_a_type_of_domain_and_has_its_reason(smallest, reason, place):
    config = copy.deepcopy(CONFIG)
    city = {"type": "city", "variable": "city", "kind": "geographic"}
    config["estimate"]["domains"].append(city)
    config["report"]["domains"]["city"] = {"one": "city", "many": "cities"}
    config["release"] = {"smallest_geography": smallest, "reason": reason}
    with pytest.raises(PipelineError) as error:
        check_references(config, "ph2022.yaml")
    assert error.value.place == place
    config["release"] = {"smallest_geography": "city", "reason": "agreed with the ethics board"}
    check_references(config, "ph2022.yaml")
