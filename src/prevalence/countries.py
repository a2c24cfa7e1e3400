"""Several surveys beside each other: national rates in one unit, each by its own definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prevalence.disclosure.rounding import significant

if TYPE_CHECKING:
    import pandas as pd

TO_THOUSAND = {"per_100": 10.0, "per_1000": 1.0}
DIGITS = 12  # enough to keep what was released, and none of the noise of binary fractions
COLUMNS = ["survey", "country", "year", "synthetic", "group", "label", "denominator", "unit"]
NUMBERS = ["estimate", "std_error", "lower", "upper"]


def countries_table(
    scale_up: Mapping[str, pd.DataFrame], configs: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Give each survey's national rates per 1,000 of each group's own denominator.

    Parameters
    ----------
    scale_up
        Released estimates by survey, in the order in which they are to stand.
    configs
        The surveys' configs.

    Returns
    -------
    pandas.DataFrame
        A row a survey and hidden group, in the order of the run's and the survey's config: no
        ranking. Withheld rows keep their reason.
    """
    import pandas as pd

    tables = []
    for survey, released in scale_up.items():
        config = configs[survey]
        identity, groups = config["survey"], config["estimate"]["hidden_groups"]
        own = released[
            (released["estimator"] == config["headline"]["estimator"])
            & (released["domain_type"] == "national")
            & released["unit"].isin(TO_THOUSAND)
        ]
        own = own.set_index("group").reindex([name for name in groups if name in set(own["group"])])
        factor = own["unit"].map(TO_THOUSAND).to_numpy(float)
        table = own.reset_index()
        for name in NUMBERS:
            table[name] = significant(table[name].to_numpy(float) * factor, DIGITS)
        tables.append(
            table.assign(
                survey=survey,
                country=identity["country"],
                year=int(identity["year"]),
                synthetic=bool(identity["synthetic"]),
                label=[groups[name]["label"] for name in table["group"]],
                denominator=[groups[name]["population"] for name in table["group"]],
                unit="per_1000",
            )
        )
    columns = [*COLUMNS, *NUMBERS, "level", "n", "suppressed", "precision"]
    made: pd.DataFrame = pd.concat(tables, ignore_index=True)[columns]
    flags = ("suppressed", "precision")
    return made.assign(**{name: made[name].astype(object).fillna("") for name in flags})


def definitions_table(
    estimands: Mapping[str, pd.DataFrame], configs: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """List by which definitions and choices each survey's rates were made.

    Parameters
    ----------
    estimands
        Released estimand sheets by survey.
    configs
        The surveys' configs.

    Returns
    -------
    pandas.DataFrame
        `survey`, `group` (``headline`` for the choices of the whole survey), `element`, `text`.
    """
    import pandas as pd

    rows: list[dict[str, object]] = []
    for survey, sheet in estimands.items():
        groups: Sequence[str] = [*configs[survey]["estimate"]["hidden_groups"], "headline"]
        for group in groups:
            own = sheet[sheet["group"] == group]
            rows += [
                {"survey": survey, "group": group, "element": element, "text": text}
                for element, text in zip(own["element"], own["text"], strict=True)
                if element != "hash"
            ]
    return pd.DataFrame(rows, columns=["survey", "group", "element", "text"])
