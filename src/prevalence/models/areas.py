"""Rates of the sampled areas as a distribution without labels: the only form in which they leave.

The areas' posterior medians lie closer together than the areas do, since each is drawn to the
others; the mean over the draws of the areas' distribution functions doesn't (Shen & Louis 1998,
*JRSS B* 60:455). Both are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
NEIGHBOURS = 5  # areas whose mean a quantile over areas is, so that none is one place's value
AREAS, MEDIANS, BETWEEN = "areas", "posterior_medians", "between_sd"
STATISTICS = (AREAS, MEDIANS, BETWEEN)
COLUMNS = ("group", "statistic", "quantile", "value", "std_error", "unit", "areas")


def neighbours(values: Array, quantile: float) -> NDArray[np.intp]:
    """Places of the values that are nearest in rank to a quantile.

    Parameters
    ----------
    values
        Of the areas, shape (M,).
    quantile
        Between 0 and 1.

    Returns
    -------
    numpy.ndarray
        Of :data:`NEIGHBOURS` values, of all where there are fewer.
    """
    first = round(quantile * (len(values) - 1)) - NEIGHBOURS // 2
    first = min(max(first, 0), max(len(values) - NEIGHBOURS, 0))
    return np.argsort(values, kind="stable")[first : first + NEIGHBOURS]


def area_rows(
    log_prevalence: Mapping[str, Array], rates: Mapping[str, tuple[str, float]]
) -> pd.DataFrame:
    """Tabulate how the hidden groups' rates are distributed over areas.

    Parameters
    ----------
    log_prevalence
        By group the logarithms of the areas' shares of all people, shape (draws, M).
    rates
        By group the unit of its rate, and the rate that corresponds to a share of 1.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`. `statistic`: ``areas``, quantiles over areas and draws together;
        ``posterior_medians``, quantiles of the areas' medians, each the mean of the areas nearest
        in rank; ``between_sd``, quantiles over the draws of the standard deviation of the areas'
        logarithms. Each area counts alike. `std_error`: posterior standard deviation of the
        quantile of a draw's areas, of the mean rate of the areas nearest in rank, and of the
        standard deviation.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for group, logs in log_prevalence.items():
        unit, factor = rates[group]
        values = factor * np.exp(logs)
        medians, between = np.median(values, axis=0), logs.std(axis=1)
        near = [neighbours(medians, quantile) for quantile in QUANTILES]
        within = np.quantile(values, QUANTILES, axis=1)
        found = {
            AREAS: (unit, np.quantile(values, QUANTILES), within.std(axis=1)),
            MEDIANS: (
                unit,
                [medians[five].mean() for five in near],
                [values[:, five].mean(axis=1).std() for five in near],
            ),
            BETWEEN: (
                "log_rate",
                np.quantile(between, QUANTILES),
                np.full(len(QUANTILES), between.std()),
            ),
        }
        rows += [
            {
                "group": group,
                "statistic": statistic,
                "quantile": quantile,
                "value": float(value),
                "std_error": float(error),
                "unit": where,
                "areas": logs.shape[1],
            }
            for statistic, (where, numbers, errors) in found.items()
            for quantile, value, error in zip(QUANTILES, numbers, errors, strict=True)
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
