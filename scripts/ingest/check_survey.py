"""Check a survey's files without running anything: config, codebook, export, known groups."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prevalence.codebook import Codebook, parse_codebook
from prevalence.config import check_survey, check_survey_id, read_config, survey_schema
from prevalence.errors import PipelineError
from prevalence.exports import read_export
from prevalence.files import read_yaml
from prevalence.manifest import check_present
from prevalence.responses import check_labels
from prevalence.side_tables import arrange_table, complete_known_groups, parse_table

SCHEMAS = Path("workflow/schemas/survey")


class Findings(list[PipelineError]):
    """What was found to be wrong; a check that fails doesn't keep the others from being made."""

    def of(self, check: Callable[[], Any]) -> Any:
        """Make a check; None where it fails."""
        try:
            return check()
        except PipelineError as error:
            self.append(error)
            return None


def checked_config(survey: str) -> dict[str, Any]:
    """Read and check the survey's config."""
    file = Path("config/surveys") / f"{survey}.yaml"
    check_survey_id(survey, str(file), set())
    config: dict[str, Any] = read_config(file)
    sections = {path.stem: read_yaml(path) for path in sorted(SCHEMAS.glob("*.yaml"))}
    check_survey(config, survey_schema(sections), str(file))
    return config


def check_known(folder: Path, ingest: dict[str, Any], codebook: Codebook) -> None:
    """Check the table of known groups by the codebook."""
    file = folder / ingest["tables"]["known_groups"]
    table = parse_table(file.read_bytes(), file)
    arrange = (ingest.get("arrange") or {}).get("known_groups")
    complete_known_groups(arrange_table(table, arrange, None, file), codebook, file)


def check(survey: str) -> list[PipelineError]:
    """Everything that can be found wrong without running a step."""
    found = Findings()
    check_survey_id(survey, f"config/surveys/{survey}.yaml", set())
    found.of(lambda: checked_config(survey))
    try:
        ingest = read_yaml(Path("config/surveys") / f"{survey}.yaml")["ingest"]
        names = [ingest["responses"], *(ingest.get("tables") or {}).values()]
        folder, book = Path("data/raw") / survey, Path(ingest["codebook"])
    except (PipelineError, KeyError, TypeError, AttributeError):
        return found  # the message on the config says why
    found.of(lambda: check_present(survey, names, str(book), manifest=False))
    codebook = found.of(lambda: parse_codebook(book.read_bytes(), book)) if book.exists() else None
    responses = folder / ingest["responses"]
    if codebook and responses.exists():
        export = found.of(lambda: read_export(responses, ingest.get("reader")))
        if export:
            found.of(lambda: check_labels(export, codebook, responses))
    known = (ingest.get("tables") or {}).get("known_groups")
    if codebook and known and (folder / known).exists():
        found.of(lambda: check_known(folder, ingest, codebook))
    elif known and (folder / known).exists():
        found.of(lambda: parse_table((folder / known).read_bytes(), folder / known))
    return found


def main() -> int:
    """Parse the command line and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", required=True)
    survey = parser.parse_args().survey
    try:
        found = check(survey)
    except PipelineError as error:
        found = [error]
    for error in found:
        print(error, file=sys.stderr, end="\n\n")
    if found:
        return 1
    print(f"{survey}: config, codebook, export and known groups fit one another.")
    if not (Path("data/raw") / survey / "MANIFEST.sha256").exists():
        print(f'Declare the raw files: make manifest SURVEY={survey} REASON="first delivery"')
    print(f"Then: .venv/bin/snakemake {survey}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
