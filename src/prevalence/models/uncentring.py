"""Effects as steps in a unit that suits what the answers say of them.

An effect ``u ~ N(0, σ)`` and its ``σ`` form a funnel where the answers say little of ``u``; ``u/σ``
and ``σ`` are bound to one another where they say much. Between the two (Papaspiliopoulos, Roberts &
Sköld 2007) stands ``u = s t`` with ``s = σ / √(1 + I σ²)``, about the standard deviation of ``u``
given ``σ`` and answers of information ``I``: ``σ`` as it goes to 0, ``I^{−1/2}`` as it grows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def information(people: Array, dispersion: float) -> Array:
    """About how much a sum of counts says of the logarithm of its mean.

    Parameters
    ----------
    people
        The sums, any shape.
    dispersion
        Variance over mean.
    """
    return (people + 1) / dispersion


def unit(log_sigma: Array | float, known: Array) -> tuple[Array, Array]:
    """Give the unit of the steps.

    Parameters
    ----------
    log_sigma
        Logarithm of ``σ``, of a shape that goes with that of `known`.
    known
        Information ``I``.

    Returns
    -------
    unit, share : numpy.ndarray
        ``s``, and ``d log s / d log σ``: the share of noise in what the answers say.
    """
    sigma = np.exp(log_sigma)
    share = 1 / (1 + known * sigma**2)
    return sigma * np.sqrt(share), share
