"""What a staged trend is checked for."""

from pathlib import Path

import pandas as pd
import pytest

from prevalence.files import read_yaml
from prevalence.terminology import Terminology
from prevalence.waves.publishing import findings

ROOT = Path(__file__).parents[2]
CONFIG = read_yaml(ROOT / "config/surveys/ph2024.yaml")
REAL = {**CONFIG, "survey": {**CONFIG["survey"], "synthetic": False}}
KEYS = ["group", "domain_type", "domain", "suppressed"]
TABLES = {name: pd.DataFrame(columns=KEYS) for name in ("levels", "changes", "comparability")}


def missing(text, synthetic):
    """Required texts that a page lacks, for a later wave of real data."""
    found = findings(
        {"trend.html": f"<html><body><p>{text}</p></body></html>".encode()},
        TABLES,
        declared=["trend.html"],
        config=REAL,
        identity="abc",
        renderer="builtin",
        reviewed=[text],
        words=Terminology.from_config(read_yaml(ROOT / "config/terminology.yaml")),
        synthetic=synthetic,
    )
    return [one for one in found if "synthetic" in str(one)]


@pytest.mark.parametrize(
    ("text", "synthetic", "told"),
    [("A page.", True, 1), ("SYNTHETIC DATA. A page.", True, 0), ("A page.", False, 0)],
)
def test_a_real_wave_beside_a_synthetic_one_is_marked(text, synthetic, told):
    assert len(missing(text, synthetic)) == told
