"""What differs between two waves is listed, each thing once, with its severity."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence.codebook import parse_codebook
from prevalence.design import SampleDesign
from prevalence.domains import Domain
from prevalence.files import read_csv, read_yaml
from prevalence.waves.comparability import (
    ASPECTS,
    CAUTION,
    EXPECTED,
    NONE,
    SERIOUS,
    Described,
    comparability,
)
from prevalence.waves.joint import overlap_of

ROOT = Path(__file__).parents[2]
CODEBOOK = (ROOT / "config/codebooks/ph2022.csv").read_text(encoding="utf-8")
CONFIG = read_yaml(ROOT / "config/surveys/ph2022.yaml")
KNOWN = read_csv(ROOT / "data/raw/ph2022/known_groups.csv")
DESIGN = SampleDesign.from_columns(np.ones(4), strata=list("aabb"), units=list("1234"))


def described(config=CONFIG, codebook=CODEBOOK, known=KNOWN):
    return Described(config, parse_codebook(codebook.encode(), "codebook.csv").variables, known)


def listed_between(earlier, later, design=DESIGN, dropped=()):
    table = comparability(earlier, later, overlap_of(DESIGN, design), dropped)
    return table[table["severity"] != NONE]


def changed(key, value):
    config = copy.deepcopy(CONFIG)
    *parts, last = key.split(".")
    place = config
    for part in parts:
        place = place[part]
    place[last] = value
    return config


def test_the_same_wave_twice_differs_in_nothing():
    table = comparability(described(), described(), overlap_of(DESIGN, DESIGN))
    assert list(table["aspect"]) == list(ASPECTS)
    assert set(table["severity"]) == {NONE}


@pytest.mark.parametrize(
    ("key", "value", "aspect", "severity"),
    [
        ("estimate.degree.tie_definition", "people you greet", "tie", SERIOUS),
        ("headline.top_codes", {"known": 50, "hidden": 30}, "estimation", EXPECTED),
        ("headline.estimator", "mean_of_ratios", "estimation", EXPECTED),
        ("estimate.hidden_groups.victims.estimand.act", "another act", "groups", SERIOUS),
        ("estimate.hidden_groups.victims.estimand.period", "2024", "groups", EXPECTED),
        ("clean.combine.victims.rule", "sum", "groups", SERIOUS),
        ("clean.combine.victims.items", ["victims_live"], "groups", SERIOUS),
        ("clean.combine.victims.incomplete", "missing", "groups", SERIOUS),
        ("estimate.hidden_groups.victims.population", "all_ages", "populations", CAUTION),
        ("survey.year", 2024, "populations", EXPECTED),
        ("estimate.level", 0.9, "estimation", EXPECTED),
        ("headline.interval", "gamma_mid_p", "estimation", EXPECTED),
        ("headline.variance", "linearised", "estimation", EXPECTED),
        ("estimate.ratios", {}, "groups", EXPECTED),
        ("estimate.ratios.victims_per_perpetrator.numerator", "perpetrators", "groups", CAUTION),
        (
            "estimate.hidden_groups.victims.known_groups",
            ["doctors", "nurses"],
            "estimation",
            EXPECTED,
        ),
        ("weight.calibration.margins", ["region"], "frame", CAUTION),
        ("clean.screening", [], "frame", CAUTION),
    ],
)
def test_a_changed_setting_is_listed_once(key, value, aspect, severity):
    found = listed_between(described(), described(changed(key, value)))
    assert list(found["aspect"]) == [aspect]
    assert list(found["severity"]) == [severity]


@pytest.mark.parametrize(
    ("before", "after", "item", "severity"),
    [
        ("Q6a_1,doctors,doctors,", "Q6a_1,doctors,physicians,", "doctors: wording", CAUTION),
        (
            '"Number of children known, exploited to produce CSEM, non-live"',
            '"Number of children heard of, exploited to produce CSEM, non-live"',
            "victims_nonlive: wording",
            SERIOUS,
        ),
    ],
)
def test_a_changed_wording_is_listed(before, after, item, severity):
    assert before in CODEBOOK
    found = listed_between(described(), described(codebook=CODEBOOK.replace(before, after)))
    assert list(found["item"]) == [item]
    assert list(found["severity"]) == [severity]


def test_a_question_about_another_group_is_listed():
    there = "Q6a_1,doctors,doctors,numeric,known,"
    line = next(line for line in CODEBOOK.splitlines() if line.startswith(there))
    assert line.endswith(",doctors")
    other = CODEBOOK.replace(line, line.removesuffix("doctors") + "dentists")
    found = listed_between(described(), described(codebook=other))
    assert found[["item", "severity"]].to_numpy().tolist() == [["doctors: group", SERIOUS]]


def test_places_of_one_wave_only_are_named():
    """A region that was split: the part that kept the name isn't what it was."""
    everybody = np.ones(4, bool)
    before = [Domain("region", name, "geographic", everybody) for name in ("VI", "VII")]
    after = [*before, Domain("region", "NIR", "geographic", everybody)]
    overlap = overlap_of(DESIGN, DESIGN)
    table = comparability(described(), described(), overlap, domains=(before, after))
    found = table[table["severity"] != NONE].drop(columns="meaning")
    assert found.to_numpy().tolist() == [
        ["populations", "region: in one wave only", "nothing", "NIR", CAUTION]
    ]


def test_samples_drawn_together_that_share_nothing_are_not_passed_over():
    """Such as labels written as 1 in one wave and as 01 in the other."""
    other = SampleDesign.from_columns(np.ones(4), strata=list("aabb"), units=["01", "02", "3", "4"])
    assert set(listed_between(described(), described(), design=other)["severity"]) == {EXPECTED}
    other = SampleDesign.from_columns(np.ones(4), strata=list("aabb"), units=list("5678"))
    found = listed_between(described(), described(), design=other)
    assert found[["item", "severity"]].to_numpy().tolist() == [["PSUs", CAUTION]]
    assert "in both" in found["meaning"].iloc[0]


def test_a_question_that_was_dropped_is_listed():
    lines = [line for line in CODEBOOK.splitlines() if not line.startswith("Q6a_2,")]
    found = listed_between(described(), described(codebook="\n".join(lines) + "\n"))
    assert found[["item", "later_value", "severity"]].to_numpy().tolist() == [
        ["lawyers", "not there", CAUTION]
    ]


def test_known_sizes():
    later = KNOWN.copy()
    later.loc[later["group"] == "nurses", "size"] *= 2
    later.loc[later["group"] == "students", "size"] += 1
    later.loc[later["group"] == "drivers", "source"] = "elsewhere"
    later = later[later["group"] != "doctors"]
    found = listed_between(described(), described(known=later), dropped=["doctors"])
    severity = dict(zip(found["item"], found["severity"], strict=True))
    assert severity == {
        "doctors": SERIOUS,
        "nurses: size": CAUTION,
        "students: size": EXPECTED,
        "drivers: source": CAUTION,
    }


def test_the_samples():
    other = SampleDesign.from_columns(np.ones(4), strata=list("aacc"), units=list("1534"))
    found = listed_between(described(), described(), design=other)
    assert dict(zip(found["item"], found["severity"], strict=True)) == {
        "strata": CAUTION,
        "PSUs": EXPECTED,
    }
    assert "1 PSUs in both" in " ".join(found["meaning"])


def test_independent_samples_are_said_to_be_so():
    overlap = overlap_of(DESIGN, DESIGN, independent=True)
    table = comparability(described(), described(), overlap, independent=True)
    found = table[table["severity"] != NONE]
    assert found[["item", "severity"]].to_numpy().tolist() == [["PSUs", EXPECTED]]
    assert "independently" in found["meaning"].iloc[0]


def test_the_table_holds_text_alone():
    table = comparability(
        described(), described(changed("survey.year", 2024)), overlap_of(DESIGN, DESIGN)
    )
    assert isinstance(table, pd.DataFrame)
    assert all(isinstance(value, str) for value in table.to_numpy().ravel())
