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
