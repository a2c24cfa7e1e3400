"""Which figures a survey's report has, by section, and which tables each section's figures need.

Imports nothing heavy: the workflow reads it at every parse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A section's figures are drawn together in one job, so that the time to start is paid once. All of
# them are there or none; the figures of places differ from survey to survey and have a job each.
FIGURES: dict[str, list[str]] = {
    "headline": ["headline"],
    "where": ["island_groups", "regions", "tile_map", "shrinkage", "area_distribution"],
    "method": ["nsum", "sample_flow", "weights", "degree_distribution", "data_quality"],
    "response": ["response"],
    "calibration": ["margins"],
    "certainty": ["known_groups", "estimators"],
    "specifications": ["specification_curve"],
    "sensitivity": ["tornado", "contour"],
    "coverage": ["coverage"],
    "models": ["models", "predictive"],
}
TABLES: dict[str, list[str]] = {
    "headline": ["scale_up", "validation"],
    "where": ["scale_up", "small_areas", "area_distribution"],
    "method": [
        "scale_up",
        "known_groups",
        "degree_summary",
        "degree_distribution",
        "sample_flow",
        "weighting",
        "data_quality",
    ],
    "response": ["response_rates"],
    "calibration": ["margins"],
    "certainty": ["scale_up", "known_groups", "validation"],
    "specifications": ["specifications", "choice_shares"],
    "sensitivity": ["sensitivity", "scale_up", "factors"],
    "coverage": [],
    "models": ["scale_up", "known_groups", "predictive"],
}
# Hidden groups of the simulated worlds (data/reference/coverage.csv).
SIMULATED_GROUPS = {"victims", "perpetrators"}


def section_figures(config: Mapping[str, Any], section: str) -> list[str]:
    """Figures of a section that a survey has the input for.

    Parameters
    ----------
    config
        The survey's config.
    section
        A key of :data:`FIGURES`.

    Returns
    -------
    list of str
        Names of figures.
    """
    if section == "where":
        return place_figures(config)
    return list(FIGURES[section]) if _applies(config, section) else []


def place_figures(config: Mapping[str, Any]) -> list[str]:
    """Figures of places: one a type of geographic domain, a map of tiles, and what models add."""
    types = [
        str(domain["type"])
        for domain in config["estimate"].get("domains") or []
        if domain["kind"] == "geographic"
    ]
    tiles = (config.get("figures") or {}).get("tiles") or {}
    mapped = ["tile_map"] if set(tiles) & set(types) else []
    models = (config.get("model") or {}).get("models") or []
    beside = ["shrinkage"] if types and models else []
    if any(model.startswith("partially_pooled") for model in models):
        beside.append("area_distribution")
    return [f"{kind}s" for kind in types] + mapped + beside


def _applies(config: Mapping[str, Any], section: str) -> bool:
    """Whether the config asks for what a section's figures show."""
    estimate = config["estimate"]
    factors = (estimate.get("adjustment") or {}).get("factors")
    asked = {
        "response": "frame" in ((config.get("ingest") or {}).get("tables") or {}),
        "calibration": (config.get("weight") or {}).get("calibration"),
        "specifications": estimate.get("specifications"),
        "sensitivity": factors and (estimate.get("sensitivity") or {}).get("contour"),
        "models": (config.get("model") or {}).get("models"),
        "coverage": SIMULATED_GROUPS & set(estimate["hidden_groups"]),
    }
    return bool(asked.get(section, True))
