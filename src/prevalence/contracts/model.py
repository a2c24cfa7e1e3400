"""Contracts of the tables of the model stage."""

from __future__ import annotations

import pandera.pandas as pa

from prevalence.contracts.estimate import SCALE_UP

CREDIBLE_INTERVALS = ("credible", "credible_unconverged")


def _text(description: str, *, allowed: tuple[str, ...] = ()) -> pa.Column:
    checks = [pa.Check.isin(allowed)] if allowed else []
    return pa.Column(str, checks, coerce=True, description=description)


def _number(description: str, *, nullable: bool = True, minimum: float | None = None) -> pa.Column:
    checks = [] if minimum is None else [pa.Check.ge(minimum)]
    return pa.Column(float, checks, nullable=nullable, coerce=True, description=description)


def _whole(description: str) -> pa.Column:
    return pa.Column("int64", pa.Check.ge(0), coerce=True, description=description)


def _flag(description: str) -> pa.Column:
    return pa.Column(bool, coerce=True, description=description)


def _contract(
    name: str, description: str, columns: dict[str, pa.Column], unique: list[str]
) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        columns, name=name, description=description, unique=unique, strict=True, ordered=True
    )


def _interval(unit: str) -> dict[str, pa.Column]:
    return {
        "estimate": _number(f"Posterior median, {unit}."),
        "std_error": _number(f"Posterior standard deviation, {unit}.", minimum=0),
        "lower": _number(f"Lower limit of the credible interval, {unit}."),
        "upper": _number(f"Upper limit of the credible interval, {unit}."),
        "level": _number("Level of the interval, as a share.", nullable=False, minimum=0),
        "unit": _text("Unit of the estimate and its limits."),
    }


SCALE_UP_MODELS = _contract(
    "scale_up_models",
    "Hidden groups by the models, in the columns of scale_up; estimates are posterior medians.",
    {
        **SCALE_UP.columns,
        "interval": _text(
            "How the limits were made; credible_unconverged where the sampler failed a threshold.",
            allowed=CREDIBLE_INTERVALS,
        ),
    },
    ["survey", "estimator", "group", "domain_type", "domain", "unit"],
)

KNOWN_GROUPS_MODELS = _contract(
    "known_groups_models",
    "Each group of known size by the models, scaled by the other known groups.",
    {
        "survey": _text("Id of the survey."),
        "estimator": _text("Name of the model."),
        "group": _text("Known group."),
        **_interval("in persons"),
        "known_size": _number("Official size in persons.", nullable=False, minimum=1),
        "log_ratio": _number("Logarithm of estimate over known size."),
    },
    ["survey", "estimator", "group"],
)

DIAGNOSTICS = _contract(
    "diagnostics",
    "Whether the sample of each reported quantity is to be trusted.",
    {
        "survey": _text("Id of the survey."),
        "estimator": _text("Name of the model."),
        "quantity": _text("What is reported: role:group:domain_type:domain."),
        "mean": _number("Posterior mean."),
        "sd": _number("Posterior standard deviation.", minimum=0),
        "mcse": _number("Monte Carlo standard error of the mean.", minimum=0),
        "rhat": _number("Rank-normalised split R-hat; 1 where the chains agree.", minimum=0),
        "ess_bulk": _number("Effective sample size of the centre.", minimum=0),
        "ess_tail": _number("Effective sample size of the 5 and 95 % quantiles.", minimum=0),
        "divergent": _whole("Divergent draws of all chains."),
        "ebfmi": _number("Energy fraction of missing information, the worst chain's."),
        "passed": _flag("Whether every threshold is met."),
        "whitened": _flag("False where the sampler had to do without whitening."),
        "draws": _whole("Draws of all chains."),
        "chains": _whole("Chains."),
        "gradients": _whole("Gradients of all chains, warm-up included."),
    },
    ["survey", "estimator", "quantity"],
)

PREDICTIVE = _contract(
    "predictive",
    "Posterior predictive checks: the answers beside data drawn from each model.",
    {
        "survey": _text("Id of the survey."),
        "estimator": _text("Name of the model."),
        "group": _text("Known or hidden group."),
        "statistic": _text(
            "Which summary of the counts.",
            allowed=("zero_share", "mean", "variance_to_mean", "upper_percentile"),
        ),
        "observed": _number("Its value in the answers; empty where it doesn't exist."),
        "predicted": _number("Its median over data drawn from the model."),
        "lower": _number("2.5 % quantile over such data."),
        "upper": _number("97.5 % quantile over such data."),
        "tail": _number("Share of such data at or above the answers; near 0 or 1 is a misfit."),
    },
    ["survey", "estimator", "group", "statistic"],
)
