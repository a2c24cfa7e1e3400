"""Which rule of disclosure control each table falls under; one that none names isn't released."""

from __future__ import annotations

from collections.abc import Iterable

from prevalence.errors import PipelineError, listed

COUNTS = ["n", "n_reporting"]
LIMITS = ["estimate", "lower", "upper"]
ERRORS = ["std_error", "se_linearised"]
# Numbers that aren't estimates: they are public, settings, or counts, and stay as they are.
EXACT = {"level", "year", "known_size", "step", "excluded", "rank", "psus", "respondents"}
EXACT |= {"prior_scale", "high_k", "quantile", "areas"}
EXACT |= {"population", "levels", "lower_bound", "upper_bound", "answered", "top_code", *COUNTS}
# Tables with one estimate a row.
ESTIMATES = (
    "scale_up",
    "degree_summary",
    "known_groups",
    "known_groups_models",
    "small_areas",
    "agreement",
    "contrasts",
    "reporting",
    "specifications",
    "adjustment",
    "adjustment_models",
    "factors",
)
# Binned distributions: small bins are merged, none is withheld.
DISTRIBUTIONS = ("degree_distribution", "weight_distribution")
# Distributions over areas that are too small to be named.
AREAS = ("area_distribution",)
# Tables that say how the survey was made; they hold no answer about a hidden group.
PROCESS = (
    "sample_flow",
    "weighting",
    "response_rates",
    "nonresponse_bias",
    "margins",
    "collapsed",
    "estimands",
    "effective_n",
)
# National results of a hidden or known group beside estimates.
NATIONAL = (
    "choice_shares",
    "trimming",
    "variance_components",
    "sensitivity",
    "planning",
    "predictive",
    "prior_sensitivity",
    "model_comparison",
)
# Shares of answers, by question.
QUALITY = ("data_quality",)
# Results without one place after the other; places aren't named.
INFLUENCE = ("influence",)
# How well a model's posterior was drawn: what it says of a cell is left out.
DIAGNOSTICS = ("diagnostics",)
# Columns that are never released: an answer of one person, a place's own count, and what a
# posterior says of a cell (the table of estimates shows that, controlled).
NEVER = {
    "data_quality": ["five_or_more", "max", "interviewer_correlation"],
    "influence": COUNTS,
    "diagnostics": ["mean", "sd", "mcse"],
}

RULES: dict[str, str] = {
    name: rule
    for rule, names in {
        "estimates": ESTIMATES,
        "distribution": DISTRIBUTIONS,
        "areas": AREAS,
        "process": PROCESS,
        "national": NATIONAL,
        "quality": QUALITY,
        "influence": INFLUENCE,
        "diagnostics": DIAGNOSTICS,
    }.items()
    for name in names
}


def check_tables(names: Iterable[str]) -> None:
    """Refuse a table that no rule of disclosure control names: it fails closed.

    Parameters
    ----------
    names
        Names of the tables that are to be released.

    Raises
    ------
    PipelineError
        Naming the tables.
    """
    unknown = [name for name in names if name not in RULES]
    if unknown:
        raise PipelineError(
            "A table has no rule of disclosure control.",
            file="src/prevalence/disclosure/tables.py",
            place=listed(unknown),
            allowed=listed(sorted(RULES), 40),
            remedy="Say there which rule it falls under, and test what an attacker could derive "
            "of it; or don't release it.",
        )
