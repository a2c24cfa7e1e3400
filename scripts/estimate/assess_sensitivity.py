"""Show how far the headline moves: factors, published claims, single places."""

from typing import Any

from prevalence.adjustment import NO_FACTORS, study_factors
from prevalence.contracts import check_table
from prevalence.contracts.estimate import INFLUENCE, SENSITIVITY, arranged
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.sensitivity import influence_table, sensitivity_table


def main(job: Any) -> None:
    """Write tornado, contour and break-even values, and leave-one-place-out influence."""
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
    scale_up = read_csv(job.input.scale_up)
    mine = scale_up["headline"] & (scale_up["domain_type"] == "national")
    settings = job.params.estimate.get("adjustment") or NO_FACTORS
    elicited = {
        name: read_csv(job.input.get(file)) if job.input.get(file) else None
        for name, file in (("panel", "survivor_panel"), ("companion", "companion"))
    }
    sensitivity = sensitivity_table(
        study_factors(study, settings, job.params.seed, **elicited),
        job.params.estimate.get("sensitivity"),
        scale_up[mine],
        job.params.findings,
    )
    survey = job.wildcards.survey
    sensitivity = check_table(
        arranged(sensitivity, SENSITIVITY, survey), SENSITIVITY, job.output.sensitivity
    )
    places = check_table(
        arranged(influence_table(study), INFLUENCE, survey), INFLUENCE, job.output.influence
    )
    write_csv(sensitivity, job.output.sensitivity)
    write_csv(places, job.output.influence)


if __name__ == "__main__":
    run_job(main, snakemake)
