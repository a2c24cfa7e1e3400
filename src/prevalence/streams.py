"""Streams of random numbers that belong to names: each is the same whatever else is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np


def stream(entropy: int | Sequence[int], *names: str | int) -> np.random.Generator:
    """Give the random generator that belongs to some names and numbers.

    Parameters
    ----------
    entropy
        The seed.
    names
        Of what is drawn. Where a sampler's chains have the same seed, the last of them has to be a
        word: :class:`numpy.random.SeedSequence` gives a chain of a number that number's stream.

    Returns
    -------
    numpy.random.Generator
    """
    seed = [entropy] if isinstance(entropy, int) else list(entropy)
    numbers = [name if isinstance(name, int) else crc32(name.encode()) for name in names]
    return np.random.default_rng(np.random.SeedSequence([*seed, *numbers]))
