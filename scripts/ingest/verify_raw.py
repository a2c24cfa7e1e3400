"""Verify that a raw file is the one that the survey's manifest declares."""

from pathlib import Path
from typing import Any

from prevalence.files import write_json
from prevalence.job import run_job
from prevalence.manifest import parse_manifest, verify_file


def main(job: Any) -> None:
    """Write the marker of a verified file: its name, SHA-256 and size."""
    manifest = Path(job.input.manifest)
    declared = parse_manifest(manifest.read_text(encoding="utf-8", errors="replace"), manifest)
    write_json(verify_file(job.input.raw, manifest.parent, declared), job.output.marker)


if __name__ == "__main__":
    run_job(main, snakemake)
