"""Network scale-up estimates of hidden groups: national, by domain, as counts, rates and ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.degree import check_sized, degrees
from prevalence.domains import Domain, Populations
from prevalence.errors import PipelineError, check_known, listed
from prevalence.ratio import (
    REPLICATES,
    Inference,
    RatioBatch,
    RatioEstimates,
    Sampling,
    divided,
    replicate_error,
    tidy,
)
from prevalence.relational import Counts, capped, stacked

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

MOST_CONTRASTED = 6
PER = {"per_100": 100.0, "per_1000": 1000.0}


@dataclass(frozen=True)
class Form:
    """What a named estimator divides.

    Parameters
    ----------
    combination
        ``ratio_of_sums`` divides weighted sums; ``mean_of_ratios`` averages respondents' ratios.
    degree
        ``known_population``, ``mean_of_ratios``, or ``child_alters``: the children a respondent
        knows, so that the estimate is scaled by the children of the population.
    weighted
        Whether the survey weights enter the estimate.
    """

    combination: str = "ratio_of_sums"
    degree: str = "known_population"
    weighted: bool = True


FORMS = {
    "ratio_of_sums": Form(),
    "mean_of_ratios": Form(combination="mean_of_ratios"),
    "mean_of_sums": Form(degree="mean_of_ratios"),
    "mean_of_sums_mean_of_ratios": Form(combination="mean_of_ratios", degree="mean_of_ratios"),
    "ratio_of_sums_child_alters": Form(degree="child_alters"),
    "unweighted_ratio_of_sums": Form(weighted=False),
    "unweighted_mean_of_ratios": Form(combination="mean_of_ratios", weighted=False),
    "unweighted_mean_of_sums": Form(degree="mean_of_ratios", weighted=False),
    "unweighted_mean_of_sums_mean_of_ratios": Form(
        combination="mean_of_ratios", degree="mean_of_ratios", weighted=False
    ),
}
KILLWORTH = "killworth"
ESTIMATORS = (*FORMS, KILLWORTH)


@dataclass(frozen=True)
class NetworkSizes:
    """Degrees of the respondents under each definition that an estimator may use.

    Parameters
    ----------
    by_definition
        ``known_population``, ``mean_of_ratios`` and, where children were asked about,
        ``child_alters``; each of shape (n,), NaN where missing.
    """

    by_definition: Mapping[str, Array]


@dataclass(frozen=True)
class HiddenGroup:
    """A hidden group with its reports and degrees.

    Parameters
    ----------
    name
        Its id.
    reports
        Members known, shape (n,); NaN where missing.
    sizes
        The network sizes to divide by; known groups may be chosen for each hidden group.
    population
        Denominator of its rate: ``children``, ``adults`` or ``all_ages``.
    per
        Unit of its rate: ``per_100`` or ``per_1000``.
    """

    name: str
    reports: Array
    sizes: NetworkSizes
    population: str
    per: str


def network_sizes(
    counts: Counts,
    known_sizes: Mapping[str, float],
    known_groups: Sequence[str],
    population: float,
    *,
    cap: float | None = None,
    missing: str = "exclude",
    minimum_groups: int = 1,
    child_groups: Sequence[str] = (),
    place: str = "headline.known_groups",
) -> NetworkSizes:
    """Degrees of all respondents under each definition.

    Parameters
    ----------
    counts
        People known by group, each of shape (n,).
    known_sizes
        Sizes of the known groups, in persons.
    known_groups
        The groups ``K`` on which degrees rest.
    population
        ``N_U``, in persons.
    cap
        Top code of each known group's counts.
    missing, minimum_groups
        As in :func:`prevalence.degree.known_population_degrees`.
    child_groups
        Age groups of children; their counts are never pooled with `known_groups`.
    place
        Where the config names the known groups, for messages.

    Returns
    -------
    NetworkSizes
        The degrees.

    Raises
    ------
    PipelineError
        If a group is unknown, has no size, or was answered by nobody.
    """
    check_sized(known_groups, known_sizes, counts, place)
    table = capped(stacked(counts, known_groups), cap)
    unanswered = np.isnan(table).all(axis=0)
    if unanswered.any():
        raise PipelineError(
            "Nobody answered the question on a known group.",
            place=place,
            found=listed(np.array(known_groups)[unanswered]),
            allowed="known groups that respondents were asked about",
            remedy="Check its variable and missing codes in the codebook, or take the group out of "
            "the known groups.",
        )
    sizes = np.array([known_sizes[group] for group in known_groups])
    found = {
        name: degrees(
            name, table, sizes, population, missing=missing, minimum_groups=minimum_groups
        )
        for name in ("known_population", "mean_of_ratios")
    }
    if not (found["known_population"] > 0).any():
        raise PipelineError(
            "No respondent knows anybody in the known groups.",
            place="headline.known_groups",
            found=f"{int(np.isfinite(found['known_population']).sum())} respondents with a degree, "
            "none above 0",
            allowed="answers from which network sizes can be computed",
            remedy="Check the counts, the codes of missing values, and estimate.degree.",
        )
    if child_groups:
        found["child_alters"] = stacked(counts, child_groups).sum(axis=1)
    return NetworkSizes(found)


def ratio_columns(
    form: Form, reports: Array, degree: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """Numerator, denominator and exposure of an estimator, to be summed with the final weights.

    Parameters
    ----------
    form
        The estimator.
    reports
        Members known, shape (n,).
    degree
        Degrees, shape (n,).
    weights
        Final weights: an unweighted estimator divides its columns by them.

    Returns
    -------
    numerator, denominator, exposure : numpy.ndarray
        Shape (n,); NaN where the respondent doesn't enter. In a mean of ratios these are also the
        respondents of degree 0, who have no ratio.
    """
    if form.combination == "mean_of_ratios":
        usable = degree > 0
        top = np.where(usable, reports / np.where(usable, degree, 1.0), np.nan)
        bottom = np.where(usable, 1.0, np.nan)
    else:
        top, bottom = reports, degree
    if not form.weighted:
        top, bottom = top / weights, bottom / weights
    return top, bottom, degree


def scale_up_table(
    groups: Sequence[HiddenGroup],
    domains: Sequence[Domain],
    populations: Populations,
    sampling: Sampling,
    *,
    estimators: Sequence[str],
    headline: str,
    inference: Inference,
    ratios: Mapping[str, Mapping[str, Any]] | None = None,
    design_effect: float = 1.0,
    benchmarked: Sequence[str] = (),
) -> pd.DataFrame:
    """Estimate every hidden group by every estimator in every domain.

    Parameters
    ----------
    groups
        Hidden groups.
    domains
        The nation first.
    populations
        Denominators.
    sampling
        Weights, replicates, design.
    estimators
        Names in :data:`ESTIMATORS`. One that needs answers the survey lacks is left out.
    headline
        The pre-specified estimator.
    inference
        How intervals are made.
    ratios
        Ratios of hidden groups by id: `numerator`, `denominator` and, where they are wanted
        beside the nation, the types of `domains`.
    design_effect
        For the upper limit where nobody reports; see
        :func:`prevalence.interval.zero_report_limit`.
    benchmarked
        Domain types whose estimates are also shown forced to add up to the national one.

    Returns
    -------
    pandas.DataFrame
        One row an estimator, group, domain and unit; columns of the contract ``scale_up``.

    Raises
    ------
    PipelineError
        If an estimator has no such name.
    """
    import pandas as pd

    check_estimators(estimators)
    batch, keys = RatioBatch(len(sampling.weights)), []
    for estimator in estimators:
        if estimator == KILLWORTH:
            continue
        form = FORMS[estimator]
        for group in groups:
            if not _applies(form, group):
                continue
            columns = ratio_columns(
                form, group.reports, group.sizes.by_definition[form.degree], sampling.weights
            )
            for domain in domains:
                batch.add(columns[0], columns[1], domain.mask, columns[2])
                keys.append((estimator, group, domain))
    estimates = batch.evaluate(sampling)
    tables = []
    for unit in ("persons", "rate"):
        scale = np.array([_scale(unit, *key, populations) for key in keys])
        units = [unit if unit == "persons" else group.per for _, group, _ in keys]
        tables.append(
            tidy(
                [
                    {"estimator": estimator, "group": group.name, "unit": unit_name}
                    | {"domain_type": domain.type, "domain": domain.name}
                    for (estimator, group, domain), unit_name in zip(keys, units, strict=True)
                ],
                estimates,
                scale,
                inference,
                design_effect,
            )
        )
        cells = _Cells(keys, estimates, scale, units, headline, inference, populations)
        tables += [*_sums_over_domains(cells), *_forced(cells, benchmarked)]
    tables.append(_ratio_rows(groups, domains, sampling, ratios or {}, inference))
    if KILLWORTH in estimators:
        tables.append(_killworth_rows(groups, populations, inference))
    table = pd.concat([t for t in tables if len(t)], ignore_index=True)
    table["headline"] = (table["estimator"] == headline) | (table["unit"] == "ratio")
    return table


def domain_contrasts(
    groups: Sequence[HiddenGroup],
    domains: Sequence[Domain],
    populations: Populations,
    sampling: Sampling,
    *,
    estimator: str,
    inference: Inference,
    most_domains: int = MOST_CONTRASTED,
) -> pd.DataFrame:
    """Compare the rates of domains with one another.

    Parameters
    ----------
    groups, domains, populations, sampling, inference
        As in :func:`scale_up_table`.
    estimator
        The headline's estimator.
    most_domains
        Types with more domains are left out: nobody compares 17 regions in 136 pairs.

    Returns
    -------
    pandas.DataFrame
        One row a hidden group and pair of domains of one type: the ratio of the rate of `domain` to
        that of `against`. Both rest on the same replicates, so that domains that share strata are
        compared rightly.
    """
    import pandas as pd

    form = FORMS[estimator]
    pairs = [
        (one, other)
        for place, one in enumerate(domains)
        for other in domains[place + 1 :]
        if one.type == other.type and sum(d.type == one.type for d in domains) <= most_domains
    ]
    batch, keys, scale, df = RatioBatch(len(sampling.weights)), [], [], []
    for group in groups:
        if not _applies(form, group):
            continue
        degree = group.sizes.by_definition[form.degree]
        top, bottom, exposure = ratio_columns(form, group.reports, degree, sampling.weights)
        for one, other in pairs:
            for domain in (one, other):
                batch.add(top, bottom, domain.mask, exposure)
                scale.append(_scale("rate", estimator, group, domain, populations))
            df.append(sampling.degrees_of_freedom(one.mask | other.mask))
            keys.append(
                {"estimator": estimator, "group": group.name, "unit": "ratio"}
                | {"domain_type": one.type, "domain": one.name, "against": other.name}
            )
    if not keys:
        return pd.DataFrame()
    found = batch.evaluate(sampling, linearised=False)
    factors = np.array(scale)
    rates, replicates = found.ratio * factors, found.replicates * factors
    quotient = divided(rates[::2], rates[1::2])
    replicated = divided(replicates[:, ::2], replicates[:, 1::2])
    compared = RatioEstimates(
        ratio=quotient,
        replicates=replicated,
        std_error=replicate_error(quotient, replicated, sampling.scale),
        se_linearised=np.full(len(keys), np.nan),
        df=np.array(df),
        n=found.n[::2] + found.n[1::2],
        n_reporting=found.n_reporting[::2] + found.n_reporting[1::2],
        exposure=np.zeros(len(keys)),
        largest_share=np.full(len(keys), np.nan),
        replicate_scale=sampling.scale,
    )
    return tidy(keys, compared, np.ones(len(keys)), _by_replicates(inference))


def check_estimators(estimators: Sequence[str]) -> None:
    """Refuse an estimator that has no such name.

    Raises
    ------
    PipelineError
        Naming it and the nearest one that exists.
    """
    check_known(estimators, ESTIMATORS, "An estimator is unknown.", place="estimate.estimators")


def killworth_std_error(estimate: Array, population: float, degree_sum: float) -> Array:
    """Killworth's binomial standard error, which ignores the design: for comparison only.

    Parameters
    ----------
    estimate
        Estimated size, in persons.
    population
        ``N_U``.
    degree_sum
        Sum of the degrees.

    Returns
    -------
    numpy.ndarray
        ``sqrt(N_H (N_U - N_H) / sum d)``.

    Notes
    -----
    Killworth et al. 1998b, *Evaluation Review* 22:289.
    """
    return np.sqrt(estimate * (population - estimate) / degree_sum)


Key = tuple[str, HiddenGroup, Domain]


def _applies(form: Form, group: HiddenGroup) -> bool:
    """Child alters are the comparison for groups of children, where children were asked about."""
    if form.degree == "child_alters":
        return group.population == "children" and "child_alters" in group.sizes.by_definition
    return True


def _scale(
    unit: str, estimator: str, group: HiddenGroup, domain: Domain, populations: Populations
) -> float:
    """Find what a ratio is multiplied by: population, and for a rate the denominator too.

    Where the rate is per head of the same population the size cancels and needn't be known.
    """
    base = "children" if FORMS[estimator].degree == "child_alters" else "all_ages"
    if unit == "rate" and group.population == base:
        return PER[group.per]
    size = populations.of(domain, base)
    if unit == "persons":
        return size
    return PER[group.per] * size / populations.of(domain, group.population)


@dataclass(frozen=True)
class _Cells:
    """The estimates of one unit by estimator, group and domain, before they are rows."""

    keys: Sequence[Key]
    estimates: RatioEstimates
    scale: Array
    units: Sequence[str]
    headline: str
    inference: Inference
    populations: Populations

    def families(self) -> Iterator[tuple[int, str, list[int]]]:
        """Give the headline's national place, a geographic domain type, and its places."""
        found: dict[tuple[str, str], list[int]] = {}
        for place, (estimator, group, domain) in enumerate(self.keys):
            if estimator == self.headline and domain.kind == "geographic":
                found.setdefault((group.name, domain.type), []).append(place)
        for (name, domain_type), within in found.items():
            if domain_type != "national" and not np.isnan(self.scale[within]).any():
                yield found[name, "national"][0], domain_type, within

    def combined(
        self, ratio: Array, replicates: Array, within: list[int], df: Array
    ) -> RatioEstimates:
        """Wrap a combination of estimates as estimates, with the replicates' variance alone."""
        counts = np.stack([self.estimates.n[within], self.estimates.n_reporting[within]])
        if len(ratio) != len(within):
            counts = counts.sum(axis=1, keepdims=True)
        return RatioEstimates(
            ratio=ratio,
            replicates=replicates,
            std_error=replicate_error(ratio, replicates, self.estimates.replicate_scale),
            se_linearised=np.full(len(ratio), np.nan),
            df=df,
            n=counts[0],
            n_reporting=counts[1],
            exposure=np.zeros(len(ratio)),
            largest_share=np.full(len(ratio), np.nan),
            replicate_scale=self.estimates.replicate_scale,
        )


def _sums_over_domains(cells: _Cells) -> list[pd.DataFrame]:
    """Put the sum of the domains' totals beside the national estimate, as a count and a rate."""
    tables = []
    for nation, domain_type, within in cells.families():
        group, unit = cells.keys[nation][1], cells.units[nation]
        factor = cells.scale[within]
        if unit != "persons":
            sizes = np.array(
                [cells.populations.of(cells.keys[place][2], group.population) for place in within]
            )
            factor = factor * sizes / sizes.sum()
        if np.isnan(factor).any():
            continue
        summed = cells.combined(
            np.array([cells.estimates.ratio[within] @ factor]),
            (cells.estimates.replicates[:, within] @ factor)[:, None],
            within,
            cells.estimates.df[[nation]],
        )
        key = {"estimator": f"sum_of_{domain_type}", "group": group.name, "unit": unit}
        key |= {"domain_type": "national", "domain": "national"}
        tables.append(tidy([key], summed, np.ones(1), _by_replicates(cells.inference)))
    return tables


def _forced(cells: _Cells, benchmarked: Sequence[str]) -> list[pd.DataFrame]:
    """Multiply the domains' totals so that they add up to the national one in every replicate."""
    tables = []
    for nation, domain_type, within in cells.families():
        if domain_type not in benchmarked or cells.units[nation] != "persons":
            continue
        values, replicates, scale = cells.estimates.ratio, cells.estimates.replicates, cells.scale
        factor = divided(values[nation] * scale[nation], values[within] @ scale[within])
        factors = divided(
            replicates[:, nation] * scale[nation], replicates[:, within] @ scale[within]
        )
        forced = cells.combined(
            values[within] * factor,
            replicates[:, within] * factors[:, None],
            within,
            cells.estimates.df[within],
        )
        keys = [
            {"estimator": f"{cells.headline}_benchmarked", "group": cells.keys[place][1].name}
            | {"unit": "persons", "domain_type": domain_type, "domain": cells.keys[place][2].name}
            for place in within
        ]
        tables.append(tidy(keys, forced, scale[within], _by_replicates(cells.inference)))
    return tables


def _by_replicates(inference: Inference) -> Inference:
    """Take the replicates' variance, the only one there is of a combination."""
    return replace(inference.of_comparisons, variance=REPLICATES)


def _ratio_rows(
    groups: Sequence[HiddenGroup],
    domains: Sequence[Domain],
    sampling: Sampling,
    ratios: Mapping[str, Mapping[str, Any]],
    inference: Inference,
) -> pd.DataFrame:
    """Ratios of two hidden groups over those who answered both: degrees cancel."""
    import pandas as pd

    if not ratios:
        return pd.DataFrame()
    reports = {group.name: group.reports for group in groups}
    batch, keys = RatioBatch(len(sampling.weights)), []
    for name, setting in ratios.items():
        for side in ("numerator", "denominator"):
            check_known(
                setting[side],
                reports,
                "A ratio names a hidden group that isn't estimated.",
                place=f"estimate.ratios.{name}.{side}",
            )
        top, bottom = reports[setting["numerator"]], reports[setting["denominator"]]
        for domain in domains:
            if domain.type == "national" or domain.type in setting.get("domains", ()):
                batch.add(top, bottom, domain.mask, np.zeros(len(top)))
                keys.append(
                    {"estimator": "ratio_of_sums", "group": name, "unit": "ratio"}
                    | {"domain_type": domain.type, "domain": domain.name}
                )
    estimates = batch.evaluate(sampling)
    return tidy(keys, estimates, np.ones(len(keys)), inference.of_comparisons)


def _killworth_rows(
    groups: Sequence[HiddenGroup], populations: Populations, inference: Inference
) -> pd.DataFrame:
    """Killworth's unweighted estimate with its binomial error, for comparison only."""
    import pandas as pd
    from scipy.special import ndtri

    rows = []
    for group in groups:
        degree = group.sizes.by_definition["known_population"]
        inside = ~np.isnan(degree) & ~np.isnan(group.reports)
        degree_sum = float(degree[inside].sum()) or np.nan  # of nobody: no estimate
        estimate = populations.total * group.reports[inside].sum() / degree_sum
        std_error = float(killworth_std_error(estimate, populations.total, degree_sum))
        half = float(ndtri(0.5 + inference.level / 2)) * std_error
        rows.append(
            {
                "estimator": KILLWORTH,
                "group": group.name,
                "unit": "persons",
                "domain_type": "national",
                "domain": "national",
                "estimate": estimate,
                "std_error": std_error,
                "lower": estimate - half,
                "upper": estimate + half,
                "level": inference.level,
                "interval": "binomial",
                "df": np.nan,
                "se_linearised": np.nan,
                "n": int(inside.sum()),
                "n_reporting": int((group.reports[inside] > 0).sum()),
            }
        )
    return pd.DataFrame(rows)
