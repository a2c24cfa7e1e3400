"""Estimate the share of known situations that was reported to authorities."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import REPORTING, arranged
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.reporting import answer_counts, reporting_table


def main(job: Any) -> None:
    """Write the shares; a survey that didn't ask gets an empty table."""
    tables = {
        name: read_parquet(job.input.get(name), coded=CODED.get(name, ())) for name in ROW_TABLES
    }
    tables |= {name: read_csv(job.input.get(name)) for name in SIDE_TABLES if job.input.get(name)}
    study = study_of(
        tables,
        estimate=job.params.estimate,
        headline=job.params.headline,
        year=job.params.year,
    )
    situations = read_parquet(job.input.situations)
    answers = answer_counts(situations, list(study.respondents["respondent"]))
    table = reporting_table(answers, study.domains, study.sampling, study.headline.inference)
    table = check_table(
        arranged(table, REPORTING, job.wildcards.survey), REPORTING, job.output.reporting
    )
    write_csv(table, job.output.reporting)


if __name__ == "__main__":
    run_job(main, snakemake)
