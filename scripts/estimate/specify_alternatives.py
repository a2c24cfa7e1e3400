"""Estimate the hidden groups under every combination of the configured choices."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import CHOICE_SHARES, SPECIFICATIONS, TRIMMING, arranged
from prevalence.files import write_csv
from prevalence.job import run_job
from prevalence.specifications import alternatives
from prevalence.study_files import read_study


def main(job: Any) -> None:
    """Write the specification table, the shares of its choices, and the record of trimming."""
    study, tables = read_study(job)
    found = alternatives(study, tables["weights"], job.params.combine, job.params.imputations or ())
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
