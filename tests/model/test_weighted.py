"""Weighted models on small surveys: rare groups, few PSUs, checks, other priors, no mode."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.contracts import check_table
from prevalence.contracts.estimate import arranged
from prevalence.contracts.model import DIAGNOSTICS, PRIOR_SENSITIVITY, SCALE_UP_MODELS
from prevalence.domains import Domain, Populations
from prevalence.errors import PipelineError
from prevalence.models import fitting
from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import Thresholds
from prevalence.models.engine import Sampling
from prevalence.models.fitting import HiddenPopulation, ModelInputs, fit_model
from prevalence.models.overdispersed import Overdispersed, OverdispersedPriors
from prevalence.models.predictive import predictive_table
from prevalence.models.prior_sensitivity import prior_sensitivity_rows
from prevalence.models.tables import diagnosed, known_group_rows, scale_up_rows, scaling_rows

POPULATION = 1e7
KNOWN = np.array([0.002, 0.005, 0.01, 0.02, 0.03])
SHORT = Sampling(2, 120, 200, 1)


def survey(generator, psus, size, hidden, weights, between=0.0):
    """Two strata of PSUs of one size; `hidden` is the prevalence in each, `weights` of each PSU."""
    psu = np.repeat(np.arange(2 * psus), size)
    stratum = psu // psus
    effect = np.exp(generator.normal(-(between**2) / 2, between, 2 * psus))
    degree = np.exp(generator.normal(4.6, 0.5, len(psu)))
    rare = np.array(hidden)[stratum] * effect[psu]
    mean = degree[:, None] * np.column_stack([np.tile(KNOWN, (len(psu), 1)), rare])
    counts = generator.negative_binomial(mean, 0.5).astype(float)
    nation = Domain("national", "national", "geographic", np.ones(len(psu), bool))
    return ModelInputs(
        CountTable((*"abcde", "hidden"), counts),
        np.append(POPULATION * KNOWN, np.nan),
        (HiddenPopulation("hidden", "all_ages", "per_1000"),),
        POPULATION,
        np.asarray(weights, float)[psu],
        stratum,
        psu,
        psu,
        (nation,),
        Populations({("national", "national", "all_ages"): POPULATION}),
        {},
    )


def rare_survey(seed, expected):
    """Weights tell nothing; so many reports are expected of 600 respondents."""
    generator = np.random.default_rng([9, seed])
    share = expected / (600 * np.exp(4.6 + 0.125))
    weights = np.exp(generator.normal(0, 0.5, 40))
    return survey(generator, 20, 15, [share, share], weights), POPULATION * share


def informative_survey(seed, psus=20, size=15):
    """A fifth of the people, with a fourth of the prevalence, are half of the sample."""
    generator = np.random.default_rng([10, seed])
    weights = np.repeat([1.6, 0.4], psus)
    return survey(generator, psus, size, [0.004, 0.001], weights, between=0.3)


def hidden_draws(posterior):
    at = [quantity.group for quantity in posterior.quantities].index("hidden")
    return posterior.draws[:, :, at].ravel()


def silenced(inputs):
    table = inputs.counts.table.copy()
    table[:, -1] = 0
    return replace(inputs, counts=CountTable(inputs.counts.groups, table))


def test_a_group_that_nobody_reports_is_as_uncertain_as_without_weights():
    inputs, truth = rare_survey(1, 3)
    posterior = fit_model("overdispersed_weighted", silenced(inputs), [1], sampling=SHORT)
    lower, upper = np.quantile(hidden_draws(posterior), [0.025, 0.975])
    own = np.quantile(posterior.uncorrected[:, :, -1], [0.025, 0.975])
    assert lower < truth < upper
    assert np.log(upper / lower) > 0.9 * np.log(own[1] / own[0])


@pytest.mark.slow
def test_intervals_of_a_rare_group_hold_the_truth():
    """Three reports are expected: by the scores' covariance alone the truth was in 75 of 100."""
    inside = []
    for seed in range(40):
        inputs, truth = rare_survey(seed, 3)
        posterior = fit_model("overdispersed_weighted", inputs, [seed], sampling=SHORT)
        lower, upper = np.quantile(hidden_draws(posterior), [0.025, 0.975])
        inside.append(lower < truth < upper)
    assert np.mean(inside) >= 0.9


def test_few_psus_give_a_standard_error_that_does_not_hang_on_the_seed():
    inputs = informative_survey(2, psus=2, size=60)
    errors = []
    for seed in range(3):
        posterior = fit_model("overdispersed_weighted", inputs, [seed], sampling=SHORT)
        diagnostics = diagnosed(posterior, Thresholds()).set_index("quantity")
        rows = scale_up_rows(posterior, inputs, diagnostics.reset_index(), 0.95)
        size = rows[rows["unit"] == "persons"].iloc[0]
        errors.append(size["std_error"] / size["estimate"])
        label = "hidden:hidden:national:national"
        assert diagnostics.loc[label, "mean"] == size["estimate"]
        assert diagnostics.loc[label, "sd"] == pytest.approx(size["std_error"])
        assert diagnostics.loc[label, "mcse"] < size["std_error"] / 3
        known = known_group_rows(posterior, inputs, diagnostics.reset_index(), 0.95)
        assert (known["std_error"] < 2 * known["estimate"]).all()
        assert (scaling_rows(posterior, inputs, 0.95)["std_error"] < 2 * size["estimate"]).all()
    assert max(errors) < 1.3 * min(errors)


def test_a_check_of_a_weighted_fit_is_of_the_population():
    inputs = informative_survey(3, size=30)
    tails = {}
    for model in ("overdispersed", "overdispersed_weighted"):
        posterior = fit_model(model, inputs, [1], sampling=SHORT)
        some = posterior.parameters.reshape(400, -1)[::4]
        for name, weights in (("plain", None), ("weighted", inputs.weights)):
            table = predictive_table(
                posterior.density,
                inputs.counts,
                some,
                np.random.default_rng(1),
                weights=weights,
            )
            hidden = table[table["group"] == "hidden"].set_index("statistic")["tail"]
            tails[model, name] = hidden[["zero_share", "mean"]]
    assert tails["overdispersed_weighted", "weighted"].between(0.05, 0.95).all()
    # Without weights on the answers the table would commend the model that is wrong.
    assert tails["overdispersed_weighted", "plain"]["zero_share"] < 0.03
    assert tails["overdispersed", "plain"].between(0.05, 0.95).all()


@pytest.mark.parametrize("model", ["overdispersed", "overdispersed_weighted"])
def test_reweighting_moves_a_size_as_a_refit_does(monkeypatch, model):
    """Nobody reports the group, so that the priors' scales say how large it may be."""
    inputs = silenced(informative_survey(4, psus=8, size=8))
    long = Sampling(2, 150, 1_500, 1)
    posterior = fit_model(model, inputs, [1], sampling=long)
    table = prior_sensitivity_rows(posterior, inputs, 0.95)
    rows = table.set_index("prior_scale")
    assert rows.loc[1.0, "estimate"] == pytest.approx(np.median(hidden_draws(posterior)), rel=0.01)
    half = OverdispersedPriors(1.0, 0.0, 5.0, 2.5)
    monkeypatch.setattr(
        fitting, "Overdispersed", lambda counts, weights: Overdispersed(counts, half, weights)
    )
    refit = fit_model(model, inputs, [2], sampling=long)
    moved = np.log(np.median(hidden_draws(refit)) / rows.loc[1.0, "estimate"])
    assert moved > 0.2
    assert rows.loc[0.5, "pareto_k"] < 0.7
    assert np.log(rows.loc[0.5, "estimate"] / rows.loc[1.0, "estimate"]) == pytest.approx(
        moved, abs=0.2
    )
    table = arranged(table.assign(converged=True), PRIOR_SENSITIVITY, "made_up")
    check_table(table, PRIOR_SENSITIVITY, "here")


def test_a_weighted_fit_without_a_mode_is_marked_and_ends_no_run(monkeypatch):
    inputs = informative_survey(5, psus=3, size=20)
    whole = fitting.fit
    monkeypatch.setattr(
        fitting, "fit", lambda *some, **more: replace(whole(*some, **more), whitened=False)
    )
    posterior = fit_model("overdispersed_weighted", inputs, [1], sampling=SHORT)
    assert posterior.uncorrected is None
    lenient = Thresholds(rhat=9, ess=1, divergent_share=1, ebfmi=0)
    diagnostics = diagnosed(posterior, lenient)
    assert not diagnostics["passed"].any()
    checked = arranged(diagnostics, DIAGNOSTICS, "made_up")
    check_table(checked, DIAGNOSTICS, "here")
    rows = scale_up_rows(posterior, inputs, diagnostics, 0.95)
    rows = check_table(arranged(rows, SCALE_UP_MODELS, "made_up"), SCALE_UP_MODELS, "here")
    assert set(rows["interval"]) == {"credible_unconverged"}
    assert len(prior_sensitivity_rows(posterior, inputs, 0.95)) == 3
    plain = fit_model("overdispersed", inputs, [1], sampling=SHORT)
    assert diagnosed(plain, lenient)["passed"].all()


def test_weights_without_a_design_are_told_before_a_fit(monkeypatch):
    monkeypatch.setattr(fitting, "fit", None)
    inputs = informative_survey(6, psus=1, size=20)
    with pytest.raises(PipelineError, match="no design"):
        fit_model("overdispersed_weighted", inputs, [1])
