"""Outcomes of the sampled households: AAPOR response rates and nonresponse classes.

Rule for *e*, the share of cases of unknown eligibility that count as eligible: proportional
allocation, the eligible share among the cases whose eligibility is known (AAPOR *Standard
Definitions*, the CASRO rule), over the whole sample; weighted rates use the weighted share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.coding import encoded, sums
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

# AAPOR codes by their first digits: detailed codes such as 2.112 belong to 2.1.
OUTCOMES = {
    "1.1": "complete",
    "1.2": "partial",
    "2.1": "refusal",
    "2.2": "non_contact",
    "2.3": "other",
    "3": "unknown",
    "4": "not_eligible",
}
ELIGIBLE = ("complete", "partial", "refusal", "non_contact", "other")
RATES = ("RR1", "RR2", "RR3", "RR4")
# Of the two steps of selection: HR1 and HR3 to the choice of a person in the household, WR1 and WR2
# from there to the interview. RR1 = HR1 × WR1, RR2 = HR1 × WR2, RR3 = HR3 × WR1, RR4 = HR3 × WR2.
STEP_RATES = ("HR1", "HR3", "WR1", "WR2")
# AAPOR codes that say whether a person had been selected in the household when it ended.
PERSON_SELECTED = ("1.1", "1.2", "2.112", "2.12", "2.25", "2.31", "2.32", "2.332")
NOBODY_SELECTED = ("2.111", "2.21", "2.22", "2.23", "2.24", "2.331", "2.35", "3", "4")
JOINED = " + "  # between the names of classes or categories that were merged


def outcomes(dispositions: ArrayLike) -> NDArray[np.str_]:
    """Read AAPOR disposition codes.

    Parameters
    ----------
    dispositions
        Codes, as text or numbers, shape (N,).

    Returns
    -------
    numpy.ndarray
        Names of the outcomes, shape (N,).

    Raises
    ------
    PipelineError
        If a code is none of AAPOR's, with its count.
    """
    codes, names = encoded(np.asarray(dispositions).astype(str))
    known = [
        next((word for prefix, word in OUTCOMES.items() if name.startswith(prefix)), "")
        for name in names
    ]
    unknown = [k for k, word in enumerate(known) if not word]
    if unknown:
        counts = np.bincount(codes, minlength=len(names))
        raise PipelineError(
            "Households have a disposition that isn't an AAPOR code.",
            place="sampling frame, column disposition",
            found=listed(f"{names[k] or 'nothing'} ({counts[k]} households)" for k in unknown),
            allowed=listed(f"{prefix} {word}" for prefix, word in OUTCOMES.items()),
            remedy="Recode the dispositions in the sampling frame.",
        )
    return np.array(known)[codes]


def eligibility_share(outcome: NDArray[np.str_], weight: Array) -> float:
    """Give *e*: the eligible share among cases of known eligibility, by weight.

    Parameters
    ----------
    outcome
        Outcomes, shape (N,).
    weight
        Design weights, or ones, shape (N,).
    """
    eligible = float(weight[np.isin(outcome, ELIGIBLE)].sum())
    known = eligible + float(weight[outcome == "not_eligible"].sum())
    return eligible / known if known > 0 else 1.0


def response_rates(outcome: NDArray[np.str_], weight: Array, share: float) -> Array:
    """AAPOR's response rates 1 to 4.

    Parameters
    ----------
    outcome
        Outcomes, shape (N,).
    weight
        Design weights, or ones, shape (N,).
    share
        *e*, for the rates 3 and 4.

    Returns
    -------
    numpy.ndarray
        RR1 I/(I+P+R+NC+O+U), RR2 with partial interviews, RR3 and RR4 with *e* U for U; shape (4,).
    """
    total = {word: float(weight[outcome == word].sum()) for word in OUTCOMES.values()}
    eligible = sum(total[word] for word in ELIGIBLE)
    everybody = eligible + total["unknown"]
    likely = eligible + share * total["unknown"]
    complete = total["complete"]
    interviews = complete + total["partial"]
    if everybody == 0:
        return np.full(4, np.nan)
    return np.array(
        [
            complete / everybody,
            interviews / everybody,
            complete / likely if likely > 0 else np.nan,
            interviews / likely if likely > 0 else np.nan,
        ]
    )


def persons_selected(dispositions: ArrayLike) -> NDArray[np.bool_] | None:
    """Read from AAPOR codes in which households a person had been selected.

    Parameters
    ----------
    dispositions
        Codes, shape (N,).

    Returns
    -------
    numpy.ndarray or None
        Shape (N,); None where a code such as 2.1 doesn't say at which step it ended.
    """
    codes, names = encoded(np.asarray(dispositions).astype(str))
    found = []
    for name in names:
        if name.startswith(PERSON_SELECTED):
            found.append(True)
        elif name.startswith(NOBODY_SELECTED):
            found.append(False)
        else:
            return None
    return np.array(found, dtype=bool)[codes]


def step_rates(
    outcome: NDArray[np.str_], weight: Array, share: float, selected: NDArray[np.bool_]
) -> Array:
    """Response rates of the household step and of the step within the household.

    Parameters
    ----------
    outcome, weight, share
        As in :func:`response_rates`.
    selected
        Households in which a person was selected, shape (N,).

    Returns
    -------
    numpy.ndarray
        `STEP_RATES`, shape (4,): selected over eligible households, those of unknown eligibility
        all counted (HR1) or the share *e* of them (HR3); complete (WR1) and all interviews (WR2)
        over selected persons.
    """
    chosen = float(weight[selected].sum())
    rates = response_rates(outcome, weight, share)
    eligible = float(weight[np.isin(outcome, ELIGIBLE)].sum())
    unknown = float(weight[outcome == "unknown"].sum())
    below = np.array([eligible + unknown, eligible + share * unknown])
    household = np.divide(chosen, below, out=np.full(2, np.nan), where=below > 0)
    interviews = rates[:2] * below[0]
    within = interviews / chosen if chosen > 0 else np.full(2, np.nan)
    return np.concatenate([household, within])


def response_rate_table(
    outcome: NDArray[np.str_],
    weight: Array,
    domains: Mapping[str, ArrayLike],
    selected: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Response rates of the nation and by domain, weighted and unweighted.

    Parameters
    ----------
    outcome
        Outcomes, shape (N,).
    weight
        Design weights of the households, shape (N,).
    domains
        Domain of each household, by type of domain: shape (N,).
    selected
        Households in which a person was selected, shape (N,); None where that isn't known.

    Returns
    -------
    pandas.DataFrame
        Columns domain_type, domain, rate, unweighted, weighted, n (cases).
    """
    import pandas as pd

    ones = np.ones(len(weight))
    shares = eligibility_share(outcome, ones), eligibility_share(outcome, weight)
    rows: list[dict[str, object]] = []
    types: dict[str, ArrayLike] = {"national": np.full(len(weight), "national"), **domains}
    for kind, labels in types.items():
        codes, names = encoded(labels)
        for k, name in enumerate(names):
            inside = codes == k
            plain = response_rates(outcome[inside], ones[inside], shares[0])
            weighted = response_rates(outcome[inside], weight[inside], shares[1])
            rates = list(RATES)
            if selected is not None:
                rates += STEP_RATES
                chosen = selected[inside]
                steps = [
                    step_rates(outcome[inside], w[inside], share, chosen)
                    for w, share in zip((ones, weight), shares, strict=True)
                ]
                plain, weighted = np.append(plain, steps[0]), np.append(weighted, steps[1])
            rows += [
                {
                    "domain_type": kind,
                    "domain": name,
                    "rate": rate,
                    "unweighted": plain[r],
                    "weighted": weighted[r],
                    "n": int(inside.sum()),
                }
                for r, rate in enumerate(rates)
            ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Merge:
    """One step of collapsing, for the record."""

    margin: str
    category: str
    into: str
    reason: str


@dataclass(frozen=True, eq=False)
class ResponseClasses:
    """Nonresponse classes after collapsing.

    Parameters
    ----------
    codes
        Class of each household, shape (N,).
    names
        Name of each class, L of them.
    factors
        Eligible over responding weight of each class, shape (L,).
    merges
        What was collapsed, and why.
    """

    codes: Codes
    names: tuple[str, ...]
    factors: Array
    merges: tuple[Merge, ...]


def nonresponse_classes(
    variables: Sequence[ArrayLike],
    eligible: Array,
    responding: Array,
    *,
    minimum_respondents: int,
    maximum_factor: float,
) -> ResponseClasses:
    """Form weighting classes, collapsing those that are too small or too badly answered.

    A class is merged with the class that shares most of its leading variables; among several, with
    the one whose response rate is nearest.

    Parameters
    ----------
    variables
        Class variables, the leading one first, each of shape (N,).
    eligible
        Design weight times eligibility, shape (N,).
    responding
        Design weight of responding households, 0 for the others, shape (N,).
    minimum_respondents
        Smallest number of respondents in a class.
    maximum_factor
        Largest adjustment factor.

    Returns
    -------
    ResponseClasses

    Raises
    ------
    PipelineError
        If nobody responded, or all classes in one would have too large a factor.
    """
    labels = [np.asarray(column).astype(str) for column in variables]
    joint = np.array([", ".join(parts) for parts in zip(*labels, strict=True)], dtype=str)
    codes, names = encoded(joint)
    members = [[k] for k in range(len(names))]
    keys = [tuple(column[np.argmax(codes == k)] for column in labels) for k in range(len(names))]
    count = sums(codes, responding > 0, len(names))
    want, have = sums(codes, eligible, len(names)), sums(codes, responding, len(names))
    if not have.sum() > 0:
        raise PipelineError(
            "No sampled household responded.",
            place="sampling frame",
            remedy="Check the household ids of respondents and frame: they must be the same.",
        )
    overall = float(want.sum() / have.sum())
    if overall > maximum_factor:
        raise PipelineError(
            "Too few households responded for the largest adjustment factor.",
            place="weight.nonresponse.maximum_factor",
            found=f"a factor of {overall:.3g} for all households together, {maximum_factor:g} "
            "allowed: every class would be merged with the others",
            allowed=f"more than {overall:.3g}",
            remedy="Raise maximum_factor, or set nonresponse: null and say why.",
        )
    merges: list[Merge] = []
    while len(members) > 1:
        n = np.array([count[m].sum() for m in members])
        top = np.array([want[m].sum() for m in members])
        low = np.array([have[m].sum() for m in members])
        factor = np.where(low > 0, top / np.where(low > 0, low, 1.0), np.inf)
        bad = (n < minimum_respondents) | (factor > maximum_factor)
        if not bad.any():
            break
        worst = int(np.lexsort((np.arange(len(n)), -factor, n, ~bad))[0])
        rate = np.where(top > 0, low / np.where(top > 0, top, 1.0), 1.0)
        into = _nearest(worst, [keys[m[0]] for m in members], rate)
        few = n[worst] < minimum_respondents
        reason = (
            f"{int(n[worst])} respondents, at least {minimum_respondents} wanted"
            if few
            else f"factor {factor[worst]:.3g} above {maximum_factor:g}"
        )
        merges.append(
            Merge(
                "nonresponse_class",
                _joined(names, members[worst]),
                _joined(names, members[into]),
                reason,
            )
        )
        members[into] = sorted(members[into] + members[worst])
        del members[worst]
    new_code = np.empty(len(names), dtype=np.intp)
    for k, group in enumerate(members):
        new_code[group] = k
    top = np.array([want[m].sum() for m in members])
    low = np.array([have[m].sum() for m in members])
    return ResponseClasses(
        new_code[codes], tuple(_joined(names, m) for m in members), top / low, tuple(merges)
    )


def _joined(names: Sequence[str], members: Sequence[int]) -> str:
    return JOINED.join(names[k] for k in members)


def _nearest(place: int, keys: Sequence[tuple[str, ...]], rate: Array) -> int:
    """Class that shares most leading variables with this one, then the nearest response rate."""

    def distance(k: int) -> tuple[int, float, int]:
        shared = 0
        for mine, other in zip(keys[place], keys[k], strict=True):
            if mine != other:
                break
            shared += 1
        return -shared, abs(float(rate[k] - rate[place])), k

    return min((k for k in range(len(keys)) if k != place), key=distance)


def nearest_classes(
    codes: Codes, names: Sequence[str], eligible: Array, responding: Array
) -> dict[str, str]:
    """Name for each class the one with the nearest response rate: its partner in replicates.

    Parameters
    ----------
    codes
        Class of each household, shape (N,).
    names
        Names of the classes.
    eligible, responding
        Weights as in :func:`nonresponse_classes`, shape (N,).
    """
    if len(names) < 2:
        return {}
    top, low = sums(codes, eligible, len(names)), sums(codes, responding, len(names))
    rate = low / np.where(top > 0, top, 1.0)
    keys: list[tuple[str, ...]] = [()] * len(names)
    return {name: names[_nearest(k, keys, rate)] for k, name in enumerate(names)}


def propensity_classes(
    covariates: Array, responded: NDArray[np.bool_], weight: Array, count: int = 5
) -> tuple[Codes, Array]:
    """Sort households into classes of similar response propensity.

    Parameters
    ----------
    covariates
        Known of respondents and nonrespondents, shape (N, p), without an intercept.
    responded
        Whether the household responded, shape (N,).
    weight
        Design weights, shape (N,).
    count
        Number of classes: quantiles of the weighted logistic propensity.

    Returns
    -------
    classes : numpy.ndarray
        0 for the least likely to respond, shape (N,); one class where all or none responded.
    propensities : numpy.ndarray
        Shape (N,).

    Raises
    ------
    PipelineError
        If the logistic regression has no finite solution (a covariate separates respondents).
    """
    if responded.all() or not responded.any():
        return np.zeros(len(responded), dtype=np.intp), responded.astype(float)
    x = np.column_stack([np.ones(len(responded)), covariates])
    centre, spread = x.mean(axis=0), x.std(axis=0)
    centre[0], spread[0] = 0.0, 1.0
    z = (x - centre) / np.where(spread > 0, spread, 1.0)
    w, y = weight / weight.mean(), responded.astype(float)
    beta = np.zeros(z.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(z @ beta, -30, 30)))
        gram = (z * (w * p * (1 - p))[:, None]).T @ z
        step = np.linalg.lstsq(gram, z.T @ (w * (y - p)), rcond=1e-12)[0]
        beta += step
        if np.abs(step).max() < 1e-10:
            break
    else:
        raise PipelineError(
            "The response propensities cannot be estimated.",
            place="weight.nonresponse",
            found="a logistic regression without a finite solution",
            remedy="Take out a covariate that separates respondents from nonrespondents.",
        )
    p = 1 / (1 + np.exp(-(z @ beta)))
    # Households alike in every covariate differ in the last digits of a product of matrices.
    even = p.round(12)
    cuts = np.quantile(even, np.arange(1, count) / count)
    return np.searchsorted(cuts, even, side="left").astype(np.intp), p
