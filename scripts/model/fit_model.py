"""Fit one model and write its posterior of what is reported, with diagnostics and checks."""

import os
from typing import Any
from zlib import crc32

from prevalence.computing import ONE_THREAD

# Snakemake tells linear algebra to take as many threads as the job has. They are for the chains:
# sums by several threads have other last digits, and draws would depend on the number of cores.
os.environ.update(ONE_THREAD)

import pandas as pd

from prevalence.contracts import check_table
from prevalence.contracts.estimate import arranged
from prevalence.contracts.model import (
    AREA_DISTRIBUTION,
    DIAGNOSTICS,
    KNOWN_GROUPS_MODELS,
    POINTWISE,
    PREDICTIVE,
    PRIOR_SENSITIVITY,
    SCALE_UP_MODELS,
    SCALINGS,
)
from prevalence.files import read_csv, read_parquet, write_csv, write_parquet
from prevalence.job import run_job
from prevalence.models.area_frame import area_frame, with_all_areas
from prevalence.models.comparison import left_out
from prevalence.models.fitting import (
    fit_model,
    model_inputs,
    settings_of,
)
from prevalence.models.pointwise import log_likelihoods
from prevalence.models.predictive import predictive_table
from prevalence.models.prior_sensitivity import prior_sensitivity_rows
from prevalence.models.storing import write_inference_data
from prevalence.models.tables import (
    area_distribution_rows,
    converged,
    diagnosed,
    known_group_rows,
    scale_up_rows,
    scaling_rows,
)
from prevalence.streams import stream
from prevalence.study_files import read_study


def main(job: Any) -> None:
    """Write the draws and their tables."""
    study, _ = read_study(job)
    config, model = job.params.model, job.wildcards.model
    scaling, sampling, thresholds = settings_of(config, job.threads)
    inputs = model_inputs(
        study,
        area=config.get("area", "psu"),
        known_groups=config.get("known_groups"),
        intervals=read_parquet(job.input.intervals),
        top_codes=config.get("top_codes", "capped"),
    )
    seed = [*job.params.seed, crc32(model.encode())]
    posterior = fit_model(model, inputs, seed, scaling=scaling, sampling=sampling)
    diagnostics = diagnosed(posterior, thresholds)
    sound, level = converged(diagnostics), study.headline.inference.level
    estimated, everywhere = [(posterior, diagnostics)], None
    if job.input.get("areas"):
        listing = area_frame(
            read_csv(job.input.areas),
            study.respondents[config.get("area", "psu")],
            inputs.area,
            inputs.weights,
            config.get("area", "psu"),
            config.get("area_covariates", []),
        )
        everywhere = with_all_areas(posterior, inputs, listing, seed)
        if everywhere is not None:
            estimated.append((everywhere, diagnosed(everywhere, thresholds)))
    flat = posterior.parameters.reshape(-1, posterior.parameters.shape[2])
    checked = flat[:: max(len(flat) // 100, 1)][:100]
    predicted = predictive_table(
        posterior.density,
        inputs.counts,
        checked,
        stream(seed, "predictive"),
        level,
        inputs.weights if model.endswith("_weighted") else None,
    )
    results = {
        "scale_up": (
            pd.concat([scale_up_rows(one, inputs, by, level) for one, by in estimated]),
            SCALE_UP_MODELS,
        ),
        "diagnostics": (pd.concat([by for _, by in estimated]), DIAGNOSTICS),
        "known_groups_models": (
            known_group_rows(posterior, inputs, diagnostics, level),
            KNOWN_GROUPS_MODELS,
        ),
        "predictive": (predicted.assign(estimator=model, converged=sound), PREDICTIVE),
        "prior_sensitivity": (
            prior_sensitivity_rows(posterior, inputs, level).assign(converged=sound),
            PRIOR_SENSITIVITY,
        ),
        "scalings": (scaling_rows(posterior, inputs, level), SCALINGS),
        "area_distribution": (
            area_distribution_rows(posterior, inputs, diagnostics),
            AREA_DISTRIBUTION,
        ),
        "pointwise": (left_out(log_likelihoods(posterior)).assign(estimator=model), POINTWISE),
    }
    survey = job.wildcards.survey
    complete = {
        name: check_table(arranged(frame, contract, survey), contract, job.output.get(name))
        for name, (frame, contract) in results.items()
    }
    write_inference_data(posterior, job.output.posterior, everywhere)
    for name, frame in complete.items():
        write = write_parquet if name == "pointwise" else write_csv
        write(frame, job.output.get(name))


if __name__ == "__main__":
    run_job(main, snakemake)
