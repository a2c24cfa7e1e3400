"""Show how far the headline moves: factors, published claims, single places."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import INFLUENCE, SENSITIVITY, arranged
from prevalence.files import read_csv, write_csv
from prevalence.job import run_job
from prevalence.sensitivity import influence_table, sensitivity_table
from prevalence.study_files import read_factors, read_study


def main(job: Any) -> None:
    """Write tornado, contour and break-even values, and leave-one-place-out influence."""
    study, _ = read_study(job)
    scale_up = read_csv(job.input.scale_up)
    mine = scale_up["headline"] & (scale_up["domain_type"] == "national")
    sensitivity = sensitivity_table(
        read_factors(job, study)[1],
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
