"""Estimate each group of known size from the others, and say how well they agree."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import AGREEMENT, KNOWN_GROUPS, arranged
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.known_groups import check_groups


def main(job: Any) -> None:
    """Write the leave-one-out table and its summary."""
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
    groups, agreement = check_groups(study)
    survey = job.wildcards.survey
    groups = check_table(
        arranged(groups, KNOWN_GROUPS, survey), KNOWN_GROUPS, job.output.known_groups
    )
    agreement = check_table(arranged(agreement, AGREEMENT, survey), AGREEMENT, job.output.agreement)
    write_csv(groups, job.output.known_groups)
    write_csv(agreement, job.output.agreement)


if __name__ == "__main__":
    run_job(main, snakemake)
