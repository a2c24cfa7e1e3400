"""Adjust the models' national estimates for what respondents cannot know, as the headline is."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import arranged
from prevalence.contracts.model import ADJUSTMENT_MODELS
from prevalence.files import read_csv, write_csv
from prevalence.job import run_job
from prevalence.models.adjusted import adjusted_model_rows
from prevalence.models.storing import read_reported
from prevalence.study_files import read_factors, read_study


def main(job: Any) -> None:
    """Write the adjusted estimates; empty where no factor is configured."""
    study, _ = read_study(job)
    settings, factors = read_factors(job, study)
    table = adjusted_model_rows(
        study,
        settings,
        job.params.model,
        factors,
        {
            name: draws
            for path in job.input.posteriors
            for name, draws in read_reported(path).items()
        },
        read_csv(job.input.diagnostics),
        job.params.seed,
    )
    output = job.output.adjustment_models
    table = arranged(table, ADJUSTMENT_MODELS, job.wildcards.survey)
    write_csv(check_table(table, ADJUSTMENT_MODELS, output), output)


if __name__ == "__main__":
    run_job(main, snakemake)
