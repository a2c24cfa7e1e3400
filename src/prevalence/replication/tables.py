"""Replicates as the tables of the weight stage hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.calibration import Auxiliary, Distance, calibration_distance
from prevalence.coding import texts
from prevalence.design import SampleDesign
from prevalence.replication.factors import RESCALED_BOOTSTRAP, PsuFactors, rescaled
from prevalence.replication.weights import Adjustments, Replicates

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

KEYS = ("kind", "margin", "category", "method", "lower", "upper")
SCALE = "scale"


def replicates_of_tables(
    weights: pd.DataFrame, replicates: pd.DataFrame, factors: pd.DataFrame
) -> Replicates:
    """Read replicates from the tables of the weight stage.

    Parameters
    ----------
    weights
        ``weights.parquet``: a row a respondent; the order of its rows is that of all columns.
    replicates
        ``replicates.parquet``: a row a PSU; how often it was drawn in r0001 … rB, or its factor.
    factors
        ``replicate_factors.parquet``: method and scale where they aren't the rescaled bootstrap's,
        nonresponse factors, trimming, calibration coefficients.

    Returns
    -------
    Replicates
    """
    design = design_of_tables(weights, replicates)
    columns = [name for name in replicates.columns if name not in ("stratum", "psu")]
    places = {
        pair: k
        for k, pair in enumerate(
            zip(replicates["stratum"].astype(str), replicates["psu"].astype(str), strict=True)
        )
    }
    order = [places[pair] for pair in design.psus]
    values = replicates[columns].to_numpy()[order]
    scale = factors[factors["kind"] == SCALE] if len(factors) else factors
    if len(scale):
        ones = np.ones(len(values))
        made = PsuFactors(
            values.astype(float),
            np.zeros(len(values)),
            ones,
            scale[columns].to_numpy(float)[0],
            method=str(scale["method"].iloc[0]),
        )
    else:
        made = rescaled(design, values)
    adjusted = len(factors) > len(scale)
    return Replicates(
        design, made, _adjustments_from_table(weights, factors, columns) if adjusted else None
    )


def psu_table(replicates: Replicates) -> pd.DataFrame:
    """Write the PSUs' part of the replicates as the rows of ``replicates.parquet``.

    Parameters
    ----------
    replicates
        Replicates.

    Returns
    -------
    pandas.DataFrame
        Columns stratum, psu, r0001 … rB: how often a PSU was drawn in the rescaled bootstrap, its
        factor in other methods.
    """
    import pandas as pd

    factors = replicates.factors
    names = replicate_names(factors.count)
    psus = pd.DataFrame(list(replicates.design.psus), columns=["stratum", "psu"])
    return pd.concat([psus, pd.DataFrame(factors.drawn, columns=names)], axis=1)


def design_of_tables(weights: pd.DataFrame, replicates: pd.DataFrame) -> SampleDesign:
    """Build the design of the tables of the weight stage.

    Parameters
    ----------
    weights
        ``weights.parquet``: columns stratum, psu, final.
    replicates
        ``replicates.parquet``: all sampled PSUs, those without respondents too.

    Returns
    -------
    SampleDesign
        With replacement at the first stage; a lone PSU there is one that was enumerated completely,
        since all others were joined when the weights were computed.
    """
    present = set(zip(weights["stratum"].astype(str), weights["psu"].astype(str), strict=True))
    sampled = zip(replicates["stratum"].astype(str), replicates["psu"].astype(str), strict=True)
    return SampleDesign.from_columns(
        weights["final"].to_numpy(float),
        strata=texts(weights["stratum"]),
        units=texts(weights["psu"]),
        empty_psus=[pair for pair in sampled if pair not in present],
        lone_psu="certainty",
    )


def auxiliary_of_table(weights: pd.DataFrame, margins: Sequence[str]) -> Auxiliary:
    """Build the auxiliary variables of the calibration from the table of the weights.

    Parameters
    ----------
    weights
        ``weights.parquet``: columns margin_… and, where members of a unit share one calibration
        factor, calibration_unit.
    margins
        Names of the margins.

    Returns
    -------
    Auxiliary
    """
    auxiliary = Auxiliary.from_margins({m: texts(weights[f"margin_{m}"]) for m in margins})
    if "calibration_unit" not in weights:
        return auxiliary
    return auxiliary.shared_within(
        texts(weights["calibration_unit"]), weights["trimmed"].to_numpy(float)
    )


def factors_table(
    replicates: Replicates,
    class_names: Sequence[str],
    *,
    calibrated: bool,
    nonresponse: bool,
    method: str,
) -> pd.DataFrame:
    """Write the adjustments of replicates as the rows of ``replicate_factors.parquet``.

    Parameters
    ----------
    replicates
        Replicates with adjustments.
    class_names
        Names of the nonresponse classes.
    calibrated, nonresponse
        Which adjustments were made.
    method
        Calibration method.

    Returns
    -------
    pandas.DataFrame
        Columns kind, margin, category, method, lower, upper, r0001 … rB; no rows where nothing
        was adjusted.
    """
    import pandas as pd

    a = replicates.adjustments
    columns = [*KEYS, *replicate_names(replicates.count)]
    keys: list[tuple[object, ...]] = []
    rows: list[Array] = []
    if replicates.factors.method != RESCALED_BOOTSTRAP:
        keys.append((SCALE, "", "", replicates.factors.method, -np.inf, np.inf))
        rows.append(replicates.scale)
    if a is None or not (calibrated or nonresponse or np.isfinite(a.bound)):
        nonresponse = calibrated = False
        a = None
    if not keys and a is None:
        return pd.DataFrame(columns=columns)
    if nonresponse and a is not None:
        keys += [
            ("nonresponse", "nonresponse_class", name, "", -np.inf, np.inf) for name in class_names
        ]
        rows += list(a.nonresponse)
    if a is not None and np.isfinite(a.bound):
        keys.append(("trimming", "", "redistribution", "", -np.inf, a.bound))
        rows.append(a.redistribution)
    if calibrated and a is not None:
        low, high = a.distance.lower, a.distance.upper
        keys += [
            ("calibration", *name.split(": ", 1), method, low, high) for name in a.auxiliary.names
        ]
        rows += list(a.coefficients)
    head = pd.DataFrame(keys, columns=list(KEYS))
    body = pd.DataFrame(np.array(rows), columns=replicate_names(replicates.count))
    return pd.concat([head, body], axis=1)


def replicate_names(count: int) -> list[str]:
    """Column names of the replicates: r0001 … rB."""
    return [f"r{b:04d}" for b in range(1, count + 1)]


def _adjustments_from_table(
    weights: pd.DataFrame, factors: pd.DataFrame, columns: list[str]
) -> Adjustments:
    def rows(kind: str) -> pd.DataFrame:
        return factors[factors["kind"] == kind]

    n, count = len(weights), len(columns)
    classes: Codes = np.zeros(n, dtype=np.intp)
    response = np.ones((1, count))
    start = weights["nonresponse"].to_numpy(float)
    if len(found := rows("nonresponse")):
        place = {name: k for k, name in enumerate(found["category"].astype(str))}
        classes = np.array([place[name] for name in weights["nonresponse_class"].astype(str)])
        response = found[columns].to_numpy(float)
        start = weights["base"].to_numpy(float)
    bound, redistribution = np.inf, np.ones(count)
    if len(found := rows("trimming")):
        bound = float(found["upper"].iloc[0])
        redistribution = found[columns].to_numpy(float)[0]
    auxiliary = Auxiliary(np.zeros((1, 1)), np.zeros(n, dtype=np.intp), ("none",), {})
    coefficients, distance = np.zeros((1, count)), Distance("exponential")
    if len(found := rows("calibration")):
        margins = list(dict.fromkeys(found["margin"].astype(str)))
        auxiliary = auxiliary_of_table(weights, margins)
        names = found["margin"].astype(str) + ": " + found["category"].astype(str)
        by_name = dict(zip(names, found[columns].to_numpy(float), strict=True))
        coefficients = np.array([by_name[name] for name in auxiliary.names])
        method, low, high = (found[key].iloc[0] for key in ("method", "lower", "upper"))
        distance = calibration_distance(
            str(method), (float(low), float(high)) if np.isfinite([low, high]).all() else None
        )
    return Adjustments(
        start, classes, response, bound, redistribution, auxiliary, coefficients, distance
    )
