"""A made-up survey of seventeen regions, and a whole release of it."""

import numpy as np
import pandas as pd

from prevalence.disclosure.cells import geography_of
from prevalence.disclosure.release import release
from prevalence.disclosure.rules import Policy
from prevalence.disclosure_inputs import disclosure_inputs
from prevalence.domains import domains_of

POLICY = Policy()
SETTINGS = [
    {"type": "island_group", "variable": "island_group", "kind": "geographic"},
    {"type": "region", "variable": "region", "kind": "geographic"},
    {"type": "sex", "variable": "sex", "kind": "respondent"},
]
SIZES = np.array(
    [520, 80, 150, 110, 400, 520, 90, 190, 260, 260, 130, 110, 150, 160, 140, 110, 180]
)
ISLANDS = np.repeat(["Luzon", "Visayas", "Mindanao"], [8, 3, 6])


def survey(share, seed=1):
    """Respondents with reports and degrees: `share` of them report at least one person."""
    generator = np.random.default_rng(seed)
    region = np.repeat(np.arange(17), SIZES)
    n = len(region)
    respondents = pd.DataFrame(
        {
            "region": [f"R{r + 1:02d}" for r in region],
            "island_group": ISLANDS[region],
            "sex": generator.choice(["female", "male"], n),
        }
    )
    reports = (generator.uniform(size=n) < share) * (1.0 + generator.poisson(0.4, n))
    degree = generator.lognormal(4.5, 0.6, n)
    weights = generator.lognormal(9.8, 0.5, n)
    return respondents, reports, degree, weights


def tables_of(respondents, reports, degree, weights):
    """Uncontrolled tables with the ratio estimator; standard errors as of a simple sample."""
    domains = domains_of(respondents, SETTINGS)
    inputs = disclosure_inputs(
        {"victims": reports, "degree": degree},
        {"victims": "hidden", "degree": "degree"},
        degree,
        domains,
        weights,
    )
    rows, means = [], []
    for domain in domains:
        m = domain.mask
        ratio = (weights[m] @ reports[m]) / (weights[m] @ degree[m])
        reporting = int((reports[m] > 0).sum())
        size = weights[m].sum() * 1.5
        base = {
            "survey": "made_up",
            "estimator": "ratio_of_sums",
            "domain_type": domain.type,
            "domain": domain.name,
            "level": 0.95,
            "n": int(m.sum()),
        }
        for unit, scale in (("persons", size), ("per_100", 300.0)):
            estimate = ratio * scale
            error = estimate / np.sqrt(max(reporting, 1)) * 1.3
            rows.append(
                base
                | {"group": "victims", "estimate": estimate, "std_error": error, "unit": unit}
                | {"lower": estimate * 0.7, "upper": estimate * 1.4 + 1, "n_reporting": reporting}
                | {"df": 40.0, "interval": "log_t", "se_linearised": error, "headline": True}
            )
        mean = float(np.average(degree[m], weights=weights[m]))
        means.append(
            base
            | {"group": "degree", "estimate": mean, "std_error": mean / np.sqrt(m.sum())}
            | {"lower": mean * 0.9, "upper": mean * 1.1, "unit": "people_known", "zero_share": 0.0}
            | {"estimator": "known_population"}
        )
    scale_up = pd.DataFrame(rows)
    regions = scale_up[(scale_up["domain_type"] == "region") & (scale_up["unit"] == "persons")]
    total = scale_up.iloc[[0]].assign(
        estimator="sum_of_region", estimate=regions["estimate"].sum(), headline=False
    )
    scale_up = pd.concat([scale_up, total], ignore_index=True)
    return {"scale_up": scale_up, "degree_summary": pd.DataFrame(means)}, inputs


def released_of(share, seed=1):
    respondents, *answers = survey(share, seed)
    tables, inputs = tables_of(respondents, *answers)
    geography = geography_of(respondents, SETTINGS, "region")
    return release(tables, inputs, geography, POLICY, headline="ratio_of_sums"), inputs


def headline(result):
    table = result.tables["scale_up"]
    return table[(table["estimator"] == "ratio_of_sums") & (table["unit"] == "persons")]
