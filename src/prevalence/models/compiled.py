"""Compilation of the inner loops, kept between runs beside the source; and what they share."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError

Array = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a loop over arrays with numba, without the interpreter's lock.

    A product and a sum may be rounded once instead of twice. No more of `fastmath`: it would remove
    the checks for values that are not finite.

    Parameters
    ----------
    function
        Plain loops over arrays and floats.

    Returns
    -------
    callable
        The same function, compiled at its first call and cached on disk.

    Raises
    ------
    PipelineError
        If numba isn't installed.
    """
    try:
        numba = importlib.import_module("numba")
    except ImportError as error:
        raise PipelineError(
            "The models need a package that isn't installed.",
            found="no numba",
            remedy="Install the project's requirements.lock, or leave the section `model:` out "
            "of the survey's config.",
        ) from error
    decorate = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
    return cast(Function, decorate(function))


# √½ and 1 as bit patterns, the bits of a fraction, and 2⁵² as one.
ROOT_HALF, ONE, FRACTION, LARGE = 0x3FE6A09E667F3BCD, 0x3FF0 << 48, (1 << 52) - 1, 0x4330 << 48
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
OFFSET = 4503599627370496.0 + 1023.0
ODD = (3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01)
EVEN = (
    6.666666666666735130e-01,
    2.857142874366239149e-01,
    1.818357216161805012e-01,
    1.479819860510658591e-01,
)
# 1/log 2; 1.5 · 2⁵², which leaves whole numbers in the last bits; and a double's range.
PER_LN2, ROUNDING, LEAST_LOG, LARGEST_LOG = 1.4426950408889634, 6755399441055744.0, -708.0, 709.0


@compiled
def exponentials(values: Array, scratch: Array, out: Array) -> None:
    """Powers of e, several at once, exact to the last digit or so.

    ``e^x = 2^n e^r`` with ``|r| ≤ ½ log 2``, by the series to ``r¹³``. What is beyond −708 or 709
    is taken for these. `scratch` is overwritten; `out` may not be `values`.
    """
    whole = scratch.view(np.int64)
    for i in range(len(values)):
        x = min(max(values[i], LEAST_LOG), LARGEST_LOG)
        scratch[i] = x * PER_LN2 + ROUNDING
        n = scratch[i] - ROUNDING
        r = (x - n * LN2_HIGH) - n * LN2_LOW
        tail = 1 / 39916800 + r * (1 / 479001600 + r / 6227020800)
        tail = 1 / 5040 + r * (1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * tail)))
        tail = 0.5 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * tail))))
        out[i] = 1.0 + (r + r * r * tail)
    for i in range(len(values)):
        whole[i] = (whole[i] + 1023) << 52
    for i in range(len(values)):
        out[i] *= scratch[i]


@compiled
def logarithms(values: Array, scratch: Array, out: Array) -> None:
    """Natural logarithms of positive, normal numbers, several at once.

    ``log(2^e m) = e log 2 + 2 artanh(s)`` with ``s = f/(2 + f)``, ``f = m − 1`` and ``m`` between
    √½ and √2: a polynomial of best approximation (that of FreeBSD's msun) is exact to the last
    digit or so. Not for 0, negative or infinite numbers: what comes out there is finite and wrong.
    `scratch` is overwritten.
    """
    bits, whole, pattern = values.view(np.int64), scratch.view(np.int64), out.view(np.int64)
    for i in range(len(values)):
        shifted = bits[i] + (ONE - ROOT_HALF)
        whole[i] = (shifted >> 52) | LARGE
        pattern[i] = (shifted & FRACTION) + ROOT_HALF
    for i in range(len(values)):
        e = scratch[i] - OFFSET
        f = out[i] - 1.0
        s = f / (2.0 + f)
        z = s * s
        w = z * z
        odd = w * (ODD[0] + w * (ODD[1] + w * ODD[2]))
        even = z * (EVEN[0] + w * (EVEN[1] + w * (EVEN[2] + w * EVEN[3])))
        half = 0.5 * f * f
        out[i] = e * LN2_HIGH - ((half - (s * (half + odd + even) + e * LN2_LOW)) - f)


@compiled
def added(values: Array) -> float:
    """Sum in four parts, which don't wait for one another."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    whole = len(values) // 4 * 4
    for i in range(0, whole, 4):
        a += values[i]
        b += values[i + 1]
        c += values[i + 2]
        d += values[i + 3]
    for i in range(whole, len(values)):
        a += values[i]
    return (a + b) + (c + d)


@compiled
def softplus(values: Array, soft: Array, slope: Array, rest: Array) -> None:
    """Softplus ``log(1 + e^x)``, its slope, and what is missing of the slope to 1, into place.

    Parameters
    ----------
    values
        ``x``, shape (n,).
    soft, slope, rest
        Shape (n,); ``rest`` is ``e^{−soft}`` too, to full relative precision.
    """
    n = len(values)
    part, above, logs, scratch = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        above[i] = -abs(values[i])
    exponentials(above, scratch, part)
    for i in range(n):
        above[i] = 1.0 + part[i]
    logarithms(above, scratch, logs)
    for i in range(n):
        x, e = values[i], part[i]
        large, small = 1.0 / above[i], e / above[i]
        # What rounding 1 + e has lost of a small e is given back.
        soft[i] = max(x, 0.0) + (logs[i] + (e - (above[i] - 1.0)) / above[i])
        slope[i] = large if x >= 0 else small
        rest[i] = small if x >= 0 else large


@compiled
def digamma(x: float) -> float:
    """Differentiate log Γ at a positive number: recurrence to 10, and Stirling's series there."""
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    z = 1.0 / (x * x)
    tail = 1 / 240 - z * (1 / 132 - z * (691 / 32760 - z / 12))
    tail = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * tail)))
    return total + math.log(x) - 0.5 / x - tail
