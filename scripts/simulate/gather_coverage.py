"""Put the parts of all worlds together: how often each interval held the truth."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prevalence.files import write_csv
from prevalence.job import run_job
from prevalence.simulation import world_table


def main(job: Any) -> None:
    """Write the table."""
    tables = []
    for name, parameters in job.params.worlds.items():
        paths = [path for path in job.input.parts if Path(path).parent.name == name]
        loaded = [np.load(path) for path in paths]
        values = np.concatenate([part["values"] for part in loaded])
        tables.append(world_table(name, parameters, loaded[0]["keys"].tolist(), values))
    write_csv(pd.concat(tables, ignore_index=True), job.output.table)


if __name__ == "__main__":
    run_job(main, snakemake)
