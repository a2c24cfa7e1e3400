"""Expect the precision of other designs for the next wave."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import PLANNING, arranged
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.planning import plan_study


def main(job: Any) -> None:
    """Write expected widths and detectable changes; empty where no design is configured."""
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
    table = plan_study(study, tables["weights"], job.params.estimate.get("planning"))
    table = check_table(
        arranged(table, PLANNING, job.wildcards.survey), PLANNING, job.output.planning
    )
    write_csv(table, job.output.planning)


if __name__ == "__main__":
    run_job(main, snakemake)
