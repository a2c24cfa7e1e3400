"""Words for what the released tables name, the same in figures and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prevalence.report.wording import capitalised

ESTIMATORS = {
    "ratio_of_sums": "Ratio of sums",
    "mean_of_ratios": "Mean of ratios",
    "mean_of_sums": "Ratio of sums, degrees as means of ratios",
    "unweighted_ratio_of_sums": "Ratio of sums, unweighted",
    "ratio_of_sums_child_alters": "Ratio of sums over child acquaintances",
    "killworth": "Ratio of sums, unweighted, binomial error",
    "poisson_lognormal": "Poisson model",
    "overdispersed": "Overdispersed model",
    "overdispersed_weighted": "Overdispersed model, weighted",
    "fay_herriot": "Fay–Herriot",
    "partially_pooled": "Model partially pooled over areas",
    "partially_pooled_weighted": "Model partially pooled over areas, weighted",
    "partially_pooled_all_areas": "Model partially pooled, unsampled areas predicted",
    "partially_pooled_weighted_all_areas": "Weighted pooled model, unsampled areas predicted",
    "correlated": "Correlated model",
}
STEPS = {
    "base": "Base weight",
    "nonresponse": "Adjusted for nonresponse",
    "trimmed": "Largest weights trimmed",
    "calibrated": "Calibrated to the census",
    "final": "Final",
}
WORLD_HEADINGS = {
    True: "Worlds in which the assumptions hold",
    False: "Worlds in which one fails, on purpose",
}
# Weights whose mean is smaller were scaled by whoever supplied them: nobody stands for so few.
SUPPLIED = 10.0
WORLDS = {
    "plain": "Assumptions hold",
    "less_concentrated": "Assumptions hold, reports less concentrated",
    "barrier_effects": "Strong barriers between groups of people",
    "less_concentrated_barrier": "Barriers, reports less concentrated",
    "heaping": "Answers heap at multiples of 5",
    "transmission_0_6": "Not all acquaintances of people in the group know",
    "degree_ratio_0_7": "People in the group know fewer people",
    "recall_fading": "Large known groups are recalled less well",
    "rare_group": "Hidden groups much smaller",
    "strong_clustering": "Hidden groups strongly clustered in places",
    "informative_nonresponse": "Those who know such people answer less often",
}


def steps_named(means: Iterable[float]) -> dict[str, str]:
    """Name the steps of weighting, from the mean weight after each."""
    return STEPS | ({"base": "As supplied"} if max(means) < SUPPLIED else {})


def plain(name: str) -> str:
    """Write the name of a table's category without underscores."""
    return name.replace("_", " ")


def in_words(words: Mapping[str, str], name: str) -> str:
    """Look a name's words up; without any, the name itself, plain and with a capital letter."""
    return words.get(name, capitalised(plain(name)))


def estimator_name(name: str) -> str:
    """Name an estimator or model in words, with a capital letter."""
    return in_words(ESTIMATORS, name)


def place_name(domain_type: str, domain: str) -> str:
    """Name a place in a column of places."""
    return "The nation" if domain_type == "national" else domain
