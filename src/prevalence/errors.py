"""The one error type of the project: what is wrong, where, what is allowed, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# What a survey's config is divided into: schemas in workflow/schemas/survey/.
CONFIG_SECTIONS = {
    "survey",
    "ingest",
    "clean",
    "weight",
    "estimate",
    "model",
    "headline",
    "release",
    "figures",
    "report",
    "waves",
}


class PipelineError(Exception):
    """Bad input or an impossible request, told so that the reader can mend it.

    Parameters
    ----------
    problem
        One sentence: what is wrong.
    file
        The file in which the problem stands, if it stands in one.
    place
        Column, row count, or config key.
    found
        What was found: counts and codes, never a respondent's answers.
    allowed
        What would have been accepted.
    remedy
        What to do.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: object = None,
        place: str | None = None,
        found: object = None,
        allowed: object = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.file = None if file is None else str(file)
        self.place = place
        self.found = None if found is None else str(found)
        self.allowed = None if allowed is None else str(allowed)
        self.remedy = remedy

    def __str__(self) -> str:
        """Render the error as the block of lines that logs and the terminal show."""
        rows = [
            ("file", self.file),
            ("place", self.place),
            ("found", self.found),
            ("allowed", self.allowed),
            ("do this", self.remedy),
        ]
        lines = [self.problem]
        lines += [f"  {name + ':':<9} {value}" for name, value in rows if value]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep every field when the error crosses a process boundary."""
        return (_rebuild, (self.problem, self.__dict__.copy()))


def _rebuild(problem: str, fields: dict[str, object]) -> PipelineError:
    error = PipelineError(problem)
    error.__dict__.update(fields)
    return error


def in_config(error: PipelineError, file: object) -> PipelineError:
    """Name a survey's config as the file of an error that names only a key of it.

    Parameters
    ----------
    error
        The error; one that names a file is left as it is.
    file
        The survey's config.

    Returns
    -------
    PipelineError
        The same error.
    """
    section, dot, _ = (error.place or "").partition(".")
    if error.file is None and dot and section in CONFIG_SECTIONS:
        error.file = str(file)
    return error


def listed(values: Iterable[object], most: int = 12) -> str:
    """Join names for a message, cutting a long list and saying by how much.

    Parameters
    ----------
    values
        Names or codes.
    most
        How many are written out.

    Returns
    -------
    str
        ``"a, b, c"`` or ``"a, b and 40 more"``; ``"nothing"`` for an empty list.
    """
    names = [str(value) for value in values]
    if not names:
        return "nothing"
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """Return a remedy that names the nearest allowed word, if one is near.

    Parameters
    ----------
    name
        The word that was found.
    allowed
        The words that would have been accepted.

    Returns
    -------
    str
        A sentence for ``PipelineError.remedy``.
    """
    near = get_close_matches(name, list(allowed), n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return "Use one of the allowed names."


def check_known(
    names: str | Iterable[str],
    known: Iterable[object],
    problem: str,
    *,
    file: object = None,
    place: str | None = None,
) -> None:
    """Refuse names that aren't among those that exist, and offer the likeliest one.

    Parameters
    ----------
    names
        The name, or the names, that were given.
    known
        Those that exist.
    problem
        One sentence: what is wrong with the others.
    file, place
        Where they stand, for the message.

    Raises
    ------
    PipelineError
        If one isn't known; it names all of those.
    """
    allowed = [str(name) for name in known]
    given = [names] if isinstance(names, str) else names
    strange = [name for name in dict.fromkeys(given) if name not in allowed]
    if strange:
        raise PipelineError(
            problem,
            file=file,
            place=place,
            found=listed(strange),
            allowed=listed(allowed, 40),
            remedy=suggestion(strange[0], allowed),
        )
