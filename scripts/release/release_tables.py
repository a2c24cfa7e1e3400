"""Release what may leave: every table controlled together, and a record of what was withheld."""

import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from prevalence.config import check_config
from prevalence.contracts import check_table
from prevalence.contracts.release import (
    CONTRACTS,
    DISCLOSURE_EXCEPTIONS,
    DISCLOSURE_LOG,
    DISCLOSURE_SUMMARY,
    VALIDATION,
)
from prevalence.disclosure.cells import geography_of
from prevalence.disclosure.differencing import check_differences, shown_cells
from prevalence.disclosure.release import release, validation
from prevalence.disclosure.rules import Policy, exceptions_table, valid_exceptions
from prevalence.errors import PipelineError
from prevalence.files import read_csv, read_json, read_parquet, read_yaml, write_csv
from prevalence.job import run_job
from prevalence.united import united

BESIDE = {"validation", "disclosure_log", "disclosure_summary", "disclosure_exceptions"}


def earlier_tables(folder: str | None) -> dict[str, pd.DataFrame]:
    """Read the tables of an earlier release; none if the survey has no earlier one."""
    if not folder:
        return {}
    tables = {path.stem: read_csv(path) for path in sorted(Path(folder).glob("*.csv"))}
    if "scale_up" not in tables:
        raise PipelineError(
            "The earlier release has no estimates to compare with.",
            file=folder,
            found=f"{len(tables)} tables, no scale_up.csv",
            remedy="Name the folder tables/ of the earlier publication under release.earlier.",
        )
    return tables


def main(job: Any) -> None:
    """Write every released table, the validation, the log and the summary."""
    config = read_yaml(job.input.policy)
    check_config(config, read_yaml(job.input.schema), job.input.policy)
    policy = Policy.from_config(config)
    settings, survey = job.params.release, job.wildcards.survey
    tables = united({Path(path).stem: read_csv(path) for path in job.input.tables})
    outputs = {Path(path).stem: path for path in job.output.tables}
    domains = job.params.domains or []
    earlier = earlier_tables(settings.get("earlier"))
    respondents = read_parquet(
        job.input.respondents, columns=sorted({domain["variable"] for domain in domains})
    )
    inputs = read_csv(job.input.disclosure_inputs)
    geography = geography_of(respondents, domains, settings["smallest_geography"])
    released = release(
        tables,
        inputs,
        geography,
        policy,
        headline=job.params.headline,
        exceptions=valid_exceptions(config["exceptions"], survey, datetime.date.today()),
        shown_before=shown_cells(earlier["scale_up"]) if earlier else None,
    )
    if earlier:
        check_differences(
            released.tables,
            earlier,
            inputs,
            geography,
            policy,
            headline=job.params.headline,
            folder=settings["earlier"],
        )
    truth = read_json(job.input.truth).get("estimands", []) if job.input.get("truth") else []
    done = {
        name: released.tables.get(name, pd.DataFrame(columns=list(CONTRACTS[name].columns)))
        for name in outputs
        if name not in BESIDE
    }
    checked = {
        name: check_table(table, CONTRACTS[name], outputs[name]) for name, table in done.items()
    }
    beside = [
        (VALIDATION, validation(released.tables["scale_up"], truth, job.params.headline)),
        (DISCLOSURE_LOG, released.log),
        (DISCLOSURE_SUMMARY, released.summary),
        (DISCLOSURE_EXCEPTIONS, exceptions_table(config["exceptions"], survey)),
    ]
    for contract, table in beside:
        name = str(contract.name)
        checked[name] = check_table(table, contract, outputs[name])
    for name, path in outputs.items():
        write_csv(checked[name], path)


if __name__ == "__main__":
    run_job(main, snakemake)
