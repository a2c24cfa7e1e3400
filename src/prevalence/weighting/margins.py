"""Calibration margins: respondents' categories, populations, merging of thin categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.errors import PipelineError, check_known, listed, suggestion
from prevalence.nonresponse import JOINED, Merge

if TYPE_CHECKING:
    import pandas as pd

MARGIN_PREFIX = "margin_"
# Types of the columns of census and margins in files: codes such as 01 are texts, not numbers.
TEXT_COLUMNS = {"margin": str, "category": str}


@dataclass(frozen=True, eq=False)
class MergedMargin:
    """A calibration margin after its thin categories were merged.

    Parameters
    ----------
    labels
        Category of each respondent, shape (n,).
    population
        Population of each category.
    merges
        What was merged, and why.
    """

    labels: NDArray[np.str_]
    population: dict[str, float]
    merges: tuple[Merge, ...]


def merge_thin_categories(
    margin: str,
    labels: ArrayLike,
    psu: ArrayLike,
    population: Mapping[str, float],
    *,
    minimum_psus: int,
    partners: Mapping[str, str],
    structural_zeros: Sequence[str] = (),
) -> MergedMargin:
    """Merge categories that rest on too few PSUs with their named partner.

    Parameters
    ----------
    margin
        The margin's name.
    labels
        Category of each respondent, shape (n,).
    psu
        PSU of each respondent, shape (n,).
    population
        Population of each category.
    minimum_psus
        Fewest PSUs in which a category has respondents.
    partners
        Category -> category it is merged with.
    structural_zeros
        Categories that cannot occur; their population must be 0.

    Returns
    -------
    MergedMargin

    Raises
    ------
    PipelineError
        If respondents have a category without a population, a thin category has no partner, or a
        structural zero has a population.
    """
    place = f"weight.calibration, margin {margin}"
    own = np.asarray(labels).astype(str)
    absent = sorted(set(own.tolist()) - set(population))
    if absent:
        counts = [
            f"{name or 'nothing'} ({int((own == name).sum())} respondents)" for name in absent
        ]
        raise PipelineError(
            "Respondents have a category for which there is no population.",
            place=place,
            found=listed(counts),
            allowed=listed(population, 40),
            remedy=suggestion(absent[0], population),
        )
    wrong = [name for name in structural_zeros if population.get(name, 0) > 0 or name in own]
    if wrong:
        raise PipelineError(
            "A structural zero has a population or respondents.",
            place=f"{place}, structural_zeros",
            found=listed(wrong),
            remedy="Take it out of structural_zeros, or correct the census table.",
        )
    groups = {name: [name] for name in population if name not in structural_zeros}
    at = {name: name for name in groups}
    psus: dict[str, set[str]] = {name: set() for name in groups}
    for name, unit in set(zip(own.tolist(), np.asarray(psu).astype(str).tolist(), strict=True)):
        psus[name].add(unit)
    merges: list[Merge] = []
    while len(groups) > 1:
        thin = [name for name in groups if len(psus[name]) < minimum_psus]
        if not thin:
            break
        worst = min(thin, key=lambda name: (len(psus[name]), name))
        into = _partner_group(groups[worst], at, partners)
        if into is None:
            raise PipelineError(
                "A category rests on too few PSUs and has no partner to be merged with.",
                place=f"{place}, category {JOINED.join(groups[worst])}",
                found=f"{len(psus[worst])} PSUs",
                allowed=f"at least {minimum_psus}",
                remedy="Name a similar category, for instance: weight.calibration.partners: "
                f"{{{margin}: {{{groups[worst][0]!r}: …}}}}",
            )
        merges.append(
            Merge(
                margin,
                JOINED.join(groups[worst]),
                JOINED.join(groups[into]),
                f"{len(psus[worst])} PSUs, at least {minimum_psus} wanted",
            )
        )
        groups[into] += groups.pop(worst)
        psus[into] |= psus.pop(worst)
        at.update(dict.fromkeys(groups[into], into))
    order = list(population)
    name_of = {
        category: JOINED.join(sorted(group, key=order.index))
        for group in groups.values()
        for category in group
    }
    merged: dict[str, float] = {}
    for category in order:
        if category in name_of:
            name = name_of[category]
            merged[name] = merged.get(name, 0.0) + float(population[category])
    return MergedMargin(np.array([name_of[c] for c in own.tolist()]), merged, tuple(merges))


def _partner_group(
    members: Sequence[str], at: Mapping[str, str], partners: Mapping[str, str]
) -> str | None:
    """Group of the first partner that lies outside the group itself."""
    for member in members:
        following, passed = partners.get(member), {member}
        while following is not None and following not in passed:
            if following in at and following not in members:
                return at[following]
            passed.add(following)
            following = partners.get(following)
    return None


def partners_after_merging(
    margin: str, categories: Sequence[str], partners: Mapping[str, str]
) -> dict[str, str]:
    """Carry partners over to merged categories, as ``"margin: category"`` names.

    Parameters
    ----------
    margin
        The margin's name.
    categories
        Categories after merging.
    partners
        Original category -> partner.
    """
    known = {*partners, *partners.values()}
    members = {name: _members(name, known) for name in categories}
    at = {part: name for name, parts in members.items() for part in parts}
    found = {}
    for name, parts in members.items():
        into = _partner_group(parts, at, partners)
        if into is not None:
            found[f"{margin}: {name}"] = f"{margin}: {into}"
    return found


def _members(name: str, known: set[str]) -> list[str]:
    """Categories that a merged one was made of; a category's own name may hold the joint, too."""
    parts = name.split(JOINED)
    members: list[str] = []
    while parts:
        sizes = [n for n in range(len(parts), 0, -1) if JOINED.join(parts[:n]) in known]
        size = sizes[0] if sizes else 1
        members.append(JOINED.join(parts[:size]))
        parts = parts[size:]
    return members


def margin_labels(respondents: pd.DataFrame, name: str) -> NDArray[np.str_]:
    """Category of each respondent in a margin, shape (n,); empty where it is missing.

    Raises
    ------
    PipelineError
        If the margin isn't a variable of the respondents.
    """
    check_known(
        name,
        respondents.columns,
        "A calibration margin isn't a variable of the respondents.",
        place="weight.calibration.margins",
    )
    labels = respondents[name]
    if labels.dtype.kind == "f":  # a code is written 1, as the census has it, not 1.0
        return np.array(["" if np.isnan(value) else f"{value:.15g}" for value in labels], dtype=str)
    return np.where(labels.isna(), "", labels.astype(str)).astype(str)


def margin_populations(census: pd.DataFrame, name: str) -> dict[str, float]:
    """Find the population of each category of a margin in the census table.

    Raises
    ------
    PipelineError
        If the table lacks the margin, or lists a category twice.
    """
    rows = census[census["margin"] == name]
    if not len(rows) or rows["category"].duplicated().any():
        raise PipelineError(
            "The census table lacks a margin, or lists a category twice.",
            place=f"weight.calibration.margins: {name}",
            found=f"{len(rows)} rows, {int(rows['category'].duplicated().sum())} repeated",
            allowed=f"one row a category; margins {listed(census['margin'].unique())}",
            remedy="Correct the census table.",
        )
    return dict(zip(rows["category"].astype(str), rows["population"].astype(float), strict=True))


def reconciled(
    populations: dict[str, dict[str, float]], tolerance: float
) -> dict[str, dict[str, float]]:
    """Scale margins to the first one's sum where they differ by no more than the tolerance.

    A margin without any population is left to the calibration, which refuses it.
    """
    total = sum(next(iter(populations.values())).values())
    scaled = {}
    for name, part in populations.items():
        own = sum(part.values())
        ratio = total / own if own > 0 else np.inf
        close = abs(ratio - 1) <= tolerance
        scaled[name] = {c: n * ratio for c, n in part.items()} if close else part
    return scaled
