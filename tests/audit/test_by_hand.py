"""What was published is what a page of pandas makes of the raw export, without the pipeline."""

import csv
import json
from pathlib import Path

import by_hand
import pytest

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "data/reference/manifest.ph2022.builtin.json"
BUILT = ROOT / "data/processed/ph2022/restricted/estimate/scale_up.csv"
KEYS = {"estimator": "ratio_of_sums", "group": "victims", "unit": "persons"}


@pytest.fixture(scope="module")
def found():
    return by_hand.main()


@pytest.fixture(scope="module")
def published():
    return json.loads(COMMITTED.read_text(encoding="utf-8"))


def rounded(value):
    """Three significant digits, the third a 0 or a 5: as the standard error asks for."""
    digits = 10 ** (len(str(int(value))) - 3)
    return 5 * digits * round(value / digits / 5)


def test_the_headline(found, published):
    numbers = published["numbers"]
    assert numbers["groups.victims.count"].startswith(f"{rounded(found['victims']['national']):,} ")
    basis = f"{found['n']:,} respondents who answered, of whom {found['reporting']} know"
    assert basis in numbers["groups.victims.basis"]


def test_the_weighting_table(found, published):
    path = "data/processed/ph2022/release/weighting.csv"
    _, total, least, most, *_ = published["contents"][published["outputs"][path]]["columns"]["sum"]
    base, raised, final = (round(found["sums"][k], -5) for k in ("base", "nonresponse", "final"))
    assert (least, most) == (base, raised)
    assert total == base + 2 * raised + 2 * final, "nothing is trimmed, final is calibrated"


def test_the_sample_flow(found, published):
    path = "data/processed/ph2022/release/sample_flow.csv"
    columns = published["contents"][published["outputs"][path]]["columns"]
    lost = sum(found["lost"].values())
    households, interviewed, interviews = 4296, 3852, 3866  # duplicates among the interviews
    assert columns["n"][2:4] == [interviews - lost, households]
    assert columns["excluded"][1] == lost + households - interviewed


def test_the_nation_and_regions_to_the_last_digits(found):
    if not BUILT.exists():
        pytest.skip("needs a built run of ph2022")
    with BUILT.open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if KEYS.items() <= row.items()]
    made = {row["domain"]: float(row["estimate"]) for row in rows}
    for place, value in found["victims"].items():
        assert value == pytest.approx(made[place], rel=1e-12)
