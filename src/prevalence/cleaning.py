"""The clean stage as one function: from responses to the tables of valid interviews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prevalence.codebook import Codebook
from prevalence.data_quality import data_quality
from prevalence.decoding import decode_responses
from prevalence.derivation import derive_variables
from prevalence.edits import collected, edit_answers
from prevalence.respondents import (
    asked_situations,
    check_respondent_ids,
    combine_groups,
    impute_reports,
    intervals_table,
    place_in_design,
    relational_pieces,
    respondents_table,
    situations_table,
)
from prevalence.sample_flow import sample_flow
from prevalence.screening import screen_interviews

if TYPE_CHECKING:
    import pandas as pd


def clean_responses(
    responses: pd.DataFrame,
    codebook: Codebook,
    settings: Mapping[str, Any],
    frame: pd.DataFrame | None,
) -> dict[str, pd.DataFrame]:
    """Decode, screen, edit, derive and combine, in this order.

    Parameters
    ----------
    responses
        Typed responses by raw name; the order of the rows doesn't matter.
    codebook
        The codebook.
    settings
        The config's ``clean`` section.
    frame
        The sampling frame, or None.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``respondents``, ``ard``, ``intervals``, ``situations``, ``sample_flow``, ``edits`` and
        ``data_quality``: as in `prevalence.contracts.clean`.

    Raises
    ------
    PipelineError
        As the functions of each step do.
    """
    import pandas as pd

    tables, pieces = clean_interviews(responses, codebook, settings, frame)
    return tables | {"ard": pd.concat(pieces, ignore_index=True)}


def clean_interviews(
    responses: pd.DataFrame,
    codebook: Codebook,
    settings: Mapping[str, Any],
    frame: pd.DataFrame | None,
) -> tuple[dict[str, pd.DataFrame], Iterator[pd.DataFrame]]:
    """Do what :func:`clean_responses` does, and give the long table of counts in pieces.

    Parameters
    ----------
    responses, codebook, settings, frame
        As in :func:`clean_responses`.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        All tables but ``ard``.
    pieces : iterator of pandas.DataFrame
        ``ard``: some interviews' rows at a time.
    """
    combinations = settings.get("combine") or {}
    derivations = settings.get("derive") or {}
    situations = settings.get("situations")
    if situations is None:
        situations = asked_situations(codebook)
    everybody = decode_responses(responses, codebook)
    valid, steps = screen_interviews(everybody, codebook, settings.get("screening") or [])
    check_respondent_ids(valid)
    edited, changes = edit_answers(valid, codebook, settings.get("edits") or [])
    placed = place_in_design(edited, settings.get("keys") or {}, frame)
    combined = combine_groups(placed, codebook, combinations)
    reported, imputed = impute_reports(combined, codebook, settings.get("imputations") or [])
    answers = derive_variables(reported.answers, derivations)
    tables = {
        "respondents": respondents_table(answers, codebook, list(derivations)),
        "situations": situations_table(placed, codebook, situations),
        "sample_flow": sample_flow(frame, everybody.n, steps),
        "edits": collected([changes, *imputed]),
        "intervals": intervals_table(placed, reported, codebook, combinations),
        "data_quality": data_quality(placed, codebook),
    }
    return tables, relational_pieces(reported, codebook, list(combinations))
