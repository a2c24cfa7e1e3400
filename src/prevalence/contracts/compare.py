"""Contracts of the tables that put several surveys beside each other; made of released ones."""

from __future__ import annotations

from prevalence.contracts import schema as pa
from prevalence.contracts.columns import number, text
from prevalence.disclosure.rules import IMPRECISE, INTERVAL_ONLY, REASONS

COUNTRIES = pa.DataFrameSchema(
    {
        "survey": text("Id of the survey."),
        "country": text("Where it was made."),
        "year": pa.Column("int64", coerce=True, description="Year that the estimate is about."),
        "synthetic": pa.Column(bool, coerce=True, description="Whether the data are synthetic."),
        "group": text("Hidden group, as the survey defines it."),
        "label": text("The group in words."),
        "denominator": text("Population of the rate.", allowed=("children", "adults", "all_ages")),
        "unit": text("Unit of the rate: the same for all.", allowed=("per_1000",)),
        "estimate": number("Released national rate by the survey's own headline."),
        "std_error": number("Standard error."),
        "lower": number("Lower confidence limit."),
        "upper": number("Upper confidence limit."),
        "level": number("Confidence level, as a share."),
        "n": pa.Column("Int64", nullable=True, coerce=True, description="Respondents."),
        "suppressed": text(
            "Why the numbers are withheld; empty where they are shown.", allowed=("", *REASONS)
        ),
        "precision": text("Precision flag.", allowed=("", IMPRECISE, INTERVAL_ONLY)),
    },
    name="countries",
    description="National rates of hidden groups in several surveys, in the order of the config.",
    unique=["survey", "group"],
    strict=True,
    ordered=True,
)

DEFINITIONS = pa.DataFrameSchema(
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group; headline for choices of the whole survey."),
        "element": text("Part of the definition."),
        "text": text("What it is in this survey."),
    },
    name="definitions",
    description="By which definitions and choices the rates of several surveys were made.",
    unique=["survey", "group", "element"],
    strict=True,
    ordered=True,
)
