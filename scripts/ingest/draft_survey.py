"""Draft the files of a new survey from its export: config, codebook, known groups; once."""

import argparse
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from prevalence.config import check_survey_id
from prevalence.drafting.draft import (
    codebook_text,
    columns_of,
    draft_codebook,
    draft_config,
    known_groups_text,
)
from prevalence.drafting.xlsform import parse_xlsform
from prevalence.errors import PipelineError, listed
from prevalence.exports import Export, read_export
from prevalence.files import replacing, write_text
from prevalence.identifier_scan import scan_export
from prevalence.open_decisions import MARK
from prevalence.references import check_reader


def rule_names() -> set[str]:
    """Names that a survey cannot have: those of the rules."""
    texts = [path.read_text(encoding="utf-8") for path in Path("workflow/rules").glob("*.smk")]
    texts.append(Path("Snakefile").read_text(encoding="utf-8"))
    return set(re.findall(r"^rule (\w+):", "\n".join(texts), re.M))


def targets(survey: str, export: Path) -> dict[str, Path]:
    """Where the files of the new survey go; none of them may be there."""
    raw = Path("data/raw") / survey
    files = {
        "config": Path("config/surveys") / f"{survey}.yaml",
        "codebook": Path("config/codebooks") / f"{survey}.csv",
        "responses": raw / f"{survey}{export.suffix.lower()}",
        "known_groups": raw / "known_groups.csv",
    }
    there = [str(path) for path in files.values() if path.exists()]
    if there:
        raise PipelineError(
            "A survey of this id is there already; nothing was written.",
            file=there[0],
            found=listed(there),
            allowed="an id that no survey has",
            remedy="Choose another id, or take these files away yourself.",
        )
    return files


def form_of(path: str) -> tuple[Export, Export | None]:
    """Read the sheets of an XLSForm."""
    survey = read_export(path, {"sheet": "survey"})
    try:
        return survey, read_export(path, {"sheet": "choices"})
    except PipelineError as error:
        if "no such sheet" in error.problem:
            return survey, None
        raise


def reader_of(text: str, export_file: str) -> dict[str, Any]:
    """Take options such as ``delimiter=; missing=NA,.`` apart."""
    pairs = [word.partition("=") for word in shlex.split(text.replace("\\t", "'\t'"))]
    options: dict[str, Any] = {name: value for name, _, value in pairs}
    check_reader(options, export_file, "make new-survey", "READER")
    if "missing" in options:
        options["missing"] = options["missing"].split(",")
    return options


def exported(path: Path, reader: dict[str, Any]) -> Export:
    """Read the export; what the config would have to say of it is said on the command line."""
    try:
        return read_export(path, reader)
    except PipelineError as error:
        option = re.search(r"ingest\.reader\.(\w+)", f"{error.remedy}")
        if option:
            error.remedy += f' For the draft: make new-survey … READER="{option[1]}=…"'
        raise


def draft(survey: str, export_file: str, form_file: str, reading: str) -> str:
    """Write the drafts and return what to say."""
    if not (survey and export_file):
        raise PipelineError(
            "A draft needs an id and an export.",
            found=f"ID={survey} EXPORT={export_file}",
            remedy="Call make new-survey ID=pilot EXPORT=path/to/export.sav",
        )
    check_survey_id(survey, f"config/surveys/{survey}.yaml", rule_names())
    export_path = Path(export_file)
    files = targets(survey, export_path)
    reader = reader_of(reading, export_file)
    export = exported(export_path, reader)
    form = parse_xlsform(*form_of(form_file), form_file) if form_file else {}
    columns = columns_of(export, form)
    identifying = scan_export(export)
    rows = draft_codebook(columns, identifying)
    config = draft_config(survey, files["responses"].name, rows, reader)
    texts = {
        "codebook": codebook_text(rows),
        "known_groups": known_groups_text(rows, columns),
        "config": config,
    }
    with replacing(files["responses"]) as partial:
        shutil.copyfile(export_path, partial)
    for name, text in texts.items():
        write_text(text, files[name])
    ignored = [row["raw"] for row in rows if row["role"] == "ignore" and row["raw"] in identifying]
    open_places = config.count(f'"{MARK}')
    open_lines = sum(MARK in "".join(row.values()) for row in rows)
    said = [f"{export.n:,} interviews, {len(rows)} variables.", "Drafted:"]
    said += [f"  {path}" for path in files.values()]
    if ignored:
        said.append(f"Not read, since they look like identifiers: {listed(ignored)}.")
    said.append(
        f"Decisions left: {open_places} in the config, {open_lines} lines of the codebook, and the "
        f"sizes of the known groups. Look for {MARK}; then make check-survey ID={survey}."
    )
    return "\n".join(said)


def main() -> int:
    """Parse the command line and draft."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", required=True)
    parser.add_argument("--export", required=True)
    parser.add_argument("--xlsform", default="")
    parser.add_argument("--reader", default="")
    given = parser.parse_args()
    try:
        print(draft(given.survey, given.export, given.xlsform, given.reader))
    except PipelineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
