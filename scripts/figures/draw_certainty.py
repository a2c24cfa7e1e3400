"""Draw the checks on known groups and other estimators from released tables."""

from typing import Any

from prevalence.figures import certainty
from prevalence.figures.drawing import draw
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write each picture, its data and its words."""
    draw(job, certainty)


if __name__ == "__main__":
    run_job(main, snakemake)
