"""Estimate the share of known situations that was reported to authorities."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import REPORTING, arranged
from prevalence.files import read_parquet, write_csv
from prevalence.job import run_job
from prevalence.reporting import answer_counts, reporting_table
from prevalence.study_files import read_study


def main(job: Any) -> None:
    """Write the shares; a survey that didn't ask gets an empty table."""
    study, _ = read_study(job)
    situations = read_parquet(job.input.situations)
    answers = answer_counts(situations, list(study.respondents["respondent"]))
    table = reporting_table(answers, study.domains, study.sampling, study.headline.inference)
    table = check_table(
        arranged(table, REPORTING, job.wildcards.survey), REPORTING, job.output.reporting
    )
    write_csv(table, job.output.reporting)


if __name__ == "__main__":
    run_job(main, snakemake)
