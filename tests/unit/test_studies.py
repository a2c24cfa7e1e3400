"""The page on the committed studies tells what their tables hold."""

import importlib
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence.files import read_yaml
from prevalence.studies import KINDS, STUDIES, studies_page

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
    result = ROOT / "data" / "reference" / f"{name}.csv"
    if name == "intervals" and not result.exists():
        pytest.skip("python benchmarks/intervals.py has not been run")
    assert result.exists()
    assert result.with_suffix(".json").exists()


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


@pytest.fixture(scope="module")
def intervals():
    """The program of the study of kinds of interval."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("intervals")


def test_the_study_of_intervals_shows_on_the_page(intervals, tmp_path):
    """Two small surveys of one world, through the program's own parts, summary and page."""
    config = read_yaml(intervals.WORLDS)
    parameters = config["defaults"] | config["worlds"]["plain"]
    path = intervals.simulate(parameters, "plain", config["seed"], 1, 2, tmp_path / "part.npy")
    values, hidden = np.load(path), list(parameters["hidden_sizes"])
    assert np.isfinite(values).all()
    assert set(values[:, 0]) == {0, 1, 2}
    limits = values[:, 3:].reshape(len(values), -1, 2)
    assert (limits[..., 0] < 1).all()
    assert (limits[..., 1] > 1).all()
    table = intervals.summary("plain", True, hidden, values)
    assert set(table["interval"]) == set(KINDS) == set(intervals.KINDS)
    nation = table[(table["domain_type"] == "national") & (table["interval"] == "log_t")]
    mine = values[(values[:, 0] == 0) & (values[:, 1] == 0)]
    held = (mine[:, 3] <= mine[:, 2]) & (mine[:, 2] <= mine[:, 4])
    assert nation["coverage"].iloc[0] == held.mean()
    page = studies_page({"intervals": table}, {"intervals": SIDECAR})
    assert "## Kinds of interval" in page
    assert "| plain | yes | " in page
    assert f"{100 * held.mean():.1f} (" in page
    assert page.count("| bootstrap-t |") == 2
    assert "nan" not in page


def test_a_bootstrap_t_agrees_with_its_definition(intervals):
    """Each draw as a sample of its own: the ratio, and its linearised error within strata."""
    rng = np.random.default_rng(3)
    stratum = np.repeat([0, 1, 2], [4, 5, 2])
    sampled = np.bincount(stratum)
    scores = rng.gamma(2.0, size=(11, 2))
    drawn = np.zeros((11, 200))
    for number, size in enumerate(sampled):
        rows = np.flatnonzero(stratum == number)
        drawn[rows] = rng.multinomial(size - 1, np.full(size, 1 / size), size=200).T
    found = []
    for counts in drawn.T:
        raised = counts * (sampled / (sampled - 1))[stratum]
        top, bottom = raised @ scores
        z = (scores[:, 0] / top - scores[:, 1] / bottom) * (sampled / (sampled - 1))[stratum]
        variance = 0.0
        for number, size in enumerate(sampled[:2]):
            taken = np.repeat(z[stratum == number], counts[stratum == number].astype(int))
            variance += (size - 1) * taken.var(ddof=1)
        shift = np.log(top / bottom) - np.log(np.divide(*scores.sum(axis=0)))
        found.append(shift / np.sqrt(variance))
    got = intervals.bootstrap_t(scores, scores.sum(axis=0), stratum, drawn)
    assert got == pytest.approx(np.quantile(found, intervals.TAILS), rel=1e-9)
