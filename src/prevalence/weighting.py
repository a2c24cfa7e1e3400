"""The weighting chain: base weights, nonresponse, trimming, calibration, and their diagnostics.

Each step returns the weight after that step. The order is that of the config's `weight:` section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.calibration import Auxiliary, calibrate
from prevalence.design import SampleDesign, encoded, joined_strata, sums
from prevalence.errors import PipelineError, listed, suggestion
from prevalence.nonresponse import (
    JOINED,
    Merge,
    eligibility_share,
    nearest_classes,
    nonresponse_classes,
    outcomes,
    propensity_classes,
    response_rate_table,
)
from prevalence.replication import (
    CalibrationPlan,
    Households,
    Replicates,
    draw_rescaled_bootstrap,
    factors_table,
    replicate,
    replicate_names,
    rescaled,
)

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

STEPS = ("base", "nonresponse", "trimmed", "calibrated", "final")
PROBABILITIES = ("p_psu", "p_ssu", "p_household")
DISTRIBUTION_BOUNDS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
MARGIN_PREFIX = "margin_"


def selection_weights(probabilities: Sequence[ArrayLike]) -> Array:
    """Inverse of the product of the selection probabilities of each stage.

    Parameters
    ----------
    probabilities
        One column a stage, shape (N,); a missing probability is a stage that the unit didn't pass.

    Returns
    -------
    numpy.ndarray
        Design weights, shape (N,).

    Raises
    ------
    PipelineError
        If a probability isn't in (0, 1], by stage and count.
    """
    product = np.ones(len(np.asarray(probabilities[0])))
    for stage, column in enumerate(probabilities, start=1):
        p = np.asarray(column, dtype=float)
        p = np.where(np.isnan(p), 1.0, p)
        bad = (p <= 0) | (p > 1)
        if bad.any():
            raise PipelineError(
                "Selection probabilities are not probabilities.",
                place=f"sampling frame, stage {stage}",
                found=f"{int(bad.sum())} values outside (0, 1]",
                allowed="numbers above 0 and up to 1",
                remedy="Correct the sampling frame.",
            )
        product = product * p
    return np.asarray(1 / product, dtype=float)


def trim_weights(
    weights: ArrayLike,
    upper: float = np.inf,
    lower: float = -np.inf,
    *,
    redistribution: str = "proportional",
    passes: int = 1000,
) -> Array:
    """Cut weights at bounds and spread what was cut off over the others.

    Parameters
    ----------
    weights
        Shape (n,).
    upper, lower
        Bounds.
    redistribution
        ``proportional``: the others are multiplied by one factor; ``equal``: each gets the same
        amount, as R survey's ``trimWeights`` does it.
    passes
        Redistribution may push others over the bound, hence it is repeated; 1 does it once.

    Returns
    -------
    numpy.ndarray
        Weights with the same sum, shape (n,).

    Raises
    ------
    PipelineError
        If the bounds cannot hold the sum of the weights.
    """
    before = np.asarray(weights, dtype=float)
    n, total = len(before), before.sum()
    if not n * lower <= total * (1 + 1e-12) or not total <= n * upper * (1 + 1e-12):
        raise PipelineError(
            "Trimming bounds cannot hold the sum of the weights.",
            place="weight.trimming",
            found=f"bounds {lower:.6g} to {upper:.6g}, mean weight {total / n:.6g}",
            allowed="bounds on both sides of the mean weight",
            remedy="Raise the upper bound.",
        )
    current = before
    for _ in range(passes):
        outside = (current < lower) | (current > upper)
        if not outside.any():
            break
        cut = np.clip(current, lower, upper)
        # Later passes spread only over those strictly within the bounds.
        inside = ~outside if redistribution == "equal" else (current > lower) & (current < upper)
        excess = (current - cut).sum()
        if not inside.any():
            current = cut
            break
        if redistribution == "equal":
            cut[inside] += excess / inside.sum()
        else:
            cut[inside] *= 1 + excess / cut[inside].sum()
        current = cut
    return current


@dataclass(frozen=True, eq=False)
class MergedMargin:
    """A calibration margin after its thin categories were merged.

    Parameters
    ----------
    labels
        Category of each respondent, shape (n,).
    population
        Population of each category.
    merges
        What was merged, and why.
    """

    labels: NDArray[np.str_]
    population: dict[str, float]
    merges: tuple[Merge, ...]


def merge_thin_categories(
    margin: str,
    labels: ArrayLike,
    psu: ArrayLike,
    population: Mapping[str, float],
    *,
    minimum_psus: int,
    partners: Mapping[str, str],
    structural_zeros: Sequence[str] = (),
) -> MergedMargin:
    """Merge categories that rest on too few PSUs with their named partner.

    Parameters
    ----------
    margin
        The margin's name.
    labels
        Category of each respondent, shape (n,).
    psu
        PSU of each respondent, shape (n,).
    population
        Population of each category.
    minimum_psus
        Fewest PSUs in which a category has respondents.
    partners
        Category -> category it is merged with.
    structural_zeros
        Categories that cannot occur; their population must be 0.

    Returns
    -------
    MergedMargin

    Raises
    ------
    PipelineError
        If respondents have a category without a population, a thin category has no partner, or a
        structural zero has a population.
    """
    place = f"weight.calibration, margin {margin}"
    own = np.asarray(labels).astype(str)
    absent = sorted(set(own.tolist()) - set(population))
    if absent:
        counts = [
            f"{name or 'nothing'} ({int((own == name).sum())} respondents)" for name in absent
        ]
        raise PipelineError(
            "Respondents have a category for which there is no population.",
            place=place,
            found=listed(counts),
            allowed=listed(population, 40),
            remedy=suggestion(absent[0], population),
        )
    wrong = [name for name in structural_zeros if population.get(name, 0) > 0 or name in own]
    if wrong:
        raise PipelineError(
            "A structural zero has a population or respondents.",
            place=f"{place}, structural_zeros",
            found=listed(wrong),
            remedy="Take it out of structural_zeros, or correct the census table.",
        )
    groups = {name: [name] for name in population if name not in structural_zeros}
    at = {name: name for name in groups}
    psus: dict[str, set[str]] = {name: set() for name in groups}
    for name, unit in set(zip(own.tolist(), np.asarray(psu).astype(str).tolist(), strict=True)):
        psus[name].add(unit)
    merges: list[Merge] = []
    while len(groups) > 1:
        thin = [name for name in groups if len(psus[name]) < minimum_psus]
        if not thin:
            break
        worst = min(thin, key=lambda name: (len(psus[name]), name))
        into = _partner_group(groups[worst], at, partners)
        if into is None:
            raise PipelineError(
                "A category rests on too few PSUs and has no partner to be merged with.",
                place=f"{place}, category {JOINED.join(groups[worst])}",
                found=f"{len(psus[worst])} PSUs",
                allowed=f"at least {minimum_psus}",
                remedy="Name a similar category, for instance: weight.calibration.partners: "
                f"{{{margin}: {{{groups[worst][0]!r}: …}}}}",
            )
        merges.append(
            Merge(
                margin,
                JOINED.join(groups[worst]),
                JOINED.join(groups[into]),
                f"{len(psus[worst])} PSUs, at least {minimum_psus} wanted",
            )
        )
        groups[into] += groups.pop(worst)
        psus[into] |= psus.pop(worst)
        at.update(dict.fromkeys(groups[into], into))
    order = list(population)
    name_of = {
        category: JOINED.join(sorted(group, key=order.index))
        for group in groups.values()
        for category in group
    }
    merged: dict[str, float] = {}
    for category in order:
        if category in name_of:
            name = name_of[category]
            merged[name] = merged.get(name, 0.0) + float(population[category])
    return MergedMargin(np.array([name_of[c] for c in own.tolist()]), merged, tuple(merges))


def _partner_group(
    members: Sequence[str], at: Mapping[str, str], partners: Mapping[str, str]
) -> str | None:
    """Group of the first partner that lies outside the group itself."""
    for member in members:
        following, passed = partners.get(member), {member}
        while following is not None and following not in passed:
            if following in at and following not in members:
                return at[following]
            passed.add(following)
            following = partners.get(following)
    return None


def partners_after_merging(
    margin: str, categories: Sequence[str], partners: Mapping[str, str]
) -> dict[str, str]:
    """Carry partners over to merged categories, as ``"margin: category"`` names.

    Parameters
    ----------
    margin
        The margin's name.
    categories
        Categories after merging.
    partners
        Original category -> partner.
    """
    at = {part: name for name in categories for part in name.split(JOINED)}
    found = {}
    for name in categories:
        into = _partner_group(name.split(JOINED), at, partners)
        if into is not None:
            found[f"{margin}: {name}"] = f"{margin}: {into}"
    return found


@dataclass(frozen=True, eq=False)
class WeightTables:
    """What the rule `compute_weights` writes, by file."""

    weights: pd.DataFrame
    households: pd.DataFrame
    weighting: pd.DataFrame
    weight_distribution: pd.DataFrame
    response_rates: pd.DataFrame
    margins: pd.DataFrame
    collapsed: pd.DataFrame


def weigh(
    respondents: pd.DataFrame,
    settings: Mapping[str, Any],
    frame: pd.DataFrame | None = None,
    census: pd.DataFrame | None = None,
) -> WeightTables:
    """Carry out the weighting chain of a survey; steps without data or settings are passed over.

    Parameters
    ----------
    respondents
        ``respondents.parquet`` of the clean stage.
    settings
        The `weight:` section of the config.
    frame
        The sampling frame with dispositions, a row a sampled household; None if there is none.
    census
        Population margins: margin, category, population; None if there are none.

    Returns
    -------
    WeightTables

    Raises
    ------
    PipelineError
        If the tables don't fit one another, weights aren't positive, a margin cannot be met, or a
        stratum has a lone PSU against the rule.
    """
    import pandas as pd

    households = _households(respondents, frame) if frame is not None else None
    base = _base_weights(respondents, settings, households)
    weights = pd.DataFrame(
        {
            "respondent": respondents["respondent"].to_numpy(),
            "stratum": respondents["stratum"].astype(str).to_numpy(),
            "psu": respondents["psu"].astype(str).to_numpy(),
            "base": base,
        }
    )
    collapsed: list[Merge] = []
    sampled = _settle_lone_psus(weights, households, settings)
    _adjust_nonresponse(weights, respondents, households, settings, collapsed)
    weights["trimmed"] = _trimmed(weights["nonresponse"].to_numpy(), settings)
    margins = _calibrate(weights, respondents, census, settings, collapsed)
    weights["final"] = weights["calibrated"]
    order = ["respondent", "stratum", "psu", *STEPS, "nonresponse_class"]
    weights = weights[order + [c for c in weights.columns if c.startswith(MARGIN_PREFIX)]]
    SampleDesign.from_columns(
        weights["final"],
        strata=weights["stratum"].to_numpy(str),
        units=weights["psu"].to_numpy(str),
        empty_psus=sampled,
        lone_psu=_lone_rule(settings),
    )
    return WeightTables(
        weights,
        _household_table(households),
        weighting_steps(weights),
        weight_distribution(weights),
        _response_rate_rows(frame, households),
        margins,
        pd.DataFrame(
            [vars(merge) for merge in collapsed],
            columns=["margin", "category", "into", "reason"],
        ),
    )


def _lone_rule(settings: Mapping[str, Any]) -> str:
    return str(settings.get("lone_psu") or "error")


def _households(respondents: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Give the sampled households with design weight, eligibility and whether they responded."""
    import pandas as pd

    weight = selection_weights([frame[name] for name in PROBABILITIES if name in frame])
    outcome = outcomes(frame["disposition"])
    ids = frame["household"].astype(str)
    if ids.duplicated().any():
        raise PipelineError(
            "The sampling frame lists households more than once.",
            place="sampling frame, column household",
            found=f"{int(ids.duplicated().sum())} repeated ids",
            allowed="one row a sampled household",
            remedy="Remove the repeated rows.",
        )
    interviewed = set(respondents["household"].astype(str))
    unknown = len(interviewed - set(ids))
    responded = ids.isin(interviewed).to_numpy()
    contradictory = int((responded & ~np.isin(outcome, ("complete", "partial"))).sum())
    if unknown or contradictory:
        raise PipelineError(
            "Respondents and sampling frame don't agree.",
            place="sampling frame, columns household and disposition",
            found=f"{unknown} households of respondents aren't in the frame; "
            f"{contradictory} have a disposition other than an interview",
            allowed="each respondent's household in the frame, with disposition 1.1 or 1.2",
            remedy="Correct the household ids or the dispositions.",
        )
    share = eligibility_share(outcome, weight)
    eligible = np.select(
        [outcome == "not_eligible", outcome == "unknown"], [0.0, share * weight], weight
    )
    kept = [c for c in frame.columns if c not in ("household", "stratum", "psu", *PROBABILITIES)]
    return pd.DataFrame(
        {
            "household": ids.to_numpy(),
            "stratum": frame["stratum"].astype(str).to_numpy(),
            "psu": frame["psu"].astype(str).to_numpy(),
            "design_weight": weight,
            "outcome": outcome,
            "eligible": eligible,
            "responding": np.where(responded, weight, 0.0),
            **{name: frame[name].to_numpy() for name in kept if name != "outcome"},
        }
    )


def _base_weights(
    respondents: pd.DataFrame, settings: Mapping[str, Any], households: pd.DataFrame | None
) -> Array:
    base = settings["base"]
    if "variable" in base:
        if base["variable"] not in respondents:
            raise PipelineError(
                "The supplied base weight isn't a variable of the respondents.",
                place="weight.base.variable",
                found=base["variable"],
                allowed=listed(respondents.columns, 60),
                remedy="Give the weight's column the role base_weight in the codebook.",
            )
        weight = respondents[base["variable"]].to_numpy(float)
    else:
        if households is None:
            raise PipelineError(
                "Base weights come from the sampling frame, and there is none.",
                place="weight.base.from",
                found="frame",
                remedy="List the frame under ingest.tables, or use base: {variable: …}.",
            )
        by_id = households.set_index("household")["design_weight"]
        weight = respondents["household"].astype(str).map(by_id).to_numpy(float)
    within = settings.get("within_household")
    if within:
        adults = respondents[within].to_numpy(float)
        bad = int((~(adults >= 1)).sum())
        if bad:
            raise PipelineError(
                "The number of persons among whom the respondent was drawn is unknown.",
                place=f"weight.within_household: {within}",
                found=f"{bad} of {len(adults)} respondents without a number of at least 1",
                allowed="whole numbers from 1",
                remedy="Impute it in the clean stage, or leave within_household out.",
            )
        weight = weight * adults
    return np.asarray(weight, dtype=float)


def _settle_lone_psus(
    weights: pd.DataFrame, households: pd.DataFrame | None, settings: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Join lone strata under the rule `collapse`; give the sampled PSUs without respondents."""
    respondents_psus = set(zip(weights["stratum"], weights["psu"], strict=True))
    sampled = list(respondents_psus)
    if households is not None:
        sampled = list(zip(households["stratum"], households["psu"], strict=True))
        foreign = len(respondents_psus - set(sampled))
        if foreign:
            raise PipelineError(
                "Respondents lie in PSUs that aren't in the sampling frame.",
                place="columns stratum and psu",
                found=f"{foreign} PSUs",
                allowed="the strata and PSUs of the frame",
                remedy="Correct the respondents' stratum and psu, or the frame.",
            )
    empty = sorted(set(sampled) - respondents_psus)
    if _lone_rule(settings) != "collapse":
        return empty
    partners = settings.get("lone_psu_partners") or {}
    for table in (weights, households):
        if table is None:
            continue
        own = set(zip(table["stratum"], table["psu"], strict=True))
        others = sorted(set(sampled) - own)
        table["stratum"], table["psu"], _ = joined_strata(
            table["stratum"], table["psu"], others, partners
        )
    if households is None:
        return []
    settled = set(zip(households["stratum"], households["psu"], strict=True))
    return sorted(settled - set(zip(weights["stratum"], weights["psu"], strict=True)))


def _adjust_nonresponse(
    weights: pd.DataFrame,
    respondents: pd.DataFrame,
    households: pd.DataFrame | None,
    settings: Mapping[str, Any],
    collapsed: list[Merge],
) -> None:
    """Add nonresponse and nonresponse_class to the weights, and the class to the households."""
    rule = settings.get("nonresponse")
    weights["nonresponse"], weights["nonresponse_class"] = weights["base"], ""
    if not rule or households is None:
        return
    classes = nonresponse_classes(
        _class_variables(households, rule),
        households["eligible"].to_numpy(),
        households["responding"].to_numpy(),
        minimum_respondents=rule["minimum_respondents"],
        maximum_factor=rule["maximum_factor"],
    )
    collapsed += classes.merges
    households["nonresponse_class"] = np.array(classes.names)[classes.codes]
    by_id = dict(zip(households["household"], classes.codes, strict=True))
    mine = np.array([by_id[name] for name in respondents["household"].astype(str)])
    weights["nonresponse"] = weights["base"] * classes.factors[mine]
    weights["nonresponse_class"] = np.array(classes.names)[mine]


def _class_variables(households: pd.DataFrame, rule: Mapping[str, Any]) -> list[ArrayLike]:
    """Columns that form the classes, classes of propensity among them where they are asked for."""
    import pandas as pd

    wanted = [*rule["classes"], *(rule.get("propensity") or {}).get("covariates", [])]
    absent = [name for name in wanted if name not in households]
    if absent:
        raise PipelineError(
            "Nonresponse classes use variables that the sampling frame doesn't have.",
            place="weight.nonresponse",
            found=listed(absent),
            allowed=listed(households.columns, 40),
            remedy=suggestion(absent[0], households.columns),
        )
    columns: list[ArrayLike] = [
        households[name].astype(str).to_numpy(str) for name in rule["classes"]
    ]
    propensity = rule.get("propensity")
    if propensity:
        covariates = pd.get_dummies(
            households[propensity["covariates"]].astype(str), drop_first=True
        ).to_numpy(float)
        eligible = households["eligible"].to_numpy() > 0
        group = np.zeros(len(households), dtype=int)
        group[eligible] = propensity_classes(
            covariates[eligible],
            households["responding"].to_numpy()[eligible] > 0,
            households["eligible"].to_numpy()[eligible],
            propensity.get("count", 5),
        )[0]
        columns.append([f"propensity {k + 1}" for k in group])
    return columns


def trimming_bound(weights: Array, rule: Mapping[str, Any] | None) -> float:
    """Upper bound of the weights; infinite without a rule.

    Parameters
    ----------
    weights
        Weights before trimming, shape (n,).
    rule
        ``{upper_share_of_median: 6.0}`` or ``{upper: 5000.0}``.
    """
    if not rule:
        return np.inf
    if "upper" in rule:
        return float(rule["upper"])
    return float(rule["upper_share_of_median"] * np.median(weights))


def _trimmed(weights: Array, settings: Mapping[str, Any]) -> Array:
    return trim_weights(weights, trimming_bound(weights, settings.get("trimming")))


def _calibrate(
    weights: pd.DataFrame,
    respondents: pd.DataFrame,
    census: pd.DataFrame | None,
    settings: Mapping[str, Any],
    collapsed: list[Merge],
) -> pd.DataFrame:
    """Add calibrated and the margins to the weights; give the margins before and after."""
    import pandas as pd

    rule = settings.get("calibration")
    weights["calibrated"] = weights["trimmed"]
    columns = ["margin", "category", "population", "before", "after"]
    if not rule:
        return pd.DataFrame(columns=columns)
    if census is None:
        raise PipelineError(
            "Weights are to be calibrated, and there are no population margins.",
            place="weight.calibration",
            found="no table census under ingest.tables",
            remedy="Supply census margins, or set calibration: null.",
        )
    psu = (weights["stratum"] + "/" + weights["psu"]).to_numpy(str)
    margins = {}
    for name in rule["margins"]:
        margins[name] = merge_thin_categories(
            name,
            _margin_labels(respondents, name),
            psu,
            _populations(census, name),
            minimum_psus=rule.get("minimum_psus", 5),
            partners=(rule.get("partners") or {}).get(name) or {},
            structural_zeros=(rule.get("structural_zeros") or {}).get(name) or (),
        )
        collapsed += margins[name].merges
        weights[f"{MARGIN_PREFIX}{name}"] = margins[name].labels
    populations = _reconciled(
        {name: margin.population for name, margin in margins.items()},
        float(rule.get("reconcile") or 0.0),
    )
    auxiliary = Auxiliary.from_margins({name: m.labels for name, m in margins.items()})
    totals = {f"{name}: {c}": n for name, part in populations.items() for c, n in part.items()}
    calibration = calibrate(
        weights["trimmed"].to_numpy(),
        auxiliary,
        totals,
        method=rule["method"],
        bounds=_bounds(rule),
        tolerance=rule.get("tolerance", 1e-10),
        maximum_iterations=rule.get("maximum_iterations", 200),
    )
    weights["calibrated"] = calibration.calibrated
    before = auxiliary.by_cell(calibration.initial) @ auxiliary.x
    after = auxiliary.by_cell(calibration.calibrated) @ auxiliary.x
    place = {name: k for k, name in enumerate(auxiliary.names)}
    rows = [
        (*name.split(": ", 1), population, before[place[name]], after[place[name]])
        for name, population in totals.items()
    ]
    return pd.DataFrame(rows, columns=columns)


def _bounds(rule: Mapping[str, Any]) -> tuple[float, float] | None:
    bounds = rule.get("bounds")
    return None if bounds is None else (float(bounds[0]), float(bounds[1]))


def _margin_labels(respondents: pd.DataFrame, name: str) -> NDArray[np.str_]:
    if name not in respondents:
        raise PipelineError(
            "A calibration margin isn't a variable of the respondents.",
            place="weight.calibration.margins",
            found=name,
            allowed=listed(respondents.columns, 60),
            remedy=suggestion(name, respondents.columns),
        )
    labels = respondents[name]
    return np.where(labels.isna(), "", labels.astype(str)).astype(str)


def _populations(census: pd.DataFrame, name: str) -> dict[str, float]:
    rows = census[census["margin"] == name]
    if not len(rows) or rows["category"].duplicated().any():
        raise PipelineError(
            "The census table lacks a margin, or lists a category twice.",
            place=f"weight.calibration.margins: {name}",
            found=f"{len(rows)} rows, {int(rows['category'].duplicated().sum())} repeated",
            allowed=f"one row a category; margins {listed(census['margin'].unique())}",
            remedy="Correct the census table.",
        )
    return dict(zip(rows["category"].astype(str), rows["population"].astype(float), strict=True))


def _reconciled(
    populations: dict[str, dict[str, float]], tolerance: float
) -> dict[str, dict[str, float]]:
    """Scale margins to the first one's sum where they differ by no more than rounding."""
    total = sum(next(iter(populations.values())).values())
    scaled = {}
    for name, part in populations.items():
        ratio = total / sum(part.values())
        close = abs(ratio - 1) <= tolerance
        scaled[name] = {c: n * ratio for c, n in part.items()} if close else part
    return scaled


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


def _household_table(households: pd.DataFrame | None) -> pd.DataFrame:
    import pandas as pd

    names = ["household", "stratum", "psu", "nonresponse_class", "eligible", "responding"]
    if households is None:
        return pd.DataFrame(columns=names).astype(
            {"eligible": float, "responding": float} | dict.fromkeys(names[:4], str)
        )
    if "nonresponse_class" not in households:
        households = households.assign(nonresponse_class="")
    return households[names]


def _response_rate_rows(
    frame: pd.DataFrame | None, households: pd.DataFrame | None
) -> pd.DataFrame:
    import pandas as pd

    if frame is None or households is None:
        return pd.DataFrame(
            columns=["domain_type", "domain", "rate", "unweighted", "weighted", "n"]
        )
    domains = {"stratum": frame["stratum"].astype(str).to_numpy(str)}
    if "region" in frame:
        domains["region"] = frame["region"].astype(str).to_numpy(str)
    return response_rate_table(
        households["outcome"].to_numpy(str), households["design_weight"].to_numpy(), domains
    )


def replicate_weights(
    weights: pd.DataFrame,
    households: pd.DataFrame,
    margins: pd.DataFrame,
    settings: Mapping[str, Any],
    entropy: Sequence[int],
) -> tuple[pd.DataFrame, pd.DataFrame, Replicates]:
    """Draw the replicates of a survey and repeat its weighting chain in each.

    Parameters
    ----------
    weights, households, margins
        Tables of the rule `compute_weights`.
    settings
        The `weight:` section of the config.
    entropy
        Seeds of the random numbers.

    Returns
    -------
    replicates, factors : pandas.DataFrame
        ``replicates.parquet`` and ``replicate_factors.parquet``.
    made : Replicates
        The replicates themselves.
    """
    import pandas as pd

    sampled = {*zip(weights["stratum"], weights["psu"], strict=True)}
    inhabited = set(sampled)
    sampled |= {*zip(households["stratum"], households["psu"], strict=True)}
    rule = _lone_rule(settings)
    design = SampleDesign.from_columns(
        weights["final"],
        strata=weights["stratum"].to_numpy(str),
        units=weights["psu"].to_numpy(str),
        empty_psus=sorted(sampled - inhabited),
        lone_psu=rule,
    )
    count = int(settings["replication"]["replicates"])
    generator = np.random.default_rng(np.random.SeedSequence(list(entropy)))
    drawn = draw_rescaled_bootstrap(design, count, generator)
    adjusting = bool(settings.get("nonresponse")) and len(households) > 0
    cases = _household_cases(design, households) if adjusting else None
    mine = None
    if cases is not None:
        place = {name: k for k, name in enumerate(cases.names)}
        mine = np.array([place[name] for name in weights["nonresponse_class"]], dtype=np.intp)
    calibration = settings.get("calibration")
    auxiliary = plan = None
    if calibration:
        auxiliary, plan = _calibration_plan(weights, margins, calibration)
    made = replicate(
        design,
        rescaled(design, drawn),
        base=weights["base"].to_numpy(float),
        nonresponse_class=mine,
        households=cases,
        class_partners=None
        if cases is None
        else nearest_classes(
            cases.nonresponse_class, cases.names, cases.eligible, cases.responding
        ),
        bound=trimming_bound(weights["nonresponse"].to_numpy(float), settings.get("trimming")),
        auxiliary=auxiliary,
        plan=plan,
    )
    psus = pd.DataFrame(list(design.psus), columns=["stratum", "psu"])
    replicates = pd.concat([psus, pd.DataFrame(drawn, columns=replicate_names(count))], axis=1)
    factors = factors_table(
        made,
        () if cases is None else cases.names,
        calibrated=plan is not None,
        nonresponse=cases is not None,
        method="" if plan is None else plan.method,
    )
    return replicates, factors, made


def _household_cases(design: SampleDesign, households: pd.DataFrame) -> Households:
    place = {pair: k for k, pair in enumerate(design.psus)}
    codes, names = encoded(households["nonresponse_class"].to_numpy(str))
    pairs = zip(households["stratum"], households["psu"], strict=True)
    return Households(
        np.array([place[pair] for pair in pairs], dtype=np.intp),
        codes,
        households["eligible"].to_numpy(float),
        households["responding"].to_numpy(float),
        tuple(names),
    )


def _calibration_plan(
    weights: pd.DataFrame, margins: pd.DataFrame, rule: Mapping[str, Any]
) -> tuple[Auxiliary, CalibrationPlan]:
    auxiliary = Auxiliary.from_margins(
        {m: weights[f"{MARGIN_PREFIX}{m}"].to_numpy(str) for m in rule["margins"]}
    )
    names = margins["margin"] + ": " + margins["category"]
    partners: dict[str, str] = {}
    for margin, rows in margins.groupby("margin"):
        given = (rule.get("partners") or {}).get(margin) or {}
        partners |= partners_after_merging(str(margin), list(rows["category"]), given)
    return auxiliary, CalibrationPlan(
        dict(zip(names, margins["population"].astype(float), strict=True)),
        method=rule["method"],
        bounds=_bounds(rule),
        tolerance=rule.get("tolerance", 1e-10),
        maximum_iterations=rule.get("maximum_iterations", 200),
        partners=partners,
    )


def influential_respondents(weights: Array, values: Array, most: int = 10) -> pd.DataFrame:
    """Rank the respondents with the largest share of a weighted total, without their ids.

    Parameters
    ----------
    weights, values
        Shape (n,); values are not negative.
    most
        How many ranks.

    Returns
    -------
    pandas.DataFrame
        rank, share of the total, cumulated share.
    """
    import pandas as pd

    part = weights * values
    share = np.sort(part)[::-1][:most] / part.sum()
    return pd.DataFrame(
        {"rank": np.arange(1, len(share) + 1), "share": share, "cumulated": share.cumsum()}
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
