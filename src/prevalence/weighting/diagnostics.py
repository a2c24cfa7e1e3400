"""What the weights do: steps, distribution, effective sizes, largest contributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.coding import encoded, sums

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

STEPS = ("base", "nonresponse", "trimmed", "calibrated", "final")
DISTRIBUTION_BOUNDS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)


def weighting_steps(weights: pd.DataFrame) -> pd.DataFrame:
    """Describe the weights after each step.

    Parameters
    ----------
    weights
        ``weights.parquet``.

    Returns
    -------
    pandas.DataFrame
        step, n, sum, mean, cv, min, p05, median, p95, max, deff_kish (1 + cv², Kish 1965),
        effective_n.
    """
    import pandas as pd

    rows = []
    for step in STEPS:
        w = weights[step].to_numpy(float)
        cv = float(w.std() / w.mean())
        low, p05, median, p95, high = np.quantile(w, [0, 0.05, 0.5, 0.95, 1])
        kish = 1 + cv**2
        rows.append(
            (step, len(w), w.sum(), w.mean(), cv, low, p05, median, p95, high, kish, len(w) / kish)
        )
    names = ["step", "n", "sum", "mean", "cv", "min", "p05", "median", "p95", "max"]
    return pd.DataFrame(rows, columns=[*names, "deff_kish", "effective_n"])


def weight_distribution(weights: pd.DataFrame) -> pd.DataFrame:
    """Distribution of the weights after each step, as multiples of their mean.

    Parameters
    ----------
    weights
        ``weights.parquet``.

    Returns
    -------
    pandas.DataFrame
        step, lower_bound, upper_bound (missing: no bound), share and n of respondents.
    """
    import pandas as pd

    parts = []
    for step in STEPS:
        w = weights[step].to_numpy(float)
        place = np.searchsorted(DISTRIBUTION_BOUNDS, w / w.mean(), side="right") - 1
        n = np.bincount(np.maximum(place, 0), minlength=len(DISTRIBUTION_BOUNDS))
        parts.append(
            pd.DataFrame(
                {
                    "step": step,
                    "lower_bound": DISTRIBUTION_BOUNDS,
                    "upper_bound": [*DISTRIBUTION_BOUNDS[1:], np.nan],
                    "share": n / n.sum(),
                    "n": n,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def influential_respondents(
    weights: Array, values: Array, denominators: Array | None = None, most: int = 10
) -> pd.DataFrame:
    """Rank the respondents who move a weighted total or ratio most, without their ids.

    Parameters
    ----------
    weights, values
        Shape (n,); values are not negative and not missing.
    denominators
        Values below the line of the ratio, shape (n,); None for a total.
    most
        How many ranks.

    Returns
    -------
    pandas.DataFrame
        rank (by the size of the change), share of the weighted values, cumulated share,
        relative_change of the total or ratio without the respondent.
    """
    import pandas as pd

    part = weights * values
    top = part.sum()
    change = -part / top
    if denominators is not None:
        below = weights * denominators
        bottom = below.sum()
        change = (top - part) / np.where(bottom > below, bottom - below, np.nan) * bottom / top - 1
    order = np.argsort(-np.abs(np.nan_to_num(change)), kind="stable")[:most]
    share = part[order] / top
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(order) + 1),
            "share": share,
            "cumulated": share.cumsum(),
            "relative_change": change[order],
        }
    )


def effective_sizes(weights: Array, labels: ArrayLike) -> pd.DataFrame:
    """Kish's effective sample size by domain.

    Parameters
    ----------
    weights
        Shape (n,).
    labels
        Domain of each respondent, shape (n,).

    Returns
    -------
    pandas.DataFrame
        domain, n, effective_n ``(Σw)²/Σw²``, deff_kish.
    """
    import pandas as pd

    codes, names = encoded(labels)
    n = np.bincount(codes, minlength=len(names)).astype(float)
    effective = sums(codes, weights, len(names)) ** 2 / sums(codes, weights**2, len(names))
    return pd.DataFrame(
        {"domain": names, "n": n.astype(int), "effective_n": effective, "deff_kish": n / effective}
    )
