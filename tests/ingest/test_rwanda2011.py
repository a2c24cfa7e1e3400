"""The Rwandan survey flows through ingest and clean by its config and codebook alone."""

import os
from pathlib import Path

import pytest

from prevalence.files import read_csv, read_parquet, read_yaml

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("RWANDA2011_DIR", ROOT / ".." / "shared" / "data" / "rwanda2011"))
CODEBOOK = ROOT / "config" / "codebooks" / "rwanda2011.csv"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "rwanda2011_survey.csv").exists(),
    reason="the Rwandan microdata are not here: see data/raw/rwanda2011/README.md",
)


@pytest.fixture
def config():
    return read_yaml(ROOT / "config" / "surveys" / "rwanda2011.yaml")


@pytest.fixture
def cleaned(run_script, params_of, tmp_path, config):
    """Folder with the outputs of both stages."""
    names = {
        "responses": "responses.parquet",
        "variables": "variables.csv",
        "dropped": "dropped.csv",
    }
    run_script(
        "ingest/read_responses.py",
        inputs={"raw": str(FOLDER / config["ingest"]["responses"]), "codebook": str(CODEBOOK)},
        outputs={key: tmp_path / name for key, name in names.items()},
        params=params_of(config["ingest"], False),
    )
    names = {
        "respondents": "respondents.parquet",
        "ard": "ard.parquet",
        "intervals": "intervals.parquet",
        "situations": "situations.parquet",
        "edits": "edits.parquet",
        "sample_flow": "sample_flow.csv",
        "data_quality": "data_quality.csv",
    }
    run_script(
        "clean/clean_responses.py",
        inputs={
            "responses": str(tmp_path / "responses.parquet"),
            "codebook": str(CODEBOOK),
            "frame": [],
        },
        outputs={key: tmp_path / name for key, name in names.items()},
        params={"clean": config["clean"]},
    )
    return tmp_path


def test_counts_of_30_groups_of_every_respondent(cleaned):
    ard = read_parquet(cleaned / "ard.parquet")
    assert ard["respondent"].nunique() == 2406
    assert ard.groupby("role")["group"].nunique().to_dict() == {"hidden": 4, "known": 26}
    assert len(ard) == 2406 * 30
    missing = ard[ard["missing"] != ""]
    assert sorted(missing["group"]) == ["muslim", "treatedfortb"]
    assert set(missing["missing"]) == {"system"}


def test_counts_are_those_of_the_file(cleaned):
    raw = read_csv(FOLDER / "rwanda2011_survey.csv", na_values=["NA", ""])
    ard = read_parquet(cleaned / "ard.parquet")
    sums = ard.groupby("group")["count"].sum()
    assert sums["sex_workers"] == raw["sex.workers"].sum()
    assert sums["muslim"] == raw["muslim"].sum()
    assert sums["nyirahabimana"] == raw["nyirahabimana"].sum()


def test_the_design_is_kept(cleaned):
    raw = read_csv(FOLDER / "rwanda2011_survey.csv", na_values=["NA", ""])
    respondents = read_parquet(cleaned / "respondents.parquet")
    assert respondents["psu"].nunique() == 130
    assert respondents["stratum"].nunique() == 5
    assert respondents.groupby("psu")["stratum"].nunique().max() == 1
    assert sorted(respondents["base_weight_supplied"]) == sorted(raw["indweight"])
    assert respondents["respondent"].is_monotonic_increasing


def test_the_sizes_are_those_of_the_file(run_script, params_of, tmp_path, config):
    file = config["ingest"]["tables"]["known_groups"]
    run_script(
        "ingest/read_table.py",
        inputs={"raw": str(FOLDER / file), "codebook": str(CODEBOOK)},
        outputs={"table": tmp_path / "known_groups.csv"},
        params=params_of(config["ingest"], False, "known_groups"),
        wildcards={"table": "known_groups"},
    )
    table = read_csv(tmp_path / "known_groups.csv")
    assert table["size"].sum() == 1_186_543
    unsized = table[table["size"].isna()]["group"]
    assert set(unsized) == {"civil_servant", "judge", "treatedfortb", "died"}
    assert set(config["headline"]["known_groups"]) == set(table.dropna(subset="size")["group"])
