"""The models' national estimates adjusted for what respondents cannot know, as the headline is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.adjustment import Factor, adjusted_rows, national_rates, study_size_error
from prevalence.models.quantities import national_size
from prevalence.models.scaling import Scaling

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study

Array = NDArray[np.float64]

# Errors of known sizes act on a sum of groups and on a mean of their ratios as on degrees.
_DEGREE = {"ratio_of_sums": "known_population", "mean_of_ratios": "mean_of_ratios"}


def spread(draws: Array, size: int) -> Array:
    """Spread a sample evenly over a number of draws.

    Parameters
    ----------
    draws
        Draws of all chains, one chain after another, shape (S,).
    size
        Number of draws M.

    Returns
    -------
    numpy.ndarray
        Shape (M,): each draw equally often, up to one; where there are more than M, every so many.
    """
    result: Array = draws[np.arange(size) * len(draws) // size]
    return result


def adjusted_model_rows(
    study: Study,
    settings: Mapping[str, Any],
    model_settings: Mapping[str, Any],
    factors: Mapping[str, Sequence[Factor]],
    samples: Mapping[str, Mapping[str, Array]],
    diagnostics: pd.DataFrame,
    entropy: Sequence[int],
) -> pd.DataFrame:
    """Adjust every model's national estimates by the factors of the design-based ones.

    Parameters
    ----------
    study
        The survey.
    settings
        The `estimate.adjustment` section.
    model_settings
        The `model` section.
    factors
        From :func:`prevalence.adjustment.study_factors`; groups without factors aren't adjusted.
    samples
        By model the posterior draws of each reported quantity, by its label, shape (S,).
    diagnostics
        Of all models: a row is `converged` where the quantities that it rests on passed.
    entropy
        Seed of the errors in known sizes. With the seed of the design-based estimates the factors
        and these errors are theirs, draw by draw.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`prevalence.adjustment.adjusted_rows`, and `estimator`, `domain_type`,
        `domain`, `level`, `converged`.

    Notes
    -----
    Factors are independent of the posterior. Under a scaling by correlations the errors of known
    sizes are those of all known groups alike.
    """
    import pandas as pd

    draws, level = settings["draws"], study.headline.inference.level
    scaling = Scaling(**{**(model_settings.get("scaling") or {}), "subset": ()})
    form = _DEGREE[scaling.form]
    size_errors = {
        group.name: study_size_error(
            study, _scaled_by(study, model_settings, group.name), form, draws, entropy
        )
        for group in study.hidden_groups()
        if group.name in factors
    }
    passed = diagnostics.set_index(["estimator", "quantity"])["passed"]
    nation = study.domains[0]
    tables = [pd.DataFrame()]
    for model, sample in samples.items():
        groups = [
            group
            for group in study.hidden_groups()
            if group.name in factors and national_size(group.name).label in sample
        ]
        basic = {
            group.name: spread(sample[national_size(group.name).label], draws) for group in groups
        }
        ratios = {
            name: (above, below, basic[above] / basic[below])
            for name, (above, below) in study.ratios.items()
            if above in basic and below in basic
        }
        if not basic:
            continue
        rates = national_rates(study, groups)
        rows = adjusted_rows(basic, ratios, rates, factors, size_errors, level)
        sound = {group: bool(passed[model, national_size(group).label]) for group in basic}
        sound |= {name: sound[above] and sound[below] for name, (above, below, _) in ratios.items()}
        tables.append(rows.assign(estimator=model, converged=rows["group"].map(sound).astype(bool)))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(domain_type=nation.type, domain=nation.name, level=level)


def _scaled_by(study: Study, model_settings: Mapping[str, Any], group: str) -> list[str]:
    """Known groups that scale a hidden group in the models."""
    known = list(model_settings.get("known_groups") or study.known_groups_of(group))
    scaling = model_settings.get("scaling") or {}
    if scaling.get("groups") == "subset":
        known = [name for name in known if name in scaling["subset"]]
    return known
