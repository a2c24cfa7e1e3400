"""The weighting chain of a survey, step by step in the order of the config's section `weight:`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.calibration import Auxiliary, calibrate, check_margins
from prevalence.coding import texts
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError, check_known, listed
from prevalence.nonresponse import (
    Merge,
    eligibility_share,
    nonresponse_classes,
    outcomes,
    persons_selected,
    propensity_classes,
    response_rate_table,
)
from prevalence.strata import joined_strata
from prevalence.weighting.diagnostics import STEPS, weight_distribution, weighting_steps
from prevalence.weighting.margins import (
    MARGIN_PREFIX,
    margin_labels,
    margin_populations,
    merge_thin_categories,
    reconciled,
)
from prevalence.weighting.steps import selection_weights, trim_weights, trimming_bound

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

SELECTED = "person_selected"
SUPPLIED = "base_weight_supplied"  # whatever the export and the codebook call it
UNIT = "calibration_unit"
PROBABILITIES = ("p_psu", "p_ssu", "p_household")
# Columns of the households that are computed: the frame's own columns of these names are left out.
COMPUTED = ("design_weight", "outcome", "eligible", "responding", "nonresponse_class")


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
        If the tables don't fit one another, weights aren't positive, a margin cannot be met, a step
        lacks its table, nobody has a PSU, or a stratum has a lone PSU against the rule.
    """
    import pandas as pd

    _check_units(respondents)
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
    order += [UNIT] if UNIT in weights else []
    weights = weights[order + [c for c in weights.columns if c.startswith(MARGIN_PREFIX)]]
    SampleDesign.from_columns(
        weights["final"],
        strata=texts(weights["stratum"]),
        units=texts(weights["psu"]),
        empty_psus=sampled,
        lone_psu=lone_rule(settings),
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


def lone_rule(settings: Mapping[str, Any]) -> str:
    """Rule for lone PSUs in the section `weight:`."""
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
    _check_certainty(frame)
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
    taken = ("household", "stratum", "psu", *PROBABILITIES, *COMPUTED)
    kept = [name for name in frame.columns if name not in taken]
    return pd.DataFrame(
        {
            "household": ids.to_numpy(),
            "stratum": frame["stratum"].astype(str).to_numpy(),
            "psu": frame["psu"].astype(str).to_numpy(),
            "design_weight": weight,
            "outcome": outcome,
            "eligible": eligible,
            "responding": np.where(responded, weight, 0.0),
            **{name: frame[name].to_numpy() for name in kept},
        }
    )


def _check_certainty(frame: pd.DataFrame) -> None:
    """Refuse a city taken with certainty that is no stratum of its own: it isn't a random PSU."""
    if "certainty" not in frame:
        return
    certain = frame["certainty"].to_numpy(float) == 1
    strata = texts(frame["stratum"])
    mixed = set(strata[certain]) & set(strata[~certain])
    cities = texts(frame["city"]) if "city" in frame else strata
    places = {*zip(strata[certain].tolist(), cities[certain].tolist(), strict=True)}
    first = [stratum for stratum, _ in places]
    shared = {stratum for stratum in first if first.count(stratum) > 1}
    if mixed or shared:
        raise PipelineError(
            "Cities taken with certainty are no strata of their own.",
            place="sampling frame, columns certainty and stratum",
            found=f"{len(mixed)} strata with such a city and other places, {len(shared)} with "
            "several such cities",
            allowed="a stratum for each city taken with certainty; its PSUs are what was selected "
            "in it, such as barangays",
            remedy="Correct stratum, psu and the probabilities of these households in the frame: "
            "as PSUs drawn at random they would have a variance that they don't have.",
        )


def _base_weights(
    respondents: pd.DataFrame, settings: Mapping[str, Any], households: pd.DataFrame | None
) -> Array:
    base = settings["base"]
    if "variable" in base:
        if base["variable"] not in respondents:
            there = SUPPLIED in respondents
            numbers = [name for name in respondents if respondents[name].dtype.kind in "fi"]
            raise PipelineError(
                "The supplied base weight isn't a variable of the respondents.",
                place="weight.base.variable",
                found=base["variable"],
                allowed=f"{SUPPLIED}, the name of the variable that has the role base_weight in "
                f"the codebook; or another number: {listed(numbers, 60)}",
                remedy=f"Write base: {{variable: {SUPPLIED}}}"
                + ("." if there else ", and give the weight the role base_weight in the codebook."),
            )
        weight = _supplied_weights(respondents, str(base["variable"]))
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
        numeric = [str(name) for name in respondents if respondents[name].dtype.kind in "fi"]
        check_known(
            within,
            numeric,
            "The number of persons in the household isn't a numeric variable.",
            place="weight.within_household",
        )
        adults = respondents[within].to_numpy(float)
        bad = int((~((adults >= 1) & (adults == np.floor(adults)))).sum())
        if bad:
            raise PipelineError(
                "The number of persons among whom the respondent was drawn is unknown.",
                place=f"weight.within_household: {within}",
                found=f"{bad} of {len(adults)} respondents without a whole number of at least 1",
                allowed="whole numbers from 1",
                remedy="Complete the export, exclude these interviews with clean.screening: "
                f"{{rule: eligible_age, variable: {within}, minimum: 1, missing: exclude}}, or "
                "leave within_household out.",
            )
        weight = weight * adults
    return np.asarray(weight, dtype=float)


def _supplied_weights(respondents: pd.DataFrame, name: str) -> Array:
    """Supplied base weights, shape (n,), checked to be numbers above 0."""
    import pandas as pd

    weight: Array = pd.to_numeric(respondents[name], errors="coerce").to_numpy(float)
    bad = int((~((weight > 0) & np.isfinite(weight))).sum())
    if bad:
        raise PipelineError(
            "Supplied base weights are missing or are no weights.",
            place=f"weight.base.variable: {name}",
            found=f"{bad} of {len(weight)} respondents without a number above 0",
            allowed="a number above 0 for each respondent",
            remedy="Complete the weights, or exclude these interviews under clean.screening.",
        )
    return weight


def _check_units(respondents: pd.DataFrame) -> None:
    """Refuse respondents without a PSU: together they would be one."""
    for name in ("stratum", "psu"):
        without = int((texts(respondents[name]) == "").sum())
        if 0 < without < len(respondents):
            raise PipelineError(
                f"Some respondents have no {name}.",
                place=f"respondents, column {name}",
                found=f"{without:,} of {len(respondents):,} respondents",
                allowed=f"a {name} for each respondent, or for none",
                remedy=f"Complete the variable that clean.keys.{name} names, or the frame.",
            )
    if without:
        raise PipelineError(
            "The sample has no primary sampling units, so that no variance can be estimated.",
            place="clean.keys.psu",
            found="no PSU for any respondent",
            allowed="the units that were selected first",
            remedy="Name their variable; where households or persons were selected directly, "
            "write psu: household or psu: respondent.",
        )


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
    partners = settings.get("lone_psu_partners") or {}
    _check_partners(partners, lone_rule(settings), sorted({stratum for stratum, _ in sampled}))
    if lone_rule(settings) != "collapse":
        return empty
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


def _check_partners(partners: Mapping[str, str], rule: str, strata: Sequence[str]) -> None:
    """Refuse partners of strata where none are joined, and strata that don't exist."""
    if partners and rule != "collapse":
        raise PipelineError(
            "Strata have partners, and none are joined.",
            place="weight.lone_psu_partners",
            found=f"lone_psu: {rule}",
            allowed="lone_psu: collapse",
            remedy="Set it, or take lone_psu_partners out.",
        )
    check_known(
        (str(name) for pair in partners.items() for name in pair),
        strata,
        "A partner of a stratum, or the stratum, doesn't exist.",
        place="weight.lone_psu_partners",
    )


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
    if not rule:
        return
    if households is None:
        raise PipelineError(
            "Weights are to be adjusted for nonresponse, and there is no sampling frame.",
            place="weight.nonresponse",
            found="no table frame under ingest.tables",
            allowed="a frame with the dispositions of all sampled households",
            remedy="List the frame, or set nonresponse: null.",
        )
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
    known = [str(name) for name in households if name not in COMPUTED]
    check_known(
        wanted,
        known,
        "Nonresponse classes use variables that the sampling frame lacks, or that are computed.",
        place="weight.nonresponse",
    )
    columns: list[ArrayLike] = [texts(households[name]) for name in rule["classes"]]
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
            margin_labels(respondents, name),
            psu,
            margin_populations(census, name),
            minimum_psus=rule.get("minimum_psus", 5),
            partners=(rule.get("partners") or {}).get(name) or {},
            structural_zeros=(rule.get("structural_zeros") or {}).get(name) or (),
        )
        collapsed += margins[name].merges
        weights[f"{MARGIN_PREFIX}{name}"] = margins[name].labels
    populations = reconciled(
        {name: margin.population for name, margin in margins.items()},
        float(rule.get("reconcile") or 0.0),
    )
    auxiliary = Auxiliary.from_margins({name: m.labels for name, m in margins.items()})
    totals = {f"{name}: {c}": n for name, part in populations.items() for c, n in part.items()}
    if rule.get("within"):
        before = weights["trimmed"].to_numpy(float)
        target = np.array([float(totals.get(name, 0.0)) for name in auxiliary.names])
        check_margins(auxiliary, auxiliary.by_cell(before), target)
        weights[UNIT] = _units(respondents, rule["within"])
        auxiliary = auxiliary.shared_within(weights[UNIT], before)
    calibration = calibrate(
        weights["trimmed"].to_numpy(),
        auxiliary,
        totals,
        method=rule["method"],
        bounds=calibration_bounds(rule),
        tolerance=rule.get("tolerance", 1e-10),
        maximum_iterations=rule.get("maximum_iterations", 200),
    )
    negative = int((calibration.calibrated <= 0).sum())
    if negative:
        raise PipelineError(
            "Calibration makes weights that are none.",
            place=f"weight.calibration.method: {rule['method']}",
            found=f"{negative} of {len(weights)} calibrated weights at 0 or below",
            allowed="weights above 0",
            remedy="Give bounds with a lower one above 0, such as bounds: [0.3, 3], or take "
            "raking or exponential.",
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


def _units(respondents: pd.DataFrame, name: str) -> NDArray[np.str_]:
    """Units whose members share one calibration factor."""
    check_known(
        name,
        respondents.columns,
        "The unit within which calibration is integrated isn't a variable of the respondents.",
        place="weight.calibration.within",
    )
    units = texts(respondents[name])
    without = int((units == "").sum())
    if without:
        raise PipelineError(
            "Respondents have no unit within which calibration is integrated.",
            place="weight.calibration.within",
            found=f"{without:,} of {len(units):,} respondents without {name}",
            allowed="a unit for each respondent; those without one would share one factor",
            remedy="Complete the variable, or set within: null.",
        )
    return units


def calibration_bounds(rule: Mapping[str, Any]) -> tuple[float, float] | None:
    """Bounds of the calibration factor in the section `weight.calibration`; None for none."""
    bounds = rule.get("bounds")
    return None if bounds is None else (float(bounds[0]), float(bounds[1]))


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
    domains = {"stratum": texts(frame["stratum"])}
    for name in ("region", "interviewer"):
        if name in frame:
            domains[name] = texts(frame[name])
    outcome = texts(households["outcome"])
    return response_rate_table(
        outcome, households["design_weight"].to_numpy(), domains, _selected(frame, outcome)
    )


def _selected(frame: pd.DataFrame, outcome: NDArray[np.str_]) -> NDArray[np.bool_] | None:
    """Households in which a person was selected: said by the frame, or by detailed dispositions."""
    if SELECTED not in frame:
        return persons_selected(frame["disposition"])
    import pandas as pd

    said = pd.to_numeric(frame[SELECTED], errors="coerce").to_numpy(float)
    strange = int((~np.isin(said, (0, 1))).sum())
    interviewed = np.isin(outcome, ("complete", "partial"))
    contradictory = int((interviewed & (said == 0)).sum())
    unselectable = int((np.isin(outcome, ("unknown", "not_eligible")) & (said == 1)).sum())
    if strange or contradictory or unselectable:
        raise PipelineError(
            "The frame doesn't say clearly in which households a person was selected.",
            place=f"sampling frame, column {SELECTED}",
            found=f"{strange} values other than 1 and 0; {contradictory} interviews without a "
            f"selected person; {unselectable} selected persons in households not known to be "
            "eligible",
            allowed="1 where a person was selected, as in each household with an interview, else 0",
            remedy="Correct the column, or take it out of the frame.",
        )
    chosen: NDArray[np.bool_] = said == 1
    return chosen
