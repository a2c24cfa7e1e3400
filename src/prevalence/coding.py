"""Labels as integer codes, and sums by code: what every table of totals is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


def sums(codes: Codes, values: ArrayLike, count: int) -> Array:
    """Sum a column (n,) by group, shape (count,)."""
    found = np.bincount(codes, weights=np.asarray(values, dtype=float), minlength=count)
    return np.asarray(found, dtype=float)  # without rows bincount counts, in integers


def sums_by(codes: Codes, values: Array, count: int) -> Array:
    """Sum rows by group.

    Parameters
    ----------
    codes
        Group of each row, shape (n,).
    values
        Shape (n, q).
    count
        Number of groups G.

    Returns
    -------
    numpy.ndarray
        Shape (G, q).
    """
    result = np.empty((count, values.shape[1]))
    for k in range(values.shape[1]):
        result[:, k] = sums(codes, values[:, k], count)
    return result


def sums_by_domain(codes: Codes, count: int, values: Array, domain: Codes, domains: int) -> Array:
    """Sum a column by unit and domain.

    Parameters
    ----------
    codes
        Unit of each row, shape (n,).
    count
        Number of units m.
    values
        Shape (n,).
    domain
        Domain of each row, -1 for none, shape (n,).
    domains
        Number of domains D.

    Returns
    -------
    numpy.ndarray
        Shape (m, D).
    """
    if domains == 1:
        inside = values if (domain == 0).all() else np.where(domain == 0, values, 0.0)
        return sums(codes, inside, count)[:, None]
    if (domain >= 0).all():
        cell = codes * domains + domain
    else:
        keep = domain >= 0
        cell, values = codes[keep] * domains + domain[keep], values[keep]
    return sums(cell, values, count * domains).reshape(count, domains)


def encoded(labels: ArrayLike, extra: Sequence[Any] = ()) -> tuple[Codes, list[str]]:
    """Turn labels into codes in sorted order.

    Parameters
    ----------
    labels
        Shape (n,).
    extra
        Further labels, appended; they are compared as text.

    Returns
    -------
    codes : numpy.ndarray
        Shape (n + len(extra),).
    names : list of str
        Label of each code.
    """
    values = np.asarray(labels)
    if len(extra):
        values = np.concatenate([values.astype(str), np.asarray(list(extra), dtype=str)])
    if values.dtype == object:
        values = values.astype(str)
    if values.dtype.kind in "iu" and len(values) and values.min() >= 0:
        top = int(values.max())
        if top <= 4 * len(values) + 1000:  # a table of flags is much quicker than sorting
            seen = np.zeros(top + 1, dtype=bool)
            seen[values] = True
            names = np.flatnonzero(seen)
            return (np.cumsum(seen) - 1)[values].astype(np.intp), [str(name) for name in names]
    names, codes = np.unique(values, return_inverse=True)
    return codes.astype(np.intp).ravel(), [str(name) for name in names]


def missing_labels(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Say which labels are missing (None, NaN), shape (n,); None where there are none."""
    if values.dtype.kind not in "Of":
        return None
    import pandas as pd

    missing: NDArray[np.bool_] = np.asarray(pd.isna(values), dtype=bool)
    return missing if missing.any() else None


def texts(column: ArrayLike) -> NDArray[np.str_]:
    """Give labels as text, empty where they are missing.

    A pandas column of text must not be turned into fixed-width text directly: with a missing value
    among them, all labels are cut to one character.

    Parameters
    ----------
    column
        Labels, shape (n,).
    """
    import pandas as pd

    values = np.array(column, dtype=object)
    values[pd.isna(values)] = ""
    return values.astype(str)


def distinct(codes: Codes) -> tuple[Codes, Codes]:
    """Give the sorted distinct codes and the place of each row's; quick where codes are dense.

    Parameters
    ----------
    codes
        Codes from 0, shape (n,).

    Returns
    -------
    distinct, places : numpy.ndarray
        ``distinct[places]`` is `codes`.
    """
    top = int(codes.max(initial=0))
    if top <= 4 * len(codes) + 1000:
        seen = np.zeros(top + 1, dtype=bool)
        seen[codes] = True
        return np.flatnonzero(seen), (np.cumsum(seen) - 1)[codes].astype(np.intp)
    distinct, places = np.unique(codes, return_inverse=True)
    return distinct.astype(np.intp), places.astype(np.intp).ravel()
