"""The data dictionary, generated from the contracts so that it cannot drift from them."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING

import prevalence.contracts

if TYPE_CHECKING:
    from prevalence.contracts import schema as pa

STAGES = (
    *("synthesize", "ingest", "clean", "weight", "estimate", "model", "release"),
    *("trend", "compare"),  # between surveys
)


def contracts_of(stage: str) -> dict[str, pa.DataFrameSchema]:
    """Contracts that a stage's module defines, by the name of their table.

    Parameters
    ----------
    stage
        A stage's name; a stage without contracts gives an empty dict.
    """
    names = {module.name for module in pkgutil.iter_modules(prevalence.contracts.__path__)}
    if stage not in names:
        return {}
    return contracts_in(importlib.import_module(f"prevalence.contracts.{stage}"))


def contracts_in(module: ModuleType) -> dict[str, pa.DataFrameSchema]:
    """Contracts that a module defines or takes over, by the name of their table.

    Parameters
    ----------
    module
        A stage's module; a script that imports it declares it as an input of its rule.
    """
    from prevalence.contracts import schema as pa

    found = [value for value in vars(module).values() if isinstance(value, pa.DataFrameSchema)]
    return {str(contract.name): contract for contract in found}


def data_dictionary() -> str:
    """All contracts as a Markdown page.

    Returns
    -------
    str
        A heading for each stage and table, and a row for each column.
    """
    lines = [
        "# Data dictionary",
        "",
        "Generated from `src/prevalence/contracts/` by `make docs`; a test keeps it fresh.",
    ]
    for stage in STAGES:
        tables = contracts_of(stage)
        if tables:
            lines += ["", f"## {stage}"]
        for name, contract in sorted(tables.items()):
            lines += ["", f"### {name}", ""]
            lines += [_cell(contract.description), ""] if contract.description else []
            lines += [
                "| column | type | may be missing | what it holds |",
                "| --- | --- | --- | --- |",
            ]
            lines += [
                f"| `{column}` | {_type(spec)} | {'yes' if spec.nullable else 'no'} "
                f"| {_cell(spec.description or '')} |"
                for column, spec in contract.columns.items()
            ]
    return "\n".join(lines) + "\n"


def _type(column: pa.Column) -> str:
    """Give the type of a column; one without a fixed type holds whole numbers or fractions."""
    return "number" if column.dtype is None else _cell(str(column.dtype))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
