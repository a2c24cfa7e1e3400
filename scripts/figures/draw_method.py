"""Draw the figures on the method from released tables."""

from typing import Any

from prevalence.figures import method
from prevalence.figures.drawing import draw
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write each picture, its data and its words."""
    draw(job, method)


if __name__ == "__main__":
    run_job(main, snakemake)
