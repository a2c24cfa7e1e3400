"""Checks on groups of known size: each is estimated from the others (leave-one-out)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.degree import check_sized, degrees
from prevalence.interval import confidence_interval
from prevalence.ratio import (
    Inference,
    RatioBatch,
    RatioEstimates,
    Sampling,
    replicate_error,
    tidy,
)
from prevalence.relational import Counts, capped, stacked
from prevalence.scale_up import FORMS, KILLWORTH, Form, ratio_columns

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study

Array = NDArray[np.float64]

Kept = tuple[str, ...]
LogRatios = Callable[[Kept], tuple[Array, Array]]

SUMMARIES = ("root_mean_square", "recall_slope")


def leave_one_out(
    counts: Counts,
    known_sizes: Mapping[str, float],
    known_groups: Sequence[str],
    population: float,
    sampling: Sampling,
    *,
    estimator: str = "ratio_of_sums",
    checked: Sequence[str] = (),
    cap: float | None = None,
    missing: str = "exclude",
    minimum_groups: int = 1,
    linearised: bool = True,
) -> RatioEstimates:
    """Estimate each group of known size as if its size were unknown.

    ``N_U * sum_i w_i y_ik / sum_i w_i d_i^(-k)``, with degrees from the other groups and the same
    caps as the headline's. Both sums are weighted.

    Parameters
    ----------
    counts
        People known by group, each of shape (n,).
    known_sizes
        Sizes by group, in persons.
    known_groups
        The groups ``K`` of the headline.
    population
        ``N_U``.
    sampling
        Weights, replicates, design.
    estimator
        Name of the scale-up estimator.
    checked
        The groups to be estimated: those of ``K`` and others with a size; ``K`` where empty.
    cap
        Top code of the counts.
    missing, minimum_groups
        As in :func:`prevalence.degree.known_population_degrees`; leaving one out, fewer groups
        suffice by one.
    linearised
        Whether linearised variances are wanted.

    Returns
    -------
    RatioEstimates
        Shares of the population, in the order of `checked`; NaN where the other groups give nobody
        a degree.

    Raises
    ------
    PipelineError
        If a known group has no size.
    """
    check_sized(known_groups, known_sizes, counts, "headline.known_groups")
    form = FORMS[estimator]
    batch = RatioBatch(len(sampling.weights))
    for group in checked or known_groups:
        others = [other for other in known_groups if other != group]
        reports = capped(counts[group], cap)
        degree = np.full(len(reports), np.nan)
        if others:
            degree = degrees(
                form.degree,
                capped(stacked(counts, others), cap),
                np.array([known_sizes[other] for other in others]),
                population,
                missing=missing,
                minimum_groups=min(minimum_groups, len(others)),
            )
        top, bottom, exposure = ratio_columns(form, reports, degree, sampling.weights)
        batch.add(top, bottom, exposure=exposure)
    return batch.evaluate(sampling, linearised=linearised)


def check_groups(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check every group of known size by each scale-up estimator of the survey.

    Parameters
    ----------
    study
        The survey.

    Returns
    -------
    groups, agreement : pandas.DataFrame
        From :func:`known_groups_table` (all groups with a size) and :func:`agreement_table` (those
        of the headline).
    """
    import pandas as pd

    headline, population = study.headline, study.populations.total
    checked = list(study.known["group"])
    used = np.isin(checked, headline.known_groups)
    reported = reported_sums(study.counts, checked, headline.known_cap)
    tables, summaries = [], []
    for estimator in study.estimators():
        if estimator == KILLWORTH or FORMS[estimator].degree == "child_alters":
            continue
        estimates = leave_one_out(
            study.counts,
            study.known_sizes,
            headline.known_groups,
            population,
            study.sampling,
            estimator=estimator,
            checked=checked,
            cap=headline.known_cap,
            missing=study.settings["degree"]["missing"],
            minimum_groups=study.settings["degree"]["minimum_groups"],
        )
        tables.append(
            known_groups_table(
                estimates,
                study.known,
                population,
                headline.inference,
                estimator=estimator,
                in_headline=headline.known_groups,
                reported=reported,
            )
        )
        summaries.append(
            agreement_table(
                estimates.chosen(used),
                study.known["size"].to_numpy(float)[used],
                population,
                headline.inference,
                estimator=estimator,
            )
        )
    return pd.concat(tables, ignore_index=True), pd.concat(summaries, ignore_index=True)


@dataclass(frozen=True)
class Trimming:
    """Known groups after those that disagree most are taken out, one at a time.

    Parameters
    ----------
    kept
        Groups kept in the full sample.
    record
        Removed groups in order, each with its log ratio when it was removed.
    kept_by_replicate
        Sets of kept groups, each with the replicates (places in 0..B-1) that kept it.
    """

    kept: tuple[str, ...]
    record: tuple[tuple[str, float], ...]
    kept_by_replicate: Mapping[tuple[str, ...], NDArray[np.int64]]

    def removed_share(self, group: str) -> float:
        """Share of the replicates in which a group was removed."""
        sizes = {kept: len(places) for kept, places in self.kept_by_replicate.items()}
        removed = sum(size for kept, size in sizes.items() if group not in kept)
        return removed / max(sum(sizes.values()), 1)


def trim_known_groups(
    counts: Counts,
    known_sizes: Mapping[str, float],
    known_groups: Sequence[str],
    population: float,
    sampling: Sampling,
    *,
    threshold: float,
    minimum_kept: int,
    cap: float | None = None,
    missing: str = "exclude",
    minimum_groups: int = 1,
) -> Trimming:
    """Take out the known group that disagrees most until all agree, in each replicate anew.

    A set chosen by looking at the data has a variance of its own: the choice is therefore repeated
    inside every replicate. It is an alternative to be shown, never a headline: groups that agree
    with one another may share their errors with the hidden groups, or not.

    Parameters
    ----------
    counts, known_sizes, known_groups, population, sampling, cap, missing, minimum_groups
        As in :func:`leave_one_out`.
    threshold
        Largest tolerated absolute log ratio.
    minimum_kept
        Fewest groups that are kept.

    Returns
    -------
    Trimming
        What is kept, and the record of what was taken out.
    """
    found: dict[Kept, tuple[Array, Array]] = {}

    def log_ratios(kept: Kept) -> tuple[Array, Array]:
        """Log ratios in the full sample (K,) and in the replicates (B, K), each set once."""
        if kept not in found:
            estimates = leave_one_out(
                counts,
                known_sizes,
                kept,
                population,
                sampling,
                cap=cap,
                missing=missing,
                minimum_groups=minimum_groups,
                linearised=False,
            )
            scale = population / np.array([known_sizes[group] for group in kept])
            found[kept] = (
                _logarithms(scale * estimates.ratio),
                _logarithms(scale * estimates.replicates),
            )
        return found[kept]

    everything, fewest = tuple(known_groups), max(minimum_kept, 2)
    kept, record = _trimmed_once(everything, log_ratios, threshold, fewest)
    by_replicate = _trimmed_in_replicates(everything, log_ratios, threshold, fewest)
    return Trimming(kept, record, by_replicate)


def _trimmed_once(
    everything: Kept, log_ratios: LogRatios, threshold: float, fewest: int
) -> tuple[Kept, tuple[tuple[str, float], ...]]:
    """Trim in the full sample: the groups kept, and the record of those taken out."""
    kept = everything
    record: list[tuple[str, float]] = []
    while True:
        errors = log_ratios(kept)[0]
        worst = int(np.argmax(np.abs(errors)))
        if np.abs(errors[worst]) <= threshold or len(kept) <= fewest:
            return kept, tuple(record)
        record.append((kept[worst], float(errors[worst])))
        kept = kept[:worst] + kept[worst + 1 :]


def _trimmed_in_replicates(
    everything: Kept, log_ratios: LogRatios, threshold: float, fewest: int
) -> dict[Kept, NDArray[np.int64]]:
    """Trim in every replicate; replicates that keep the same groups go on together."""
    waiting = {everything: np.arange(len(log_ratios(everything)[1]))}
    final: dict[Kept, NDArray[np.int64]] = {}
    while waiting:
        kept, places = waiting.popitem()
        errors = np.abs(log_ratios(kept)[1][places])
        worst = errors.argmax(axis=1)
        done = (errors.max(axis=1) <= threshold) | (len(kept) <= fewest)
        if done.any():
            final[kept] = np.append(final.get(kept, places[:0]), places[done])
        for position in np.unique(worst[~done]):
            smaller = kept[:position] + kept[position + 1 :]
            moved = places[~done & (worst == position)]
            waiting[smaller] = np.append(waiting.get(smaller, places[:0]), moved)
    return final


def _logarithms(ratios: Array) -> Array:
    """Logarithms, a ratio of 0 or none being as far off as can be."""
    positive = ratios > 0
    return np.where(positive, np.log(np.where(positive, ratios, 1.0)), -np.inf)


def trimming_table(
    trimming: Trimming, known_groups: Sequence[str], threshold: float
) -> pd.DataFrame:
    """Record which known groups were taken out, when, and in how many replicates.

    Parameters
    ----------
    trimming
        From :func:`trim_known_groups`.
    known_groups
        The groups it started from.
    threshold
        Largest tolerated absolute log ratio.

    Returns
    -------
    pandas.DataFrame
        One row a group; `step` and `log_ratio` are empty for the groups that were kept.
    """
    import pandas as pd

    steps = {group: (step, ratio) for step, (group, ratio) in enumerate(trimming.record, start=1)}
    return pd.DataFrame(
        {
            "group": list(known_groups),
            "step": pd.array([steps.get(g, (None,))[0] for g in known_groups], dtype="Int64"),
            "log_ratio": [steps.get(group, (0, np.nan))[1] for group in known_groups],
            "threshold": threshold,
            "removed_share": [trimming.removed_share(group) for group in known_groups],
        }
    )


def trimmed_estimates(
    trimming: Trimming,
    reports: Sequence[Array],
    degrees_on: Callable[[Sequence[str]], Array],
    sampling: Sampling,
    *,
    form: Form | None = None,
) -> RatioEstimates:
    """Estimate with the groups that trimming kept, each replicate with its own.

    Parameters
    ----------
    trimming
        From :func:`trim_known_groups`.
    reports
        Reports of each hidden group, each of shape (n,).
    degrees_on
        Gives the degrees (n,) that rest on some known groups.
    sampling
        Weights, replicates, design.
    form
        The estimator; the weighted ratio of sums unless named.

    Returns
    -------
    RatioEstimates
        In the order of `reports`. The linearised error takes the trimming as given.
    """

    def on(kept: Sequence[str], *, linearised: bool) -> RatioEstimates:
        batch, degree = RatioBatch(len(sampling.weights)), degrees_on(kept)
        for values in reports:
            top, bottom, looked_at = ratio_columns(form or Form(), values, degree, sampling.weights)
            batch.add(top, bottom, exposure=looked_at)
        return batch.evaluate(sampling, linearised=linearised)

    whole = on(trimming.kept, linearised=True)
    replicates = np.empty_like(whole.replicates)
    for kept, places in trimming.kept_by_replicate.items():
        replicates[places] = on(kept, linearised=False).replicates[places]
    error = replicate_error(whole.ratio, replicates, sampling.scale)
    return replace(whole, replicates=replicates, std_error=error)


def design_effects(estimates: RatioEstimates, reported: Array) -> Array:
    """How much more variable reports are than a Poisson count.

    Parameters
    ----------
    estimates
        Leave-one-out estimates of the known groups.
    reported
        Unweighted sum of the reports of each group, shape (K,).

    Returns
    -------
    numpy.ndarray
        ``(se / R)^2 * sum_i y_ik``: the relative variance of the estimate over that of a Poisson
        count of the same size. It holds clustering, weighting and overdispersion together.
    """
    known = estimates.ratio > 0
    relative = estimates.std_error / np.where(known, estimates.ratio, 1.0)
    return np.where(known, relative**2 * reported, np.nan)


def typical_design_effect(effects: Array) -> float:
    """Median design effect of the known groups, at least 1."""
    known = effects[np.isfinite(effects)]
    return max(float(np.median(known)), 1.0) if known.size else 1.0


def study_design_effect(study: Study) -> float:
    """Find the typical design effect of a survey's reports from its known groups."""
    headline, rules = study.headline, study.settings["degree"]
    estimates = leave_one_out(
        study.counts,
        study.known_sizes,
        headline.known_groups,
        study.populations.total,
        study.sampling,
        estimator=headline.estimator,
        cap=headline.known_cap,
        missing=rules["missing"],
        minimum_groups=rules["minimum_groups"],
        linearised=False,
    )
    reported = reported_sums(study.counts, headline.known_groups, headline.known_cap)
    return typical_design_effect(design_effects(estimates, reported))


def root_mean_square(ratios: Array, sizes: Array) -> float:
    """Root mean square of the log ratios of estimates to known sizes; NaN where there is none.

    Parameters
    ----------
    ratios
        Estimates in persons, shape (K,); groups that nobody reports are left out.
    sizes
        Known sizes, shape (K,).
    """
    usable = ratios > 0
    if not usable.any():
        return float("nan")
    return float(np.sqrt((np.log(ratios[usable] / sizes[usable]) ** 2).mean()))


def known_groups_table(
    estimates: RatioEstimates,
    table: pd.DataFrame,
    population: float,
    inference: Inference,
    *,
    estimator: str,
    in_headline: Sequence[str],
    reported: Array,
) -> pd.DataFrame:
    """Leave-one-out estimates beside the known sizes.

    Parameters
    ----------
    estimates
        From :func:`leave_one_out`, in the order of `table`.
    table
        The checked groups: `group`, `size`, `label`, `year`, `source`, `quality`.
    population
        ``N_U``.
    inference
        How intervals are made.
    estimator
        Name of the estimator.
    in_headline
        Groups that the headline's degrees rest on.
    reported
        Unweighted sum of the reports of each group.

    Returns
    -------
    pandas.DataFrame
        Columns of the contract ``known_groups``. The log ratio is of estimate to known size: above
        0 where people know more members than the size admits.
    """
    keys = [
        {"estimator": estimator, "group": row["group"], "unit": "persons"}
        | {"label": row["label"], "known_size": float(row["size"]), "year": row["year"]}
        | {"quality": row["quality"], "source": row["source"]}
        | {"in_headline": row["group"] in in_headline}
        for row in table.to_dict("records")
    ]
    rows = tidy(keys, estimates, np.full(len(keys), population), inference)
    for column in ("estimate", "lower", "upper"):
        name = "log_ratio" if column == "estimate" else f"log_ratio_{column}"
        positive = rows[column] > 0
        rows[name] = np.log(rows[column].where(positive) / rows["known_size"])
    rows["design_effect"] = design_effects(estimates, reported)
    return rows


def agreement_table(
    estimates: RatioEstimates,
    sizes: Array,
    population: float,
    inference: Inference,
    *,
    estimator: str,
) -> pd.DataFrame:
    """Root mean square of the log ratios, and how they slope with the size of the group.

    A group that nobody reports has no log ratio and is left out: in the sample, and alike in a
    replicate that drew none of those who report it.

    Parameters
    ----------
    estimates
        Leave-one-out estimates of the groups in ``K``.
    sizes
        Their known sizes, shape (K,).
    population
        ``N_U``.
    inference
        Its level is used; the intervals are percentiles of bootstrap replicates, since a root mean
        square isn't symmetric on any scale; *t* intervals with other replicates.
    estimator
        Name of the estimator.

    Returns
    -------
    pandas.DataFrame
        One row a summary: ``root_mean_square`` and ``recall_slope`` (of the log ratio on the log
        size: negative where large groups are recalled less completely).
    """
    import pandas as pd

    usable = estimates.ratio > 0
    names = SUMMARIES
    if not usable.any():
        return pd.DataFrame()
    log_sizes = np.log(sizes[usable])
    point = _agreement(population * estimates.ratio[None, usable], log_sizes)
    replicated = _agreement(population * estimates.replicates[:, usable], log_sizes)
    error = replicate_error(point[0], replicated, estimates.replicate_scale)
    lower, upper = confidence_interval(
        "percentile" if estimates.replicate_scale is None else "t",
        point[0],
        error,
        np.full(2, estimates.df.min()),
        level=inference.level,
        replicates=replicated,
    )
    return pd.DataFrame(
        {
            "estimator": estimator,
            "group": list(names),
            "estimate": point[0],
            "std_error": error,
            "lower": lower,
            "upper": upper,
            "level": inference.level,
            "unit": ["log_ratio", "log_ratio_per_log_size"],
            "n": int(usable.sum()),
        }
    )


def _agreement(found: Array, log_sizes: Array) -> Array:
    """Root mean square and slope over the positive estimates of each row; shape (rows, 2)."""
    told = found > 0
    n = told.sum(axis=1, keepdims=True).astype(float)
    n[n == 0] = np.nan
    error = np.where(told, np.log(np.where(told, found, 1.0)) - log_sizes, 0.0)
    centred = np.where(told, log_sizes - (told * log_sizes).sum(axis=1, keepdims=True) / n, 0.0)
    spread = (centred**2).sum(axis=1)
    slope = np.divide(
        (error * centred).sum(axis=1), spread, out=np.full(len(found), np.nan), where=spread > 0
    )
    return np.column_stack([np.sqrt((error**2).sum(axis=1) / n[:, 0]), slope])


def reported_sums(counts: Counts, groups: Sequence[str], cap: float | None) -> Array:
    """Unweighted sum of the capped reports of each group, shape (K,)."""
    sums: Array = np.nansum(capped(stacked(counts, groups), cap), axis=0)
    return sums
