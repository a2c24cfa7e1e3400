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

    No `fastmath`: it would remove the checks for values that are not finite.

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
    decorate = numba.njit(cache=True, nogil=True, error_model="numpy")
    return cast(Function, decorate(function))


# √½ and 1 as bit patterns, the bits of a fraction, and 2⁵² as one.
ROOT_HALF, ONE, FRACTION, LARGE = 0x3FE6A09E667F3BCD, 0x3FF0 << 48, (1 << 52) - 1, 0x4330 << 48
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
OFFSET = 4503599627370496.0 + 1023.0


@compiled
def logarithms(values: Array, scratch: Array, out: Array) -> None:
    """Natural logarithms of positive, normal numbers, several at once.

    ``log(2^e m) = e log 2 + 2 artanh(s)`` with ``s = (m − 1)/(m + 1)`` and ``m`` between √½ and √2:
    the series to ``s²³`` is exact to the last digit or so. Not for 0, negative or infinite numbers:
    what comes out there is finite and wrong. `scratch` is overwritten.
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
        tail = 1 / 19 + z * (1 / 21 + z / 23)
        tail = 1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * tail)))
        tail = z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * tail))))
        out[i] = e * LN2_HIGH + (2.0 * s + (2.0 * s * tail + e * LN2_LOW))


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
    for i in range(len(values)):
        x = values[i]
        e = math.exp(-abs(x))
        large, small = 1.0 / (1.0 + e), e / (1.0 + e)
        soft[i] = max(x, 0.0) + math.log1p(e)
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
