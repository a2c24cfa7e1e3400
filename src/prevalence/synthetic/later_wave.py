"""A later wave: the same places some years on, with a known change, and part of the same sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError, listed
from prevalence.synthetic.assembly import Country
from prevalence.synthetic.world import World

Array = NDArray[np.float64]

BY_NAME = ("known_groups",)  # lists of which single rows are replaced


def later_config(later: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what a later wave's config takes over from the earlier one's.

    Parameters
    ----------
    later
        As in ``config/synthetic/<survey>.yaml``, with `earlier`, `change` and `overlap`; whatever
        else it names replaces the earlier wave's, within a section key by key.
    earlier
        The earlier wave's config.

    Returns
    -------
    dict
        A whole config. ``change.occupations`` are factors on the sizes of the occupations.
    """
    config = {**earlier, **later}
    for name, value in later.items():
        if isinstance(value, Mapping) and isinstance(earlier.get(name), Mapping):
            config[name] = {**earlier[name], **value}
    for name in BY_NAME:
        given = {row["group"]: row for row in later.get(name) or []}
        config[name] = [{**row, **given.get(row["group"], {})} for row in earlier[name]]
    factors = (later.get("change") or {}).get("occupations") or {}
    config["occupations"] = {
        name: size * factors.get(name, 1.0) for name, size in earlier["occupations"].items()
    }
    return config


def later_world(world: World, before: Country, after: Country) -> World:
    """Let a world grow older: its people, its occupations, and the change that is planted.

    Parameters
    ----------
    world
        The earlier world.
    before, after
        The country in both years; the config of `after` has `change.rates`: for each hidden group
        and island group a factor on the number of its people per head of the group's denominator
        (children or adults).

    Returns
    -------
    World
        The same places, networks and visibility. Within a region all places grow alike.

    Raises
    ------
    PipelineError
        If the factors of a hidden group aren't those of the country's island groups.
    """
    names = [str(row["region"]) for row in after.regions]
    people = [_people(country, names) for country in (before, after)]
    growth = {age: people[1][age] / people[0][age] for age in people[0]}
    region = world.region
    population = world.population * growth["all_ages"][region]
    islands = np.array(world.island_groups)
    share = world.share.copy()
    totals = world.population @ world.share
    config = after.config
    sizes = {
        **config["occupations"],
        **{name: part * config["population"] for name, part in config["children"].items()},
    }
    hidden = {}
    for column, name in enumerate(world.groups):
        if name in config["hidden_groups"]:
            factors = config["change"]["rates"][name]
            if {*factors} != {*world.island_groups}:
                raise PipelineError(
                    "Changes of a hidden group aren't those of the island groups.",
                    place=f"change.rates.{name}",
                    found=listed(factors),
                    allowed=listed(dict.fromkeys(world.island_groups)),
                    remedy="Give each island group a factor, and nothing else; 1.0 is no change.",
                )
            rate = np.array([float(factors[island]) for island in islands])
            denominator = growth[config["denominator"][name]] / growth["all_ages"]
            share[:, column] *= (rate * denominator)[region]
            total = float(population @ share[:, column])
            hidden[name] = {**config["hidden_groups"][name], "total": total}
        elif totals[column] > 0:
            share[:, column] *= sizes[name] / float(population @ share[:, column])
    return replace(
        world,
        config={**config, "hidden_groups": hidden},
        population=population,
        adults=world.adults * growth["adults"][region],
        share=share,
        barangay_population=world.barangay_population
        * growth["all_ages"][region][world.barangay_area],
    )


def _people(country: Country, regions: Sequence[str]) -> dict[str, Array]:
    rows = {row["domain"]: row for row in country.people if row["domain_type"] == "region"}
    return {
        age: np.array([float(rows[name][age]) for name in regions])
        for age in ("all_ages", "children", "adults")
    }


def planted_changes(
    earlier: Sequence[Mapping[str, Any]], later: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Tell what truly changed between two waves.

    Parameters
    ----------
    earlier, later
        ``estimands`` of the two worlds, a row a group, domain and unit.

    Returns
    -------
    list of dict
        Ratio and difference of each quantity that stands in both.
    """
    keys = ("group", "domain_type", "domain", "unit")
    before = {tuple(row[key] for key in keys): float(row["truth"]) for row in earlier}
    rows = []
    for row in later:
        cell = tuple(row[key] for key in keys)
        if cell not in before:
            continue
        now, then = float(row["truth"]), before[cell]
        for measure, value in (("ratio", now / then), ("difference", now - then)):
            named = dict(zip(keys, cell, strict=True))
            rows.append({**named, "measure": measure, "truth": round(value, 6)})
    return rows
