"""The headline numbers for machines, each with interval, unit, definition and run identity."""

from __future__ import annotations

from typing import Any

from prevalence.report.material import NATIONAL, Material, Row

VERSION = "1.0"


def results(material: Material) -> dict[str, Any]:
    """Collect every headline number of a survey.

    Parameters
    ----------
    material
        What the report is made of.

    Returns
    -------
    dict
        What ``results.json`` holds; ``workflow/schemas/results.yaml`` describes it.
    """
    survey, geographic = material.survey, material.domain_types("geographic")
    return {
        "schema_version": VERSION,
        "survey": {
            "id": material.survey_id,
            "title": survey["title"],
            "country": survey["country"],
            "year": survey["year"],
            "synthetic": material.synthetic,
        },
        "notice": _notice(material),
        "run": {"identity": str(material.identity["identity"]), "renderer": material.renderer},
        "headline": {
            "date": str(material.headline["date"]),
            "estimator": material.headline["estimator"],
            "interval": material.headline["interval"],
        },
        "estimates": [
            _estimate(material, row)
            for row in material.estimates()
            if row["domain_type"] in {NATIONAL, *geographic}
        ],
    }


def _notice(material: Material) -> str:
    if not material.synthetic:
        return "Estimates from a sample: quote them with their intervals."
    return (
        "SYNTHETIC DATA: made by a computer program. "
        f"Says nothing about {material.survey['country']}; not to be quoted as a finding."
    )


def _estimate(material: Material, row: Row) -> dict[str, Any]:
    suppressed = str(row.get("suppressed") or "")
    numbers = ("estimate", "lower", "upper", "std_error", "n", "n_reporting")
    return {
        "group": row["group"],
        "definition": _definition(material, row["group"]),
        "domain_type": row["domain_type"],
        "domain": row["domain"],
        "unit": row["unit"],
        "denominator": _denominator(material, row),
        "level": row["level"],
        **{name: None if suppressed else _whole_or_real(row.get(name)) for name in numbers},
        "suppressed": suppressed or None,
        "precision": str(row.get("precision") or "") or None,
    }


def _whole_or_real(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.item() if hasattr(value, "item") else value


def _definition(material: Material, group: str) -> str:
    settings = material.groups.get(group)
    if settings is None:
        return str(material.ratios[group]["label"]) if group in material.ratios else group
    estimand = settings.get("estimand")
    if not estimand:
        return str(settings["label"])
    return f"{estimand['person']}; {estimand['act']}; {estimand['period']}; {estimand['place']}"


def _denominator(material: Material, row: Row) -> str | None:
    if row["unit"] not in ("per_100", "per_1000") or row["group"] not in material.groups:
        return None
    return str(material.groups[row["group"]]["many"])
