"""Set the planning formula beside the simulated surveys of all designs."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prevalence.files import write_csv
from prevalence.job import run_job
from prevalence.simulation import expected_components, planning_rows


def main(job: Any) -> None:
    """Write the table."""
    components = expected_components(job.params.world, job.params.parameters, job.params.seed)
    designs = []
    for number in range(job.params.designs):
        paths = [path for path in job.input.parts if Path(path).parent.name == str(number)]
        designs.append(np.concatenate([np.load(path)["values"] for path in paths]))
    rows = []
    for values in designs:
        rows += planning_rows(job.params.world, components, values, present=designs[0])
    write_csv(pd.DataFrame(rows), job.output.table)


if __name__ == "__main__":
    run_job(main, snakemake)
