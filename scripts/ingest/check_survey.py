"""Check a survey's files without writing anything: config, codebook, export, side tables."""

import argparse
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prevalence.codebook import Codebook, parse_codebook
from prevalence.config import check_survey_id, read_survey
from prevalence.contracts.ingest import SIDE_TABLES
from prevalence.errors import PipelineError, in_config
from prevalence.exports import Export, read_export
from prevalence.files import read_yaml
from prevalence.identifier_scan import check_identifiers, exempt_columns, scan_export
from prevalence.manifest import check_present
from prevalence.references import check_citations
from prevalence.rehearsal import rehearsed
from prevalence.responses import check_labels, type_responses
from prevalence.side_tables import arrange_table, checked_table, complete_known_groups, parse_table


class Findings(list[PipelineError]):
    """What was found to be wrong; a check that fails doesn't keep the others from being made."""

    def of(self, check: Callable[[], Any]) -> Any:
        """Make a check; None where it fails."""
        try:
            return check()
        except PipelineError as error:
            self.append(error)
            return None


def table_of(name: str, file: Path, arrange: Any, codebook: Codebook | None, key: str) -> Any:
    """Read a side table and check it by its contract, known groups by the codebook too."""
    table = arrange_table(parse_table(file.read_bytes(), file), arrange, key, file)
    if name == "known_groups" and codebook:
        table = complete_known_groups(table, codebook, file)
    return checked_table(name, table, file)


def responses_of(
    export: Export, codebook: Codebook, ingest: dict[str, Any], file: Path, key: str
) -> Any:
    """Type the responses, as the rule `read_responses` does, and refuse identifiers."""
    check_labels(export, codebook, file)
    found = scan_export(export, exempt_columns(export, codebook, file))
    accepted = ingest.get("accepted_identifiers") or []
    check_identifiers(found, export, codebook, accepted, file=file)
    return type_responses(export, codebook, key, file)


def check(survey: str) -> list[PipelineError]:
    """Everything that can be found wrong in memory; nothing is written."""
    found = Findings()
    file = Path("config/surveys") / f"{survey}.yaml"
    check_survey_id(survey, str(file), set())
    config = found.of(lambda: read_survey(survey))
    try:
        ingest = (config or read_yaml(file))["ingest"]
        tables = dict(ingest.get("tables") or {})
        names = [ingest["responses"], *tables.values()]
        folder, book = Path("data/raw") / survey, Path(ingest["codebook"])
    except (PipelineError, KeyError, TypeError, AttributeError):
        return found  # the message on the config says why
    found.of(lambda: check_present(survey, names, str(book), manifest=False))
    codebook = found.of(lambda: parse_codebook(book.read_bytes(), book)) if book.exists() else None
    if config:
        cited = (config["report"].get("source") or {}).get("keys") or []
        found.of(lambda: check_citations(cited, str(file), "report.source.keys"))
    key = secrets.token_hex()  # for this check alone: pseudonyms of tables and interviews fit
    read = {}
    for name, table in tables.items():
        if name in SIDE_TABLES and (folder / table).exists():
            arrange = (ingest.get("arrange") or {}).get(name)
            given = (name, folder / table, arrange, codebook, key)
            read[name] = found.of(lambda given=given: table_of(*given))
    export_file = folder / ingest["responses"]
    if codebook and export_file.exists():
        export = found.of(lambda: read_export(export_file, ingest.get("reader")))
        responses = export and found.of(
            lambda: responses_of(export, codebook, ingest, export_file, key)
        )
        whole = all(table is not None for table in read.values())
        if responses is not None and config and whole:
            found.of(lambda: rehearsed(config, codebook, responses, read, export_file))
    return [in_config(error, file) for error in found]


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
    print(f"{survey}: config, codebook, export and side tables fit one another.")
    if not (Path("data/raw") / survey / "MANIFEST.sha256").exists():
        print(f'Declare the raw files: make manifest SURVEY={survey} REASON="first delivery"')
    print(f"Then: .venv/bin/snakemake {survey}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
