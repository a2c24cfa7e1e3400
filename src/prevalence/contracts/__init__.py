"""Contracts of the tables that pass between stages: columns, types, units, keys, ranges.

One module a stage; each contract is a pandera schema whose columns carry a description, from which
the data dictionary is generated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

MANY = 20  # columns of one pattern that are worth checking together


def check_table(frame: pd.DataFrame, contract: pa.DataFrameSchema, file: object) -> pd.DataFrame:
    """Check a table against its contract before it is written.

    Parameters
    ----------
    frame
        The table.
    contract
        Its pandera schema.
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
    import pandera.errors

    try:
        return _validated(frame, contract)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        # Where columns are missing or too many, the failing "value" is the column's name.
        schema = cases["check"].isin(["column_in_dataframe", "column_in_schema"])
        cases.loc[schema, "column"] = cases.loc[schema, "failure_case"]
        counts = cases.groupby(["column", "check"], dropna=False, sort=True).size()
        found = [f"{column}: {check} ({n} rows)" for (column, check), n in counts.items()]
        raise PipelineError(
            f"A table breaks the contract {contract.name!r}.",
            file=file,
            place=listed(sorted({str(column) for column in cases["column"].dropna()})),
            found=listed(found),
            remedy="See the data dictionary in docs/data-dictionary.md for what each column holds.",
        ) from None


def _validated(frame: pd.DataFrame, contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Check a table; the many columns of one pattern, such as replicates, as one long column."""
    import numpy as np
    import pandas as pd
    import pandera.pandas as pa

    patterns = {
        pattern: [str(name) for name in frame if re.fullmatch(pattern, str(name))]
        for pattern, spec in contract.columns.items()
        if spec.regex
    }
    many = {pattern: names for pattern, names in patterns.items() if len(names) > MANY}
    if not many:
        return contract.validate(frame, lazy=True)
    together = [name for names in many.values() for name in names]
    rest = contract.remove_columns(list(many)).validate(frame.drop(columns=together), lazy=True)
    parts = [rest]
    for pattern, names in many.items():
        spec = contract.columns[pattern]
        one = pa.Column(spec.dtype, spec.checks, nullable=spec.nullable, coerce=spec.coerce)
        values = frame[names]
        long = pd.DataFrame({pattern: np.ravel(values.to_numpy())})
        checked = pa.DataFrameSchema({pattern: one}).validate(long, lazy=True)
        if spec.coerce:
            square = checked[pattern].to_numpy().reshape(values.shape)
            values = pd.DataFrame(square, index=frame.index, columns=names)
        parts.append(values)
    return pd.concat(parts, axis=1)[list(frame.columns)]
