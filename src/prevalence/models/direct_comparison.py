"""Direct estimates of places beside Fay–Herriot and the models: shrinkage, and do they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError
from prevalence.models.fay_herriot import fay_herriot, smoothed_variances
from prevalence.united import UNCONVERGED

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
ESTIMATOR = "fay_herriot"
FEWEST_PLACES = 5
NATION = "national"
COVERED = 0.01  # places that have all of the nation's people but so small a share
RATES = ("per_100", "per_1000")
COLUMNS = (
    "estimator",
    "group",
    "domain_type",
    "domain",
    "estimate",
    "std_error",
    "lower",
    "upper",
    "level",
    "unit",
    "n",
    "n_reporting",
    "shrinkage",
    "discrepancy",
    "disagreement_p",
    "converged",
)


def small_area_rows(
    direct: pd.DataFrame, models: pd.DataFrame, headline: str, types: Sequence[str]
) -> pd.DataFrame:
    """Set estimates of places that borrow strength beside the direct ones.

    Parameters
    ----------
    direct
        The table `scale_up`.
    models
        The table `scale_up_models`.
    headline
        Its estimator, whose rates are the direct ones.
    types
        Geographic types of domains; those with fewer than five places are left out.

    Returns
    -------
    pandas.DataFrame
        Rates by Fay–Herriot and by each model that has places. `shrinkage`: the share of the
        direct estimate (Fay–Herriot), or one less the ratio of variances of the logarithms.
        `discrepancy`: for Fay–Herriot the direct estimate's standardised distance from the mean of
        places, for a model the log ratio over the root of both variances; as both rest on the same
        answers, that is an understatement. `disagreement_p`: chi-squared over the places of a type:
        for a model of these distances, for Fay–Herriot of those from a mean that all places share
        (Cochran 1954, *Biometrics* 10:101). Its own distances have the variance between places that
        fits them best: a test of them could not fail. A place where nobody reports has no
        logarithm: Fay–Herriot gives it the mean of the others. Its rates are benchmarked where the
        places cover the nation: scaled so that their persons add up to the nation's.
    """
    import pandas as pd

    headlines = direct[direct["estimator"] == headline]
    own = headlines[headlines["unit"].isin(RATES)]
    counts = headlines[headlines["unit"] == "persons"]
    keys = ["group", "domain_type", "domain"]
    persons = own[keys].merge(counts[[*keys, "estimate"]], how="left", on=keys)["estimate"]
    own = own.assign(persons=persons.to_numpy(float))
    rows: list[dict[str, Any]] = []
    for kind in types:
        for group, part in own[own["domain_type"] == kind].groupby("group", sort=False):
            if len(part) < FEWEST_PLACES:
                continue
            try:
                log_rate, variance = _direct(part)
            except PipelineError:  # too few places with a report: nothing to borrow strength with
                continue
            nation = own[(own["group"] == group) & (own["domain_type"] == NATION)]
            rows += _fay_herriot_rows(part, log_rate, variance, nation)
            same = (models["group"] == group) & (models["domain_type"] == kind)
            modelled = models[same & models["unit"].isin(RATES)]
            for _, found in modelled.groupby("estimator", sort=False):
                rows += _model_rows(found, part, log_rate, variance)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _direct(part: pd.DataFrame) -> tuple[Array, Array]:
    """Log rates, NaN where nobody reports, and smoothed variances."""
    estimate, error = part["estimate"].to_numpy(float), part["std_error"].to_numpy(float)
    seen = (estimate > 0) & (error > 0)
    log_rate = np.where(seen, np.log(np.where(seen, estimate, 1.0)), np.nan)
    variance = np.where(seen, (error / np.where(seen, estimate, 1.0)) ** 2, np.nan)
    return log_rate, smoothed_variances(variance, part["n"].to_numpy(float))


def _fay_herriot_rows(
    part: pd.DataFrame, log_rate: Array, variance: Array, nation: pd.DataFrame
) -> list[dict[str, Any]]:
    from scipy.special import ndtri

    fit = fay_herriot(log_rate, variance)
    rate = benchmarked(np.exp(fit.estimate), part, nation)
    apart = (log_rate - fit.coefficients[0]) / np.sqrt(fit.between + variance)
    p = _chi_squared(_from_a_common_rate(log_rate, variance), 1)
    rows = []
    for place, row in enumerate(part.to_dict("records")):
        reach = float(ndtri((1 + row["level"]) / 2)) * fit.std_error[place]
        rows.append(
            {
                **{str(key): row[key] for key in COLUMNS if key in row},
                "estimator": ESTIMATOR,
                "estimate": rate[place],
                "std_error": rate[place] * fit.std_error[place],
                "lower": rate[place] * math.exp(-reach),
                "upper": rate[place] * math.exp(reach),
                "shrinkage": fit.shrinkage[place],
                "discrepancy": apart[place],
                "disagreement_p": p,
                "converged": True,
            }
        )
    return rows


def benchmarked(rates: Array, places: pd.DataFrame, nation: pd.DataFrame) -> Array:
    """Scale rates of places so that their persons add up to those of the nation.

    Parameters
    ----------
    rates
        Of the places, shape (m,).
    places, nation
        Direct estimates of the places, and the one row of the nation: rates in `estimate`, and
        `persons`.

    Returns
    -------
    numpy.ndarray
        Shape (m,); as they were where the nation has no row, or the places don't cover it. A direct
        rate of 0 doesn't tell how many people a place has: such places have, together, those whom
        the others leave.
    """
    if len(nation) != 1:
        return rates
    rate, persons = places["estimate"].to_numpy(float), places["persons"].to_numpy(float)
    total, everyone = (
        nation["persons"].iloc[0],
        nation["persons"].iloc[0] / nation["estimate"].iloc[0],
    )
    told = rate > 0
    people = np.where(told, persons / np.where(told, rate, 1.0), 0.0)
    if not told.all():
        people[~told] = max(everyone - people.sum(), 0.0) / (~told).sum()
    if not abs(people.sum() / everyone - 1) < COVERED:
        return rates
    result: Array = rates * total / float(people @ rates)
    return result


def _model_rows(
    found: pd.DataFrame, part: pd.DataFrame, log_rate: Array, variance: Array
) -> list[dict[str, Any]]:
    by_place = found.set_index("domain").reindex(part["domain"])
    estimate = by_place["estimate"].to_numpy(float)
    relative = (by_place["std_error"].to_numpy(float) / estimate) ** 2
    apart = (log_rate - np.log(estimate)) / np.sqrt(variance + relative)
    p = _chi_squared(apart, 0)
    rows = []
    for place, row in enumerate(by_place.reset_index().to_dict("records")):
        if np.isfinite(estimate[place]):
            rows.append(
                {
                    **{str(key): row[key] for key in COLUMNS if key in row},
                    "shrinkage": 1 - min(relative[place] / variance[place], 1.0),
                    "discrepancy": apart[place],
                    "disagreement_p": p,
                    "converged": row["interval"] != UNCONVERGED,
                }
            )
    return rows


def _from_a_common_rate(log_rate: Array, variance: Array) -> Array:
    """Standardised distances from the mean of places that do not differ, shape (m,)."""
    weight = np.where(np.isfinite(log_rate), 1 / variance, 0.0)
    common = float(weight @ np.nan_to_num(log_rate)) / float(weight.sum())
    return (log_rate - common) / np.sqrt(variance)


def _chi_squared(apart: Array, fitted: int) -> float:
    from scipy.special import chdtrc

    seen = apart[np.isfinite(apart)]
    if len(seen) <= fitted:
        return math.nan
    return float(chdtrc(len(seen) - fitted, float(seen @ seen)))
