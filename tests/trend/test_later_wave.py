"""The second wave of the made-up world: kept PSUs, exact chances, the change that is planted."""

from pathlib import Path

import numpy as np
import pytest

from prevalence.errors import PipelineError
from prevalence.files import read_csv, read_json, read_yaml
from prevalence.synthetic.checks import check_later
from prevalence.synthetic.later_wave import later_config, planted_changes
from prevalence.synthetic.selection import inclusion_probabilities, select, select_again

ROOT = Path(__file__).parents[2]


def first(seed, units=40, wanted=9):
    generator = np.random.default_rng(seed)
    size = np.random.default_rng(0).lognormal(0, 1.2, units)
    size[3] *= 50  # one too large for chance; another is nearly so
    size[39] *= 1.1
    order = generator.permutation(units)
    chance = inclusion_probabilities(size, wanted)
    return select(order, chance[order], generator), chance, generator


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_second_sample_has_the_same_inclusion_probabilities(share):
    times, found, kept = 1500, np.zeros(40), []
    for seed in range(times):
        earlier, chance, generator = first(seed)
        later = select_again(earlier, share, generator)
        found[later.units] += 1
        assert len(set(later.units)) == len(later.units) == 9
        kept.append(len({*later.units} & {*earlier.units}))
    noise = np.sqrt(chance * (1 - chance) / times)
    assert (np.abs(found / times - chance) <= 4.5 * noise + 1e-12).all()
    sure = int((chance >= 1).sum())
    assert sure > 0
    assert chance[chance < 1].max() > 0.9
    mean = np.mean(kept)
    assert mean >= sure + (share - 0.1) * (9 - sure)
    if share == 1:
        assert set(kept) == {9}


def test_a_third_sample_has_the_same_inclusion_probabilities():
    times, found = 1500, np.zeros(40)
    for seed in range(times):
        earlier, chance, generator = first(seed)
        later = select_again(select_again(earlier, 0.5, generator), 0.5, generator)
        found[later.units] += 1
        assert len(set(later.units)) == 9
    noise = np.sqrt(chance * (1 - chance) / times)
    assert (np.abs(found / times - chance) <= 4.5 * noise + 1e-12).all()


def test_units_taken_with_certainty_are_in_both():
    earlier, chance, generator = first(1)
    later = select_again(earlier, 0.0, generator)
    assert {*np.flatnonzero(chance >= 1)} <= {*later.units}


def test_another_number_of_psus_cannot_be_kept():
    from prevalence.synthetic.selection import draw_sample
    from prevalence.synthetic.world import build_world

    config = read_yaml(ROOT / "config/synthetic/ph2022.yaml")
    shares = dict.fromkeys(("children_0_2", "children_3_5", "children_6_12"), 0.05)
    config = {**config, "children": shares, "design": {**config["design"], "psus": 30}}
    regions = [
        {"region": name, "island_group": "Luzon", "areas": 20, "urban": 0.5}
        | {"population": 1e6, "adults": 6e5}
        for name in ("A", "B")
    ]
    world = build_world(config, regions, [1])
    sample = draw_sample(world, np.random.default_rng(1))
    other = build_world({**config, "design": {**config["design"], "psus": 24}}, regions, [1])
    with pytest.raises(PipelineError, match="another number of them"):
        draw_sample(other, np.random.default_rng(2), sample, {"psus": 0.5, "barangays": 0})


def test_a_later_config_takes_over_what_it_does_not_name():
    earlier = {
        "design": {"psus": 9, "households": 8},
        "occupations": {"nurses": 100, "doctors": 50},
        "known_groups": [{"group": "nurses", "size": 90, "source": "a"}, {"group": "doctors"}],
        "seed": 1,
    }
    later = {
        "seed": 2,
        "design": {"households": 4},
        "change": {"occupations": {"nurses": 1.1}},
        "known_groups": [{"group": "nurses", "size": 99}],
    }
    found = later_config(later, earlier)
    assert found["seed"] == 2
    assert found["design"] == {"psus": 9, "households": 4}
    assert found["occupations"] == pytest.approx({"nurses": 110, "doctors": 50})
    assert found["known_groups"][0] == {"group": "nurses", "size": 99, "source": "a"}


FIRST, SECOND = (read_yaml(ROOT / f"config/synthetic/{wave}.yaml") for wave in ("ph2022", "ph2024"))
RATES = SECOND["change"]["rates"]


@pytest.mark.parametrize(
    ("section", "values", "place"),
    [
        ("occupations", {"nurses": 1}, "occupations"),
        ("hidden_groups", {"victims": {"total": 1}}, "hidden_groups"),
        ("degree", {"mean": 50}, "degree.mean"),
        ("regions", {"NCR": {"areas": 3}}, "regions"),
        ("change", {"rates": RATES, "occupations": {"nurse": 1.1}}, "change.occupations"),
        ("change", {"rates": RATES | {"victim": RATES["victims"]}}, "change.rates"),
        ("change", {"rates": {"victims": RATES["victims"]}}, "change.rates"),
        ("change", {"occupations": {"nurses": 1.1}}, "change.rates"),
        ("overlap", {"psus": 0.5}, "overlap.barangays"),
        ("overlap", {"psus": 1.5, "barangays": 0.5}, "overlap.psus"),
        ("overlap", {"psus": 0, "barangays": 0.5}, "overlap.barangays"),
        ("design", {"barangays": 4}, "design.barangays"),
        ("design", {"fewest_psus": 5}, "design.fewest_psus"),
        ("known_groups", [{"group": "nurse", "size": 9}], "known_groups"),
    ],
)
def test_a_later_config_of_which_something_would_be_passed_over_is_refused(section, values, place):
    check_later(SECOND, FIRST, "file")
    with pytest.raises(PipelineError) as error:
        check_later({**SECOND, section: values}, FIRST, "file")
    assert error.value.place == place


def test_a_later_wave_may_draw_answers_otherwise():
    design = {"households": 2, "psus": FIRST["design"]["psus"]}
    check_later({**SECOND, "degree": {"sd": 0.5}, "design": design}, FIRST, "file")
    none = {"psus": 0, "barangays": 0}
    check_later({**SECOND, "design": {"psus": 30}, "overlap": none}, FIRST, "file")


def test_a_later_wave_of_a_later_wave_is_told_which_world_to_name():
    third = {**SECOND, "survey": "ph2026", "earlier": "ph2024"}
    with pytest.raises(PipelineError, match="takes over another") as error:
        check_later(third, SECOND, "file")
    assert error.value.remedy.startswith("Name ph2022")


def test_every_island_group_has_its_change():
    from prevalence.synthetic.assembly import Country
    from prevalence.synthetic.later_wave import later_world
    from prevalence.synthetic.world import build_world

    shares = dict.fromkeys(("children_0_2", "children_3_5", "children_6_12"), 0.05)
    regions = [
        {"region": "A", "island_group": "Luzon", "areas": 9, "urban": 0.5}
        | {"population": 1e6, "adults": 6e5}
    ]
    people = [{"domain_type": "region", "domain": "A", "all_ages": 1e6, "children": 4e5}]
    people[0]["adults"] = 6e5
    config = {**FIRST, "children": shares, **{"change": {"rates": RATES}}}
    country = Country(config, {}, regions, np.zeros(0), people)
    with pytest.raises(PipelineError, match="island groups") as error:
        later_world(build_world(config, regions, [1]), country, country)
    assert error.value.allowed == "Luzon"


def test_planted_changes_are_ratio_and_difference():
    cell = {"group": "victims", "domain_type": "national", "domain": "national", "unit": "per_100"}
    rows = planted_changes([{**cell, "truth": 1.2}], [{**cell, "truth": 0.9}])
    assert {row["measure"]: row["truth"] for row in rows} == {"ratio": 0.75, "difference": -0.3}


def test_the_shipped_second_wave_is_the_same_places_with_the_configured_change():
    """Rates of those who live in an island group changed by the configured factor."""
    truth = {wave: read_json(ROOT / f"data/raw/{wave}/truth.json") for wave in ("ph2022", "ph2024")}
    people = {
        wave: read_csv(ROOT / f"data/raw/{wave}/populations.csv").set_index("domain")
        for wave in truth
    }
    config = read_yaml(ROOT / "config/synthetic/ph2024.yaml")
    denominator = {"victims": "children", "perpetrators": "adults"}
    for group, factors in config["change"]["rates"].items():
        located = {
            wave: {row["domain"]: row["located"] for row in each["groups"][group]["domains"]}
            for wave, each in truth.items()
        }
        for island, factor in factors.items():
            rates = [
                located[wave][island] / people[wave].loc[island, denominator[group]]
                for wave in truth
            ]
            assert rates[1] / rates[0] == pytest.approx(factor, rel=1e-3)


def test_the_shipped_waves_share_the_configured_psus():
    frames = [read_csv(ROOT / f"data/raw/{w}/sample_frame.csv") for w in ("ph2022", "ph2024")]
    psus = [{*zip(f["stratum"], f["psu"], strict=True)} for f in frames]
    share = len(psus[0] & psus[1]) / len(psus[0])
    assert 0.5 <= share < 0.65  # half by design, some more by chance
    assert len(psus[0]) == len(psus[1])


def test_the_second_wave_is_small():
    folder = ROOT / "data/raw/ph2024"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000
