"""Publish the files of a trend that passed the gate: all of them or nothing."""

from pathlib import Path
from typing import Any

from prevalence.disclosure.publishing import publish
from prevalence.files import read_json
from prevalence.job import run_job


def main(job: Any) -> None:
    """Publish the report, its figures and the released tables."""
    files = {Path(path).name: Path(path).read_bytes() for path in job.input.reports}
    targets = {Path(path).name: Path(path) for path in job.output.reports}
    for folder, sources, target in (
        ("figures", job.input.pictures, Path(job.output.figures)),
        ("tables", job.input.tables, Path(job.output.shown)),
    ):
        target.mkdir(parents=True, exist_ok=True)
        for path in map(Path, sources):
            files[f"{folder}/{path.name}"] = path.read_bytes()
            targets[f"{folder}/{path.name}"] = target / path.name
    publish(files, read_json(job.input.passed), targets, job.input.passed)


if __name__ == "__main__":
    run_job(main, snakemake)
