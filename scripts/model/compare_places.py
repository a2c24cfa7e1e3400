"""Set Fay-Herriot and the models beside the direct estimates of places."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import arranged
from prevalence.contracts.model import SMALL_AREAS
from prevalence.files import read_csv, write_csv
from prevalence.job import run_job
from prevalence.models.direct_comparison import small_area_rows


def main(job: Any) -> None:
    """Write the table of places."""
    domains = job.params.domains or []
    types = [domain["type"] for domain in domains if domain["kind"] == "geographic"]
    rows = small_area_rows(
        read_csv(job.input.scale_up),
        read_csv(job.input.scale_up_models),
        job.params.headline,
        types,
    )
    table = arranged(rows, SMALL_AREAS, job.wildcards.survey)
    write_csv(check_table(table, SMALL_AREAS, job.output.small_areas), job.output.small_areas)


if __name__ == "__main__":
    run_job(main, snakemake)
