"""Estimate the network size of each respondent, its mean by domain, and its distribution."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import DEGREE_DISTRIBUTION, DEGREE_SUMMARY, DEGREES, arranged
from prevalence.degree import degree_distribution, degree_summary, groups_answered
from prevalence.files import write_csv, write_parquet
from prevalence.job import run_job
from prevalence.relational import stacked
from prevalence.study_files import read_study


def main(job: Any) -> None:
    """Write degrees, their summary and their distribution."""
    import pandas as pd

    study, _ = read_study(job)
    sizes = study.sizes().by_definition
    known = {name: sizes[name] for name in ("known_population", "mean_of_ratios")}
    survey = job.wildcards.survey

    degrees = pd.DataFrame(
        {
            "respondent": study.respondents["respondent"],
            "degree": sizes["known_population"],
            "groups_answered": groups_answered(stacked(study.counts, study.headline.known_groups)),
        }
    )
    summary = degree_summary(known, study.domains, study.sampling, study.headline.inference)
    bins = degree_distribution(sizes["known_population"], study.sampling.weights)
    distribution = pd.DataFrame(
        dict(zip(("lower_bound", "upper_bound", "share", "n"), bins, strict=True))
    )
    degrees = check_table(degrees, DEGREES, job.output.degrees)
    summary = check_table(
        arranged(summary, DEGREE_SUMMARY, survey), DEGREE_SUMMARY, job.output.summary
    )
    distribution = check_table(
        arranged(distribution, DEGREE_DISTRIBUTION, survey),
        DEGREE_DISTRIBUTION,
        job.output.distribution,
    )
    write_parquet(degrees, job.output.degrees)
    write_csv(summary, job.output.summary)
    write_csv(distribution, job.output.distribution)


if __name__ == "__main__":
    run_job(main, snakemake)
