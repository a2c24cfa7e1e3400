"""Draw who answered, from released tables."""

from typing import Any

from prevalence.figures import response
from prevalence.figures.drawing import draw
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the picture, its data and its words."""
    draw(job, response)


if __name__ == "__main__":
    run_job(main, snakemake)
