"""The style, the words and the catalogue of the figures."""

import itertools
import re
from pathlib import Path

import pytest

from prevalence.errors import PipelineError
from prevalence.figures import words as vocabulary
from prevalence.figures.catalogue import FIGURES, TABLES, place_figures, section_figures
from prevalence.figures.certainty import _ratio_text
from prevalence.figures.idea import IN_THOUSAND, PEOPLE
from prevalence.figures.style import (
    COLOURS,
    INK,
    MUTED,
    WARNING,
    nice_ticks,
    text_width,
    tick_label,
    wrapped,
)
from prevalence.figures.where import CLASSES, check_tiles
from prevalence.figures.words import Words
from prevalence.report.story import ILLUSTRATION

ROOT = Path(__file__).parents[2]


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def lightness(colour):
    """L* of CIELAB: what is left of a colour in grey, 0 to 100."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def contrast(colour, other="#ffffff"):
    high, low = sorted((luminance(colour), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_lightness_of_black_white_and_grey():
    assert lightness("#000000") == 0
    assert lightness("#ffffff") == pytest.approx(100)
    assert lightness("#777777") == pytest.approx(50, abs=0.5)


def test_colours_stay_apart_in_grey():
    for one, other in itertools.combinations(COLOURS, 2):
        assert abs(lightness(one) - lightness(other)) > 5
    first, second = COLOURS[:2]  # the two that share a panel
    assert abs(lightness(first) - lightness(second)) > 25


def test_shades_of_tiles_stay_apart_in_grey_and_under_their_text():
    shades = [colour for colour, _ in CLASSES.values()]
    for one, other in itertools.combinations(shades, 2):
        assert abs(lightness(one) - lightness(other)) > 8
    assert all(contrast(INK, shade) > 4.5 for shade in shades)


def test_marks_and_texts_have_contrast_on_paper():
    assert all(contrast(colour) >= 3 for colour in COLOURS)
    assert all(contrast(colour) >= 4.5 for colour in (INK, MUTED, WARNING))


def test_a_text_is_broken_to_its_room():
    lines = wrapped("estimated number of people known, of all ages", 1.2)
    assert len(lines) > 1
    assert all(text_width(line) <= 1.2 for line in lines)
    assert " ".join(lines) == "estimated number of people known, of all ages"
    assert wrapped("indivisible", 0.1) == ["indivisible"]


def test_ticks_are_round_and_have_room():
    assert nice_ticks(0, 560_000, 2.4) == [0, 200_000, 400_000]
    assert nice_ticks(0, 1.9, 2) == [0, 0.5, 1, 1.5]
    labels = [tick_label(t, 560_000) for t in nice_ticks(0, 560_000, 2.4)]
    assert labels == ["0", "200,000", "400,000"]
    assert tick_label(0.25, 1.9) == "0.25"
    assert tick_label(-5.0, 40) == "−5"


@pytest.mark.parametrize("span", [0.3, 1, 2.2, 7, 10, 11, 24, 60, 100, 290, 1_000, 46_000])
def test_a_tick_says_where_it_stands(span):
    for room in (1.2, 2.5, 4.0):
        ticks = nice_ticks(0, span, room)
        labels = [float(tick_label(tick, span).replace(",", "")) for tick in ticks]
        assert labels == pytest.approx(ticks)


def test_the_idea_has_the_numbers_of_the_text():
    assert ILLUSTRATION["thousand"] == f"{PEOPLE:,}"
    assert ILLUSTRATION["hidden"] == str(IN_THOUSAND)


def test_every_section_names_tables_and_every_factor_has_words():
    assert set(FIGURES) == set(TABLES)
    from prevalence.adjustment import EXPONENTS

    assert set(vocabulary.FACTORS) == set(EXPONENTS)


def test_sections_of_the_report_show_the_figures_that_are_made_and_no_others():
    sections = [file.read_text(encoding="utf-8") for file in (ROOT / "reports").rglob("*.qmd")]
    asked = set(re.findall(r"has\.figure_(\w+)", " ".join(sections)))
    made = {name for names in FIGURES.values() for name in names}
    assert asked == made - {"island_groups", "regions"}, "those of places have a section each"


CONFIG = {
    "estimate": {
        "hidden_groups": {
            "users": {"label": "people who use drugs", "population": "all_ages", "per": "per_1000"}
        },
        "domains": [
            {"type": "province", "kind": "geographic"},
            {"type": "sex", "kind": "respondent"},
        ],
        "level": 0.9,
    },
    "weight": {},
    "figures": {"tiles": {"province": {"A": [0, 0]}}},
}


def test_figures_follow_the_config():
    assert place_figures(CONFIG) == ["provinces", "tile_map"]
    assert section_figures(CONFIG, "where") == ["provinces", "tile_map"]
    assert section_figures(CONFIG | {"figures": None}, "where") == ["provinces"]
    modelled = CONFIG | {"model": {"models": {"overdispersed": {}}}}
    assert place_figures(modelled)[-1] == "shrinkage"
    everywhere = {**modelled, "estimate": {**CONFIG["estimate"], "domains": []}}
    assert place_figures(everywhere) == []
    assert section_figures(modelled, "models") == ["models", "predictive"]
    assert "area_distribution" not in place_figures(modelled)
    pooled = CONFIG | {"model": {"models": ["partially_pooled_weighted"]}}
    assert place_figures(pooled)[-1] == "area_distribution"
    for section in ("calibration", "specifications", "sensitivity", "coverage"):
        assert section_figures(CONFIG, section) == []
    assert section_figures(CONFIG, "headline") == ["headline"]
    assert section_figures(
        CONFIG | {"weight": {"calibration": {"method": "raking"}}}, "calibration"
    ) == ["margins"]


def make(**changes):
    values = {
        "survey": {"synthetic": False},
        "estimate": CONFIG["estimate"],
        "headline": {},
        "findings": [],
    }
    return Words(**(values | changes))


def test_words_come_from_the_config():
    words = make(places={"names": {"province": {"B": "Beta", "A": ""}}})
    assert words.level == "90%"
    assert words.label("users") == "People who use drugs"
    assert words.denominator("users") == "per 1,000 people"
    assert words.place("province", "B") == "B  Beta"
    assert words.place("province", "A") == "A"
    assert words.order("province", ["A", "C", "B"]) == ["B", "A", "C"]
    assert words.kind("province") == {"one": "province", "many": "provinces"}
    assert words.estimator("sum_of_province") == "Sum over the provinces"
    assert words.estimator("a_new_one") == "A new one"


def test_only_abbreviations_that_are_shown_are_explained():
    words = make(
        report={"terms": [{"term": "Child sexual exploitation material (CSEM)"}, {"term": "Child"}]}
    )
    assert words.abbreviations("to produce CSEM") == ["CSEM: child sexual exploitation material."]
    assert words.abbreviations("nothing of it") == []


@pytest.mark.parametrize(
    ("tiles", "found"),
    [
        ({"A": [0, 0]}, "no tile for B"),
        ({"A": [0, 0], "B": [0, 0]}, "A, B at [0, 0]"),
    ],
)
def test_a_place_without_a_tile_of_its_own_stops_the_map(tiles, found):
    with pytest.raises(PipelineError) as stopped:
        check_tiles(tiles, ["A", "B"], "region")
    assert stopped.value.place == "figures.tiles.region"
    assert stopped.value.found == found


def test_places_that_were_not_sampled_may_have_tiles():
    check_tiles({"A": [0, 0], "B": [0, 1]}, ["A"], "region")


@pytest.mark.parametrize(
    ("lower", "text"),
    [
        (1.0000554, "1.20 (>1.00 to 1.44)"),
        (0.9999, "1.20 (<1.00 to 1.44)"),
        (1.0, "1.20 (1.00 to 1.44)"),
    ],
)
def test_a_limit_beside_equality_keeps_its_side(lower, text):
    row = {"suppressed": None, "estimate": 1.2, "lower": lower, "upper": 1.44}
    assert _ratio_text(row) == text
