"""Tables of a trend: levels, changes, and changes of groups whose sizes are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from prevalence.estimation import Study
from prevalence.ratio import Inference, Sampling, tidy
from prevalence.waves.cells import Cell, batches_of, compare, known_cells
from prevalence.waves.change import Change, Compared, difference, relative_change
from prevalence.waves.joint import Overlap

if TYPE_CHECKING:
    import pandas as pd


def levels_table(
    cells: Sequence[Cell],
    studies: tuple[Study, Study],
    waves: tuple[str, str],
    inferences: tuple[Inference, Inference],
    design_effect: float,
) -> pd.DataFrame:
    """Give the level in either wave, from its own replicates, with the limits of its own report.

    Parameters
    ----------
    cells
        What is compared.
    studies
        The waves with the same choices.
    waves
        Their ids.
    inferences
        Interval and variance of their own headlines; the level is the earlier wave's.
    design_effect
        For the upper limit where nobody reports.

    Returns
    -------
    pandas.DataFrame
        A row a cell and wave: key, `wave`, estimate and its limits.
    """
    import pandas as pd

    headline = studies[0].headline
    tables = []
    for place, (batch, study, wave, own) in enumerate(
        zip(batches_of(cells), studies, waves, inferences, strict=True)
    ):
        estimates = batch.evaluate(study.sampling)
        scale = np.array([cell.scales[place] for cell in cells])
        keys = [{"wave": wave, **cell.key} for cell in cells]
        inference = replace(own, level=headline.inference.level)
        rates, ratios = (
            tidy(keys, estimates, scale, one, design_effect)
            for one in (inference, inference.of_comparisons)
        )
        tables.append(rates.where(rates["unit"] != "ratio", ratios))
    return pd.concat(tables, ignore_index=True).assign(estimator=headline.estimator)


def changes_table(
    cells: Sequence[Cell], pair: Compared, level: float, design_effect: float
) -> pd.DataFrame:
    """Give ratio and difference of each cell.

    Parameters
    ----------
    cells
        What is compared.
    pair
        From :func:`compare`.
    level
        Confidence level.
    design_effect
        For the limits where nobody reports in one of the waves.

    Returns
    -------
    pandas.DataFrame
        A row a cell and measure (ratio, difference).
    """
    import pandas as pd

    measures: dict[str, Change] = {
        "ratio": relative_change(pair, level),
        "difference": difference(pair, level, design_effect),
    }
    keys = pd.DataFrame([cell.key for cell in cells])
    tables = [
        keys.assign(
            measure=name,
            estimate=change.estimate,
            std_error=change.std_error,
            lower=change.lower,
            upper=change.upper,
            level=level,
            df=change.df,
            se_linearised=change.se_linearised,
            correlation=change.correlation,
            n=pair.later.n,
            n_reporting=pair.later.n_reporting,
            n_earlier=pair.earlier.n,
            n_reporting_earlier=pair.earlier.n_reporting,
            place=np.arange(len(cells)),
        )
        for name, change in measures.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values(["place"], kind="stable").drop(columns="place").reset_index(drop=True)


def controls_table(
    earlier: Study, later: Study, samplings: tuple[Sampling, Sampling], overlap: Overlap
) -> pd.DataFrame:
    """Compare the estimated change of known groups with the change of their sizes.

    Parameters
    ----------
    earlier, later
        The waves with the same choices, from :func:`prevalence.waves.cells.frozen`.
    samplings, overlap
        From :func:`prevalence.waves.samples.joint_samplings`.

    Returns
    -------
    pandas.DataFrame
        A row a known group: estimated ratio of the waves with its interval, ratio of the known
        sizes (`expected`), and whether the interval holds it. Where intervals miss, respondents
        remember, or count, otherwise than before. Empty where only two groups are known.
    """
    import pandas as pd

    cells, sizes = known_cells(earlier, later)
    level = earlier.headline.inference.level
    columns = ["group", "estimate", "std_error", "lower", "upper", "level", "df", "expected"]
    if not cells:
        return pd.DataFrame(columns=[*columns, "agrees", "n", "n_earlier"])
    pair = compare(cells, samplings, overlap)
    found = relative_change(pair, level)
    expected = np.array([now / then for then, now in sizes])
    return pd.DataFrame(
        {
            "group": [cell.key["group"] for cell in cells],
            "estimate": found.estimate,
            "std_error": found.std_error,
            "lower": found.lower,
            "upper": found.upper,
            "level": level,
            "df": found.df,
            "expected": expected,
            "agrees": (found.lower <= expected) & (expected <= found.upper),
            "n": pair.later.n,
            "n_earlier": pair.earlier.n,
        }
    )
