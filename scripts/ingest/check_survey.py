"""Check a survey's files without writing anything: config, codebook, export, side tables."""

import argparse
import datetime as dt
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prevalence.codebook import Codebook, parse_codebook
from prevalence.config import check_config, check_survey_id, read_config, read_survey
from prevalence.contracts.ingest import SIDE_TABLES
from prevalence.disclosure.exceptions import check_exceptions
from prevalence.disclosure.rules import Policy, valid_exceptions
from prevalence.errors import PipelineError, in_config
from prevalence.estimation import Study
from prevalence.exports import Export, read_export
from prevalence.files import read_yaml
from prevalence.identifier_scan import check_identifiers, exempt_columns, scan_export
from prevalence.manifest import check_present
from prevalence.references import check_citations, check_translations, earlier_tables
from prevalence.rehearsal import rehearsed
from prevalence.responses import check_labels, type_responses
from prevalence.side_tables import arrange_table, checked_table, complete_known_groups, parse_table
from prevalence.strata import shared_labels
from prevalence.waves.named import named_waves

SURVEYS, SCHEMAS = Path("config/surveys"), Path("workflow/schemas")
POLICY = Path("config/disclosure.yaml")


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


def check_policy(survey: str, config: dict[str, Any], codebook: Codebook | None) -> None:
    """Refuse what is wrong of the rules that all surveys share, and of this survey's exceptions."""
    values = read_config(POLICY)
    check_config(values, read_yaml(SCHEMAS / POLICY.name), str(POLICY))
    Policy.from_config(values)
    asked = [variable.group for variable in codebook.counts] if codebook else []
    exceptions = values["exceptions"]
    if codebook:
        check_exceptions(exceptions, survey_files(), survey, config["estimate"], asked)
    valid_exceptions(exceptions, survey, dt.date.today())


def survey_files() -> dict[str, str]:
    """Config file of each survey that there is, by id."""
    return {path.stem: str(path) for path in sorted(SURVEYS.glob("*.yaml"))}


def year_of(survey: str) -> int:
    """Year of a survey, from its config, which must be sound too."""
    return int(read_survey(survey)["survey"]["year"])


def check_date(date: object, today: dt.date) -> None:
    """Refuse a headline that is fixed on a day to come; a run has no clock to tell it."""
    if dt.date.fromisoformat(str(date)) > today:
        raise PipelineError(
            "The headline's date is in the future.",
            place="headline.date",
            found=date,
            allowed=f"the day on which the choices were fixed, up to today, {today.isoformat()}",
            remedy="Write the day on which they were fixed.",
        )


def check_outside(found: Findings, survey: str, config: dict[str, Any], file: Path) -> None:
    """Look up what the config names outside of the survey's own files."""
    report = config["report"]
    cited = (report.get("source") or {}).get("keys") or []
    found.of(lambda: check_citations(cited, str(file), "report.source.keys"))
    languages = report.get("translations") or []
    found.of(lambda: check_translations(languages, survey, str(file)))
    waves = config.get("waves") or []
    found.of(lambda: named_waves(survey, waves, survey_files(), year_of))
    found.of(lambda: earlier_tables(config["release"].get("earlier"), str(file)))
    found.of(lambda: check_date(config["headline"]["date"], dt.date.today()))


def notes_of(study: Study) -> list[str]:
    """Say what is no fault and may still not be meant."""
    strata, psus = study.respondents["stratum"], study.respondents["psu"]
    shared, labels = shared_labels(strata, psus)
    if not shared:
        return []
    return [
        f"Note: {shared} of {labels} labels of PSUs {'stands' if shared == 1 else 'stand'} in "
        "several strata. Each counts as a PSU of its own in each of them; if it is one PSU, mend "
        "the stratum of its rows."
    ]


def check(survey: str, notes: list[str] | None = None) -> list[PipelineError]:
    """Everything that can be found wrong in memory; nothing is written. Notes are added to."""
    found = Findings()
    file = SURVEYS / f"{survey}.yaml"
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
        check_outside(found, survey, config, file)
        found.of(lambda: check_policy(survey, config, codebook))
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
            study = found.of(lambda: rehearsed(config, codebook, responses, read, export_file))
            if study is not None and notes is not None:
                notes += notes_of(study)
    return [in_config(error, file) for error in found]


def main() -> int:
    """Parse the command line and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", required=True)
    survey = parser.parse_args().survey
    notes: list[str] = []
    try:
        found = check(survey, notes)
    except PipelineError as error:
        found = [error]
    for error in found:
        print(error, file=sys.stderr, end="\n\n")
    for note in notes:
        print(note)
    if found:
        return 1
    print(f"{survey}: config, codebook, export and side tables fit one another.")
    if not (Path("data/raw") / survey / "MANIFEST.sha256").exists():
        print(f'Declare the raw files: make manifest SURVEY={survey} REASON="first delivery"')
    if not (Path("config/prespecified") / f"{survey}.yaml").exists():
        print(f"Put the headline's choices on record, then commit: make freeze SURVEY={survey}")
    print(f"Then: .venv/bin/snakemake {survey}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
