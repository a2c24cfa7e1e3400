"""Open decisions: places of a draft that a person has to fill before the survey can run.

A draft writes ``DECIDE`` where it cannot know, followed by what is to be decided. Nothing that
still says so is ever run: each reader of config, codebook and side tables asks here first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prevalence.errors import PipelineError, listed

MARK = "DECIDE"


def open_keys(value: Any, key: str = "") -> list[str]:
    """List the keys of a config that are still to be decided.

    Parameters
    ----------
    value
        The config, or a part of it.
    key
        The part's own dotted key.

    Returns
    -------
    list of str
        Dotted keys whose value, or whose own name, begins with `MARK`.
    """
    if isinstance(value, str):
        return [key] if value.strip().startswith(MARK) else []
    found: list[str] = []
    if isinstance(value, Mapping):
        for name, part in value.items():
            place = f"{key}.{name}" if key else str(name)
            named = str(name).startswith(MARK)
            found += [f"{key}.{MARK}".removeprefix(".")] if named else open_keys(part, place)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            found += open_keys(part, f"{key}.{number}")
    return found


def open_cells(lines: Iterable[tuple[int, Mapping[Any, Any]]]) -> list[str]:
    """List the cells of a table that are still to be decided.

    Parameters
    ----------
    lines
        Number of each line, and its cells by column.

    Returns
    -------
    list of str
        Each column that has some, with its lines.
    """
    found: dict[str, list[int]] = {}
    for number, cells in lines:
        for column, cell in cells.items():
            if isinstance(cell, str) and MARK in cell:
                found.setdefault(str(column), []).append(number)
    return [
        f"column {column} on {len(numbers)} lines ({listed(numbers, 6)})"
        for column, numbers in found.items()
    ]


def refuse_open(places: list[str], file: object, what: str) -> None:
    """Stop where decisions are open.

    Parameters
    ----------
    places
        What :func:`open_keys` or :func:`open_cells` found.
    file
        The file, for the message.
    what
        What the file is, in words.

    Raises
    ------
    PipelineError
        Naming how many decisions are left, and where.
    """
    if places:
        raise PipelineError(
            f"The {what} has open decisions.",
            file=file,
            place=listed(places, 30),
            found=f"texts that begin with {MARK}",
            allowed="none: nobody but the survey's team can know these",
            remedy=f"Replace each text that begins with {MARK}; docs/your-own-survey.md explains "
            "them. make check-survey lists what is left.",
        )
