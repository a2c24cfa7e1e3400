"""Whether the categories that are to be merged with one another exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.errors import check_known

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
        check_known(
            calibration.get(key) or (),
            calibration["margins"],
            "A margin has settings, and weights aren't calibrated to it.",
            place=f"weight.calibration.{key}",
        )
    for margin, partners in (calibration.get("partners") or {}).items():
        known = list(census.loc[census["margin"] == margin, "category"].astype(str))
        named = [str(name) for pair in partners.items() for name in pair]
        check_known(
            named,
            known,
            "A partner is no category of its margin.",
            place=f"weight.calibration.partners.{margin}",
        )
