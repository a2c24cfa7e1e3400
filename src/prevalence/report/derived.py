"""What the report derives from released tables: its numbers, for whoever checks the report's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.report.sentences import differences, spread
from prevalence.report.tables_certainty import coverage_rows
from prevalence.report.tables_method import disclosure_totals

if TYPE_CHECKING:
    import pandas as pd


def derived_tables(
    tables: Mapping[str, pd.DataFrame],
    coverage: pd.DataFrame | None,
    headline: Mapping[str, Any],
    level: float,
) -> dict[str, pd.DataFrame]:
    """Collect what the report makes of released tables, and its rows of the coverage study.

    Parameters
    ----------
    tables
        Released tables by name.
    coverage
        The coverage study, where there is one.
    headline
        The headline's estimator, interval and variance.
    level
        Level of the survey's intervals.

    Returns
    -------
    dict
        ``disclosure_totals`` (rows shown and withheld), ``agreement_factors`` (the typical error as
        a factor instead of a log ratio), ``differences`` (of the weighted totals from the census
        before calibration), ``spread`` (of all combinations of choices), ``denominators`` (sizes of
        the populations by which rates divide) and ``coverage_shown``, each if there is input.
    """
    found = {}
    if len(tables.get("disclosure_summary", ())):
        found["disclosure_totals"] = disclosure_totals(tables["disclosure_summary"])
    if len(tables.get("agreement", ())):
        factors = tables["agreement"][["estimate", "lower", "upper"]]
        found["agreement_factors"] = factors.map(math.exp, na_action="ignore")
    if len(tables.get("margins", ())):
        margins = tables["margins"]
        found["differences"] = margins[["category"]].assign(difference=differences(margins))
    if len(tables.get("specifications", ())):
        found["spread"] = spread(tables["specifications"], headline)
    if len(tables.get("estimands", ())):
        sheet = tables["estimands"]
        texts = sheet.loc[sheet["element"].eq("denominator"), "text"]
        sizes = texts.str.extract(r"^([\d,]+) ")[0].str.replace(",", "").astype(float)
        found["denominators"] = texts.to_frame().assign(size=sizes)
    if coverage is not None:
        found["coverage_shown"] = coverage_rows(coverage, headline, level)
    return found
