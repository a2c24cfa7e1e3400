"""Two samples of one posterior agree within Monte Carlo error, and what isn't one does not."""

import numpy as np
import pandas as pd
import pytest
from toy_runs import GRAPH, PAGE, manifest

from prevalence.audit.comparison import compared, reproduced, verdict
from prevalence.audit.contents import described, figures_apart
from prevalence.audit.graph import Graph, Job
from prevalence.audit.sampled import (
    _OF_AN_END,
    EFFECTIVE_SIZE,
    agreement,
    allowance,
    beyond,
)
from prevalence.models.diagnostics import Thresholds

ELSEWHERE = {"platform": "Darwin arm64", "numpy": "2.4"}
MODEL = "data/processed/toy/restricted/model/scale_up_models.csv"
SAMPLED = Graph(
    [
        Job("fit_model", "scripts/model/fit_model.py", {"scale_up": [MODEL]}, ["data/raw/toy.sav"]),
        *(
            Job(job.rule, job.script, job.outputs, [*job.inputs, MODEL], job.code, job.settings)
            for job in GRAPH.jobs
            if job.rule == "render"
        ),
    ]
)


def summary(draws):
    """What a chain's draws of three quantities say, as the model stage's tables have it."""
    return pd.DataFrame(
        {
            "group": ["victims", "perpetrators", "doctors"],
            "estimate": draws.mean(0),
            "std_error": draws.std(0),
            "lower": np.quantile(draws, 0.025, axis=0),
            "upper": np.quantile(draws, 0.975, axis=0),
            "rhat": 1.0 + draws[0] / 1e5,
            "n": [400, 400, 400],
        }
    )


def drawn(seed, size=int(EFFECTIVE_SIZE)):
    generator = np.random.default_rng(seed)
    return generator.normal([486_000.0, 3.4, 100.0], [25_000.0, 0.2, 6.0], (size, 3))


def as_told(frame):
    return described(MODEL, frame.to_csv(index=False).encode(), values=True, cells=True)


def test_the_effective_size_is_the_one_that_the_pipeline_asks_for():
    assert Thresholds().ess == EFFECTIVE_SIZE


def test_the_allowance_is_four_standard_errors_of_a_difference():
    """By simulation: means and quantiles of two samples of 400, in units of the allowance."""
    draws = np.random.default_rng(5).normal(size=(2, 4000, int(EFFECTIVE_SIZE)))
    for statistic, factor in (
        (np.mean, 1.0),
        (lambda x, axis: np.quantile(x, 0.025, axis), _OF_AN_END),
    ):
        first, second = (statistic(sample, axis=-1) for sample in draws)
        errors = np.std(first - second) / (factor * allowance(1.0) / 4.0)
        assert errors == pytest.approx(1.0, abs=0.06)


def test_two_samples_of_one_posterior_agree():
    first = as_told(summary(drawn(0)))
    for seed in range(1, 60):
        agree, said = agreement(first, as_told(summary(drawn(seed))))
        assert agree, said
        assert "Monte Carlo standard errors apart" in said


@pytest.mark.parametrize(
    ("column", "row", "factor"),
    [("estimate", 0, 1.05), ("std_error", 1, 1.5), ("upper", 2, 1.1), ("n", 0, 1.01)],
)
def test_what_lies_further_apart_is_different_and_named(column, row, factor):
    before = summary(drawn(0))
    after = summary(drawn(1)).astype({"n": float})
    after.loc[row, column] *= factor
    agree, said = agreement(as_told(before.astype({"n": float})), as_told(after))
    assert not agree
    assert said.startswith(f"{column}: 1 of 3 rows")


def test_how_a_chain_went_is_not_compared():
    cells = {"rhat": [1.0, 1.01]}
    assert beyond(cells, {"rhat": [1.2, 1.3]}, "rhat") == (0, 0.0)


def test_rounded_numbers_may_differ_by_their_last_digit():
    old = {"estimate": [485_000.0, 1.25], "std_error": [100.0, 0.001]}
    assert beyond(old, {**old, "estimate": [486_000.0, 1.26]}, "estimate")[0] == 0
    assert beyond(old, {**old, "estimate": [488_000.0, 1.29]}, "estimate")[0] == 2


def test_of_a_table_by_respondent_no_cells_are_kept_and_it_is_not_compared_elsewhere():
    def told(elpd):
        content = f"respondent,elpd\n1,{elpd}\n2,-3.5\n".encode()
        return described(MODEL, content, values=True, cells=True)

    assert "cells" not in told(-2.0)

    def holding(content, made_with=None):
        found = manifest(made_with=made_with)
        contents = {**found.contents, content["sha256"]: content}
        outputs = {**found.outputs, MODEL: content["sha256"]}
        return type(found)(**{**vars(found), "outputs": outputs, "contents": contents})

    here, there = holding(told(-2.0)), holding(told(-2.5), ELSEWHERE)
    statuses = {one.path: one.status for one in compared(here, there, SAMPLED)}
    assert statuses[MODEL] == "not compared"
    statuses = {one.path: one.status for one in compared(here, holding(told(-2.5)), SAMPLED)}
    assert statuses[MODEL] == "different"


def run(seed=0, page="An estimated 486,000 children", **options):
    """A run with a sampled table and a page that shows it."""
    found = manifest(page=f"<body>{page}</body>".encode(), **options)
    told = as_told(summary(drawn(seed)))
    contents = {**found.contents, told["sha256"]: told}
    outputs = {**found.outputs, MODEL: told["sha256"]}
    return type(found)(**{**vars(found), "outputs": outputs, "contents": contents})


def test_elsewhere_a_sample_and_the_page_that_shows_it_agree_and_it_is_said():
    there = run(1, "An estimated 487,000 children", made_with=ELSEWHERE)
    outcomes = {one.path: one for one in compared(run(), there, SAMPLED)}
    assert outcomes[MODEL].status == "within Monte Carlo error"
    assert outcomes[PAGE].status == "within Monte Carlo error"
    assert outcomes[PAGE].detail == "same words; 1 numbers differ, as their data do"
    assert reproduced(list(outcomes.values()))
    assert "2 within Monte Carlo error" in verdict(list(outcomes.values()), 1e-9)


def test_on_one_platform_another_sample_is_different():
    statuses = {one.path: one.status for one in compared(run(), run(1), SAMPLED)}
    assert statuses[MODEL] == "different"


@pytest.mark.parametrize(
    ("seed", "page"),
    [(0, "An estimated 587,000 children"), (1, "An estimated 486,000 adults")],
    ids=["a number without another sample", "a word"],
)
def test_a_page_that_says_something_else_is_different_elsewhere_too(seed, page):
    there = run(seed, page, made_with=ELSEWHERE)
    statuses = {one.path: one.status for one in compared(run(), there, SAMPLED)}
    assert statuses[PAGE] == "different"


def test_changed_code_is_no_matter_of_samples():
    there = run(1, made_with=ELSEWHERE, sources={"data/raw/toy.sav": b"other"})
    before = run(sources={"data/raw/toy.sav": b"one"})
    outcome = next(one for one in compared(before, there, SAMPLED) if one.path == MODEL)
    assert (outcome.status, outcome.reasons) == ("different", ("data/raw/toy.sav",))


def test_numbers_of_a_page_may_differ_by_one_in_the_last_printed_digit():
    assert figures_apart("1.25 486,000 3", "1.26 486,000 3") == (1, 0)
    assert figures_apart("1.25 486,000", "1.35 487,000") == (2, 2)
    assert figures_apart("1.2.3 7", "1.2.4 7.0") == (2, 2)
