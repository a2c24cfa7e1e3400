"""From a survey to a model's posterior of what is reported, and its tidy tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.coding import texts
from prevalence.domains import Domain, Populations
from prevalence.errors import PipelineError, check_known, listed
from prevalence.models.correlated import Correlated
from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import Thresholds
from prevalence.models.engine import Fit, Sampling, fit
from prevalence.models.intervals import Intervals
from prevalence.models.overdispersed import Overdispersed
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.models.poisson_lognormal import PoissonLognormal
from prevalence.models.preconditioning import Whitening
from prevalence.models.pseudo_posterior import (
    corrected,
    degrees_of_freedom,
    design_covariance,
    exponents,
    gradients,
    prior_information,
    psu_scores,
    total_covariance,
)
from prevalence.models.quantities import Quantity
from prevalence.models.scaling import Scaling, alternatives, scaled, scaling_weights
from prevalence.models.small_areas import mean_reports, psu_multipliers
from prevalence.models.specified import CAPPED, CENSORED, MODELS, check_area
from prevalence.strata import distinct_units
from prevalence.streams import stream

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study

LOG = logging.getLogger("prevalence")
Array = NDArray[np.float64]
Index = NDArray[np.int64]

BIN = "bin"  # in the table of intervals, where it isn't a top code
AnyModel = PoissonLognormal | Overdispersed | PartiallyPooled | Correlated


@dataclass(frozen=True)
class HiddenPopulation:
    """A hidden group: its name, the denominator of its rate, and the rate's unit."""

    name: str
    population: str
    per: str


@dataclass(frozen=True)
class ModelInputs:
    """What every model takes from a survey.

    Parameters
    ----------
    counts
        Known groups, then hidden groups, top-coded as in the headline.
    known_sizes
        In persons, shape (K,); NaN for hidden groups.
    hidden
        The hidden groups, in the order of their columns.
    population
        ``N_U``, in persons.
    weights
        Final weights, shape (n,).
    stratum, psu, area
        Codes 0 … of each respondent, shape (n,).
    domains
        The nation and the geographic domains.
    populations
        Denominators.
    ratios
        Numerator and denominator of each ratio of hidden groups, by its id.
    admitted
        Whether a group may scale a target, shape (K, K), row a target; None: each may. A hidden
        group may have known groups of its own.
    """

    counts: CountTable
    known_sizes: Array
    hidden: tuple[HiddenPopulation, ...]
    population: float
    weights: Array
    stratum: Index
    psu: Index
    area: Index
    domains: tuple[Domain, ...]
    populations: Populations
    ratios: Mapping[str, tuple[str, str]]
    admitted: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Posterior:
    """A model's posterior of what is reported.

    Parameters
    ----------
    model
        Its id.
    density
        The density, for predictive checks.
    quantities
        What the columns of `draws` are; sizes in persons, degrees in people known.
    draws
        Shape (chains, draws, q).
    parameters
        Draws of all parameters, shape (chains, draws, size); without the effects of respondents
        by group in the correlated model.
    fit
        The sampler's account.
    rescaled
        National sizes of all groups under each scaling of :func:`alternatives`, in persons, shape
        (chains, draws, K); the first is that of `draws`.
    uncorrected
        Of draws that are stretched to the design's variance: what the first of `rescaled` was
        before, the pseudo-posterior's own draws. None where nothing is stretched.
    sound
        False where draws should have been stretched and couldn't be: no quantity passes then.
    """

    model: str
    density: AnyModel
    quantities: tuple[Quantity, ...]
    draws: Array
    parameters: Array
    fit: Fit
    rescaled: tuple[tuple[Scaling, Array], ...] = ()
    uncorrected: Array | None = None
    sound: bool = True


def model_inputs(
    study: Study,
    *,
    area: str = "psu",
    known_groups: Sequence[str] | None = None,
    intervals: pd.DataFrame | None = None,
    top_codes: str = CAPPED,
) -> ModelInputs:
    """Take from a study what the models need.

    Parameters
    ----------
    study
        The survey.
    area
        The respondents' variable whose values are the areas; PSUs of one label in two strata are
        two areas.
    known_groups
        Known groups of the models; the headline's by default.
    intervals
        The table `intervals` of the clean stage: counts that stand for an interval.
    top_codes
        ``capped``: counts above a top code are that count, as in the headline. ``censored``: they,
        and counts at the instrument's own top code, are known to be that large or larger.

    Returns
    -------
    ModelInputs
        Bins are intervals whatever `top_codes` says.

    Raises
    ------
    PipelineError
        If the variable or a group doesn't exist, or no group of known size is left.
    """
    respondents = study.respondents
    check_area(area, respondents.columns)
    sizes = study.known_sizes
    hidden = study.hidden_groups()
    common = list(known_groups or study.headline.known_groups)
    own = {one.name: study.known_groups_of(one.name) for one in hidden if not known_groups}
    own = {name: mine for name, mine in own.items() if {*mine} != {*common}}
    known = list(dict.fromkeys([*common, *(group for mine in own.values() for group in mine)]))
    unknown = [group for group in known if group not in sizes]
    if unknown or not known:
        raise PipelineError(
            "The models need groups of known size.",
            file="known_groups.csv",
            place="model.known_groups",
            found=listed(unknown) if unknown else "no known group",
            allowed=listed(sizes),
            remedy="Name groups that have a size and were asked about.",
        )
    units = distinct_units(respondents["stratum"], respondents["psu"])
    lacking = int((texts(respondents[area]) == "").sum())
    if lacking:
        raise PipelineError(
            "Respondents have no area.",
            place="model.area",
            found=f"{lacking} of {len(respondents)} respondents without {area}",
            allowed="an area for every respondent",
            remedy="Fill it, or set model.area to a variable that everybody has.",
        )
    groups = [*known, *(one.name for one in hidden)]
    caps = dict.fromkeys(known, study.headline.known_cap)
    caps |= {group.name: study.headline.hidden_cap for group in hidden}
    return ModelInputs(
        _answers(study, caps, intervals, top_codes == CENSORED),
        np.array([sizes[group] for group in known] + [np.nan] * len(hidden)),
        tuple(HiddenPopulation(group.name, group.population, group.per) for group in hidden),
        study.populations.total,
        np.asarray(study.sampling.weights, float),
        _codes(respondents["stratum"]),
        _codes(units),
        _codes(units if area == "psu" else respondents[area]),
        tuple(domain for domain in study.domains if domain.kind == "geographic"),
        study.populations,
        study.ratios,
        np.array([np.isin(groups, own.get(name, common)) for name in groups]) if own else None,
    )


def _answers(
    study: Study,
    caps: Mapping[str, float | None],
    intervals: pd.DataFrame | None,
    censored: bool,
) -> CountTable:
    """Arrange counts and intervals of the groups, by the headline's top codes."""
    import pandas as pd

    groups = tuple(caps)
    lower = np.column_stack([study.counts[group] for group in groups]).astype(float)
    upper = lower.copy()
    if intervals is not None:
        wanted = intervals["group"].isin(groups)
        if not censored:
            wanted &= intervals["reason"] == BIN
        mine = intervals[wanted]
        ids = pd.Index(study.respondents["respondent"])
        place = (
            ids.get_indexer(pd.Index(mine["respondent"])),
            [groups.index(group) for group in mine["group"]],
        )
        lower[place], upper[place] = mine["lower"], mine["upper"].fillna(np.inf)
    for column, cap in enumerate(caps.values()):
        if cap is None:
            continue
        low, high = lower[:, column], upper[:, column]
        exact = low == high
        if censored:
            high[(exact & (low >= cap)) | (high > cap)] = np.inf
            low[:] = np.minimum(low, cap)
        else:
            low[exact] = high[exact] = np.minimum(low[exact], cap)
    rows, columns = np.nonzero(upper > lower)
    cells = Intervals(rows, columns, lower[rows, columns], upper[rows, columns])
    exact = np.where(upper > lower, np.nan, lower)
    return CountTable(groups, exact, cells)


def _codes(labels: ArrayLike) -> Index:
    return np.unique(texts(labels), return_inverse=True)[1].astype(np.int64)


def fit_model(
    model: str,
    inputs: ModelInputs,
    entropy: Sequence[int],
    *,
    scaling: Scaling | None = None,
    sampling: Sampling | None = None,
) -> Posterior:
    """Fit a model by its id.

    Parameters
    ----------
    model
        One of `MODELS`.
    inputs
        The survey.
    entropy
        Seed.
    scaling
        How latent prevalence becomes sizes.
    sampling
        Chains and iterations.

    Returns
    -------
    Posterior
        Whether it may be used, its diagnostics say.

    Raises
    ------
    PipelineError
        If there is no such model, or it can't be fitted to such data.
    """
    check_known(model, MODELS, "A model is unknown.", place="model.models")
    scaling = scaling or Scaling()
    known = inputs.counts.lowest[:, ~np.isnan(inputs.known_sizes)]
    if not np.nansum(known) > 0:
        raise PipelineError(
            "No respondent knows a member of any known group: a model has no scale.",
            found=f"{known.shape[0]} respondents, {known.shape[1]} known groups, nothing but zeros",
            allowed="one report above 0 at least",
            remedy="Mend the codebook, or leave the section `model:` out of the survey's config.",
        )
    groups = inputs.counts.groups
    if model == "correlated":
        if len(groups) < 2:
            raise PipelineError(
                "The correlated model needs groups that can be correlated.",
                place="model.models",
                found=f"{len(groups)} group",
                allowed="2 groups or more",
                remedy="Take correlated out of model.models, or name more known groups.",
            )
        # Whether there is a scale is known before the long fit, whatever the correlations are.
        every = np.ones((len(groups), len(groups)))
        scaling_weights(scaling, groups, inputs.known_sizes, every, inputs.admitted)
        return _fit_correlated(model, inputs, entropy, scaling, sampling)
    weights = exponents(inputs.weights) if model.endswith("_weighted") else None
    scales = _Scales.of(scaling, inputs)
    if not model.startswith("partially_pooled"):
        return _fit_national(model, inputs, entropy, weights, scales, sampling)
    return _fit_partially_pooled(model, inputs, entropy, weights, scales, sampling)


def scaler(scaling: Scaling, inputs: ModelInputs) -> Callable[[Array], Array]:
    """Give what scales log prevalences (…, K), each leading index by its own constant, by name."""
    known, people = inputs.known_sizes, inputs.population
    weights = scaling_weights(scaling, inputs.counts.groups, known, admitted=inputs.admitted)
    return lambda logs: scaled(logs, known, people, weights, scaling.form)


@dataclass(frozen=True)
class _Scales:
    """The chosen scaling and its alternatives, with the weights of known groups in each."""

    inputs: ModelInputs
    every: tuple[tuple[Scaling, Array], ...]

    @classmethod
    def of(cls, scaling: Scaling, inputs: ModelInputs, correlation: Array | None = None) -> _Scales:
        """Find the weights; an alternative under which a target has no scale is left out.

        A known group is estimated from the others under each of them.
        """
        every = []
        groups, known = inputs.counts.groups, inputs.known_sizes
        for other in alternatives(scaling, correlated=correlation is not None):
            try:
                weights = scaling_weights(other, groups, known, correlation, inputs.admitted)
            except PipelineError:
                if other == scaling:
                    raise
                continue
            np.fill_diagonal(weights, 0.0)
            every.append((other, weights))
        return cls(inputs, tuple(every))

    def each(self, log_prevalence: Array) -> Iterator[tuple[Scaling, Array]]:
        """Scale log prevalences (…, K) in each way, the chosen one first."""
        known, population = self.inputs.known_sizes, self.inputs.population
        for scaling, weights in self.every:
            yield scaling, scaled(log_prevalence, known, population, weights, scaling.form)

    def chosen(self, log_prevalence: Array) -> Array:
        """Scale log prevalences (…, K) in the chosen way."""
        return next(self.each(log_prevalence))[1]


def _fit_national(
    model: str,
    inputs: ModelInputs,
    entropy: Sequence[int],
    weights: Array | None,
    scales: _Scales,
    sampling: Sampling | None,
) -> Posterior:
    kind = PoissonLognormal if model.startswith("poisson_lognormal") else Overdispersed
    density: PoissonLognormal | Overdispersed = kind(inputs.counts, weights=weights)
    strata = _strata_of_psus(inputs)
    if weights is not None and degrees_of_freedom(strata) < 1:
        raise PipelineError(
            "A weighted fit has no design to correct its intervals by.",
            found="no stratum with two PSUs",
            remedy=f"Take {model} out of model.models, or set weight.lone_psu to collapse.",
        )
    result = fit(density, entropy, sampling=sampling)
    top = result.draws[:, :, : density.layout.globals]
    plain = density.prevalences(top)
    if weights is None:
        return _whole_nation(model, density, inputs, result, plain, scales)
    if not (result.whitened and isinstance(result.whitening, Whitening)):
        LOG.warning("no trustworthy mode: %s isn't corrected, and counts as not converged", model)
        own = _whole_nation(model, density, inputs, result, plain, scales)
        return replace(own, sound=False)

    def log_sizes(some: Array) -> Array:
        return scales.chosen(density.prevalences(some))

    shape, g = result.whitening, density.layout.globals
    covariance = total_covariance(
        design_covariance(psu_scores(density, shape, weights, inputs.psu), strata),
        prior_information(density, shape),
        shape,
        gradients(log_sizes, shape.centre[:g]),
    )
    generator = stream(entropy, "design")
    stretched = corrected(top, shape, covariance, degrees_of_freedom(strata), generator)
    log_prevalence = density.prevalences(stretched)
    posterior = _whole_nation(model, density, inputs, result, log_prevalence, scales)
    return replace(posterior, uncorrected=inputs.population * np.exp(log_sizes(top)))


def _fit_correlated(
    model: str,
    inputs: ModelInputs,
    entropy: Sequence[int],
    scaling: Scaling,
    sampling: Sampling | None,
) -> Posterior:
    density = Correlated(inputs.counts)
    result = fit(density, entropy, sampling=sampling)
    top = result.draws[:, :, : density.layout.globals]
    some = top.reshape(-1, top.shape[2])[:: max(top.shape[0] * top.shape[1] // 200, 1)]
    correlation = np.mean([density.correlation(draw) for draw in some], axis=0)
    scales = _Scales.of(scaling, inputs, correlation)
    return _whole_nation(model, density, inputs, result, density.prevalences(top), scales)


def _whole_nation(
    model: str,
    density: PoissonLognormal | Overdispersed | Correlated,
    inputs: ModelInputs,
    result: Fit,
    log_prevalence: Array,
    scales: _Scales,
) -> Posterior:
    """Scale log prevalences (chains, draws, K) of a model without places."""
    groups = inputs.counts.groups
    rescaled = tuple(
        (scaling, inputs.population * np.exp(values))
        for scaling, values in scales.each(log_prevalence)
    )
    sizes = rescaled[0][1]
    quantities = [_national(group, inputs) for group in groups]
    # Degree and prevalence share one constant; the first hidden group's is as good as any.
    first = len(groups) - len(inputs.hidden) if inputs.hidden else 0
    constant = log_prevalence[:, :, first] - np.log(sizes[:, :, first] / inputs.population)
    degree = np.apply_along_axis(density.mean_degree, 2, result.draws) * np.exp(constant)
    return _posterior(model, density, quantities, sizes, degree, result, rescaled)


def _fit_partially_pooled(
    model: str,
    inputs: ModelInputs,
    entropy: Sequence[int],
    weights: Array | None,
    scales: _Scales,
    sampling: Sampling | None,
) -> Posterior:
    density = PartiallyPooled(inputs.counts, inputs.area, weights=weights)
    result = fit(density, entropy, sampling=sampling)
    chains, draws, _ = result.draws.shape
    flat = result.draws.reshape(chains * draws, -1)
    prevalence = np.exp(np.array([density.prevalences(x) for x in flat]))
    network = np.exp(np.array([density.log_degrees(x) for x in flat]))
    multipliers = psu_multipliers(_strata_of_psus(inputs), len(flat), stream(entropy, "areas"))

    def reported(mask: NDArray[np.bool_]) -> Array:
        inside = np.flatnonzero(mask)
        weights = inputs.weights[inside] * multipliers[:, inputs.psu[inside]]
        return mean_reports(prevalence, network[:, inside], weights, inputs.area[inside])

    nation = np.log(reported(np.ones(len(inputs.area), bool)))
    rescaled = tuple(
        (scaling, (inputs.population * np.exp(values)).reshape(chains, draws, -1))
        for scaling, values in scales.each(nation)
    )
    quantities, columns = [], []
    for domain in inputs.domains:
        national = domain.type == "national"
        logs = nation if national else np.log(reported(domain.mask))
        found = np.exp(scales.chosen(logs))
        total = inputs.populations.of(domain, "all_ages")
        for k, group in enumerate(inputs.counts.groups):
            hidden = bool(np.isnan(inputs.known_sizes[k]))
            if (national or hidden) and np.isfinite(total):
                role = "hidden" if hidden else "known"
                quantities.append(Quantity(group, role, domain.type, domain.name))
                columns.append(total * found[:, k])
    first = int(np.flatnonzero(np.isnan(inputs.known_sizes))[0]) if inputs.hidden else 0
    degree = np.exp(nation - scales.chosen(nation))[:, first].reshape(chains, draws)
    sizes = np.column_stack(columns).reshape(chains, draws, -1)
    return _posterior(model, density, quantities, sizes, degree, result, rescaled)


def _strata_of_psus(inputs: ModelInputs) -> Index:
    strata = np.zeros(int(inputs.psu.max()) + 1, np.int64)
    strata[inputs.psu] = inputs.stratum
    return strata


def _posterior(
    model: str,
    density: AnyModel,
    quantities: list[Quantity],
    sizes: Array,
    degree: Array,
    result: Fit,
    rescaled: tuple[tuple[Scaling, Array], ...],
) -> Posterior:
    """Put sizes and mean degree side by side; a known group with nothing to scale it by is out."""
    keep = np.atleast_1d(np.isfinite(sizes).any(axis=(0, 1)))
    kept = [quantity for quantity, inside in zip(quantities, keep, strict=True) if inside]
    degrees = Quantity("degree", "degree", "national", "national")
    draws = np.concatenate([sizes[:, :, keep], degree[:, :, None]], axis=2)
    return Posterior(model, density, (*kept, degrees), draws, result.draws, result, rescaled)


def _national(group: str, inputs: ModelInputs) -> Quantity:
    hidden = group in {population.name for population in inputs.hidden}
    return Quantity(group, "hidden" if hidden else "known", "national", "national")


def settings_of(config: Mapping[str, Any], cores: int) -> tuple[Scaling, Sampling, Thresholds]:
    """Read the section `model:` of a survey's config.

    Parameters
    ----------
    config
        The section.
    cores
        Chains that may run at the same time.

    Returns
    -------
    scaling, sampling, thresholds
        With this module's defaults where the config says nothing.
    """
    scaling = dict(config.get("scaling") or {})
    scaling["subset"] = tuple(scaling.get("subset") or ())
    return (
        Scaling(**scaling),
        Sampling(**(config.get("sampling") or {}), cores=cores),
        Thresholds(**(config.get("thresholds") or {})),
    )
