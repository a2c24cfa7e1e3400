"""Render the composed trend report in one format."""

from pathlib import Path
from typing import Any

from prevalence.files import replacing
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the report."""
    if job.params.renderer == "quarto":
        from prevalence.report.render_quarto import rendered
    else:
        from prevalence.report.render_builtin import rendered

    content = rendered(Path(job.input.source), job.wildcards.format, "trend")
    with replacing(job.output.report) as partial:
        partial.write_bytes(content)


if __name__ == "__main__":
    run_job(main, snakemake)
