"""Compare respondents with the sampling frame and with the census: the nonresponse-bias table."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.weight import NONRESPONSE_BIAS
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.nonresponse_bias import nonresponse_bias
from prevalence.weighting import TEXT_COLUMNS

# Codes such as 01 are texts, not numbers.
CODES = dict.fromkeys(("household", "stratum", "psu", "ssu", "disposition", "city", "region"), str)


def main(job: Any) -> None:
    """Write the table; empty for a survey without frame and census."""
    frame = read_csv(job.input.frame, dtype=CODES) if job.input.get("frame") else None
    census = read_csv(job.input.census, dtype=TEXT_COLUMNS) if job.input.get("census") else None
    rule = job.params.nonresponse or {}
    covariates = (rule.get("propensity") or {}).get("covariates") or []
    wanted = [*(rule.get("classes") or []), *covariates, *(rule.get("compare") or [])]
    table = nonresponse_bias(
        read_parquet(job.input.respondents),
        read_parquet(job.input.weights),
        read_parquet(job.input.households),
        frame,
        census,
        list(dict.fromkeys(wanted)),
    )
    table = check_table(table, NONRESPONSE_BIAS, job.output.nonresponse_bias)
    write_csv(table, job.output.nonresponse_bias)


if __name__ == "__main__":
    run_job(main, snakemake)
