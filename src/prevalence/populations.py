"""Denominators of a later year from census shares and a projected national total."""

from __future__ import annotations

from collections.abc import Mapping

AgeGroups = Mapping[str, float]


def project_denominators(
    census: Mapping[str, AgeGroups], national: AgeGroups
) -> dict[str, dict[str, float]]:
    """Project each region's children and adults to the national totals of a later year.

    Parameters
    ----------
    census
        ``children`` and ``adults`` of each region at the census, persons.
    national
        ``children`` and ``adults`` of the nation in the later year, persons.

    Returns
    -------
    dict
        ``children``, ``adults`` and ``all_ages`` of each region: the region's share of each age
        group at the census times the later national total. They add up to the national totals.
    """
    totals = {age: sum(region[age] for region in census.values()) for age in national}
    result: dict[str, dict[str, float]] = {}
    for name, region in census.items():
        ages = {age: national[age] * region[age] / totals[age] for age in national}
        result[name] = ages | {"all_ages": sum(ages.values())}
    return result
