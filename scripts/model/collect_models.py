"""Put the tables of a survey's models together, one file a kind."""

from typing import Any

import pandas as pd

from prevalence.contracts import check_table
from prevalence.contracts.model import (
    DIAGNOSTICS,
    KNOWN_GROUPS_MODELS,
    PREDICTIVE,
    SCALE_UP_MODELS,
)
from prevalence.files import read_csv, write_csv
from prevalence.job import run_job

CONTRACTS = {
    "scale_up": SCALE_UP_MODELS,
    "diagnostics": DIAGNOSTICS,
    "known_groups_models": KNOWN_GROUPS_MODELS,
    "predictive": PREDICTIVE,
}


def main(job: Any) -> None:
    """Write each collected table."""
    complete = {}
    for name, contract in CONTRACTS.items():
        frames = [read_csv(path) for path in job.input.get(name)]
        frame = pd.concat(frames, ignore_index=True)
        complete[name] = check_table(frame, contract, job.output.get(name))
    for name, frame in complete.items():
        write_csv(frame, job.output.get(name))


if __name__ == "__main__":
    run_job(main, snakemake)
