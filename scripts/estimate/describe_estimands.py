"""Write out what is estimated, by which pre-specified choices, and each deviation from them."""

from typing import Any

import pandas as pd

from prevalence.contracts import check_table
from prevalence.contracts.estimate import ESTIMANDS, arranged
from prevalence.domains import Populations
from prevalence.estimands import estimand_sheet
from prevalence.files import read_csv, read_yaml, write_csv
from prevalence.job import run_job

NATIONAL = "national"


def national_sizes(job: Any) -> dict[str, float]:
    """Sizes of the nation's populations, from their table or from the config."""
    given = job.params.estimate.get("populations") or []
    table = read_csv(job.input.populations) if job.input.get("populations") else pd.DataFrame(given)
    sizes = Populations.from_table(table, job.params.year).sizes
    return {name: size for (*place, name), size in sizes.items() if place == [NATIONAL] * 2}


def main(job: Any) -> None:
    """Write the estimand sheet."""
    sheet = estimand_sheet(
        job.params.estimate,
        job.params.headline,
        combine=job.params.combine,
        imputations=job.params.imputations or (),
        sizes=national_sizes(job),
        year=job.params.year,
        record=read_yaml(job.input.record) if job.input.get("record") else None,
    )
    sheet = check_table(
        arranged(sheet, ESTIMANDS, job.wildcards.survey), ESTIMANDS, job.output.estimands
    )
    write_csv(sheet, job.output.estimands)


if __name__ == "__main__":
    run_job(main, snakemake)
