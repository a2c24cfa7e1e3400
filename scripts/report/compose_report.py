"""Compose the source of a survey's report from what was released, and its results for machines."""

import shutil
from pathlib import Path
from typing import Any

from prevalence.codebook import parse_codebook
from prevalence.config import check_config
from prevalence.files import read_csv, read_json, read_yaml, write_json, write_text
from prevalence.fonts import copy_fonts
from prevalence.job import run_job
from prevalence.report.compose import LABEL, START, composed
from prevalence.report.material import Material
from prevalence.report.results import results

STRINGS = "strings"
PICTURES = (".svg", ".png")
TEXT = {".qmd", ".css", ".csl", ".lua", ".typ", ".html", ".bib", ".yml"}


def figures_of(files: list[str]) -> dict[str, dict[str, str]]:
    """Texts and data of every figure, by its name."""
    figures = {}
    for file in files:
        for name, words in read_json(file).items():
            data = Path(file).parent / f"{name}.csv"
            csv = data.read_text(encoding="utf-8") if data.exists() else ""
            figures[name] = {**words, "csv": csv}
    return figures


def reference_of(files: list[str]) -> dict[str, Any]:
    """Tables that were computed outside of the run, and the record of how."""
    found: dict[str, Any] = {}
    for path in map(Path, files):
        if path.suffix == ".csv":
            found[path.stem] = read_csv(path)
        else:
            found[f"{path.stem}_record"] = read_json(path)
    return found


def translations_of(root: Path, survey: str, languages: list[str]) -> dict[str, dict[str, Any]]:
    """Strings of the summary in the languages that the survey's config asks for."""
    return {
        language: read_yaml(root / STRINGS / f"{survey}.{language}.yml") for language in languages
    }


def root_of(job: Any) -> Path:
    """Find the folder of the report's source."""
    return next(Path(path).parent for path in job.input.source if Path(path).name == START)


def material_of(job: Any, published: dict[str, Any]) -> Material:
    """Gather all that the report may say something about."""
    survey, codebook = job.wildcards.survey, Path(job.input.codebook)
    return Material(
        survey_id=survey,
        survey=job.params.survey,
        report=job.params.report,
        estimate=job.params.estimate,
        headline=job.params.headline,
        tables={Path(path).stem: read_csv(path) for path in job.input.tables},
        figures=figures_of(list(job.input.figures)),
        published=published if job.params.survey.get("mirror") else None,
        identity=read_json(job.input.identity),
        renderer=job.params.renderer,
        weight=job.params.weight,
        release=job.params.release,
        policy=read_yaml(job.input.policy),
        labels={
            name: entry.label
            for entry in parse_codebook(codebook.read_bytes(), codebook).variables
            if entry.role in ("known", "child", "hidden", "hidden_item")
            for name in (entry.group, entry.name)
        },
        places=(job.params.figures or {}).get("names") or {},
        reference=reference_of(list(job.input.reference)),
        translations=translations_of(
            root_of(job), survey, job.params.report.get("translations") or []
        ),
    )


def write_source(job: Any, material: Material, target: Path) -> None:
    """Compose the source from the prose and the material, and write it with the pictures."""
    root = root_of(job)
    source = {
        Path(path).relative_to(root).as_posix(): Path(path).read_text(encoding="utf-8")
        for path in job.input.source
        if Path(path).suffix in TEXT
    }
    for path, text in composed(material, source, read_yaml(root / "_quarto.yml")).items():
        write_text(text, target / path)
    (target / "figures").mkdir(exist_ok=True)
    for picture in map(Path, job.input.pictures):
        if picture.suffix in PICTURES:
            shutil.copyfile(picture, target / "figures" / picture.name)


def main(job: Any) -> None:
    """Write the composed source and the results."""
    from prevalence.report.reference_document import reference_document

    published = read_yaml(job.input.findings)
    check_config(published, read_yaml(job.input.findings_schema), job.input.findings)
    material = material_of(job, published)
    numbers = results(material)
    check_config(numbers, read_yaml(job.input.results_schema), job.output.results)

    target = Path(job.output.source)
    write_source(job, material, target)
    label = LABEL if material.synthetic else ""
    identity = str(material.identity["identity"])
    reference = reference_document(material.survey["title"], label, identity)
    (target / "templates" / "reference.docx").write_bytes(reference)
    copy_fonts(target / "fonts")
    write_json(numbers, job.output.results)


if __name__ == "__main__":
    run_job(main, snakemake)
