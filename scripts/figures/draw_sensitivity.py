"""Draw how far assumptions move the estimates, from released tables."""

from typing import Any

from prevalence.figures import sensitivity
from prevalence.figures.drawing import draw
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write each picture, its data and its words."""
    draw(job, sensitivity)


if __name__ == "__main__":
    run_job(main, snakemake)
