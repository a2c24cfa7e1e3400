"""Agreement with Stan on the Rwandan survey of 2011, where its microdata are at hand."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from scipy.special import ndtr

from prevalence.models.correlated import PUBLISHED as FLAT_CORRELATED
from prevalence.models.correlated import Correlated
from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import ess_bulk, ess_mean, rhat
from prevalence.models.engine import Sampling, fit
from prevalence.models.overdispersed import PUBLISHED, Overdispersed
from prevalence.models.scaling import Scaling, scaled, scaling_weights

ROOT = Path(__file__).parents[2]
STAN = ROOT / "tests" / "reference" / "stan"
HIDDEN = ["sex.workers", "msm", "idu", "clients"]


@pytest.fixture(scope="module")
def rwanda():
    folder = Path(os.environ.get("RWANDA2011_DIR", ROOT.parent / "shared/data/rwanda2011"))
    if not (folder / "rwanda2011_survey.csv").exists():
        pytest.skip("Rwanda 2011 microdata absent: see data/raw/rwanda2011/README.md")
    survey = pd.read_csv(folder / "rwanda2011_survey.csv").set_index("id")
    sizes = pd.read_csv(folder / "rwanda2011_known_populations.csv").set_index("known.popn")["size"]
    return survey, sizes


def clipped(survey, sizes, reference):
    ids = pd.read_csv(STAN / f"{reference}_ids.csv")["id"]
    groups = [*sizes.index, *HIDDEN]
    return CountTable(tuple(groups), np.minimum(survey.loc[ids, groups].to_numpy(float), 30))


def agree(draws, stan, stan_ess):
    """|z| ≤ 4, root mean square z and standard deviations as two finite samples would have them."""
    mean, spread = (np.array([row[key] for row in stan]) for key in ("mean", "sd"))
    mine, mine_spread = draws.mean((0, 1)), draws.std((0, 1))
    error = np.sqrt(mine_spread**2 / ess_mean(draws) + spread**2 / stan_ess)
    z = (mine - mean) / error
    ratio = mine_spread / spread
    assert np.abs(z).max() <= 4
    assert 0.7 <= np.sqrt((z**2).mean()) <= 1.3
    assert (ratio > 0.75).all()
    assert (ratio < 1.33).all()
    assert 0.95 <= np.exp(np.log(ratio).mean()) <= 1.05


def test_overdispersed_model_agrees_with_stan(rwanda):
    survey, sizes = rwanda
    reference = json.loads((STAN / "stan_overdispersed_n600.json").read_text())
    density = Overdispersed(clipped(survey, sizes, "stan_overdispersed_n600"), PUBLISHED)
    k = len(density.counts.groups)
    g = density.layout.globals
    result = fit(
        density,
        [2011, 1],
        record=lambda x: np.concatenate([density.prevalences(x[:g]), x[k : 2 * k]]),
        sampling=Sampling(4, 200, 1000, 2),
    )
    assert result.whitened
    assert result.divergent.mean() < 0.002
    prevalence = np.exp(result.draws[:, :, :k])
    known = prevalence[:, :, : len(sizes)].sum(axis=2, keepdims=True)
    scaled = prevalence / known * sizes.sum()
    assert rhat(scaled).max() < 1.01
    # Its lowest effective size is 167 of 600 draws; sizes mix better than hyperparameters.
    agree(scaled, reference["scaled_all_known"]["sizes"], stan_ess=400)
    omega = 1 / ndtr(result.draws[:, :, k:]).mean((0, 1))
    common = np.array([reference["omega"][group] < 20 for group in density.counts.groups])
    expected = np.array(list(reference["omega"].values()))
    assert omega[common] == pytest.approx(expected[common], rel=0.05)


@pytest.mark.slow
def test_correlated_model_agrees_with_stan(rwanda):
    survey, sizes = rwanda
    reference = json.loads((STAN / "stan_correlated_n600.json").read_text())
    density = Correlated(clipped(survey, sizes, "stan_correlated_n600"), FLAT_CORRELATED)
    k, g = len(density.counts.groups), density.layout.globals
    result = fit(density, [2011, 2], record=lambda x: x[:g].copy(), sampling=Sampling(cores=2))
    known = np.append(sizes.to_numpy(float), [np.nan] * 4)
    weights = scaling_weights(Scaling("all"), density.counts.groups, known)
    prevalences = density.prevalences(result.draws)
    persons = reference["N"] * np.exp(
        scaled(prevalences, known, reference["N"], weights, "mean_of_ratios")
    )
    assert rhat(persons).max() < 1.01
    assert ess_bulk(persons).min() > 400
    # Its lowest effective size is 134 of 800 draws; sizes mix better than hyperparameters.
    agree(persons, reference["scaled_all"]["sizes"], stan_ess=300)
    draws = result.draws.reshape(-1, g)
    correlation = np.mean([density.correlation(x) for x in draws[::10]], axis=0)
    choice = Scaling("correlation_weighted", "mean_of_ratios")
    weights = scaling_weights(choice, density.counts.groups, known, correlation)
    hidden = reference["N"] * np.exp(
        scaled(prevalences, known, reference["N"], weights, "mean_of_ratios")[:, :, -4:]
    )
    expected = np.array([row["mean"] for row in reference["scaled_weighted"]["sizes"][-4:]])
    spread = np.array([row["sd"] for row in reference["scaled_weighted"]["sizes"][-4:]])
    # The weights are means of correlations, so that both chains' errors are in them: half an sd.
    assert (np.abs(hidden.mean((0, 1)) - expected) < 0.5 * spread).all()
    sigma = np.exp(result.draws[:, :, g - 3]).mean()
    assert sigma == pytest.approx(reference["sigma_delta"], rel=0.03)
    tau = density.tau_of(result.draws[:, :, k : 2 * k])[0]
    tau_n = (np.expm1(tau**2) ** -0.5).mean((0, 1))
    common = np.array([reference["tau_N"][group] < 1 for group in density.counts.groups])
    theirs = np.array(list(reference["tau_N"].values()))
    assert tau_n[common] == pytest.approx(theirs[common], rel=0.15, abs=0.02)
