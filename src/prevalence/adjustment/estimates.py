"""Adjusted estimates: the factors carried over the replicates, and what the variance is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.adjustment.factors import (
    Factor,
    draw_factors,
    known_size_multiplier,
    summary,
)
from prevalence.ratio import RatioBatch
from prevalence.relational import capped, stacked
from prevalence.scale_up import FORMS, PER
from prevalence.streams import stream

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study
    from prevalence.ratio import RatioEstimates
    from prevalence.scale_up import HiddenGroup

Array = NDArray[np.float64]

KNOWN_SIZE = "known_size"
SAMPLING = "sampling"
NO_FACTORS: dict[str, Any] = {"draws": 1, "factors": {}}


def frame_degree_draws(study: Study, size: int, entropy: Sequence[int]) -> Array:
    """Draw the frame's weighted mean degree, by the headline's definition, from its replicates.

    Parameters
    ----------
    study
        The survey.
    size
        Number of draws M.
    entropy
        Seed, where the replicates aren't draws.

    Returns
    -------
    numpy.ndarray
        Shape (M,).
    """
    degree = study.sizes().by_definition["known_population"]
    batch = RatioBatch(len(degree))
    batch.add(degree, np.ones(len(degree)))
    estimates = batch.evaluate(study.sampling, linearised=False)
    return sampling_draws(estimates, 0, size, stream(entropy, "degree"))


def study_factors(
    study: Study,
    settings: Mapping[str, Any],
    entropy: Sequence[int],
    *,
    panel: pd.DataFrame | None = None,
    companion: pd.DataFrame | None = None,
) -> dict[str, list[Factor]]:
    """Draw a survey's factors; whoever draws them from the same seed has the same draws.

    Parameters
    ----------
    study
        The survey.
    settings
        The `estimate.adjustment` section.
    entropy
        Seed.
    panel, companion
        As in :func:`prevalence.adjustment.factors.factor_of`.

    Returns
    -------
    dict of str to list of Factor
        Factors by hidden group.
    """
    own = [one for factors in settings["factors"].values() for one in factors.values()]
    degree = None
    if any(one.get("from") == "companion" for one in own):
        degree = frame_degree_draws(study, settings["draws"], entropy)
    return draw_factors(settings, entropy, panel=panel, companion=companion, frame_degree=degree)


def study_size_error(
    study: Study, known_groups: Sequence[str], degree: str, draws: int, entropy: Sequence[int]
) -> Array:
    """Draw the multiplier for errors in a survey's known sizes.

    Parameters
    ----------
    study
        The survey.
    known_groups
        The groups that scale an estimate.
    degree
        How, as in :func:`known_size_multiplier`.
    draws
        Number of draws M.
    entropy
        Seed: estimates with the same known groups share the same errors.

    Returns
    -------
    numpy.ndarray
        Shape (M,).
    """
    known = study.known.set_index("group").loc[list(known_groups)]
    reported = capped(stacked(study.counts, known_groups), study.headline.known_cap)
    return known_size_multiplier(
        known["size"].to_numpy(float),
        [str(grade) for grade in known["quality"]],
        study.sampling.weights @ np.nan_to_num(reported),
        draws,
        stream(entropy, KNOWN_SIZE),
        degree=degree,
    )


def national_rates(study: Study, groups: Sequence[HiddenGroup]) -> dict[str, tuple[str, float]]:
    """Give each group's unit of its national rate, and the rate of one person.

    Parameters
    ----------
    study
        The survey.
    groups
        Hidden groups.

    Returns
    -------
    dict of str to (str, float)
        By group; NaN where the nation has no denominator.
    """
    nation = study.domains[0]
    return {
        group.name: (group.per, PER[group.per] / study.populations.of(nation, group.population))
        for group in groups
    }


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
        Seed of the errors in known sizes, which are common to all hidden groups that rest on the
        same known groups.

    Returns
    -------
    adjusted, components : pandas.DataFrame
        From :func:`adjusted_table`, in persons, as rates and as ratios, and from
        :func:`variance_components`.
    """
    draws, level = settings["draws"], study.headline.inference.level
    groups = [group for group in study.hidden_groups() if group.name in factors]
    estimates = study.headline_estimates(groups)
    total = study.populations.total
    basic = {
        group.name: total * sampling_draws(estimates, place, draws, stream(entropy, SAMPLING))
        for place, group in enumerate(groups)
    }
    size_error = {
        group.name: study_size_error(
            study,
            study.known_groups_of(group.name),
            FORMS[study.headline.estimator].degree,
            draws,
            entropy,
        )
        for group in groups
    }
    ratios = {}
    n = {group.name: int(estimates.n[place]) for place, group in enumerate(groups)}
    for name, (above, below) in study.ratios.items():
        if above not in basic or below not in basic or not (basic[below] > 0).all():
            continue
        quotient = study.ratio_of_groups(above, below)
        shared = sampling_draws(quotient, 0, draws, stream(entropy, SAMPLING))
        ratios[name] = (above, below, shared)
        n[name] = min(n[above], n[below])
    result = adjusted_rows(basic, ratios, national_rates(study, groups), factors, size_error, level)
    nation = study.domains[0]
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


def adjusted_rows(
    basic: Mapping[str, Array],
    ratios: Mapping[str, tuple[str, str, Array]],
    rates: Mapping[str, tuple[str, float]],
    factors: Mapping[str, Sequence[Factor]],
    size_error: Mapping[str, Array],
    level: float,
) -> pd.DataFrame:
    """Adjust the totals of hidden groups, their rates, and ratios of two of them.

    Parameters
    ----------
    basic
        Draws of each group's unadjusted total, in persons, shape (M,).
    ratios
        Numerator, denominator and draws, shape (M,), of each ratio.
    rates
        Unit of each group's rate, and the rate of one person; NaN where there is no denominator.
    factors, size_error, level
        As in :func:`adjusted_table`.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`adjusted_table` and `unit`: persons, rates, ratios.
    """
    import pandas as pd

    table = adjusted_table(basic, factors, size_error, level).assign(unit="persons")
    tables = [table]
    for group, (unit, rate) in rates.items():
        rows = table[table["group"] == group].assign(unit=unit)
        rows[["estimate", "std_error", "lower", "upper"]] *= rate
        tables.append(rows.dropna(subset=["estimate"]))
    for name, (above, below, draws) in ratios.items():
        ratio = adjusted_ratio(draws, factors[above], factors[below], level)
        tables.append(pd.DataFrame(ratio).assign(group=name, unit="ratio"))
    return pd.concat(tables, ignore_index=True)


def adjusted_table(
    basic: Mapping[str, Array],
    factors: Mapping[str, Sequence[Factor]],
    size_error: Mapping[str, Array],
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
        By group the multiplier for errors in known sizes, shape (M,).
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
        parts[KNOWN_SIZE] = size_error[group]
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
    basic: Mapping[str, Array],
    factors: Mapping[str, Sequence[Factor]],
    size_error: Mapping[str, Array],
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
        its share: the logarithm of the adjusted estimate is a sum of independent parts. A degree
        ratio from a companion sample isn't quite independent of sampling: the frame's mean degree
        stands in both.
    """
    import pandas as pd

    rows = []
    for group, draws in basic.items():
        if not (draws > 0).all():
            continue
        parts = {SAMPLING: draws} | {factor.name: factor.multiplier for factor in factors[group]}
        parts[KNOWN_SIZE] = size_error[group]
        variances = {name: float(np.var(np.log(values))) for name, values in parts.items()}
        total = sum(variances.values())
        rows += [
            {"group": group, "source": name, "variance": v, "share": v / total if total else 0.0}
            for name, v in variances.items()
        ]
    return pd.DataFrame(rows, columns=["group", "source", "variance", "share"])
