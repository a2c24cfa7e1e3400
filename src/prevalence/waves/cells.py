"""What two waves are compared by: quantities under the earlier wave's choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prevalence.domains import Domain, Populations
from prevalence.errors import PipelineError, listed
from prevalence.estimation import Study
from prevalence.ratio import RatioBatch, Sampling
from prevalence.relational import capped
from prevalence.scale_up import FORMS, PER, HiddenGroup, NetworkSizes, ratio_columns
from prevalence.waves.change import Compared, compared
from prevalence.waves.joint import Overlap

Array = NDArray[np.float64]
Key = dict[str, str]


@dataclass(frozen=True)
class Cell:
    """A quantity that is compared: which ratio of sums, times what, in both waves.

    Parameters
    ----------
    key
        `group`, `domain_type`, `domain` and `unit`.
    columns
        Numerator, denominator and exposure in the earlier and the later wave.
    masks
        The domain's respondents in the two.
    scales
        What the ratios are multiplied by.
    """

    key: Key
    columns: tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    scales: tuple[float, float]


def frozen(earlier: Study, later: Study) -> tuple[Study, Study, list[str]]:
    """Give both waves the choices of the earlier one's headline.

    Parameters
    ----------
    earlier, later
        The waves, each with its own choices.

    Returns
    -------
    earlier, later : Study
        Estimator, top codes, rules of the degree and known groups, those of single hidden groups
        too, are the earlier wave's; of its known groups those that both waves asked about and have
        sizes of.
    dropped : list of str
        Its known groups that the later wave lacks.

    Raises
    ------
    PipelineError
        If fewer known groups are left than a degree needs answers, or than two.
    """
    kept = _shared("headline.known_groups", earlier.headline.known_groups, earlier, later)
    asked, own = [*earlier.headline.known_groups], {}
    for name, setting in earlier.settings["hidden_groups"].items():
        if setting.get("known_groups") and name in later.settings["hidden_groups"]:
            place = f"estimate.hidden_groups.{name}.known_groups"
            own[name] = _shared(place, setting["known_groups"], earlier, later)
            asked += setting["known_groups"]
    left = {*kept, *(group for groups in own.values() for group in groups)}
    dropped = [name for name in dict.fromkeys(asked) if name not in left]
    headline = replace(earlier.headline, known_groups=kept)
    return (
        replace(earlier, headline=headline, settings=_settings(earlier, earlier, own)),
        replace(later, headline=headline, settings=_settings(later, earlier, own)),
        dropped,
    )


def _shared(place: str, known: Sequence[str], earlier: Study, later: Study) -> tuple[str, ...]:
    """Give the known groups that both waves asked about and have sizes of."""
    kept = tuple(name for name in known if _has(earlier, name) and _has(later, name))
    fewest = max(2, int(earlier.settings["degree"]["minimum_groups"]))
    if len(kept) < fewest:
        raise PipelineError(
            "The waves have too few known groups in common.",
            place=place,
            found=listed(kept) if kept else "none",
            allowed=f"at least {fewest} groups that both waves asked about and have sizes of: as "
            "many answers as a degree needs (estimate.degree.minimum_groups)",
            remedy="Compare their reports by eye; network sizes don't compare.",
        )
    return kept


def _has(study: Study, name: str) -> bool:
    return name in study.counts and name in study.known_sizes


def _settings(
    study: Study, earlier: Study, known: Mapping[str, Sequence[str]]
) -> Mapping[str, Any]:
    """Take rules of the degree from the earlier wave, and `known` groups of hidden groups."""
    ruling = earlier.settings["hidden_groups"]
    groups = {}
    for name, own in study.settings["hidden_groups"].items():
        if name not in ruling:
            continue
        values = {**own, "population": ruling[name]["population"], "per": ruling[name]["per"]}
        values.pop("known_groups", None)
        if name in known:
            values["known_groups"] = list(known[name])
        groups[name] = values
    degree = {**study.settings["degree"], **earlier.settings["degree"]}
    return {**study.settings, "hidden_groups": groups, "degree": degree}


def cells_of(earlier: Study, later: Study) -> list[Cell]:
    """List what is compared: each hidden group in each domain that both waves have, and ratios.

    Parameters
    ----------
    earlier, later
        The waves with the same choices, from :func:`frozen`.

    Returns
    -------
    list of Cell
        For each hidden group that both asked about, persons and rate; for each ratio of hidden
        groups that both estimate, the nation. A quantity without its population in either wave is
        left out.

    Raises
    ------
    PipelineError
        If the waves have no hidden group in common.
    """
    form = FORMS[earlier.headline.estimator]
    pairs = _same_domains(earlier.domains, later.domains)
    mine, theirs = ({g.name: g for g in study.hidden_groups()} for study in (earlier, later))
    both = [name for name in mine if name in theirs]
    if not both:
        raise PipelineError(
            "The waves estimate no hidden group in common.",
            place="estimate.hidden_groups",
            found=f"{listed(mine)} in the earlier, {listed(theirs)} in the later wave",
            allowed="a group of the same id in both",
            remedy="Give the same group the same id in both configs.",
        )
    cells = []
    for name in both:
        groups = (mine[name], theirs[name])
        columns = tuple(
            ratio_columns(
                form, group.reports, group.sizes.by_definition[form.degree], study.sampling.weights
            )
            for study, group in zip((earlier, later), groups, strict=True)
        )
        for domains in pairs:
            place = {"domain_type": domains[0].type, "domain": domains[0].name}
            for unit in ("persons", groups[0].per):
                scales = tuple(
                    _scale(unit, group, domain, study.populations)
                    for group, domain, study in zip(groups, domains, (earlier, later), strict=True)
                )
                if np.isfinite(scales).all():
                    cells.append(
                        Cell(
                            {"group": name, **place, "unit": unit},
                            (columns[0], columns[1]),
                            (domains[0].mask, domains[1].mask),
                            (scales[0], scales[1]),
                        )
                    )
    return [*cells, *_ratios(earlier, later, mine, theirs)]


def _same_domains(
    earlier: Sequence[Domain], later: Sequence[Domain]
) -> list[tuple[Domain, Domain]]:
    there = {(domain.type, domain.name, domain.kind): domain for domain in later}
    keys = [(domain, (domain.type, domain.name, domain.kind)) for domain in earlier]
    return [(domain, there[key]) for domain, key in keys if key in there]


def _scale(unit: str, group: HiddenGroup, domain: Domain, populations: Populations) -> float:
    people = populations.of(domain, "all_ages")
    if unit == "persons":
        return people
    if group.population == "all_ages":
        return PER[unit]
    return PER[unit] * people / populations.of(domain, group.population)


def _ratios(
    earlier: Study, later: Study, mine: Mapping[str, HiddenGroup], theirs: Mapping[str, HiddenGroup]
) -> list[Cell]:
    cells = []
    for name, parts in earlier.ratios.items():
        # A wave's own release says what may be shown of a ratio: it must be the same one there.
        if later.ratios.get(name) != parts or not {*parts} <= {*mine} & {*theirs}:
            continue
        columns = [
            (groups[parts[0]].reports, groups[parts[1]].reports, groups[parts[1]].reports)
            for groups in (mine, theirs)
        ]
        everybody = [np.ones(len(study.sampling.weights), bool) for study in (earlier, later)]
        cells.append(
            Cell(
                {"group": name, "domain_type": "national", "domain": "national", "unit": "ratio"},
                (columns[0], columns[1]),
                (everybody[0], everybody[1]),
                (1.0, 1.0),
            )
        )
    return cells


def known_cells(earlier: Study, later: Study) -> tuple[list[Cell], list[tuple[float, float]]]:
    """List the known groups of the headline, each estimated as if its size weren't known.

    Parameters
    ----------
    earlier, later
        The waves with the same choices, from :func:`frozen`.

    Returns
    -------
    cells : list of Cell
        Persons in each group, by network sizes that rest on the others; none where only two groups
        are known.
    sizes : list of tuple
        Its known size in both waves.
    """
    form = FORMS[earlier.headline.estimator]
    known = earlier.headline.known_groups
    cells, sizes = [], []
    for left_out in known if len(known) > 2 else ():
        others = [name for name in known if name != left_out]
        columns = [
            ratio_columns(
                form,
                capped(study.counts[left_out], study.headline.known_cap),
                _sizes_on(study, others).by_definition[form.degree],
                study.sampling.weights,
            )
            for study in (earlier, later)
        ]
        everybody = [np.ones(len(study.sampling.weights), bool) for study in (earlier, later)]
        key = {"group": left_out, "domain_type": "national", "domain": "national"}
        cells.append(
            Cell(
                {**key, "unit": "persons"},
                (columns[0], columns[1]),
                (everybody[0], everybody[1]),
                (earlier.populations.total, later.populations.total),
            )
        )
        sizes.append((earlier.known_sizes[left_out], later.known_sizes[left_out]))
    return cells, sizes


def _sizes_on(study: Study, known: Sequence[str]) -> NetworkSizes:
    """Give network sizes on some known groups; leaving one out, fewer answers suffice by one."""
    degree = study.settings["degree"]
    degree = {**degree, "minimum_groups": min(degree["minimum_groups"], len(known))}
    return replace(study, settings={**study.settings, "degree": degree}).sizes(known)


def batches_of(cells: Sequence[Cell]) -> tuple[RatioBatch, RatioBatch]:
    """Collect the ratios of both waves, in the order of the cells."""
    batches = []
    for wave in (0, 1):
        batch = RatioBatch(len(cells[0].masks[wave]))
        for cell in cells:
            top, bottom, exposure = cell.columns[wave]
            batch.add(top, bottom, cell.masks[wave], exposure)
        batches.append(batch)
    return batches[0], batches[1]


def compare(
    cells: Sequence[Cell], samplings: tuple[Sampling, Sampling], overlap: Overlap
) -> Compared:
    """Estimate the cells in both waves under joint replicates.

    Parameters
    ----------
    cells
        What is compared, q of them.
    samplings, overlap
        From :func:`prevalence.waves.samples.joint_samplings`.
    """
    scales = np.array([cell.scales for cell in cells], float).reshape(-1, 2)
    return compared(batches_of(cells), samplings, overlap, (scales[:, 0], scales[:, 1]))
