import numpy as np
import pytest

from prevalence.planning import RelativeVariance, planning_table, relative_variance


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
