"""Which earlier waves a survey names, and whether it can be compared with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prevalence.errors import PipelineError, suggestion


def named_waves(
    survey: str,
    waves: Sequence[Mapping[str, Any]],
    files: Mapping[str, str],
    year_of: Callable[[str], int],
) -> dict[str, str]:
    """Read a survey's `waves:` section.

    Parameters
    ----------
    survey
        Id of the survey.
    waves
        The section: `survey` and `psus` of each earlier wave.
    files
        Config file of each survey that there is, by id.
    year_of
        Gives the year of a survey.

    Returns
    -------
    dict
        Earlier wave -> ``shared`` or ``independent``.

    Raises
    ------
    PipelineError
        If a wave has no config file, is the survey itself, stands twice, or is of a later year.
    """
    others = [name for name in files if name != survey]
    found: dict[str, str] = {}
    for wave in waves:
        name = wave["survey"]
        problem = remedy = None
        if name == survey:
            problem, remedy = "A survey is compared with itself.", "Name an earlier wave."
        elif name not in files:
            problem, remedy = "An earlier wave has no config file.", suggestion(name, others)
        elif name in found:
            problem, remedy = "An earlier wave stands twice.", "Keep one of the lines."
        elif year_of(name) > year_of(survey):
            problem = "An earlier wave is of a later year."
            remedy = f"Name {survey} under `waves:` of {name} instead, or mend survey.year."
        if problem:
            raise PipelineError(
                problem,
                file=files[survey],
                place="waves",
                found=name,
                allowed=", ".join(other for other in others if other not in found),
                remedy=remedy,
            )
        found[name] = wave["psus"]
    return found
