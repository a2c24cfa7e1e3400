"""The estimand sheet: what is estimated, by which choices fixed beforehand, with each deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prevalence.identity import value_hash

if TYPE_CHECKING:
    import pandas as pd

HEADLINE = "headline"
DENOMINATORS = {
    "children": "children aged 0–17",
    "adults": "adults aged 18 and over",
    "all_ages": "people of all ages",
}
NATIONAL_MIX = (
    "sizes of known groups are national: people in every geographic domain are taken to meet the "
    "national mix; a domain's estimate describes the people whom its residents know"
)
NOT_STATED = "not stated in the survey's config"
PRESPECIFIED = (
    "date",
    "estimator",
    "interval",
    "variance",
    "known_groups",
    "top_codes",
    "combination",
)
ELEMENTS = ("person", "act", "period", "place", "age", "false_report")


def estimand_sheet(
    estimate: Mapping[str, Any],
    headline: Mapping[str, Any],
    *,
    combine: Mapping[str, Mapping[str, Any]] | None = None,
    imputations: Sequence[Any] = (),
    sizes: Mapping[str, float] | None = None,
    year: int | None = None,
    record: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Write out what is estimated, and each deviation from the pre-specified headline.

    Parameters
    ----------
    estimate, headline
        Sections of the survey's config.
    combine
        The `clean.combine` section: how the items of a hidden group were combined.
    imputations
        The `clean.imputations` section.
    sizes
        Sizes of the nation's populations by which rates divide, where they are known.
    year
        Their year.
    record
        The `headline` section as it was put on record beforehand; None where nobody did.

    Returns
    -------
    pandas.DataFrame
        `group`, `element`, `text`, `deviation`, `fixed`. Rows of `group` ``headline`` hold the
        choices, their date, and their hash, which changes with any of them; `fixed` is what the
        record says, empty without one. The run deviates where a hidden group's own settings differ
        from the headline's, and where the headline's differ from the record.
    """
    import pandas as pd

    combine = combine or {}
    rows: list[tuple[str, str, str, bool]] = []
    for group, setting in estimate["hidden_groups"].items():
        said = setting.get("estimand") or {}
        rows += [(group, element, said.get(element, NOT_STATED), False) for element in ELEMENTS]
        rows.append((group, "denominator", _divided_by(setting["population"], sizes, year), False))
        rows.append((group, "tie", estimate["degree"]["tie_definition"], False))
        rule = combine.get(group, {}).get("rule")
        meant = headline.get("combination")
        if rule is not None:
            items = ", ".join(combine[group]["items"])
            rows.append((group, "combination", f"{rule} of {items}", rule != meant))
        own = setting.get("known_groups")
        if own is not None:
            changed = list(own) != list(headline["known_groups"])
            rows.append((group, "known_groups", ", ".join(own), changed))
    for name in PRESPECIFIED:
        now = headline.get(name)
        if now is not None or (record or {}).get(name) is not None:
            changed = record is not None and _said(record.get(name)) != _said(now)
            rows.append((HEADLINE, name, _said(now), changed))
    rows.append((HEADLINE, "hash", value_hash(headline)[:12], False))
    named = ", ".join(_said(one) for one in imputations) or "none"
    rows.append((HEADLINE, "imputation", named, bool(imputations)))
    if any(domain["kind"] == "geographic" for domain in estimate["domains"]):
        rows.append((HEADLINE, "mix", NATIONAL_MIX, False))
    missing = estimate["degree"]["missing"]
    rows.append((HEADLINE, "missing_answers", missing, missing != "exclude"))
    sheet = pd.DataFrame(rows, columns=["group", "element", "text", "deviation"])
    fixed = {name: _said(record[name]) for name in PRESPECIFIED if name in record} if record else {}
    mine = sheet["group"].eq(HEADLINE)
    return sheet.assign(
        fixed=sheet["element"].where(mine, "").map(lambda name: fixed.get(name, ""))
    )


def _divided_by(population: str, sizes: Mapping[str, float] | None, year: int | None) -> str:
    """Name a rate's denominator, with its size where that is known."""
    size = (sizes or {}).get(population)
    words = DENOMINATORS[population]
    return words if size is None else f"{size:,.0f} {words}" + (f" in {year}" if year else "")


def _said(value: Any) -> str:
    """Write a config value in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_said(one) for one in value)
    return "none" if value is None else str(value)
