"""The analyst's picture of the weights: every table has its panel, and the bytes don't vary."""

import numpy as np
import pandas as pd

from prevalence.figures.analyst import MOST_ROWS, weight_diagnostics
from prevalence.figures.style import MARK, save_svg
from prevalence.weighting import (
    effective_sizes,
    influential_respondents,
    weight_distribution,
    weighting_steps,
)
from prevalence.weighting.diagnostics import STEPS

RNG = np.random.default_rng(6)
WEIGHTS = pd.DataFrame({step: RNG.lognormal(0, 0.5, 300) for step in STEPS})


def tables(interviewers=3):
    w, final, halves = WEIGHTS, WEIGHTS["final"].to_numpy(), ["$a$"] * 150 + ["b"] * 150
    kinds = {"stratum": ["n", "s"], "interviewer": [f"i{k}" for k in range(interviewers)]}
    rates = [
        (kind, name, rate, 0.8, 0.8, 20)
        for kind, names in ({"national": ["national"]} | kinds).items()
        for name in names
        for rate in ("RR1", "RR3")
    ]
    columns = ["domain_type", "domain", "rate", "unweighted", "weighted", "n"]
    return {
        "weighting": weighting_steps(w),
        "weight_distribution": weight_distribution(w),
        "effective_n": effective_sizes(final, halves).assign(domain_type="sex"),
        "influential": influential_respondents(final, np.ones(300)).assign(group="victims"),
        "margins": pd.DataFrame(
            {
                "margin": "sex",
                "category": ["f", "m", "none"],
                "population": [10.0, 12.0, 0.0],
                "before": [11.0, 9.0, 0.0],
                "after": [10.0, 12.0, 0.0],
            }
        ),
        "response_rates": pd.DataFrame(rates, columns=columns),
    }


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_every_table_has_its_panel():
    figure = weight_diagnostics(tables(), synthetic=True)
    found = titles(figure)
    assert len(found) == 7
    for word in (
        "each step",
        "design effect",
        "Effective",
        "victims",
        "sex",
        "stratum",
        "interviewer",
    ):
        assert sum(word in title for title in found) == 1, word
    assert [text.get_text() for text in figure.texts] == [MARK]
    ranks = figure.axes[3]
    assert len(ranks.patches) == 10
    assert max(abs(bar.get_width()) for bar in ranks.patches) < 10


def test_panels_without_a_table_and_kinds_with_many_domains():
    given = tables(interviewers=MOST_ROWS + 1)
    given["margins"] = given["margins"].iloc[:0]
    given["influential"] = pd.DataFrame(columns=["group", "rank", "share", "relative_change"])
    figure = weight_diagnostics(given, synthetic=False)
    assert len(titles(figure)) == 5
    assert not figure.texts
    counts = sum(bar.get_height() for bar in figure.axes[-1].patches)
    assert counts == MOST_ROWS + 1


def test_the_same_bytes_each_time(tmp_path):
    files = [tmp_path / name for name in ("one.svg", "other.svg")]
    for file in files:
        save_svg(weight_diagnostics(tables(), synthetic=True), str(file))
    assert files[0].read_bytes() == files[1].read_bytes()
