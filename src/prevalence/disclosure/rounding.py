"""Rounding: significant digits, never finer than a share of the standard error."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.rules import Policy

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

_STEPS = np.array([1.0, 2.0, 5.0, 10.0])
# A smallest or largest weight is one respondent's.
_EXTREME_DIGITS = 2


def rounding_step(estimate: Array, std_error: Array, policy: Policy) -> Array:
    """Distance between the numbers to which an estimate is rounded.

    Parameters
    ----------
    estimate
        Estimates, shape (n,).
    std_error
        Their standard errors, shape (n,); NaN where unknown.
    policy
        Digits, and the share of the standard error.

    Returns
    -------
    numpy.ndarray
        1, 2 or 5 times a power of ten, shape (n,): at least the last significant digit, and at
        least the configured share of the standard error. NaN where there is neither.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = np.floor(np.log10(np.abs(estimate))) - (policy.significant_digits - 1)
        by_digits = np.where(estimate == 0, np.nan, 10.0**digits)
        share = policy.standard_error_share * std_error
        power = 10.0 ** np.floor(np.log10(share))
        leading = share / power
    nice = _STEPS[np.searchsorted(_STEPS, np.nan_to_num(leading) - 1e-9, side="left").clip(0, 3)]
    by_error = np.where(share > 0, nice * power, np.nan)
    return np.fmax(by_digits, by_error)


def rounded(values: Array, step: Array) -> Array:
    """Round to multiples of a step, halves to even; without the noise of binary fractions.

    Parameters
    ----------
    values
        Numbers, shape (n,) or scalar.
    step
        Step of each, shape (n,); NaN or 0 leaves the number as it is.

    Returns
    -------
    numpy.ndarray
        Rounded numbers, shape (n,).
    """
    usable = np.isfinite(step) & (step > 0) & np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        safe = np.where(usable, step, 1.0)
        multiples = np.round(np.where(usable, values, 0.0) / safe) * safe
        decimals = np.clip(-np.floor(np.log10(safe)), 0, 15).astype(int)
    clean = np.array(
        [
            round(float(v), int(d))
            for v, d in zip(np.ravel(multiples), np.ravel(decimals), strict=True)
        ]
    )
    return np.where(usable, clean.reshape(np.shape(multiples)), values) + 0.0


def significant(values: Array, digits: int) -> Array:
    """Round to significant digits.

    Parameters
    ----------
    values
        Numbers, shape (n,).
    digits
        Significant digits.

    Returns
    -------
    numpy.ndarray
        Shape (n,).
    """
    numbers = np.asarray(values, float)
    with np.errstate(divide="ignore"):
        step = 10.0 ** (np.floor(np.log10(np.abs(numbers))) - (digits - 1))
    return rounded(numbers, np.where((numbers == 0) | ~np.isfinite(numbers), np.nan, step))


def numeric_columns(table: pd.DataFrame) -> list[str]:
    """Names of the columns that hold numbers; flags aren't numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return [
        str(c) for c in table.columns if is_numeric_dtype(table[c]) and not is_bool_dtype(table[c])
    ]


def rounded_numbers(table: pd.DataFrame, exact: Collection[str], policy: Policy) -> pd.DataFrame:
    """Round what isn't a count, a setting or public to significant digits.

    Parameters
    ----------
    table
        Any table.
    exact
        Columns that stay as they are.
    policy
        Digits.

    Returns
    -------
    pandas.DataFrame
        A copy; columns of whole numbers stay, sums and means excepted.
    """
    frame = table.copy()
    for column in numeric_columns(frame):
        if column in exact:
            continue
        values = frame[column].to_numpy(float)
        whole = np.all(np.isnan(values) | (values == np.round(values)))
        if not whole or column in ("sum", "mean"):
            digits = _EXTREME_DIGITS if column in ("min", "max") else policy.significant_digits
            frame[column] = significant(values, digits)
    return frame
