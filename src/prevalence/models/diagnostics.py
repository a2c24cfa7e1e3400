"""Is a sample from a posterior to be trusted: R̂, effective sample sizes, energy, and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Thresholds:
    """What a fit must reach on the quantities that are reported.

    Parameters
    ----------
    rhat
        Largest R̂.
    ess
        Least bulk and tail effective sample size.
    divergent_share
        Largest share of divergent draws.
    ebfmi
        Least energy fraction of missing information of any chain.
    """

    rhat: float = 1.01
    ess: float = 400.0
    divergent_share: float = 0.001
    ebfmi: float = 0.3


def rhat(draws: Array) -> Array:
    """Rank-normalised split R̂, the larger of bulk and folded (Vehtari et al. 2021).

    Parameters
    ----------
    draws
        Shape (chains, draws, q).

    Returns
    -------
    numpy.ndarray
        Shape (q,); 1 for a constant, NaN where a draw isn't finite.
    """
    from arviz_stats.base import array_stats

    constant = np.atleast_1d((draws == draws[0, 0]).all(axis=(0, 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = array_stats.rhat(draws, chain_axis=0, draw_axis=1, method="rank")
    return np.where(constant, 1.0, found)


def ess_bulk(draws: Array) -> Array:
    """Effective sample size of the centre: of rank-normalised split chains, shape (q,)."""
    return _ess(draws, "bulk")


def ess_tail(draws: Array) -> Array:
    """Effective sample size of the tails: the lesser of the 5 and 95 % quantiles', shape (q,)."""
    return _ess(draws, "tail")


def ess_mean(draws: Array) -> Array:
    """Effective sample size of the mean, shape (q,)."""
    return _ess(draws, "mean")


def mcse_median(draws: Array) -> Array:
    """Monte Carlo standard error of the median, shape (q,)."""
    from arviz_stats.base import array_stats

    return np.asarray(array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="median"), float)


def _ess(draws: Array, method: str) -> Array:
    from arviz_stats.base import array_stats

    quantiles = {"prob": (0.05, 0.95)} if method == "tail" else {}
    result: Array = array_stats.ess(draws, chain_axis=0, draw_axis=1, method=method, **quantiles)
    return result


def log_spread(values: Array) -> Array:
    """Take a standard deviation of draws without moments, by quantiles of their logarithms.

    The median times half the distance between the logarithms' quantiles at Φ(−1) and Φ(1). Of
    log-normal draws it is the standard error that the delta method gives; of exponentials of
    Student's draws, which have no mean whatever their degrees of freedom, it is that times the
    ratio of Student's quantile to the normal one.

    Parameters
    ----------
    values
        Positive draws, shape (S, …).

    Returns
    -------
    numpy.ndarray
        Shape (…).
    """
    lower, middle, upper = np.quantile(values, [ndtr(-1.0), 0.5, ndtr(1.0)], axis=0)
    return np.asarray(middle * np.log(upper / lower) / 2, float)


def ebfmi(energy: Array) -> Array:
    """Energy Bayesian fraction of missing information of each chain (Betancourt 2016).

    Parameters
    ----------
    energy
        Shape (chains, draws).

    Returns
    -------
    numpy.ndarray
        Shape (chains,); low values mean that the momentum explores the energy too slowly.
    """
    from arviz_stats.base import array_stats

    result: Array = array_stats.bfmi(energy, chain_axis=0, draw_axis=1)
    return result


def diagnostics_table(
    names: Sequence[str],
    draws: Array,
    energy: Array,
    divergent: NDArray[np.bool_],
    thresholds: Thresholds,
    *,
    heavy: bool = False,
) -> pd.DataFrame:
    """Diagnose each reported quantity, and the sampler.

    Parameters
    ----------
    names
        Names of the quantities.
    draws
        Shape (chains, draws, q).
    energy, divergent
        Shape (chains, draws).
    thresholds
        What must be reached.
    heavy
        Whether the draws' moments don't exist.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `mean`, `sd`, `mcse`, `rhat`, `ess_bulk`, `ess_tail`, `divergent`,
        `ebfmi`, `passed`. Of `heavy` draws the first three are the median, :func:`log_spread`, and
        the Monte Carlo standard error of the median.
    """
    import pandas as pd

    count = draws.shape[0] * draws.shape[1]
    if heavy:
        centre, spread = np.median(draws, axis=(0, 1)), log_spread(draws.reshape(count, -1))
        error = mcse_median(draws)
    else:
        centre, spread = draws.mean(axis=(0, 1)), draws.std(axis=(0, 1), ddof=1)
        error = spread / np.sqrt(np.maximum(ess_mean(draws), 1.0))
    table = pd.DataFrame(
        {
            "quantity": list(names),
            "mean": centre,
            "sd": spread,
            "mcse": error,
            "rhat": rhat(draws),
            "ess_bulk": ess_bulk(draws),
            "ess_tail": ess_tail(draws),
            "divergent": int(divergent.sum()),
            "ebfmi": float(ebfmi(energy).min()),
        }
    )
    # Comparisons with NaN are false: what can't be judged hasn't passed.
    table["passed"] = (
        (table["rhat"] < thresholds.rhat)
        & (table["ess_bulk"] >= thresholds.ess)
        & (table["ess_tail"] >= thresholds.ess)
        & (table["divergent"] <= thresholds.divergent_share * count)
        & (table["ebfmi"] >= thresholds.ebfmi)
    )
    return table
