"""Estimate the hidden groups under every combination of the configured choices."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import CHOICE_SHARES, SPECIFICATIONS, TRIMMING, arranged
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.specifications import alternatives


def main(job: Any) -> None:
    """Write the specification table, the shares of its choices, and the record of trimming."""
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
    found = alternatives(study, tables["weights"], job.params.combine)
    survey = job.wildcards.survey
    outputs = (job.output.specifications, job.output.choice_shares, job.output.trimming)
    checked = [
        check_table(arranged(table, contract, survey), contract, file)
        for table, contract, file in zip(
            found, (SPECIFICATIONS, CHOICE_SHARES, TRIMMING), outputs, strict=True
        )
    ]
    for table, file in zip(checked, outputs, strict=True):
        write_csv(table, file)


if __name__ == "__main__":
    run_job(main, snakemake)
