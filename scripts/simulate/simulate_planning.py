"""Draw some surveys of another design from a simulated world."""

from typing import Any

import numpy as np

from prevalence.files import replacing
from prevalence.job import run_job
from prevalence.simulation import simulate_design


def main(job: Any) -> None:
    """Write estimates and sizes of one part."""
    values = simulate_design(
        job.params.world,
        job.params.parameters,
        job.params.seed,
        job.params.design,
        int(job.wildcards.design),
        int(job.wildcards.first),
        int(job.wildcards.surveys),
    )
    with replacing(job.output.part) as partial:
        np.savez(partial, values=values)


if __name__ == "__main__":
    run_job(main, snakemake)
