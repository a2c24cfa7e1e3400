"""What a table breaks of its contract, in words: how many rows of which column."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from prevalence.errors import listed

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.contracts.schema import Check, Column, DataFrameSchema

_CALLED = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_KINDS = {"float64": "number", "int64": "whole number", "Int64": "whole number", "str": "text"}
# What is wrong of a row, and of several, by the name of the check that it fails.
_WRONG = {
    "not_nullable": ("is empty", "are empty"),
    "str_length": ("is empty", "are empty"),
    "greater_than": ("isn't above {}", "aren't above {}"),
    "greater_than_or_equal_to": ("is below {}", "are below {}"),
    "less_than": ("isn't below {}", "aren't below {}"),
    "less_than_or_equal_to": ("is above {}", "are above {}"),
    "in_range": ("isn't from {} to {}", "aren't from {} to {}"),
    "isin": ("holds another word or number", "hold another word or number"),
    "str_matches": ("has another form", "have another form"),
    "field_uniqueness": ("holds what another row holds", "hold what another row holds"),
}
_FINITE = 1e15  # of numbers that may be as large as one likes


def told_failures(cases: pd.DataFrame, contract: DataFrameSchema) -> tuple[list[str], list[str]]:
    """Say what a table breaks of its contract.

    Parameters
    ----------
    cases
        Pandera's table of failures, but those of missing columns: ``schema_context``, ``column``,
        ``check``, ``index``.
    contract
        The contract.

    Returns
    -------
    columns : list of str
        The columns that fail, by name.
    found : list of str
        Each failure with its number of rows, as ``size: 1 row isn't above 0``; no values.
    """
    whole = (cases["schema_context"] == "DataFrameSchema").to_numpy(bool)
    columns: dict[str, None] = {}
    found: dict[str, None] = {}
    for column, mine in cases[~whole].groupby("column", dropna=False, sort=True):
        columns[str(column)] = None
        found |= dict.fromkeys(f"{column}: {text}" for text in _of_column(mine, contract, column))
    for name in dict.fromkeys(cases.loc[whole, "check"].astype(str)):
        mine = cases[whole & (cases["check"].astype(str) == name).to_numpy(bool)]
        there = [str(column) for column in mine["column"].dropna().unique()]
        rows = int(mine["index"].nunique())
        if name == "multiple_fields_uniqueness":
            told = f"{_rows(rows)} with the same {listed(contract.unique or there)}"
            there = list(contract.unique or there)
        elif name.startswith("column_"):
            told = f"{'misplaced' if 'order' in name else 'unknown'} column {listed(there)}"
        else:
            there = [column for column in there if column in name] or there
            told = f"{_rows(rows)} against the rule: {name}"
        columns |= dict.fromkeys(there)
        found[told] = None
    return sorted(columns), list(found)


def described(name: str, contract: DataFrameSchema) -> str:
    """Say what a column may hold, as ``size: a number above 0, or nothing``; empty if unknown.

    Parameters
    ----------
    name
        The column.
    contract
        The contract that has it.
    """
    spec = _spec(name, contract)
    if spec is None or spec.dtype not in _KINDS:
        return ""
    kind = _KINDS[spec.dtype]
    limits = [text for check in spec.checks if (text := _limit(check))]
    words = f"a {kind}" + "".join(f" {text}" for text in limits[:1])
    words += "".join(f" and {text}" for text in limits[1:])
    return f"{name}: {words}" + (", or nothing" if spec.nullable else "")


def wants_number(name: str, contract: DataFrameSchema) -> bool:
    """Whether a column of a contract holds numbers."""
    spec = _spec(name, contract)
    return spec is not None and "number" in _KINDS.get(spec.dtype or "", "")


def _spec(name: str, contract: DataFrameSchema) -> Column | None:
    if name in contract.columns:
        return contract.columns[name]
    patterns = (n for n, spec in contract.columns.items() if spec.regex and re.fullmatch(n, name))
    return next((contract.columns[pattern] for pattern in patterns), None)


def _of_column(cases: pd.DataFrame, contract: DataFrameSchema, column: object) -> list[str]:
    """Failures of one column; where values have another type, no other check says anything."""
    names = cases["check"].astype(str)
    unread = names.str.startswith(("coerce_dtype", "dtype"))
    if unread.any():
        rows = max(int(cases.loc[unread, "index"].nunique()), 1)
        spec = _spec(str(column), contract)
        kind = _KINDS.get((spec.dtype if spec else None) or "", "value of the column's type")
        return [f"{_rows(rows)} {'is' if rows == 1 else 'are'} no {kind}"]
    counts = names.value_counts(sort=False)
    return [_told(str(name), int(rows)) for name, rows in sorted(counts.items())]


def _told(check: str, rows: int) -> str:
    name, given = _parts(check)
    if name not in _WRONG:
        return f"{_rows(rows)} against the rule: {check}"
    return f"{_rows(rows)} {_WRONG[name][rows > 1].format(*map(_number, given))}"


def _parts(check: str) -> tuple[str, tuple[Any, ...]]:
    """Name and arguments of a check as pandera writes it: ``in_range(0, 1)``."""
    called = _CALLED.fullmatch(check)
    if not called:
        return check, ()
    name = called[1]
    numbers = "{}" in _WRONG.get(name, ("",))[0]
    return name, tuple(ast.literal_eval(f"({called[2]},)")) if numbers else ()


def _limit(check: Check) -> str:
    """Say what a check of a column asks for; empty if that goes without saying."""
    given = check.arguments
    low, high = given.get("min_value"), given.get("max_value")
    words = {
        "ge": f"of at least {_number(low)}",
        "gt": f"above {_number(low)}",
        "le": f"up to {_number(high)}",
        "lt": "" if high is not None and high >= _FINITE else f"below {_number(high)}",
        "in_range": f"from {_number(low)} to {_number(high)}",
        "str_length": "that isn't empty",
        "str_matches": f"of the form {given.get('pattern')}",
    }
    if check.name == "isin":
        return f"among {listed([value for value in given['allowed_values'] if value != ''], 40)}"
    return words.get(check.name, check.name)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) and abs(value) >= _FINITE else str(value)


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
