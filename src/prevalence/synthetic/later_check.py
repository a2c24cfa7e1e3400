"""Whether a later synthetic wave's config says only what a later wave can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prevalence.config import setting
from prevalence.errors import PipelineError, listed, suggestion

# What the earlier world is made of, so that a later wave's config can't have it otherwise.
OF_THE_WORLD = (
    "population",
    "area_size_sd",
    "barangay_population",
    "fewest_barangays",
    "regions",
    "columns",
    "degree.mean",
    "degree.area_sd",
    "occupation_area_sd",
    "children_area_sd",
    "barangay_sd",
    "hidden_region_sd",
    "occupations",
    "hidden_groups",
)
# What must stay so that a share of the earlier sample can be visited again.
OF_THE_SAMPLE = ("psus", "fewest_psus", "barangays", "barangays_certainty")


def check_later(later: Mapping[str, Any], earlier: Mapping[str, Any]) -> None:
    """Refuse a later wave's config of which something would be passed over.

    Parameters
    ----------
    later, earlier
        As in :func:`prevalence.synthetic.later_wave.later_config`.

    Raises
    ------
    PipelineError
        If the earlier wave is itself a later one, a section is missing, a key belongs to the
        earlier world or sample, or a name isn't one of the earlier wave's.
    """
    if earlier.get("earlier") is not None:
        raise _wrong(
            "The earlier wave of a synthetic survey takes over another one's world itself.",
            "earlier",
            later["earlier"],
            "a synthetic survey with a world of its own",
            f"Name {earlier['earlier']}; its changes are told from there.",
        )
    _check_sections(later)
    _check_kept(later, earlier)
    _check_names(later, earlier)


def _check_sections(later: Mapping[str, Any]) -> None:
    """Look for the change and the shares of the earlier sample, within their range."""
    wanted = {
        "change.rates": "factors by hidden group and island group",
        "overlap.psus": "a share of the earlier sample, from 0 to 1",
        "overlap.barangays": "a share of the earlier sample, from 0 to 1",
    }
    for place, allowed in wanted.items():
        value = setting(later, place)
        if value is None or (place.startswith("overlap") and not 0 <= value <= 1):
            raise _wrong(
                "A later wave of a synthetic survey lacks a setting, or has an impossible one.",
                place,
                "nothing" if value is None else value,
                allowed,
                "Write it as config/synthetic/ph2024.yaml has it.",
            )


def _check_kept(later: Mapping[str, Any], earlier: Mapping[str, Any]) -> None:
    """Refuse values of what the earlier world and its sample have fixed."""
    for key in OF_THE_WORLD:
        if setting(later, key) is not None:
            raise _wrong(
                "A later wave has its places, networks and groups from the earlier world.",
                key,
                "a value of its own",
                "change.rates and change.occupations, by which the world changes",
                "Take it out, or make a survey with a world of its own: without `earlier`.",
            )
    if later["overlap"]["barangays"] > 0 and later["overlap"]["psus"] == 0:
        raise _wrong(
            "Barangays are visited again only in cities and municipalities that are.",
            "overlap.barangays",
            f"{later['overlap']['barangays']}, with psus: 0",
            "0, or a share of PSUs above 0",
            "Visit PSUs again, or keep none: overlap: {psus: 0, barangays: 0}.",
        )
    for part in OF_THE_SAMPLE if later["overlap"]["psus"] > 0 else ():
        own, before = setting(later, f"design.{part}"), earlier["design"].get(part)
        if own not in (None, before):
            raise _wrong(
                "A later wave that keeps PSUs has another number of them.",
                f"design.{part}",
                own,
                f"{before}, as in the earlier wave",
                "Give the same number, or keep none: overlap: {psus: 0, barangays: 0}.",
            )


def _check_names(later: Mapping[str, Any], earlier: Mapping[str, Any]) -> None:
    """Refuse changes and sizes of groups that the earlier wave doesn't have, or lacks."""
    change = later["change"]
    for place, names, known in (
        ("change.rates", change["rates"], earlier["hidden_groups"]),
        ("change.occupations", change.get("occupations") or {}, earlier["occupations"]),
        (
            "known_groups",
            [row["group"] for row in later.get("known_groups") or []],
            [row["group"] for row in earlier["known_groups"]],
        ),
    ):
        for name in names:
            if name not in known:
                raise _wrong(
                    "A later wave names what the earlier one doesn't have.",
                    place,
                    name,
                    listed(known, 20),
                    suggestion(name, known),
                )
    missing = [name for name in earlier["hidden_groups"] if name not in change["rates"]]
    if missing:
        raise _wrong(
            "A later wave doesn't say how a hidden group changed.",
            "change.rates",
            f"nothing of {listed(missing)}",
            "factors by island group for each hidden group",
            "Give them; 1.0 is no change.",
        )


def _wrong(problem: str, place: str, found: object, allowed: str, remedy: str) -> PipelineError:
    return PipelineError(problem, place=place, found=found, allowed=allowed, remedy=remedy)
