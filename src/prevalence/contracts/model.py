"""Contracts of the tables of the model stage."""

from __future__ import annotations

from prevalence.contracts import schema as pa
from prevalence.contracts.columns import contract, flag, number, text, whole
from prevalence.contracts.estimate import SCALE_UP, SPECIFICATIONS
from prevalence.models.areas import NEIGHBOURS, STATISTICS
from prevalence.models.scaling import CHOICES, FORMS

CREDIBLE_INTERVALS = ("credible", "credible_unconverged")


def _converged() -> pa.Column:
    return flag("Whether the sample passed every threshold; if not, the row is not to be trusted.")


def _interval(unit: str) -> dict[str, pa.Column]:
    return {
        "estimate": number(f"Posterior median, {unit}."),
        "std_error": number(
            f"Posterior standard deviation, {unit}; of draws that are stretched to the design's "
            "variance, which have none, by quantiles of their logarithms.",
            minimum=0,
        ),
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

SPECIFICATIONS_MODELS = contract(
    "specifications_models",
    "Hidden groups of the nation by the models, in the columns of specifications.",
    {
        **SPECIFICATIONS.columns,
        "interval": SCALE_UP_MODELS.columns["interval"],
        "variance": text("Where the standard error comes from.", allowed=("posterior",)),
    },
    ["survey", "group", "estimator", "degree", "known_groups", "weights"],
)

SCALINGS = contract(
    "scalings",
    "Hidden groups of the nation by one model under each scaling; the chosen one is the first.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "group": text("Hidden group."),
        "scaling_groups": text("Known groups that scale.", allowed=CHOICES),
        "scaling_form": text("How they are put together.", allowed=FORMS),
        **_interval("in persons"),
        "loo_rms": number("Root mean square of the known groups' log ratios.", minimum=0),
        "chosen": flag("Whether the model's other tables rest on this scaling."),
    },
    ["survey", "estimator", "group", "scaling_groups", "scaling_form"],
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
        "converged": _converged(),
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
        "mean": number(
            "Posterior mean; the median of draws that are stretched to the design's variance."
        ),
        "sd": number("Posterior standard deviation, or by quantiles as in scale_up.", minimum=0),
        "mcse": number("Monte Carlo standard error of the mean or median.", minimum=0),
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
    "Posterior predictive checks: the answers beside data drawn from each model; both with survey "
    "weights where the model has them.",
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
        "converged": _converged(),
    },
    ["survey", "estimator", "group", "statistic"],
)

POINTWISE = contract(
    "pointwise",
    "Each respondent predicted from the others by a model (PSIS-LOO); never released.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "respondent": whole("Place of the respondent among those analysed, from 0."),
        "elpd": number(
            "Log predictive density of all of the respondent's answers.", nullable=False
        ),
        "effective_parameters": number("The respondent's part of the effective parameters."),
        "pareto_k": number("Shape of the importance weights' tail."),
        "high_k": flag("Whether it is too high for so many draws."),
    },
    ["survey", "estimator", "respondent"],
)

MODEL_COMPARISON = contract(
    "model_comparison",
    "Unweighted models by how well they predict respondents left out (PSIS-LOO), the best first.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "elpd": number(
            "Sum over respondents of the log predictive density, each left out in turn."
        ),
        "elpd_error": number("Its standard error.", minimum=0),
        "effective_parameters": number("Effective number of parameters."),
        "difference": number("Of elpd from the best model's; 0 for the best."),
        "difference_error": number(
            "Its standard error, from respondents' own differences.", minimum=0
        ),
        "respondents": whole("Respondents."),
        "high_k": whole("Respondents whose importance weights are not to be trusted."),
        "largest_k": number("Largest Pareto k."),
        "reliable": flag("Whether at most one in a hundred respondents has a high Pareto k."),
        "converged": _converged(),
    },
    ["survey", "estimator"],
)

PRIOR_SENSITIVITY = contract(
    "prior_sensitivity",
    "Hidden groups of the nation under half and twice the scales of the models' priors.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "group": text("Hidden group."),
        "prior_scale": number(
            "By which the priors' scales are multiplied; 1 as fitted.", minimum=0
        ),
        "estimate": number("Posterior median, in persons."),
        "lower": number("Lower limit of the credible interval, in persons."),
        "upper": number("Upper limit of the credible interval, in persons."),
        "level": number("Level of the interval, as a share.", nullable=False, minimum=0),
        "unit": text("Unit of the estimate and its limits."),
        "pareto_k": number(
            "Of the importance weights: above 1 - 1 / log10(draws), at most 0.7, they don't carry "
            "that far."
        ),
        "power_scaling": number(
            "How far the estimate's distribution moves with a power of the prior; above 0.05 it "
            "leans on the prior.",
            minimum=0,
        ),
        "converged": _converged(),
    },
    ["survey", "estimator", "group", "prior_scale"],
)

ADJUSTMENT_MODELS = contract(
    "adjustment_models",
    "The models' estimates adjusted as the headline's are in adjustment: quantiles of draws.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "group": text("Hidden group, or ratio of two."),
        "domain_type": text("Type of domain; national for the nation."),
        "domain": text("Name of the domain."),
        "adjustment": text("none, one factor alone, known_size, or all together."),
        **_interval("in the unit of its row"),
        "std_error": number("Standard deviation of the draws, in the unit of its row.", minimum=0),
        "converged": _converged(),
    },
    ["survey", "estimator", "group", "adjustment", "unit"],
)

AREA_DISTRIBUTION = contract(
    "area_distribution",
    "How a hidden group's rates are distributed over the sampled areas by a model that pools them; "
    "areas aren't named, and each counts alike.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("Name of the model."),
        "group": text("Hidden group."),
        "statistic": text(
            "areas: over areas and draws together; posterior_medians: over the areas' medians, "
            f"each the mean of the {NEIGHBOURS} areas nearest in rank; between_sd: over the draws "
            "of the standard deviation of the areas' logarithms.",
            allowed=STATISTICS,
        ),
        "quantile": number("Which quantile, as a share.", nullable=False, minimum=0),
        "value": number("Its value, in the unit of its row.", minimum=0),
        "std_error": number(
            "Posterior standard deviation, in the same unit: of the quantile of a draw's areas, of "
            "the mean rate of the areas nearest in rank, or of the standard deviation.",
            minimum=0,
        ),
        "unit": text("Unit of the value.", allowed=("per_100", "per_1000", "log_rate")),
        "areas": whole("Sampled areas."),
        "converged": _converged(),
    },
    ["survey", "estimator", "group", "statistic", "quantile"],
)

SMALL_AREAS = contract(
    "small_areas",
    "Rates of places that borrow strength from one another, beside the direct ones of scale_up.",
    {
        "survey": text("Id of the survey."),
        "estimator": text("fay_herriot, or the name of a model."),
        "group": text("Hidden group."),
        "domain_type": text("Type of domain."),
        "domain": text("Name of the domain."),
        "estimate": number("Estimate, as a rate."),
        "std_error": number("Root of the mean squared error, or posterior standard deviation."),
        "lower": number("Lower limit, as a rate."),
        "upper": number("Upper limit, as a rate."),
        "level": number("Level of the interval, as a share.", nullable=False, minimum=0),
        "unit": text("Unit of the estimate and its limits."),
        "n": whole("Respondents in the direct estimate."),
        "n_reporting": whole("Respondents in it with a report above 0."),
        "shrinkage": number(
            "Share of the direct estimate (Fay-Herriot); 1 less the ratio of variances (models)."
        ),
        "discrepancy": number("Standardised distance of the direct estimate."),
        "disagreement_p": number(
            "Chi-squared test over all places of the type: that they do not differ (Fay-Herriot), "
            "that the direct estimates are those of the model (models).",
            minimum=0,
        ),
        "converged": flag("Whether a model's sample passed every threshold; true of Fay-Herriot."),
    },
    ["survey", "estimator", "group", "domain_type", "domain"],
)
