"""Contracts of the tables that put several surveys beside each other; made of released ones."""

from __future__ import annotations

import pandera.pandas as pa

from prevalence.disclosure.rules import IMPRECISE, INTERVAL_ONLY, REASONS


def _text(description: str, *, allowed: tuple[str, ...] = ()) -> pa.Column:
    checks = [pa.Check.isin(allowed)] if allowed else []
    return pa.Column(str, checks, coerce=True, description=description)


def _number(description: str) -> pa.Column:
    return pa.Column(float, nullable=True, coerce=True, description=description)


COUNTRIES = pa.DataFrameSchema(
    {
        "survey": _text("Id of the survey."),
        "country": _text("Where it was made."),
        "year": pa.Column("int64", coerce=True, description="Year that the estimate is about."),
        "synthetic": pa.Column(bool, coerce=True, description="Whether the data are synthetic."),
        "group": _text("Hidden group, as the survey defines it."),
        "label": _text("The group in words."),
        "denominator": _text("Population of the rate.", allowed=("children", "adults", "all_ages")),
        "unit": _text("Unit of the rate: the same for all.", allowed=("per_1000",)),
        "estimate": _number("Released national rate by the survey's own headline."),
        "std_error": _number("Standard error."),
        "lower": _number("Lower confidence limit."),
        "upper": _number("Upper confidence limit."),
        "level": _number("Confidence level, as a share."),
        "n": pa.Column("Int64", nullable=True, coerce=True, description="Respondents."),
        "suppressed": _text(
            "Why the numbers are withheld; empty where they are shown.", allowed=("", *REASONS)
        ),
        "precision": _text("Precision flag.", allowed=("", IMPRECISE, INTERVAL_ONLY)),
    },
    name="countries",
    description="National rates of hidden groups in several surveys, in the order of the config.",
    unique=["survey", "group"],
    strict=True,
    ordered=True,
)

DEFINITIONS = pa.DataFrameSchema(
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group; headline for choices of the whole survey."),
        "element": _text("Part of the definition."),
        "text": _text("What it is in this survey."),
    },
    name="definitions",
    description="By which definitions and choices the rates of several surveys were made.",
    unique=["survey", "group", "element"],
    strict=True,
    ordered=True,
)
