"""What figures say: words of the survey's config, and short words for what the tables name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prevalence.report.names import estimator_name, plain
from prevalence.report.wording import capitalised

PER = {"per_100": "per 100", "per_1000": "per 1,000"}
POPULATIONS = {"all_ages": "people"}
FACTORS = {
    "true_positive_rate": "True-positive rate: share of acquaintances of people in the group who "
    "know of it",
    "degree_ratio": "Degree ratio: acquaintances of people in the group to those of people in "
    "households",
    "frame_ratio": "Frame ratio: acquaintances of people in households (the sampling frame) to "
    "those of everybody",
    "precision": "Precision: share of reports that are right",
}
NAMESAKES = ("Fay", "Poisson model")  # names that begin with a person's
CHOICES = {
    "estimator": "Estimator",
    "degree": "Network size",
    "top_code": "Top codes",
    "known_groups": "Known groups",
    "weights": "Weights",
    "combination": "Items combined",
    "imputation": "Imputation",
}
# Words for the levels of choices; those of one choice alone stand after its name.
LEVELS = {
    "known_population": "sizes summed",
    "mean_of_ratios": "mean of ratios",
    "ratio_of_sums": "ratio of sums",
    "headline": "as the headline",
    "none": "none",
    "p95": "95th percentile",
    "p97_5": "97.5th percentile",
    "p99": "99th percentile",
    "final": "final",
    "base": "selection only",
    "maximum": "the larger",
    "sum": "the sum",
    "published": "as published",
    "imputation: published": "by the rule in the authors’ public code",
    "poisson_lognormal": "Poisson",
    "overdispersed_weighted": "overdispersed, weighted",
    "partially_pooled_weighted": "partially pooled, weighted",
}


def in_sentence(name: str) -> str:
    """Write the name of an estimator as it stands within a sentence: only persons keep a capital.

    Parameters
    ----------
    name
        With a capital letter.

    Returns
    -------
    str
        For instance ``overdispersed model``, ``Fay–Herriot``.
    """
    return name if name.split("–", maxsplit=1)[0] in NAMESAKES else name[:1].lower() + name[1:]


@dataclass(frozen=True)
class Words:
    """What a survey's config says, as figures need it.

    Parameters
    ----------
    survey, estimate, headline, report
        Sections of the survey's config.
    findings
        The published findings where the survey mirrors a study; each with `group`, `unit`, `low`
        and `high`.
    places
        The config's `figures:` section: names of places, tiles.
    precision
        Coefficients of variation above which an estimate is imprecise or not shown.
    items
        Labels of the count questions in the codebook, by group or variable.
    """

    survey: Mapping[str, Any]
    estimate: Mapping[str, Any]
    headline: Mapping[str, Any]
    findings: list[dict[str, Any]]
    report: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Any] = field(default_factory=dict)
    precision: Mapping[str, float] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)

    @property
    def synthetic(self) -> bool:
        """Whether the data are synthetic."""
        return bool(self.survey["synthetic"])

    @property
    def groups(self) -> dict[str, dict[str, Any]]:
        """Hidden groups in the config's order."""
        return dict(self.estimate["hidden_groups"])

    @property
    def level(self) -> str:
        """Level of the intervals, as in ``95%``."""
        return f"{100 * float(self.estimate['level']):g}%"

    def label(self, group: str) -> str:
        """Group in words, with a capital letter."""
        return capitalised(str(self.groups[group]["label"]))

    def short(self, group: str) -> str:
        """Heading of the group's section in the report: a word or two."""
        words = (self.report.get("groups") or {}).get(group) or {}
        return str(words.get("heading") or self.label(group))

    def denominator(self, group: str) -> str:
        """Give the unit of the group's rate in words: per 100 children."""
        settings = self.groups[group]
        population = str(settings["population"])
        return f"{PER[settings['per']]} {POPULATIONS.get(population, plain(population))}"

    def estimator(self, name: str) -> str:
        """Estimator in words, with a capital letter; sums over places by the places' name."""
        if name.startswith("sum_of_"):
            return f"Sum over the {self.kind(name.removeprefix('sum_of_'))['many']}"
        return estimator_name(name)

    def place(self, domain_type: str, domain: str) -> str:
        """Name of a place beside its code, where the config gives one."""
        name = ((self.places.get("names") or {}).get(domain_type) or {}).get(domain)
        return f"{domain}  {name}" if name else domain

    def order(self, domain_type: str, domains: list[str]) -> list[str]:
        """Put places in the config's official order; those that it doesn't name follow."""
        official = list((self.places.get("names") or {}).get(domain_type) or {})
        return [name for name in official if name in domains] + [
            name for name in domains if name not in official
        ]

    def kind(self, domain_type: str) -> dict[str, str]:
        """Singular and plural of a type of domain."""
        one = plain(domain_type)
        words = (self.report.get("domains") or {}).get(domain_type)
        return dict(words or {"one": one, "many": f"{one}s"})

    def abbreviations(self, text: str) -> list[str]:
        """Explain the abbreviations of a text that the report's terms explain."""
        found = []
        for term in self.report.get("terms") or []:
            match = re.fullmatch(r"(.+) \((\w+)\)", str(term["term"]))
            if match and re.search(rf"\b{match[2]}\b", text):
                found.append(f"{match[2]}: {match[1][:1].lower()}{match[1][1:]}.")
        return found
