"""Adjustment factors as distributions: given, elicited, or estimated from a companion sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.errors import PipelineError, listed
from prevalence.streams import stream

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

# Exponent of each factor in the adjusted estimate.
EXPONENTS = {
    "frame_ratio": -1.0,
    "degree_ratio": -1.0,
    "true_positive_rate": -1.0,
    "precision": 1.0,
}
SIZE_ERROR = {"A": 0.02, "B": 0.10, "C": 0.25}


@dataclass(frozen=True)
class Factor:
    """One adjustment factor of one hidden group, as draws from its distribution.

    Parameters
    ----------
    name
        A key of :data:`EXPONENTS`.
    draws
        Shape (M,).
    source
        ``given``, ``elicited`` or ``companion``.
    """

    name: str
    draws: Array
    source: str

    @property
    def multiplier(self) -> Array:
        """What an estimate is multiplied by, draw by draw, shape (M,)."""
        powered: Array = self.draws ** EXPONENTS[self.name]
        return powered


def beta_draws(mean: float, sd: float, size: int, generator: np.random.Generator) -> Array:
    """Draw a share from the Beta distribution with this mean and standard deviation.

    Parameters
    ----------
    mean
        Between 0 and 1.
    sd
        Below ``sqrt(mean (1 - mean))``; 0 gives the mean itself.
    size
        Number of draws.
    generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Shape (size,).

    Raises
    ------
    PipelineError
        If no Beta distribution has them.
    """
    if sd == 0:
        return np.full(size, mean)
    spread = mean * (1 - mean) / sd**2 - 1
    if not 0 < mean < 1 or spread <= 0:
        raise PipelineError(
            "No Beta distribution has this mean and standard deviation.",
            place="estimate.adjustment",
            found=f"mean {mean:g}, sd {sd:g}",
            allowed="a mean between 0 and 1, and an sd below sqrt(mean * (1 - mean))",
            remedy="Lower the sd.",
        )
    return generator.beta(mean * spread, (1 - mean) * spread, size)


def log_normal_draws(median: float, cv: float, size: int, generator: np.random.Generator) -> Array:
    """Draw a positive ratio from the log-normal distribution with this median.

    Parameters
    ----------
    median
        Above 0.
    cv
        Coefficient of variation; 0 gives the median itself.
    size
        Number of draws.
    generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Shape (size,).
    """
    draws: Array = median * np.exp(np.sqrt(np.log1p(cv**2)) * generator.standard_normal(size))
    return draws


def pooled_draws(
    best: Array, low: Array, high: Array, size: int, generator: np.random.Generator
) -> Array:
    """Draw from the linear pool of a panel: each draw takes one member's distribution.

    A member's best value and range make a PERT distribution: a Beta on the range whose mean is
    ``(low + 4 best + high) / 6``.

    Parameters
    ----------
    best, low, high
        Values of the members, shape (members,), with ``low <= best <= high``.
    size
        Number of draws.
    generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Shape (size,).
    """
    member = generator.integers(0, len(best), size)
    width = high - low
    safe = np.where(width > 0, width, 1.0)
    first = 1 + 4 * (best - low) / safe
    second = 1 + 4 * (high - best) / safe
    share = generator.beta(first[member], second[member])
    drawn: Array = low[member] + width[member] * share
    return drawn


def companion_draws(
    table: pd.DataFrame, size: int, generator: np.random.Generator
) -> tuple[float, Array]:
    """Estimate the true-positive rate from a companion sample (game of contacts), with its error.

    Parameters
    ----------
    table
        One row a member of the hidden group, or one a member and kind of contact, then with the
        member's `respondent`: `aware` (contacts who know of the membership), `alters` (contacts
        asked about), and, where the sample has them, `weight`, `stratum`, `psu`.
    size
        Number of draws.
    generator
        Source of randomness.

    Returns
    -------
    estimate : float
        ``sum w aware / sum w alters``.
    draws : numpy.ndarray
        Rescaled-bootstrap replicates of it, shape (size,); PSUs are drawn within strata, whole
        members where there are none.

    Raises
    ------
    PipelineError
        If weights aren't positive, a stratum has one PSU, or there are no contacts.

    Notes
    -----
    A row that lacks either number is out of both sums. Salganik et al. 2011, *American Journal of
    Epidemiology* 174:1190; Rao, Wu & Yue 1992.
    """
    told = table["aware"].notna() & table["alters"].notna()
    estimate, replicates = _companion_ratio(
        table, table["aware"].where(told, 0.0), table["alters"].where(told, 0.0), size, generator
    )
    if not estimate >= 0:
        raise PipelineError(
            "The companion sample holds too few contacts to estimate from.",
            file="companion",
            place="alters",
            found=f"{int((table['alters'] > 0).sum())} members with contacts",
        )
    return estimate, replicates


def companion_degree_draws(
    table: pd.DataFrame, frame_degree: Array, generator: np.random.Generator
) -> tuple[float, Array]:
    """Estimate the degree ratio: mean degree of the hidden group over that of the frame.

    Parameters
    ----------
    table
        One row a member of the hidden group: `degree` (by the known groups of the frame's survey),
        and `weight`, `stratum`, `psu` as in :func:`companion_draws`.
    frame_degree
        Draws of the frame's mean degree, shape (M,).
    generator
        Source of randomness.

    Returns
    -------
    estimate : float
        Weighted mean degree of the members over the median of `frame_degree`.
    draws : numpy.ndarray
        Shape (M,): both samples vary, independently of one another.
    """
    degree = table["degree"].to_numpy(float)
    told = np.isfinite(degree)
    if "respondent" in table:  # a member's degree counts once, on however many rows it stands
        told &= ~table["respondent"].where(told).duplicated().to_numpy()
    mean, replicates = _companion_ratio(
        table, np.where(told, degree, 0.0), told.astype(float), len(frame_degree), generator
    )
    draws: Array = replicates / frame_degree
    return mean / float(np.median(frame_degree)), draws


def _companion_ratio(
    table: pd.DataFrame,
    numerator: ArrayLike,
    denominator: ArrayLike,
    size: int,
    generator: np.random.Generator,
) -> tuple[float, Array]:
    """Weighted ratio over a companion sample with its replicates; NaN without a denominator."""
    from prevalence.sampling import members_sampling

    sampling = members_sampling(table, size, generator)
    columns = np.column_stack([np.asarray(numerator, float), np.asarray(denominator, float)])
    total, replicated = sampling.weights @ columns, sampling.replicates.totals(columns)
    if not total[1] > 0 or not (replicated[:, 1] > 0).all():
        return float("nan"), np.full(size, np.nan)
    return float(total[0] / total[1]), replicated[:, 0] / replicated[:, 1]


def factor_of(
    name: str,
    setting: Mapping[str, Any],
    group: str,
    size: int,
    generator: np.random.Generator,
    *,
    panel: pd.DataFrame | None = None,
    companion: pd.DataFrame | None = None,
    frame_degree: Array | None = None,
) -> Factor:
    """Draw a factor as the config describes it.

    Parameters
    ----------
    name
        A key of :data:`EXPONENTS`.
    setting
        ``{value}``, ``{mean, sd}`` (Beta: rates), ``{median, cv}`` (log-normal: ratios),
        ``{from: survivor_panel}`` or ``{from: companion}``.
    group
        The hidden group.
    size
        Number of draws.
    generator
        Source of randomness.
    panel
        Elicited true-positive rates: `member`, `group`, `best`, `low`, `high`.
    companion
        Companion sample: see :func:`companion_draws` for the true-positive rate and
        :func:`companion_degree_draws` for the degree ratio; with `group` where it covers several.
    frame_degree
        Draws of the frame's mean degree, shape (size,), for a degree ratio from the companion.

    Returns
    -------
    Factor
        Its draws.

    Raises
    ------
    PipelineError
        If the table that it is to come from has no row for the group, or cannot give this factor.
    """
    if "value" in setting:
        return Factor(name, np.full(size, float(setting["value"])), "given")
    if "mean" in setting:
        try:
            drawn = beta_draws(setting["mean"], setting["sd"], size, generator)
        except PipelineError as error:
            error.place = f"estimate.adjustment.factors.{group}.{name}"
            raise
        return Factor(name, drawn, "given")
    if "median" in setting:
        drawn = log_normal_draws(setting["median"], setting["cv"], size, generator)
        return Factor(name, drawn, "given")
    source = setting["from"]
    table = {"survivor_panel": panel, "companion": companion}[source]
    mine = None
    if table is not None:
        mine = table[table["group"] == group] if "group" in table else table
    if mine is None or len(mine) == 0:
        raise PipelineError(
            "A factor is to come from a table that has no row for its group.",
            place=f"estimate.adjustment.factors.{group}.{name}",
            found=source,
            remedy=f"Supply {source}.csv with rows for {group}, or give the factor as a "
            "distribution.",
        )
    if source == "companion":
        if name == "true_positive_rate":
            return Factor(name, companion_draws(mine, size, generator)[1], "companion")
        if name == "degree_ratio" and "degree" in mine and frame_degree is not None:
            return Factor(name, companion_degree_draws(mine, frame_degree, generator)[1], source)
    if source == "companion" or name != "true_positive_rate":
        raise PipelineError(
            "A factor cannot come from this table.",
            place=f"estimate.adjustment.factors.{group}.{name}",
            found=source,
            allowed="true_positive_rate from survivor_panel or companion; degree_ratio from a "
            "companion with the column degree",
            remedy="Give the factor as a distribution.",
        )
    best, low, high = (mine[column].to_numpy(float) for column in ("best", "low", "high"))
    return Factor(name, pooled_draws(best, low, high, size, generator), "elicited")


def known_size_multiplier(
    sizes: Array,
    grades: Sequence[str],
    reported: Array,
    draws: int,
    generator: np.random.Generator,
    *,
    degree: str = "known_population",
) -> Array:
    """Multiply estimates for errors in the known sizes, common to all hidden groups.

    Parameters
    ----------
    sizes
        Known sizes of the groups that degrees rest on, shape (K,).
    grades
        Quality grade of each: A 2 %, B 10 %, C 25 % coefficient of variation (log-normal).
    reported
        Weighted sums of their reports, shape (K,).
    draws
        Number of draws M.
    generator
        Source of randomness.
    degree
        ``known_population``: estimates are proportional to the sum of the sizes;
        ``mean_of_ratios``: inversely to the sum of reports over sizes. Exact where every
        respondent answered every group.

    Returns
    -------
    numpy.ndarray
        Shape (M,).

    Raises
    ------
    PipelineError
        If a group has no grade.
    """
    unknown = sorted({grade for grade in grades if grade not in SIZE_ERROR})
    if unknown:
        raise PipelineError(
            "A known group has no grade of quality.",
            file="known_groups.csv",
            place="quality",
            found=listed(repr(grade) for grade in unknown),
            allowed=", ".join(SIZE_ERROR),
            remedy="Grade each size by how far it can be trusted.",
        )
    cv = np.array([SIZE_ERROR[grade] for grade in grades])
    error = np.exp(np.sqrt(np.log1p(cv**2)) * generator.standard_normal((draws, len(sizes))))
    true = sizes * error
    if degree == "mean_of_ratios":
        ratios: Array = (reported / sizes).sum() / (reported / true).sum(axis=1)
        return ratios
    sums: Array = true.sum(axis=1) / sizes.sum()
    return sums


def draw_factors(
    settings: Mapping[str, Any],
    entropy: Sequence[int],
    *,
    panel: pd.DataFrame | None = None,
    companion: pd.DataFrame | None = None,
    frame_degree: Array | None = None,
) -> dict[str, list[Factor]]:
    """Draw every factor of every hidden group, each from a stream of its own.

    Parameters
    ----------
    settings
        The `estimate.adjustment` section: `draws` and `factors` by group and name.
    entropy
        Seed of the streams; results don't depend on the order of groups and factors.
    panel, companion, frame_degree
        As in :func:`factor_of`.

    Returns
    -------
    dict of str to list of Factor
        Factors by group, in the order of :data:`EXPONENTS`; one that isn't configured is 1.
    """
    found: dict[str, list[Factor]] = {}
    for group, mine in settings["factors"].items():
        found[group] = [
            factor_of(
                name,
                mine.get(name, {"value": 1.0}),
                group,
                settings["draws"],
                stream(entropy, group, name),
                panel=panel,
                companion=companion,
                frame_degree=frame_degree,
            )
            for name in EXPONENTS
        ]
    return found


def factor_table(factors: Mapping[str, Sequence[Factor]], level: float) -> pd.DataFrame:
    """Describe each factor's distribution.

    Returns
    -------
    pandas.DataFrame
        `group`, `factor`, `source`, and the summary of its draws.
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {"group": group, "factor": one.name, "source": one.source} | summary(one.draws, level)
            for group, mine in factors.items()
            for one in mine
        ]
    )


def summary(draws: Array, level: float) -> dict[str, float]:
    """Median, standard deviation and quantiles of draws, as the columns of a table."""
    lower, median, upper = np.quantile(draws, [0.5 - level / 2, 0.5, 0.5 + level / 2])
    return {
        "estimate": float(median),
        "std_error": float(np.std(draws)),
        "lower": float(lower),
        "upper": float(upper),
    }
