"""What respondents cannot know: adjustment factors as distributions, carried by Monte Carlo.

``N_adjusted = N_basic * precision / (frame_ratio * degree_ratio * true_positive_rate)``: the
true-positive out-reports over mean visibility (Feehan & Salganik 2016, *Sociological Methodology*
46:153). The unadjusted estimate stays the headline; adjusted figures are sensitivity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from prevalence.design import texts
from prevalence.errors import PipelineError, listed
from prevalence.relational import capped, stacked
from prevalence.scale_up import FORMS, PER

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study
    from prevalence.ratio import RatioEstimates

Array = NDArray[np.float64]

# Exponent of each factor in the adjusted estimate.
EXPONENTS = {
    "frame_ratio": -1.0,
    "degree_ratio": -1.0,
    "true_positive_rate": -1.0,
    "precision": 1.0,
}
KNOWN_SIZE = "known_size"
SAMPLING = "sampling"
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
        One row a member of the hidden group: `aware` (contacts who know of the membership),
        `alters` (contacts asked about), and, where the sample has them, `weight`, `stratum`, `psu`.
    size
        Number of draws.
    generator
        Source of randomness.

    Returns
    -------
    estimate : float
        ``sum w aware / sum w alters``.
    draws : numpy.ndarray
        Rescaled-bootstrap replicates of it, shape (size,); PSUs are drawn within strata.

    Raises
    ------
    PipelineError
        If a stratum has one PSU, or there are no contacts.

    Notes
    -----
    Salganik et al. 2011, *American Journal of Epidemiology* 174:1190; Rao, Wu & Yue 1992.
    """
    n = len(table)
    weights = table["weight"].to_numpy(float) if "weight" in table else np.ones(n)
    stratum = texts(table["stratum"]) if "stratum" in table else np.full(n, "")
    psu = texts(table["psu"]) if "psu" in table else np.arange(n).astype(str)
    sums = np.column_stack([table["aware"].to_numpy(float), table["alters"].to_numpy(float)])
    sums = sums * weights[:, None]
    total = sums.sum(axis=0)
    replicated = np.zeros((size, 2))
    for name in np.unique(stratum):
        inside = stratum == name
        units, place = np.unique(psu[inside], return_inverse=True)
        m = len(units)
        if m < 2:
            raise PipelineError(
                "A stratum of the companion sample has a single PSU.",
                file="companion",
                place="stratum, psu",
                found="1 PSU",
                allowed="2 or more",
                remedy="Join the stratum with another one.",
            )
        by_unit = np.zeros((m, 2))
        np.add.at(by_unit, place, sums[inside])
        drawn = generator.multinomial(m - 1, np.full(m, 1 / m), size)
        replicated += drawn @ by_unit * (m / (m - 1))
    if total[1] <= 0 or (replicated[:, 1] <= 0).any():
        raise PipelineError(
            "The companion sample holds too few contacts to estimate from.",
            file="companion",
            place="alters",
            found=f"{int((table['alters'] > 0).sum())} members with contacts",
        )
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
        Companion sample: see :func:`companion_draws`; with `group` where it covers several.

    Returns
    -------
    Factor
        Its draws.

    Raises
    ------
    PipelineError
        If the table that it is to come from has no row for the group.
    """
    if "value" in setting:
        return Factor(name, np.full(size, float(setting["value"])), "given")
    if "mean" in setting:
        return Factor(name, beta_draws(setting["mean"], setting["sd"], size, generator), "given")
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
        return Factor(name, companion_draws(mine, size, generator)[1], "companion")
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
) -> dict[str, list[Factor]]:
    """Draw every factor of every hidden group, each from a stream of its own.

    Parameters
    ----------
    settings
        The `estimate.adjustment` section: `draws` and `factors` by group and name.
    entropy
        Seed of the streams; results don't depend on the order of groups and factors.
    panel, companion
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
            )
            for name in EXPONENTS
        ]
    return found


def stream(entropy: Sequence[int], *names: str) -> np.random.Generator:
    """Give the random generator that belongs to some names, whatever else is drawn."""
    words = [crc32(name.encode()) for name in names]
    return np.random.default_rng(np.random.SeedSequence([*entropy, *words]))


def adjust_study(
    study: Study,
    settings: Mapping[str, Any],
    factors: Mapping[str, Sequence[Factor]],
    entropy: Sequence[int],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Adjust the headline of every hidden group and every ratio of two.

    Parameters
    ----------
    study
        The survey.
    settings
        The `estimate.adjustment` section.
    factors
        From :func:`draw_factors`; groups without factors aren't adjusted.
    entropy
        Seed of the errors in known sizes, which are common to all hidden groups.

    Returns
    -------
    adjusted, components : pandas.DataFrame
        From :func:`adjusted_table`, in persons, as rates and as ratios, and from
        :func:`variance_components`.
    """
    import pandas as pd

    draws, level = settings["draws"], study.headline.inference.level
    groups = [group for group in study.hidden_groups() if group.name in factors]
    estimates = study.headline_estimates(groups)
    total = study.populations.total
    basic = {
        group.name: total * sampling_draws(estimates, place, draws, stream(entropy, SAMPLING))
        for place, group in enumerate(groups)
    }
    known = study.known.set_index("group").loc[list(study.headline.known_groups)]
    reported = capped(stacked(study.counts, study.headline.known_groups), study.headline.known_cap)
    size_error = known_size_multiplier(
        known["size"].to_numpy(float),
        [str(grade) for grade in known["quality"]],
        study.sampling.weights @ np.nan_to_num(reported),
        draws,
        stream(entropy, KNOWN_SIZE),
        degree=FORMS[study.headline.estimator].degree,
    )
    table = adjusted_table(basic, factors, size_error, level).assign(unit="persons")
    tables = [table]
    n = {group.name: int(estimates.n[place]) for place, group in enumerate(groups)}
    nation = study.domains[0]
    for group in groups:
        rate = PER[group.per] / study.populations.of(nation, group.population)
        rows = table[table["group"] == group.name].assign(unit=group.per)
        columns = ["estimate", "std_error", "lower", "upper"]
        rows[columns] *= rate
        tables.append(rows.dropna(subset=["estimate"]))
    for name, setting in (study.settings.get("ratios") or {}).items():
        above, below = setting["numerator"], setting["denominator"]
        if above not in basic or below not in basic or not (basic[below] > 0).all():
            continue
        quotient = study.ratio_of_groups(above, below)
        shared = sampling_draws(quotient, 0, draws, stream(entropy, SAMPLING))
        ratio = adjusted_ratio(shared, factors[above], factors[below], level)
        tables.append(pd.DataFrame(ratio).assign(group=name, unit="ratio"))
        n[name] = min(n[above], n[below])
    result = pd.concat(tables, ignore_index=True)
    result = result.assign(
        estimator=study.headline.estimator,
        domain_type=nation.type,
        domain=nation.name,
        level=level,
        n=result["group"].map(n),
    )
    return result, variance_components(basic, factors, size_error)


def sampling_draws(
    estimates: RatioEstimates, place: int, size: int, generator: np.random.Generator
) -> Array:
    """Draw an estimate from its sampling distribution.

    Parameters
    ----------
    estimates
        Estimates with their replicates.
    place
        Which of them.
    size
        Number of draws M.
    generator
        Source of randomness where the replicates aren't draws.

    Returns
    -------
    numpy.ndarray
        Shape (M,): bootstrap replicates, each equally often; with a jackknife or half-samples a
        log-normal distribution with the replicates' standard error.
    """
    point = float(estimates.ratio[place])
    if estimates.replicate_scale is None:
        return replicate_draws(estimates.replicates[:, [place]], size)[:, 0]
    if not point > 0:
        return np.full(size, point)
    spread = float(estimates.std_error[place]) / point
    drawn: Array = point * np.exp(spread * generator.standard_normal(size))
    return drawn


def replicate_draws(replicates: Array, size: int) -> Array:
    """Spread the bootstrap replicates evenly over the draws.

    Parameters
    ----------
    replicates
        Shape (B, q).
    size
        Number of draws M.

    Returns
    -------
    numpy.ndarray
        Shape (M, q): each replicate stands equally often, up to one.
    """
    return replicates[np.arange(size) % len(replicates)]


def adjusted_table(
    basic: Mapping[str, Array],
    factors: Mapping[str, Sequence[Factor]],
    size_error: Array,
    level: float,
) -> pd.DataFrame:
    """Adjust each hidden group's estimate by each factor alone, by all, and by none.

    Parameters
    ----------
    basic
        Replicates of each group's unadjusted total spread over the draws, shape (M,).
    factors
        Each group's factors, each with M draws.
    size_error
        Multiplier for errors in known sizes, shape (M,).
    level
        Probability within the limits.

    Returns
    -------
    pandas.DataFrame
        `group`, `adjustment` (none, a factor, known_size, all), the median, standard deviation and
        quantiles of the draws. Medians, since the mean of 1 / rate may not exist.
    """
    import pandas as pd

    rows = []
    for group, draws in basic.items():
        parts = {factor.name: factor.multiplier for factor in factors[group]}
        parts[KNOWN_SIZE] = size_error
        everything = np.prod(np.stack(list(parts.values())), axis=0)
        shown = {"none": np.ones(len(draws)), **parts, "all": everything}
        for name, multiplier in shown.items():
            rows.append({"group": group, "adjustment": name} | summary(draws * multiplier, level))
    return pd.DataFrame(rows)


def adjusted_ratio(
    basic: Array,
    numerator: Sequence[Factor],
    denominator: Sequence[Factor],
    level: float,
) -> list[dict[str, Any]]:
    """Adjust the ratio of two hidden groups; errors in known sizes cancel.

    Parameters
    ----------
    basic
        Replicates of the ratio spread over the draws, shape (M,).
    numerator, denominator
        Factors of the two groups.
    level
        Probability within the limits.

    Returns
    -------
    list of dict
        As the rows of :func:`adjusted_table`, without `group`.
    """
    below = {factor.name: factor.multiplier for factor in denominator}
    parts = {factor.name: factor.multiplier / below[factor.name] for factor in numerator}
    everything = np.prod(np.stack(list(parts.values())), axis=0)
    shown = {"none": np.ones(len(basic)), **parts, "all": everything}
    return [{"adjustment": name} | summary(basic * m, level) for name, m in shown.items()]


def variance_components(
    basic: Mapping[str, Array], factors: Mapping[str, Sequence[Factor]], size_error: Array
) -> pd.DataFrame:
    """Say what the final uncertainty is made of.

    Parameters
    ----------
    basic, factors, size_error
        As in :func:`adjusted_table`.

    Returns
    -------
    pandas.DataFrame
        `group`, `source` (sampling, each factor, known_size), the variance of the logarithm, and
        its share: the logarithm of the adjusted estimate is a sum of independent parts.
    """
    import pandas as pd

    rows = []
    for group, draws in basic.items():
        if not (draws > 0).all():
            continue
        parts = {SAMPLING: draws} | {factor.name: factor.multiplier for factor in factors[group]}
        parts[KNOWN_SIZE] = size_error
        variances = {name: float(np.var(np.log(values))) for name, values in parts.items()}
        total = sum(variances.values())
        rows += [
            {"group": group, "source": name, "variance": v, "share": v / total if total else 0.0}
            for name, v in variances.items()
        ]
    return pd.DataFrame(rows, columns=["group", "source", "variance", "share"])


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
