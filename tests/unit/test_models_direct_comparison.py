"""Fay–Herriot and the models beside direct estimates of places."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from prevalence.models.direct_comparison import small_area_rows

PLACES = [f"place {number:03d}" for number in range(200)]


def direct(rates, error, n=50):
    """A table like `scale_up`, with one group's rates of places."""
    rows = {
        "estimator": "ratio_of_sums",
        "group": "victims",
        "domain_type": "region",
        "domain": PLACES[: len(rates)],
        "estimate": rates,
        "std_error": np.asarray(rates) * error,
        "lower": np.nan,
        "upper": np.nan,
        "level": 0.95,
        "unit": "per_100",
        "interval": "log_t",
        "n": n,
        "n_reporting": np.where(np.asarray(rates) > 0, 20, 0),
    }
    return pd.DataFrame(rows)


def drawn(between, error, seed=1, places=40):
    generator = np.random.default_rng(seed)
    truth = np.exp(generator.normal(0, between, places))
    return truth, truth * np.exp(generator.normal(0, error, places))


def rows(table, models=None, types=("region",)):
    if models is None:
        models = table[:0]
    return small_area_rows(table, models, "ratio_of_sums", types)


def test_fay_herriot_is_nearer_to_the_truth_and_says_how_much_it_shrinks():
    truth, rates = drawn(0.3, 0.4, places=200)
    found = rows(direct(rates, 0.4))
    error = np.log(found["estimate"] / truth)
    assert (error**2).mean() < 0.7 * (np.log(rates / truth) ** 2).mean()
    assert found["shrinkage"].mean() == pytest.approx(0.3**2 / (0.3**2 + 0.4**2), abs=0.15)
    inside = (found["lower"] < truth) & (truth < found["upper"])
    assert inside.mean() > 0.85


def test_a_place_without_reports_is_predicted_from_the_others():
    _, rates = drawn(0.3, 0.2)
    table = direct(rates, 0.2)
    table.loc[3, ["estimate", "std_error"]] = 0.0
    found = rows(table).set_index("domain").loc[PLACES[3]]
    assert found["shrinkage"] == 0
    assert 0.5 < found["estimate"] < 2
    assert np.isnan(found["discrepancy"])


def test_places_that_differ_are_told_from_places_that_do_not():
    """By Cochran's Q: distances that the variance between places is fitted to would not tell."""
    p = {}
    for between in (0.0, 0.5):
        rates = drawn(between, 0.2)[1]
        p[between] = rows(direct(rates, 0.2))["disagreement_p"].iloc[0]
        apart = (np.log(rates) - np.log(rates).mean()) / 0.2
        assert p[between] == pytest.approx(chi2.sf(apart @ apart, len(rates) - 1), rel=1e-6)
    assert p[0.0] > 0.05
    assert p[0.5] < 1e-9


def test_a_model_that_is_off_is_told_from_one_that_agrees():
    truth, rates = drawn(0.3, 0.2)
    table = direct(rates, 0.2)
    right = table.assign(estimator="right", estimate=truth, std_error=0.05 * truth)
    wrong = right.assign(estimator="wrong", estimate=truth[::-1])
    found = rows(table, pd.concat([right, wrong])).groupby("estimator").first()
    assert found.loc["right", "disagreement_p"] > 0.01
    assert found.loc["wrong", "disagreement_p"] < 0.001
    assert found.loc["right", "shrinkage"] == pytest.approx(1 - 0.05**2 / 0.2**2, abs=0.05)


def test_few_places_or_few_reports_give_no_rows():
    _, rates = drawn(0.3, 0.2)
    assert rows(direct(rates[:4], 0.2)).empty
    silent = direct(np.where(np.arange(40) < 2, 1.0, 0.0), 0.2)
    assert rows(silent).empty
    assert rows(direct(rates, 0.2), types=()).empty


def with_nation(table, people, rate, total=None):
    """The same with each place's persons, and the nation's rate and persons."""
    total = people.sum() if total is None else total
    nation = direct(np.array([rate]), 0.05).assign(domain_type="national", domain="national")
    both = pd.concat([table, nation], ignore_index=True)
    size = np.append(people, total)
    persons = both.assign(unit="persons", estimate=both["estimate"] * size / 100)
    return pd.concat([both, persons], ignore_index=True)


def test_fay_herriot_adds_up_to_the_nation():
    _, rates = drawn(0.3, 0.2)
    people = np.random.default_rng(7).uniform(1e5, 1e6, 40)
    plain = rows(direct(rates, 0.2))
    found = rows(with_nation(direct(rates, 0.2), people, 1.3))
    assert found["estimate"] @ people == pytest.approx(1.3 * people.sum())
    factor = found["estimate"] / plain["estimate"]
    assert factor.std() < 1e-12
    for column in ("lower", "upper", "std_error"):
        assert (found[column] / plain[column]).to_numpy() == pytest.approx(factor.to_numpy())
    assert found["discrepancy"].to_numpy() == pytest.approx(plain["discrepancy"].to_numpy())


def test_places_without_reports_have_the_people_whom_the_others_leave():
    _, rates = drawn(0.3, 0.2)
    rates[:3] = 0
    people = np.full(40, 1e5)
    found = rows(with_nation(direct(rates, 0.2), people, 1.3))
    assert found["estimate"] @ people == pytest.approx(1.3 * people.sum())


def test_places_that_do_not_cover_the_nation_are_not_benchmarked():
    _, rates = drawn(0.3, 0.2)
    part = with_nation(direct(rates, 0.2), np.full(40, 1e5), 1.3, total=8e6)
    found, plain = rows(part), rows(direct(rates, 0.2))
    assert found["estimate"].tolist() == plain["estimate"].tolist()
