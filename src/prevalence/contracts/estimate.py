"""Contracts of the tables of the estimate stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandera.pandas as pa

if TYPE_CHECKING:
    import pandas as pd

UNITS = (
    "persons",
    "per_100",
    "per_1000",
    "ratio",
    "per_cent",
    "people_known",
    "log_ratio",
    "log_ratio_per_log_size",
)
INTERVALS = ("log_t", "t", "percentile", "logit_t", "zero_reports", "binomial")
VARIANCES = ("bootstrap", "replicates", "linearised")
QUALITY = ("A", "B", "C", "")


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


def _keys() -> dict[str, pa.Column]:
    return {
        "survey": _text("Id of the survey."),
        "estimator": _text("Name of the estimator."),
        "group": _text("The group, ratio or summary that is estimated."),
        "domain_type": _text("Type of domain; national for the nation."),
        "domain": _text("Name of the domain."),
    }


def _estimate(unit: str) -> dict[str, pa.Column]:
    return {
        "estimate": _number(f"Point estimate, {unit}; empty where it doesn't exist."),
        "std_error": _number(f"Standard error, {unit}.", minimum=0),
        "lower": _number(f"Lower confidence limit, {unit}."),
        "upper": _number(f"Upper confidence limit, {unit}."),
        "level": _number("Confidence level, as a share.", nullable=False, minimum=0),
        "unit": _text("Unit of the estimate and its limits.", allowed=UNITS),
        "n": _whole("Respondents in the estimate."),
    }


def _inference() -> dict[str, pa.Column]:
    return {
        "n_reporting": _whole("Respondents in the estimate with a report above 0."),
        "df": _number("Design degrees of freedom: PSUs less strata."),
        "interval": _text("How the limits were made.", allowed=INTERVALS),
        "se_linearised": _number("Linearised standard error, in the same unit.", minimum=0),
    }


def _contract(
    name: str, description: str, columns: dict[str, pa.Column], unique: list[str] | None
) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        columns, name=name, description=description, unique=unique, strict=True, ordered=True
    )


def arranged(frame: pd.DataFrame, contract: pa.DataFrameSchema, survey: str) -> pd.DataFrame:
    """Add the survey's id and put the columns in the contract's order; empty tables keep them."""
    return frame.assign(survey=survey).reindex(columns=list(contract.columns))


SCALE_UP = _contract(
    "scale_up",
    "Scale-up estimates of the hidden groups, nationally and by domain.",
    {
        **_keys(),
        **_estimate("in the unit of its row"),
        **_inference(),
        "headline": _flag("Whether this is the pre-specified estimator."),
    },
    ["survey", "estimator", "group", "domain_type", "domain", "unit"],
)

CONTRASTS = _contract(
    "contrasts",
    "Ratios of the rates of two domains of one type, by the headline's estimator.",
    {
        **_keys(),
        "against": _text("The domain below the line."),
        **_estimate("ratio"),
        **_inference(),
    },
    ["survey", "group", "domain_type", "domain", "against"],
)

DISCLOSURE_INPUTS = _contract(
    "disclosure_inputs",
    "What disclosure control must know of each cell; never released.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("The group; degree for the mean degree."),
        "role": _text("Role of the group.", allowed=("hidden", "known", "degree", "situation")),
        "domain_type": _text("Type of domain."),
        "domain": _text("Name of the domain."),
        "n": _whole("Respondents in the cell."),
        "n_reporting": _whole("Respondents with a report above 0."),
        "sum_wy": _number("Weighted sum of the reports, in persons known."),
        "sum_wd": _number("Weighted sum of the degrees, in persons known."),
        "top1_share": _number("Share of the largest weighted contribution in sum_wy."),
        "top2_share": _number("Share of the two largest weighted contributions in sum_wy."),
        "n_complement": _number(
            "Fewest respondents beside the domain in any published domain that contains it."
        ),
        "n_reporting_complement": _number("The same for respondents with a report above 0."),
    },
    ["survey", "group", "domain_type", "domain"],
)

DEGREES = _contract(
    "degrees",
    "Network size of each respondent by the headline's definition.",
    {
        "respondent": _text("Pseudonymous id."),
        "degree": _number("Degree in persons; empty with too few answered groups.", minimum=0),
        "groups_answered": _whole("Known groups that the respondent answered."),
    },
    ["respondent"],
)

DEGREE_SUMMARY = _contract(
    "degree_summary",
    "Mean network size, by definition and domain.",
    {
        **_keys(),
        **_estimate("people known"),
        "zero_share": _number("Weighted share of respondents of degree 0.", minimum=0),
    },
    ["survey", "estimator", "domain_type", "domain"],
)

DEGREE_DISTRIBUTION = _contract(
    "degree_distribution",
    "Weighted distribution of network sizes; the first bin is degree 0 alone, the last is open.",
    {
        "survey": _text("Id of the survey."),
        "lower_bound": _number("Above this degree (0 in the first bin).", nullable=False),
        "upper_bound": _number("Up to and including this degree; empty in the last bin."),
        "share": _number("Weighted share of respondents.", nullable=False, minimum=0),
        "n": _whole("Respondents."),
    },
    ["survey", "lower_bound", "upper_bound"],
)

KNOWN_GROUPS = _contract(
    "known_groups",
    "Leave-one-out: each group of known size estimated from the others.",
    {
        "survey": _text("Id of the survey."),
        "estimator": _text("Name of the estimator."),
        "group": _text("Known group."),
        "label": _text("Its label."),
        **_estimate("persons"),
        "n_reporting": _whole("Respondents who know a member."),
        "known_size": _number("Official size in persons.", nullable=False, minimum=1),
        "year": pa.Column(
            "Int64", nullable=True, coerce=True, description="Year of the official size."
        ),
        "quality": _text("Grade of the official size.", allowed=QUALITY),
        "source": _text("Source of the official size."),
        "in_headline": _flag("Whether the headline's degrees rest on the group."),
        "log_ratio": _number("Logarithm of estimate over known size."),
        "log_ratio_lower": _number("Its lower confidence limit."),
        "log_ratio_upper": _number("Its upper confidence limit."),
        "design_effect": _number("Relative variance over that of a Poisson count.", minimum=0),
    },
    ["survey", "estimator", "group"],
)

AGREEMENT = _contract(
    "agreement",
    "How well the known groups agree: root mean square of the log ratios, and recall slope.",
    {
        "survey": _text("Id of the survey."),
        "estimator": _text("Name of the estimator."),
        "group": _text("Which summary.", allowed=("root_mean_square", "recall_slope")),
        **_estimate("as its unit says"),
    },
    ["survey", "estimator", "group"],
)

REPORTING = _contract(
    "reporting",
    "Share of the situations respondents know of that was reported to authorities.",
    {
        **_keys(),
        **_estimate("per cent"),
        **_inference(),
    },
    ["survey", "estimator", "group", "domain_type", "domain"],
)

_CHOICES = {
    "estimator": _text("ratio_of_sums or mean_of_ratios."),
    "degree": _text("known_population or mean_of_ratios."),
    "top_code": _text("headline (fixed caps), none, or a quantile of the known groups' answers."),
    "known_groups": _text("Name of the set of known groups; trimmed: chosen by their agreement."),
    "weights": _text("Step of weighting whose weights are used; none: no weights."),
    "combination": _text("How live and non-live reports are combined."),
    "imputation": _text("none, or the published imputations."),
}

SPECIFICATIONS = _contract(
    "specifications",
    "Every combination of the configured choices; the headline once more with each interval.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group."),
        **_CHOICES,
        "variance": _text("Where the standard error comes from.", allowed=VARIANCES),
        **_estimate("persons"),
        **_inference(),
        "loo_rms": _number(
            "Root mean square of the known groups' log ratios under the same choices.", minimum=0
        ),
        "headline": _flag("Whether this is the pre-specified headline."),
    },
    ["survey", "group", *_CHOICES, "interval", "variance"],
)

CHOICE_SHARES = _contract(
    "choice_shares",
    "Which choice moves the answer most: shares of the variance of the log estimates.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group."),
        "choice": _text("A choice, or interactions."),
        "share": _number("Main effect's share of the variance.", nullable=False, minimum=0),
        "largest_ratio": _number("Largest level mean over the smallest.", minimum=1 - 1e-9),
        "levels": _whole("Number of levels; of interactions: of specifications."),
    },
    ["survey", "group", "choice"],
)

TRIMMING = _contract(
    "trimming",
    "Known groups taken out one at a time until the others agree; never the headline.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Known group of the headline."),
        "step": pa.Column(
            "Int64", nullable=True, coerce=True, description="Order of removal; empty if kept."
        ),
        "log_ratio": _number("Log ratio when it was taken out."),
        "threshold": _number("Largest tolerated absolute log ratio.", nullable=False),
        "removed_share": _number("Share of replicates that took it out.", minimum=0),
    },
    ["survey", "group"],
)

ADJUSTMENT = _contract(
    "adjustment",
    "Estimates adjusted for what respondents cannot know: medians and quantiles of draws.",
    {
        **_keys(),
        "adjustment": _text("none, one factor alone, known_size, or all together."),
        **_estimate("in the unit of its row"),
    },
    ["survey", "group", "adjustment", "unit"],
)

VARIANCE_COMPONENTS = _contract(
    "variance_components",
    "What the uncertainty of the fully adjusted estimate is made of.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group."),
        "source": _text("sampling, a factor, or known_size."),
        "variance": _number("Variance of the logarithm.", nullable=False, minimum=0),
        "share": _number("Its share of the sum.", nullable=False, minimum=0),
    },
    ["survey", "group", "source"],
)

FACTORS = _contract(
    "factors",
    "Adjustment factors: medians and quantiles of their distributions.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group."),
        "factor": _text("frame_ratio, degree_ratio, true_positive_rate or precision."),
        "source": _text("Where it comes from.", allowed=("given", "elicited", "companion")),
        "estimate": _number("Median.", nullable=False),
        "std_error": _number("Standard deviation.", nullable=False, minimum=0),
        "lower": _number("Lower quantile.", nullable=False),
        "upper": _number("Upper quantile.", nullable=False),
    },
    ["survey", "group", "factor"],
)

SENSITIVITY = _contract(
    "sensitivity",
    "Tornado over the factors, contour of two of them, break-even values of published claims.",
    {
        "survey": _text("Id of the survey."),
        "analysis": _text("Which analysis.", allowed=("tornado", "contour", "break_even")),
        "group": _text("Hidden group or ratio."),
        "unit": _text("Unit of the estimate, or of the claim."),
        "factor": _text("Factor that is moved; product: all of them together."),
        "value": _number("Its value; in break_even the end of the claim's range."),
        "second_factor": _text("Second factor of the contour; else empty."),
        "second_value": _number("Its value."),
        "finding": _text("Id of the published finding; else empty."),
        "estimate": _number("Estimate there; in break_even the product at which it is met."),
        "lower": _number("The same for the lower limit."),
        "upper": _number("The same for the upper limit."),
    },
    None,
)

INFLUENCE = _contract(
    "influence",
    "Leave-one-place-out: is one case known to many behind the estimate? Places aren't named.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group."),
        "rank": _whole("1 for the most influential place."),
        "n": _whole("Respondents in the place."),
        "n_reporting": _whole("Respondents there with a report above 0."),
        "share_of_reports": _number("Share of the weighted reports.", minimum=0),
        "estimate_without": _number("Estimate without the place, persons.", minimum=0),
        "relative_change": _number("Change of the estimate without it, as a share."),
    },
    ["survey", "group", "rank"],
)

EFFECTIVE_N = _contract(
    "effective_n",
    "Effective number of respondents by domain, as far as unequal weights go (Kish).",
    {
        "survey": _text("Id of the survey."),
        "domain_type": _text("Type of domain; national for the nation."),
        "domain": _text("Name of the domain."),
        "n": _whole("Respondents."),
        "effective_n": _number("Square of the sum of the weights over the sum of squares."),
        "deff_kish": _number("n over the effective number.", minimum=0),
    },
    ["survey", "domain_type", "domain"],
)

INFLUENTIAL = _contract(
    "influential",
    "The ten respondents with the most influence, by rank and without ids; never released.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group."),
        "rank": _whole("1 for the largest change of the estimate."),
        "share": _number("Share of the weighted reports.", minimum=0),
        "cumulated": _number("Share of all up to this rank.", minimum=0),
        "relative_change": _number("Change of the estimate without this respondent, as a share."),
    },
    ["survey", "group", "rank"],
)

PLANNING = _contract(
    "planning",
    "What the next wave would show under other designs, by formula.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group."),
        "psus": _whole("Primary sampling units."),
        "respondents": _whole("Respondents."),
        "prevalence": _number("Prevalence over the present one.", nullable=False, minimum=0),
        "cv": _number("Expected coefficient of variation.", minimum=0),
        "lower_factor": _number("Lower limit over the estimate.", minimum=0),
        "upper_factor": _number("Upper limit over the estimate.", minimum=1),
        "detectable_fall": _number("Smallest detectable fall since this wave, as a share."),
        "detectable_rise": _number("Smallest detectable rise since this wave, as a share."),
    },
    ["survey", "group", "psus", "respondents", "prevalence"],
)

ESTIMANDS = _contract(
    "estimands",
    "Estimand sheet: what is estimated, by which pre-specified choices, and each deviation.",
    {
        "survey": _text("Id of the survey."),
        "group": _text("Hidden group; headline for the choices that hold for all."),
        "element": _text("Which element of the sheet."),
        "text": _text("What it says."),
        "deviation": _flag("Whether it departs from the pre-specified headline."),
    },
    ["survey", "group", "element"],
)
