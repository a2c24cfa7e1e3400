"""Every combination of configured choices, estimated: the spread that one headline hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.combination import (
    AS_GIVEN,
    NOT_IMPUTED,
    PUBLISHED,
    combine_reports,
    impute_perpetrators_from_victims,
    impute_victims_from_perpetrators,
    shared_rule,
)
from prevalence.degree import degrees, leave_one_out_degrees
from prevalence.errors import check_known
from prevalence.interval import INTERVALS
from prevalence.known_groups import (
    leave_one_out,
    root_mean_square,
    study_design_effect,
    trim_known_groups,
    trimmed_estimates,
    trimming_table,
)
from prevalence.ratio import BOOTSTRAP, LINEARISED, RatioBatch, RatioEstimates, divided, tidy
from prevalence.relational import capped, quantile_cap, stacked
from prevalence.scale_up import Form, ratio_columns
from prevalence.strata import distinct_units

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study

Array = NDArray[np.float64]

HEADLINE = "headline"
IMPUTED = ("victims", "perpetrators")
QUANTILES = {"p95": 0.95, "p97_5": 0.975, "p99": 0.99}
ALLOWED = {
    "estimator": ("ratio_of_sums", "mean_of_ratios"),
    "degree": ("known_population", "mean_of_ratios"),
    "top_code": (HEADLINE, "none", *QUANTILES),
    "weights": ("final", "trimmed", "nonresponse", "base", "none"),
    "combination": ("maximum", "sum"),
    "imputation": (NOT_IMPUTED, PUBLISHED),
}


@dataclass(frozen=True)
class Specification:
    """One way to make the estimate.

    Parameters
    ----------
    estimator
        ``ratio_of_sums`` or ``mean_of_ratios``.
    degree
        ``known_population`` or ``mean_of_ratios``.
    top_code
        ``headline`` (its fixed caps), ``none``, or a quantile of each known group's answers, found
        once on the full sample and frozen.
    known_groups
        Name of a set of known groups; ``headline`` is the headline's.
    weights
        The step of weighting whose weights are used; ``none`` uses none.
    combination
        How live and non-live reports are combined; ``as_given``: each hidden group by its own rule,
        where groups have one item or different rules.
    imputation
        ``none``, or ``published``: 4 victims where only perpetrators are reported, and the mean
        number of adults a household of the place where only victims are.
    """

    estimator: str
    degree: str
    top_code: str
    known_groups: str
    weights: str
    combination: str
    imputation: str


CHOICES = tuple(field.name for field in fields(Specification))


@dataclass(frozen=True)
class Reports:
    """What respondents say of the hidden groups, and what imputation needs.

    Parameters
    ----------
    items
        Items of each hidden group, shape (n, items); NaN where missing.
    rules
        The rule by which the headline combines them; ``as_given`` for one item.
    incomplete
        What each group's rule makes of respondents who answered some of its items.
    cleaned
        The headline's reports of each hidden group, as the clean stage made them, shape (n,).
    imputed
        Whether the clean stage imputed: then these reports are those of ``published``.
    recoverable
        Whether the reports before the clean stage's imputation are among the items.
    victims, perpetrators
        Ids of the two groups between which the published rules impute; None: no imputation.
    adults
        Adults in the respondent's household, shape (n,).
    place
        Municipality (or PSU) of the respondent, shape (n,).
    """

    items: Mapping[str, Array]
    rules: Mapping[str, str]
    incomplete: Mapping[str, str]
    cleaned: Mapping[str, Array]
    imputed: bool = False
    recoverable: bool = True
    victims: str | None = None
    perpetrators: str | None = None
    adults: Array | None = None
    place: NDArray[np.object_] | None = None

    @property
    def combination(self) -> str:
        """How the headline combines items: the rule that all groups share, else ``as_given``."""
        return shared_rule(self.rules.values())

    @property
    def imputation(self) -> str:
        """Whether the headline's reports are imputed: ``none`` or ``published``."""
        return PUBLISHED if self.imputed else NOT_IMPUTED

    def of(self, specification: Specification) -> dict[str, Array]:
        """Give one count a respondent and hidden group under a specification, not top-coded."""
        chosen = specification.combination, specification.imputation
        if chosen == (self.combination, self.imputation):
            return dict(self.cleaned)
        found = {}
        for group, items in self.items.items():
            rule = self.rules[group] if chosen[0] == AS_GIVEN else chosen[0]
            one = items.shape[1] == 1
            found[group] = (
                items[:, 0] if one else combine_reports(items, rule, self.incomplete[group])
            )
        if (
            specification.imputation == NOT_IMPUTED
            or self.victims is None
            or self.perpetrators is None
        ):
            return found
        victims, perpetrators = found[self.victims], found[self.perpetrators]
        found[self.victims] = impute_victims_from_perpetrators(victims, perpetrators)
        if self.adults is not None and self.place is not None:
            found[self.perpetrators] = impute_perpetrators_from_victims(
                victims, perpetrators, self.adults, self.place
            )
        return found


def reports_of(
    study: Study,
    combine: Mapping[str, Mapping[str, Any]] | None,
    imputations: Sequence[Mapping[str, Any]] = (),
) -> Reports:
    """Find the items of the hidden groups, and what imputation between them needs.

    Parameters
    ----------
    study
        The survey.
    combine
        The `clean.combine` section of the config: items and rule of each hidden group.
    imputations
        The `clean.imputations` section: what the clean stage imputed.

    Returns
    -------
    Reports
        A group without items has its combined count as its only item.
    """
    items, rules, incomplete = {}, {}, {}
    for group in study.settings["hidden_groups"]:
        setting = (combine or {}).get(group, {})
        names = [item for item in setting.get("items", ()) if item in study.counts]
        items[group] = stacked(study.counts, names or [group])
        rules[group] = setting.get("rule", AS_GIVEN) if len(names) > 1 else AS_GIVEN
        incomplete[group] = setting.get("incomplete") or "available"
    pair = study.settings.get("imputation_between") or {}
    frame = study.respondents
    parts = {str(one.get(part, part)) for one in imputations for part in IMPUTED}
    return Reports(
        items=items,
        rules=rules,
        incomplete=incomplete,
        cleaned={group: study.counts[group] for group in items},
        imputed=bool(imputations),
        recoverable=all(
            (combine or {}).get(group, {}).get("items") for group in parts & set(items)
        ),
        victims=pair.get("victims"),
        perpetrators=pair.get("perpetrators"),
        adults=frame["adults"].to_numpy(float, na_value=np.nan) if "adults" in frame else None,
        place=_places(frame),
    )


def _places(frame: pd.DataFrame) -> NDArray[np.object_] | None:
    """Municipality of each respondent, or the PSU where none is told; None without either."""
    if "city" in frame and (frame["city"].fillna("") != "").any():
        return frame["city"].to_numpy(dtype=object)
    if "psu" not in frame:
        return None
    stratum = frame["stratum"] if "stratum" in frame else np.full(len(frame), "")
    return distinct_units(stratum, frame["psu"]).astype(object)


def specifications(
    choices: Mapping[str, Any], study: Study, reports: Reports
) -> list[Specification]:
    """List every combination of the configured choices, the headline's among them.

    Parameters
    ----------
    choices
        The `estimate.specifications` section: a list for each choice; for `known_groups` named
        lists of groups.
    study
        The survey.
    reports
        Says whether there is anything to combine or impute.

    Returns
    -------
    list of Specification
        Without repetition, in the order of the config.

    Raises
    ------
    PipelineError
        If a choice has a value that isn't known.
    """
    levels: dict[str, list[str]] = {}
    headline = headline_specification(study, reports)
    for name in CHOICES:
        own = getattr(headline, name)
        if name == "known_groups":
            levels[name] = [own, *(choices.get(name) or {})]
            continue
        values = list(choices.get(name) or [])
        check_known(
            map(str, values),
            ALLOWED[name],
            "A choice of the specification table is unknown.",
            place=f"estimate.specifications.{name}",
        )
        levels[name] = list(dict.fromkeys([own, *values]))
    if all(rule == AS_GIVEN for rule in reports.rules.values()):
        levels["combination"] = [AS_GIVEN]
    if reports.victims is None or not reports.recoverable:
        levels["imputation"] = [headline.imputation]
    return [Specification(*combination) for combination in product(*levels.values())]


def headline_specification(study: Study, reports: Reports) -> Specification:
    """Write the headline's choices as a specification."""
    from prevalence.scale_up import FORMS

    form = FORMS[study.headline.estimator]
    return Specification(
        estimator=form.combination,
        degree=form.degree,
        top_code=HEADLINE,
        known_groups=HEADLINE,
        weights="final" if form.weighted else "none",
        combination=reports.combination,
        imputation=reports.imputation,
    )


def specification_table(
    study: Study,
    reports: Reports,
    wanted: Sequence[Specification],
    known_sets: Mapping[str, Sequence[str]],
    weights: pd.DataFrame,
) -> pd.DataFrame:
    """Estimate every hidden group under every specification, all in one pass of the replicates.

    Parameters
    ----------
    study
        The survey.
    reports
        Items of the hidden groups.
    wanted
        The specifications.
    known_sets
        Known groups by the name of their set; the headline's set is added, which for a hidden group
        with known groups of its own is these.
    weights
        Weights by step, in the order of the respondents.

    Returns
    -------
    pandas.DataFrame
        One row a specification and hidden group, in persons: the choices, the estimate with its
        interval, the root mean square of the leave-one-out log ratios under the same choices, and
        whether it is the headline. The headline stands once more with each other interval and
        variance.
    """
    import pandas as pd

    headline = headline_specification(study, reports)
    sets = {HEADLINE: study.headline.known_groups} | dict(known_sets)
    own = {
        group: setting["known_groups"]
        for group, setting in study.settings["hidden_groups"].items()
        if setting.get("known_groups")
    }
    sets |= {f"{HEADLINE} of {group}": groups for group, groups in own.items()}
    designs = _NetworkDesigns(study, sets, weights)
    counts = {
        key: reports.of(replace(headline, combination=key[0], imputation=key[1]))
        for key in dict.fromkeys((one.combination, one.imputation) for one in wanted)
    }
    n = len(study.sampling.weights)
    batch, exactly, parts, keys, scores = RatioBatch(n), RatioBatch(n), [], [], []
    for one in wanted:
        hidden = counts[one.combination, one.imputation]
        cap = None if one.top_code == "none" else study.headline.hidden_cap
        for group, values in hidden.items():
            resting = one
            if one.known_groups == HEADLINE and group in own:
                resting = replace(one, known_groups=f"{HEADLINE} of {group}")
            degree, factor, score = designs.of(resting)
            top, bottom, exposure = ratio_columns(
                Form(one.estimator), capped(values, cap), degree, study.sampling.weights
            )
            batch.add(top * factor, bottom * factor, exposure=exposure)
            if one == headline:
                exactly.add(top * factor, bottom * factor)
            keys.append(
                {"group": group, "unit": "persons", "headline": one == headline} | vars(one)
            )
            scores.append(score)
        if batch.is_large:
            parts.append(batch.evaluate(study.sampling, linearised=False))
            batch = RatioBatch(n)
    if batch.masks or not parts:
        parts.append(batch.evaluate(study.sampling, linearised=False))
    estimates = RatioEstimates.joined(parts)
    df = study.sampling.degrees_of_freedom(np.ones(n, bool))
    estimates = replace(estimates, df=np.full(len(keys), df))
    scale = np.full(len(keys), study.populations.total)
    usual = study.headline.inference
    drawn = study.sampling.variance_name
    replicated = replace(usual, variance=drawn)
    effect = study_design_effect(study)
    table = tidy(keys, estimates, scale, replicated, effect).assign(variance=drawn, loo_rms=scores)
    mine = [place for place, key in enumerate(keys) if key["headline"]]
    exact = exactly.evaluate(study.sampling)
    others = []
    for interval, variance in product(INTERVALS, (drawn, LINEARISED)):
        if interval == "percentile" and variance != BOOTSTRAP:
            continue
        choice = replace(usual, interval=interval, variance=variance)
        rows = tidy([keys[place] for place in mine], exact, scale[mine], choice, effect)
        rows = rows.assign(variance=variance, loo_rms=[scores[place] for place in mine])
        rows["headline"] = choice == usual
        # Where nobody reports there is one upper limit, however intervals are made elsewhere.
        others.append(rows[rows["headline"] | (rows["interval"] != "zero_reports")])
    return pd.concat([table[~table["headline"]], *others], ignore_index=True)


def alternatives(
    study: Study,
    weights: pd.DataFrame,
    combine: Mapping[str, Mapping[str, Any]] | None,
    imputations: Sequence[Mapping[str, Any]] = (),
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make the specification table of a survey, with what its choices do and what was trimmed.

    Parameters
    ----------
    study
        The survey.
    weights
        Weights by step, in the order of the respondents.
    combine, imputations
        The sections `clean.combine` and `clean.imputations` of the config.

    Returns
    -------
    specifications, shares, trimming : pandas.DataFrame
        From :func:`specification_table`, :func:`choice_shares` and
        :func:`prevalence.known_groups.trimming_table`. Trimmed known groups stand as one more row a
        hidden group, all else as in the headline.
    """
    import pandas as pd

    choices = study.settings.get("specifications") or {}
    reports = reports_of(study, combine, imputations)
    wanted = specifications(choices, study, reports)
    table = specification_table(study, reports, wanted, choices.get("known_groups") or {}, weights)
    shares = choice_shares(table)
    rule = study.settings.get("trimming")
    if rule is None:
        return table, shares, pd.DataFrame()
    trimmed, record = _trimmed_rows(study, reports, rule)
    return pd.concat([table, trimmed], ignore_index=True), shares, record


def _trimmed_rows(
    study: Study, reports: Reports, rule: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the headline's estimates on trimmed known groups, and the record of the trimming."""
    headline = headline_specification(study, reports)
    form = Form(headline.estimator, headline.degree, headline.weights != "none")
    every = rule.get("start", HEADLINE) == "all"
    known = tuple(study.known["group"]) if every else study.headline.known_groups
    known = tuple(group for group in known if not np.isnan(study.counts[group]).all())
    degree_rules = study.settings["degree"]
    options = {
        "cap": study.headline.known_cap,
        "missing": degree_rules["missing"],
        "minimum_groups": degree_rules["minimum_groups"],
    }
    trimming = trim_known_groups(
        study.counts,
        study.known_sizes,
        known,
        study.populations.total,
        study.sampling,
        threshold=rule["threshold"],
        minimum_kept=rule["minimum_kept"],
        **options,
    )

    def degrees_on(kept: Sequence[str]) -> Array:
        return degrees(
            form.degree,
            capped(stacked(study.counts, kept), study.headline.known_cap),
            np.array([study.known_sizes[group] for group in kept]),
            study.populations.total,
            missing=degree_rules["missing"],
            # Fewer groups than a degree needs may be left: then all that are left are needed.
            minimum_groups=min(degree_rules["minimum_groups"], len(kept)),
        )

    hidden = reports.of(headline)
    estimates = trimmed_estimates(
        trimming,
        [capped(values, study.headline.hidden_cap) for values in hidden.values()],
        degrees_on,
        study.sampling,
        form=form,
    )
    kept = list(trimming.kept)
    left_out = leave_one_out(
        study.counts,
        study.known_sizes,
        kept,
        study.populations.total,
        study.sampling,
        linearised=False,
        **options,
    )
    size_of = study.known_sizes
    sizes = np.array([size_of[group] for group in kept])
    score = root_mean_square(study.populations.total * left_out.ratio, sizes)
    keys = [
        vars(headline) | {"group": group, "unit": "persons", "known_groups": "trimmed"}
        for group in hidden
    ]
    drawn = study.sampling.variance_name
    replicated = replace(study.headline.inference, variance=drawn)
    scale = np.full(len(keys), study.populations.total)
    rows = tidy(keys, estimates, scale, replicated, study_design_effect(study))
    rows = rows.assign(variance=drawn, loo_rms=score, headline=False)
    return rows, trimming_table(trimming, known, rule["threshold"])


class _NetworkDesigns:
    """Degrees, weight factors and leave-one-out scores, each made once."""

    def __init__(
        self, study: Study, sets: Mapping[str, Sequence[str]], weights: pd.DataFrame
    ) -> None:
        known = study.known_sizes
        for name, groups in sets.items():
            check_known(
                groups,
                known,
                "A set of known groups holds one without a size.",
                place=f"estimate.specifications.known_groups.{name}",
            )
        self.study = study
        self.sets = sets
        self.sizes = {
            name: np.array([known[group] for group in groups]) for name, groups in sets.items()
        }
        self.weights = weights
        self.caps: dict[tuple[str, str], Array] = {}
        self.latest: tuple[tuple[str, str], Array] | None = None
        self.left_out: tuple[tuple[str, str, str], Array] | None = None
        self.degrees: dict[tuple[str, str, str], Array] = {}
        self.scores: dict[tuple[str, ...], float] = {}

    def of(self, one: Specification) -> tuple[Array, Array, float]:
        """Give degrees (n,), weight factor (n,) and leave-one-out score of a specification."""
        counts = self._counts(one)
        sizes = self.sizes[one.known_groups]
        rules = self.study.settings["degree"]
        options: dict[str, Any] = {
            "missing": rules["missing"],
            "minimum_groups": min(rules["minimum_groups"], len(sizes)),
        }
        n_u = self.study.populations.total
        key = (one.degree, one.top_code, one.known_groups)
        if key not in self.degrees:
            self.degrees[key] = degrees(one.degree, counts, sizes, n_u, **options)
        factor = self._factor(one.weights)
        scored = (one.estimator, one.weights, *key)
        if scored not in self.scores:
            if self.left_out is None or self.left_out[0] != key:
                found = leave_one_out_degrees(one.degree, counts, sizes, n_u, **options)
                self.left_out = (key, found)
            left_out = self.left_out[1]
            mass = (self.study.sampling.weights * factor)[:, None]
            shares = weighted_ratios(one.estimator, counts, left_out, mass)
            self.scores[scored] = root_mean_square(n_u * shares, sizes)
        return self.degrees[key], factor, self.scores[scored]

    def _counts(self, one: Specification) -> Array:
        key = (one.top_code, one.known_groups)
        if self.latest is None or self.latest[0] != key:  # large tables: one is kept at a time
            table = stacked(self.study.counts, self.sets[one.known_groups])
            if one.top_code == HEADLINE:
                table = capped(table, self.study.headline.known_cap)
            elif one.top_code in QUANTILES:
                if key not in self.caps:
                    share = QUANTILES[one.top_code]
                    self.caps[key] = np.array([quantile_cap(column, share) for column in table.T])
                table = np.minimum(table, self.caps[key])
            self.latest = (key, table)
        return self.latest[1]

    def _factor(self, step: str) -> Array:
        final = self.study.sampling.weights
        if step == "none":
            return 1.0 / final
        if step == "final":
            return np.ones(len(final))
        values: Array = self.weights[step].to_numpy(float)
        return values / final


def weighted_ratios(estimator: str, counts: Array, degree: Array, weights: Array) -> Array:
    """Scale-up shares of several groups without replicates.

    Parameters
    ----------
    estimator
        ``ratio_of_sums`` or ``mean_of_ratios``.
    counts, degree
        Shape (n, K); NaN where missing.
    weights
        Shape (n, 1).

    Returns
    -------
    numpy.ndarray
        Shares of the population, shape (K,).
    """
    inside = ~(np.isnan(counts) | np.isnan(degree))
    if estimator == "mean_of_ratios":
        inside &= degree > 0
        ratios = np.where(inside, counts, 0.0) / np.where(inside, degree, 1.0)
        return divided((weights * ratios).sum(axis=0), (weights * inside).sum(axis=0))
    top = (weights * np.where(inside, counts, 0.0)).sum(axis=0)
    return divided(top, (weights * np.where(inside, degree, 0.0)).sum(axis=0))


def choice_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Say which choice moves the answer most: shares of the variance of the log estimates.

    Parameters
    ----------
    table
        The specification table.

    Returns
    -------
    pandas.DataFrame
        For each hidden group and choice the main effect's share of the variance over all
        specifications (which are a full factorial), what the choices do only together under
        ``interactions``, the range of the level means (ratio of the largest to the smallest), and
        the number of levels.
    """
    import pandas as pd

    first = table.drop_duplicates(["group", *CHOICES])
    rows = []
    for group, part in first.groupby("group", sort=False):
        mine = part[part["estimate"] > 0]
        logs = np.log(mine["estimate"])
        total = float(((logs - logs.mean()) ** 2).sum())
        found = 0.0
        for choice in CHOICES:
            means = logs.groupby(mine[choice]).transform("mean")
            share = float(((means - logs.mean()) ** 2).sum()) / total if total > 0 else 0.0
            found += share
            spread = float(np.exp(means.max() - means.min())) if len(means) else np.nan
            levels = int(mine[choice].drop_duplicates().size)
            rows.append((group, choice, share, spread, levels))
        rest = max(1.0 - found, 0.0) if total > 0 else 0.0
        rows.append((group, "interactions", rest, np.nan, len(mine)))
    return pd.DataFrame(rows, columns=["group", "choice", "share", "largest_ratio", "levels"])
