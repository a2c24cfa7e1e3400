"""Write out what is estimated, by which pre-specified choices, and each deviation from them."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import ESTIMANDS, arranged
from prevalence.estimands import estimand_sheet
from prevalence.files import write_csv
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the estimand sheet."""
    sheet = estimand_sheet(
        job.params.estimate,
        job.params.headline,
        combine=job.params.combine,
        imputations=job.params.imputations or (),
    )
    sheet = check_table(
        arranged(sheet, ESTIMANDS, job.wildcards.survey), ESTIMANDS, job.output.estimands
    )
    write_csv(sheet, job.output.estimands)


if __name__ == "__main__":
    run_job(main, snakemake)
