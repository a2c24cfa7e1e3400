"""Draw the headline figure from released tables."""

from typing import Any

from prevalence.figures import headline
from prevalence.figures.drawing import draw
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the picture, its data and its words."""
    draw(job, headline)


if __name__ == "__main__":
    run_job(main, snakemake)
