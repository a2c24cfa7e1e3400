"""Two releases of a survey, taken together, must not tell of a few respondents.

An attacker holds both. Three things are refused: a count that changed by a few, in any table and
also where it follows from what is shown around a withheld cell; a cell that is withheld now and was
shown before; and a withheld cell of which both releases together allow too narrow an interval. The
last is one linear programme over both: the numbers x of this release and the changes d since the
earlier one, each adding up over the parts of a domain, with x − d known wherever the earlier
release showed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.cells import Geography, equations_of
from prevalence.disclosure.rules import CELL, Place, Policy, places_of, records
from prevalence.disclosure.tables import COUNTS
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Tables = Mapping[str, "pd.DataFrame"]

_TOLERANCE = 1e-6
# Columns that say which row of a table is meant; those that a table lacks are left out.
_KEYS = ["estimator", *CELL, "against", "unit", "step", "code", "rate"]
_KEYS += ["variable", "category", "adjustment", "analysis", "factor", "lower_bound"]
_ALSO = ("answered", "excluded")
_IN_WORDS = ("group", "domain", "code", "category")


def small_differences(new: pd.DataFrame, old: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Find rows that two releases show with counts a few respondents apart.

    Parameters
    ----------
    new, old
        The same released table: keys such as `estimator`, `group`, `domain_type`, `domain`, `unit`,
        and counts such as `n`, `n_reporting`.
    policy
        A difference of 1 to ``minimum_respondents - 1`` respondents, or of 1 to
        ``minimum_reporting - 1`` who report, is too small.

    Returns
    -------
    pandas.DataFrame
        The keys of these rows, without counts.
    """
    both, keys = _beside(new, old)
    few = np.zeros(len(both), bool)
    for column in (*COUNTS, *_ALSO):
        if column not in new or column not in old:
            continue
        floor = policy.minimum_reporting if column == "n_reporting" else policy.minimum_respondents
        now, before = (both[name].astype(float) for name in (column, f"{column}_before"))
        gap = (now - before).abs().to_numpy(float)
        few |= (gap > 0) & (gap < floor)
    return both.loc[few, keys].reset_index(drop=True)


def newly_derivable(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Find rows that the earlier release showed and this one withholds.

    Parameters
    ----------
    new, old
        The same released table with `suppressed`.

    Returns
    -------
    pandas.DataFrame
        Their keys.
    """
    both, keys = _beside(new, old)
    now = both["suppressed"].fillna("") != ""
    before = both["suppressed_before"].fillna("") != ""
    return both.loc[now & ~before, keys].reset_index(drop=True)


def _beside(new: pd.DataFrame, old: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    keys = [key for key in dict.fromkeys(_KEYS) if key in new and key in old]
    blank = {key: "" for key in keys if new[key].dtype == object or old[key].dtype == object}
    mine, theirs = (
        table.fillna(blank).astype(dict.fromkeys(blank, str)).drop_duplicates(keys)
        for table in (new, old)
    )
    return mine.merge(theirs, on=keys, suffixes=("", "_before")), keys


def shown_cells(table: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Cells of an earlier release's estimates of which a number was shown.

    Parameters
    ----------
    table
        The released table ``scale_up``.

    Returns
    -------
    set of tuple
        Group, type of domain and domain.
    """
    shown = table[table["suppressed"].fillna("") == ""]
    return {
        (str(row["group"]), str(row["domain_type"]), str(row["domain"])) for row in records(shown)
    }


@dataclass(frozen=True)
class Both:
    """One count of one group in two releases, as an attacker sees it.

    Parameters
    ----------
    places
        The c cells.
    equations
        Shape (m, c): whole less parts.
    rest
        Shape (m,): what is in a whole and in none of its parts, such as who didn't say their age.
    now, before
        Shape (c,): what each release shows; NaN where it withholds the cell or has none.
    ceiling
        What no count can exceed.
    """

    places: Sequence[Place]
    equations: Array
    rest: Array
    now: Array
    before: Array
    ceiling: float

    def derivable(self, objective: Array) -> tuple[float, float] | None:
        """Least and greatest value of a sum over (x, d); None if no two releases look like this.

        The attacker supposes that respondents were only added, or only taken out, as long as that
        agrees with all that is shown; else that anything may have changed.

        Parameters
        ----------
        objective
            Shape (2c,): what is summed, of the numbers now and of the changes.

        Returns
        -------
        tuple of float or None
            The two ends.
        """
        gap = self.now - self.before
        known = gap[~np.isnan(gap)]
        ceiling = self.ceiling
        suppositions = [(-ceiling, ceiling)]
        if (known <= 0).all():
            suppositions.insert(0, (-ceiling, 0.0))
        if (known >= 0).all():
            suppositions.insert(0, (0.0, ceiling))
        if not known.any() and len(known):
            suppositions.insert(0, (0.0, 0.0))
        for change in suppositions:
            ends = [self._extreme(sign * objective, change) for sign in (1.0, -1.0)]
            if ends[0] is not None and ends[1] is not None:
                return ends[0], -ends[1]
        return None

    def _extreme(self, cost: Array, change: tuple[float, float]) -> float | None:
        from scipy.optimize import linprog

        c = len(self.places)
        known = np.flatnonzero(~np.isnan(self.before))
        link = np.zeros((len(known), 2 * c))
        link[np.arange(len(known)), known] = 1.0
        link[np.arange(len(known)), c + known] = -1.0
        nothing = np.zeros_like(self.equations)
        rows = [np.hstack([self.equations, nothing]), np.hstack([nothing, self.equations]), link]
        hidden = np.isnan(self.now)
        low = np.concatenate([np.where(hidden, 0.0, self.now), np.full(c, change[0])])
        high = np.concatenate([np.where(hidden, self.ceiling, self.now), np.full(c, change[1])])
        result = linprog(
            cost,
            A_ub=np.hstack([-np.eye(c), np.eye(c)]),  # what was counted before isn't below 0
            b_ub=np.zeros(c),
            A_eq=np.vstack(rows),
            b_eq=np.concatenate([self.rest, np.zeros(len(self.rest)), self.before[known]]),
            bounds=np.column_stack([low, high]),
            method="highs",
        )
        return float(result.fun) if result.status == 0 else None

    def narrow(self, floor: float) -> list[Place]:
        """Withheld cells of which both releases together tell too much.

        Parameters
        ----------
        floor
            Least width of what may be derived of a number, and least change that may be.

        Returns
        -------
        list of tuple
            Their places.
        """
        found, c = [], len(self.places)
        for cell in np.flatnonzero(np.isnan(self.now)):
            now, change = np.zeros(2 * c), np.zeros(2 * c)
            now[cell] = change[c + cell] = 1.0
            ends = self.derivable(now)
            if ends is not None and ends[1] - ends[0] < floor - _TOLERANCE:
                found.append(self.places[int(cell)])
                continue
            ends = self.derivable(change)
            if ends is not None and _tells_of_few(*ends, floor):
                found.append(self.places[int(cell)])
        for row in self.equations:  # what is left of a whole beside the parts that are shown
            rest = np.concatenate([np.zeros(c), np.where(np.isnan(self.now) & (row < 0), 1.0, 0.0)])
            if not rest.any():
                continue
            ends = self.derivable(rest)
            if ends is not None and _tells_of_few(*ends, floor):
                found.append(self.places[int(np.flatnonzero(row > 0)[0])])
        return list(dict.fromkeys(found))


def _tells_of_few(low: float, high: float, floor: float) -> bool:
    """Whether it is certain that something changed, and by fewer than the floor."""
    some = low > _TOLERANCE or high < -_TOLERANCE
    return some and max(abs(low), abs(high)) < floor - _TOLERANCE


def joint_counts(
    new: pd.DataFrame,
    old: pd.DataFrame,
    inputs: pd.DataFrame,
    geography: Geography,
    headline: str,
) -> Iterator[tuple[str, str, Both]]:
    """Lay out what both releases show of each hidden group, count by count.

    Parameters
    ----------
    new, old
        The released tables ``scale_up``.
    inputs
        The table ``disclosure_inputs`` of this release.
    geography
        How domains lie in one another.
    headline
        The estimator whose counts are taken.

    Yields
    ------
    tuple
        Group, name of the count, and the two releases.
    """
    now, before = (_counts(table, headline) for table in (new, old))
    for group, part in now.groupby("group", sort=False):
        places = places_of(part)
        earlier = before[before["group"] == group]
        for count in COUNTS:
            told = dict(zip(places_of(earlier), earlier[count].to_numpy(float), strict=True))
            values = part[count].to_numpy(float)
            shown = np.array([told.get(place, np.nan) for place in places])
            ceiling = 2.0 * float(np.nanmax([*values, *shown, 0.0])) + 100.0
            equations = equations_of(places, geography)
            cells = inputs[inputs["group"] == group]
            true = dict(zip(places_of(cells), cells[count].to_numpy(float), strict=True))
            rest = equations @ np.array([true[place] for place in places])
            yield str(group), count, Both(places, equations, rest, values, shown, ceiling)


def _counts(table: pd.DataFrame, headline: str) -> pd.DataFrame:
    own = table[(table["estimator"] == headline) & (table["unit"] == "persons")]
    return own.drop_duplicates(CELL).reset_index(drop=True)


def check_differences(
    new: Tables,
    old: Tables,
    inputs: pd.DataFrame,
    geography: Geography,
    policy: Policy,
    *,
    headline: str,
    folder: object,
) -> None:
    """Refuse a release that tells of a few respondents together with an earlier one.

    Parameters
    ----------
    new, old
        The released tables, and those of the earlier release, by name; ``scale_up`` is among them.
    inputs
        The table ``disclosure_inputs`` of this release.
    geography
        How domains lie in one another.
    policy
        The thresholds.
    headline
        The pre-specified estimator.
    folder
        Where the earlier release is, for the message.

    Raises
    ------
    PipelineError
        Naming tables and cells; no counts.
    """
    _check_domains(old["scale_up"], geography, folder)
    few = list(_named(new, old, lambda a, b: small_differences(a, b, policy)))
    if few:
        raise PipelineError(
            "The difference from an earlier release would tell of a few respondents.",
            file=folder,
            place=listed(few),
            found=f"{len(few)} cells whose counts changed by fewer respondents than may be shown",
            allowed=f"no change, or a change of at least {policy.minimum_respondents} respondents",
            remedy="Collect corrections until more respondents change, or withdraw the earlier "
            "release and take its folder out of release.earlier.",
        )
    estimates = {name: new[name] for name in ("scale_up", "reporting") if name in new}
    gone = list(_named(estimates, old, newly_derivable))
    if gone:
        raise PipelineError(
            "A cell that would be withheld now was shown in an earlier release.",
            file=folder,
            place=listed(gone),
            found=f"{len(gone)} cells",
            remedy="What was shown cannot be taken back: name the cells as exceptions in "
            "config/disclosure.yaml with the reason, or withdraw the earlier release.",
        )
    floor = float(max(policy.minimum_reporting, policy.protected_reporting))
    narrow = [
        f"{group} in {place[1]} ({count})"
        for group, count, both in joint_counts(
            new["scale_up"], old["scale_up"], inputs, geography, headline
        )
        for place in both.narrow(floor)
    ]
    if narrow:
        raise PipelineError(
            "A withheld cell could be derived from this release and an earlier one together.",
            file=folder,
            place=listed(narrow),
            found=f"{len(narrow)} cells",
            remedy="Collect corrections until more respondents change, or withdraw the earlier "
            "release and take its folder out of release.earlier.",
        )


def _check_domains(old: pd.DataFrame, geography: Geography, folder: object) -> None:
    """Stop where the earlier release has domains that this one cannot be proved against."""
    unknown = sorted(set(old["domain_type"].astype(str)) - {"national", *geography.kinds})
    if unknown:
        raise PipelineError(
            "The earlier release shows domains that this survey's config doesn't have.",
            file=folder,
            place=listed(unknown),
            allowed=listed(["national", *geography.kinds]),
            remedy="List them under estimate.domains, so that both releases are proved together.",
        )


def _named(new: Tables, old: Tables, find: Any) -> Iterator[str]:
    """Name the rows that a comparison of each table finds: the table, and the row's keys."""
    seen = set()
    for name in sorted(set(new) & set(old)):
        if not {"n", *_ALSO} & set(new[name].columns) & set(old[name].columns):
            continue
        if not len(new[name]) or not len(old[name]):
            continue
        for row in records(find(new[name], old[name])):
            words = [
                str(row[key]) for key in ("group", "domain", "code", "category") if row.get(key)
            ]
            text = f"{name}: {' in '.join(words)}"
            if text not in seen:
                seen.add(text)
                yield text
