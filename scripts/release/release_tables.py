"""Release what may leave: every table controlled together, and a record of what was withheld."""

import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from prevalence.config import check_config
from prevalence.contracts import check_table
from prevalence.contracts.release import (
    CONTRACTS,
    DISCLOSURE_LOG,
    DISCLOSURE_SUMMARY,
    VALIDATION,
)
from prevalence.disclosure.cells import geography_of
from prevalence.disclosure.differencing import check_differences
from prevalence.disclosure.release import release, validation
from prevalence.disclosure.rules import Policy, valid_exceptions
from prevalence.errors import PipelineError
from prevalence.files import read_csv, read_json, read_parquet, read_yaml, write_csv
from prevalence.job import run_job

BESIDE = {"validation", "disclosure_log", "disclosure_summary"}


def main(job: Any) -> None:
    """Write every released table, the validation, the log and the summary."""
    config = read_yaml(job.input.policy)
    check_config(config, read_yaml(job.input.schema), job.input.policy)
    policy = Policy.from_config(config)
    settings, survey = job.params.release, job.wildcards.survey
    tables = {Path(path).stem: read_csv(path) for path in job.input.tables}
    outputs = {Path(path).stem: path for path in job.output.tables}
    domains = job.params.domains or []
    respondents = read_parquet(
        job.input.respondents, columns=sorted({domain["variable"] for domain in domains})
    )
    released = release(
        tables,
        read_csv(job.input.disclosure_inputs),
        geography_of(respondents, domains, settings["smallest_geography"]),
        policy,
        headline=job.params.headline,
        exceptions=valid_exceptions(config["exceptions"], survey, datetime.date.today()),
    )
    if settings.get("earlier"):
        file = Path(settings["earlier"]) / "scale_up.csv"
        if not file.is_file():
            raise PipelineError(
                "The earlier release is not there.",
                file=file,
                place="release.earlier",
                remedy="Name the folder of its tables, or set earlier: null.",
            )
        earlier = read_csv(file)
        check_differences(released.tables["scale_up"], earlier, policy, settings["earlier"])
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
    ]
    for contract, table in beside:
        name = str(contract.name)
        checked[name] = check_table(table, contract, outputs[name])
    for name, path in outputs.items():
        write_csv(checked[name], path)


if __name__ == "__main__":
    run_job(main, snakemake)
