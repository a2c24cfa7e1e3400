"""Which model predicts respondents best: leave-one-respondent-out by importance sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
COLUMNS = (
    "estimator",
    "elpd",
    "elpd_error",
    "effective_parameters",
    "difference",
    "difference_error",
    "respondents",
    "high_k",
    "largest_k",
    "reliable",
)
POINTWISE = ("elpd", "effective_parameters", "pareto_k", "high_k")
MOST_HIGH_K = 0.01  # of the respondents, for a comparison to be called reliable


def left_out(log_likelihood: Array | None) -> pd.DataFrame:
    """Predict each respondent from the others (PSIS-LOO: Vehtari, Gelman & Gabry 2017).

    Parameters
    ----------
    log_likelihood
        From :func:`prevalence.models.pointwise.log_likelihoods`, shape (chains, draws, n); None
        gives a table without rows.

    Returns
    -------
    pandas.DataFrame
        A row a respondent: `respondent`, `elpd`, `effective_parameters`, `pareto_k`, and `high_k`,
        whether the last is too high for so many draws (Vehtari et al. 2024).
    """
    import pandas as pd
    from arviz_stats.base import array_stats

    if log_likelihood is None:
        return pd.DataFrame(columns=["respondent", *POINTWISE])
    chains, draws, n = log_likelihood.shape
    by_respondent = np.moveaxis(log_likelihood, 2, 0)
    log_weights, k = array_stats.psislw(by_respondent, axis=[1, 2])
    # Sums of all respondents at once: `array_stats.loo` takes them one by one, at twice the price.
    expected = np.logaddexp.reduce((log_weights + by_respondent).reshape(n, -1), axis=1)
    whole = np.logaddexp.reduce(by_respondent.reshape(n, -1), axis=1) - np.log(chains * draws)
    limit = min(1 - 1 / np.log10(chains * draws), 0.7)
    return pd.DataFrame(
        {
            "respondent": np.arange(n),
            "elpd": expected,
            "effective_parameters": whole - expected,
            "pareto_k": k,
            "high_k": k > limit,
        }
    )


def comparison_table(pointwise: pd.DataFrame) -> pd.DataFrame:
    """Compare models by what they expect of respondents left out.

    Parameters
    ----------
    pointwise
        Rows of :func:`left_out` of each model, with `estimator` and `respondent`, the same
        respondents in each.

    Returns
    -------
    pandas.DataFrame
        The best model first: `elpd`, the sum of log predictive densities, and its standard error;
        `difference` from the best and its standard error, from respondents' own differences;
        how many have a high Pareto k, and whether they are few enough.
    """
    import pandas as pd

    rows = []
    wide = pointwise.pivot_table(index="respondent", columns="estimator", values="elpd")
    best = wide.sum().idxmax() if len(wide) else None
    for model, part in pointwise.groupby("estimator"):
        n = len(part)
        apart = (wide[model] - wide[best]).to_numpy(float)
        high = int(part["high_k"].sum())
        rows.append(
            {
                "estimator": model,
                "elpd": float(part["elpd"].sum()),
                "elpd_error": float(np.sqrt(n) * part["elpd"].std(ddof=1)),
                "effective_parameters": float(part["effective_parameters"].sum()),
                "difference": float(apart.sum()),
                "difference_error": float(np.sqrt(n) * apart.std(ddof=1)),
                "respondents": n,
                "high_k": high,
                "largest_k": float(part["pareto_k"].max()),
                "reliable": high <= MOST_HIGH_K * n,
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("difference", ascending=False, ignore_index=True)
