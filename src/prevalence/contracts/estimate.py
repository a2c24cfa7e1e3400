"""Contracts of the tables of the estimate stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prevalence.contracts import schema as pa
from prevalence.contracts.columns import contract, flag, number, text, whole

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
INTERVALS = (
    "log_t",
    "gamma_mid_p",
    "t",
    "percentile",
    "logit_t",
    "zero_reports",
    "binomial",
)
VARIANCES = ("bootstrap", "replicates", "linearised")
QUALITY = ("A", "B", "C", "")


def _keys() -> dict[str, pa.Column]:
    return {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the estimator."),
        "group": text("The group, ratio or summary that is estimated."),
        "domain_type": text("Type of domain; national for the nation."),
        "domain": text("Name of the domain."),
    }


def _estimate(unit: str) -> dict[str, pa.Column]:
    return {
        "estimate": number(f"Point estimate, {unit}; empty where it doesn't exist."),
        "std_error": number(f"Standard error, {unit}.", minimum=0),
        "lower": number(f"Lower confidence limit, {unit}."),
        "upper": number(f"Upper confidence limit, {unit}."),
        "level": number("Confidence level, as a share.", nullable=False, minimum=0),
        "unit": text("Unit of the estimate and its limits.", allowed=UNITS),
        "n": whole("Respondents in the estimate."),
    }


def _inference() -> dict[str, pa.Column]:
    return {
        "n_reporting": whole("Respondents in the estimate with a report above 0."),
        "df": number("Design degrees of freedom: PSUs less strata."),
        "interval": text("How the limits were made.", allowed=INTERVALS),
        "se_linearised": number("Linearised standard error, in the same unit.", minimum=0),
    }


def arranged(frame: pd.DataFrame, contract: pa.DataFrameSchema, survey: str) -> pd.DataFrame:
    """Add the survey's id and put the columns in the contract's order; empty tables keep them."""
    return frame.assign(survey=survey).reindex(columns=list(contract.columns))


SCALE_UP = contract(
    "scale_up",
    "Scale-up estimates of the hidden groups, nationally and by domain.",
    {
        **_keys(),
        **_estimate("in the unit of its row"),
        **_inference(),
        "headline": flag("Whether this is the pre-specified estimator."),
    },
    ["survey", "estimator", "group", "domain_type", "domain", "unit"],
)

CONTRASTS = contract(
    "contrasts",
    "Ratios of the rates of two domains of one type, by the headline's estimator.",
    {
        **_keys(),
        "against": text("The domain below the line."),
        **_estimate("ratio"),
        **_inference(),
    },
    ["survey", "group", "domain_type", "domain", "against"],
)

DISCLOSURE_INPUTS = contract(
    "disclosure_inputs",
    "What disclosure control must know of each cell; never released.",
    {
        "survey": text("Id of the survey."),
        "group": text("The group; degree for the mean degree."),
        "role": text("Role of the group.", allowed=("hidden", "known", "degree", "situation")),
        "domain_type": text("Type of domain."),
        "domain": text("Name of the domain."),
        "n": whole("Respondents in the cell."),
        "n_reporting": whole("Respondents with a report above 0."),
        "sum_wy": number("Weighted sum of the reports, in persons known."),
        "sum_wd": number("Weighted sum of the degrees, in persons known."),
        "top1_share": number("Share of the largest weighted contribution in sum_wy."),
        "top2_share": number("Share of the two largest weighted contributions in sum_wy."),
        "n_complement": number(
            "Fewest respondents beside the domain in any published domain that contains it."
        ),
        "n_reporting_complement": number("The same for respondents with a report above 0."),
    },
    ["survey", "group", "domain_type", "domain"],
)

DEGREES = contract(
    "degrees",
    "Network size of each respondent by the headline's definition.",
    {
        "respondent": text("Pseudonymous id."),
        "degree": number("Degree in persons; empty with too few answered groups.", minimum=0),
        "groups_answered": whole("Known groups that the respondent answered."),
    },
    ["respondent"],
)

DEGREE_SUMMARY = contract(
    "degree_summary",
    "Mean network size, by definition and domain.",
    {
        **_keys(),
        **_estimate("people known"),
        "zero_share": number("Weighted share of respondents of degree 0.", minimum=0),
    },
    ["survey", "estimator", "domain_type", "domain"],
)

DEGREE_DISTRIBUTION = contract(
    "degree_distribution",
    "Weighted distribution of network sizes; the first bin is degree 0 alone, the last is open.",
    {
        "survey": text("Id of the survey."),
        "lower_bound": number("Above this degree (0 in the first bin).", nullable=False),
        "upper_bound": number("Up to and including this degree; empty in the last bin."),
        "share": number("Weighted share of respondents.", nullable=False, minimum=0),
        "n": whole("Respondents."),
    },
    ["survey", "lower_bound", "upper_bound"],
)

KNOWN_GROUPS = contract(
    "known_groups",
    "Leave-one-out: each group of known size estimated from the others.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the estimator."),
        "group": text("Known group."),
        "label": text("Its label."),
        **_estimate("persons"),
        "n_reporting": whole("Respondents who know a member."),
        "known_size": number("Official size in persons.", nullable=False, minimum=1),
        "year": pa.Column(
            "Int64", nullable=True, coerce=True, description="Year of the official size."
        ),
        "quality": text("Grade of the official size.", allowed=QUALITY),
        "source": text("Source of the official size."),
        "in_headline": flag("Whether the headline's degrees rest on the group."),
        "log_ratio": number("Logarithm of estimate over known size."),
        "log_ratio_lower": number("Its lower confidence limit."),
        "log_ratio_upper": number("Its upper confidence limit."),
        "design_effect": number("Relative variance over that of a Poisson count.", minimum=0),
    },
    ["survey", "estimator", "group"],
)

AGREEMENT = contract(
    "agreement",
    "How well the known groups agree: root mean square of the log ratios, and recall slope.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the estimator."),
        "group": text("Which summary.", allowed=("root_mean_square", "recall_slope")),
        **_estimate("as its unit says"),
    },
    ["survey", "estimator", "group"],
)

REPORTING = contract(
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
    "estimator": text("ratio_of_sums or mean_of_ratios."),
    "degree": text("known_population or mean_of_ratios."),
    "top_code": text("headline (fixed caps), none, or a quantile of the known groups' answers."),
    "known_groups": text("Name of the set of known groups; trimmed: chosen by their agreement."),
    "weights": text(
        "Step of weighting whose weights are used; none: no weights (a model that pools areas "
        "still averages them by the final ones)."
    ),
    "combination": text("How live and non-live reports are combined."),
    "imputation": text("none, or the published imputations."),
}

SPECIFICATIONS = contract(
    "specifications",
    "Every combination of the configured choices; the headline once more with each interval.",
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group."),
        **_CHOICES,
        "variance": text("Where the standard error comes from.", allowed=VARIANCES),
        **_estimate("persons"),
        **_inference(),
        "loo_rms": number(
            "Root mean square of the known groups' log ratios under the same choices.", minimum=0
        ),
        "headline": flag("Whether this is the pre-specified headline."),
    },
    ["survey", "group", *_CHOICES, "interval", "variance"],
)

CHOICE_SHARES = contract(
    "choice_shares",
    "Which choice moves the answer most: shares of the variance of the log estimates.",
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group."),
        "choice": text("A choice, or interactions."),
        "share": number("Main effect's share of the variance.", nullable=False, minimum=0),
        "largest_ratio": number("Largest level mean over the smallest.", minimum=1 - 1e-9),
        "levels": whole("Number of levels; of interactions: of specifications."),
    },
    ["survey", "group", "choice"],
)

TRIMMING = contract(
    "trimming",
    "Known groups taken out one at a time until the others agree; never the headline.",
    {
        "survey": text("Id of the survey."),
        "group": text("Known group of the headline."),
        "step": pa.Column(
            "Int64", nullable=True, coerce=True, description="Order of removal; empty if kept."
        ),
        "log_ratio": number("Log ratio when it was taken out."),
        "threshold": number("Largest tolerated absolute log ratio.", nullable=False),
        "removed_share": number("Share of replicates that took it out.", minimum=0),
    },
    ["survey", "group"],
)

ADJUSTMENT = contract(
    "adjustment",
    "Estimates adjusted for what respondents cannot know: medians and quantiles of draws.",
    {
        **_keys(),
        "adjustment": text("none, one factor alone, known_size, or all together."),
        **_estimate("in the unit of its row"),
    },
    ["survey", "group", "adjustment", "unit"],
)

VARIANCE_COMPONENTS = contract(
    "variance_components",
    "What the uncertainty of the fully adjusted estimate is made of.",
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group."),
        "source": text("sampling, a factor, or known_size."),
        "variance": number("Variance of the logarithm.", nullable=False, minimum=0),
        "share": number("Its share of the sum.", nullable=False, minimum=0),
    },
    ["survey", "group", "source"],
)

FACTORS = contract(
    "factors",
    "Adjustment factors: medians and quantiles of their distributions.",
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group."),
        "factor": text("frame_ratio, degree_ratio, true_positive_rate or precision."),
        "source": text("Where it comes from.", allowed=("given", "elicited", "companion")),
        "estimate": number("Median.", nullable=False),
        "std_error": number("Standard deviation.", nullable=False, minimum=0),
        "lower": number("Lower quantile.", nullable=False),
        "upper": number("Upper quantile.", nullable=False),
    },
    ["survey", "group", "factor"],
)

SENSITIVITY = contract(
    "sensitivity",
    "Tornado over the factors, contour of two of them, break-even values of published claims.",
    {
        "survey": text("Id of the survey."),
        "analysis": text("Which analysis.", allowed=("tornado", "contour", "break_even")),
        "group": text("Hidden group or ratio."),
        "unit": text("Unit of the estimate, or of the claim."),
        "factor": text("Factor that is moved; product: all of them together."),
        "value": number("Its value; in break_even the end of the claim's range."),
        "second_factor": text("Second factor of the contour; else empty."),
        "second_value": number("Its value."),
        "finding": text("Id of the published finding; else empty."),
        "estimate": number("Estimate there; in break_even the product at which it is met."),
        "lower": number("The same for the lower limit."),
        "upper": number("The same for the upper limit."),
    },
    None,
)

INFLUENCE = contract(
    "influence",
    "Leave-one-place-out: is one case known to many behind the estimate? Places aren't named.",
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group."),
        "rank": whole("1 for the most influential place."),
        "n": whole("Respondents in the place."),
        "n_reporting": whole("Respondents there with a report above 0."),
        "share_of_reports": number("Share of the weighted reports.", minimum=0),
        "estimate_without": number("Estimate without the place, persons.", minimum=0),
        "relative_change": number("Change of the estimate without it, as a share."),
    },
    ["survey", "group", "rank"],
)

EFFECTIVE_N = contract(
    "effective_n",
    "Effective number of respondents by domain, as far as unequal weights go (Kish).",
    {
        "survey": text("Id of the survey."),
        "domain_type": text("Type of domain; national for the nation."),
        "domain": text("Name of the domain."),
        "n": whole("Respondents."),
        "effective_n": number("Square of the sum of the weights over the sum of squares."),
        "deff_kish": number("n over the effective number.", minimum=0),
        "psus": whole("Primary sampling units in which they live."),
        "strata": whole("Strata of these."),
    },
    ["survey", "domain_type", "domain"],
)

INFLUENTIAL = contract(
    "influential",
    "The ten respondents with the most influence, by rank and without ids; never released.",
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group."),
        "rank": whole("1 for the largest change of the estimate."),
        "share": number("Share of the weighted reports.", minimum=0),
        "cumulated": number("Share of all up to this rank.", minimum=0),
        "relative_change": number("Change of the estimate without this respondent, as a share."),
    },
    ["survey", "group", "rank"],
)

PLANNING = contract(
    "planning",
    "What the next wave would show under other designs, by formula.",
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group."),
        "psus": whole("Primary sampling units."),
        "respondents": whole("Respondents."),
        "prevalence": number("Prevalence over the present one.", nullable=False, minimum=0),
        "cv": number("Expected coefficient of variation.", minimum=0),
        "lower_factor": number("Lower limit over the estimate.", minimum=0),
        "upper_factor": number("Upper limit over the estimate.", minimum=1),
        "detectable_fall": number("Smallest detectable fall since this wave, as a share."),
        "detectable_rise": number("Smallest detectable rise since this wave, as a share."),
    },
    ["survey", "group", "psus", "respondents", "prevalence"],
)

ESTIMANDS = contract(
    "estimands",
    "Estimand sheet: what is estimated, by which pre-specified choices, and each deviation.",
    {
        "survey": text("Id of the survey."),
        "group": text("Hidden group; headline for the choices that hold for all."),
        "element": text("Which element of the sheet."),
        "text": text("What it says."),
        "deviation": flag("Whether it departs from the pre-specified headline."),
        "fixed": text("What the record of the headline says; empty for others, and without one."),
    },
    ["survey", "group", "element"],
)
