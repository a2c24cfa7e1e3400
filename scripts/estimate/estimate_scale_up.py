"""Estimate the hidden groups by every configured estimator, nationally and by domain."""

import logging
from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.estimate import CONTRASTS, DISCLOSURE_INPUTS, SCALE_UP, arranged
from prevalence.disclosure_inputs import disclosure_inputs
from prevalence.errors import listed
from prevalence.files import read_csv, write_csv
from prevalence.generalised import generalised_rows
from prevalence.job import run_job
from prevalence.known_groups import typical_design_effect
from prevalence.partition import check_names, unsampled_domains, without_partial_sums
from prevalence.scale_up import domain_contrasts, scale_up_table
from prevalence.study_files import read_study

LOG = logging.getLogger("prevalence")


def main(job: Any) -> None:
    """Write the scale-up table, contrasts of domains, and the inputs of disclosure control."""
    import pandas as pd

    study, tables = read_study(job)
    check_names(study, tables.get("populations"))
    checked = read_csv(job.input.checked)
    mine = checked["in_headline"] & (checked["estimator"] == study.headline.estimator)
    table = scale_up_table(
        study.hidden_groups(),
        study.domains,
        study.populations,
        study.sampling,
        estimators=study.estimators(),
        headline=study.headline.estimator,
        inference=study.headline.inference,
        ratios=study.settings.get("ratios"),
        design_effect=typical_design_effect(checked.loc[mine, "design_effect"].to_numpy(float)),
        benchmarked=study.settings.get("benchmarked") or (),
    )
    partial = unsampled_domains(study.domains, study.populations)
    for domain_type, names in partial.items():
        LOG.info("no sum over %s: nobody was sampled in %s", domain_type, listed(names))
    table = without_partial_sums(table, list(partial))
    if job.input.get("visibility"):
        visibility = read_csv(job.input.visibility)
        table = pd.concat(
            [table, generalised_rows(study, visibility, job.params.seed)], ignore_index=True
        )
    contrasts = domain_contrasts(
        study.hidden_groups(),
        study.domains,
        study.populations,
        study.sampling,
        estimator=study.headline.estimator,
        inference=study.headline.inference,
    )
    reports, roles = study.published_counts()
    inputs = disclosure_inputs(
        reports,
        roles,
        study.sizes().by_definition["known_population"],
        study.domains,
        study.sampling.weights,
        {g.name: g.sizes.by_definition["known_population"] for g in study.hidden_groups()},
    )
    survey = job.wildcards.survey
    table = check_table(arranged(table, SCALE_UP, survey), SCALE_UP, job.output.scale_up)
    inputs = check_table(
        arranged(inputs, DISCLOSURE_INPUTS, survey),
        DISCLOSURE_INPUTS,
        job.output.disclosure_inputs,
    )
    contrasts = check_table(arranged(contrasts, CONTRASTS, survey), CONTRASTS, job.output.contrasts)
    write_csv(table, job.output.scale_up)
    write_csv(contrasts, job.output.contrasts)
    write_csv(inputs, job.output.disclosure_inputs)


if __name__ == "__main__":
    run_job(main, snakemake)
