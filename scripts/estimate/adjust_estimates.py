"""Adjust the headline for what respondents cannot know, and say what its uncertainty is made of."""

from typing import Any

from prevalence.adjustment import adjust_study, factor_table
from prevalence.contracts import check_table
from prevalence.contracts.estimate import ADJUSTMENT, FACTORS, VARIANCE_COMPONENTS, arranged
from prevalence.files import write_csv
from prevalence.job import run_job
from prevalence.study_files import read_factors, read_study


def main(job: Any) -> None:
    """Write adjusted estimates, variance components and factors; empty where none is configured."""
    import pandas as pd

    study, _ = read_study(job)
    settings, factors = read_factors(job, study)
    adjusted, components = (pd.DataFrame(), pd.DataFrame())
    if factors:
        adjusted, components = adjust_study(study, settings, factors, job.params.seed)
    survey, level = job.wildcards.survey, study.headline.inference.level
    adjusted = check_table(
        arranged(adjusted, ADJUSTMENT, survey), ADJUSTMENT, job.output.adjustment
    )
    components = check_table(
        arranged(components, VARIANCE_COMPONENTS, survey),
        VARIANCE_COMPONENTS,
        job.output.variance_components,
    )
    described = check_table(
        arranged(factor_table(factors, level), FACTORS, survey), FACTORS, job.output.factors
    )
    write_csv(adjusted, job.output.adjustment)
    write_csv(components, job.output.variance_components)
    write_csv(described, job.output.factors)


if __name__ == "__main__":
    run_job(main, snakemake)
