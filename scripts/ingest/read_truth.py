"""Take over the planted truth of a synthetic survey, once its file is verified."""

from pathlib import Path
from typing import Any

from prevalence.errors import PipelineError
from prevalence.files import read_json, write_json
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the truth for the release stage, which alone compares with it."""
    if not job.params.synthetic:
        raise PipelineError(
            "Only a synthetic survey has a planted truth.",
            place="ingest.tables.truth",
            remedy="Remove the line, or set survey.synthetic: true if the data are synthetic.",
        )
    try:
        truth = read_json(job.input.raw)
    except ValueError:
        raise PipelineError(
            "The planted truth is not valid JSON.",
            file=Path(job.input.raw),
            remedy="Run snakemake synthesize and adopt its result again.",
        ) from None
    write_json(truth, job.output.truth)


if __name__ == "__main__":
    run_job(main, snakemake)
