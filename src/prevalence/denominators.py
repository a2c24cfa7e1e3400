"""Whether rates have denominators in the nation and in places, and no part exceeds the whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from prevalence.errors import PipelineError, listed

AGES = ("all_ages", "children", "adults")
ROUNDING = 0.01  # by how much sums of rounded or projected numbers may exceed the whole


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


def check_sizes(rows: Sequence[Mapping[str, Any]], places: Sequence[str], file: object) -> None:
    """Refuse populations of which a part is larger than the whole: one of the two is mistyped.

    Parameters
    ----------
    rows
        Populations: ``domain_type``, ``domain``, ``all_ages`` and, where known, ``children``,
        ``adults`` and ``year``; years are compared with themselves alone.
    places
        Where each row stands, for the message.
    file
        Where they stand, for the message.

    Raises
    ------
    PipelineError
        For a row whose children and adults exceed all ages, a place that is larger than the nation,
        and places of a type that are so together; sums may exceed it by 1 per cent.
    """
    for row, place in zip(rows, places, strict=True):
        whole, parts = _size(row, "all_ages"), [_size(row, age) for age in AGES[1:]]
        if sum(parts) > whole * (1 + ROUNDING):
            words = " and ".join(f"{age} {n:,.0f}" for age, n in zip(AGES[1:], parts, strict=True))
            raise _too_many(
                "Children and adults are more than the whole population.",
                file,
                f"{place} ({_called(row)}): children, adults",
                f"{words}, {sum(parts):,.0f} together",
                f"at most all_ages, {whole:,.0f}",
            )
    for age in AGES:
        nations = {
            row.get("year"): _size(row, age)
            for row in rows
            if row["domain_type"] == row["domain"] == "national" and _size(row, age)
        }
        sums: dict[tuple[object, str], float] = {}
        for row, place in zip(rows, places, strict=True):
            nation = nations.get(row.get("year"))
            if nation is None or row["domain_type"] == "national":
                continue
            size, of = _size(row, age), (row.get("year"), str(row["domain_type"]))
            if size > nation:
                raise _too_many(
                    "A place has more people than the nation.",
                    file,
                    f"{place} ({_called(row)}): {age}",
                    f"{size:,.0f}",
                    f"at most the nation's, {nation:,.0f}",
                )
            sums[of] = sums.get(of, 0.0) + size
            if sums[of] > nation * (1 + ROUNDING):
                raise _too_many(
                    "Places of a type have more people than the nation.",
                    file,
                    f"rows of {of[1]}, up to {place} ({_called(row)}): {age}",
                    f"{sums[of]:,.0f} together",
                    f"at most the nation's, {nation:,.0f}; 1 per cent more for rounding",
                )


def _size(row: Mapping[str, Any], age: str) -> float:
    """Persons of an age class; 0 where they aren't known."""
    size = row.get(age)
    return float(size) if size is not None and size == size else 0.0  # noqa: PLR0124


def _called(row: Mapping[str, Any]) -> str:
    return f"{row['domain_type']}, {row['domain']}"


def _too_many(problem: str, file: object, place: str, found: str, allowed: str) -> PipelineError:
    return PipelineError(
        problem,
        file=file,
        place=place,
        found=found,
        allowed=allowed,
        remedy="Correct the number: persons, not thousands, of one year and one definition; each "
        "place stands in one row.",
    )
