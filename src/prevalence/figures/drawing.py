"""From a job's released tables to the files of a section's figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from prevalence.codebook import parse_codebook
from prevalence.figures.style import Drawing, Sheet, save
from prevalence.figures.words import Words
from prevalence.files import read_csv, read_json, read_yaml, replacing, write_csv, write_json

# The table without which a figure has nothing to show; the scale-up table if it isn't named here.
NEEDED = {
    "sample_flow": "sample_flow",
    "weights": "weighting",
    "degree_distribution": "degree_distribution",
    "data_quality": "data_quality",
    "margins": "margins",
    "response": "response_rates",
    "known_groups": "known_groups",
    "specification_curve": "specifications",
    "tornado": "sensitivity",
    "contour": "sensitivity",
    "coverage": "coverage",
    "predictive": "predictive",
    "shrinkage": "small_areas",
    "area_distribution": "area_distribution",
}
NOTHING = "There is nothing that may be shown here."
COUNT_ROLES = ("known", "child", "hidden", "hidden_item")


def draw(job: Any, section: ModuleType) -> None:
    """Draw the figures that a job declares and write the four files of each.

    Parameters
    ----------
    job
        Snakemake's object. In: `tables`, `findings`, `policy`, and where needed `codebook` and
        `reference`; params `survey`, `estimate`, `headline`, `report` (words for groups, domains
        and terms) and `places`; out: `svg`, `png`, `csv` and `words`, a file of each for every
        figure.
    section
        The module with a function of each figure's name, or `figure(name)` which gives one.
    """
    tables: dict[str, Any] = {Path(file).stem: read_csv(file) for file in job.input.tables}
    for file in job.input.get("reference", []):
        if file.endswith(".json"):
            tables[f"{Path(file).stem}_record"] = read_json(file)
        else:
            tables[Path(file).stem] = read_csv(file)
    words = words_of(job)
    files = zip(job.output.svg, job.output.png, job.output.csv, job.output.words, strict=True)
    for svg, png, csv, said in files:
        name = Path(svg).stem
        drawing = drawn(section, name, tables, words)
        with replacing(svg) as first, replacing(png) as second:
            save(drawing.figure, str(first), str(second))
        write_csv(drawing.data, csv)
        text = {"alt": drawing.alt, "caption": drawing.caption, "rule": job.rule}
        write_json({name: text}, said)


def drawn(section: ModuleType, name: str, tables: Mapping[str, Any], words: Words) -> Drawing:
    """Draw a figure, or say in its place that there is nothing that may be shown.

    Parameters
    ----------
    section
        The module with the figure.
    name
        Name of the figure.
    tables
        Released tables and reference results by name.
    words
        The survey's words.

    Returns
    -------
    Drawing
        With the abbreviations explained in its caption.
    """
    function = getattr(section, name, None) or section.figure(name)
    needed = tables.get(NEEDED.get(name, "scale_up"))
    if needed is None or not len(needed):
        return empty(words)
    return explained(function(tables, words), words)


def empty(words: Words) -> Drawing:
    """Give a sheet that says that there is nothing to show."""
    import pandas as pd

    sheet = Sheet(words)
    sheet.paragraph(NOTHING)
    return Drawing(sheet.close(), pd.DataFrame({"shown": []}), alt=NOTHING, caption=NOTHING)


def words_of(job: Any) -> Words:
    """Collect what figures say from a job's config values and files."""
    findings = read_yaml(job.input.findings)["findings"] if job.params.survey.get("mirror") else []
    items = {}
    if job.input.get("codebook"):
        codebook = parse_codebook(Path(job.input.codebook).read_bytes(), job.input.codebook)
        items = {
            str(entry.group or entry.name): str(entry.label)
            for entry in codebook.variables
            if entry.role in COUNT_ROLES
        }
    return Words(
        survey=job.params.survey,
        estimate=job.params.estimate,
        headline=job.params.headline,
        findings=findings,
        report=job.params.report,
        places=job.params.places or {},
        precision=read_yaml(job.input.policy)["precision"],
        items=items,
    )


def explained(drawing: Drawing, words: Words) -> Drawing:
    """Explain the abbreviations in a picture at the end of its caption."""
    from matplotlib.text import Text

    shown = " ".join(text.get_text() for text in drawing.figure.findobj(Text))
    notes = " ".join(words.abbreviations(shown))
    caption = f"{drawing.caption}. {notes}" if notes else f"{drawing.caption}."
    return Drawing(drawing.figure, drawing.data, drawing.alt, caption)
