"""Draw every combination of choices from released tables."""

from typing import Any

from prevalence.figures import specifications
from prevalence.figures.drawing import draw
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the picture, its data and its words."""
    draw(job, specifications)


if __name__ == "__main__":
    run_job(main, snakemake)
