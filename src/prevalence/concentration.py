"""On how many respondents a survey's figures rest: effective numbers, and the most influential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from prevalence.coding import texts
from prevalence.strata import distinct_units
from prevalence.weighting.diagnostics import effective_sizes, influential_respondents

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study


def effective_n_table(study: Study, weights: pd.DataFrame) -> pd.DataFrame:
    """Effective number of respondents of the nation and of each domain.

    Parameters
    ----------
    study
        The survey.
    weights
        Table `weights` of the weight stage: stratum and PSU of each respondent.

    Returns
    -------
    pandas.DataFrame
        domain_type, domain, n, effective_n, deff_kish, and the numbers of PSUs and strata in which
        the respondents live.
    """
    import pandas as pd

    strata, parts = texts(weights["stratum"]), []
    units = distinct_units(strata, texts(weights["psu"]))
    for domain in study.domains:
        inside = study.sampling.weights[domain.mask]
        part = effective_sizes(inside, np.full(len(inside), domain.name))
        of_design = {"psus": units[domain.mask], "strata": strata[domain.mask]}
        counted = {name: len(np.unique(labels)) for name, labels in of_design.items()}
        parts.append(part.assign(domain_type=domain.type, **counted))
    return pd.concat(parts, ignore_index=True)


def influential_table(study: Study, most: int = 10) -> pd.DataFrame:
    """Rank the respondents with the most influence on each hidden group's headline.

    Parameters
    ----------
    study
        The survey.
    most
        How many ranks.

    Returns
    -------
    pandas.DataFrame
        group, rank, share, cumulated, relative_change; no rows for a group that nobody reports.
    """
    import pandas as pd

    tables = []
    for group in study.hidden_groups():
        top, bottom, _ = study.headline_columns(group)
        inside = ~(np.isnan(top) | np.isnan(bottom))
        if not top[inside].sum() > 0:
            continue
        table = influential_respondents(
            study.sampling.weights[inside], top[inside], bottom[inside], most
        )
        tables.append(table.assign(group=group.name))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
