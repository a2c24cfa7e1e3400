"""Surveys beside each other: one unit, their own order, their own definitions."""

import numpy as np
import pandas as pd
import pytest

from prevalence.contracts import check_table
from prevalence.contracts.compare import COUNTRIES, DEFINITIONS
from prevalence.countries import countries_table, definitions_table
from prevalence.figures.countries import countries


def config(country, groups, synthetic=False):
    return {
        "survey": {"country": country, "year": 2020, "synthetic": synthetic},
        "headline": {"estimator": "ratio_of_sums"},
        "estimate": {
            "hidden_groups": {
                name: {"label": f"label of {name}", "population": population, "per": per}
                for name, (population, per) in groups.items()
            }
        },
    }


CONFIGS = {
    "second": config("B", {"y": ("adults", "per_1000"), "x": ("children", "per_100")}, True),
    "first": config("A", {"z": ("all_ages", "per_1000")}),
}


def estimates(rows):
    keys = {"estimator": "ratio_of_sums", "domain_type": "national", "domain": "national"}
    common = {"std_error": 0.1, "lower": 1.0, "upper": 1.4, "level": 0.95, "n": 100}
    flags = {"suppressed": np.nan, "precision": np.nan}
    return pd.DataFrame([{**keys, **common, **flags, "estimate": 1.21, **row} for row in rows])


SCALE_UP = {
    "second": estimates(
        [
            {"group": "x", "unit": "per_100"},
            {"group": "x", "unit": "persons", "estimate": 5000.0},
            {"group": "x", "unit": "per_100", "domain_type": "region", "estimate": 9.0},
            {"group": "x", "unit": "per_100", "estimator": "mean_of_ratios", "estimate": 8.0},
            {"group": "y", "unit": "per_1000"},
        ]
    ),
    "first": estimates(
        [{"group": "z", "unit": "per_1000", "suppressed": "primary"}
         | dict.fromkeys(("estimate", "std_error", "lower", "upper", "n"))]
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def table():
    return check_table(countries_table(SCALE_UP, CONFIGS), COUNTRIES, "countries.csv")


def test_rates_are_per_thousand_by_the_headline(table):
    found = table.set_index("group")
    assert found.loc["x", ["estimate", "lower", "upper"]].tolist() == [12.1, 10.0, 14.0]
    assert found.loc["y", "estimate"] == 1.21
    assert found["denominator"].to_dict() == {"x": "children", "y": "adults", "z": "all_ages"}


def test_rows_keep_the_order_of_the_configs(table):
    assert list(zip(table["survey"], table["group"], strict=True)) == [
        ("second", "y"),
        ("second", "x"),
        ("first", "z"),
    ]


def test_a_withheld_rate_keeps_its_reason_and_no_number(table):
    row = table.set_index("group").loc["z"]
    assert row["suppressed"] == "primary"
    assert row[["estimate", "lower", "upper", "n"]].isna().all()


def test_definitions_are_listed_for_each_survey():
    sheet = pd.DataFrame(
        [
            {"group": group, "element": element, "text": f"{element} of {group}"}
            for group in ("x", "y", "headline")
            for element in ("person", "hash")
        ]
    )
    found = definitions_table({"second": sheet}, CONFIGS)
    checked = check_table(found, DEFINITIONS, "definitions.csv")
    assert list(checked["group"]) == ["y", "x", "headline"]
    assert "hash" not in set(checked["element"])


def test_the_figure_says_what_it_shows(table):
    drawing = countries(table, {"imprecise": 0.3, "interval_only": 0.5})
    assert "suppressed" in drawing.alt
    assert "12.1 (10.0 to 14.0)" in drawing.alt
    words = " ".join(text.get_text() for text in drawing.figure.findobj(match=_is_text))
    assert "SYNTHETIC DATA" in words
    assert "no ranking" in words


def test_intervals_of_two_levels_are_told_apart():
    tables = SCALE_UP | {"second": SCALE_UP["second"].assign(level=0.9)}
    drawing = countries(countries_table(tables, CONFIGS), {"imprecise": 0.3, "interval_only": 0.5})
    assert "B 2020 (synthetic), 90% intervals, Label of x" in drawing.alt
    assert "A 2020, 95% intervals" in drawing.alt
    assert drawing.caption.endswith("with 90% or 95% intervals.")
    same = countries(countries_table(SCALE_UP, CONFIGS), {"imprecise": 0.3, "interval_only": 0.5})
    assert "% intervals" not in same.alt
    assert same.caption.endswith("with 95% intervals.")


def test_two_surveys_of_one_country_and_year_are_told_apart():
    twice = {name: {**CONFIGS[name], "survey": CONFIGS["first"]["survey"]} for name in CONFIGS}
    policy = {"imprecise": 0.3, "interval_only": 0.5}
    alt = countries(countries_table(SCALE_UP, twice), policy).alt
    assert "A 2020 second, Label of x" in alt
    assert "A 2020 first, Label of z" in alt


def _is_text(artist):
    return hasattr(artist, "get_text")
