"""Agreement with R survey, and what no reference number covers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence.design import SampleDesign
from prevalence.variance import (
    estimate_means,
    estimate_proportions,
    estimate_ratios,
    estimate_totals,
    estimate_variances,
    total_random_variance,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "survey"
TAYLOR = json.loads((REFERENCE / "taylor.json").read_text())
NAMES = ("apiclus1_fpc", "apistrat_fpc")
CLOSE = 1e-9


def read(name):
    return pd.read_csv(REFERENCE / f"{name.split('_')[0]}.csv")


def design_of(name):
    data = read(name)
    labels = {"units": data["dnum"]} if name == "apiclus1_fpc" else {"strata": data["stype"]}
    return data, SampleDesign.from_columns(data["pw"], population=data["fpc"], **labels)


def cases(prefix):
    return [(d, key) for d in NAMES for key in TAYLOR[d] if key.split("/")[0] == prefix]


def same(found, expected, rtol=CLOSE):
    np.testing.assert_allclose(found, expected, rtol=rtol)


def domain_labels(data, variables):
    return data[variables.split("+")].agg("|".join, axis=1)


@pytest.mark.parametrize("name", NAMES)
def test_degrees_of_freedom(name):
    data, design = design_of(name)
    assert design.degrees_of_freedom() == TAYLOR[name]["degf"]
    for key, by_domain in TAYLOR[name].items():
        if key.startswith("domain_degf/"):
            labels = data[key.split("/")[1]]
            for domain, expected in by_domain.items():
                mask = (labels == domain).to_numpy()
                assert design.degrees_of_freedom(mask, counting="units") == expected


@pytest.mark.parametrize(("name", "key"), cases("mean") + cases("mean_deffwr"))
def test_means(name, key):
    data, design = design_of(name)
    y = data[key.split("/")[1]].to_numpy(float)
    found, expected = estimate_means(design, y), TAYLOR[name][key]
    same(found.value, expected["est"])
    same(found.std_errors, expected["se"])
    same(found.covariance, expected["vcov"])
    same(found.df, expected["df"])
    lower, upper = found.interval()
    same(lower, expected["lci"])
    same(upper, expected["uci"])
    replaced = key.startswith("mean_deffwr")
    deff = found.design_effects_with_replacement if replaced else found.design_effects
    same(deff, expected["deff"])


@pytest.mark.parametrize(("name", "key"), cases("total"))
def test_totals(name, key):
    data, design = design_of(name)
    y = data[key.split("/")[1]].to_numpy(float)
    found, expected = estimate_totals(design, y), TAYLOR[name][key]
    same(found.value, expected["est"])
    same(found.std_errors, expected["se"])
    same(found.covariance, expected["vcov"])
    same(found.df, expected["df"])
    lower, upper = found.interval()
    same([lower[0], upper[0]], [expected["lci"][0], expected["uci"][0]])
    same(found.covariance[0] / total_random_variance(design, y), expected["deff"])


@pytest.mark.parametrize(("name", "key"), cases("var"))
def test_population_variances(name, key):
    data, design = design_of(name)
    found = estimate_variances(design, data[key.split("/")[1]])
    same(found.value, TAYLOR[name][key]["est"])
    same(found.std_errors, TAYLOR[name][key]["se"])


@pytest.mark.parametrize(("name", "key"), cases("domain_mean") + cases("domain_total"))
def test_domains(name, key):
    data, design = design_of(name)
    kind, variable, by = key.split("/")
    estimate = estimate_means if kind == "domain_mean" else estimate_totals
    found = estimate(design, data[variable].to_numpy(float), domain_labels(data, by))
    expected = TAYLOR[name][key]
    places = [found.names.index("|".join(key)) for key in zip(*expected["keys"], strict=True)]
    assert len(places) == len(found.names)
    same(found.value[places], expected["est"])
    same(found.std_errors[places], expected["se"])


@pytest.mark.parametrize(("name", "key"), cases("ratio") + cases("domain_ratio"))
def test_ratios(name, key):
    data, design = design_of(name)
    _, top, bottom, *by = key.split("/")
    domain = domain_labels(data, by[0]) if by else None
    found = estimate_ratios(design, data[top], data[bottom], domain)
    expected = TAYLOR[name][key]
    same(found.value, expected["est"])
    same(found.std_errors, expected["se"])
    if not by:
        same(found.df, expected["df"])
        same(found.interval()[0], expected["lci"])
        same(found.interval()[1], expected["uci"])
        same(found.design_effects, expected["deff"])


@pytest.mark.parametrize(("name", "key"), cases("prop"))
def test_proportions(name, key):
    data, design = design_of(name)
    found, expected = estimate_proportions(design, data[key.split("/")[1]]), TAYLOR[name][key]
    assert list(found.names) == expected["names"]
    same(found.value, expected["est"])
    # A proportion fixed by the design has a variance of rounding errors in both programs.
    noise = 1e-12 * np.abs(np.array(expected["vcov"])).max() + 1e-30
    np.testing.assert_allclose(found.covariance, expected["vcov"], rtol=CLOSE, atol=noise)
    same(found.df, np.full(len(found.value), expected["df"]))
    if max(expected["se"]) < 1e-8:
        return
    same(found.std_errors, expected["se"])
    same(found.interval(), [expected["lci"], expected["uci"]])
    for kind, key_of_kind in [
        ("logit", "ci_xlogit"),
        ("t", "ci_mean"),
        ("beta", "ci_beta"),
        ("wilson", "ci_wilson"),
    ]:
        same(np.column_stack(found.interval(kind=kind)), expected[key_of_kind])
    # R's "logit" comes from an iterated regression; its "xlogit" is the formula.
    same(np.column_stack(found.interval(kind="logit")), expected["ci_logit"], rtol=1e-8)


@pytest.mark.parametrize(("name", "key"), cases("count"))
def test_counts(name, key):
    data, design = design_of(name)
    expected = TAYLOR[name][key]
    columns = np.column_stack([data[key.split("/")[1]] == c for c in expected["names"]])
    found = estimate_totals(design, columns.astype(float))
    same(found.value, expected["est"])
    noise = 1e-12 * np.abs(np.array(expected["vcov"])).max() + 1e-12 * expected["est"][0] ** 2
    np.testing.assert_allclose(found.covariance, expected["vcov"], rtol=CLOSE, atol=noise)
    same(found.df, np.full(len(found.value), expected["df"]))
    if max(expected["se"]) > 1e-8 * max(expected["est"]):
        same(found.std_errors, expected["se"])
        same(found.interval(), [expected["lci"], expected["uci"]])


def test_no_entry_is_left_out():
    groups = {"mean", "mean_deffwr", "total", "var", "domain_mean", "domain_total", "ratio"}
    groups |= {"domain_ratio", "prop", "count", "domain_degf", "degf", "design"}
    assert {key.split("/")[0] for name in NAMES for key in TAYLOR[name]} == groups
    assert set(TAYLOR) == set(NAMES)
