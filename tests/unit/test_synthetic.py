"""The made-up world, surveys of it, and their export."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from prevalence.errors import PipelineError
from prevalence.files import read_csv, read_json
from prevalence.synthetic.assembly import country_of
from prevalence.synthetic.instrument import HIDDEN, sample_frame, to_export
from prevalence.synthetic.selection import (
    draw_areas,
    draw_systematic,
    inclusion_probabilities,
)
from prevalence.synthetic.side_tables import (
    AGES,
    adults_by_age,
    denominators,
    elicitation,
)
from prevalence.synthetic.survey import draw_survey
from prevalence.synthetic.world import build_world, planted_truth

FIVE_YEAR_GROUPS = [f",{first}-{first + 4},10" for first in range(0, 85, 5)]
PROJECTED = "\n".join([",,2022", "Both Sexes,All Ages,170", *FIVE_YEAR_GROUPS])
ROOT = Path(__file__).parents[2]
RAW = ROOT / "data" / "raw" / "ph2022"


@pytest.fixture(scope="module")
def config():
    values = yaml.safe_load((ROOT / "config/synthetic/ph2022.yaml").read_text())
    values["children"] = {
        "children_0_2": 0.05,
        "children_3_5": 0.06,
        "children_6_12": 0.14,
        "children_13_17": 0.1,
    }
    return values


@pytest.fixture(scope="module")
def regions(config):
    people = read_csv(RAW / "populations.csv").set_index(["domain_type", "domain"])
    islands = {"VI": "Visayas", "VII": "Visayas", "VIII": "Visayas"}
    return [
        {
            "region": name,
            "island_group": islands.get(name, "Luzon"),
            "population": people.loc[("region", name), "all_ages"],
            "adults": people.loc[("region", name), "adults"],
            **values,
        }
        for name, values in config["regions"].items()
    ]


@pytest.fixture(scope="module")
def world(config, regions):
    return build_world(config, regions, [1, 2, 3])


@pytest.fixture(scope="module")
def age_sex():
    return np.random.default_rng(0).uniform(1, 2, (17, 2, len(AGES)))


def test_every_city_and_municipality_exists(world, regions):
    assert len(world.population) == 1634
    people = np.bincount(world.region, world.population)
    assert people == pytest.approx([row["population"] for row in regions], rel=1e-6)


def test_group_sizes_are_exactly_the_configured_ones(world, config):
    totals = dict(zip(world.groups, world.population @ world.share, strict=True))
    for group, size in config["occupations"].items():
        assert totals[group] == pytest.approx(size, rel=1e-9)
    for group, values in config["hidden_groups"].items():
        assert totals[group] == pytest.approx(values["total"], rel=1e-9)


def test_mean_degree_is_the_configured_one(world, config):
    mean = world.adults @ world.degree / world.adults.sum()
    assert mean == pytest.approx(config["degree"]["mean"])


def test_the_estimator_aims_at_the_truth_by_brute_force(world, config):
    """Expected reports over expected degrees, area by area, give the planted totals."""
    sizes = {name: config["occupations"][name] for name in config["reference_groups"]}
    known = [world.groups.index(name) for name in sizes]
    reports = np.zeros(2)
    degrees = 0.0
    for area in range(len(world.population)):
        weight = world.adults[area] * world.degree[area]
        reports += weight * world.met_share[area, world.hidden]
        degrees += weight * sum(world.met_share[area, k] for k in known) / sum(sizes.values())
    totals = [group["total"] for group in config["hidden_groups"].values()]
    assert reports / degrees == pytest.approx(totals, rel=1e-9)


def test_surveys_report_what_the_world_says(world, config, age_sex):
    """Weighted counts of a survey without nonresponse are unbiased for the population's."""
    sizes = {name: config["occupations"][name] for name in config["reference_groups"]}
    known = [world.groups.index(name) for name in sizes]
    estimates = []
    for seed in range(60):
        draw = draw_survey(world, age_sex, AGES, [seed])
        weight = draw.adults / (draw.p_psu * draw.p_ssu * draw.p_household)
        degree = draw.counts[:, known].sum(axis=1) / sum(sizes.values())
        reports = draw.counts[:, world.hidden]
        estimates.append(weight @ reports / (weight @ degree))
    mean, deviation = np.mean(estimates, axis=0), np.std(estimates, axis=0)
    totals = [group["total"] for group in config["hidden_groups"].values()]
    assert (np.abs(mean - totals) < 4 * deviation / np.sqrt(60)).all()


def test_areas_are_drawn_with_the_stated_probabilities(world, config):
    drawn = np.zeros(len(world.population))
    stated = np.full(len(world.population), np.nan)
    generator = np.random.default_rng(5)
    for _ in range(400):
        areas, chance = draw_areas(world, generator)
        assert len(areas) == len(set(areas)) == config["design"]["psus"]
        drawn[areas] += 1
        stated[areas] = chance
    seen = np.isfinite(stated)
    error = np.sqrt(np.maximum(stated[seen] * (1 - stated[seen]), 1e-9) / 400)
    assert np.mean(np.abs(drawn[seen] / 400 - stated[seen]) <= 3.5 * error + 1e-9) > 0.995
    assert (drawn[stated == 1] == 400).all()


def test_every_region_has_at_least_six_areas(world):
    areas, _ = draw_areas(world, np.random.default_rng(1))
    assert np.bincount(world.region[areas], minlength=17).min() >= 6


@pytest.mark.parametrize("psus", [20, 5000])
def test_a_sample_that_cannot_be_drawn_is_told(config, world, psus):
    """Fewer than six a region, or more than there are: either was drawn, as another number."""
    other = replace(world, config={**config, "design": {**config["design"], "psus": psus}})
    with pytest.raises(PipelineError, match="PSUs") as error:
        draw_areas(other, np.random.default_rng(0))
    assert "from 102" in error.value.allowed
    assert "to 1634" in error.value.allowed


@pytest.mark.parametrize(
    ("fault", "count"), [("straight_lining_interviewers", 10**4), ("too_short", 3000)]
)
def test_more_faults_than_interviews_are_told(world, config, age_sex, fault, count):
    draw = draw_survey(world, age_sex, AGES, [4])
    other = replace(world, config={**config, "dirt": {**config["dirt"], fault: count}})
    with pytest.raises(PipelineError, match="too small") as error:
        to_export(other, draw, np.random.default_rng(1))
    assert fault in error.value.place


def test_inclusion_probabilities_by_hand():
    assert inclusion_probabilities(np.array([1.0, 1.0, 2.0]), 2) == pytest.approx([0.5, 0.5, 1.0])
    chance = inclusion_probabilities(np.array([8.0, 1.0, 1.0]), 2)
    assert chance == pytest.approx([1.0, 0.5, 0.5])
    picks = draw_systematic(chance, np.random.default_rng(0))
    assert len(picks) == 2
    assert picks[0] == 0


def test_the_same_seed_gives_the_same_survey(world, age_sex):
    first, second = (draw_survey(world, age_sex, AGES, [9]) for _ in range(2))
    for name in first.__dataclass_fields__:
        assert (getattr(first, name) == getattr(second, name)).all(), name
    other = draw_survey(world, age_sex, AGES, [10])
    assert not np.array_equal(first.counts, other.counts)


def test_live_reports_are_a_part_of_non_live_ones(world, age_sex):
    draw = draw_survey(world, age_sex, AGES, [4])
    frame = to_export(world, draw, np.random.default_rng(1)).responses
    for (non_live, _), (live, _) in HIDDEN.values():
        valid = (frame[non_live] < 900) & (frame[live] < 900)
        assert (frame.loc[valid, live] <= frame.loc[valid, non_live]).all()


def test_the_frame_has_every_household_and_certain_cities_are_strata(world, age_sex):
    draw = draw_survey(world, age_sex, AGES, [4])
    frame = sample_frame(world, draw)
    assert frame["household"].is_unique
    certain = frame[frame["certainty"] == 1]
    assert len(certain)
    assert (certain["stratum"].str.split().str[1] == certain["city"]).all()
    assert certain.groupby("stratum")["psu"].nunique().min() >= 2
    product = frame["p_psu"] * frame["p_ssu"] * frame["p_household"]
    assert product.to_numpy() == pytest.approx(draw.p_psu * draw.p_ssu * draw.p_household)


def test_truth_by_domain_adds_up_where_it_must(world, config):
    names = {
        group: {
            "per": 100,
            "denominators": dict.fromkeys(
                [("national", "national")]
                + [("island_group", name) for name in ("Luzon", "Visayas")]
                + [("region", name) for name in world.regions],
                1e6,
            ),
        }
        for group in config["hidden_groups"]
    }
    truth = planted_truth(world, names)
    for name, group in truth["groups"].items():
        assert group["factors"]["product"] == pytest.approx(1.0)
        regional = [row for row in group["domains"] if row["domain_type"] == "region"]
        total = config["hidden_groups"][name]["total"]
        assert sum(row["located"] for row in regional) == pytest.approx(total, rel=1e-4)


def test_adults_by_age_by_hand():
    groups = [1.0] * 17
    assert adults_by_age(groups) == pytest.approx([1.4, 2, 2, 2, 2, 4])


def test_denominators_add_up():
    table = {
        "A": {"island_group": "L", "children": 10, "adults": 20},
        "B": {"island_group": "M", "children": 30, "adults": 40},
    }
    rows = denominators(table, {"children": 80, "adults": 120}, 2022)
    cells = {(row["domain_type"], row["domain"]): row for row in rows}
    assert cells["national", "national"]["all_ages"] == 200
    assert cells["island_group", "L"] == cells["region", "A"] | {
        "domain_type": "island_group",
        "domain": "L",
    }


@pytest.mark.parametrize(
    ("changed", "place"), [({"population": 1e8}, "population"), ({"year": 2019}, "year")]
)
def test_a_population_that_would_be_passed_over_is_refused(config, changed, place):
    tables = [list(csv.reader(io.StringIO(text))) for text in (PROJECTED, "")]
    values = {**config, "columns": {}, **changed}
    with pytest.raises(PipelineError) as error:
        country_of(values, {}, *tables)
    assert error.value.place == place


def test_panel_members_give_ordered_ranges():
    config = {"members": 9, "centre": {"g": 0.6}, "spread": 0.5, "half_width": 0.8}
    rows = elicitation(config, ["g"], np.random.default_rng(0))
    assert len(rows) == 9
    assert all(0 < row["low"] <= row["best"] <= row["high"] < 1 for row in rows)


def test_the_shipped_truth_is_within_the_published_words():
    truth = read_json(RAW / "truth.json")
    assert truth["synthetic"] is True
    assert 450_000 <= truth["groups"]["victims"]["total"] <= 500_000
    assert 225_000 <= truth["groups"]["perpetrators"]["total"] <= 250_000
    assert 0.10 <= truth["achieved"]["report_victims"] <= 0.20
    assert 0.05 <= truth["achieved"]["report_perpetrators"] <= 0.12
    for group in truth["groups"].values():
        assert group["factors"]["product"] == pytest.approx(1.0, abs=1e-6)
