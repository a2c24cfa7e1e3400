"""Adjust the headline for what respondents cannot know, and say what its uncertainty is made of."""

from typing import Any

from prevalence.adjustment import NO_FACTORS, adjust_study, factor_table, study_factors
from prevalence.contracts import check_table
from prevalence.contracts.estimate import ADJUSTMENT, FACTORS, VARIANCE_COMPONENTS, arranged
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write adjusted estimates, variance components and factors; empty where none is configured."""
    import pandas as pd

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
    factors = study_factors(study, settings, job.params.seed, **elicited)
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
