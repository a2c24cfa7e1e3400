"""Hash what a run rests on: raw data, config values, code, environment."""

from pathlib import Path
from typing import Any

from prevalence.files import read_json, write_json
from prevalence.identity import released_identity, run_identity
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the run's identity."""
    markers = [read_json(path) for path in job.input.verified]
    texts = {path: Path(path).read_text(encoding="utf-8") for path in sorted(job.input.pipeline)}
    raw = {marker["file"]: marker["sha256"] for marker in markers}
    config = {**job.params.config, "codebook": Path(job.input.codebook).read_text("utf-8")}
    if job.input.get("record"):
        config["prespecified"] = Path(job.input.record).read_text("utf-8")
    lock = {"requirements.lock": Path(job.input.lock).read_text(encoding="utf-8")}
    identity = run_identity(raw, config, texts, {**lock, "renderer": job.params.renderer})
    bearing = without(config, job.params.texts)
    released = released_identity(
        raw,
        {**bearing, "survey": without(config["survey"], job.params.texts)},
        {path: texts[path] for path in sorted(job.input.released)},
        lock,
    )
    write_json({**identity, "released": released}, job.output.identity)


def without(section: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Leave out what holds texts alone."""
    return {name: value for name, value in section.items() if name not in names}


if __name__ == "__main__":
    run_job(main, snakemake)
