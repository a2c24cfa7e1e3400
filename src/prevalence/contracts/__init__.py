"""Contracts of the tables that pass between stages: columns, types, units, keys, ranges.

One module a stage; each column of a contract carries a description, from which the data dictionary
is generated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from prevalence.contracts.wording import described, told_failures, wants_number
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.contracts.schema import DataFrameSchema


def check_table(
    frame: pd.DataFrame,
    contract: DataFrameSchema,
    file: object,
    sources: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Check a table against its contract before it is written.

    Parameters
    ----------
    frame
        The table.
    contract
        Its contract.
    file
        The file it is meant for, or came from.
    sources
        Where a column's values come from, such as a column of the survey's export.

    Returns
    -------
    pandas.DataFrame
        The table, coerced to the contract's types.

    Raises
    ------
    PipelineError
        Naming each column, what is wrong of how many rows, and what is allowed; never the values.
    """
    taken = contract.taken(frame)
    if taken is not None:
        return taken
    import pandera.errors

    try:
        return contract.validate(frame)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        # Where columns are missing or too many, the failing "value" is the column's name.
        missing = cases["check"] == "column_in_dataframe"
        schema = missing | (cases["check"] == "column_in_schema")
        cases.loc[schema, "column"] = cases.loc[schema, "failure_case"]
        absent = sorted(cases.loc[missing, "column"])
        columns, found = told_failures(cases[~missing], contract)
        if absent:
            found.insert(0, f"no column {listed(absent)} among: {listed(frame.columns)}")
        columns = sorted({*columns, *absent})
        known = sources or {}
        told = [f"{name} ({known[name]})" if name in known else name for name in columns]
        raise PipelineError(
            f"A table breaks the contract {contract.name!r}.",
            file=file,
            place=listed(told),
            found=listed(found),
            allowed="; ".join(filter(None, (described(name, contract) for name in columns[:6])))
            or None,
            remedy=_nearest(absent, set(frame.columns) - set(contract.columns))
            + _mended(columns, found, contract, known)
            + "See the data dictionary in docs/data-dictionary.md for what each column holds.",
        ) from None


def _mended(
    columns: Sequence[str],
    found: Sequence[str],
    contract: DataFrameSchema,
    sources: Mapping[str, str],
) -> str:
    """Say how to write numbers, and where answers are to be mended."""
    if any(name in sources for name in columns):
        said = "Correct these answers in the export, or exclude the interviews by clean.screening. "
        if any(text.endswith((" is empty", " are empty")) for text in found):
            said += (
                "Answers out of the codebook's range are empty where clean.edits makes them so. "
            )
        return said
    texts = any(" no number" in text or " no whole number" in text for text in found)
    if texts and any(wants_number(name, contract) for name in columns):
        return "Write numbers with digits alone: no separators, units or words; a decimal point. "
    return ""


def _nearest(absent: list[str], others: set[str]) -> str:
    """Say which of the columns that nobody expects may be one that is missing."""
    near = [
        f"Rename {match!r} to {name!r} if it is meant. "
        for name in absent
        for match in get_close_matches(name.lower(), sorted(others), n=1)
    ]
    return "".join(near)
