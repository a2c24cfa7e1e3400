"""`snakemake simulate`: parts as jobs of their own, kept, and the same table whatever the parts."""

from pathlib import Path

import pytest
import yaml

from prevalence.files import read_csv, read_yaml
from prevalence.simulation import simulate_coverage, world_table

ROOT = Path(__file__).parents[2]
TABLES = ["coverage", "planning"]


def written(project, **changes):
    """Write small worlds and what to simulate of them."""
    study = read_yaml(ROOT / "benchmarks" / "worlds.yaml")
    study["surveys"] = 5
    study["defaults"] |= {"areas": 200, "regions": 4, "island_breaks": [1, 2]}
    study["defaults"] |= {"psus": 40, "replicates": 10}
    study["worlds"] = {name: study["worlds"][name] for name in ("plain", "heaping")}
    (project / "worlds.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    planning = {"world": "plain", "surveys": 4, "replicates": 10}
    planning["designs"] = [{"psus": 40}]
    settings = {"parameters": "worlds.yaml", "part": 3, "worlds": "all", "planning": planning}
    (project / "config" / "simulations.yaml").write_text(yaml.safe_dump(settings | changes))
    return study


def tables(project):
    return [(project / f"data/processed/simulate/{name}.csv").read_bytes() for name in TABLES]


def test_parts_are_kept_and_their_size_changes_nothing(fresh):
    study = written(fresh)
    fresh.run("simulate")
    first = tables(fresh)
    parts = sorted((fresh / "data/processed/simulate").rglob("*.npz"))
    assert len(parts) == 6

    assert fresh.planned("simulate") == set()
    (fresh / "data/processed/simulate/coverage.csv").unlink()
    assert fresh.planned("simulate") == {"gather_coverage", "simulate"}
    parts[0].unlink()
    assert fresh.planned("simulate") == {"simulate_coverage", "gather_coverage", "simulate"}

    written(fresh, part=5)
    fresh.run("simulate")
    assert tables(fresh) == first

    name, seed = "heaping", study["seed"]
    parameters = study["defaults"] | study["worlds"][name]
    keys, values = simulate_coverage(name, parameters, seed, 0, 5)
    table = read_csv(fresh / "data/processed/simulate/coverage.csv")
    mine = table[table["world"] == name]["mean_estimate"]
    assert mine.tolist() == world_table(name, parameters, keys, values)["mean_estimate"].tolist()


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"worlds": ["plane"]}, "plain"), ({"part": 0}, "part"), ({"size": 3}, "size")],
)
def test_a_wrong_setting_is_explained(fresh, changes, said):
    written(fresh, **changes)
    done = fresh.snakemake("simulate", "--dry-run")
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "config/simulations.yaml" in text
    assert said in text
    assert "Traceback" not in text
