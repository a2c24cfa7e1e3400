"""Draw the models beside the headline from released tables."""

from typing import Any

from prevalence.figures import models
from prevalence.figures.drawing import draw
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the picture, its data and its words."""
    draw(job, models)


if __name__ == "__main__":
    run_job(main, snakemake)
