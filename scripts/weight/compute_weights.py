"""Compute the weights: base, nonresponse, trimming, calibration; and what describes them."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.weight import (
    COLLAPSED,
    HOUSEHOLDS,
    MARGINS,
    RESPONSE_RATES,
    WEIGHT_DISTRIBUTION,
    WEIGHTING,
    WEIGHTS,
)
from prevalence.files import read_csv, read_parquet, write_csv, write_parquet
from prevalence.job import run_job
from prevalence.weighting import TEXT_COLUMNS, weigh
from prevalence.weighting.partners import check_partners

# Codes such as 01 are texts, not numbers.
CODES = dict.fromkeys(("household", "stratum", "psu", "ssu", "disposition", "city", "region"), str)


def main(job: Any) -> None:
    """Write the weights, the sampled households and the tables that describe the steps."""
    frame = read_csv(job.input.frame, dtype=CODES) if job.input.get("frame") else None
    census = read_csv(job.input.census, dtype=TEXT_COLUMNS) if job.input.get("census") else None
    made = weigh(read_parquet(job.input.respondents), job.params.weight, frame, census)
    if census is not None and job.params.weight.get("calibration"):
        check_partners(job.params.weight["calibration"], census)
    out = job.output
    weights = check_table(made.weights, WEIGHTS, out.weights)
    households = check_table(made.households, HOUSEHOLDS, out.households)
    weighting = check_table(made.weighting, WEIGHTING, out.weighting)
    distribution = check_table(made.weight_distribution, WEIGHT_DISTRIBUTION, out.distribution)
    response_rates = check_table(made.response_rates, RESPONSE_RATES, out.response_rates)
    margins = check_table(made.margins, MARGINS, out.margins)
    collapsed = check_table(made.collapsed, COLLAPSED, out.collapsed)
    write_parquet(weights, out.weights)
    write_parquet(households, out.households)
    write_csv(weighting, out.weighting)
    write_csv(distribution, out.distribution)
    write_csv(response_rates, out.response_rates)
    write_csv(margins, out.margins)
    write_csv(collapsed, out.collapsed)


if __name__ == "__main__":
    run_job(main, snakemake)
