"""Columns of the contracts: the kinds of content that every stage's tables are made of."""

from __future__ import annotations

from collections.abc import Sequence

from prevalence.contracts import schema as pa


def text(
    description: str,
    *checks: pa.Check,
    allowed: Sequence[str] = (),
    nullable: bool = False,
    required: bool = True,
    unique: bool = False,
) -> pa.Column:
    """Describe a column of texts.

    Parameters
    ----------
    description
        What it holds.
    *checks
        Further conditions.
    allowed
        The only values; any text if empty.
    nullable, required, unique
        Whether cells may be missing, the column must be there, and values differ.

    Returns
    -------
    prevalence.contracts.schema.Column
        The column.
    """
    every = [*checks, pa.Check.isin(allowed)] if allowed else list(checks)
    return pa.Column(
        str,
        every,
        nullable=nullable,
        required=required,
        unique=unique,
        coerce=True,
        description=description,
    )


def number(
    description: str,
    *checks: pa.Check,
    nullable: bool = True,
    minimum: float | None = None,
    required: bool = True,
) -> pa.Column:
    """Describe a column of numbers.

    Parameters
    ----------
    description
        What it holds, with its unit.
    *checks
        Further conditions.
    nullable, required
        Whether cells may be missing, and the column must be there.
    minimum
        The smallest number allowed.

    Returns
    -------
    prevalence.contracts.schema.Column
        The column.
    """
    every = list(checks) if minimum is None else [*checks, pa.Check.ge(minimum)]
    return pa.Column(
        float, every, nullable=nullable, required=required, coerce=True, description=description
    )


def whole(
    description: str, *checks: pa.Check, minimum: int | None = 0, required: bool = True
) -> pa.Column:
    """Describe a column of whole numbers, none of them missing.

    Parameters
    ----------
    description
        What it holds, with its unit.
    *checks
        Further conditions.
    minimum
        The smallest number allowed.
    required
        Whether the column must be there.

    Returns
    -------
    prevalence.contracts.schema.Column
        The column.
    """
    every = list(checks) if minimum is None else [*checks, pa.Check.ge(minimum)]
    return pa.Column("int64", every, coerce=True, required=required, description=description)


def flag(description: str) -> pa.Column:
    """Describe a column of yes and no."""
    return pa.Column(bool, coerce=True, description=description)


def filled() -> pa.Check:
    """Refuse empty texts."""
    return pa.Check.str_length(min_value=1)


def contract(
    name: str, description: str, columns: dict[str, pa.Column], unique: list[str] | None
) -> pa.DataFrameSchema:
    """Put columns together: these, in this order, and no others.

    Parameters
    ----------
    name, description
        Of the table.
    columns
        By name, in order.
    unique
        Columns that together identify a row.

    Returns
    -------
    prevalence.contracts.schema.DataFrameSchema
        The contract.
    """
    return pa.DataFrameSchema(
        columns, name=name, description=description, unique=unique, strict=True, ordered=True
    )
