"""Publish the files of a survey that passed the gate: all of them or nothing."""

from pathlib import Path
from typing import Any

from prevalence.disclosure.publishing import described, publish, written
from prevalence.files import read_json
from prevalence.job import run_job


def main(job: Any) -> None:
    """Publish the report, its figures and the released tables, each beside its description."""
    staged = Path(job.input.results).parent
    paths = [Path(path) for path in [*job.input.reports, job.input.results, *job.input.pictures]]
    files = {path.relative_to(staged).as_posix(): path.read_bytes() for path in paths}
    tables = {f"tables/{Path(path).name}": Path(path).read_bytes() for path in job.input.tables}
    identity = read_json(job.input.identity)["released"]
    files |= tables | written(described(tables, identity, synthetic=job.params.synthetic))
    folders = {"figures": Path(job.output.figures), "tables": Path(job.output.tables)}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    targets = {Path(path).name: Path(path) for path in job.output.reports}
    targets |= {
        name: folders[Path(name).parts[0]] / Path(name).name
        for name in files
        if Path(name).parts[0] in folders
    }
    publish(files, read_json(job.input.passed), targets, job.input.passed)


if __name__ == "__main__":
    run_job(main, snakemake)
