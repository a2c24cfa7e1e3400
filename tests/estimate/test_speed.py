"""Memory of the stage at the size of a real survey; `benchmarks/estimate_stage.py` has its time."""

import resource
import sys

import pandas as pd
import pytest
from test_stage import MORE, run

ENOUGH = {
    "estimator": ["ratio_of_sums", "mean_of_ratios"],
    "degree": ["known_population", "mean_of_ratios"],
    "top_code": ["headline", "none", "p95", "p97_5", "p99"],
    "known_groups": {
        "two": ["nurses", "drivers"],
        "all": ["doctors", "nurses", "drivers", "lawyers"],
    },
    "weights": ["final", "base", "none"],
    "combination": ["maximum", "sum"],
    "imputation": ["none", "published"],
}


@pytest.mark.slow
def test_two_thousand_replicates_and_five_hundred_specifications(
    tables_of, weighted, configured, tmp_path
):
    tables = weighted(tables_of(n=3_600), replicates=2_000)
    panel = {"member": ["m"], "group": ["victims"], "best": [0.5], "low": [0.4], "high": [0.6]}
    tables["survivor_panel"] = pd.DataFrame(panel)
    told = tables["respondents"]["respondent"].iloc[:400]
    situations = pd.DataFrame(
        {"respondent": told, "group": "victims", "reported": "yes", "authority": "police"}
    )
    estimate = configured["estimate"] | MORE | {"specifications": ENOUGH}
    found = run(tmp_path, tables, estimate, configured["headline"], situations)
    assert len(found["specifications"]) > 2 * 500
    if sys.platform == "linux":
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_000_000  # kilobytes
