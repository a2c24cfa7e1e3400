"""Contracts of the tables of the model stage."""

from __future__ import annotations

import pandera.pandas as pa

from prevalence.contracts.columns import contract, flag, number, text, whole
from prevalence.contracts.estimate import SCALE_UP

CREDIBLE_INTERVALS = ("credible", "credible_unconverged")


def _interval(unit: str) -> dict[str, pa.Column]:
    return {
        "estimate": number(f"Posterior median, {unit}."),
        "std_error": number(f"Posterior standard deviation, {unit}.", minimum=0),
        "lower": number(f"Lower limit of the credible interval, {unit}."),
        "upper": number(f"Upper limit of the credible interval, {unit}."),
        "level": number("Level of the interval, as a share.", nullable=False, minimum=0),
        "unit": text("Unit of the estimate and its limits."),
    }


SCALE_UP_MODELS = contract(
    "scale_up_models",
    "Hidden groups by the models, in the columns of scale_up; estimates are posterior medians.",
    {
        **SCALE_UP.columns,
        "interval": text(
            "How the limits were made; credible_unconverged where the sampler failed a threshold.",
            allowed=CREDIBLE_INTERVALS,
        ),
    },
    ["survey", "estimator", "group", "domain_type", "domain", "unit"],
)

KNOWN_GROUPS_MODELS = contract(
    "known_groups_models",
    "Each group of known size by the models, scaled by the other known groups.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "group": text("Known group."),
        **_interval("in persons"),
        "known_size": number("Official size in persons.", nullable=False, minimum=1),
        "log_ratio": number("Logarithm of estimate over known size."),
    },
    ["survey", "estimator", "group"],
)

DIAGNOSTICS = contract(
    "diagnostics",
    "Whether the sample of each reported quantity is to be trusted.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "quantity": text("What is reported: role:group:domain_type:domain."),
        "mean": number("Posterior mean."),
        "sd": number("Posterior standard deviation.", minimum=0),
        "mcse": number("Monte Carlo standard error of the mean.", minimum=0),
        "rhat": number("Rank-normalised split R-hat; 1 where the chains agree.", minimum=0),
        "ess_bulk": number("Effective sample size of the centre.", minimum=0),
        "ess_tail": number("Effective sample size of the 5 and 95 % quantiles.", minimum=0),
        "divergent": whole("Divergent draws of all chains."),
        "ebfmi": number("Energy fraction of missing information, the worst chain's."),
        "passed": flag("Whether every threshold is met."),
        "whitened": flag("False where the sampler had to do without whitening."),
        "draws": whole("Draws of all chains."),
        "chains": whole("Chains."),
        "gradients": whole("Gradients of all chains, warm-up included."),
    },
    ["survey", "estimator", "quantity"],
)

PREDICTIVE = contract(
    "predictive",
    "Posterior predictive checks: the answers beside data drawn from each model.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "group": text("Known or hidden group."),
        "statistic": text(
            "Which summary of the counts.",
            allowed=("zero_share", "mean", "variance_to_mean", "upper_percentile"),
        ),
        "observed": number("Its value in the answers; empty where it doesn't exist."),
        "predicted": number("Its median over data drawn from the model."),
        "lower": number("2.5 % quantile over such data."),
        "upper": number("97.5 % quantile over such data."),
        "tail": number("Share of such data at or above the answers; near 0 or 1 is a misfit."),
    },
    ["survey", "estimator", "group", "statistic"],
)
