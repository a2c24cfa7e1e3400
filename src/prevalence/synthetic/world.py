"""A made-up country in which every area exists and the truth is known.

It is a world, not a model that is fitted: areas differ in size, in how many people residents know
and in how common each group is; ties mix inside areas, regions and the nation; respondents differ
in whom they come to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class World:
    """All areas of a synthetic country.

    Parameters
    ----------
    config
        As in ``config/synthetic/<survey>.yaml``.
    regions
        Names of the regions.
    island_groups
        Island group of each region.
    region
        Region of each area, shape (A,).
    population, adults
        People and adults of each area, shape (A,).
    degree
        Mean number of people whom an adult of the area knows, shape (A,).
    groups
        Names of all groups: adult occupations, then children by age, then hidden groups.
    share
        Share of each group among the people of each area, shape (A, G).
    visibility
        Factor on the hidden groups' reports, shape (G,): 1 for the others; chosen so that the
        product of the adjustment factors is the configured one.
    barangay_area
        Area of each barangay, shape (B,).
    barangay_population
        People of each barangay, shape (B,).
    barangay_urban
        Whether it is urban, shape (B,).
    barangay_relative
        Relative frequency of reports on hidden groups in each barangay, mean 1 within the area
        by population, shape (B,).
    """

    config: Mapping[str, Any]
    regions: tuple[str, ...]
    island_groups: tuple[str, ...]
    region: Codes
    population: Array
    adults: Array
    degree: Array
    groups: tuple[str, ...]
    share: Array
    visibility: Array
    barangay_area: Codes
    barangay_population: Array
    barangay_urban: NDArray[np.bool_]
    barangay_relative: Array

    @cached_property
    def hidden(self) -> list[int]:
        """Columns of the hidden groups."""
        return [self.groups.index(name) for name in self.config["hidden_groups"]]

    @cached_property
    def met_share(self) -> Array:
        """Share of each group among those whom residents of an area know, shape (A, G)."""
        mixing = self.config["mixing"]
        nation = self.population @ self.share / self.population.sum()
        sums = np.zeros((len(self.regions), self.share.shape[1]))
        np.add.at(sums, self.region, self.population[:, None] * self.share)
        people = np.bincount(self.region, self.population, minlength=len(self.regions))
        regional = (sums / people[:, None])[self.region]
        away = 1 - mixing["area"] - mixing["region"]
        met = mixing["area"] * self.share + mixing["region"] * regional + away * nation
        result: Array = met * self.visibility
        return result

    def known_to_residents(self, areas: NDArray[np.bool_], sizes: Mapping[str, float]) -> Array:
        """Sizes of the hidden groups that the estimator aims at where these areas are the domain.

        Parameters
        ----------
        areas
            Which areas, shape (A,).
        sizes
            Known sizes on which degrees rest.

        Returns
        -------
        numpy.ndarray
            People of the areas times expected reports over expected degrees, summed over the adults
            of the areas, shape (H,).
        """
        weight = (self.adults * self.degree)[areas]
        met = weight @ self.met_share[areas]
        known = [self.groups.index(name) for name in sizes]
        degrees = met[known].sum() / sum(sizes.values())
        people = self.population[areas].sum() / self.population.sum()
        result: Array = people * met[self.hidden] / degrees
        return result


def build_world(
    config: Mapping[str, Any], regions: Sequence[Mapping[str, Any]], entropy: Sequence[int]
) -> World:
    """Make a world.

    Parameters
    ----------
    config
        As in ``config/synthetic/<survey>.yaml``.
    regions
        ``region``, ``island_group``, ``areas`` (number of cities and municipalities),
        ``population``, ``adults`` and ``urban`` (share) of each region.
    entropy
        For :class:`numpy.random.SeedSequence`.

    Returns
    -------
    World
        Regional populations and group sizes are exactly those given; their places are random.
    """
    generator = np.random.default_rng(np.random.SeedSequence(list(entropy)))
    region = np.repeat(np.arange(len(regions)), [row["areas"] for row in regions])
    size = np.exp(config["area_size_sd"] * generator.standard_normal(len(region)))
    people = np.array([float(row["population"]) for row in regions])
    population = size * (people / np.bincount(region, size))[region]
    population *= config["population"] / population.sum()
    adult_share = np.array([row["adults"] / row["population"] for row in regions])
    degree = np.exp(config["degree"]["area_sd"] * generator.standard_normal(len(region)))
    adults = population * adult_share[region]
    degree *= config["degree"]["mean"] * adults.sum() / (adults @ degree)

    totals = {
        **config["occupations"],
        **{name: share * config["population"] for name, share in config["children"].items()},
        **{name: group["total"] for name, group in config["hidden_groups"].items()},
    }
    spread = np.array(
        [config["hidden_groups"][name]["area_sd"] if name in config["hidden_groups"]
         else config["children_area_sd"] if name in config["children"]
         else config["occupation_area_sd"] for name in totals]
    )  # fmt: skip
    relative = np.exp(spread * generator.standard_normal((len(region), len(totals))))
    regional = np.exp(
        config["hidden_region_sd"] * generator.standard_normal((len(regions), 1))
        + config["hidden_region_sd"] / 3 * generator.standard_normal((len(regions), len(totals)))
    )
    hidden = np.array([name in config["hidden_groups"] for name in totals])
    relative *= np.where(hidden, regional[region], 1.0)
    share = relative * (np.array([*map(float, totals.values())]) / (population @ relative))

    count = np.maximum(
        config["fewest_barangays"], np.round(population / config["barangay_population"])
    )
    barangay_area = np.repeat(np.arange(len(region)), count.astype(int))
    relative_size = np.exp(0.5 * generator.standard_normal(len(barangay_area)))
    barangay_population = (
        relative_size * (population / np.bincount(barangay_area, relative_size))[barangay_area]
    )
    urban_share = np.array([row["urban"] for row in regions])[region]
    score = np.log(population / np.median(population)) * 0.6
    chance = 1 / (1 + np.exp(-(np.log(urban_share / (1 - urban_share)) + score - 0.5)))
    urban = generator.uniform(size=len(barangay_area)) < chance[barangay_area]
    cluster = np.exp(config["barangay_sd"] * generator.standard_normal(len(barangay_area)))
    mean = np.bincount(barangay_area, cluster * barangay_population) / population
    world = World(
        config=config,
        regions=tuple(str(row["region"]) for row in regions),
        island_groups=tuple(str(row["island_group"]) for row in regions),
        region=region,
        population=population,
        adults=adults,
        degree=degree,
        groups=tuple(totals),
        share=share,
        visibility=np.ones(len(totals)),
        barangay_area=barangay_area,
        barangay_population=barangay_population,
        barangay_urban=urban,
        barangay_relative=cluster / mean[barangay_area],
    )
    return _made_visible(world)


def _made_visible(world: World) -> World:
    """Choose the visibility of the hidden groups so that φ·δ·τ/η is the configured product."""
    sizes = {name: world.config["occupations"][name] for name in world.config["reference_groups"]}
    everywhere = np.ones(len(world.population), dtype=bool)
    aimed_at = world.known_to_residents(everywhere, sizes)
    visibility = world.visibility.copy()
    for place, (column, group) in enumerate(
        zip(world.hidden, world.config["hidden_groups"].values(), strict=True)
    ):
        visibility[column] = group["factor_product"] * group["total"] / aimed_at[place]
    return World(**{**_fields(world), "visibility": visibility})


def _fields(world: World) -> dict[str, Any]:
    return {name: getattr(world, name) for name in world.__dataclass_fields__}


def planted_truth(world: World, names: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Tell what is true of a world: totals, where hidden people are, what residents know.

    Parameters
    ----------
    world
        The world.
    names
        For each hidden group ``population`` (children or adults) and ``per`` (100 or 1000), and its
        denominator by domain under ``denominators``: ``{(domain_type, domain): people}``.

    Returns
    -------
    dict
        ``groups`` with totals, factors and domains; ``estimands``, one row a cell of the report.
    """
    sizes = {name: world.config["occupations"][name] for name in world.config["reference_groups"]}
    domains = [("national", "national", np.ones(len(world.region), dtype=bool))]
    for island in dict.fromkeys(world.island_groups):
        members = np.array([group == island for group in world.island_groups])[world.region]
        domains.append(("island_group", island, members))
    domains += [("region", name, world.region == place) for place, name in enumerate(world.regions)]
    groups: dict[str, Any] = {}
    estimands: list[dict[str, Any]] = []
    for place, (name, group) in enumerate(world.config["hidden_groups"].items()):
        rows = []
        for domain_type, domain, members in domains:
            located = float(world.population[members] @ world.share[members, world.hidden[place]])
            known = float(world.known_to_residents(members, sizes)[place])
            rows.append(
                {
                    "domain_type": domain_type,
                    "domain": domain,
                    "located": round(located),
                    "known_to_residents": round(known),
                }
            )
            per = names[name]["per"]
            rate = known / names[name]["denominators"][domain_type, domain] * per
            for unit, value in (("persons", round(known)), (f"per_{per}", round(rate, 6))):
                estimands.append(
                    {
                        "group": name,
                        "domain_type": domain_type,
                        "domain": domain,
                        "unit": unit,
                        "truth": value,
                    }
                )
        product = float(world.known_to_residents(domains[0][2], sizes)[place]) / group["total"]
        groups[name] = {
            "total": round(group["total"]),
            "factors": {
                "true_positive_rate": group["true_positive_rate"],
                "precision": group["precision"],
                "frame_and_degree_ratio": product
                * group["precision"]
                / group["true_positive_rate"],
                "product": product,
            },
            "domains": rows,
        }
    ratio = world.config["ratio"]
    for domain_type, domain, _ in domains:
        cells = {
            row["group"]: row["truth"]
            for row in estimands
            if (row["domain_type"], row["domain"], row["unit"]) == (domain_type, domain, "persons")
        }
        estimands.append(
            {
                "group": ratio["name"],
                "domain_type": domain_type,
                "domain": domain,
                "unit": "ratio",
                "truth": round(cells[ratio["numerator"]] / cells[ratio["denominator"]], 6),
            }
        )
    return {"groups": groups, "estimands": estimands}
