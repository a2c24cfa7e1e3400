"""One table of estimates out of two: the models' rows stand below those of the estimate stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.models.specified import ALL_AREAS, MODELS

if TYPE_CHECKING:
    import pandas as pd

# Tables of the model stage, and the released table that takes their rows in.
UNITED = {"scale_up_models": "scale_up", "specifications_models": "specifications"}
MODELLED = frozenset([*MODELS, *(f"{model}{ALL_AREAS}" for model in MODELS)])
UNCONVERGED = "credible_unconverged"


def united(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Put the models' rows below those of the estimators.

    Parameters
    ----------
    tables
        By name, before disclosure control, so that all rows of a cell are judged together.

    Returns
    -------
    dict
        Without the tables of `UNITED`; the order of rows is that of the tables.
    """
    import pandas as pd

    result = {name: table for name, table in tables.items() if name not in UNITED}
    for name, into in UNITED.items():
        if name in tables and len(tables[name]):
            both = [result[into], tables[name]]
            result[into] = pd.concat(both, ignore_index=True)[list(result[into].columns)]
    return result


def is_modelled(row: Mapping[str, Any]) -> bool:
    """Tell whether a row of a united table was made by a model."""
    return row.get("estimator") in MODELLED


def modelled_rows(table: pd.DataFrame) -> pd.Series:
    """Mark the rows of a united table that a model made."""
    return table["estimator"].isin(MODELLED)
