"""Replicates of a survey: its weighting chain drawn and repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.calibration import Auxiliary
from prevalence.coding import encoded, texts
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.nonresponse import nearest_classes
from prevalence.replication import (
    CalibrationPlan,
    Households,
    PsuFactors,
    Replicates,
    auxiliary_of_table,
    factors_table,
    psu_factors,
    psu_table,
    replicate,
)
from prevalence.weighting.chain import calibration_bounds, lone_rule
from prevalence.weighting.margins import partners_after_merging
from prevalence.weighting.steps import trimming_bound

if TYPE_CHECKING:
    import pandas as pd


def replicate_weights(
    weights: pd.DataFrame,
    households: pd.DataFrame,
    margins: pd.DataFrame,
    settings: Mapping[str, Any],
    entropy: Sequence[int],
    factors: Callable[[SampleDesign], PsuFactors] | None = None,
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
    factors
        Gives the PSU factors of the design, where they aren't drawn here: joint draws of two waves.

    Returns
    -------
    replicates, factors : pandas.DataFrame
        ``replicates.parquet`` and ``replicate_factors.parquet``.
    made : Replicates
        The replicates themselves.
    """
    _check_coefficient(settings["replication"])
    sampled = {*zip(weights["stratum"], weights["psu"], strict=True)}
    inhabited = set(sampled)
    sampled |= {*zip(households["stratum"], households["psu"], strict=True)}
    rule = lone_rule(settings)
    design = SampleDesign.from_columns(
        weights["final"],
        strata=texts(weights["stratum"]),
        units=texts(weights["psu"]),
        empty_psus=sorted(sampled - inhabited),
        lone_psu=rule,
    )
    generator = np.random.default_rng(np.random.SeedSequence(list(entropy)))
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
        factors(design) if factors else psu_factors(design, settings["replication"], generator),
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
    adjustments = factors_table(
        made,
        () if cases is None else cases.names,
        calibrated=plan is not None,
        nonresponse=cases is not None,
        method="" if plan is None else plan.method,
    )
    return psu_table(made), adjustments, made


def _check_coefficient(replication: Mapping[str, Any]) -> None:
    """Refuse a coefficient of Fay's method where another method would pass it over."""
    if replication.get("fay") is not None and replication["method"] != "fay":
        raise PipelineError(
            "A coefficient of Fay's method is given for another one.",
            place="weight.replication.fay",
            found=f"method: {replication['method']}",
            allowed="method: fay",
            remedy="Take the coefficient out, or set method: fay.",
        )


def _household_cases(design: SampleDesign, households: pd.DataFrame) -> Households:
    place = {pair: k for k, pair in enumerate(design.psus)}
    codes, names = encoded(texts(households["nonresponse_class"]))
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
    auxiliary = auxiliary_of_table(weights, rule["margins"])
    names = margins["margin"] + ": " + margins["category"]
    partners: dict[str, str] = {}
    for margin, rows in margins.groupby("margin"):
        given = (rule.get("partners") or {}).get(margin) or {}
        partners |= partners_after_merging(str(margin), list(rows["category"]), given)
    return auxiliary, CalibrationPlan(
        dict(zip(names, margins["population"].astype(float), strict=True)),
        method=rule["method"],
        bounds=calibration_bounds(rule),
        tolerance=rule.get("tolerance", 1e-10),
        maximum_iterations=rule.get("maximum_iterations", 200),
        partners=partners,
    )
