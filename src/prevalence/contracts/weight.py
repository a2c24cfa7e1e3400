"""Contracts of the tables of the weight stage."""

from __future__ import annotations

from functools import partial

from prevalence.contracts import schema as pa
from prevalence.contracts.columns import number, text, whole

STEPS = ("base", "nonresponse", "trimmed", "calibrated", "final")
RATES = ("RR1", "RR2", "RR3", "RR4", "HR1", "HR3", "WR1", "WR2")


_quantity = partial(number, nullable=False, minimum=0.0)


def _weight(description: str, *, positive: bool = True) -> pa.Column:
    # Linear calibration without bounds may give negative weights; the engine refuses them itself.
    checks = [pa.Check.gt(0)] if positive else []
    return pa.Column(float, checks, coerce=True, description=description)


WEIGHTS = pa.DataFrameSchema(
    {
        "respondent": text("Pseudonym of the respondent; key.", unique=True),
        "stratum": text("Stratum for the variance; a PSU taken with certainty is a stratum."),
        "psu": text("Primary sampling unit within the stratum."),
        "base": _weight("Base weight, in persons represented."),
        "nonresponse": _weight("Weight after the adjustment for nonresponse."),
        "trimmed": _weight("Weight after trimming."),
        "calibrated": _weight("Weight after calibration."),
        "final": _weight("Weight used by every estimate."),
        "nonresponse_class": text("Nonresponse class; empty without an adjustment."),
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
        "household": text("Pseudonym of the sampled household; key.", unique=True),
        "stratum": text("Stratum for the variance."),
        "psu": text("Primary sampling unit within the stratum."),
        "nonresponse_class": text("Nonresponse class; empty without an adjustment."),
        "eligible": _quantity("Design weight times the share that counts as eligible."),
        "responding": _quantity("Design weight of households that responded; 0 for the others."),
    },
    name="households",
    strict=True,
)

REPLICATES = pa.DataFrameSchema(
    {
        "stratum": text("Stratum for the variance."),
        "psu": text("PSU within the stratum, PSUs without respondents included; key with stratum."),
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
        "kind": text(
            "What is repeated in each replicate; scale: multiplier of its squared deviation, where "
            "the method isn't the rescaled bootstrap.",
            allowed=("scale", "nonresponse", "trimming", "calibration"),
        ),
        "margin": text("Calibration margin, or nonresponse_class."),
        "category": text("Category of the margin, or class."),
        "method": text("Calibration method, or replication method; empty for other kinds."),
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
        "step": text("Step of the weighting chain.", allowed=STEPS, unique=True),
        "n": whole("Respondents."),
        "sum": _quantity("Sum of the weights, in persons."),
        "mean": _quantity("Mean weight."),
        "cv": _quantity("Coefficient of variation of the weights."),
        "min": _quantity("Smallest weight."),
        "p05": _quantity("5th percentile."),
        "median": _quantity("Median."),
        "p95": _quantity("95th percentile."),
        "max": _quantity("Largest weight."),
        "deff_kish": _quantity("Design effect of unequal weights (Kish): 1 + cv²."),
        "effective_n": _quantity("n over the design effect."),
    },
    name="weighting",
    strict=True,
)

WEIGHT_DISTRIBUTION = pa.DataFrameSchema(
    {
        "step": text("Step of the weighting chain.", allowed=STEPS),
        "lower_bound": _quantity("Lower bound, in multiples of the mean weight (included)."),
        "upper_bound": _quantity("Upper bound (excluded); missing: no bound.", nullable=True),
        "share": _quantity("Share of the respondents."),
        "n": whole("Respondents."),
    },
    name="weight_distribution",
    strict=True,
)

RESPONSE_RATES = pa.DataFrameSchema(
    {
        "domain_type": text("national, stratum, region or interviewer."),
        "domain": text("Name of the domain."),
        "rate": text(
            "AAPOR response rate; HR of the household step, WR from the choice of a person there "
            "to the interview: RR1 = HR1 × WR1, RR3 = HR3 × WR1.",
            allowed=RATES,
        ),
        "unweighted": _quantity("Share of cases.", nullable=True),
        "weighted": _quantity("Share of cases by design weight.", nullable=True),
        "n": whole("Sampled households."),
    },
    name="response_rates",
    strict=True,
)

NONRESPONSE_BIAS = pa.DataFrameSchema(
    {
        "against": text("What respondents are compared with.", allowed=("frame", "census")),
        "variable": text("Variable of the frame, or margin of the census."),
        "category": text("Its category."),
        "benchmark": _quantity("Share of the eligible households, or of the population."),
        "responding": _quantity("Share of the respondents with base weights.", nullable=True),
        "difference": _quantity("Respondents less benchmark.", nullable=True, minimum=None),
        "std_error": _quantity("Standard error of the difference.", nullable=True),
        "adjusted": _quantity("Share after the adjustment for nonresponse.", nullable=True),
        "final": _quantity("Share with the final weight; empty against the frame.", nullable=True),
        "remaining": _quantity(
            "What remains of the difference after weighting.", nullable=True, minimum=None
        ),
        "n": whole("Respondents in the category."),
    },
    name="nonresponse_bias",
    description="Respondents against the sampling frame and against the census.",
    strict=True,
    ordered=True,
    unique=["against", "variable", "category"],
)

MARGINS = pa.DataFrameSchema(
    {
        "margin": text("Calibration margin."),
        "category": text("Category, after merging thin ones."),
        "population": _quantity("Population, in persons."),
        "before": _quantity("Sum of the weights before calibration."),
        "after": _quantity("Sum of the weights after calibration."),
    },
    name="margins",
    strict=True,
)

COLLAPSED = pa.DataFrameSchema(
    {
        "margin": text("Calibration margin, or nonresponse_class."),
        "category": text("What was merged."),
        "into": text("With what."),
        "reason": text("Why."),
    },
    name="collapsed",
    strict=True,
)
