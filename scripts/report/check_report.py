"""Check every staged file of a survey: all of them pass, or none."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from prevalence.config import check_config
from prevalence.disclosure.gate import (
    Allowed,
    Finding,
    Gate,
    allowed_numbers,
    refuse,
    required_texts,
    withheld_cells,
)
from prevalence.disclosure.numbers import Places, words_in
from prevalence.disclosure.pieces import digest
from prevalence.disclosure.publishing import described, digests, written
from prevalence.disclosure.wording import word_findings
from prevalence.errors import PipelineError, listed
from prevalence.files import read_csv, read_json, read_yaml, write_json
from prevalence.identifier_scan import words_of
from prevalence.job import LOG, run_job
from prevalence.processes import in_processes
from prevalence.report.derived import derived_tables
from prevalence.report.story import ILLUSTRATION, NOT_STATED
from prevalence.terminology import Terminology


def declared_files(job: Any) -> list[str]:
    """Paths below the staged folder that the rules declare."""
    staged = Path(job.input.results).parent
    groups = (job.input.reports, [job.input.results], job.input.figures, job.input.pictures)
    return [Path(path).relative_to(staged).as_posix() for group in groups for path in group]


def meanings(sidecar: dict[str, Any]) -> list[str]:
    """List the meanings of a table's columns: words of the contracts, reviewed as code is."""
    columns = sidecar["tableSchema"]["columns"]
    words = [str(part.get("dc:description", "")) for part in [sidecar, *columns]]
    return [str(sidecar["@context"]), *words]


def hashes(identity: dict[str, Any], sidecars: dict[str, dict[str, Any]]) -> list[str]:
    """List the hashes that are printed: their digits may look like a telephone number."""
    found = [str(identity["identity"]), str(identity.get("sha256", ""))]
    found += [str(value["schema:sha256"]) for value in sidecars.values()]
    for part in ("parts", "raw_files", "released"):
        found += [str(value) for value in identity.get(part, {}).values()]
    found += [value[:12] for value in found]  # as a table prints them
    return sorted(filter(None, found), key=len, reverse=True)


def table_words(tables: dict[str, pd.DataFrame]) -> list[str]:
    """Every text of the released tables, and the names of their columns."""
    found = []
    for table in tables.values():
        found += [str(column) for column in table.columns]
        found += [
            str(text)
            for column in table.columns
            for text in table[column].unique()
            if isinstance(text, str)
        ]
    return found


def staged_files(staged: Path, declared: Collection[str]) -> dict[str, bytes]:
    """Read every declared file under the staged folder.

    What else is there, such as the figure of an option that the config no longer has, is left
    aside: what isn't read can't pass, and what didn't pass isn't published. The report's composed
    source belongs there. Nothing but plain files may be there: what a link points to could be
    anything.
    """
    source = staged / "source"
    paths = [
        path
        for path in sorted(staged.rglob("*"))
        if source not in path.parents and path != source and not path.name.startswith(".snakemake")
    ]
    strange = [
        path.relative_to(staged).as_posix()
        for path in [staged, *paths]
        if path.is_symlink() or not (path.is_file() or path.is_dir())
    ]
    if strange:
        raise PipelineError(
            "Something that isn't a plain file stands among the staged files.",
            file=staged,
            place=listed(strange),
            allowed="files and folders, no links",
            remedy="Remove it; nothing was published.",
        )
    files = {path.relative_to(staged).as_posix(): path for path in paths if path.is_file()}
    left = [name for name in files if name not in declared]
    if left:
        told = "Left aside, as no rule of this run makes them: %d (%s)."
        LOG.info(told, len(left), listed(left))
    return {name: path.read_bytes() for name, path in files.items() if name in declared}


def main(job: Any) -> None:
    """Check the report, its figures, the released tables and their descriptions."""
    staged = Path(job.input.results).parent
    files = staged_files(staged, declared_files(job))
    tables = {Path(path).stem: read_csv(path) for path in job.input.tables}
    released_files = {
        f"tables/{Path(path).name}": Path(path).read_bytes() for path in job.input.tables
    }
    identity = read_json(job.input.identity)
    synthetic = bool(job.params.config["survey"]["synthetic"])
    sidecars = described(released_files, identity["released"], synthetic=synthetic)
    files |= released_files | written(sidecars)
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
    hidden = job.params.config["estimate"]["hidden_groups"]
    lines = [str(n) for line in report.get("help_lines") or [] for n in line.get("numbers", [])]
    studies = {
        Path(path).stem: read_csv(path) for path in job.input.reference if path.endswith(".csv")
    }
    coverage, level = studies.pop("coverage", None), job.params.config["estimate"]["level"]
    shown = derived_tables(tables, coverage, job.params.config["headline"], level)
    told = {f"study_{name}": table for name, table in studies.items()}
    declared = [*declared_files(job), *released_files, *sidecars]
    reviewed.append("\n".join(declared))
    known = words_of("\n".join([*reviewed, *table_words(tables)]))
    allowed = Allowed(
        declared=declared,
        vocabulary=frozenset(known),
        numbers=allowed_numbers(tables | told | shown, reviewed),
        texts=[*lines, *(line.split(" ")[0] for line in lines), *hashes(identity, sidecars)],
        required=required_texts(
            job.params.config["survey"],
            report,
            str(identity["identity"]),
            populations={group["population"] for group in hidden.values()},
            unstated=NOT_STATED,
        ),
        withheld=withheld_cells(tables, job.params.config["headline"]["estimator"]),
        places=Places(tables | shown),
        words=words_in([*reviewed, *table_words(tables)]),
        reviewed="\n".join(reviewed),
        embedded=frozenset(
            digest("derived.csv", table.to_csv(index=False).encode()) for table in shown.values()
        ),
        programs=str(job.params.renderer).startswith("quarto"),
    )
    config = read_yaml(job.input.words)
    check_config(config, read_yaml(job.input.words_schema), job.input.words)
    gate, terminology = Gate(files, allowed), Terminology.from_config(config)

    def checked(name: str) -> tuple[list[Finding], list[Finding], list[Finding]]:
        found = gate.findings(name)
        return (found, [], []) if found else (found, *word_findings(name, files[name], terminology))

    # The largest first, so that no process is left with one at the end.
    names = sorted(files, key=lambda name: -len(files[name]))
    results = dict(zip(names, in_processes(checked, names, job.threads), strict=True))
    parts = [results[name] for name in sorted(files)]
    found = [finding for part, _, _ in parts for finding in part] + gate.missing()
    refuse(found or [finding for _, stops, _ in parts for finding in stops], staged)
    advice = [finding for _, _, part in parts for finding in part]
    for finding in advice:
        LOG.info("%s (%s): %r: %s", finding.file, finding.place, finding.found, finding.problem)
    LOG.info("%d files passed; %d words to think about.", len(files), len(advice))

    write_json(digests(files), job.output.passed)


if __name__ == "__main__":
    run_job(main, snakemake)
