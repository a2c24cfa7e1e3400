"""Whether exceptions from disclosure control name what exists: others would seem to hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prevalence.errors import check_known

FILE = "config/disclosure.yaml"
NATIONAL = "national"
DEGREE = "degree"  # network sizes are a group of cells too


def check_exceptions(
    exceptions: Sequence[Mapping[str, Any]],
    surveys: Iterable[str],
    survey: str,
    estimate: Mapping[str, Any],
    asked: Iterable[str],
) -> None:
    """Refuse exceptions of surveys, groups and types of domain that don't exist.

    Parameters
    ----------
    exceptions
        As ``config/disclosure.yaml`` has them.
    surveys
        Ids of all surveys.
    survey
        The survey whose groups are looked at.
    estimate
        Its config's section ``estimate``.
    asked
        Groups of its codebook.

    Raises
    ------
    PipelineError
        For the first name that doesn't exist. Names of places are checked with the release, which
        knows them.
    """
    known = list(surveys)
    groups = [*estimate["hidden_groups"], *(estimate.get("ratios") or {}), *asked, DEGREE]
    types = [NATIONAL, *(domain["type"] for domain in estimate["domains"])]
    for number, exception in enumerate(exceptions):
        names = {"survey": known}
        if exception["survey"] == survey:
            names |= {"group": list(dict.fromkeys(groups)), "domain_type": types}
            if exception["domain_type"] == NATIONAL:
                names["domain"] = [NATIONAL]
        for key, allowed in names.items():
            check_known(
                exception[key],
                allowed,
                "An exception from disclosure control names what doesn't exist.",
                file=FILE,
                place=f"exceptions.{number}.{key}",
            )
