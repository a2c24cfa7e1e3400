"""Domains of estimation, and the populations by which their rates are scaled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError, check_known

if TYPE_CHECKING:
    import pandas as pd

POPULATIONS = ("all_ages", "children", "adults")


@dataclass(frozen=True)
class Domain:
    """A part of the sample for which estimates are made.

    Parameters
    ----------
    type, name
        Such as ``region`` and ``NCR``; the nation is ``national``, ``national``.
    kind
        ``geographic`` domains are scaled by their own population; ``respondent`` domains (sex, age)
        by the nation's: each gives another estimate of the same national total.
    mask
        Its respondents, shape (n,).
    """

    type: str
    name: str
    kind: str
    mask: NDArray[np.bool_]


def domains_of(
    respondents: pd.DataFrame, settings: Sequence[Mapping[str, Any]], order: Sequence[str] = ()
) -> list[Domain]:
    """List the nation, then each configured domain.

    Parameters
    ----------
    respondents
        One row a respondent.
    settings
        Each with `type`, `variable` and `kind`.
    order
        Names in the order in which they are to stand; others follow in alphabetical order.

    Returns
    -------
    list of Domain
        The nation first.

    Raises
    ------
    PipelineError
        If a variable isn't among the respondents' variables.
    """
    found = [Domain("national", "national", "geographic", np.ones(len(respondents), bool))]
    place = {name: position for position, name in enumerate(order)}
    for setting in settings:
        variable = setting["variable"]
        check_known(
            variable,
            respondents.columns,
            "A domain's variable is not among the respondents' variables.",
            place=f"estimate.domains: {setting['type']}",
        )
        values = respondents[variable]
        names = sorted(values.dropna().unique(), key=lambda v: (place.get(str(v), len(place)), v))
        found += [
            Domain(setting["type"], str(name), setting["kind"], (values == name).to_numpy(bool))
            for name in names
        ]
    return found


def parents_of(domain: Domain, domains: Sequence[Domain]) -> list[Domain]:
    """Find the published domains in which a domain lies wholly, itself left out.

    Parameters
    ----------
    domain
        The domain.
    domains
        All domains, the nation included.

    Returns
    -------
    list of Domain
        The nation always; of other types only where every domain of the domain's own type lies
        within one domain of that type (regions in island groups, not regions in age groups).
    """
    siblings = [other for other in domains if other.type == domain.type]
    parents = []
    for other in domains:
        if other.type == domain.type or (domain.mask & ~other.mask).any():
            continue
        family = [candidate for candidate in domains if candidate.type == other.type]
        nested = all(
            any(not (sibling.mask & ~candidate.mask).any() for candidate in family)
            for sibling in siblings
        )
        if nested:
            parents.append(other)
    return parents


@dataclass(frozen=True)
class Populations:
    """Sizes of populations by domain and age class, in persons."""

    sizes: Mapping[tuple[str, str, str], float]

    @classmethod
    def from_table(cls, table: pd.DataFrame, year: int | None = None) -> Populations:
        """Read the table of populations.

        Parameters
        ----------
        table
            Columns `domain_type`, `domain`, `all_ages`, and, where known, `children`, `adults`,
            `year`.
        year
            Which year to take, if the table holds several.

        Returns
        -------
        Populations
            Empty and missing sizes are left out.

        Raises
        ------
        PipelineError
            If the national size is missing or a domain stands twice.
        """
        rows = table
        if "year" in rows and len(rows["year"].unique()) > 1:
            rows = rows[rows["year"] == year]
        sizes: dict[tuple[str, str, str], float] = {}
        for row in rows.to_dict("records"):
            for column in POPULATIONS:
                key = (str(row["domain_type"]), str(row["domain"]), column)
                size = row.get(column)
                if size is None or np.isnan(size):
                    continue
                if key in sizes:
                    raise PipelineError(
                        "A population stands twice.",
                        file="populations.csv",
                        place="domain_type, domain",
                        found=f"{key[0]}, {key[1]}",
                        remedy="Keep one row a domain and year.",
                    )
                sizes[key] = float(size)
        if ("national", "national", "all_ages") not in sizes:
            raise PipelineError(
                "The size of the whole population is missing.",
                file="populations.csv",
                place="all_ages",
                found="no row national, national" + ("" if year is None else f" for {year}"),
                remedy="Give it in populations.csv or in estimate.populations of the config.",
            )
        return cls(sizes)

    def of(self, domain: Domain, population: str) -> float:
        """Size of an age class in the domain by which its estimates are scaled; NaN if unknown.

        Parameters
        ----------
        domain
            A respondent domain is scaled by the nation.
        population
            ``all_ages``, ``children`` or ``adults``.
        """
        national = domain.kind == "respondent"
        place = ("national", "national") if national else (domain.type, domain.name)
        return self.sizes.get((*place, population), float("nan"))

    @property
    def total(self) -> float:
        """Everyone whom the tie definition admits, in persons."""
        return self.sizes["national", "national", "all_ages"]
