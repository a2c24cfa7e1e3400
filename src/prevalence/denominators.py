"""Whether the rates of the hidden groups have denominators."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from prevalence.errors import PipelineError


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
