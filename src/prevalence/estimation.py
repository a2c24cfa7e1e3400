"""What every table of the estimate stage starts from: counts, sizes, domains, sample, choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.domains import Domain, Populations, domains_of
from prevalence.errors import PipelineError, check_known, listed
from prevalence.ratio import (
    BOOTSTRAP,
    LINEARISED,
    Inference,
    RatioBatch,
    RatioEstimates,
    Sampling,
    check_percentiles,
)
from prevalence.relational import Counts, capped, count_columns
from prevalence.scale_up import (
    FORMS,
    KILLWORTH,
    HiddenGroup,
    NetworkSizes,
    check_estimators,
    network_sizes,
    ratio_columns,
)

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.design import SampleDesign

Array = NDArray[np.float64]

ROW_TABLES = ("respondents", "ard", "weights", "replicates", "replicate_factors")
SIDE_TABLES = ("known_groups", "populations")
CODED = {"ard": ("respondent", "group", "role", "missing")}  # texts that stand in many rows
DESCRIPTION = ["label", "source", "quality", "year"]
POPULATION_COLUMNS = ["domain_type", "domain", "all_ages", "children", "adults"]


@dataclass(frozen=True)
class Headline:
    """The pre-specified choices.

    Parameters
    ----------
    estimator
        Name of the scale-up estimator.
    inference
        How intervals are made.
    known_groups
        Groups on which degrees rest.
    known_cap, hidden_cap
        Top codes; None where counts stay as they are.
    """

    estimator: str
    inference: Inference
    known_groups: tuple[str, ...]
    known_cap: float | None
    hidden_cap: float | None

    @classmethod
    def from_config(cls, headline: Mapping[str, Any], level: float) -> Headline:
        """Read the `headline:` section of a survey's config."""
        caps = headline["top_codes"]
        return cls(
            estimator=headline["estimator"],
            inference=Inference(headline["interval"], headline["variance"], level),
            known_groups=tuple(headline["known_groups"]),
            known_cap=caps["known"],
            hidden_cap=caps["hidden"],
        )


@dataclass(frozen=True)
class Study:
    """A survey ready for estimation.

    Parameters
    ----------
    respondents
        One row a respondent, in the order of the weights.
    counts
        People known by group, not top-coded, each of shape (n,).
    roles
        Role of each group: known, child, hidden_item, hidden, situation.
    known
        Groups with a size: `group`, `label`, `size`, `year`, `source`, `quality`.
    populations
        Denominators.
    sampling
        Weights, replicates, design.
    settings
        The `estimate:` section of the config.
    headline
        The pre-specified choices.
    """

    respondents: pd.DataFrame
    counts: Counts
    roles: Mapping[str, str]
    known: pd.DataFrame
    populations: Populations
    sampling: Sampling
    settings: Mapping[str, Any]
    headline: Headline

    @property
    def known_sizes(self) -> dict[str, float]:
        """Sizes of the known groups, in persons."""
        return dict(zip(self.known["group"], self.known["size"].astype(float), strict=True))

    @property
    def child_groups(self) -> list[str]:
        """Age groups of children that respondents counted."""
        return [group for group, role in self.roles.items() if role == "child"]

    @cached_property
    def domains(self) -> list[Domain]:
        """The nation and each configured domain, in the order of the table of populations."""
        order = [name for _, name, _ in self.populations.sizes]
        return domains_of(self.respondents, self.settings["domains"], order)

    def estimators(self) -> list[str]:
        """Names of the estimators that the survey's answers admit, the headline's first."""
        names = [self.headline.estimator, *self.settings["estimators"]]
        check_estimators(names)
        return [
            name
            for name in dict.fromkeys(names)
            if name == KILLWORTH or FORMS[name].degree != "child_alters" or self.child_groups
        ]

    def published_counts(self) -> tuple[dict[str, Array], dict[str, str]]:
        """Give the counts behind every published cell, as the headline uses them, and the roles."""
        cap = self.headline.known_cap
        reports = {group.name: group.reports for group in self.hidden_groups()}
        roles = dict.fromkeys(reports, "hidden")
        for group in self.known["group"]:
            reports[group] = capped(self.counts[group], cap)
            roles[group] = "known"
        reports["degree"] = self.sizes().by_definition["known_population"]
        return reports, roles | {"degree": "degree"}

    def sizes(
        self, known_groups: Sequence[str] | None = None, place: str = "headline.known_groups"
    ) -> NetworkSizes:
        """Network sizes by the headline's rules, on other known groups if they are named."""
        degree = self.settings["degree"]
        return network_sizes(
            self.counts,
            self.known_sizes,
            self.headline.known_groups if known_groups is None else known_groups,
            self.populations.total,
            cap=self.headline.known_cap,
            missing=degree["missing"],
            minimum_groups=degree["minimum_groups"],
            child_groups=self.child_groups,
            place=place,
        )

    def known_groups_of(self, name: str) -> Sequence[str]:
        """Known groups on which a hidden group's network sizes rest: its own, or the headline's."""
        own: Sequence[str] | None = self.settings["hidden_groups"][name].get("known_groups")
        return own or self.headline.known_groups

    def hidden_groups(self) -> list[HiddenGroup]:
        """Hidden groups with their capped reports and network sizes.

        Raises
        ------
        PipelineError
            If a configured group isn't among the counts.
        """
        groups = []
        for name, setting in self.settings["hidden_groups"].items():
            check_known(
                name,
                self.counts,
                "A hidden group is not among the counts.",
                place=f"estimate.hidden_groups.{name}",
            )
            reports = capped(self.counts[name], self.headline.hidden_cap)
            own = f"estimate.hidden_groups.{name}" if setting.get("known_groups") else "headline"
            sizes = self.sizes(self.known_groups_of(name), f"{own}.known_groups")
            groups.append(HiddenGroup(name, reports, sizes, setting["population"], setting["per"]))
        return groups

    @property
    def ratios(self) -> dict[str, tuple[str, str]]:
        """Numerator and denominator of each configured ratio of hidden groups, by its name."""
        settings = self.settings.get("ratios") or {}
        return {name: (one["numerator"], one["denominator"]) for name, one in settings.items()}

    def headline_columns(self, group: HiddenGroup) -> tuple[Array, Array, Array]:
        """Columns, each (n,), whose weighted sums the headline divides, and their exposure."""
        form = FORMS[self.headline.estimator]
        degree = group.sizes.by_definition[form.degree]
        return ratio_columns(form, group.reports, degree, self.sampling.weights)

    def headline_estimates(self, groups: Sequence[HiddenGroup]) -> RatioEstimates:
        """Estimate national shares of the population by the headline, in the order of `groups`."""
        batch = RatioBatch(len(self.sampling.weights))
        for group in groups:
            top, bottom, exposure = self.headline_columns(group)
            batch.add(top, bottom, exposure=exposure)
        return batch.evaluate(self.sampling)

    def ratio_of_groups(self, numerator: str, denominator: str) -> RatioEstimates:
        """Ratio of two hidden groups over those who answered both, with its replicates."""
        reports = {group.name: group.reports for group in self.hidden_groups()}
        batch = RatioBatch(len(self.sampling.weights))
        batch.add(reports[numerator], reports[denominator])
        return batch.evaluate(self.sampling, linearised=False)


def study_of(
    tables: Mapping[str, pd.DataFrame],
    *,
    estimate: Mapping[str, Any],
    headline: Mapping[str, Any],
    year: int | None = None,
    sampling: Sampling | None = None,
) -> Study:
    """Bring the tables of a survey into one order.

    Parameters
    ----------
    tables
        `respondents` (in the order of the weights) and `ard` of the clean stage; the side tables
        `known_groups` and, where the config gives no populations, `populations`; and, unless the
        sampling is given, `weights`, `replicates` and `replicate_factors`.
    estimate, headline
        Sections of the survey's config.
    year
        Reference year of the populations.
    sampling
        Weights, replicates, design, if they are at hand.

    Returns
    -------
    Study
        Ready for estimation.

    Raises
    ------
    PipelineError
        If the tables don't fit one another or a size isn't positive.
    """
    import pandas as pd

    if tables.get("known_groups") is None:
        raise PipelineError(
            "There are no sizes of known groups.",
            place="ingest.tables.known_groups",
            allowed="a table with group and size, from which network sizes are computed",
            remedy="Add the line known_groups: known_groups.csv under ingest.tables, and the file.",
        )
    respondents, ard, known_groups = (tables[n] for n in ("respondents", "ard", "known_groups"))
    populations = tables.get("populations")
    if populations is None:
        populations = pd.DataFrame(estimate.get("populations") or [], columns=POPULATION_COLUMNS)
    sampling = sampling_of(tables) if sampling is None else sampling
    if len(respondents) != len(sampling.weights):
        raise PipelineError(
            "Respondents and weights differ in number.",
            found=f"{len(respondents)} respondents, {len(sampling.weights)} weights",
            remedy="Run snakemake again from the weight stage.",
        )
    known = known_groups[known_groups["size"].notna()].reset_index(drop=True)
    if (known["size"] <= 0).any():
        raise PipelineError(
            "A known group has no size above 0.",
            file="known_groups.csv",
            place="size",
            found=listed(known.loc[known["size"] <= 0, "group"]),
            allowed="a number of persons above 0, or empty where the size isn't known",
            remedy="Give the size with its source, or leave the field empty.",
        )
    fixed = Headline.from_config(headline, estimate["level"])
    _check_sizes(known, Populations.from_table(populations, year).total)
    counts = count_columns(ard, list(respondents["respondent"]))
    firsts = ard.drop_duplicates("group")
    roles = dict(zip(firsts["group"].astype(str), firsts["role"].astype(str), strict=True))
    return Study(
        respondents=respondents,
        counts=counts,
        roles=roles,
        known=_described(known[known["group"].isin(counts)].reset_index(drop=True)),
        populations=Populations.from_table(populations, year),
        sampling=sampling,
        settings=estimate,
        headline=replace(fixed, inference=_fitting(fixed.inference, sampling)),
    )


def _fitting(inference: Inference, sampling: Sampling) -> Inference:
    """Check that the headline's intervals can be made from the replicates that there are."""
    if inference.variance == BOOTSTRAP and not sampling.drawn:
        raise PipelineError(
            "The headline's variance isn't that of the replicates.",
            place="headline.variance",
            found="bootstrap, with replicates of a jackknife or of half-samples",
            allowed="replicates or linearised",
            remedy="Use variance: replicates, or weight.replication: {method: rescaled_bootstrap}.",
        )
    if inference.interval == "percentile":
        check_percentiles(sampling.scale)
    if inference.interval == "gamma_mid_p" and sampling.psu_totals is None:
        raise PipelineError(
            "The headline's interval needs the primary sampling units.",
            place="headline.interval",
            found="gamma_mid_p, with replicate weights that a file supplies",
            allowed="log_t, t or percentile",
            remedy="Use interval: log_t, or give strata and PSUs.",
        )
    if inference.variance == LINEARISED:
        return inference
    return replace(inference, variance=sampling.variance_name)


def _check_sizes(known: pd.DataFrame, total: float) -> None:
    """Refuse known groups that hold more persons than the population they are part of."""
    large = known["size"] > total
    if large.any():
        raise PipelineError(
            "A known group is larger than the population.",
            file="known_groups.csv",
            place="size",
            found=listed(known.loc[large, "group"]),
            allowed=f"at most {total:,.0f} persons, everyone whom the tie definition admits",
            remedy="Give sizes and populations in persons, not in thousands or per cent.",
        )


def _described(known: pd.DataFrame) -> pd.DataFrame:
    """Fill in what a table of known groups leaves out: label, year, source, quality."""
    whole = known.reindex(columns=list(dict.fromkeys([*known.columns, *DESCRIPTION])))
    words = {name: whole[name].astype(object) for name in DESCRIPTION[:3]}
    return whole.assign(
        label=words["label"].fillna(whole["group"]),
        source=words["source"].fillna(""),
        quality=words["quality"].fillna(""),
    )


def sampling_of(tables: Mapping[str, pd.DataFrame]) -> Sampling:
    """Read weights, replicates and design from the tables of the weight stage.

    Parameters
    ----------
    tables
        `weights`, `replicates` and `replicate_factors`.

    Returns
    -------
    Sampling
        PSUs without a respondent count in the variance and in the degrees of freedom; where weights
        were calibrated, the linearised variance is that of the calibration's residuals.
    """
    from prevalence.replication import replicates_of_tables
    from prevalence.sampling import replicate_sampling

    weights, factors = tables["weights"], tables["replicate_factors"]
    replicates = replicates_of_tables(weights, tables["replicates"], factors)
    return replicate_sampling(replicates, calibrated_design(replicates.design, weights, factors))


def calibrated_design(
    design: SampleDesign, weights: pd.DataFrame, factors: pd.DataFrame
) -> SampleDesign:
    """Add to a design the calibration of its weights, if there was one.

    Parameters
    ----------
    design
        The design of the final weights.
    weights, factors
        ``weights.parquet`` and ``replicate_factors.parquet``.

    Returns
    -------
    SampleDesign
        Its linearised variance is that of the calibration's residuals.
    """
    from prevalence.calibration import Calibration, Distance
    from prevalence.replication import auxiliary_of_table

    margins = factors.loc[factors["kind"] == "calibration", "margin"].astype(str).unique()
    if not len(margins):
        return design
    auxiliary = auxiliary_of_table(weights, list(margins))
    initial, final = (weights[step].to_numpy(float) for step in ("trimmed", "final"))
    return design.with_calibration(
        Calibration(
            auxiliary=auxiliary,
            initial=initial,
            calibrated=final,
            factors=auxiliary.by_cell(final) / auxiliary.by_cell(initial),
            coefficients=np.zeros(auxiliary.x.shape[1]),
            distance=Distance("exponential"),
            iterations=0,
            residual_weights=initial,
        )
    )
