"""The cells of a release: why each fails, and the additive systems that link them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.complementary import System, nested_equations, protect, unproved
from prevalence.disclosure.rules import (
    CELL,
    COMPLEMENTARY,
    DOMINANCE,
    GEOGRAPHY,
    NATION,
    PRIMARY,
    Place,
    Policy,
    cell_reasons,
    geographic_reasons,
    places_of,
    records,
)
from prevalence.domains import domains_of, parents_of
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
COUNTED = ("n", "n_reporting")
SUM = "sum"  # stands for the type of domain of a published sum over domains
REST = "rest"  # and for that of what is in a whole and in none of its published parts


@dataclass(frozen=True)
class Geography:
    """How the published domains lie in one another.

    Parameters
    ----------
    kinds
        ``geographic`` or ``respondent`` by type of domain.
    parts
        For each parent and each type of domain that lies wholly in its own type, the parts of it.
    smallest
        Smallest geography that may be released.
    """

    kinds: Mapping[str, str]
    parts: Sequence[tuple[Place, Sequence[Place]]]
    smallest: str

    def parents(self, place: Place) -> list[Place]:
        """Give the published domains in which a domain lies."""
        return [parent for parent, parts in self.parts if place in parts]


def geography_of(
    respondents: pd.DataFrame, settings: Sequence[Mapping[str, Any]], smallest: str
) -> Geography:
    """Find which published domains lie in which.

    Parameters
    ----------
    respondents
        One row a respondent, with the domains' variables.
    settings
        The config's ``estimate.domains``.
    smallest
        The config's ``release.smallest_geography``.

    Returns
    -------
    Geography
        Kinds, parts and the smallest geography.
    """
    domains = domains_of(respondents, settings)
    found: dict[tuple[Place, str], list[Place]] = {}
    for domain in domains:
        for parent in parents_of(domain, domains):
            place = (parent.type, parent.name)
            found.setdefault((place, domain.type), []).append((domain.type, domain.name))
    return Geography(
        {domain.type: domain.kind for domain in domains},
        [(parent, parts) for (parent, _), parts in found.items()],
        smallest,
    )


@dataclass(frozen=True)
class Figures:
    """How finely a group's sums over domains are published, for the attack.

    Parameters
    ----------
    sums
        For each type of domain whose estimates are also published as a sum: the least and the
        greatest that the sum can be, relative to what it is, and by place the estimate in persons.
    """

    sums: Mapping[str, tuple[float, float, Mapping[Place, float]]]


def decide(
    inputs: pd.DataFrame,
    figures: Mapping[str, Figures],
    geography: Geography,
    policy: Policy,
    exceptions: set[tuple[str, str, str]],
    shown_before: set[tuple[str, str, str]] | None = None,
) -> tuple[pd.DataFrame, set[tuple[str, str]]]:
    """Decide for every cell whether it may be released.

    Parameters
    ----------
    inputs
        The table ``disclosure_inputs`` of the estimate stage.
    figures
        How finely each hidden group's cells are published.
    geography
        How domains lie in one another.
    policy
        The thresholds.
    exceptions
        Cells that are released although they fail.
    shown_before
        Cells that an earlier release showed: they protect no other cell.

    Returns
    -------
    cells : pandas.DataFrame
        `inputs` with ``suppressed`` (the reason or empty) and ``exception``.
    sums : set of tuple
        Group and type of domain whose published sum is withheld to protect a cell.

    Raises
    ------
    PipelineError
        If an exception names no cell.
    """
    cells = inputs.reset_index(drop=True).copy()
    keys = [tuple(str(cell[key]) for key in CELL) for cell in records(cells)]
    _check_exceptions(exceptions, set(keys))
    cells["exception"] = [key in exceptions for key in keys]
    cells["fixed"] = cells["exception"] | np.array(
        [key in (shown_before or set()) for key in keys], bool
    )
    reasons = cell_reasons(cells, policy)
    reasons[cells["exception"].to_numpy(bool)] = ""
    reasons = geographic_reasons(cells, reasons, geography.kinds, geography.smallest, policy)
    cells["suppressed"] = reasons
    by_degree = _decide_counts(cells, geography, policy)
    sums: set[tuple[str, str]] = set()
    for group in cells.loc[cells["role"] == "hidden", "group"].unique():
        part = cells[cells["group"] == group].reset_index()
        own = part["suppressed"].to_numpy(object).copy()
        places = places_of(part)
        linked = np.array([place in by_degree for place in places], bool)
        own[linked & (own == "")] = COMPLEMENTARY
        found, withheld = _linked(part, own, figures.get(str(group)), by_degree, geography, policy)
        cells.loc[part["index"], "suppressed"] = found
        sums |= {(str(group), domain_type) for domain_type in withheld}
    return cells, sums


def _check_exceptions(exceptions: set[tuple[str, str, str]], cells: set[tuple[str, ...]]) -> None:
    """Stop at an exception that is misspelt: it would seem to be on record and do nothing."""
    lost = sorted(exceptions - cells)
    if lost:
        raise PipelineError(
            "An exception from disclosure control names no cell of this survey.",
            file="config/disclosure.yaml",
            place="exceptions",
            found=listed(" ".join(cell) for cell in lost),
            allowed="group, domain_type and domain as in restricted/estimate/disclosure_inputs.csv",
            remedy="Mend the names, or take the exception out.",
        )


def decide_shares(
    table: pd.DataFrame, cells: pd.DataFrame, geography: Geography, policy: Policy
) -> NDArray[np.object_]:
    """Decide for published shares of respondents, of which those who report nobody count too.

    Parameters
    ----------
    table
        Columns `estimator`, `group`, `domain_type`, `domain`, `n`, `n_reporting`.
    cells
        From :func:`decide`; a share is withheld wherever its group's own cell is.
    geography
        How domains lie in one another.
    policy
        The thresholds.

    Returns
    -------
    numpy.ndarray
        The reason or empty, for each row.
    """
    reasons = np.full(len(table), "", dtype=object)
    hidden = {
        tuple(str(row[key]) for key in CELL)
        for row in records(cells[(cells["role"] == "hidden") & (cells["suppressed"] != "")])
    }
    for (_, group), part in table.groupby(["estimator", "group"], sort=False):
        rows = table.index.get_indexer(part.index)
        places = places_of(part)
        frame = _share_cells(part, places, geography)
        own = geographic_reasons(
            frame, cell_reasons(frame, policy), geography.kinds, geography.smallest, policy
        )
        linked = np.array([(group, *place) in hidden for place in places], bool)
        own[linked & (own == "")] = COMPLEMENTARY
        longer, with_rests = _with_rests(frame, geography, policy, "n_zero")
        own = np.concatenate([own, np.full(len(longer) - len(frame), PRIMARY, dtype=object)])
        every, n = places_of(longer), longer["n"].to_numpy(float)
        known = np.where([place[0] == REST for place in every], n, np.inf)
        systems = [
            _counts_system("n", n, every, geography, policy),  # how many a rest has is public
            *(
                _counts_system(name, longer[name].to_numpy(float), every, with_rests, policy, known)
                for name in ("n_reporting", "n_zero")
            ),
        ]
        reasons[rows] = _protected(longer, every, own, systems, policy)[: len(frame)]
    return _same_pattern(table, reasons)


def _share_cells(part: pd.DataFrame, places: Sequence[Place], geography: Geography) -> pd.DataFrame:
    """Count the respondents of each share, those who report nobody, and its complements."""
    frame = part[[*CELL, *COUNTED]].reset_index(drop=True)
    frame["role"] = "situation"
    frame["n_zero"] = frame["n"] - frame["n_reporting"]
    for column in COUNTED:
        count = dict(zip(places, frame[column].to_numpy(float), strict=True))
        beside = [
            [count[parent] - count[place] for parent in geography.parents(place) if parent in count]
            for place in places
        ]
        frame[f"{column}_complement"] = [min(rest, default=np.nan) for rest in beside]
    return frame.assign(top1_share=np.nan, top2_share=np.nan)


def _same_pattern(table: pd.DataFrame, reasons: NDArray[np.object_]) -> NDArray[np.object_]:
    """Withhold every share of a cell where one of them is: their difference would tell."""
    keys = list(zip(table["group"], table["domain_type"], table["domain"], strict=True))
    national = table["estimator"].astype(str).str.startswith("reported_to_").to_numpy(bool)
    worst: dict[tuple[str, str, str], str] = {}
    for key, reason, apart in zip(keys, reasons, national, strict=True):
        if reason and not apart:
            worst.setdefault(key, reason)
    found = [
        reason or ("" if apart and key not in worst else _softened(worst.get(key, "")))
        for key, reason, apart in zip(keys, reasons, national, strict=True)
    ]
    result = np.array(found, dtype=object)
    # One withheld part of a published whole follows from the others: a second one goes with it.
    for group in table["group"].unique():
        parts = np.flatnonzero(national & (table["group"] == group).to_numpy(bool))
        gone = [place for place in parts if result[place]]
        if len(gone) == 1 and len(parts) > 1:
            rest = [place for place in parts if not result[place]]
            smallest = min(rest, key=lambda place: (table["n_reporting"].iloc[place], place))
            result[smallest] = COMPLEMENTARY
    return result


def _softened(reason: str) -> str:
    return reason if reason in ("", GEOGRAPHY) else COMPLEMENTARY


def _decide_counts(cells: pd.DataFrame, geography: Geography, policy: Policy) -> set[Place]:
    """Protect the numbers of respondents behind mean degrees; give the withheld domains."""
    part = cells[cells["role"] == "degree"].reset_index()
    if not len(part):
        return set()
    places = places_of(part)
    own = part["suppressed"].to_numpy(object).copy()
    system = _counts_system("respondents", part["n"].to_numpy(float), places, geography, policy)
    found = _protected(part, places, own, [system], policy)
    cells.loc[part["index"], "suppressed"] = found
    return {
        place for place, reason in zip(places, found, strict=True) if reason not in ("", GEOGRAPHY)
    }


def _linked(
    part: pd.DataFrame,
    own: NDArray[np.object_],
    figures: Figures | None,
    without_degree: set[Place],
    geography: Geography,
    policy: Policy,
) -> tuple[NDArray[np.object_], set[str]]:
    """Protect a hidden group's cells against everything that adds up."""
    figures = figures or Figures({})
    size = len(part)
    part, with_rests = _with_rests(part, geography, policy, "sum_wy")
    own = np.concatenate([own, np.full(len(part) - size, PRIMARY, dtype=object)])
    places = places_of(part)
    n = part["n"].to_numpy(float)
    # How many respondents a cell has is known from its mean degree, unless that is withheld too.
    known = np.where(n >= policy.minimum_respondents, n, np.inf)
    known[[place in without_degree for place in places]] = np.inf
    is_rest = np.array([place[0] == REST for place in places], bool)
    known[is_rest] = n[is_rest]
    sums = [name for name in figures.sums if any(place[0] == name for place in places)]
    every = [*places, *((SUM, name) for name in sums)]
    systems = [
        _weighted_system(part, every, own != "", figures, with_rests, policy),
        _counts_system(
            "respondents who report",
            _padded(part["n_reporting"].to_numpy(float), len(sums)),
            every,
            with_rests,
            policy,
            np.concatenate([known, np.full(len(sums), np.inf)]),
        ),
    ]
    if (n[~is_rest] < policy.minimum_respondents).any():  # how many a rest has is public
        systems.append(
            _counts_system("respondents", _padded(n, len(sums)), every, geography, policy)
        )
    padded = np.concatenate([own, np.full(len(sums), "", dtype=object)])
    reasons = _protected(part, every, padded, systems, policy)
    withheld = {name for name, reason in zip(sums, reasons[len(places) :], strict=True) if reason}
    return reasons[:size], withheld


def _with_rests(
    part: pd.DataFrame, geography: Geography, policy: Policy, further: str
) -> tuple[pd.DataFrame, Geography]:
    """Add what is in a whole and in none of its parts where it is a handful.

    Those who didn't say their age are such a rest: no row shows them, but what the nation has more
    than all age groups together would. How many they are is public, what they report isn't.
    `further` is summed besides the counts; how many report nobody counts as they do.
    """
    import pandas as pd

    columns = [*COUNTED, further]
    floors = np.array([policy.minimum_respondents, policy.minimum_reporting, 0])
    floors[2] = policy.minimum_reporting if further == "n_zero" else 0
    told = dict(zip(places_of(part), part[columns].to_numpy(float), strict=True))
    rows: list[dict[str, Any]] = []
    equations: list[tuple[Place, Sequence[Place]]] = []
    for whole, parts in geography.parts:
        members = [place for place in parts if place in told]
        equations.append((whole, members))
        if whole not in told or not members:
            continue
        rest = np.maximum(told[whole] - np.sum([told[place] for place in members], axis=0), 0.0)
        if rest[0] == 0 or (rest >= floors).all():
            continue
        place = (REST, f"{members[0][0]} of {whole[1]}")
        equations[-1] = (whole, [*members, place])
        values = dict(zip(columns, rest, strict=True))
        rows.append({"domain_type": place[0], "domain": place[1], "fixed": False} | values)
    if not rows:
        return part, geography
    longer = pd.DataFrame([*records(part), *rows])
    return longer, replace(geography, parts=equations)


def _padded(values: Array, extra: int) -> Array:
    return np.concatenate([values, np.zeros(extra)])


def equations_of(places: Sequence[Place], geography: Geography) -> Array:
    """Write every whole less its parts as a row, for the places at hand; shape (m, places)."""
    position = {place: index for index, place in enumerate(places)}
    parents = [
        (position[parent], [position[part] for part in parts if part in position])
        for parent, parts in geography.parts
        if parent in position
    ]
    return nested_equations(places, [(parent, parts) for parent, parts in parents if parts])


def _counts_system(
    name: str,
    values: Array,
    places: Sequence[Place],
    geography: Geography,
    policy: Policy,
    known: Array | None = None,
) -> System:
    """Lay out a count as the attacker knows it: exactly, of cells that are shown.

    Of a suppressed cell only `known`, what the count cannot exceed, is known besides. Of a rest
    no more need be open than that: how many it has is public.
    """
    extra = np.array([place[0] == SUM for place in places], bool)
    floor = float(max(policy.protected_reporting, policy.minimum_reporting))
    rest = np.array([place[0] == REST for place in places], bool)
    protection = np.where(extra, 0.0, floor)
    most = np.full(len(values), float(values.max(initial=0.0)) + 2 * floor)
    if known is not None:
        most = np.minimum(most, known)
        protection[rest] = np.minimum(floor, most[rest])
    else:
        protection[rest] = 0.0
    equations = equations_of(places, geography)
    return System(name, values, values, values, equations, protection, most, counts=True)


def _weighted_system(
    part: pd.DataFrame,
    places: Sequence[Place],
    failing: NDArray[np.bool_],
    figures: Figures,
    geography: Geography,
    policy: Policy,
) -> System:
    """Lay out the weighted reports: exactly known of shown cells, and sums over domains besides.

    Rates, limits, standard errors and mean degrees are rounded, but several of them, and those of
    other estimators, say the same; no rounding is counted on for a shown cell.
    """
    values = part["sum_wy"].to_numpy(float)
    reporting = part["n_reporting"].to_numpy(float)
    total = places.index(NATION) if NATION in places else int(np.argmax(values))
    releasable = policy.minimum_reporting * values[total] / max(reporting[total], 1.0)
    size = np.where(failing, np.maximum(values, releasable), releasable)
    protection = policy.relative_width * size
    equations = equations_of(places, geography)
    rows: list[Array] = []
    totals: list[float] = []
    ends: list[tuple[float, float]] = []
    for name in (domain for domain_type, domain in places if domain_type == SUM):
        low, high, persons = figures.sums[name]
        row = np.zeros(len(places))
        known = [p for p, place in enumerate(places) if place in persons and values[p] > 0]
        scale = np.array([persons[places[p]] / values[p] for p in known])
        # In units of weighted reports, so that all cells of the system are of one size.
        row[known] = scale / np.median(scale) if known else 0.0
        row[len(values) + len(totals)] = -1.0
        rows.append(row)
        totals.append(float(sum(values[p] * row[p] for p in known)))
        ends.append((low * totals[-1], high * totals[-1]))
    full = np.concatenate([values, totals])
    lower, upper = np.array(ends).reshape(-1, 2).T
    most = 10.0 * float(full.max(initial=0.0)) + 10.0 * float(protection.max(initial=1.0))
    return System(
        "weighted reports",
        full,
        np.concatenate([values, lower]),
        np.concatenate([values, upper]),
        np.vstack([equations, *rows]) if rows else equations,
        np.concatenate([protection, np.zeros(len(totals))]),
        np.full(len(full), most),
    )


def _protected(
    part: pd.DataFrame,
    places: Sequence[Place],
    own: NDArray[np.object_],
    systems: Sequence[System],
    policy: Policy,
) -> NDArray[np.object_]:
    """Suppress further cells until all are proved; coarser means where finer ones don't do."""
    reasons = own.copy()
    if not (own != "").any():
        return reasons
    if NATION in places and own[places.index(NATION)]:
        reasons[reasons == ""] = PRIMARY  # nothing is left that the parts could add up to
        return reasons
    reporting = _padded(part["n_reporting"].to_numpy(float), len(places) - len(part))
    is_sum = np.array([place[0] == SUM for place in places], bool)
    loss = np.where(is_sum, 0.5, 1.0 + reporting)
    national = np.array([place == NATION for place in places], bool)
    protected = np.array([place[0] in policy.protected for place in places], bool)
    never = np.zeros(len(places), bool)
    if "fixed" in part:
        never[: len(part)] = part["fixed"].to_numpy(bool)
    told = [_with_reasons(system, own, policy) for system in systems if system.counts]
    # First without what stands fast for another reason: an exception, an earlier release.
    for fixed in (protected | never, national | never, protected, national):
        suppressed, hopeless = protect(systems, reasons != "", loss, fixed)
        if hopeless:
            continue
        blurred = bool(unproved(told, suppressed))
        if blurred:  # as many other cells may do
            other, hopeless = protect([*systems, *told], reasons != "", loss, fixed)
            if not hopeless and other.sum() == suppressed.sum():
                suppressed, blurred = other, False
        reasons[suppressed & (reasons == "")] = COMPLEMENTARY
        check_proved(systems, reasons)
        if blurred:
            reasons[reasons == COMPLEMENTARY] = PRIMARY
        return reasons
    reasons[(reasons == "") & ~national] = COMPLEMENTARY
    if unproved(systems, reasons != ""):
        reasons[reasons == ""] = PRIMARY
    return reasons


def _with_reasons(system: System, own: NDArray[np.object_], policy: Policy) -> System:
    """Lay out a count for an attacker who reads the reasons as well.

    ``primary`` tells that a count is below its threshold, and ``complementary`` that it is not:
    from a remaining total of 13 follows that the small one is at most 3. Nothing narrower may be
    derived than that it is below. Where that would cost further cells, all say ``primary``.
    """
    floor = float(policy.minimum_reporting)
    few = system.values < floor  # noqa: PD011
    below = (own == PRIMARY) & few
    most = np.where(below, np.minimum(floor - 1, system.most), system.most)
    return replace(
        system,
        name=f"{system.name}, with the reasons",
        most=most,
        least=np.where(np.isin(own, ["", COMPLEMENTARY, DOMINANCE]) & ~few, floor, 0.0),
        protection=np.where(below, most, 0.0),
    )


def check_proved(systems: Sequence[System], reasons: NDArray[np.object_]) -> None:
    """Stop a release in which a suppressed cell can be derived too narrowly.

    Parameters
    ----------
    systems
        The additive systems.
    reasons
        The reason or empty, for each cell.

    Raises
    ------
    PipelineError
        Naming the system and how many cells; no values.
    """
    found = unproved(systems, reasons != "")
    if found:
        raise PipelineError(
            "A suppressed cell can be derived from what would be released.",
            place=found[0][0],
            found=f"{len(found)} cells",
            remedy="This is a fault of the release stage: report it, and don't publish.",
        )
