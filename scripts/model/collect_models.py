"""Put the tables of a survey's models together, one file a kind."""

from typing import Any

import pandas as pd

from prevalence.combination import choices_made
from prevalence.contracts import check_table
from prevalence.contracts.estimate import arranged
from prevalence.contracts.model import (
    AREA_DISTRIBUTION,
    DIAGNOSTICS,
    KNOWN_GROUPS_MODELS,
    MODEL_COMPARISON,
    PREDICTIVE,
    PRIOR_SENSITIVITY,
    SCALE_UP_MODELS,
    SPECIFICATIONS_MODELS,
)
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.models.comparison import comparison_table
from prevalence.models.specified import specification_rows

CONTRACTS = {
    "scale_up": SCALE_UP_MODELS,
    "diagnostics": DIAGNOSTICS,
    "known_groups_models": KNOWN_GROUPS_MODELS,
    "predictive": PREDICTIVE,
    "prior_sensitivity": PRIOR_SENSITIVITY,
    "area_distribution": AREA_DISTRIBUTION,
}


def main(job: Any) -> None:
    """Write each collected table."""
    complete = {}
    for name, contract in CONTRACTS.items():
        frames = [read_csv(path) for path in job.input.get(name)]
        frame = pd.concat(frames, ignore_index=True)
        complete[name] = check_table(frame, contract, job.output.get(name))
    pointwise = pd.concat([read_parquet(path) for path in job.input.pointwise], ignore_index=True)
    survey = job.wildcards.survey
    passed = complete["diagnostics"].groupby("estimator")["passed"].all()
    compared = comparison_table(pointwise)
    compared = compared.assign(converged=compared["estimator"].map(passed).astype(bool))
    compared = arranged(compared, MODEL_COMPARISON, survey)
    output = job.output.model_comparison
    complete["model_comparison"] = check_table(compared, MODEL_COMPARISON, output)
    scalings = pd.concat([read_csv(path) for path in job.input.scalings], ignore_index=True)
    specified = specification_rows(
        complete["scale_up"],
        scalings,
        job.params.model,
        *choices_made(job.params.combine, job.params.imputations),
    )
    specified = arranged(specified, SPECIFICATIONS_MODELS, survey)
    output = job.output.specifications
    complete["specifications"] = check_table(specified, SPECIFICATIONS_MODELS, output)
    for name, frame in complete.items():
        write_csv(frame, job.output.get(name))


if __name__ == "__main__":
    run_job(main, snakemake)
