"""Data quality of the counts: zeros, heaping, missing answers, top codes, interviewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from prevalence.codebook import Codebook
from prevalence.coding import distinct, encoded
from prevalence.decoding import Interviews

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_HEAP = 5


def heaped_share(counts: NDArray[np.float64]) -> float:
    """Share of multiples of 5 among answers of 5 or more; a fifth is expected without heaping.

    Parameters
    ----------
    counts
        Answers of any shape, NaN where missing.

    Returns
    -------
    float
        The share; NaN if no answer is 5 or more.
    """
    large = counts[counts >= _HEAP]
    return float(np.mean(large % _HEAP == 0)) if large.size else float("nan")


def interviewer_correlation(
    counts: NDArray[np.float64], interviewers: NDArray[np.object_]
) -> float:
    """Intraclass correlation of answers by interviewer, on the scale log(1 + count).

    The one-way analysis-of-variance estimator for groups of unequal size, (MSB − MSW) / (MSB +
    (m − 1) MSW) with m = (n − Σ m_j² / n) / (J − 1) (Donner 1986, Int Stat Rev 54:67). Interviewers
    work in few places, so that it holds differences between places too: an upper bound.

    Parameters
    ----------
    counts
        Shape (n,): answers, NaN where missing.
    interviewers
        Shape (n,): who asked; empty where unknown.

    Returns
    -------
    float
        The correlation; NaN with fewer than 2 interviewers, no repeated one, or equal answers.
    """
    return _correlation(counts, _interviewer_codes(interviewers))


def _interviewer_codes(interviewers: NDArray[np.object_]) -> NDArray[np.intp]:
    """Places of the interviewers among their sorted names, -1 where unknown."""
    codes, names = encoded(interviewers)
    return np.where(np.array(names)[codes] == "", -1, codes)


def _correlation(counts: NDArray[np.float64], codes: NDArray[np.intp]) -> float:
    told = np.isfinite(counts) & (codes >= 0)
    values = np.log1p(np.maximum(counts[told], 0.0))
    names, index = distinct(codes[told])
    n, groups = values.size, names.size
    if groups < 2 or n <= groups:
        return float("nan")
    sizes = np.bincount(index).astype(float)
    means = np.bincount(index, weights=values) / sizes
    between = float(sizes @ (means - values.mean()) ** 2) / (groups - 1)
    within = float(((values - means[index]) ** 2).sum()) / (n - groups)
    size = (n - float(sizes @ sizes) / n) / (groups - 1)
    total = between + (size - 1) * within
    return (between - within) / total if total > 0 else float("nan")


def data_quality(interviews: Interviews, codebook: Codebook) -> pd.DataFrame:
    """Describe the quality of each group's counts.

    Parameters
    ----------
    interviews
        The edited interviews, before combination and imputation.
    codebook
        The codebook.

    Returns
    -------
    pandas.DataFrame
        A row a group: ``group``, ``role``, ``n`` interviews, ``answered``, ``zero_share``,
        ``five_or_more`` answers and the ``heaped_share`` of them (not of bins), ``max`` and
        ``top_code_share`` of the answers;
        ``missing_share`` of the interviews and its parts by kind; ``interviewer_correlation``.
    """
    import pandas as pd

    rows = []
    interviewers = (
        interviews.answers["interviewer"].fillna("").to_numpy(dtype=object)
        if "interviewer" in interviews.answers
        else np.full(interviews.n, "", dtype=object)
    )
    codes = _interviewer_codes(interviewers)
    for variable in codebook.counts:
        counts = interviews.answers[variable.name].to_numpy(dtype=np.float64)
        kinds = interviews.missing[variable.name]
        answers = counts[np.isfinite(counts)]
        top = np.nan if variable.top_code is None else variable.top_code
        any_answer = answers.size > 0
        rows.append(
            {
                "group": variable.group,
                "role": variable.role,
                "n": interviews.n,
                "answered": answers.size,
                "zero_share": float(np.mean(answers == 0)) if any_answer else np.nan,
                "five_or_more": int(np.sum(answers >= _HEAP)),
                "heaped_share": np.nan if variable.bins else heaped_share(answers),
                "max": float(answers.max()) if any_answer else np.nan,
                "top_code": top,
                "top_code_share": float(np.mean(answers >= top))
                if any_answer and np.isfinite(top)
                else np.nan,
                "missing_share": float((kinds != "").mean()),
                "refused_share": float((kinds == "refused").mean()),
                "dont_know_share": float((kinds == "dont_know").mean()),
                "not_asked_share": float((kinds == "not_asked").mean()),
                "out_of_range_share": float((kinds == "out_of_range").mean()),
                "system_share": float((kinds == "system").mean()),
                "interviewer_correlation": _correlation(counts, codes),
            }
        )
    return pd.DataFrame(rows)
