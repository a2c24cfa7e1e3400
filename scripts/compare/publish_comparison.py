"""Publish the comparison of several surveys that passed the gate: all of it or nothing."""

from pathlib import Path
from typing import Any

from prevalence.disclosure.publishing import publish
from prevalence.files import read_json
from prevalence.job import run_job


def main(job: Any) -> None:
    """Publish tables and figure."""
    paths = [Path(path) for path in [*job.input.tables, *job.input.figure]]
    files = {path.name: path.read_bytes() for path in paths}
    targets = {Path(path).name: Path(path) for path in job.output}
    publish(files, read_json(job.input.passed), targets, job.input.passed)


if __name__ == "__main__":
    run_job(main, snakemake)
