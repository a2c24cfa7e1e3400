"""The report's page on the last run as it stands, in seconds and without Snakemake: for a look.

Nothing is checked for disclosure, and nothing is published: only the pipeline does that.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from compose_report import material_of, write_source

from prevalence.config import read_survey, setting
from prevalence.errors import PipelineError, listed
from prevalence.figures.catalogue import FIGURES, section_figures
from prevalence.files import read_yaml, replacing
from prevalence.report.inputs import REPORTED, STUDIES, source_files, study_files
from prevalence.report.render_builtin import rendered
from prevalence.report.renderers import renderer_identity


def job_of(survey: str, config: dict[str, Any], run: Path) -> SimpleNamespace:
    """Name what the rule `compose_report` would read, all of it where the last run left it."""
    staged = run / "staged" / "figures"
    figures = [name for section in FIGURES for name in section_figures(config, section)]
    inputs = SimpleNamespace(
        tables=[run / "release" / f"{name}.csv" for name in REPORTED],
        figures=[staged / f"{name}.json" for name in figures],
        pictures=[staged / f"{name}.svg" for name in figures],  # Word alone takes the others
        identity=run / "audit" / "identity.json",
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
        codebook=config["ingest"]["codebook"],
        reference=study_files(Path("data/reference"), STUDIES),
        source=source_files(Path("reports")),
    )
    params = {
        "figures": None,
        "release": {},
        **config,
        "replication": setting(config, "weight.replication.method"),
        "renderer": renderer_identity("builtin"),
    }
    wildcards = SimpleNamespace(survey=survey)
    return SimpleNamespace(wildcards=wildcards, input=inputs, params=SimpleNamespace(**params))


def check_run(job: Any, run: Path) -> None:
    """Refuse a survey that wasn't run, or not with the config that it has now."""
    made = [job.input.identity, *job.input.tables, *job.input.figures, *job.input.pictures]
    absent = [path.relative_to(run).as_posix() for path in made if not path.is_file()]
    if absent:
        raise PipelineError(
            "There is no whole run of the survey to look at.",
            file=run,
            found=f"no {listed(absent, 4)}",
            allowed="tables, figures and identity, as a run with this config leaves them",
            remedy=f"Run it first: .venv/bin/snakemake {job.wildcards.survey}",
        )


def preview(survey: str) -> Path:
    """Write the page and give its path: not among the staged files, which are for publication."""
    run = Path("data/processed") / survey
    job = job_of(survey, read_survey(survey), run)
    check_run(job, run)
    with tempfile.TemporaryDirectory() as scratch:
        write_source(job, material_of(job, read_yaml(job.input.findings)), Path(scratch))
        page = rendered(Path(scratch), "html")
    target = run / "preview.html"
    with replacing(target) as partial:
        partial.write_bytes(page)
    return target


def main() -> int:
    """Parse the command line and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--survey", required=True)
    try:
        target = preview(parser.parse_args().survey)
    except PipelineError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"page: {target}")
    print("A preview on the last run's tables and figures, unchecked: make report publishes.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
