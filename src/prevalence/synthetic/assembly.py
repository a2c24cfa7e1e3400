"""What a synthetic world is made from: the census tables as published, and the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError
from prevalence.synthetic.side_tables import YOUNGEST_ADULTS, adults_by_age, denominators
from prevalence.synthetic.world import World, build_world, planted_truth

Array = NDArray[np.float64]
Rows = Sequence[Sequence[str]]

PER = {"children": 100, "adults": 1000}
MALE, FEMALE = slice(21, 38), slice(39, 56)  # columns of the census table, five-year groups
FIVE_YEAR_GROUPS = 17


@dataclass(frozen=True)
class Country:
    """A country as the census and the projections describe it, ready for a made-up world.

    Parameters
    ----------
    config
        As in ``config/synthetic/<survey>.yaml``, with the projected population and the shares of
        the age groups of children.
    census
        ``island_group``, ``children`` and ``adults`` in households of each region at the census.
    regions
        What :func:`prevalence.synthetic.world.build_world` takes.
    age_sex
        Adults by sex and age group of each region, shape (regions, 2, ages).
    people
        Children, adults and all ages by domain in the survey's year, a row a domain.
    """

    config: Mapping[str, Any]
    census: Mapping[str, Mapping[str, Any]]
    regions: Sequence[Mapping[str, Any]]
    age_sex: Array
    people: Sequence[Mapping[str, Any]]

    def world(self, entropy: Sequence[int]) -> World:
        """Make a world of this country; its places follow from the entropy."""
        return build_world(self.config, self.regions, entropy)

    def truth(self, world: World) -> dict[str, Any]:
        """Tell what is true of a world of this country, by nation, island group and region."""
        names = {
            group: {
                "per": PER[population],
                "denominators": {
                    (row["domain_type"], row["domain"]): row[population] for row in self.people
                },
            }
            for group, population in self.config["denominator"].items()
        }
        return planted_truth(world, names)


def country_of(
    config: Mapping[str, Any],
    households: Mapping[str, Mapping[str, Any]],
    projection: Rows,
    ages: Rows,
) -> Country:
    """Bring the census tables and the settings of a synthetic survey together.

    Parameters
    ----------
    config
        As in ``config/synthetic/<survey>.yaml``.
    households
        By the region's name in the census tables: ``island_group``, ``u18_approx`` and
        ``a18p_approx``, people in households below 18 and from 18.
    projection
        Cells of the table of projected populations, in thousands.
    ages
        Cells of the census table of sex and age by region.

    Raises
    ------
    PipelineError
        If the config's own population is another one, or the tables don't have its year.
    """
    national, groups = projected(projection, config["year"])
    config = {**config, "children": child_shares(groups, sum(national.values()))}
    census = {
        name: {
            "island_group": households[label]["island_group"],
            "children": float(households[label]["u18_approx"]),
            "adults": float(households[label]["a18p_approx"]),
        }
        for name, label in config["columns"].items()
    }
    people = denominators(census, national, config["year"])
    by_domain = {(row["domain_type"], row["domain"]): row for row in people}
    total = by_domain["national", "national"]["all_ages"]
    if config.get("earlier") is None and round(config.get("population", total)) != total:
        raise PipelineError(
            "A synthetic population isn't that of its year.",
            place="population",
            found=config["population"],
            allowed=f"{total}, as the table of projected populations has it for {config['year']}",
            remedy="Take that number, or another year.",
        )
    config["population"] = total
    regions = [
        {
            "region": name,
            "island_group": census[name]["island_group"],
            "areas": config["regions"][name]["areas"],
            "urban": config["regions"][name]["urban"],
            "population": by_domain["region", name]["all_ages"],
            "adults": by_domain["region", name]["adults"],
        }
        for name in census
    ]
    return Country(config, census, regions, census_ages(ages, config["columns"]), people)


def census_ages(rows: Rows, names: Mapping[str, str]) -> Array:
    """Adults by sex and age of each region, from the census table as published.

    Parameters
    ----------
    rows
        Cells of the table.
    names
        Region -> its name in the table.

    Returns
    -------
    numpy.ndarray
        Shape (regions, 2, ages).
    """
    named = {row[1].lstrip("."): row for row in rows if len(row) > 1}
    found = []
    for name in names.values():
        cells = [cell.replace(",", "") for cell in named[name]]
        found.append(
            [adults_by_age([float(cell) for cell in cells[sex]]) for sex in (MALE, FEMALE)]
        )
    return np.array(found)


def projected(rows: Rows, year: int) -> tuple[dict[str, float], list[float]]:
    """Children and adults of the nation in a year, and all five-year groups, in persons."""
    head = next((row for row in rows if str(year) in row), None)
    if head is None:
        raise PipelineError(
            "No population is projected for the year of a synthetic survey.",
            place="year",
            found=year,
            allowed="a year in the head of the table of projected populations",
            remedy="Choose a year of data/raw/psa/proj.csv.",
        )
    column = head.index(str(year))
    start = next(place for place, row in enumerate(rows) if row[1] == "All Ages")
    table = rows[start : start + FIVE_YEAR_GROUPS + 1]
    values = [1000 * float(row[column].replace(",", "")) for row in table]
    total, groups = values[0], values[1:]
    children = sum(groups[:3]) + (1 - YOUNGEST_ADULTS) * groups[3]
    return {"children": children, "adults": total - children}, groups


def child_shares(groups: Sequence[float], total: float) -> dict[str, float]:
    """Share of the children's age groups, ages spread evenly within five-year groups."""
    below_5, to_9, to_14, to_19 = groups[:4]
    return {
        "children_0_2": 0.6 * below_5 / total,
        "children_3_5": (0.4 * below_5 + 0.2 * to_9) / total,
        "children_6_12": (0.8 * to_9 + 0.6 * to_14) / total,
        "children_13_17": (0.4 * to_14 + 0.6 * to_19) / total,
    }
