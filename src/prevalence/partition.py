"""Whether the groups and domains of a study have the populations that they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from prevalence.denominators import check_denominators, check_places
from prevalence.domains import Domain, Populations
from prevalence.errors import PipelineError, listed, suggestion

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study


def check_names(study: Study, populations: pd.DataFrame | None = None) -> None:
    """Refuse a study whose groups, domains or denominators aren't there.

    Parameters
    ----------
    study
        The study.
    populations
        The table ``populations.csv``, where the survey has one.

    Raises
    ------
    PipelineError
        For the first name without its numbers.
    """
    settings, sizes = study.settings, study.populations.sizes
    study.estimators()
    study.hidden_groups()
    listed_types = () if populations is None else populations["domain_type"]
    check_populations(study.domains, study.populations, listed_types)
    nation = [age for kind, name, age in sizes if kind == name == "national"]
    check_denominators(settings["hidden_groups"], nation, "populations.csv")
    places = [one["type"] for one in settings["domains"] if one["kind"] == "geographic"]
    known = {kind for kind, _, _ in sizes}
    check_places(places, settings["hidden_groups"], known, "populations.csv")


def check_populations(
    domains: Sequence[Domain], populations: Populations, listed_types: Iterable[str] = ()
) -> None:
    """Refuse sampled domains without a population where others of their type have one.

    Such a domain would have no estimate, and nobody would be told. A type without any population
    is left alone: rates per head of everybody need none.

    Parameters
    ----------
    domains
        The survey's domains.
    populations
        Sizes of all domains, of the survey's year.
    listed_types
        Types of domain that ``populations.csv`` lists in any year.

    Raises
    ------
    PipelineError
        Naming the domains, and those of the table.
    """
    there = set(listed_types)
    sizes = populations.sizes
    for domain_type in {domain.type: None for domain in domains if domain.kind == "geographic"}:
        known = [name for kind, name, age in sizes if (kind, age) == (domain_type, "all_ages")]
        mine = [domain.name for domain in domains if domain.type == domain_type]
        missing = [name for name in mine if name not in known]
        if (known or domain_type in there) and missing:
            raise PipelineError(
                "Domains with respondents have no population.",
                file="populations.csv",
                place=f"domain_type {domain_type}",
                found=listed(missing),
                allowed=listed(known, 40) if known else "rows of the survey's year",
                remedy=f"{suggestion(missing[0], known)} Each needs a row, named as the "
                "respondents' variable has it, and of the survey's year where there are several.",
            )


def unsampled_domains(
    domains: Sequence[Domain], populations: Populations
) -> Mapping[str, list[str]]:
    """Find domains that have people but no respondent.

    Parameters
    ----------
    domains
        The survey's domains.
    populations
        Sizes of all domains, those without respondents too.

    Returns
    -------
    dict of str to list of str
        Names of unsampled domains, by type of the geographic domains that have any.
    """
    types = {domain.type for domain in domains if domain.kind == "geographic"}
    sampled = {(domain.type, domain.name) for domain in domains if domain.mask.any()}
    found: dict[str, list[str]] = {}
    for (domain_type, name, population), size in populations.sizes.items():
        unknown = domain_type in types and (domain_type, name) not in sampled
        if population == "all_ages" and unknown and size > 0:
            found.setdefault(domain_type, []).append(name)
    return found


def without_partial_sums(table: pd.DataFrame, partial: Sequence[str]) -> pd.DataFrame:
    """Take out sums over the domains of a type that leave some of the nation out.

    Such a sum is no estimate of the national total, and parts of the nation aren't forced to add up
    to all of it.

    Parameters
    ----------
    table
        From :func:`prevalence.scale_up.scale_up_table`.
    partial
        Types with unsampled domains.

    Returns
    -------
    pandas.DataFrame
        Without the rows ``sum_of_<type>``, and without benchmarked rows of these types.
    """
    summed = table["estimator"].isin([f"sum_of_{name}" for name in partial])
    forced = table["estimator"].str.endswith("_benchmarked") & table["domain_type"].isin(partial)
    return table[~(summed | forced)].reset_index(drop=True)
