"""Expect the precision of other designs for the next wave."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import PLANNING, arranged
from prevalence.files import write_csv
from prevalence.job import run_job
from prevalence.planning import plan_study
from prevalence.study_files import read_study


def main(job: Any) -> None:
    """Write expected widths and detectable changes; empty where no design is configured."""
    study, tables = read_study(job)
    table = plan_study(study, tables["weights"], job.params.estimate.get("planning"))
    table = check_table(
        arranged(table, PLANNING, job.wildcards.survey), PLANNING, job.output.planning
    )
    write_csv(table, job.output.planning)


if __name__ == "__main__":
    run_job(main, snakemake)
