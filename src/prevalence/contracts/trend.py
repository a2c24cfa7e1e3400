"""Contracts of the tables of the trend stage, before and after disclosure control."""

from __future__ import annotations

from prevalence.contracts import schema as pa
from prevalence.contracts.columns import contract, number, text, whole
from prevalence.contracts.estimate import INTERVALS, UNITS
from prevalence.disclosure.rules import IMPRECISE, INTERVAL_ONLY, REASONS
from prevalence.waves.comparability import ASPECTS, SEVERITIES

MEASURES = ("ratio", "difference")


def _waves() -> dict[str, pa.Column]:
    return {
        "survey": text("Id of the later wave."),
        "earlier": text("Id of the earlier wave, whose choices are used for both."),
    }


def _cell() -> dict[str, pa.Column]:
    return {
        "estimator": text("Name of the estimator."),
        "group": text("Hidden group, or ratio of hidden groups."),
        "domain_type": text("Type of domain; national for the nation."),
        "domain": text("Name of the domain."),
        "unit": text("Unit of what is compared.", allowed=UNITS),
    }


def _estimate(what: str) -> dict[str, pa.Column]:
    return {
        "estimate": number(f"{what}; empty where it doesn't exist."),
        "std_error": number("Standard error from the replicates.", minimum=0),
        "lower": number("Lower confidence limit."),
        "upper": number("Upper confidence limit."),
        "level": number("Confidence level, as a share.", nullable=False, minimum=0),
        "df": number("Degrees of freedom."),
    }


LEVELS = contract(
    "trend_levels",
    "Level in either wave, by the earlier wave's choices and the wave's own replicates.",
    {
        **_waves(),
        "wave": text("Id of the wave that the row is about."),
        **_cell(),
        **_estimate("Estimate"),
        "interval": text("How the limits were made.", allowed=INTERVALS),
        "se_linearised": number("Linearised standard error.", minimum=0),
        "n": whole("Respondents in the estimate."),
        "n_reporting": whole("Respondents in the estimate with a report above 0."),
    },
    ["survey", "earlier", "wave", "group", "domain_type", "domain", "unit"],
)

CHANGES = contract(
    "trend_changes",
    "Change between two waves, under joint replicates where they share PSUs.",
    {
        **_waves(),
        **_cell(),
        "measure": text(
            "ratio: later over earlier; difference: later less earlier.", allowed=MEASURES
        ),
        **_estimate("Change, a difference in the unit of its row"),
        "se_linearised": number("Linearised standard error.", minimum=0),
        "correlation": number("Correlation of the two estimates by the joint replicates."),
        "n": whole("Respondents of the later wave."),
        "n_reporting": whole("Those among them with a report above 0."),
        "n_earlier": whole("Respondents of the earlier wave."),
        "n_reporting_earlier": whole("Those among them with a report above 0."),
    },
    ["survey", "earlier", "group", "domain_type", "domain", "unit", "measure"],
)

CONTROLS = contract(
    "trend_controls",
    "Estimated change of each known group beside the change of its known size.",
    {
        **_waves(),
        "group": text("Known group, left out of the network sizes that it is estimated by."),
        **_estimate("Ratio of the later to the earlier estimate"),
        "expected": number("Ratio of the later to the earlier known size.", minimum=0),
        "agrees": pa.Column(
            bool, coerce=True, description="Whether the interval holds the expected ratio."
        ),
        "n": whole("Respondents of the later wave."),
        "n_earlier": whole("Respondents of the earlier wave."),
    },
    ["survey", "earlier", "group"],
)

COMPARABILITY = contract(
    "trend_comparability",
    "What differs between two waves, and how grave it is; an aspect without differences has a row.",
    {
        **_waves(),
        "aspect": text("What was looked at.", allowed=ASPECTS),
        "item": text("Question, group or setting."),
        "earlier_value": text("In the earlier wave."),
        "later_value": text("In the later wave."),
        "severity": text(
            "expected: taken into account; caution: may move the change; serious: the change may "
            "be that of the instrument.",
            allowed=SEVERITIES,
        ),
        "meaning": text("What follows from it."),
    },
    ["survey", "earlier", "aspect", "item"],
)

NOT_RELEASED = ("n_reporting", "n_reporting_earlier", "se_linearised")


def released(contract: pa.DataFrameSchema) -> pa.DataFrameSchema:
    """Give the contract of a table after disclosure control.

    Parameters
    ----------
    contract
        The contract before.

    Returns
    -------
    prevalence.contracts.schema.DataFrameSchema
        Without numbers of respondents who report; numbers may be missing; where rows can be
        withheld, with ``suppressed`` and ``precision``.
    """
    columns = {}
    for name, column in contract.columns.items():
        if name in NOT_RELEASED:
            continue
        whole = str(column.dtype).startswith("int")
        columns[str(name)] = pa.Column(
            "Int64" if whole else column.dtype,
            nullable=str(column.dtype) not in ("bool", "str"),
            coerce=True,
            description=column.description,
        )
    if "domain" in columns:
        columns["suppressed"] = text(
            "Why the row's numbers are withheld; empty where they are shown.",
            allowed=("", *REASONS),
        )
    if "estimate" in columns:
        columns["precision"] = text(
            "Precision flag; nothing to do with privacy.",
            allowed=("", IMPRECISE, INTERVAL_ONLY),
        )
    return pa.DataFrameSchema(
        columns, name=contract.name, description=contract.description, strict=True, ordered=True
    )


VALIDATION = pa.DataFrameSchema(
    {
        **_waves(),
        **{name: column for name, column in _cell().items() if name != "estimator"},
        "measure": text("ratio or difference.", allowed=MEASURES),
        "truth": number("Planted change of the synthetic worlds."),
        "estimate": number("Released change."),
        "lower": number("Lower confidence limit."),
        "upper": number("Upper confidence limit."),
        "covered": pa.Column(
            object,
            nullable=True,
            description="Whether the interval holds the truth; empty where it is withheld.",
        ),
    },
    name="trend_validation",
    description="Planted change beside the released one; synthetic surveys only.",
    strict=True,
    ordered=True,
)
