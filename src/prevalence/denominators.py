"""Whether the rates of the hidden groups have denominators, in the nation and in places."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from prevalence.errors import PipelineError, listed


def check_denominators(
    groups: Mapping[str, Mapping[str, str]], known: Collection[str], file: str
) -> None:
    """Refuse a hidden group whose rate has no denominator: the report would have no rate of it.

    Parameters
    ----------
    groups
        ``estimate.hidden_groups`` of the survey's config: each with its ``population``.
    known
        Populations of the nation that have a size: ``all_ages``, ``children``, ``adults``.
    file
        Where they stand, for the message.

    Raises
    ------
    PipelineError
        Naming the first such group and its population.
    """
    for name, group in groups.items():
        population = group["population"]
        if population not in known:
            raise PipelineError(
                "The denominator of a hidden group's rate is unknown.",
                file=file,
                place=f"national, national: {population}",
                found=f"no number, for the rate of {name}",
                allowed="persons in the nation, for each population under estimate.hidden_groups",
                remedy=f"Give {population} in populations.csv or estimate.populations, or take "
                "another population for the group, such as all_ages.",
            )


def check_places(
    types: Iterable[str],
    groups: Mapping[str, Mapping[str, str]],
    known: Collection[str],
    file: str,
) -> None:
    """Refuse types of places of which there could be no estimate: their figure would be empty.

    A rate per head of everybody needs no population, since it cancels; others do.

    Parameters
    ----------
    types
        Geographic types of domain, in the config's order.
    groups
        ``estimate.hidden_groups`` of the survey's config: each with its ``population``.
    known
        Types of domain that have populations.
    file
        Where they stand, for the message.

    Raises
    ------
    PipelineError
        Naming the types.
    """
    without = [name for name in types if name not in known]
    if without and all(group["population"] != "all_ages" for group in groups.values()):
        raise PipelineError(
            "Places of a type have no populations, and nothing could be estimated of them.",
            file=file,
            place="domain_type",
            found=f"no {listed(without)}",
            allowed="a row a place, for each geographic type under estimate.domains",
            remedy="Give their populations in populations.csv or estimate.populations, take the "
            "type out of estimate.domains, or call its kind respondent.",
        )
