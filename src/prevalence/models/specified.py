"""The models by their ids, and as rows of the specification table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prevalence.errors import check_known

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
ALL_AREAS = "_all_areas"  # ends the name of an estimate with unsampled areas predicted
CAPPED, CENSORED = "capped", "censored"  # what the models make of top codes


def check_area(area: str, variables: Iterable[object]) -> None:
    """Refuse areas of the models that are no variable of the respondents."""
    check_known(
        area,
        variables,
        "The models' areas are not among the respondents' variables.",
        place="model.area",
    )


def check_listing(
    area: str, covariates: Iterable[str], columns: Iterable[object], file: object = None
) -> None:
    """Refuse a list of all areas without a column that the models need.

    Parameters
    ----------
    area, covariates
        ``model.area`` and ``model.area_covariates``.
    columns
        Those of the list.
    file
        The list, for the message.

    Raises
    ------
    PipelineError
        Naming the first column that isn't there.
    """
    there = list(columns)
    for name, place in [
        (area, "model.area"),
        *((covariate, "model.area_covariates") for covariate in covariates),
    ]:
        check_known(
            name,
            there,
            "The list of areas lacks a column that the models need.",
            file=file,
            place=place,
        )


def specification_rows(
    scale_up: pd.DataFrame,
    scalings: pd.DataFrame,
    settings: Mapping[str, Any],
    combination: str,
    imputation: str,
) -> pd.DataFrame:
    """Put the models into the columns of the specification table.

    Parameters
    ----------
    scale_up, scalings
        The models' rows, of :mod:`prevalence.models.tables`.
    settings
        The section `model:` of the config.
    combination, imputation
        What the reports of hidden groups went through before (:mod:`prevalence.combination`).

    Returns
    -------
    pandas.DataFrame
        A row a model, scaling and hidden group, in persons. The scaling stands where the other
        rows have what their degrees rest on: a ratio of sums is ``known_population``.
    """
    national = (scale_up["domain_type"] == "national") & (scale_up["unit"] == "persons")
    counted = scale_up.loc[national, ["estimator", "group", "n", "n_reporting", "df", "interval"]]
    rows = scalings.merge(counted, on=["estimator", "group"], validate="many_to_one")
    weighted = rows["estimator"].str.endswith("_weighted")
    degrees = {"ratio_of_sums": "known_population", "mean_of_ratios": "mean_of_ratios"}
    groups = "model" if settings.get("known_groups") else "headline"
    by_default = rows["scaling_groups"].isin(["all", "leave_target_out"])
    return rows.assign(
        degree=rows["scaling_form"].map(degrees),
        top_code=CENSORED if settings.get("top_codes") == CENSORED else "headline",
        known_groups=rows["scaling_groups"].where(~by_default, groups),
        weights=weighted.map({True: "final", False: "none"}),
        combination=combination,
        imputation=imputation,
        variance="posterior",
        se_linearised=float("nan"),
        headline=False,
    )
