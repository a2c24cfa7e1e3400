"""Hash what a run rests on: raw data, config values, code, environment."""

from pathlib import Path
from typing import Any

from prevalence.files import read_json, write_json
from prevalence.identity import run_identity
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the run's identity."""
    markers = [read_json(path) for path in job.input.verified]
    texts = {path: Path(path).read_text(encoding="utf-8") for path in sorted(job.input.pipeline)}
    identity = run_identity(
        raw={marker["file"]: marker["sha256"] for marker in markers},
        config={**job.params.config, "codebook": Path(job.input.codebook).read_text("utf-8")},
        code=texts,
        environment={
            "requirements.lock": Path(job.input.lock).read_text(encoding="utf-8"),
            "renderer": job.params.renderer,
        },
    )
    write_json(identity, job.output.identity)


if __name__ == "__main__":
    run_job(main, snakemake)
