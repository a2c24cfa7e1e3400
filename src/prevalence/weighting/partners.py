"""Whether the categories that are to be merged with one another exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.errors import PipelineError, listed, suggestion

if TYPE_CHECKING:
    import pandas as pd


def check_partners(calibration: Mapping[str, Any], census: pd.DataFrame) -> None:
    """Refuse partners that are no category, and settings of a margin that isn't calibrated to.

    Such lines would be passed over.

    Parameters
    ----------
    calibration
        Section ``weight.calibration`` of the survey's config.
    census
        Population margins: ``margin``, ``category``.

    Raises
    ------
    PipelineError
        Naming the first margin with such partners.
    """
    for key in ("partners", "structural_zeros"):
        others = [name for name in calibration.get(key) or () if name not in calibration["margins"]]
        if others:
            raise PipelineError(
                "A margin has settings, and weights aren't calibrated to it.",
                place=f"weight.calibration.{key}",
                found=listed(others),
                allowed=listed(calibration["margins"], 40),
                remedy=suggestion(others[0], calibration["margins"]),
            )
    for margin, partners in (calibration.get("partners") or {}).items():
        known = list(census.loc[census["margin"] == margin, "category"].astype(str))
        named = [str(name) for pair in partners.items() for name in pair]
        strange = [name for name in dict.fromkeys(named) if name not in known]
        if strange:
            raise PipelineError(
                "A partner is no category of its margin.",
                place=f"weight.calibration.partners.{margin}",
                found=listed(strange),
                allowed=listed(known, 40),
                remedy=suggestion(strange[0], known),
            )
