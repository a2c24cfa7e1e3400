"""What a contract is made of: columns, checks, and the table of both.

Contracts say the same as pandera's schemas, and are turned into them wherever a table isn't plainly
right: pandera then converts it, or tells what is wrong. That a table is right, as nearly all are,
is seen here: a job needn't import pandera, which takes as long as importing pandas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

_NAMES: dict[object, str] = {
    **{str: "str", float: "float64", int: "int64", bool: "bool", object: "object"},
    **{name: name for name in ("str", "float64", "int64", "Int64", "bool", "object")},
}


class Check:
    """A condition on a column's values, missing ones aside, or on a table's rows.

    Parameters
    ----------
    function
        Of a table: for each row, whether it is right.
    name
        What it says, for messages.
    """

    def __init__(self, function: Callable[[pd.DataFrame], pd.Series], name: str) -> None:
        self.function = function
        self.name = name
        self.arguments: dict[str, Any] = {}

    @classmethod
    def _built_in(cls, name: str, function: Callable[[Any], Any], **arguments: Any) -> Check:
        check = cls(function, name)
        check.arguments = arguments
        return check

    @classmethod
    def ge(cls, minimum: float) -> Check:
        """At least."""
        return cls._built_in("ge", lambda values: values >= minimum, min_value=minimum)

    @classmethod
    def gt(cls, minimum: float) -> Check:
        """More than."""
        return cls._built_in("gt", lambda values: values > minimum, min_value=minimum)

    @classmethod
    def le(cls, maximum: float) -> Check:
        """At most."""
        return cls._built_in("le", lambda values: values <= maximum, max_value=maximum)

    @classmethod
    def lt(cls, maximum: float) -> Check:
        """Less than."""
        return cls._built_in("lt", lambda values: values < maximum, max_value=maximum)

    @classmethod
    def in_range(cls, minimum: float, maximum: float) -> Check:
        """Between two numbers, both included."""
        return cls._built_in(
            "in_range",
            lambda values: (values >= minimum) & (values <= maximum),
            min_value=minimum,
            max_value=maximum,
        )

    @classmethod
    def isin(cls, allowed: Sequence[object]) -> Check:
        """One of some values."""
        allowed = list(allowed)
        return cls._built_in("isin", lambda values: values.isin(allowed), allowed_values=allowed)

    @classmethod
    def str_matches(cls, pattern: str) -> Check:
        """Text that begins as a pattern says."""
        return cls._built_in(
            "str_matches", lambda values: values.str.match(pattern), pattern=pattern
        )

    @classmethod
    def str_length(cls, min_value: int) -> Check:
        """Text of so many letters or more."""
        return cls._built_in(
            "str_length", lambda values: values.str.len() >= min_value, min_value=min_value
        )

    def holds(self, values: Any) -> bool:
        """Whether all of some values, or of a table's rows, are plainly right."""
        try:
            found = self.function(values)
        except (TypeError, AttributeError):  # a check of numbers, and texts
            return False
        return not found.isna().any() and bool(np.all(np.asarray(found, dtype=bool)))

    def as_pandera(self) -> pa.Check:
        """Give the same as pandera says it."""
        import pandera.pandas as pa

        if self.arguments:
            check: pa.Check = getattr(pa.Check, self.name)(**self.arguments)
            return check
        return pa.Check(self.function, name=self.name)


class Column:
    """A column of a table.

    Parameters
    ----------
    dtype
        Type of its values; None for any.
    checks
        Conditions on them.
    nullable, unique, required
        Whether cells may be missing, values differ, and the column must be there.
    coerce
        Whether values of another type are converted.
    regex
        Whether the column's name is a pattern of several names.
    description
        What it holds, with its unit.
    """

    def __init__(
        self,
        dtype: object = None,
        checks: Check | Sequence[Check] | None = None,
        *,
        nullable: bool = False,
        unique: bool = False,
        coerce: bool = False,
        required: bool = True,
        regex: bool = False,
        description: str | None = None,
    ) -> None:
        self.dtype = None if dtype is None else _NAMES[dtype]
        self.checks = [checks] if isinstance(checks, Check) else list(checks or ())
        self.nullable, self.unique, self.coerce = nullable, unique, coerce
        self.required, self.regex, self.description = required, regex, description

    def as_pandera(self) -> pa.Column:
        """Give the same as pandera says it."""
        import pandera.pandas as pa

        return pa.Column(
            self.dtype,
            [check.as_pandera() for check in self.checks],
            nullable=self.nullable,
            unique=self.unique,
            coerce=self.coerce,
            required=self.required,
            regex=self.regex,
            description=self.description,
        )

    def taken(self, values: pd.Series) -> pd.Series | None:
        """Values in the column's type, if they are plainly right; else None.

        Parameters
        ----------
        values
            Of a column, or of all columns of a pattern one after the other.
        """
        found = self._converted(values)
        if found is None:
            return None
        there = found.notna()
        whole = bool(there.all())
        if not (whole or self.nullable):
            return None
        if self.unique and found.duplicated().any():
            return None
        known = found if whole else found[there]
        return found if all(check.holds(known) for check in self.checks) else None

    def _converted(self, values: pd.Series) -> pd.Series | None:
        """Values in the column's type, converted as pandera does it; None where that fails."""
        kind = str(values.dtype)
        if self.dtype is None or kind == self.dtype:
            return values
        if not self.coerce:
            return None
        try:
            return values.astype(self.dtype)  # type: ignore[call-overload, no-any-return]
        except (ValueError, TypeError, OverflowError):
            return None


@dataclass(frozen=True)
class DataFrameSchema:
    """A table's contract.

    Parameters
    ----------
    columns
        By name, or by pattern of names.
    checks
        A condition on its rows, if there is one.
    name, description
        Of the table.
    unique
        Columns that together identify a row.
    strict, ordered
        Whether there are no other columns, and whether columns stand in this order.
    """

    columns: Mapping[str, Column]
    checks: Check | None = None
    name: str | None = None
    description: str | None = None
    unique: Sequence[str] | None = None
    strict: bool = False
    ordered: bool = False

    def as_pandera(self) -> pa.DataFrameSchema:
        """Give the same as pandera says it."""
        import pandera.pandas as pa

        return pa.DataFrameSchema(
            {name: column.as_pandera() for name, column in self.columns.items()},
            checks=self.checks.as_pandera() if self.checks else None,
            name=self.name,
            description=self.description,
            unique=list(self.unique) if self.unique else None,
            strict=self.strict,
            ordered=self.ordered,
        )

    def validate(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Check a table.

        Parameters
        ----------
        frame
            The table.

        Returns
        -------
        pandas.DataFrame
            A copy, in the contract's types.

        Raises
        ------
        pandera.errors.SchemaErrors
            With every failure.
        """
        taken = self.taken(frame)
        if taken is not None:
            return taken
        checked: pd.DataFrame = self.as_pandera().validate(frame, lazy=True)
        return checked

    def taken(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """Give the table in the contract's types, if it is plainly right; else None."""
        import pandas as pd

        if not frame.columns.is_unique or any(not isinstance(name, str) for name in frame):
            return None
        groups = self._columns_of(frame)
        if groups is None:
            return None
        made: dict[str, Any] = {}
        for spec, names in groups:
            if len(names) == 1:
                long = spec.taken(frame[names[0]])
            else:  # such as a thousand replicates
                long = spec.taken(pd.Series(np.ravel(frame[names].to_numpy(), order="F")))
            if long is None:
                return None
            if len(names) > 1 and spec.coerce:
                parts = np.split(long.to_numpy(), len(names))
                made |= dict(zip(names, parts, strict=True))
            elif len(names) == 1:
                made[names[0]] = long
        found = pd.DataFrame(
            {name: made.get(str(name), frame[name]) for name in frame},
            index=frame.index,
            copy=True,
        )
        if self.unique and found.duplicated(list(self.unique)).any():
            return None
        return found if self.checks is None or self.checks.holds(found) else None

    def _columns_of(self, frame: pd.DataFrame) -> list[tuple[Column, list[str]]] | None:
        """Tell what each column is; None if there are others, too few, or misplaced ones."""
        names = list(map(str, frame))
        groups = []
        for name, spec in self.columns.items():
            mine = [n for n in names if re.fullmatch(name, n)] if spec.regex else [name]
            if not spec.regex and name not in names:
                mine = []
            if spec.required and not mine:
                return None
            if mine:
                groups.append((spec, mine))
        described = [name for _, mine in groups for name in mine]
        if len(described) != len(set(described)) or (self.strict and set(names) - set(described)):
            return None
        if self.ordered and [name for name in names if name in set(described)] != described:
            return None
        return groups
