"""Differences between two releases of a survey must not tell of a few respondents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from prevalence.disclosure.rules import CELL, Policy
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd


def small_differences(new: pd.DataFrame, old: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Find cells that two releases show with counts a few respondents apart.

    Parameters
    ----------
    new, old
        Released tables of estimates with `estimator`, `group`, `domain_type`, `domain`, `unit`,
        `n`, `n_reporting`.
    policy
        A difference of 1 to ``minimum_respondents - 1`` respondents, or of 1 to
        ``minimum_reporting - 1`` who report, is too small.

    Returns
    -------
    pandas.DataFrame
        The cells, without counts.
    """
    keys = ["estimator", *CELL, "unit"]
    both = new.merge(old, on=keys, suffixes=("", "_before"))
    few = np.zeros(len(both), bool)
    floors = {"n": policy.minimum_respondents, "n_reporting": policy.minimum_reporting}
    for column, floor in floors.items():
        now, before = (both[name].astype(float) for name in (column, f"{column}_before"))
        gap = (now - before).abs().to_numpy(float)
        few |= (gap > 0) & (gap < floor)
    return both.loc[few, keys].reset_index(drop=True)


def newly_derivable(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Find cells that the earlier release showed and this one withholds, or the other way round.

    Parameters
    ----------
    new, old
        Released tables of estimates with `suppressed`.

    Returns
    -------
    pandas.DataFrame
        The cells that are withheld now and were shown before.
    """
    keys = ["estimator", *CELL, "unit"]
    both = new.merge(old, on=keys, suffixes=("", "_before"))
    now = both["suppressed"].fillna("") != ""
    before = both["suppressed_before"].fillna("") != ""
    return both.loc[now & ~before, keys].reset_index(drop=True)


def check_differences(new: pd.DataFrame, old: pd.DataFrame, policy: Policy, folder: object) -> None:
    """Refuse a release whose difference from an earlier one would tell of a few respondents.

    Parameters
    ----------
    new, old
        The released estimates, and those of the earlier release.
    policy
        The thresholds.
    folder
        Where the earlier release is, for the message.

    Raises
    ------
    PipelineError
        Naming cells; no counts.
    """
    few = small_differences(new, old, policy)
    if len(few):
        names = (few["group"] + " in " + few["domain"]).unique()
        raise PipelineError(
            "The difference from an earlier release would tell of a few respondents.",
            file=folder,
            place=listed(names),
            found=f"{len(names)} cells whose counts changed by fewer respondents than may be shown",
            allowed=f"no change, or a change of at least {policy.minimum_respondents} respondents",
            remedy="Collect corrections until more respondents change, or withdraw the earlier "
            "release and take its folder out of release.earlier.",
        )
    gone = newly_derivable(new, old)
    if len(gone):
        names = (gone["group"] + " in " + gone["domain"]).unique()
        raise PipelineError(
            "A cell that would be withheld now was shown in an earlier release.",
            file=folder,
            place=listed(names),
            found=f"{len(names)} cells",
            remedy="What was shown cannot be taken back: name the cells as exceptions in "
            "config/disclosure.yaml with the reason, or withdraw the earlier release.",
        )
