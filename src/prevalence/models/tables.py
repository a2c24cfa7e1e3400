"""Tidy tables of a model's posterior: diagnostics, draws, hidden groups, known groups."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.domains import Domain
from prevalence.models.areas import area_rows
from prevalence.models.diagnostics import Thresholds, diagnostics_table, log_spread
from prevalence.models.fitting import ModelInputs, Posterior, scaler
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.scale_up import PER
from prevalence.united import UNCONVERGED

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
CREDIBLE = "credible"


def diagnosed(posterior: Posterior, thresholds: Thresholds) -> pd.DataFrame:
    """Diagnose what a model reports; columns of :func:`diagnostics_table` and the sampler's."""
    table = diagnostics_table(
        [quantity.label for quantity in posterior.quantities],
        posterior.draws,
        posterior.fit.energy,
        posterior.fit.divergent,
        thresholds,
        heavy=posterior.uncorrected is not None,
    )
    table["passed"] &= posterior.sound
    table.insert(0, "estimator", posterior.model)
    return table.assign(
        whitened=posterior.fit.whitened,
        draws=posterior.draws.shape[0] * posterior.draws.shape[1],
        chains=posterior.draws.shape[0],
        gradients=posterior.fit.gradients,
    )


def draws_table(posterior: Posterior) -> pd.DataFrame:
    """Lay out the draws: `chain`, `draw`, and a column for each quantity."""
    import pandas as pd

    chains, draws, q = posterior.draws.shape
    names = [quantity.label for quantity in posterior.quantities]
    table = pd.DataFrame(posterior.draws.reshape(-1, q), columns=names)
    table.insert(0, "draw", np.tile(np.arange(draws), chains))
    table.insert(0, "chain", np.repeat(np.arange(chains), draws))
    return table


def scale_up_rows(
    posterior: Posterior, inputs: ModelInputs, diagnostics: pd.DataFrame, level: float
) -> pd.DataFrame:
    """Tabulate hidden groups like every estimator: persons, rates and ratios.

    Parameters
    ----------
    posterior
        The draws.
    inputs
        The survey.
    diagnostics
        From :func:`diagnosed`: a quantity that didn't pass is marked in the column `interval`.
    level
        Of the equal-tailed credible intervals.

    Returns
    -------
    pandas.DataFrame
        The columns of `scale_up.csv` but the survey; the estimate is the posterior median.
    """
    import pandas as pd

    passed = dict(zip(diagnostics["quantity"], diagnostics["passed"], strict=True))
    place = {(q.group, q.domain_type, q.domain): i for i, q in enumerate(posterior.quantities)}
    rows: list[dict[str, Any]] = []
    for domain in inputs.domains:
        add = partial(_row, rows, posterior, inputs, domain, level)
        for hidden in inputs.hidden:
            at = place.get((hidden.name, domain.type, domain.name))
            if at is None:
                continue
            values = posterior.draws[:, :, at].ravel()
            sound = bool(passed[posterior.quantities[at].label])
            add(hidden.name, "persons", values, sound, hidden.name)
            people = inputs.populations.of(domain, hidden.population)
            if np.isfinite(people):
                rate = values / people * PER[hidden.per]
                add(hidden.name, hidden.per, rate, sound, hidden.name)
        for name, (top, bottom) in inputs.ratios.items():
            keys = [(group, domain.type, domain.name) for group in (top, bottom)]
            pair = [place[key] for key in keys if key in place]
            if domain.type == "national" and len(pair) == 2:
                first, second = (posterior.draws[:, :, i].ravel() for i in pair)
                sound = all(passed[posterior.quantities[i].label] for i in pair)
                add(name, "ratio", first / second, sound, top)
    return pd.DataFrame(rows)


def _row(
    rows: list[dict[str, Any]],
    posterior: Posterior,
    inputs: ModelInputs,
    domain: Domain,
    level: float,
    group: str,
    unit: str,
    values: Array,
    sound: bool,
    like: str,
) -> None:
    """Add a row for draws of a size, a rate or a ratio; respondents are counted as for `like`."""
    answers = inputs.counts.lowest[domain.mask, inputs.counts.groups.index(like)]
    rows.append(
        {
            "estimator": posterior.model,
            "group": group,
            "domain_type": domain.type,
            "domain": domain.name,
            **_credible(posterior, values, level),
            "unit": unit,
            "n": int((~np.isnan(answers)).sum()),
            "n_reporting": int((answers > 0).sum()),
            "df": np.nan,
            "interval": CREDIBLE if sound else UNCONVERGED,
            "se_linearised": np.nan,
            "headline": False,
        }
    )


def _credible(posterior: Posterior, values: Array, level: float) -> dict[str, float]:
    """Median, standard deviation and equal-tailed limits of draws, shape (draws,).

    Stretched draws have no standard deviation: theirs is by quantiles of the logarithms.
    """
    heavy = posterior.uncorrected is not None
    lower, middle, upper = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return {
        "estimate": middle,
        "std_error": float(log_spread(values) if heavy else values.std(ddof=1)),
        "lower": lower,
        "upper": upper,
        "level": level,
    }


def converged(diagnostics: pd.DataFrame) -> bool:
    """Whether every reported quantity of a model passed every threshold."""
    return bool(diagnostics["passed"].all())


def known_group_rows(
    posterior: Posterior, inputs: ModelInputs, diagnostics: pd.DataFrame, level: float
) -> pd.DataFrame:
    """Estimate each known group from the others' scaling, beside its official size.

    Returns
    -------
    pandas.DataFrame
        Columns `estimator`, `group`, `estimate`, `std_error`, `lower`, `upper`, `level`, `unit`,
        `known_size`, `log_ratio`, `converged`.
    """
    import pandas as pd

    passed = dict(zip(diagnostics["quantity"], diagnostics["passed"], strict=True))
    sizes = dict(zip(inputs.counts.groups, inputs.known_sizes, strict=True))
    rows = []
    for at, quantity in enumerate(posterior.quantities):
        if quantity.role != "known":
            continue
        found = _credible(posterior, posterior.draws[:, :, at].ravel(), level)
        rows.append(
            {
                "estimator": posterior.model,
                "group": quantity.group,
                **found,
                "unit": "persons",
                "known_size": sizes[quantity.group],
                "log_ratio": float(np.log(found["estimate"] / sizes[quantity.group])),
                "converged": bool(passed[quantity.label]),
            }
        )
    return pd.DataFrame(rows)


def scaling_rows(posterior: Posterior, inputs: ModelInputs, level: float) -> pd.DataFrame:
    """Estimate the nation's hidden groups under each scaling.

    Parameters
    ----------
    posterior
        The draws.
    inputs
        The survey.
    level
        Of the equal-tailed credible intervals.

    Returns
    -------
    pandas.DataFrame
        Columns `estimator`, `group`, `scaling_groups`, `scaling_form`, `estimate`, `std_error`,
        `lower`, `upper`, `level`, `unit`, `loo_rms`, `chosen`. `loo_rms` is the root mean square
        of the logarithms of the known groups' medians over their sizes, each from the others.
    """
    import pandas as pd

    groups, known = inputs.counts.groups, inputs.known_sizes
    rows = []
    for at, (scaling, sizes) in enumerate(posterior.rescaled):
        ratios = np.log(np.median(sizes, axis=(0, 1)) / known)
        for hidden in inputs.hidden:
            values = sizes[:, :, groups.index(hidden.name)].ravel()
            rows.append(
                {
                    "estimator": posterior.model,
                    "group": hidden.name,
                    "scaling_groups": scaling.groups,
                    "scaling_form": scaling.form,
                    **_credible(posterior, values, level),
                    "unit": "persons",
                    "loo_rms": float(np.sqrt(np.mean(ratios[np.isfinite(ratios)] ** 2))),
                    "chosen": at == 0,
                }
            )
    return pd.DataFrame(rows)


def area_prevalences(posterior: Posterior, inputs: ModelInputs) -> Array | None:
    """Scaled prevalence of the hidden groups in each sampled area.

    Parameters
    ----------
    posterior
        The draws.
    inputs
        The survey.

    Returns
    -------
    numpy.ndarray or None
        Logarithms of shares of all people by the chosen scaling, shape (draws, M, H); None where
        the model has no areas. Each area is scaled by what its own respondents report of the known
        groups, whose national mix it is taken to have.
    """
    density = posterior.density
    if not isinstance(density, PartiallyPooled):
        return None
    scale = scaler(posterior.rescaled[0][0], inputs)
    hidden = [inputs.counts.groups.index(one.name) for one in inputs.hidden]
    flat = posterior.parameters.reshape(-1, posterior.parameters.shape[2])
    draws = (density.prevalences(x) for x in flat)
    return np.array([scale(logs)[:, hidden] for logs in draws])


def area_distribution_rows(
    posterior: Posterior, inputs: ModelInputs, diagnostics: pd.DataFrame
) -> pd.DataFrame:
    """Tabulate how the hidden groups' rates are distributed over the sampled areas.

    Parameters
    ----------
    posterior
        The draws.
    inputs
        The survey.
    diagnostics
        From :func:`diagnosed`: rows are `converged` where every reported quantity passed.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`prevalence.models.areas.area_rows`, `estimator`, `converged`; no rows
        where the model has no areas. Rates have the nation's share of the denominator in the
        population.
    """
    logs = area_prevalences(posterior, inputs)
    nation = next(domain for domain in inputs.domains if domain.type == "national")
    shares, rates = {}, {}
    if logs is not None:
        for place, hidden in enumerate(inputs.hidden):
            people = inputs.populations.of(nation, hidden.population)
            shares[hidden.name] = logs[:, :, place]
            rates[hidden.name] = (hidden.per, inputs.population / people * PER[hidden.per])
    rows = area_rows(shares, rates)
    return rows.assign(estimator=posterior.model, converged=converged(diagnostics))
