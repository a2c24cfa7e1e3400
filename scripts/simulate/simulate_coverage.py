"""Draw and estimate some surveys of a simulated world."""

from typing import Any

import numpy as np

from prevalence.files import replacing
from prevalence.job import run_job
from prevalence.simulation import simulate_coverage


def main(job: Any) -> None:
    """Write keys and values of one part."""
    keys, values = simulate_coverage(
        job.wildcards.world,
        job.params.parameters,
        job.params.seed,
        int(job.wildcards.first),
        int(job.wildcards.surveys),
    )
    with replacing(job.output.part) as partial:
        np.savez(partial, keys=np.array(keys), values=values)


if __name__ == "__main__":
    run_job(main, snakemake)
