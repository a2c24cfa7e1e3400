"""Which figures a survey's report has, by section, and which released tables each one needs.

Imports nothing heavy: the workflow reads it at every parse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIGURES: dict[str, dict[str, list[str]]] = {
    "headline": {"headline": ["scale_up", "validation"]},
    "where": {"island_groups": ["scale_up"], "regions": ["scale_up"]},
    "method": {
        "sample_flow": ["sample_flow"],
        "weights": ["weighting"],
        "degree_distribution": ["degree_distribution", "degree_summary"],
    },
    "certainty": {
        "known_groups": ["known_groups"],
        "specification_curve": ["specifications"],
        "tornado": ["sensitivity", "scale_up"],
    },
}
DOMAIN_FIGURES = {"island_groups": "island_group", "regions": "region"}


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
    geographic = {
        domain["type"]
        for domain in config["estimate"].get("domains") or []
        if domain["kind"] == "geographic"
    }
    adjusted = bool((config["estimate"].get("adjustment") or {}).get("factors"))
    return [
        name
        for name in FIGURES[section]
        if (name not in DOMAIN_FIGURES or DOMAIN_FIGURES[name] in geographic)
        and (name != "tornado" or adjusted)
        and (name != "specification_curve" or config["estimate"].get("specifications"))
    ]
