"""Answers given in bins: 0, 1, 2–5, 6–10, more.

Everywhere but in the models a bin counts as one number, which the codebook names. The models take
the interval itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_BIN = re.compile(r"(\d{1,6})(?:(\+)|-(\d{1,6}))?(?::(\d{1,6}(?:\.\d{1,3})?))?", re.ASCII)
BIN_FORMAT = "1, 2-5, 2-5:3 or 11+:15 (after the colon the count that stands for the bin)"


@dataclass(frozen=True)
class Bin:
    """Counts that one answer covers.

    Attributes
    ----------
    lower, upper
        Smallest and largest count; `upper` is infinite in an open bin.
    count
        The count that stands for the bin outside the models.
    """

    lower: float
    upper: float
    count: float


def parse_bin(text: str) -> Bin | None:
    """Read a bin as the codebook writes it: `BIN_FORMAT`.

    Returns
    -------
    Bin or None
        Its count is the middle unless named. None if it is no bin: bounds upside down, a count
        outside, an open bin without a count, or 0 together with larger counts (whether a
        respondent reports anybody at all must be known).
    """
    found = _BIN.fullmatch(text)
    if not found:
        return None
    low, plus, high, named = found.groups()
    lower = float(low)
    upper = np.inf if plus else float(high or low)
    count = float(named) if named else (lower + upper) / 2
    right = lower <= count <= upper and np.isfinite(count) and not (lower == 0 < upper)
    return Bin(lower, upper, count) if right else None


def overlapping(bins: Mapping[str, Bin]) -> bool:
    """Whether two answers of a question cover the same count, which none of them may."""
    ordered = sorted(bins.values(), key=lambda one: one.lower)
    return any(one.upper >= after.lower for one, after in itertools.pairwise(ordered))
