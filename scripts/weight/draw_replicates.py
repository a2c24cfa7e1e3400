"""Make the replicates and repeat the weighting chain in each of them."""

import logging
from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.weight import REPLICATE_FACTORS, REPLICATES
from prevalence.files import read_csv, read_parquet, write_parquet
from prevalence.job import run_job
from prevalence.weighting import TEXT_COLUMNS, replicate_weights

LOG = logging.getLogger("prevalence")


def main(job: Any) -> None:
    """Write the PSUs of each replicate, and the adjustments made in it."""
    replicates, factors, made = replicate_weights(
        read_parquet(job.input.weights),
        read_parquet(job.input.households),
        read_csv(job.input.margins, dtype=TEXT_COLUMNS),
        job.params.weight,
        job.params.seed,
    )
    LOG.info(
        "%d replicates of %d PSUs; in %d of them an empty category was merged with its partner",
        made.count,
        len(replicates),
        int(made.merged.sum()),
    )
    replicates = check_table(replicates, REPLICATES, job.output.replicates)
    factors = check_table(factors, REPLICATE_FACTORS, job.output.factors)
    write_parquet(replicates, job.output.replicates)
    write_parquet(factors, job.output.factors)


if __name__ == "__main__":
    run_job(main, snakemake)
