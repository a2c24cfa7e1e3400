"""Is a sample from a posterior to be trusted: R̂, effective sample sizes, energy, and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
    halves = _split(draws)
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    return np.maximum(_plain_rhat(_normal_scores(halves)), _plain_rhat(_normal_scores(folded)))


def ess_bulk(draws: Array) -> Array:
    """Effective sample size of the centre: of rank-normalised split chains, shape (q,)."""
    return _ess(_normal_scores(_split(draws)))


def ess_tail(draws: Array) -> Array:
    """Effective sample size of the tails: the lesser of the 5 and 95 % quantiles', shape (q,)."""
    halves = _split(draws)
    low, high = np.quantile(halves, [0.05, 0.95], axis=(0, 1))
    return np.minimum(_ess((halves <= low) * 1.0), _ess((halves <= high) * 1.0))


def ess_mean(draws: Array) -> Array:
    """Effective sample size of the mean, shape (q,)."""
    return _ess(_split(draws))


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
    spread = energy.var(axis=1)
    moves: Array = (np.diff(energy, axis=1) ** 2).mean(axis=1)
    fraction: Array = np.divide(moves, spread, out=np.full(len(spread), np.nan), where=spread > 0)
    return fraction


def diagnostics_table(
    names: Sequence[str],
    draws: Array,
    energy: Array,
    divergent: NDArray[np.bool_],
    thresholds: Thresholds,
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

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `mean`, `sd`, `mcse`, `rhat`, `ess_bulk`, `ess_tail`, `divergent`,
        `ebfmi`, `passed`.
    """
    import pandas as pd

    count = draws.shape[0] * draws.shape[1]
    spread = draws.std(axis=(0, 1), ddof=1)
    table = pd.DataFrame(
        {
            "quantity": list(names),
            "mean": draws.mean(axis=(0, 1)),
            "sd": spread,
            "mcse": spread / np.sqrt(np.maximum(ess_mean(draws), 1.0)),
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


def _split(draws: Array) -> Array:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]])


def _normal_scores(draws: Array) -> Array:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    flat = draws.reshape(-1, draws.shape[2])
    ranks = rankdata(flat, axis=0)
    scores: Array = ndtri((ranks - 0.375) / (len(flat) + 0.25))
    scores[:, ~np.isfinite(flat).all(axis=0)] = np.nan
    return scores.reshape(draws.shape)


def _plain_rhat(draws: Array) -> Array:
    count = draws.shape[1]
    within = draws.var(axis=1, ddof=1).mean(axis=0)
    between = count * draws.mean(axis=1).var(axis=0, ddof=1)
    varies = within > 0
    ratio = np.divide(between, within, out=np.zeros_like(within), where=varies)
    found = np.sqrt((count - 1 + ratio) / count)
    constant = ~varies & (between == 0)
    return np.where(constant, 1.0, np.where(np.isnan(within) | ~varies, np.nan, found))


def _ess(draws: Array) -> Array:
    """Geyer's initial monotone sequence on the chains' pooled autocorrelations."""
    chains, count, _ = draws.shape
    centred = draws - draws.mean(axis=1, keepdims=True)
    padded = np.fft.rfft(centred, n=2 * count, axis=1)
    covariance = np.fft.irfft(padded * padded.conj(), axis=1)[:, :count] / count
    within = covariance[:, 0].mean(axis=0) * count / (count - 1)
    total = within * (count - 1) / count
    if chains > 1:
        total = total + draws.mean(axis=1).var(axis=0, ddof=1)
    safe = np.where(total > 0, total, 1.0)
    correlation = 1.0 - (within - covariance.mean(axis=0) * count / (count - 1)) / safe
    correlation[0] = 1.0
    pairs = correlation[: count // 2 * 2].reshape(count // 2, 2, -1).sum(axis=1)
    positive = np.cumprod(pairs > 0, axis=0).astype(bool)
    monotone = np.minimum.accumulate(np.where(positive, pairs, 0.0), axis=0)
    time = np.maximum(2 * monotone.sum(axis=0) - 1, 1 / np.log10(chains * count))
    return np.where(total > 0, chains * count / time, np.where(total == 0, chains * count, np.nan))
