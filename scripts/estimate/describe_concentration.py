"""Say on how many respondents the figures rest: effective numbers, the most influential."""

from typing import Any

from prevalence.concentration import effective_n_table, influential_table
from prevalence.contracts import check_table
from prevalence.contracts.estimate import EFFECTIVE_N, INFLUENTIAL, arranged
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write effective numbers by domain, and the ten most influential respondents by rank."""
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
    survey = job.wildcards.survey
    effective = check_table(
        arranged(effective_n_table(study), EFFECTIVE_N, survey), EFFECTIVE_N, job.output.effective_n
    )
    influential = check_table(
        arranged(influential_table(study), INFLUENTIAL, survey), INFLUENTIAL, job.output.influential
    )
    write_csv(effective, job.output.effective_n)
    write_csv(influential, job.output.influential)


if __name__ == "__main__":
    run_job(main, snakemake)
