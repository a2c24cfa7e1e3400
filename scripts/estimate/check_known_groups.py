"""Estimate each group of known size from the others, and say how well they agree."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import AGREEMENT, KNOWN_GROUPS, arranged
from prevalence.files import write_csv
from prevalence.job import run_job
from prevalence.known_groups import check_groups
from prevalence.study_files import read_study


def main(job: Any) -> None:
    """Write the leave-one-out table and its summary."""
    study, _ = read_study(job)
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
