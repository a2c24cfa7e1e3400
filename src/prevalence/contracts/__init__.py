"""Contracts of the tables that pass between stages: columns, types, units, keys, ranges.

One module a stage; each column of a contract carries a description, from which the data dictionary
is generated.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.contracts.schema import DataFrameSchema


def check_table(frame: pd.DataFrame, contract: DataFrameSchema, file: object) -> pd.DataFrame:
    """Check a table against its contract before it is written.

    Parameters
    ----------
    frame
        The table.
    contract
        Its contract.
    file
        The file it is meant for, or came from.

    Returns
    -------
    pandas.DataFrame
        The table, coerced to the contract's types.

    Raises
    ------
    PipelineError
        Naming each column and check that failed and how many rows; never the values.
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
        counts = cases[~missing].groupby(["column", "check"], dropna=False, sort=True).size()
        found = [f"{column}: {check} ({n} rows)" for (column, check), n in counts.items()]
        if absent:
            found.insert(0, f"no column {listed(absent)} among: {listed(frame.columns)}")
        raise PipelineError(
            f"A table breaks the contract {contract.name!r}.",
            file=file,
            place=listed(sorted({str(column) for column in cases["column"].dropna()})),
            found=listed(found),
            remedy=_nearest(absent, set(frame.columns) - set(contract.columns))
            + "See the data dictionary in docs/data-dictionary.md for what each column holds.",
        ) from None


def _nearest(absent: list[str], others: set[str]) -> str:
    """Say which of the columns that nobody expects may be one that is missing."""
    near = [
        f"Rename {match!r} to {name!r} if it is meant. "
        for name in absent
        for match in get_close_matches(name.lower(), sorted(others), n=1)
    ]
    return "".join(near)
