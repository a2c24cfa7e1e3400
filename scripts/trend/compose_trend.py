"""Compose the source of a trend report from what was released."""

import shutil
from pathlib import Path
from typing import Any

from prevalence.codebook import Codebook, parse_codebook
from prevalence.figures.trend import ruled
from prevalence.files import read_csv, read_json, read_yaml, write_json, write_text
from prevalence.fonts import copy_fonts
from prevalence.identity import content_hash, value_hash
from prevalence.job import run_job
from prevalence.report.compose import LABEL
from prevalence.report.material import Material
from prevalence.report.reference_document import reference_document
from prevalence.waves.report import composed

TEXT = {".qmd", ".css", ".csl", ".lua", ".typ", ".html", ".bib", ".yml"}
TABLES = ("levels", "changes", "controls", "comparability", "validation")


def identity_of(job: Any) -> str:
    """Hash both runs' identities with the code and the choices of the comparison."""
    runs = [
        read_json(job.input.get(f"{wave}_identity"))["identity"] for wave in ("earlier", "later")
    ]
    files = [Path(path) for path in [*job.input.trend_code, *job.input.source]]
    code = content_hash({path.as_posix(): path.read_text(encoding="utf-8") for path in files})
    return value_hash([runs, code, job.params.psus, job.params.seed])[:12]


def figures_of(files: list[str]) -> dict[str, dict[str, str]]:
    """Texts and data of every figure, by its name."""
    return {
        name: {**words, "csv": Path(file).with_suffix(".csv").read_text(encoding="utf-8")}
        for file in files
        for name, words in read_json(file).items()
    }


def labels_of(codebook: Codebook, known: list[str]) -> dict[str, str]:
    """Labels of questions by the codebook, and of known groups as the report has them."""
    asked = {
        name: entry.label
        for entry in codebook.variables
        if entry.role in ("known", "child", "hidden", "hidden_item")
        for name in (entry.group, entry.name)
    }
    for path in known:
        table = read_csv(path)
        asked |= dict(zip(table["group"], table["label"], strict=True))
    return asked


def main(job: Any) -> None:
    """Write the composed source and what identifies it."""
    later, earlier = job.params.later, job.params.earlier
    years = (int(earlier["survey"]["year"]), int(later["survey"]["year"]))
    codebook = parse_codebook(Path(job.input.codebook).read_bytes(), job.input.codebook)
    identity = {"identity": identity_of(job)}
    title = f"Change from {years[0]} to {years[1]}"
    subtitle = f"{later['survey']['title']}. {later['survey'].get('subtitle') or ''}".strip()
    synthetic = any(bool(wave["survey"]["synthetic"]) for wave in (earlier, later))
    hidden = [wave["estimate"]["hidden_groups"] for wave in (later, earlier)]
    groups = {"hidden_groups": ruled(*hidden)}
    material = Material(
        survey_id=job.wildcards.survey,
        survey={**later["survey"], "title": title, "subtitle": subtitle, "synthetic": synthetic},
        report=later["report"],
        estimate={**later["estimate"], "level": earlier["estimate"]["level"], **groups},
        headline=earlier["headline"],
        tables={},
        figures=figures_of(list(job.input.figures)),
        identity=identity,
        renderer=job.params.renderer,
        policy=read_yaml(job.input.policy),
        labels=labels_of(codebook, list(job.input.known)),
        places=(later.get("figures") or {}).get("names") or {},
    )
    root = next(Path(path).parent for path in job.input.source if path.endswith("trend.qmd"))
    source = {
        Path(path).relative_to(root).as_posix(): Path(path).read_text(encoding="utf-8")
        for path in job.input.source
        if Path(path).suffix in TEXT
    }
    tables = {name: read_csv(job.input.get(name)) for name in TABLES}
    texts = composed(material, tables, years, source, read_yaml(root / "_quarto.yml"))
    target = Path(job.output.source)
    for path, text in texts.items():
        write_text(text, target / path)
    label = LABEL if material.synthetic else ""
    document = reference_document(title, label, identity["identity"])
    (target / "templates" / "reference.docx").write_bytes(document)
    copy_fonts(target / "fonts")
    (target / "figures").mkdir(exist_ok=True)
    for file in job.input.figures:
        for suffix in ("svg", "png"):
            picture = Path(file).with_suffix(f".{suffix}")
            shutil.copyfile(picture, target / "figures" / picture.name)
    write_json(identity, job.output.identity)


if __name__ == "__main__":
    run_job(main, snakemake)
