"""What the sections of a survey's config say of one another: each name must be one that exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prevalence.disclosure.requirements import required_texts
from prevalence.errors import PipelineError, listed, suggestion

COMMON_GEOGRAPHY = ("national", "island_group", "region")


def check_references(config: Mapping[str, Any], file: str) -> None:
    """Check that names in one place of a config exist in the other.

    Parameters
    ----------
    config
        A survey's config that fits its schemas.
    file
        The file's name, for messages.

    Raises
    ------
    PipelineError
        For the first name that doesn't exist, or values that contradict one another.
    """
    estimate = config["estimate"]
    groups = list(estimate["hidden_groups"])
    types = [domain["type"] for domain in estimate["domains"]]
    geographic = [d["type"] for d in estimate["domains"] if d["kind"] == "geographic"]
    _check_once(types, "estimate.domains", file)
    _check_known(estimate.get("benchmarked") or (), geographic, "estimate.benchmarked", file)
    for name, ratio in (estimate.get("ratios") or {}).items():
        for part in ("numerator", "denominator"):
            _check_known([ratio[part]], groups, f"estimate.ratios.{name}.{part}", file)
    between = estimate.get("imputation_between") or {}
    for part, group in between.items():
        _check_known([group], groups, f"estimate.imputation_between.{part}", file)
    factors = (estimate.get("adjustment") or {}).get("factors") or {}
    _check_known(factors, groups, "estimate.adjustment.factors", file)
    _check_known(groups, config["report"]["groups"], "report.groups", file, "needs words for")
    _check_known(config["report"]["groups"], groups, "report.groups", file)
    allowed = [*COMMON_GEOGRAPHY, *geographic]
    smallest = config["release"]["smallest_geography"]
    _check_known([smallest], list(dict.fromkeys(allowed)), "release.smallest_geography", file)
    tables = (config.get("ingest") or {}).get("tables") or {}
    if (config.get("model") or {}).get("area_covariates") and "areas" not in tables:
        raise PipelineError(
            "Covariates of areas are named, but no list of areas.",
            file=file,
            place="model.area_covariates",
            found="no ingest.tables.areas",
            allowed="columns of the side table areas",
            remedy="Declare the list under ingest.tables.areas, or take the covariates out.",
        )
    _check_numbers(config, file)
    _check_words(config, file)


def _check_known(
    names: Iterable[str], known: Iterable[str], place: str, file: str, verb: str = "names"
) -> None:
    allowed = list(known)
    strange = [name for name in names if name not in allowed]
    if strange:
        raise PipelineError(
            f"The config {verb} something that doesn't exist."
            if verb == "names"
            else "The report has no words for a hidden group.",
            file=file,
            place=place,
            found=listed(strange),
            allowed=listed(allowed, 40),
            remedy=suggestion(strange[0], allowed)
            if verb == "names"
            else f"Add {strange[0]} with its heading under {place}.",
        )


def _check_once(names: list[str], place: str, file: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1 or name == "national"})
    if twice:
        raise PipelineError(
            "A type of domain stands twice.",
            file=file,
            place=place,
            found=listed(twice),
            allowed="each type once; the nation is there without being listed",
            remedy="Give the second one another type, or take it out.",
        )


def _check_words(config: Mapping[str, Any], file: str) -> None:
    """Refuse now what the gate would refuse once everything is rendered."""
    populations = {group["population"] for group in config["estimate"]["hidden_groups"].values()}
    try:
        required_texts(config["survey"], config["report"], "", populations=populations)
    except PipelineError as error:
        error.file = file
        raise


def _check_numbers(config: Mapping[str, Any], file: str) -> None:
    estimate, headline = config["estimate"], config["headline"]
    fewest, known = estimate["degree"]["minimum_groups"], headline["known_groups"]
    if fewest > len(known):
        raise PipelineError(
            "Degrees need more known groups than the headline has.",
            file=file,
            place="estimate.degree.minimum_groups",
            found=fewest,
            allowed=f"at most {len(known)}, the number of headline.known_groups",
            remedy="Lower it, or name more known groups.",
        )
    for name, group in estimate["hidden_groups"].items():
        own = group.get("known_groups")
        if own and fewest > len(own):
            raise PipelineError(
                "Degrees need more known groups than a hidden group has of its own.",
                file=file,
                place=f"estimate.hidden_groups.{name}.known_groups",
                found=f"{len(own)} groups, estimate.degree.minimum_groups {fewest}",
                allowed=f"at least {fewest} known groups",
                remedy="Name more known groups, or lower minimum_groups.",
            )
    for name, axis in ((estimate.get("sensitivity") or {}).get("contour") or {}).items():
        if axis["low"] >= axis["high"]:
            raise PipelineError(
                "A range is upside down.",
                file=file,
                place=f"estimate.sensitivity.contour.{name}",
                found=f"low {axis['low']:g}, high {axis['high']:g}",
                allowed="low below high",
                remedy="Exchange the two.",
            )
    for number, design in enumerate((estimate.get("planning") or {}).get("designs") or []):
        if design["psus"] > design["respondents"]:
            raise PipelineError(
                "A planned survey has more sampling units than respondents.",
                file=file,
                place=f"estimate.planning.designs.{number}",
                found=f"{design['psus']:,} PSUs, {design['respondents']:,} respondents",
                allowed="at least one respondent a PSU",
                remedy="Correct one of the two.",
            )
