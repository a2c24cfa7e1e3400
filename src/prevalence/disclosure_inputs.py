"""What disclosure control must know of each cell of the estimate stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.domains import Domain, parents_of

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def disclosure_inputs(
    reports: Mapping[str, Array],
    roles: Mapping[str, str],
    degree: Array,
    domains: Sequence[Domain],
    weights: Array,
    own: Mapping[str, Array] | None = None,
) -> pd.DataFrame:
    """Gather what disclosure control must know of each cell.

    Parameters
    ----------
    reports
        Counts by group, each of shape (n,).
    roles
        ``hidden``, ``known`` or ``degree`` for each group.
    degree
        Degrees of the headline, shape (n,).
    domains
        All domains.
    weights
        Final weights.
    own
        Degrees of groups whose estimates rest on others than the headline's, each of shape (n,).

    Returns
    -------
    pandas.DataFrame
        One row a group and domain: respondents, reporters, weighted sums, the shares of the one
        and two largest weighted contributions, and the smallest complement within any published
        domain that contains it (NaN where it is the whole).
    """
    import pandas as pd

    parents = [parents_of(domain, domains) for domain in domains]
    rows = []
    for group, counts in reports.items():
        mine = (own or {}).get(group, degree)
        inside = ~np.isnan(counts) & ~np.isnan(mine)
        reporting = inside & (counts > 0)
        contributions = np.where(inside, weights * np.nan_to_num(counts), 0.0)
        degree_sums = np.where(inside, weights * np.nan_to_num(mine), 0.0)
        for domain, above in zip(domains, parents, strict=True):
            shares = top_shares(contributions[domain.mask])
            beside = [parent.mask & ~domain.mask for parent in above]
            beside = [mask for mask in beside if mask.any()]
            rows.append(
                {
                    "group": group,
                    "role": roles[group],
                    "domain_type": domain.type,
                    "domain": domain.name,
                    "n": int((inside & domain.mask).sum()),
                    "n_reporting": int((reporting & domain.mask).sum()),
                    "sum_wy": contributions[domain.mask].sum(),
                    "sum_wd": degree_sums[domain.mask].sum(),
                    "top1_share": shares[0],
                    "top2_share": shares[1],
                    "n_complement": min(
                        (float((inside & mask).sum()) for mask in beside), default=np.nan
                    ),
                    "n_reporting_complement": min(
                        (float((reporting & mask).sum()) for mask in beside), default=np.nan
                    ),
                }
            )
    return pd.DataFrame(rows)


def top_shares(contributions: Array) -> tuple[float, float]:
    """Shares of the largest and of the two largest contributions in their sum; NaN if it is 0."""
    total = contributions.sum()
    if total <= 0:
        return float("nan"), float("nan")
    largest = np.sort(contributions)[::-1]
    return float(largest[0] / total), float(largest[:2].sum() / total)
