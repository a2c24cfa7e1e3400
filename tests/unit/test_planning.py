from dataclasses import replace

import numpy as np
import pytest

from prevalence.planning import (
    RelativeVariance,
    plan_study,
    planning_table,
    relative_variance,
)


def test_components_of_a_made_up_survey():
    generator = np.random.default_rng(8)
    psus, each = 400, 20
    psu = np.repeat(np.arange(psus), each)
    level = np.repeat(np.exp(generator.normal(0, 0.5, psus) - 0.125), each)
    degree = np.full(psus * each, 100.0)
    reports = generator.poisson(2.0 * level).astype(float)
    found = relative_variance(reports, degree, np.ones(len(psu)), np.full(len(psu), "a"), psu)
    assert found.between == pytest.approx(np.exp(0.25) - 1, rel=0.25)
    assert found.within == pytest.approx(1 / 2.0, rel=0.1)  # a Poisson count of mean 2
    mean = reports.reshape(psus, each).mean(axis=1)
    assert found.of(psus, psus * each) == pytest.approx(
        mean.var(ddof=1) / psus / mean.mean() ** 2, rel=0.05
    )


def test_more_of_everything_is_more_precise():
    present = RelativeVariance(between=0.5, within=20.0, psus=150, respondents=3_600)
    designs = [
        {"psus": 150, "respondents": 3_600},
        {"psus": 300, "respondents": 3_600},
        {"psus": 150, "respondents": 7_200},
        {"psus": 150, "respondents": 3_600, "prevalence": 0.5},
    ]
    table = planning_table(present, designs, strata=20, level=0.95, power=0.8)
    cv = table["cv"].to_numpy()
    assert cv[0] == pytest.approx(np.sqrt(0.5 / 150 + 20 / 3_600))
    assert cv[1] < cv[0]
    assert cv[2] < cv[0] < cv[3]
    assert (table["lower_factor"] * table["upper_factor"]).to_numpy() == pytest.approx(1)


def test_the_present_design_has_the_error_that_the_survey_found():
    present = RelativeVariance(between=0.5, within=20.0, psus=150, respondents=3_600)
    anchored = present.anchored(0.1)
    assert anchored.of(150, 3_600) == pytest.approx(0.01)
    assert anchored.between / anchored.within == pytest.approx(0.5 / 20)


def test_the_smallest_detectable_change():
    present = RelativeVariance(0.0, 36.0, 1_000, 3_600)
    table = planning_table(
        present,
        [{"psus": 10_000, "respondents": 3_600}],
        strata=1,
        level=0.95,
        power=0.8,
    )
    reach = (1.96 + 0.8416) * np.sqrt(2 * 0.01)
    assert table["detectable_rise"][0] == pytest.approx(np.exp(reach) - 1, rel=2e-3)
    assert table["detectable_fall"][0] == pytest.approx(np.exp(-reach) - 1, rel=2e-3)


@pytest.mark.parametrize("estimator", ["ratio_of_sums", "mean_of_ratios"])
@pytest.mark.parametrize("variance", ["bootstrap", "linearised"])
def test_a_survey_of_the_present_design_is_expected_to_be_as_precise(
    study_from, estimator, variance
):
    import pandas as pd

    study = study_from()
    inference = replace(study.headline.inference, variance=variance)
    study = replace(
        study, headline=replace(study.headline, estimator=estimator, inference=inference)
    )
    weights = study.respondents[["stratum", "psu"]]
    top, bottom, _ = study.headline_columns(study.hidden_groups()[0])
    counted = int((~np.isnan(top + bottom)).sum())  # a mean of ratios has no one of degree 0
    design = {"psus": len(weights.drop_duplicates()), "respondents": counted}
    table = plan_study(study, weights, {"power": 0.8, "designs": [design]})
    groups = study.hidden_groups()
    found = study.headline_estimates(groups)
    errors = found.std_error if variance == "bootstrap" else found.se_linearised
    assert table["group"].tolist() == [group.name for group in groups]
    assert table["cv"].to_numpy() == pytest.approx(errors / found.ratio)
    assert plan_study(study, weights, None).equals(pd.DataFrame())
