"""The nonresponse-bias table: respondents against the sampling frame and against the census.

Against the frame, respondents' households are compared with all eligible sampled households, on
what the frame says of both: whatever differs is nonresponse. Against the census, respondents are
compared with the population: what differs is nonresponse, coverage and sampling together.

Source: Groves 2006, *Public Opinion Quarterly* 70:646 (comparing with frame and other sources).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.coding import encoded, sums, texts
from prevalence.design import SampleDesign
from prevalence.errors import check_known
from prevalence.variance import estimate_means
from prevalence.weighting.margins import margin_labels

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

FRAME, CENSUS = "frame", "census"
COLUMNS = (
    "against",
    "variable",
    "category",
    "benchmark",
    "responding",
    "difference",
    "std_error",
    "adjusted",
    "final",
    "remaining",
    "n",
)


def nonresponse_bias(
    respondents: pd.DataFrame,
    weights: pd.DataFrame,
    households: pd.DataFrame,
    frame: pd.DataFrame | None,
    census: pd.DataFrame | None,
    variables: Sequence[str],
) -> pd.DataFrame:
    """Compare respondents with the frame and with the census.

    Parameters
    ----------
    respondents
        ``respondents.parquet``, in the order of the weights.
    weights, households
        Tables of the rule `compute_weights`.
    frame
        The sampling frame, a row a sampled household; None if there is none.
    census
        Population margins: margin, category, population; None if there are none.
    variables
        Variables of the frame that are compared. Of the census, every margin that the respondents
        have is.

    Returns
    -------
    pandas.DataFrame
        One row a category, `COLUMNS`: shares of the benchmark (eligible households, or population),
        of the respondents with base weights, their difference with its standard error under the
        design, the share after the adjustment for nonresponse and, of persons, with the final
        weight, and what remains of the difference.

    Raises
    ------
    PipelineError
        If a variable isn't in the frame.
    """
    import pandas as pd

    tables = []
    if frame is not None and len(households):
        tables.append(_against_frame(respondents, weights, households, frame, variables))
    if census is not None:
        tables.append(_against_census(respondents, weights, households, census))
    tables = [table for table in tables if len(table)]
    if not tables:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(tables, ignore_index=True)
    return table.round({"difference": 12, "remaining": 12})  # what is met is met exactly


def _against_frame(
    respondents: pd.DataFrame,
    weights: pd.DataFrame,
    households: pd.DataFrame,
    frame: pd.DataFrame,
    variables: Sequence[str],
) -> pd.DataFrame:
    import pandas as pd

    check_known(
        variables,
        frame.columns,
        "Respondents are to be compared on variables that the sampling frame doesn't have.",
        place="weight.nonresponse.compare",
    )
    described = frame.assign(household=frame["household"].astype(str)).set_index("household")
    eligible = households[households["eligible"] > 0]
    described = described.loc[list(eligible["household"].astype(str))]
    responded = eligible["responding"].to_numpy(float) > 0
    factor = dict(
        zip(
            respondents["household"].astype(str),
            (weights["nonresponse"] / weights["base"]).to_numpy(float),
            strict=True,
        )
    )
    adjusted = np.array([factor.get(name, 0.0) for name in eligible["household"].astype(str)])
    adjusted = adjusted * eligible["responding"].to_numpy(float)
    design = _design(eligible["eligible"].to_numpy(float), eligible, [])
    rows = []
    for variable in variables:
        codes, names = encoded(texts(described[variable]))
        words = _words(described[variable], respondents, variable)
        after = _shares(codes, adjusted, len(names))
        for k, name in enumerate(names):
            here = (codes == k).astype(float)
            everybody = estimate_means(design, here)
            difference = estimate_means(design, here, responded) - everybody
            share, gap = float(everybody.value[0]), float(difference.value[0])
            gaps = (share + gap, gap, float(difference.std_errors[0]))
            weighted = (after[k], np.nan, after[k] - share)
            n = int(here[responded].sum())
            rows.append((FRAME, variable, words.get(name, name), share, *gaps, *weighted, n))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _against_census(
    respondents: pd.DataFrame,
    weights: pd.DataFrame,
    households: pd.DataFrame,
    census: pd.DataFrame,
) -> pd.DataFrame:
    import pandas as pd

    inhabited = set(zip(weights["stratum"], weights["psu"], strict=True))
    sampled = set(zip(households["stratum"], households["psu"], strict=True))
    design = _design(weights["base"].to_numpy(float), weights, sorted(sampled - inhabited))
    rows = []
    for margin, part in census.groupby("margin", sort=False):
        if margin not in respondents:
            continue
        text = margin_labels(respondents, str(margin))
        known = text != ""
        total = float(part["population"].sum())
        shares = {
            step: _weighted(text, known, weights[step].to_numpy(float))
            for step in ("nonresponse", "final")
        }
        for name, population in zip(part["category"].astype(str), part["population"], strict=True):
            here = np.where(known, text == name, np.nan)
            found = estimate_means(design, here)
            share = float(population) / total
            gap = float(found.value[0]) - share
            final = shares["final"].get(name, 0.0)
            gaps = (share + gap, gap, float(found.std_errors[0]))
            weighted = (shares["nonresponse"].get(name, 0.0), final, final - share)
            n = int((known & (text == name)).sum())
            rows.append((CENSUS, str(margin), name, share, *gaps, *weighted, n))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _words(codes: pd.Series, respondents: pd.DataFrame, variable: str) -> dict[str, str]:
    """Labels of the frame's codes, where respondents have one label for each code and no two share.

    `codes` is by household.
    """
    if variable not in respondents:
        return {}
    by_household = dict(zip(codes.index, texts(codes), strict=True))
    mine = [by_household.get(name) for name in texts(respondents["household"])]
    pairs = {
        (code, label)
        for code, label in zip(mine, texts(respondents[variable]), strict=True)
        if code is not None and label
    }
    found = dict(pairs)
    alike = len(found) == len(pairs) and len(set(found.values())) == len(found)
    return found if alike else {}


def _design(weight: Array, table: pd.DataFrame, empty: Sequence[tuple[str, str]]) -> SampleDesign:
    """Build the design of households or respondents; lone strata were settled before."""
    return SampleDesign.from_columns(
        weight,
        strata=texts(table["stratum"]),
        units=texts(table["psu"]),
        empty_psus=empty,
        lone_psu="certainty",
    )


def _shares(codes: NDArray[np.intp], weight: Array, count: int) -> Array:
    by_category = sums(codes, weight, count)
    total = by_category.sum()
    return by_category / total if total > 0 else np.full(count, np.nan)


def _weighted(
    labels: NDArray[np.str_], known: NDArray[np.bool_], weight: Array
) -> dict[str, float]:
    codes, names = encoded(labels[known])
    return dict(zip(names, _shares(codes, weight[known], len(names)).tolist(), strict=True))
