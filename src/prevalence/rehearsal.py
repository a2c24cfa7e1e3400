"""A run in memory as far as the headline's inputs: what would stop it stops this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prevalence.cleaning import clean_responses
from prevalence.codebook import Codebook
from prevalence.contracts import check_table
from prevalence.contracts.clean import RESPONDENTS
from prevalence.errors import PipelineError, check_known, listed
from prevalence.estimation import Study, study_of
from prevalence.models.specified import check_area, check_listing
from prevalence.partition import check_names
from prevalence.respondents import asked_situations
from prevalence.weighting import replicate_weights, weigh
from prevalence.weighting.partners import check_partners

if TYPE_CHECKING:
    import pandas as pd


def rehearsed(
    config: Mapping[str, Any],
    codebook: Codebook,
    responses: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    file: object = "respondents",
) -> Study:
    """Clean and weight a survey's responses, and bring them into the order of estimation.

    Parameters
    ----------
    config
        The survey's config.
    codebook
        Its codebook.
    responses
        Typed responses, as :func:`prevalence.responses.type_responses` gives them.
    tables
        Side tables by name, with the pseudonyms of the responses.
    file
        The export, for messages.

    Returns
    -------
    Study
        The survey with every name of its config looked up: groups, domains, populations, weights.

    Raises
    ------
    PipelineError
        For the first thing that would stop the clean or weight stage, or all estimates.
    """
    weight, estimate = config["weight"], config["estimate"]
    frame, census = tables.get("frame"), tables.get("census")
    cleaned = clean_responses(responses, codebook, config["clean"], frame)
    respondents = check_table(cleaned["respondents"], RESPONDENTS, file, codebook.sources)
    made = weigh(respondents, weight, frame, census)
    if census is not None and weight.get("calibration"):
        check_partners(weight["calibration"], census)
    replicates, factors, _ = replicate_weights(
        made.weights, made.households, made.margins, weight, [0]
    )
    sides = {name: tables[name] for name in ("known_groups", "populations") if name in tables}
    study = study_of(
        {
            "respondents": respondents,
            "ard": cleaned["ard"],
            "weights": made.weights,
            "replicates": replicates,
            "replicate_factors": factors,
            **sides,
        },
        estimate=estimate,
        headline=config["headline"],
        year=config["survey"]["year"],
    )
    check_names(study, sides.get("populations"))
    _check_places(config.get("figures") or {}, study)
    check_models(config.get("model") or {}, study, tables.get("areas"))
    sets = (estimate.get("specifications") or {}).get("known_groups") or {}
    for name, groups in sets.items():
        _check_sized(groups, study, f"estimate.specifications.known_groups.{name}")
    _check_authorities(config, codebook)
    return study


def _check_places(figures: Mapping[str, Any], study: Study) -> None:
    """Refuse names and tiles of places that aren't there where one that is there has none.

    A list of all places of a country, of which only some were sampled, is as it should be; but a
    place that is there is on the map if others are.
    """
    there = {(domain.type, domain.name): None for domain in study.domains}
    there |= {(kind, name): None for kind, name, _ in study.populations.sizes}
    for key in ("names", "tiles"):
        for kind, listing in (figures.get(key) or {}).items():
            known = [name for one, name in there if one == kind]
            named = [str(name) for name in listing]
            without = [name for name in known if name not in named]
            others = [name for name in named if name not in known]
            if without and key == "names":
                check_known(
                    named,
                    known,
                    f"The config has nothing for {listed(without)}, but for another place.",
                    place=f"figures.{key}.{kind}",
                )
            elif without:
                raise PipelineError(
                    "A place has no tile on the map, and others of its type have one.",
                    place=f"figures.tiles.{kind}",
                    found=f"nothing for {listed(without)}"
                    + (f"; tiles of places that aren't there: {listed(others, 40)}" * bool(others)),
                    allowed=f"a tile for each place: {listed(known, 40)}",
                    remedy=f"Mend the name, or add {without[0]}: [column, row].",
                )


def check_models(model: Mapping[str, Any], study: Study, areas: pd.DataFrame | None) -> None:
    """Refuse areas, covariates and known groups of the models that don't exist.

    Parameters
    ----------
    model
        The section ``model`` of the survey's config; empty without models.
    study
        The survey.
    areas
        The side table ``areas``; None without one.

    Raises
    ------
    PipelineError
        For the first name that doesn't exist.
    """
    if not model:
        return
    area = model.get("area", "psu")
    check_area(area, study.respondents.columns)
    if areas is not None:
        check_listing(area, model.get("area_covariates") or (), areas.columns)
    _check_sized(model.get("known_groups") or (), study, "model.known_groups")
    subset = (model.get("scaling") or {}).get("subset") or ()
    _check_sized(subset, study, "model.scaling.subset")


def _check_sized(groups: Iterable[str], study: Study, place: str) -> None:
    problem = "A known group that the config names has no size, or wasn't asked about."
    check_known(groups, study.known_sizes, problem, place=place)


def _check_authorities(config: Mapping[str, Any], codebook: Codebook) -> None:
    """Refuse words for an authority that no answer names: the report would pass them over."""
    situations = config["clean"].get("situations")
    asked = asked_situations(codebook) if situations is None else situations
    items = [
        codebook.named(one["authority"], "clean.situations")
        for one in asked
        if one.get("authority")
    ]
    named = ((config["report"].get("reporting") or {}).get("to") or {}) if items else {}
    check_known(
        named,
        dict.fromkeys(value for item in items for value in item.codes.values()),
        "The config has words for an authority that no answer names.",
        place="report.reporting.to",
    )
