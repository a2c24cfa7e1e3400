"""Contracts of the tables of the weight stage."""

from __future__ import annotations

import pandera.pandas as pa

STEPS = ("base", "nonresponse", "trimmed", "calibrated", "final")
RATES = ("RR1", "RR2", "RR3", "RR4", "HR1", "HR3", "WR1", "WR2")


def _text(description: str, *, allowed: tuple[str, ...] = (), unique: bool = False) -> pa.Column:
    checks = [pa.Check.isin(allowed)] if allowed else []
    return pa.Column(str, checks, coerce=True, unique=unique, description=description)


def _number(description: str, *, nullable: bool = False, minimum: float | None = 0.0) -> pa.Column:
    checks = [] if minimum is None else [pa.Check.ge(minimum)]
    return pa.Column(float, checks, nullable=nullable, coerce=True, description=description)


def _weight(description: str, *, positive: bool = True) -> pa.Column:
    # Linear calibration without bounds may give negative weights; the engine refuses them itself.
    checks = [pa.Check.gt(0)] if positive else []
    return pa.Column(float, checks, coerce=True, description=description)


def _whole(description: str) -> pa.Column:
    return pa.Column("int64", pa.Check.ge(0), coerce=True, description=description)


WEIGHTS = pa.DataFrameSchema(
    {
        "respondent": _text("Pseudonym of the respondent; key.", unique=True),
        "stratum": _text("Stratum for the variance; a PSU taken with certainty is a stratum."),
        "psu": _text("Primary sampling unit within the stratum."),
        "base": _weight("Base weight, in persons represented."),
        "nonresponse": _weight("Weight after the adjustment for nonresponse."),
        "trimmed": _weight("Weight after trimming."),
        "calibrated": _weight("Weight after calibration."),
        "final": _weight("Weight used by every estimate."),
        "nonresponse_class": _text("Nonresponse class; empty without an adjustment."),
        "calibration_unit": pa.Column(
            str,
            coerce=True,
            required=False,
            description="Unit, such as the household, whose members share one calibration factor.",
        ),
        "margin_.+": pa.Column(
            str,
            coerce=True,
            regex=True,
            required=False,
            description="Category of a calibration margin, after merging thin categories.",
        ),
    },
    name="weights",
    strict=True,
)

HOUSEHOLDS = pa.DataFrameSchema(
    {
        "household": _text("Pseudonym of the sampled household; key.", unique=True),
        "stratum": _text("Stratum for the variance."),
        "psu": _text("Primary sampling unit within the stratum."),
        "nonresponse_class": _text("Nonresponse class; empty without an adjustment."),
        "eligible": _number("Design weight times the share that counts as eligible."),
        "responding": _number("Design weight of households that responded; 0 for the others."),
    },
    name="households",
    strict=True,
)

REPLICATES = pa.DataFrameSchema(
    {
        "stratum": _text("Stratum for the variance."),
        "psu": _text(
            "PSU within the stratum, PSUs without respondents included; key with stratum."
        ),
        r"r\d{4}": pa.Column(
            None,  # whole numbers in the rescaled bootstrap, factors in the other methods
            pa.Check.ge(0),
            regex=True,
            description="Rescaled bootstrap: times the PSU was drawn in a replicate, not rescaled. "
            "Other methods: the PSU's factor.",
        ),
    },
    name="replicates",
    strict=True,
    unique=["stratum", "psu"],
)

REPLICATE_FACTORS = pa.DataFrameSchema(
    {
        "kind": _text(
            "What is repeated in each replicate; scale: multiplier of its squared deviation, where "
            "the method isn't the rescaled bootstrap.",
            allowed=("scale", "nonresponse", "trimming", "calibration"),
        ),
        "margin": _text("Calibration margin, or nonresponse_class."),
        "category": _text("Category of the margin, or class."),
        "method": _text("Calibration method, or replication method; empty for other kinds."),
        "lower": pa.Column(
            float, coerce=True, description="Lower bound of the calibration factor."
        ),
        "upper": pa.Column(
            float,
            coerce=True,
            description="Upper bound of the calibration factor, or of the weight.",
        ),
        r"r\d{4}": pa.Column(
            float,
            coerce=True,
            regex=True,
            description="Scale, nonresponse factor, redistribution factor, or calibration "
            "coefficient λ (F(λ) is the factor of a category), in a replicate.",
        ),
    },
    name="replicate_factors",
    strict=True,
)

WEIGHTING = pa.DataFrameSchema(
    {
        "step": _text("Step of the weighting chain.", allowed=STEPS, unique=True),
        "n": _whole("Respondents."),
        "sum": _number("Sum of the weights, in persons."),
        "mean": _number("Mean weight."),
        "cv": _number("Coefficient of variation of the weights."),
        "min": _number("Smallest weight."),
        "p05": _number("5th percentile."),
        "median": _number("Median."),
        "p95": _number("95th percentile."),
        "max": _number("Largest weight."),
        "deff_kish": _number("Design effect of unequal weights (Kish): 1 + cv²."),
        "effective_n": _number("n over the design effect."),
    },
    name="weighting",
    strict=True,
)

WEIGHT_DISTRIBUTION = pa.DataFrameSchema(
    {
        "step": _text("Step of the weighting chain.", allowed=STEPS),
        "lower_bound": _number("Lower bound, in multiples of the mean weight (included)."),
        "upper_bound": _number("Upper bound (excluded); missing: no bound.", nullable=True),
        "share": _number("Share of the respondents."),
        "n": _whole("Respondents."),
    },
    name="weight_distribution",
    strict=True,
)

RESPONSE_RATES = pa.DataFrameSchema(
    {
        "domain_type": _text("national, stratum, region or interviewer."),
        "domain": _text("Name of the domain."),
        "rate": _text(
            "AAPOR response rate; HR of the household step, WR from the choice of a person there "
            "to the interview: RR1 = HR1 × WR1, RR3 = HR3 × WR1.",
            allowed=RATES,
        ),
        "unweighted": _number("Share of cases.", nullable=True),
        "weighted": _number("Share of cases by design weight.", nullable=True),
        "n": _whole("Sampled households."),
    },
    name="response_rates",
    strict=True,
)

NONRESPONSE_BIAS = pa.DataFrameSchema(
    {
        "against": _text("What respondents are compared with.", allowed=("frame", "census")),
        "variable": _text("Variable of the frame, or margin of the census."),
        "category": _text("Its category."),
        "benchmark": _number("Share of the eligible households, or of the population."),
        "responding": _number("Share of the respondents with base weights.", nullable=True),
        "difference": _number("Respondents less benchmark.", nullable=True, minimum=None),
        "std_error": _number("Standard error of the difference.", nullable=True),
        "adjusted": _number("Share after the adjustment for nonresponse.", nullable=True),
        "final": _number("Share with the final weight; empty against the frame.", nullable=True),
        "remaining": _number(
            "What remains of the difference after weighting.", nullable=True, minimum=None
        ),
        "n": _whole("Respondents in the category."),
    },
    name="nonresponse_bias",
    description="Respondents against the sampling frame and against the census.",
    strict=True,
    ordered=True,
    unique=["against", "variable", "category"],
)

MARGINS = pa.DataFrameSchema(
    {
        "margin": _text("Calibration margin."),
        "category": _text("Category, after merging thin ones."),
        "population": _number("Population, in persons."),
        "before": _number("Sum of the weights before calibration."),
        "after": _number("Sum of the weights after calibration."),
    },
    name="margins",
    strict=True,
)

COLLAPSED = pa.DataFrameSchema(
    {
        "margin": _text("Calibration margin, or nonresponse_class."),
        "category": _text("What was merged."),
        "into": _text("With what."),
        "reason": _text("Why."),
    },
    name="collapsed",
    strict=True,
)
