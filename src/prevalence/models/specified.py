"""The models by their ids, and as rows of the specification table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MODELS = (
    "poisson_lognormal",
    "overdispersed",
    "overdispersed_weighted",
    "partially_pooled",
    "partially_pooled_weighted",
    "correlated",
)
CAPPED, CENSORED = "capped", "censored"  # what the models make of top codes


def specification_rows(
    scale_up: pd.DataFrame,
    known_groups: pd.DataFrame,
    headline: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    """Put the models into the columns of the specification table.

    Parameters
    ----------
    scale_up, known_groups
        The models' rows, of :mod:`prevalence.models.tables`.
    headline
        The section `headline:` of the config, for the combination of items.
    settings
        The section `model:`.

    Returns
    -------
    pandas.DataFrame
        A row a model and hidden group, in persons. `loo_rms` is the root mean square of the known
        groups' log ratios, each scaled by the others: the score of every other row.
    """
    score = (known_groups["log_ratio"] ** 2).groupby(known_groups["estimator"]).mean() ** 0.5
    national = (scale_up["domain_type"] == "national") & (scale_up["unit"] == "persons")
    rows = scale_up[national]
    weighted = rows["estimator"].str.endswith("_weighted")
    censored = settings.get("top_codes") == CENSORED
    return rows.assign(
        degree="model",
        top_code=CENSORED if censored else "headline",
        known_groups="model" if settings.get("known_groups") else "headline",
        weights=weighted.map({True: "final", False: "none"}),
        combination=headline.get("combination") or "as_given",
        imputation="none",
        variance="posterior",
        loo_rms=rows["estimator"].map(score).astype(float),
    )
