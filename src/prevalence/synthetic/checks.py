"""Whether a synthetic survey's config can be made, and nothing in it would be passed over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from prevalence.config import check_config, setting
from prevalence.errors import PipelineError, check_known, listed
from prevalence.synthetic.instrument import OCCUPATIONS
from prevalence.synthetic.later_wave import later_config

UNKNOWN = "A name of a synthetic survey is unknown."
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


def check_synthetic(
    config: Mapping[str, Any],
    earlier: Mapping[str, Any] | None,
    schema: Mapping[str, Any],
    file: str,
) -> None:
    """Check a synthetic survey's config, that of a later wave with what it takes over.

    Parameters
    ----------
    config
        As in ``config/synthetic/<survey>.yaml``.
    earlier
        The config that it names as the earlier wave's; None where it names none.
    schema
        The JSON schema.
    file
        The file's name, for the message.

    Raises
    ------
    PipelineError
        As :func:`prevalence.config.check_config` and :func:`check_later` do; for shares that don't
        add up, and for names that don't belong together.
    """
    if earlier is None:
        for section in ("change", "overlap"):
            if section in config:
                raise _wrong(
                    file,
                    "A synthetic survey changes nothing without an earlier wave.",
                    section,
                    "no `earlier`",
                    "the id of the survey whose world it takes over",
                    f"Add the line earlier: …, or take {section} out.",
                )
        whole: Mapping[str, Any] = config
    else:
        check_later(config, earlier, file)
        whole = later_config(config, earlier)
    check_config(whole, schema, file)
    _check_shares(whole, file)
    for place, names, wanted in (
        ("columns", whole["columns"], whole["regions"]),
        ("occupations", whole["occupations"], OCCUPATIONS),
        ("known_groups", [row["group"] for row in whole["known_groups"]], OCCUPATIONS),
    ):
        if {*names} != {*wanted}:
            unknown = [name for name in names if name not in wanted]
            missing = [name for name in wanted if name not in {*names}]
            raise _wrong(
                file,
                "Names of a synthetic survey don't belong together.",
                place,
                f"{listed(unknown)} too many, {listed(missing)} missing",
                listed(wanted, 20),
                "The regions are those of `regions`, the occupations those of the instrument.",
            )
    check_known(
        whole["reference_groups"],
        whole["occupations"],
        UNKNOWN,
        file=file,
        place="reference_groups",
    )


def _check_shares(config: Mapping[str, Any], file: str) -> None:
    """Refuse shares of a whole that aren't."""
    told = config["reporting"]
    for place, shares, whole in (
        ("mixing", config["mixing"].values(), False),
        ("reporting", [told[part] for part in ("reported", "dont_know", "refused")], False),
        ("reporting.authorities", told["authorities"], True),
        ("design.adults_in_household", config["design"]["adults_in_household"], True),
    ):
        total = math.fsum(shares)
        if not (math.isclose(total, 1, abs_tol=1e-9) or (not whole and total < 1)):
            raise _wrong(
                file,
                "Shares of a synthetic survey don't add up.",
                place,
                f"{total:g} in all",
                "1 in all" if whole else "at most 1 in all",
                "Correct the shares.",
            )


def check_later(later: Mapping[str, Any], earlier: Mapping[str, Any], file: str) -> None:
    """Refuse a later wave's config of which something would be passed over.

    Parameters
    ----------
    later, earlier
        As in :func:`prevalence.synthetic.later_wave.later_config`.
    file
        The later config's name, for the message.

    Raises
    ------
    PipelineError
        If the earlier wave is itself a later one, a section is missing, a key belongs to the
        earlier world or sample, or a name isn't one of the earlier wave's.
    """
    if earlier.get("earlier") is not None:
        raise _wrong(
            file,
            "The earlier wave of a synthetic survey takes over another one's world itself.",
            "earlier",
            later["earlier"],
            "a synthetic survey with a world of its own",
            f"Name {earlier['earlier']}; its changes are told from there.",
        )
    _check_sections(later, file)
    _check_kept(later, earlier, file)
    _check_names(later, earlier, file)


def _check_sections(later: Mapping[str, Any], file: str) -> None:
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
                file,
                "A later wave of a synthetic survey lacks a setting, or has an impossible one.",
                place,
                "nothing" if value is None else value,
                allowed,
                "Write it as config/synthetic/ph2024.yaml has it.",
            )


def _check_kept(later: Mapping[str, Any], earlier: Mapping[str, Any], file: str) -> None:
    """Refuse values of what the earlier world and its sample have fixed."""
    for key in OF_THE_WORLD:
        if setting(later, key) is not None:
            raise _wrong(
                file,
                "A later wave has its places, networks and groups from the earlier world.",
                key,
                "a value of its own",
                "change.rates and change.occupations, by which the world changes",
                "Take it out, or make a survey with a world of its own: without `earlier`.",
            )
    if later["overlap"]["barangays"] > 0 and later["overlap"]["psus"] == 0:
        raise _wrong(
            file,
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
                file,
                "A later wave that keeps PSUs has another number of them.",
                f"design.{part}",
                own,
                f"{before}, as in the earlier wave",
                "Give the same number, or keep none: overlap: {psus: 0, barangays: 0}.",
            )


def _check_names(later: Mapping[str, Any], earlier: Mapping[str, Any], file: str) -> None:
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
        check_known(names, known, UNKNOWN, file=file, place=place)
    missing = [name for name in earlier["hidden_groups"] if name not in change["rates"]]
    if missing:
        raise _wrong(
            file,
            "A later wave doesn't say how a hidden group changed.",
            "change.rates",
            f"nothing of {listed(missing)}",
            "factors by island group for each hidden group",
            "Give them; 1.0 is no change.",
        )


def _wrong(
    file: str, problem: str, place: str, found: object, allowed: str, remedy: str
) -> PipelineError:
    return PipelineError(
        problem, file=file, place=place, found=found, allowed=allowed, remedy=remedy
    )
