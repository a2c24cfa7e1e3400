"""The page on the committed studies tells what their tables hold."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from prevalence.studies import STUDIES, studies_page

ROOT = Path(__file__).parents[2]
SIDECAR = {
    "command": "python benchmarks/x.py",
    "date": "2026-01-02",
    "seed": 7,
    "code_sha256": "0123456789abcdef",
}


def test_the_page_is_that_of_the_results(monkeypatch):
    monkeypatch.chdir(ROOT)
    fresh = runpy.run_path("scripts/audit/write_studies_page.py")["page"]()
    assert (ROOT / "docs" / "validation.md").read_text(encoding="utf-8") == fresh, "make docs"


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_is_there_with_its_sidecar(name):
    assert (ROOT / "data" / "reference" / f"{name}.csv").exists()
    assert (ROOT / "data" / "reference" / f"{name}.json").exists()


def seeds(covered):
    rows = [
        {"seed": 1 + number, "group": group, "covered": held, "published": number != 1}
        for group in ("victims", "perpetrators")
        for number, held in enumerate(covered)
    ]
    return pd.DataFrame(rows)


def test_misses_are_named():
    page = studies_page({"further_seeds": seeds([True, False, True])}, {"further_seeds": SIDECAR})
    assert "| children | 2 of 3 | 2 |" in page
    assert "let 2 of 3 reports pass" in page
    assert "2026-01-02, seed 7, code `0123456789ab`" in page
    assert "planning" not in page


def test_without_a_miss_there_is_a_dash():
    page = studies_page({"further_seeds": seeds([True])}, {"further_seeds": SIDECAR})
    assert "| adults | 1 of 1 | – |" in page


def world(interval, group, coverage, holds=True):
    return {
        "world": "dense",
        "holds": holds,
        "estimator": "ratio_of_sums",
        "domain": "national",
        "group": group,
        "interval": interval,
        "variance": "bootstrap",
        "relative_bias": 0.0,
        "se_over_sd": 0.7,
        "rms_se_over_sd": 1.0,
        "coverage": coverage,
        "coverage_lower": coverage - 0.02,
        "coverage_upper": coverage + 0.02,
        "width_over_oracle": 1.0,
    }


def test_worlds_that_miss_the_aim_are_named_with_their_reason():
    rows = [world("log_t", "victims", 0.88), world("gamma_mid_p", "victims", 0.94)]
    page = studies_page({"coverage": pd.DataFrame(rows)}, {"coverage": SIDECAR})
    assert "clearly missed in: dense." in page
    assert "only 0.70 of the standard deviation" in page
    assert "| 88.0 (86.0 to 90.0) | 94.0 (92.0 to 96.0) | 1.00 |" in page
    met = pd.DataFrame([world("log_t", "victims", 0.95)])
    page = studies_page({"coverage": met}, {"coverage": SIDECAR})
    assert "missed" not in page
    assert "gamma" not in page
