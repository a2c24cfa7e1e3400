"""Labels of strata and PSUs for the variance: certainty PSUs, and strata that are joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.coding import texts


def certainty_as_strata(
    strata: ArrayLike, psu: ArrayLike, ssu: ArrayLike, certainty: ArrayLike
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Make each PSU that was taken with certainty a stratum of its next-stage units.

    Parameters
    ----------
    strata, psu, ssu
        Labels, shape (n,).
    certainty
        Whether the PSU was taken with certainty, shape (n,).

    Returns
    -------
    strata, psu : numpy.ndarray
        Labels for the variance, shape (n,).
    """
    h, c, s = (np.asarray(a).astype(str) for a in (strata, psu, ssu))
    sure = np.asarray(certainty).astype(bool)
    joined = np.char.add(np.char.add(h, ":"), c)
    return np.where(sure, joined, h), np.where(sure, s, c)


def distinct_units(strata: ArrayLike, psu: ArrayLike) -> NDArray[np.str_]:
    """Give PSUs labels that differ between strata: two strata may each have a PSU of one label.

    Parameters
    ----------
    strata, psu
        Labels, shape (n,); a missing label is a label of its own.

    Returns
    -------
    numpy.ndarray
        Shape (n,); only which of them are equal has a meaning.
    """
    labels: NDArray[np.str_] = np.char.add(np.char.add(texts(strata), "\t"), texts(psu))
    return labels


def shared_labels(strata: ArrayLike, psu: ArrayLike) -> tuple[int, int]:
    """Count PSU labels that stand in several strata, and all labels.

    Parameters
    ----------
    strata, psu
        Labels, shape (n,).

    Returns
    -------
    shared, all : int
        Each shared label is a PSU of its own in each of its strata.
    """
    pairs = set(zip(texts(strata).tolist(), texts(psu).tolist(), strict=True))
    counts = Counter(label for _, label in pairs)
    return sum(n > 1 for n in counts.values()), len(counts)


def joined_strata(
    strata: ArrayLike,
    psu: ArrayLike,
    empty_psus: Sequence[tuple[str, str]],
    partners: Mapping[str, str],
) -> tuple[NDArray[np.str_], NDArray[np.str_], list[tuple[str, str]]]:
    """Join strata with a lone PSU with the partner that is named for them.

    Parameters
    ----------
    strata, psu
        Labels, shape (n,).
    empty_psus
        (stratum, PSU) labels without respondents; they count.
    partners
        Stratum -> stratum.

    Returns
    -------
    strata, psu : numpy.ndarray
        Labels after joining, shape (n,); a PSU that moves carries its old stratum in its label,
        so that two PSUs of one name stay two. Lone strata without a partner stay.
    empty_psus : list
        The same for the PSUs without respondents.
    """
    pairs = list(
        zip(
            np.asarray(strata).astype(str).tolist(),
            np.asarray(psu).astype(str).tolist(),
            strict=True,
        )
    )
    counts: dict[str, int] = {}
    for stratum, _ in {*pairs, *empty_psus}:
        counts[stratum] = counts.get(stratum, 0) + 1
    target = {h: _final_partner(h, partners) for h in counts if counts[h] == 1}

    def moved(pair: tuple[str, str]) -> tuple[str, str]:
        into = target.get(pair[0], pair[0])
        return pair if into == pair[0] else (into, ":".join(pair))

    new = [moved(pair) for pair in pairs]
    return (
        np.array([h for h, _ in new], dtype=str),
        np.array([c for _, c in new], dtype=str),
        [moved(pair) for pair in empty_psus],
    )


def joined_population(
    strata: ArrayLike,
    psu: ArrayLike,
    empty_psus: Sequence[tuple[str, str]],
    joined: ArrayLike,
    population: ArrayLike,
) -> NDArray[np.float64]:
    """Add up the population of strata that were joined.

    Parameters
    ----------
    strata, psu
        Labels before joining, shape (n,).
    empty_psus
        (stratum, PSU) labels without respondents, before joining.
    joined
        Strata after joining, shape (n,).
    population
        Units in the population of the stratum, or sampling fractions, shape (n,).

    Returns
    -------
    numpy.ndarray
        The same for the joined strata, shape (n,). Where a stratum has more than one value, they
        are left as they are, to be refused.
    """
    given = np.asarray(population, dtype=float)
    before, after = (np.asarray(a).astype(str) for a in (strata, joined))
    sampled = {
        *zip(before.tolist(), np.asarray(psu).astype(str).tolist(), strict=True),
        *empty_psus,
    }
    units: dict[str, int] = {}
    for stratum, _ in sampled:
        units[stratum] = units.get(stratum, 0) + 1
    fractions = bool((given <= 1).all())
    result = given.copy()
    for stratum in np.unique(after):
        rows = after == stratum
        parts = {(h, value) for h, value in zip(before[rows], given[rows], strict=True)}
        names = {h for h, _ in parts}
        if len(names) == 1 or len(names) < len(parts):
            continue
        if fractions:
            result[rows] = sum(units[h] for h in names) / sum(units[h] / f for h, f in parts)
        else:
            result[rows] = sum(value for _, value in parts)
    return result


def _final_partner(stratum: str, partners: Mapping[str, str]) -> str:
    """Follow the chain of partners; two strata that name each other meet in the first by name."""
    seen = [stratum]
    while (following := partners.get(seen[-1])) is not None:
        if following in seen:
            return min(seen[seen.index(following) :])
        seen.append(following)
    return seen[-1]
