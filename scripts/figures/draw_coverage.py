"""Draw how often the interval held the truth, from the coverage study."""

from typing import Any

from prevalence.figures import coverage
from prevalence.figures.drawing import draw
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the picture, its data and its words."""
    draw(job, coverage)


if __name__ == "__main__":
    run_job(main, snakemake)
