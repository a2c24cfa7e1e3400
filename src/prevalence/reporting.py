"""Share of the situations that respondents know of that was reported to authorities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.codebook import ALL_GROUPS
from prevalence.domains import Domain
from prevalence.interval import confidence_interval
from prevalence.ratio import LINEARISED, Inference, RatioBatch, RatioEstimates, Sampling, tidy

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

DESCRIBED = ("yes", "no", "dont_know", "refused")


def answer_counts(
    situations: pd.DataFrame, respondents: Sequence[str]
) -> dict[str, dict[str, Array]]:
    """How many situations each respondent answered in each way.

    Parameters
    ----------
    situations
        One row a situation: `respondent`, `group`, `reported`, `authority`.
    respondents
        Ids in the order of the weights.

    Returns
    -------
    dict
        For each group, and for all together under ``all``: ``yes``, ``no``, ``dont_know``,
        ``refused`` and ``authority:<code>`` (situations reported to it), each of shape (n,).
    """
    import pandas as pd

    rows = pd.Index(respondents).get_indexer(pd.Index(situations["respondent"]))
    groups = situations["group"].astype(str).to_numpy()
    reported = situations["reported"].fillna("").astype(str).to_numpy()
    authority = situations["authority"].fillna("").astype(str).to_numpy()
    inside = rows >= 0
    found: dict[str, dict[str, Array]] = {}
    for group in (*dict.fromkeys(groups), ALL_GROUPS):
        mine = inside & ((groups == group) | (group == ALL_GROUPS))
        answers = {answer: mine & (reported == answer) for answer in DESCRIBED}
        told = mine & (reported == "yes")
        codes = sorted({code for code in authority[told] if code})
        answers |= {f"authority:{code}": told & (authority == code) for code in codes}
        found[group] = {
            name: np.bincount(rows[chosen], minlength=len(respondents)).astype(float)
            for name, chosen in answers.items()
        }
    return found


def reporting_table(
    answers: Mapping[str, Mapping[str, Array]],
    domains: Sequence[Domain],
    sampling: Sampling,
    inference: Inference,
) -> pd.DataFrame:
    """Weighted shares of known situations that were reported to authorities.

    Parameters
    ----------
    answers
        From :func:`answer_counts`.
    domains
        The nation first.
    sampling
        Weights, replicates, design.
    inference
        Variance and level; the interval is Student *t* on the logit scale.

    Returns
    -------
    pandas.DataFrame
        Per cent; `estimator` is ``reported_of_answered`` (of those where the respondent knew),
        ``reported_of_all`` (don't know and refused count as not known to be reported), and,
        nationally, ``reported_to_<authority>`` among the reported. `n` counts respondents who
        described a situation. A situation known to more people is described more often: the share
        is of situations as they are seen.
    """
    import pandas as pd

    batch, keys = RatioBatch(len(sampling.weights)), []
    for group, columns in answers.items():
        yes = columns["yes"]
        answered = yes + columns["no"]
        described = answered + columns["dont_know"] + columns["refused"]
        if not described.any():
            continue
        told = {name: top for name, top in columns.items() if name.startswith("authority:")}
        shares = {"reported_of_answered": (yes, answered), "reported_of_all": (yes, described)}
        shares |= {
            name.replace("authority:", "reported_to_"): (top, yes) for name, top in told.items()
        }
        for estimator, (top, bottom) in shares.items():
            nationally = estimator.startswith("reported_to_")
            for domain in domains[:1] if nationally else domains:
                batch.add(np.where(bottom > 0, top, np.nan), bottom, domain.mask)
                keys.append(
                    {"estimator": estimator, "group": group, "unit": "per_cent"}
                    | {"domain_type": domain.type, "domain": domain.name}
                )
    if not keys:
        return pd.DataFrame()
    estimates = batch.evaluate(sampling)
    table = tidy(keys, estimates, np.full(len(keys), 100.0), replace(inference, interval="t"))
    lower, upper = logit_interval(estimates, inference)
    return table.assign(lower=100 * lower, upper=100 * upper, interval="logit_t")


def logit_interval(estimates: RatioEstimates, inference: Inference) -> tuple[Array, Array]:
    """Student *t* interval on the logit scale, for shares.

    Parameters
    ----------
    estimates
        Shares between 0 and 1.
    inference
        Variance and level.

    Returns
    -------
    lower, upper : numpy.ndarray
        Within 0 and 1; NaN at 0 and 1 themselves.
    """
    linear = inference.variance == LINEARISED
    chosen = estimates.se_linearised if linear else estimates.std_error
    share = estimates.ratio
    inner = (share > 0) & (share < 1)
    p = np.where(inner, share, 0.5)
    lower, upper = confidence_interval(
        "t",
        np.log(p / (1 - p)),
        chosen / (p * (1 - p)),
        estimates.df,
        level=inference.level,
        replicates=estimates.replicates,
    )
    return (
        np.where(inner, 1 / (1 + np.exp(-lower)), np.nan),
        np.where(inner, 1 / (1 + np.exp(-upper)), np.nan),
    )
