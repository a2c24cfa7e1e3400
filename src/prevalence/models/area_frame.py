"""The nation with the areas that were not sampled: predicted from those that were."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.coding import texts
from prevalence.errors import PipelineError, listed
from prevalence.models.fitting import ModelInputs, Posterior, scaler
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.models.quantities import national_size
from prevalence.models.small_areas import effective_number, predicted_total
from prevalence.models.specified import ALL_AREAS, check_listing
from prevalence.streams import stream

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
LOG = logging.getLogger("prevalence")
FILE = "areas.csv"
FEWEST = 10  # effective number of areas beyond the covariates, to learn a distribution from


@dataclass(frozen=True)
class AreaFrame:
    """All areas of the frame, the sampled ones in the order of a model's areas.

    Parameters
    ----------
    sampled, unsampled
        Populations in persons, shapes (M,) and (U,).
    covariates
        Further covariates of the sampled and of the unsampled areas, shapes (M, P) and (U, P).
    weights
        Inverse selection probabilities of the sampled areas, up to a factor, shape (M,).
    """

    sampled: Array
    unsampled: Array
    covariates: tuple[Array, Array]
    weights: Array


def area_frame(
    table: pd.DataFrame,
    areas: ArrayLike,
    codes: NDArray[np.int64],
    weights: Array,
    variable: str,
    covariates: Sequence[str],
) -> AreaFrame:
    """Arrange the list of all areas.

    Parameters
    ----------
    table
        The side table `areas`: a row an area, with its `population`.
    areas
        Name of each respondent's area, shape (n,).
    codes
        The model's number of it, 0 … M−1, shape (n,).
    weights
        Final weights of the respondents, shape (n,).
    variable
        The column of `table` with the areas' names: the models' variable of areas.
    covariates
        Further numeric columns from which unsampled areas are predicted.

    Returns
    -------
    AreaFrame
        An area's weight is the sum of its respondents' final weights over its population: the
        people whom it stands for over those who live there.

    Raises
    ------
    PipelineError
        If a column is missing, an area is listed twice, a respondent's area isn't listed, two
        sampled areas have one name, or a covariate has no number somewhere.
    """
    import pandas as pd

    check_listing(variable, covariates, table.columns, FILE)
    listing = table.assign(**{variable: table[variable].astype(str)}).set_index(variable)
    names = texts(areas)[np.unique(codes, return_index=True)[1]]
    if shared := len(names) - len(np.unique(names)):
        raise PipelineError(
            "Sampled areas have one name in several strata, so the list can't tell them apart.",
            file=FILE,
            place=f"column {variable}",
            found=f"{shared} of {len(names)} sampled areas with the name of another",
            allowed="a name of its own for every area",
            remedy="Name the areas apart in the frame, or set model.area to a variable that does.",
        )
    twice = int(listing.index.duplicated().sum())
    absent = int((~np.isin(names, listing.index.to_numpy(str))).sum())
    if twice or absent:
        raise PipelineError(
            "The list of areas isn't a list of all areas, each once.",
            file=FILE,
            place=f"column {variable}",
            found=f"{twice} listed again; {absent} of {len(names)} sampled areas not listed",
            allowed="every area of the frame in one row, named as in the responses",
            remedy="Take the list from the frame that the sample was drawn from.",
        )
    values = _numbers(listing, covariates)
    inside = listing.index.isin(names)
    row = listing.index.get_indexer(pd.Index(names))
    population = listing["population"].to_numpy(float)
    if covariates:
        _check_apart(np.column_stack([np.log(population), values])[row], covariates)
    people = np.bincount(codes, np.asarray(weights, float), len(names))
    return AreaFrame(
        population[row],
        population[~inside],
        (values[row], values[~inside]),
        people / population[row],
    )


def _numbers(listing: pd.DataFrame, covariates: Sequence[str]) -> Array:
    """Take the covariates as numbers, shape (areas, P)."""
    import pandas as pd

    columns = []
    for name in covariates:
        numbers = pd.to_numeric(listing[name], errors="coerce").to_numpy(float)
        if lacking := int((~np.isfinite(numbers)).sum()):
            raise PipelineError(
                "A covariate of areas isn't a number everywhere.",
                file=FILE,
                place=f"column {name}",
                found=f"{lacking} of {len(numbers)} areas without a number",
                allowed="a number for every area",
                remedy="Fill it, or take it out of model.area_covariates.",
            )
        columns.append(numbers)
    return np.column_stack(columns) if columns else np.empty((len(listing), 0))


def _check_apart(design: Array, covariates: Sequence[str]) -> None:
    """Refuse covariates that tell nothing that the others don't, over the sampled areas."""
    scale = np.where(design.std(axis=0) > 0, design.std(axis=0), 1.0)
    rank = np.linalg.matrix_rank((design - design.mean(axis=0)) / scale, tol=1e-6 * len(design))
    needed = min(design.shape[1], len(design) - 1)
    if rank < needed:
        raise PipelineError(
            "A covariate of areas is the same everywhere, or follows from the others.",
            file=FILE,
            place="model.area_covariates",
            found=f"{listed(covariates)}: {rank} of {needed} independent, log population included",
            allowed="covariates that differ between sampled areas, each in its own way",
            remedy="Take it out of model.area_covariates.",
        )


def with_all_areas(
    posterior: Posterior, inputs: ModelInputs, frame: AreaFrame, entropy: Sequence[int]
) -> Posterior | None:
    """Estimate the nation's hidden groups with unsampled areas predicted.

    Parameters
    ----------
    posterior
        Of a model.
    inputs
        The survey.
    frame
        All areas.
    entropy
        Seed of the predictions.

    Returns
    -------
    Posterior or None
        Its `model` ends in `ALL_AREAS`, its quantities are the national sizes: the areas' mean by
        population, times the population of the survey. None where the model has no areas, and,
        with a warning in the log, where too few were sampled to learn a distribution from.
    """
    density = posterior.density
    if not isinstance(density, PartiallyPooled):
        return None
    free = effective_number(frame.weights) - 1 - frame.covariates[0].shape[1]
    if len(frame.unsampled) and free < FEWEST:
        LOG.warning(
            "%s: too few areas were sampled to predict others from (%.1f beyond the covariates, "
            "of %d needed); no estimate with all areas is made.",
            posterior.model,
            max(free, 0.0),
            FEWEST,
        )
        return None
    hidden = [inputs.counts.groups.index(one.name) for one in inputs.hidden]
    logs = _relative_reports(posterior, density, inputs, frame)[:, :, hidden]
    total = predicted_total(
        logs,
        frame.sampled,
        frame.unsampled,
        frame.weights,
        stream(entropy, "all areas"),
        covariates=frame.covariates,
    )
    sizes = inputs.population * total / (frame.sampled.sum() + frame.unsampled.sum())
    chains, draws = posterior.draws.shape[:2]
    return replace(
        posterior,
        model=posterior.model + ALL_AREAS,
        quantities=tuple(national_size(hidden.name) for hidden in inputs.hidden),
        draws=sizes.reshape(chains, draws, -1),
        rescaled=(),
    )


def _relative_reports(
    posterior: Posterior, density: PartiallyPooled, inputs: ModelInputs, frame: AreaFrame
) -> Array:
    """Give expected reports of areas' respondents over the nation's network size, as logarithms.

    Their sum over all areas is in the same relation to a group's size as the numerator of a ratio
    of sums; shape (draws, M, K).
    """
    flat = posterior.parameters.reshape(-1, posterior.parameters.shape[2])
    sums = np.bincount(inputs.area, inputs.weights)
    people = frame.weights * frame.sampled
    share, scale = people / people.sum(), scaler(posterior.rescaled[0][0], inputs)
    found = []
    for x in flat:
        network = inputs.weights * np.exp(density.log_degrees(x))
        degrees = np.bincount(inputs.area, network) / sums
        logs = np.log(degrees)[:, None] + density.prevalences(x)
        nation = np.log(share @ np.exp(logs))
        found.append(logs - nation + scale(nation))
    return np.array(found)
