"""Check every staged file of a survey, and publish what passes: all of it or nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from prevalence.audit.sidecar import SUFFIX, sidecar
from prevalence.config import check_config
from prevalence.contracts.dictionary import contracts_of
from prevalence.disclosure.extraction import pieces
from prevalence.disclosure.gate import (
    Allowed,
    Finding,
    allowed_numbers,
    check_files,
    refuse,
    required_texts,
    withheld_cells,
)
from prevalence.files import read_csv, read_json, read_yaml, replacing, write_json
from prevalence.job import run_job
from prevalence.report.derived import derived_tables
from prevalence.report.story import ILLUSTRATION
from prevalence.terminology import Terminology


def declared_files(job: Any) -> list[str]:
    """Paths below the staged folder that the rules declare."""
    staged = Path(job.input.results).parent
    groups = (job.input.reports, [job.input.results], job.input.figures, job.input.pictures)
    return [Path(path).relative_to(staged).as_posix() for group in groups for path in group]


def described(
    paths: list[Path], identity: dict[str, Any], *, synthetic: bool
) -> dict[str, dict[str, Any]]:
    """Describe each published table in a file beside it."""
    contracts = contracts_of("release")
    return {
        f"tables/{path.name}{SUFFIX}": sidecar(
            path.name, path.read_bytes(), contracts.get(path.stem), identity, synthetic=synthetic
        )
        for path in paths
    }


def meanings(sidecar: dict[str, Any]) -> list[str]:
    """List the meanings of a table's columns: words of the contracts, reviewed as code is."""
    columns = sidecar["tableSchema"]["columns"]
    return [str(part.get("dc:description", "")) for part in [sidecar, *columns]]


def hashes(identity: dict[str, Any], sidecars: dict[str, dict[str, Any]]) -> list[str]:
    """List the hashes that are printed: their digits may look like a telephone number."""
    found = [str(identity["identity"]), str(identity.get("sha256", ""))]
    found += [str(value["schema:sha256"]) for value in sidecars.values()]
    for part in ("parts", "raw_files", "released"):
        found += [str(value) for value in identity.get(part, {}).values()]
    found += [value[:12] for value in found]  # as a table prints them
    return sorted(filter(None, found), key=len, reverse=True)


def word_findings(files: dict[str, bytes], words: Terminology) -> list[Finding]:
    """Check the words of the rendered files and of the figures."""
    found = []
    for name, content in files.items():
        texts = [p.text for p in pieces(name, content) if p.kind in ("text", "tick")]
        breaches = words.breaches("\n".join(texts), name, report=True)
        if name.endswith((".html", ".docx")):
            breaches += words.lone_sentences(texts, name)
        found += [
            Finding(b.file, f"line {b.line} of its text", f"Write {b.instead!r}. {b.why}", b.found)
            for b in breaches
        ]
    return found


def main(job: Any) -> None:
    """Publish the report, its figures and the released tables."""
    staged = Path(job.input.results).parent
    source = staged / "source"
    files = {
        path.relative_to(staged).as_posix(): path.read_bytes()
        for path in sorted(staged.rglob("*"))
        if path.is_file() and source not in path.parents and not path.name.startswith(".snakemake")
    }
    tables = {Path(path).stem: read_csv(path) for path in job.input.tables}
    released_files = {f"tables/{Path(path).name}": Path(path) for path in job.input.tables}
    files |= {name: path.read_bytes() for name, path in released_files.items()}
    identity = read_json(job.input.identity)
    synthetic = bool(job.params.config["survey"]["synthetic"])
    sidecars = described(list(released_files.values()), identity["released"], synthetic=synthetic)
    files |= {name: json.dumps(value).encode() for name, value in sidecars.items()}
    reviewed = [
        Path(path).read_text(encoding="utf-8")
        for path in [*job.input.texts, job.input.findings, job.input.identity]
    ]
    records = [Path(path) for path in job.input.reference if path.endswith(".json")]
    reviewed += [path.read_text(encoding="utf-8") for path in [*records, Path(job.input.policy)]]
    reviewed.append(yaml.safe_dump(job.params.config, allow_unicode=True))
    reviewed += [meaning for value in sidecars.values() for meaning in meanings(value)]
    reviewed += [job.params.renderer, *ILLUSTRATION.values()]
    report = job.params.config["report"]
    lines = [str(n) for line in report.get("help_lines") or [] for n in line.get("numbers", [])]
    coverage = next((read_csv(path) for path in job.input.reference if path.endswith(".csv")), None)
    shown = derived_tables(tables, coverage, job.params.config["headline"])
    allowed = Allowed(
        declared=[*declared_files(job), *released_files, *sidecars],
        numbers=allowed_numbers(tables | shown, reviewed),
        texts=[*lines, *(line.split(" ")[0] for line in lines), *hashes(identity, sidecars)],
        required=required_texts(job.params.config["survey"], report, str(identity["identity"])),
        withheld=withheld_cells(tables),
    )
    config = read_yaml(job.input.words)
    check_config(config, read_yaml(job.input.words_schema), job.input.words)
    found = check_files(files, allowed)
    if not found:
        found = word_findings(files, Terminology.from_config(config))
    refuse(found, staged)

    for path in job.output.reports:
        with replacing(path) as partial:
            shutil.copyfile(staged / Path(path).name, partial)
    figures, released = Path(job.output.figures), Path(job.output.tables)
    figures.mkdir(parents=True, exist_ok=True)
    released.mkdir(parents=True, exist_ok=True)
    for name in files:
        if name.startswith("figures/") and not name.endswith(".json"):
            shutil.copyfile(staged / name, figures / Path(name).name)
    for path in released_files.values():
        shutil.copyfile(path, released / path.name)
    for name, value in sidecars.items():
        write_json(value, released / Path(name).name)


if __name__ == "__main__":
    run_job(main, snakemake)
