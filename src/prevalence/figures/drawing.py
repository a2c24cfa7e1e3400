"""From a job's released tables to the files of one figure."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from prevalence.figures.style import Drawing, Words, save
from prevalence.files import read_csv, read_yaml, replacing, write_csv, write_json


def draw(job: Any, section: ModuleType) -> None:
    """Draw the figure that the job's wildcard names and write its four files.

    Parameters
    ----------
    job
        Snakemake's object: `tables` and `findings` in, `svg`, `png`, `csv` and `words` out.
    section
        The module with a function of the figure's name.
    """
    tables = {Path(file).stem: read_csv(file) for file in job.input.tables}
    findings = read_yaml(job.input.findings)["findings"] if job.params.survey.get("mirror") else []
    words = Words(job.params.survey, job.params.estimate, job.params.headline, findings)
    drawing: Drawing = getattr(section, job.wildcards.figure)(tables, words)
    with replacing(job.output.svg) as svg, replacing(job.output.png) as png:
        save(drawing.figure, str(svg), str(png))
    write_csv(drawing.data, job.output.csv)
    said = {"alt": drawing.alt, "caption": drawing.caption, "rule": job.rule}
    write_json({job.wildcards.figure: said}, job.output.words)
