"""Contracts of the released tables: those of the earlier stages after disclosure control.

Columns keep their names, units and descriptions. Numbers may be missing, since a withheld cell has
none; tables of estimates say why in ``suppressed`` and flag imprecise rows in ``precision``.
"""

from __future__ import annotations

from prevalence.contracts import clean, estimate, model, weight
from prevalence.contracts import schema as pa
from prevalence.contracts.columns import number, text, whole
from prevalence.disclosure.rules import IMPRECISE, INTERVAL_ONLY, REASONS
from prevalence.disclosure.tables import DISTRIBUTIONS, ESTIMATES, NEVER, PROCESS

_COUNTS = ("n", "n_reporting")


def _reason() -> pa.Column:
    return pa.Column(
        str,
        pa.Check.isin(["", *REASONS]),
        coerce=True,
        description="Why the row's numbers are withheld; empty where they are shown.",
    )


def _precision() -> pa.Column:
    return pa.Column(
        str,
        pa.Check.isin(["", IMPRECISE, INTERVAL_ONLY]),
        coerce=True,
        description="Precision flag; nothing to do with privacy.",
    )


def _may_be_missing(name: str, column: pa.Column) -> pa.Column:
    kind = str(column.dtype)
    whole = name in _COUNTS or kind.startswith("int")
    dtype: object = "Int64" if whole else column.dtype
    return pa.Column(
        dtype,
        nullable=kind != "bool",
        required=column.required,
        coerce=True,
        description=column.description,
    )


def released(contract: pa.DataFrameSchema) -> pa.DataFrameSchema:
    """Give the contract of a table after disclosure control.

    Parameters
    ----------
    contract
        The contract of the table before.

    Returns
    -------
    prevalence.contracts.schema.DataFrameSchema
        The same columns, less those that are never released, with ``suppressed`` and ``precision``
        where rows can be withheld.
    """
    name = str(contract.name)
    columns = {
        str(column): _may_be_missing(str(column), spec)
        for column, spec in contract.columns.items()
        if column not in NEVER.get(name, [])
    }
    if name in ESTIMATES:
        columns |= {"suppressed": _reason(), "precision": _precision()}
    elif name not in DISTRIBUTIONS and name not in PROCESS and "group" in columns:
        columns["suppressed"] = _reason()
    return pa.DataFrameSchema(
        columns,
        name=name,
        description=contract.description,
        strict=True,
        ordered=False,
    )


SCALE_UP = released(estimate.SCALE_UP)
CONTRASTS = released(estimate.CONTRASTS)
DEGREE_SUMMARY = released(estimate.DEGREE_SUMMARY)
DEGREE_DISTRIBUTION = released(estimate.DEGREE_DISTRIBUTION)
KNOWN_GROUPS = released(estimate.KNOWN_GROUPS)
AGREEMENT = released(estimate.AGREEMENT)
REPORTING = released(estimate.REPORTING)
SPECIFICATIONS = released(estimate.SPECIFICATIONS)
CHOICE_SHARES = released(estimate.CHOICE_SHARES)
TRIMMING = released(estimate.TRIMMING)
ADJUSTMENT = released(estimate.ADJUSTMENT)
VARIANCE_COMPONENTS = released(estimate.VARIANCE_COMPONENTS)
FACTORS = released(estimate.FACTORS)
SENSITIVITY = released(estimate.SENSITIVITY)
INFLUENCE = released(estimate.INFLUENCE)
PLANNING = released(estimate.PLANNING)
ESTIMANDS = released(estimate.ESTIMANDS)
EFFECTIVE_N = released(estimate.EFFECTIVE_N)
SAMPLE_FLOW = released(clean.SAMPLE_FLOW)
DATA_QUALITY = released(clean.DATA_QUALITY)
WEIGHTING = released(weight.WEIGHTING)
WEIGHT_DISTRIBUTION = released(weight.WEIGHT_DISTRIBUTION)
RESPONSE_RATES = released(weight.RESPONSE_RATES)
NONRESPONSE_BIAS = released(weight.NONRESPONSE_BIAS)
MARGINS = released(weight.MARGINS)
COLLAPSED = released(weight.COLLAPSED)
KNOWN_GROUPS_MODELS = released(model.KNOWN_GROUPS_MODELS)
DIAGNOSTICS = released(model.DIAGNOSTICS)
PREDICTIVE = released(model.PREDICTIVE)
MODEL_COMPARISON = released(model.MODEL_COMPARISON)
PRIOR_SENSITIVITY = released(model.PRIOR_SENSITIVITY)
ADJUSTMENT_MODELS = released(model.ADJUSTMENT_MODELS)
AREA_DISTRIBUTION = released(model.AREA_DISTRIBUTION)
SMALL_AREAS = released(model.SMALL_AREAS)

CONTRACTS = {
    str(value.name): value
    for value in list(globals().values())
    if isinstance(value, pa.DataFrameSchema)
}


_CELL = {
    "group": text("Group of the cell; empty where the table has none."),
    "domain_type": text("Type of domain."),
    "domain": text("Domain."),
}

VALIDATION = pa.DataFrameSchema(
    {
        **_CELL,
        "unit": text("Unit of truth, estimate and limits."),
        "truth": number("Planted truth of the synthetic population."),
        "estimate": number("Released estimate by the headline's estimator."),
        "lower": number("Lower confidence limit."),
        "upper": number("Upper confidence limit."),
        "covered": pa.Column(
            object,
            nullable=True,
            description="Whether the interval holds the truth; empty where it is withheld.",
        ),
        "suppressed": _reason(),
    },
    name="validation",
    description="Planted truth beside the released estimates; synthetic surveys only.",
    unique=["group", "domain_type", "domain", "unit"],
    strict=True,
)

DISCLOSURE_LOG = pa.DataFrameSchema(
    {
        "table": text("Released table; all for an exception."),
        **_CELL,
        "against": text("Second domain of a contrast; else empty."),
        "estimator": text("Estimator, where the table has one."),
        "unit": text("Unit, where the table has one."),
        "suppressed": text("Reason, or exception."),
    },
    name="disclosure_log",
    description="Each withheld row and each exception, without values.",
    strict=True,
)

DISCLOSURE_SUMMARY = pa.DataFrameSchema(
    {
        "table": text("Released table."),
        "group": text("Group; empty where the table has none."),
        "domain_type": text("Type of domain."),
        "rows": whole("Rows."),
        "released": whole("Rows whose numbers are shown."),
        **{reason: whole(f"Rows withheld with the reason {reason}.") for reason in REASONS},
        "imprecise": whole("Rows flagged as imprecise."),
        "interval_only": whole("Rows of which only the interval is shown."),
    },
    name="disclosure_summary",
    description="What disclosure control withheld and flagged.",
    unique=["table", "group", "domain_type"],
    strict=True,
)

DISCLOSURE_EXCEPTIONS = pa.DataFrameSchema(
    {
        **_CELL,
        "reason": text("Why the cell is released although it fails."),
        "approver": text("Who decided."),
        "expiry": text("Day after which the exception no longer holds."),
    },
    name="disclosure_exceptions",
    description="Cells that are released although they fail a threshold; shown in the report.",
    unique=["group", "domain_type", "domain"],
    strict=True,
)
