"""Whether the domains of a type that were sampled are all there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from prevalence.domains import Domain, Populations

if TYPE_CHECKING:
    import pandas as pd


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
