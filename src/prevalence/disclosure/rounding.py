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

_FINEST = 6  # powers of ten by which a limit may be printed more finely than its estimate
_STEPS = np.array([1.0, 2.0, 5.0, 10.0])
# A smallest or largest weight is one respondent's; R-hat is judged in its third decimal.
_DIGITS = {"min": 2, "max": 2, "rhat": 5}


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


def rounded_apart(values: Array, step: Array, equal: Array) -> Array:
    """Round limits of comparisons so that each stays on its side of equality.

    A limit of 0.996 that is printed as 1.00 says of an interval that it holds what it doesn't.

    Parameters
    ----------
    values
        Limits, shape (n,).
    step
        As for :func:`rounded`.
    equal
        What the limit would be if both were equal: 1 of ratios, 0 of differences; NaN where the
        number is no comparison. Shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n,): multiples of the step, or of a tenth, a hundredth, … of it where a coarser one
        would fall on equality.
    """
    shown = rounded(values, step)
    for finer in range(1, _FINEST):
        onto = (shown == equal) & (values != equal)
        if not onto.any():
            break
        shown = np.where(onto, rounded(values, step / 10**finer), shown)
    return shown


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


def derivable_estimates(table: pd.DataFrame, policy: Policy) -> tuple[Array, Array]:
    """Derive the interval in which an estimate lies from its released row.

    The estimate, its two limits and its standard error are rounded apart. Where the interval is
    symmetric on the scale of logarithms, the estimate is also the root of the limits' product,
    and proportional to the standard error over the logarithm of their ratio.

    Parameters
    ----------
    table
        Unrounded columns `estimate`, `lower`, `upper`, `std_error`; n rows.
    policy
        Rounding.

    Returns
    -------
    lower, upper : numpy.ndarray
        Shape (n,).
    """
    exact = {name: table[name].to_numpy(float) for name in ("estimate", "lower", "upper")}
    error = table["std_error"].to_numpy(float)
    step = rounding_step(exact["estimate"], error, policy)
    half = np.nan_to_num(step) / 2
    shown = {name: rounded(values, step) for name, values in exact.items()}
    low, high = (shown["estimate"] + sign * half for sign in (-1.0, 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(exact["lower"] * exact["upper"])
        symmetric = np.isclose(root, exact["estimate"], rtol=1e-6) & (shown["lower"] > half)
        least, most = (
            [shown[name] + sign * half for name in ("lower", "upper")] for sign in (-1.0, 1.0)
        )
        between = [np.sqrt(least[0] * least[1]), np.sqrt(most[0] * most[1])]
        spread = exact["estimate"] * np.log(exact["upper"] / exact["lower"]) / error
        digits = significant(error, 2)
        coarse = 10.0 ** (np.floor(np.log10(error)) - 1) / 2
        by_error = [
            spread * (digits - coarse) / np.log(most[1] / least[0]),
            spread * (digits + coarse) / np.log(least[1] / most[0]),
        ]
    for lower, upper in (between, by_error):
        usable = symmetric & np.isfinite(lower) & np.isfinite(upper)
        low = np.where(usable, np.maximum(low, lower), low)
        high = np.where(usable, np.minimum(high, upper), high)
    return np.minimum(low, exact["estimate"]), np.maximum(high, exact["estimate"])


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
            digits = _DIGITS.get(column, policy.significant_digits)
            frame[column] = significant(values, digits)
    return frame
