"""The side tables of a synthetic survey: margins, denominators, known sizes, panel, operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.populations import project_denominators

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

AGES = ((18, 24), (25, 34), (35, 44), (45, 54), (55, 64), (65, 89))
AGE_LABELS = ("18–24", "25–34", "35–44", "45–54", "55–64", "65+")
SEXES = ("male", "female")
YOUNGEST_ADULTS = 2 / 5  # of ages 15–19: 15–17 are taken as three fifths (this project's choice)


def adults_by_age(five_year: Sequence[float]) -> list[float]:
    """Adults by the age groups of the survey from the census's five-year groups.

    Parameters
    ----------
    five_year
        People below 5, 5–9, …, 75–79, 80 and over: 17 groups.
    """
    groups = [float(value) for value in five_year]
    young = YOUNGEST_ADULTS * groups[3] + groups[4]
    pairs = [groups[first] + groups[first + 1] for first in (5, 7, 9, 11)]
    return [young, *pairs, sum(groups[13:])]


def census_margins(
    regions: Mapping[str, Mapping[str, float]], age_sex: Array
) -> list[dict[str, object]]:
    """Margins of adults in households: region, and sex by age.

    Parameters
    ----------
    regions
        ``adults`` in households of each region.
    age_sex
        Adults by sex and age group of each region, shape (regions, 2, ages); their shares are
        taken, since the census gives ages of the total population only.
    """
    adults = [regions[name]["adults"] for name in regions]
    rows: list[dict[str, object]] = [
        {"margin": "region", "category": name, "population": round(people)}
        for name, people in zip(regions, adults, strict=True)
    ]
    shares = age_sex.sum(axis=0) / age_sex.sum()
    total = sum(round(people) for people in adults)
    sizes = np.floor(shares * total)
    sizes.flat[int(np.argmax(sizes))] += total - sizes.sum()
    rows += [
        {
            "margin": "sex_age",
            "category": f"{sex} {label}",
            "population": int(sizes[place, age]),
        }
        for place, sex in enumerate(SEXES)
        for age, label in enumerate(AGE_LABELS)
    ]
    return rows


def denominators(
    regions: Mapping[str, Mapping[str, Any]], national: Mapping[str, float], year: int
) -> list[dict[str, Any]]:
    """Children, adults and all ages by nation, island group and region in the survey's year.

    Parameters
    ----------
    regions
        ``children``, ``adults`` and ``island_group`` of each region at the census.
    national
        ``children`` and ``adults`` of the nation in the year.
    year
        The year.
    """
    census = {
        name: {age: float(region[age]) for age in ("children", "adults")}
        for name, region in regions.items()
    }
    projected = project_denominators(census, national)
    islands = list(dict.fromkeys(str(region["island_group"]) for region in regions.values()))
    cells = [("national", "national", list(regions))]
    cells += [
        (
            "island_group",
            island,
            [name for name in regions if regions[name]["island_group"] == island],
        )
        for island in islands
    ]
    cells += [("region", name, [name]) for name in regions]
    rows = []
    for domain_type, domain, members in cells:
        sums = {
            age: round(sum(projected[name][age] for name in members))
            for age in ("children", "adults")
        }
        rows.append(
            {
                "domain_type": domain_type,
                "domain": domain,
                "year": year,
                "all_ages": sums["children"] + sums["adults"],
                **sums,
                "source": "PSA 2020 census region and age shares × PSA projected national total",
            }
        )
    return rows


def elicitation(
    config: Mapping[str, Any], groups: Sequence[str], generator: np.random.Generator
) -> list[dict[str, object]]:
    """Make up an elicitation of the true-positive rate: best value and range of each member.

    Parameters
    ----------
    config
        ``members``, ``centre`` and ``spread`` (on the logit scale) and ``half_width``.
    groups
        The hidden groups.
    generator
        Source of randomness.
    """
    rows: list[dict[str, object]] = []
    for member in range(config["members"]):
        lean = config["spread"] * generator.standard_normal()
        for group in groups:
            centre = np.log(config["centre"][group] / (1 - config["centre"][group])) + lean
            middle = centre + 0.2 * generator.standard_normal()
            low, best, high = (
                round(float(1 / (1 + np.exp(-(middle + shift)))), 2)
                for shift in (-config["half_width"], 0.0, config["half_width"])
            )
            rows.append(
                {
                    "member": f"P{member + 1:02d}",
                    "group": group,
                    "best": best,
                    "low": low,
                    "high": high,
                }
            )
    return rows


def data_dictionary(
    labels: Mapping[str, str],
    values: Mapping[str, Mapping[int, str]],
    missing: Mapping[str, Sequence[float]],
) -> pd.DataFrame:
    """Describe each variable of the export.

    Parameters
    ----------
    labels, values, missing
        As in :class:`prevalence.synthetic.instrument.Export`.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "variable": list(labels),
            "label": list(labels.values()),
            "values": [
                "; ".join(f"{code} {text}" for code, text in values.get(name, {}).items())
                for name in labels
            ],
            "missing_codes": [
                "; ".join(f"{code:.0f}" for code in missing.get(name, [])) for name in labels
            ],
        }
    )
