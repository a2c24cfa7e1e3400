"""What every published report must say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from prevalence.errors import PipelineError, listed


def required_texts(
    survey: Mapping[str, Any],
    report: Mapping[str, Any],
    identity: str,
    *,
    populations: Collection[str] = (),
    unstated: str = "",
) -> dict[str, str]:
    """Say what every report must hold.

    Parameters
    ----------
    survey, report
        Sections of the survey's config.
    identity
        The run's identity.
    populations
        Populations of the hidden groups: a report about children needs a content note and help
        lines.
    unstated
        What the report says where the config has no ethics or funding.

    Returns
    -------
    dict
        Text by what it is.

    Raises
    ------
    PipelineError
        If the config lacks words without which no report of this kind is published.
    """
    needed = ["content_note", "help_lines"] if "children" in populations else []
    needed += [] if survey["synthetic"] else ["ethics"]
    missing = [f"report.{key}" for key in needed if not report.get(key)]
    if missing:
        raise PipelineError(
            "The survey's config lacks words that its report must have.",
            file="config/surveys/",
            place=listed(missing),
            allowed="a content note and help lines where children are concerned; the ethics "
            "approval where people were interviewed",
            remedy="Write them; workflow/schemas/survey/report.yaml explains each key.",
        )
    texts = {"identity of the run": identity}
    if survey["synthetic"]:
        texts["notice that the data are synthetic"] = "synthetic data"
    if report.get("content_note"):
        texts["content note"] = str(report["content_note"])
    for key in ("ethics", "funding"):
        if report.get(key) or unstated:
            texts[key] = str(report.get(key) or unstated)
    for line in report.get("help_lines") or []:
        for number in line.get("numbers", []):
            texts[f"help line {number}"] = str(number)
    for place, limit in enumerate(report.get("limits") or [], start=1):
        texts[f"limit {place}"] = str(limit)
    return texts
