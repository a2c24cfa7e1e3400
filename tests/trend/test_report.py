"""What the trend report says: direction, significance, units, and what may be the whole change."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "report"))

from material_of import figure, philippine_material  # noqa: E402

from prevalence.figures.trend import Named, changes, levels, ruled  # noqa: E402
from prevalence.files import read_yaml  # noqa: E402
from prevalence.waves.comparability import NOTHING_SHARED  # noqa: E402
from prevalence.waves.control import cell_reasons  # noqa: E402
from prevalence.waves.report import (  # noqa: E402
    _changes_table,
    _comparability_table,
    _controls_words,
    _samples_words,
    _validation_table,
    _validation_words,
    composed,
)

SOURCE = {
    path.relative_to(ROOT / "reports").as_posix(): path.read_text()
    for pattern in ("*.qmd", "sections/*.qmd", "*.bib")
    for path in (ROOT / "reports").glob(pattern)
}
PROJECT = read_yaml(ROOT / "reports" / "_quarto.yml")
CELL = {"group": "victims", "domain_type": "national", "domain": "national", "unit": "per_100"}
SHOWN = {"suppressed": None, "precision": None, "level": 0.95}
CHANGE = {**CELL, **SHOWN, "n": 1800, "n_earlier": 3700}
CAUSE = {"earlier_value": "a", "later_value": "b", "meaning": "another wording"}


def level_row(wave, estimate, **values):
    ends = {"estimate": estimate, "lower": 0.8 * estimate, "upper": 1.25 * estimate}
    return {**CELL, **SHOWN, **ends, "wave": wave, "n": 1800, **values}


def told(ratio, gap=(-0.5, -0.7, -0.3), *, severities=(), material=None, levels=None, **values):
    """The bullets of the changes, and how the waves compare."""
    names = ("estimate", "lower", "upper")
    changes = [
        {**CHANGE, "measure": measure, **dict(zip(names, ends, strict=True)), **values}
        for measure, ends in (("ratio", ratio), ("difference", gap))
    ]
    differing = [
        {"aspect": "instrument", "item": f"item_{place}: wording", "severity": severity, **CAUSE}
        for place, severity in enumerate(severities)
    ]
    nothing = ["aspect", "item", "earlier_value", "later_value", "severity", "meaning"]
    tables = {
        "levels": pd.DataFrame(levels or [level_row("a", 1.2), level_row("b", 0.7)]),
        "changes": pd.DataFrame(changes),
        "controls": pd.DataFrame(columns=["group", "lower", "agrees"]),
        "comparability": pd.DataFrame(differing or None, columns=nothing),
        "validation": pd.DataFrame(columns=[*CELL, "measure", "truth", "covered"]),
    }
    figures = {name: figure(name, 2022) for name in ("levels", "changes")}
    material = material or philippine_material(tables={}, figures=figures)
    files = composed(material, tables, (2022, 2024), SOURCE, PROJECT)
    return files["partials/changed.md"], files["partials/comparable.md"]


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        ((0.59, 0.46, 0.75), "The whole interval lies below 1: a lower rate than before."),
        ((1.4, 1.1, 1.8), "The whole interval lies above 1: a higher rate than before."),
        ((0.8, 0.6, 1.0), "The interval holds 1: it is compatible with a rise and with a fall."),
    ],
)
def test_the_verdict_is_on_the_rate_and_follows_the_interval(ratio, verdict):
    assert verdict in told(ratio)[0]


def test_a_change_without_a_point_is_said_as_a_range():
    text, _ = told((None, 0.3, 1.9), (None, -0.9, 0.6), precision="interval_only")
    assert "The later is between 0.3 and 1.9 times the earlier (95% interval), a difference" in text
    assert "a difference between −0.9 and 0.6 per 100 children (95% interval)." in text


def test_a_serious_difference_is_told_where_the_change_is():
    text, where = told((0.59, 0.46, 0.75), severities=["serious", "caution"])
    assert "there is 1 difference that may be the whole change" in text
    assert where.startswith("Between the waves there is 1 difference that may be the whole change")
    assert "Between the waves" not in told((0.59, 0.46, 0.75), severities=["caution"])[0]


def test_places_have_the_names_of_the_config():
    domain = {"domain_type": "region", "domain": "VI"}
    row = {**CHANGE, **domain, "estimate": 0.7, "lower": 0.5, "upper": 0.9}
    rows = [{**row, "measure": measure} for measure in ("ratio", "difference")]
    material = philippine_material(tables={}, places={"region": {"VI": "Western Visayas"}})
    assert "VI Western Visayas" in _changes_table(material, rows)
    assert "The nation" in _changes_table(material, [{**one, **CELL} for one in rows])


def test_waves_that_differ_in_nothing_have_no_table_of_differences():
    same = [
        {"aspect": aspect, "item": "all", "severity": "none", **CAUSE}
        for aspect in ("tie", "frame")
    ]
    text = _comparability_table(philippine_material(tables={}), same)
    assert text == "Tie definition, frame and weighting are the same in both waves.\n"


def test_known_groups_without_an_interval_are_not_counted_as_missed():
    rows = [{"group": "nurses", "lower": None, "upper": None, "agrees": False}]
    assert _controls_words(rows) == "For none of them is there an interval."
    rows.append({"group": "doctors", "lower": 0.9, "upper": 1.1, "agrees": True})
    assert _controls_words(rows) == "For 1 of 1 of them the interval holds it."


def test_samples_that_share_nothing_are_said_to_be_compared_as_independent():
    row = {"aspect": "frame", "item": "PSUs", "earlier_value": "4 PSUs", "later_value": "4 PSUs"}
    assert "share no primary sampling unit" in _samples_words([{**row, "meaning": NOTHING_SHARED}])
    assert "drawn jointly" in _samples_words([{**row, "meaning": "2 PSUs in both, drawn jointly"}])


def test_waves_with_two_units_are_told_in_the_earlier_waves():
    groups = philippine_material().estimate["hidden_groups"]
    later = {"victims": {**groups["victims"], "per": "per_1000", "population": "all_ages"}}
    assert ruled(later, groups)["victims"] == groups["victims"]
    figures = {name: figure(name, 2022) for name in ("levels", "changes")}
    estimate = {**philippine_material().estimate, "hidden_groups": ruled(later, groups)}
    material = philippine_material(tables={}, figures=figures, estimate=estimate)
    assert "per 100 children (95% interval" in told((0.59, 0.46, 0.75), material=material)[0]


def reasons(**last):
    keys = {"group": "victims", "domain_type": "national", "domain": "national"}
    flags = {"suppressed": "", "precision": "", "n": 100}
    return [{**keys, "estimator": "ratio_of_sums", **flags, **last}]


def test_a_rate_is_the_same_cell_in_any_unit():
    one, other = (
        cell_reasons(pd.DataFrame(reasons(unit=unit)), "ratio_of_sums")
        for unit in ("per_100", "per_1000")
    )
    assert one == other


def test_a_models_ratio_does_not_decide_what_is_shown_of_the_headlines():
    rows = reasons(unit="ratio")
    rows += reasons(unit="ratio", estimator="overdispersed", precision="interval_only")
    assert list(cell_reasons(pd.DataFrame(rows), "mean_of_ratios").values()) == [("", "", 100)]


def test_the_alternative_of_the_levels_has_the_digits_that_are_drawn():
    released = pd.DataFrame([level_row("a", 1.2), level_row("b", 0.71, lower=0.58, upper=0.86)])
    groups = {"victims": philippine_material().estimate["hidden_groups"]["victims"]}
    named = Named(groups, [], True, {"a": 2022, "b": 2024}, "95%", {"imprecise": 0.3})
    assert "2024 0.71 (0.58 to 0.86)" in levels({"levels": released}, named).alt


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((0.7, 0.5, 0.9), "0.7 (0.5 to 0.9)"),
        ((0.0052, 0.0031, 0.0071), "0.0052 (0.0031 to 0.0071)"),
    ],
)
def test_the_figure_of_the_changes_has_the_digits_that_were_released(ends, text):
    row = {
        **CHANGE,
        "measure": "ratio",
        **dict(zip(("estimate", "lower", "upper"), ends, strict=True)),
    }
    groups = {"victims": philippine_material().estimate["hidden_groups"]["victims"]}
    precision = {"imprecise": 0.3, "interval_only": 0.5}
    named = Named(groups, [], True, {"a": 2022, "b": 2024}, "95%", precision)
    assert f"national: {text}" in changes({"changes": pd.DataFrame([row])}, named).alt


def test_settings_and_what_they_name_are_told_in_words():
    differing = {
        "estimate.degree.tie_definition": ("tie", "by name", "by sight"),
        "headline.estimator": ("estimation", "ratio_of_sums", "mean_of_ratios"),
        "headline.known_groups": ("estimation", "kn_nurses, kn_taxi", "kn_nurses"),
        "kn_taxi: size": ("known_groups", "3,600", "3,700"),
    }
    rows = [
        {"aspect": aspect, "item": item, "earlier_value": one, "later_value": other,
         "severity": "caution", "meaning": ""}
        for item, (aspect, one, other) in differing.items()
    ]  # fmt: skip
    labels = {"kn_nurses": "nurses", "kn_taxi": "taxi drivers"}
    text = _comparability_table(philippine_material(tables={}, labels=labels), rows)
    for words in (
        "| Definition of knowing | by name | by sight |",
        "| Estimator | Ratio of sums | Mean of ratios |",
        "| Known groups | nurses, taxi drivers | nurses |",
        "| Taxi drivers: size | 3,600 | 3,700 |",
    ):
        assert words in text


def test_known_groups_have_the_labels_of_their_table_where_the_codebook_has_raw_names(tmp_path):
    path = tmp_path / "known_groups.csv"
    path.write_text("group,label\nkn_taxi,taxi drivers\n")
    script = runpy.run_path(str(ROOT / "scripts" / "trend" / "compose_trend.py"))
    entry = SimpleNamespace(name="kn_taxi", group="kn_taxi", label="kn_taxi", role="known")
    labels = script["labels_of"](SimpleNamespace(variables=[entry]), [str(path)])
    assert labels == {"kn_taxi": "taxi drivers"}


def test_two_levels_have_one_number_of_decimals():
    rows = [
        level_row("a", 1.2, lower=1.04, upper=1.39),
        level_row("b", 0.7, lower=0.581, upper=0.858),
    ]
    text, _ = told((0.59, 0.46, 0.75), levels=rows)
    assert "1.20 per 100 children (95% interval 1.04 to 1.39) in 2022" in text
    assert "0.70 per 100 children (95% interval 0.58 to 0.86) in 2024" in text
    groups = {"victims": philippine_material().estimate["hidden_groups"]["victims"]}
    named = Named(groups, [], True, {"a": 2022, "b": 2024}, "95%", {"imprecise": 0.3})
    assert "2024 0.70 (0.58 to 0.86)" in levels({"levels": pd.DataFrame(rows)}, named).alt


def planted(domain, covered, **values):
    kind = "national" if domain == "national" else "region"
    row = {**CELL, "domain_type": kind, "domain": domain, "measure": "ratio", "truth": 0.66}
    return {**row, "estimate": 0.6, "lower": 0.5, "upper": 0.8, "covered": covered, **values}


def test_each_planted_change_counts_once_and_a_miss_is_named_and_shown():
    rows = [planted(str(place), "True") for place in range(7)]
    rows += [planted("national", "True"), planted("III", "False")]
    rows += [{**row, "unit": "persons"} for row in rows]
    material = philippine_material(tables={}, places={"region": {"III": "Central Luzon"}})
    told = _validation_words(material, rows)
    assert "Of 9 released intervals" in told
    assert "8 hold it; not so the ratio for children" in told
    assert told.endswith("in III Central Luzon.")
    lines = _validation_table(material, rows).splitlines()
    assert sum(line.endswith("| yes |") for line in lines) == 1
    assert [line for line in lines if line.endswith("| no |") and "III Central Luzon" in line]
    assert "Of regions, 7 of 8 intervals hold it, and have no row here." in lines
    whole = _validation_words(material, rows[:8])
    assert whole.endswith("for each group and place, 8 hold it.")


def test_differences_are_said_to_be_taken_before_rounding():
    assert "differences were taken before rounding" in SOURCE["trend.qmd"]
