"""Adjust the models' national estimates for what respondents cannot know, as the headline is."""

from pathlib import Path
from typing import Any

from prevalence.adjustment import NO_FACTORS, study_factors
from prevalence.contracts import check_table
from prevalence.contracts.estimate import arranged
from prevalence.contracts.model import ADJUSTMENT_MODELS
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.models.adjusted import adjusted_model_rows
from prevalence.models.storing import read_reported


def main(job: Any) -> None:
    """Write the adjusted estimates; empty where no factor is configured."""
    tables = {
        name: read_parquet(job.input.get(name), coded=CODED.get(name, ())) for name in ROW_TABLES
    }
    tables |= {name: read_csv(job.input.get(name)) for name in SIDE_TABLES if job.input.get(name)}
    study = study_of(
        tables,
        estimate=job.params.estimate,
        headline=job.params.headline,
        year=job.params.year,
    )
    settings = job.params.estimate.get("adjustment") or NO_FACTORS
    elicited = {
        name: read_csv(job.input.get(file)) if job.input.get(file) else None
        for name, file in (("panel", "survivor_panel"), ("companion", "companion"))
    }
    table = adjusted_model_rows(
        study,
        settings,
        job.params.model,
        study_factors(study, settings, job.params.seed, **elicited),
        {Path(path).stem: read_reported(path) for path in job.input.posteriors},
        read_csv(job.input.diagnostics),
        job.params.seed,
    )
    output = job.output.adjustment_models
    table = arranged(table, ADJUSTMENT_MODELS, job.wildcards.survey)
    write_csv(check_table(table, ADJUSTMENT_MODELS, output), output)


if __name__ == "__main__":
    run_job(main, snakemake)
