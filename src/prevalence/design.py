"""The sample design: strata, up to three stages of units, and the variance of weighted totals.

A design is compiled once from columns of labels into integer codes. Everything that follows works
on totals by *ultimate unit* (the PSUs, or the units of the last stage that contributes to the
variance), so that its cost is linear in the respondents however many estimates are made.
Units without a respondent count: domains and nonresponse never drop a PSU.

Sources: Särndal, Swensson & Wretman 1992, *Model Assisted Survey Sampling*, chapter 4; Lumley 2010,
*Complex Surveys*, appendix A.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.coding import distinct, encoded, missing_labels, sums, sums_by
from prevalence.errors import PipelineError, check_known, listed
from prevalence.strata import joined_population, joined_strata

if TYPE_CHECKING:
    from prevalence.calibration import Calibration

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

LONE_PSU_RULES = ("error", "certainty", "adjust", "average", "collapse")
MOST_STAGES = 3
FULLY_ENUMERATED = 1e-7  # a stratum of which less than this share is unsampled has no variance


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of sampling: units within strata, strata within the units of the stage above.

    Parameters
    ----------
    stratum
        Stratum of each unit, shape (m,).
    sampled
        Units sampled in each stratum, shape (H,).
    fraction
        Share of the stratum's units that was sampled, shape (H,); 0 where units count as drawn
        with replacement.
    parent
        Unit of the stage above in which each stratum lies, shape (H,); 0 in the first stage.
    """

    stratum: Codes
    sampled: Array
    fraction: Array
    parent: Codes

    @property
    def units(self) -> int:
        """Number of units, those without respondents included."""
        return len(self.stratum)

    @property
    def lone(self) -> NDArray[np.bool_]:
        """Strata with one sampled unit that were not enumerated completely, shape (H,)."""
        lone: NDArray[np.bool_] = (self.sampled == 1) & (1 - self.fraction >= FULLY_ENUMERATED)
        return lone

    def grouped(self, values: Array) -> Array:
        """Sum values of the units (m, q) by stratum, shape (H, q)."""
        return sums_by(self.stratum, values, len(self.sampled))


@dataclass(frozen=True, eq=False)
class SampleDesign:
    """A sample with its weights, as the variance formulas see it.

    Parameters
    ----------
    weights
        Weights of the respondents, shape (n,).
    unit
        Ultimate unit of each respondent, shape (n,).
    stages
        From the first stage to the last that contributes to the variance.
    strata, psus
        Labels of the first stage's strata, and the (stratum, PSU) labels of its units.
    lone_psu
        What a stratum with one sampled unit contributes: see :meth:`from_columns`.
    calibration
        The calibration that made the weights, for residuals; None for other weights.
    """

    weights: Array
    unit: Codes
    stages: tuple[Stage, ...]
    strata: tuple[str, ...]
    psus: tuple[tuple[str, str], ...]
    lone_psu: str = "error"
    calibration: Calibration | None = None

    @classmethod
    def from_columns(
        cls,
        weights: ArrayLike,
        *,
        strata: ArrayLike | Sequence[ArrayLike] | None = None,
        units: ArrayLike | Sequence[ArrayLike] | None = None,
        population: ArrayLike | Sequence[ArrayLike | None] | None = None,
        empty_psus: Sequence[tuple[str, str]] = (),
        lone_psu: str = "error",
        partners: Mapping[str, str] | None = None,
    ) -> SampleDesign:
        """Compile a design from columns with one entry a respondent.

        Parameters
        ----------
        weights
            Sampling weights, shape (n,), positive.
        strata
            Labels of the strata, or a list with one column a stage. None: one stratum.
        units
            Labels of the PSUs, or a list (or table) with one column a stage. Labels count within
            their stratum. None: each respondent is a unit.
        population
            Finite-population corrections: number of units in the population of the stratum, or
            sampling fractions in (0, 1]; a list with one column a stage. None: with replacement,
            and later stages don't contribute.
        empty_psus
            (stratum, PSU) labels of sampled PSUs in which nobody responded.
        lone_psu
            For a stratum with a single sampled unit: ``error``; ``certainty``: no contribution,
            only for a unit that was enumerated completely; ``adjust``: deviation from the mean of
            all units of the stage; ``average``: the mean contribution of the other strata;
            ``collapse``: joined with the stratum that `partners` names.
        partners
            Stratum -> stratum it is joined with, under ``collapse``; their populations add up.

        Returns
        -------
        SampleDesign

        Raises
        ------
        PipelineError
            If columns differ in length, weights are zero, negative or missing (counted by
            stratum), a correction is impossible, or a stratum has a lone PSU and the rule is
            ``error``.
        """
        w = np.array(weights, dtype=float)
        n = len(w)
        unit_columns = _columns(units) or [np.arange(n)]
        stratum_columns = _columns(strata)
        corrections: list[Any] = _columns(population)
        _check_rule(lone_psu)
        _check_stages(len(unit_columns), len(stratum_columns), len(corrections))
        given = {"unit": unit_columns, "stratum": stratum_columns, "correction": corrections}
        for what, columns in ({"weights": [w]} | given).items():
            check_lengths(what, columns, n)
        _check_labels(unit_columns, stratum_columns)
        first = stratum_columns[0] if stratum_columns else np.zeros(n, dtype=int)
        if lone_psu == "collapse":
            before = (first, unit_columns[0], empty_psus)
            first, unit_columns[0], empty_psus = joined_strata(*before, partners or {})
            if corrections and corrections[0] is not None:
                corrections[0] = joined_population(*before, first, corrections[0])
        stratum, stratum_labels = encoded(first, [h for h, _ in empty_psus])
        check_weights(w, stratum[:n], stratum_labels)

        stages: list[Stage] = []
        psu_labels: tuple[tuple[str, str], ...] = ()
        parent_of_row = np.zeros(n, dtype=np.intp)
        for k, column in enumerate(unit_columns):
            if k == 0:
                extra = [c for _, c in empty_psus]
            else:
                extra = []
                label = stratum_columns[k] if k < len(stratum_columns) else np.zeros(n, dtype=int)
                stratum = encoded(label)[0]
            codes, labels = encoded(column, extra)
            correction = corrections[k] if k < len(corrections) else None
            stage, unit_of_row, pairs = _compiled(
                parent_of_row, stratum, codes, correction, n, stage_number=k + 1
            )
            if k == 0:
                psu_labels = tuple((stratum_labels[h], labels[c]) for h, c in pairs)
            stages.append(stage)
            parent_of_row = unit_of_row
            if correction is None:
                break
        design = cls(
            w, parent_of_row, tuple(stages), tuple(stratum_labels), psu_labels, lone_psu=lone_psu
        )
        design._check_lone()
        return design

    @property
    def n(self) -> int:
        """Number of respondents."""
        return len(self.weights)

    @property
    def psu(self) -> Codes:
        """PSU of each respondent, as a place in `psus`, shape (n,)."""
        unit = self.unit
        for stage in self.stages[:0:-1]:
            unit = stage.parent[stage.stratum][unit]
        return unit

    def with_calibration(self, calibration: Calibration) -> SampleDesign:
        """Give the design of the calibrated sample: new weights, variance by residuals.

        Parameters
        ----------
        calibration
            Calibration of this design's weights. Where these come from an earlier calibration,
            residuals are taken from that one first, then from this.
        """
        chained = replace(calibration, earlier=self.calibration)
        return replace(self, weights=calibration.calibrated, calibration=chained)

    def with_weights(self, weights: Array) -> SampleDesign:
        """Give the same design with other weights, such as trimmed ones.

        Where the weights were calibrated before, the variance stays that of the residuals, of the
        values times the new over the calibrated weight, as R survey has it after ``trimWeights``.

        Parameters
        ----------
        weights
            Shape (n,), positive.
        """
        stratum = self.stages[0].stratum[self.psu]
        checked = np.array(weights, dtype=float)
        check_weights(checked, stratum, list(self.strata))
        return replace(self, weights=checked)

    def degrees_of_freedom(
        self, domain: NDArray[np.bool_] | None = None, *, counting: str = "strata"
    ) -> float:
        """Design degrees of freedom: PSUs minus strata.

        Parameters
        ----------
        domain
            Mask of the respondents in the domain, shape (n,); everybody where None.
        counting
            ``strata``: all PSUs of the strata in which the domain has respondents; ``units``: only
            the PSUs in which it has respondents, as R survey's ``degf`` counts.

        Returns
        -------
        float
            Never below 0.
        """
        return float(self.domain_degrees_of_freedom(_one_domain(domain, self.n), 1, counting)[0])

    def domain_degrees_of_freedom(
        self, domain: Codes, count: int, counting: str = "strata"
    ) -> Array:
        """Degrees of freedom of several domains at once.

        Parameters
        ----------
        domain
            Place of each respondent's domain, -1 for none, shape (n,).
        count
            Number of domains D.
        counting
            As in :meth:`degrees_of_freedom`.

        Returns
        -------
        numpy.ndarray
            Shape (D,).
        """
        first = self.stages[0]
        inside = domain >= 0
        pair = np.zeros(first.units * count, dtype=bool)
        pair[self.psu[inside] * count + domain[inside]] = True
        present = pair.reshape(first.units, count)
        strata_present = first.grouped(present.astype(float)) > 0
        if counting == "units":
            return np.asarray(present.sum(axis=0) - strata_present.sum(axis=0), dtype=float)
        return np.asarray((first.sampled - 1) @ strata_present, dtype=float)

    def unit_totals(self, values: Array) -> Array:
        """Sum values that already carry their weight by ultimate unit.

        Parameters
        ----------
        values
            Shape (n, q).

        Returns
        -------
        numpy.ndarray
            Shape (m, q).
        """
        return sums_by(self.unit, values, self.stages[-1].units)

    def linearised_variance(self, scores: Array) -> Array:
        """Variance of sums of weighted scores.

        Parameters
        ----------
        scores
            Weighted influence values ``w_i z_i``, shape (n, q); 0 outside a domain.

        Returns
        -------
        numpy.ndarray
            Shape (q,). With a calibration, of the calibration's residuals.
        """
        totals = self.unit_totals(scores)
        if self.calibration is not None:
            totals = totals - self.calibration.fitted_unit_totals(self, scores)
        return self.variance(totals)

    @property
    def borrows_for_lone(self) -> bool:
        """Whether strata with a lone unit borrow from others: the rules adjust and average."""
        borrowing = self.lone_psu in ("adjust", "average")
        return borrowing and any(stage.lone.any() for stage in self.stages)

    def variance(self, unit_totals: Array, present: Array | None = None) -> Array:
        """Variances of sums of influence values.

        Parameters
        ----------
        unit_totals
            Totals of the influence values by ultimate unit, shape (m, q).
        present
            Respondents of the domain by ultimate unit, shape (m, q): under the rules ``adjust``
            and ``average`` only strata in which the domain has respondents count, as in R survey.
            Where None, all strata count under ``adjust``, and those with a total other than 0
            under ``average``.

        Returns
        -------
        numpy.ndarray
            Shape (q,).
        """
        return self._recurse(
            unit_totals, lambda u, scale: (u * u * scale[:, None]).sum(axis=0), present
        )

    def covariance(self, unit_totals: Array, present: Array | None = None) -> Array:
        """Covariance matrix (q, q) of sums of influence values; see :meth:`variance`."""
        return self._recurse(unit_totals, lambda u, scale: (u * scale[:, None]).T @ u, present)

    def _by_stage(self, unit_totals: Array) -> list[Array]:
        """Totals by unit of each stage, the first stage's first."""
        totals = unit_totals
        found = [totals]
        for stage in self.stages[:0:-1]:
            above = stage.parent[stage.stratum]
            totals = sums_by(above, totals, self._units_above(stage))
            found.append(totals)
        return found[::-1]

    def _recurse(self, unit_totals: Array, quadratic: Any, present: Array | None) -> Array:
        """Add up the stages: each stratum's quadratic form times the fractions sampled above it."""
        stage_totals = self._by_stage(unit_totals)
        inside = stage_totals
        if self.borrows_for_lone:
            inside = self._by_stage(self._present(unit_totals) if present is None else present)
        result: Any = 0.0
        reached = np.ones(1)
        for stage, values, respondents in zip(self.stages, stage_totals, inside, strict=True):
            scale = _scale(stage, self.lone_psu) * reached[stage.parent]
            means = stage.grouped(values) / stage.sampled[:, None]
            if self.lone_psu == "adjust" and stage.lone.any():
                overall = _overall_means(stage, values, respondents, len(reached))
                means = np.where(stage.lone[:, None], overall, means)
            deviations = values - means[stage.stratum]
            if self.lone_psu == "average" and stage.lone.any():
                deviations *= _average_inflation(stage, respondents, len(reached))[stage.stratum]
            result = result + quadratic(deviations, scale[stage.stratum])
            reached = (reached[stage.parent] * stage.fraction)[stage.stratum]
        return np.asarray(result, dtype=float)

    def _present(self, unit_totals: Array) -> Array:
        """Units that count as having respondents where nobody says which have."""
        return np.ones_like(unit_totals) if self.lone_psu == "adjust" else np.abs(unit_totals)

    def _units_above(self, stage: Stage) -> int:
        place = next(k for k, other in enumerate(self.stages) if other is stage)
        return self.stages[place - 1].units

    def _check_lone(self) -> None:
        for number, stage in enumerate(self.stages, start=1):
            lone = stage.lone
            if not lone.any():
                continue
            if self.lone_psu in ("error", "collapse"):
                names = [self.strata[h] for h in np.flatnonzero(lone)] if number == 1 else []
                count = int(lone.sum())
                what = "has" if count == 1 else "have"
                whose = "its" if count == 1 else "their"
                strata = "stratum" if len(lone) == 1 else "strata"
                raise PipelineError(
                    f"{count} of {len(lone)} {strata} {what} a single sampled unit at stage "
                    f"{number}: {whose} variance cannot be estimated.",
                    place=f"strata {listed(names)}" if names else f"stage {number}",
                    found="1 unit a stratum",
                    allowed="2 or more units, or a rule for lone units",
                    remedy="Join the stratum with a similar one: weight.lone_psu: collapse, and "
                    f"weight.lone_psu_partners: {{{names[0] if names else '…'}: the similar one}}; "
                    "lone_psu: certainty is only for units that were enumerated completely.",
                )
            if self.lone_psu == "average":
                _check_average(stage)


def _check_labels(units: Sequence[Any], strata: Sequence[Any]) -> None:
    """Refuse respondents whose place in the design is missing."""
    for what, columns in (("unit", units), ("stratum", strata)):
        for stage, column in enumerate(columns, start=1):
            missing = None if column is None else missing_labels(column)
            if missing is not None:
                raise PipelineError(
                    "Respondents have no place in the sample design.",
                    place=f"{what} at stage {stage}",
                    found=f"{int(missing.sum())} of {len(missing)} labels missing",
                    allowed="a label for each respondent",
                    remedy="Take strata and units from the sampling frame.",
                )


def _check_stages(units: int, strata: int, corrections: int) -> None:
    """Refuse more stages than there can be, or strata and corrections of stages without units."""
    if units > MOST_STAGES or max(strata, corrections) > units:
        raise PipelineError(
            "A design has too many stages.",
            place="units, strata, population",
            found=f"{units} stages of units, {strata} of strata, {corrections} of corrections",
            allowed=f"up to {MOST_STAGES} stages of units, and no more of the others",
            remedy="Give the units of each stage, the first stage's first.",
        )


def check_lengths(what: str, columns: Sequence[Any], n: int) -> None:
    """Refuse columns that don't have one value a respondent.

    Parameters
    ----------
    what
        What the columns are.
    columns
        Columns; None for a stage without one.
    n
        Number of respondents.

    Raises
    ------
    PipelineError
        Naming the column by its stage.
    """
    for stage, column in enumerate(columns, start=1):
        if column is not None and np.shape(column) != (n,):
            raise PipelineError(
                "A column doesn't have one value a respondent.",
                place=what if len(columns) == 1 else f"{what} at stage {stage}",
                found=f"shape {np.shape(column)}",
                allowed=f"shape ({n},)",
            )


def _check_rule(rule: str) -> None:
    check_known(rule, LONE_PSU_RULES, "A rule for lone PSUs is unknown.", place="lone_psu")


def _check_average(stage: Stage) -> None:
    parents = np.bincount(stage.parent, minlength=1)
    lone = sums(stage.parent, stage.lone, len(parents))
    if ((parents > 0) & (lone == parents)).any():
        raise PipelineError(
            "Every stratum has a single sampled unit: there is nothing to average over.",
            place="lone_psu: average",
            allowed="at least one stratum with two units",
            remedy="Use lone_psu: collapse with partners.",
        )


def _scale(stage: Stage, rule: str) -> Array:
    """Multiplier of the squared deviations in each stratum, shape (H,)."""
    unsampled = 1 - stage.fraction
    factor = stage.sampled / np.maximum(stage.sampled - 1, 1)
    scale = np.where(unsampled < FULLY_ENUMERATED, 0.0, unsampled * factor)
    lone = stage.lone
    if rule in ("average", "certainty"):
        scale = np.where(lone, 0.0, scale)
    return np.asarray(scale, dtype=float)


def _overall_means(stage: Stage, values: Array, respondents: Array, parents: int) -> Array:
    """Give the mean of all units under the same unit of the stage above, by stratum, shape (H, q).

    Only strata in which the domain has respondents count; 0 for the others.
    """
    present = stage.grouped(respondents) > 0
    units = sums_by(stage.parent, stage.sampled[:, None] * present, parents)
    totals = sums_by(stage.parent[stage.stratum], values, parents)
    return np.where(present, (totals / np.maximum(units, 1))[stage.parent], 0.0)


def _average_inflation(stage: Stage, respondents: Array, parents: int) -> Array:
    """Give √(strata / strata with a variance) for each column, by stratum, shape (H, q).

    Only strata in which the domain has respondents count, so that it borrows nothing for lone
    strata outside it; NaN where it has respondents only in such strata.
    """
    present = stage.grouped(respondents) > 0
    all_strata = sums_by(stage.parent, present.astype(float), parents)
    good = sums_by(stage.parent, (present & ~stage.lone[:, None]).astype(float), parents)
    ratio = np.where(good > 0, all_strata / np.where(good > 0, good, 1.0), np.nan)
    return np.sqrt(np.where(all_strata > 0, ratio, 1.0))[stage.parent]


def check_weights(weights: Array, stratum: Codes, labels: Sequence[str]) -> None:
    """Refuse weights that are zero, negative or missing.

    Parameters
    ----------
    weights
        Shape (n,).
    stratum
        Stratum of each respondent, shape (n,).
    labels
        Names of the strata; a single one isn't named.

    Raises
    ------
    PipelineError
        Naming how many of each kind, by stratum.
    """
    bad = ~(np.isfinite(weights) & (weights > 0))
    if not bad.any():
        return
    kinds = {
        "missing": np.isnan(weights),
        "infinite": np.isinf(weights),
        "zero": weights == 0,
        "negative": (weights < 0) & np.isfinite(weights),
    }
    found = []
    for kind, mask in kinds.items():
        counts = np.bincount(stratum[mask], minlength=len(labels))
        found += [
            f"{counts[h]} {kind}" + (f" in stratum {labels[h]}" if len(labels) > 1 else "")
            for h in np.flatnonzero(counts).tolist()
        ]
    raise PipelineError(
        f"{int(bad.sum())} of {len(weights)} weights cannot be used.",
        place="weights",
        found=listed(found),
        allowed="numbers above 0",
        remedy="Correct the selection probabilities or the supplied weights.",
    )


def _columns(given: Any) -> list[Any]:
    if given is None:
        return []
    if hasattr(given, "columns"):
        return [np.asarray(given[name]) for name in given.columns]
    if isinstance(given, (list, tuple)) and len(given) and np.ndim(given[0]) == 1:
        return [None if column is None else np.asarray(column) for column in given]
    return [np.asarray(given)]


def _one_domain(domain: NDArray[np.bool_] | None, n: int) -> Codes:
    if domain is None:
        return np.zeros(n, dtype=np.intp)
    return np.where(domain, 0, -1).astype(np.intp)


def _compiled(
    parent_of_row: Codes,
    stratum: Codes,
    unit: Codes,
    correction: Any,
    n: int,
    *,
    stage_number: int,
) -> tuple[Stage, Codes, NDArray[np.intp]]:
    """Compile one stage; rows beyond n are units without respondents (first stage only)."""
    extra = len(stratum) - n
    parents = np.concatenate([parent_of_row, np.zeros(extra, dtype=np.intp)])
    by_parent = parents * (stratum.max(initial=0) + 1) + stratum
    strata, stratum_of_row = distinct(by_parent)
    width = unit.max(initial=0) + 1
    units, unit_of_row = distinct(stratum_of_row * width + unit)
    stratum_of_unit = (units // width).astype(np.intp)
    sampled = np.bincount(stratum_of_unit, minlength=len(strata)).astype(float)
    fraction = np.zeros(len(strata))
    if correction is not None:
        fraction = _fractions(np.asarray(correction, float), stratum_of_row[:n], sampled)
        if (fraction > 1 + FULLY_ENUMERATED).any():
            raise PipelineError(
                "A stratum has more sampled units than its population.",
                place=f"finite-population correction, stage {stage_number}",
                found=f"{int((fraction > 1).sum())} strata",
                allowed="population counts of at least the units sampled, or fractions up to 1",
                remedy="Give the number of units in the population of the stratum.",
            )
    parent = (strata // (stratum.max(initial=0) + 1)).astype(np.intp)
    pairs = np.column_stack([strata[stratum_of_unit] % (stratum.max(initial=0) + 1), units % width])
    stage = Stage(stratum_of_unit, sampled, np.minimum(fraction, 1.0), parent)
    return stage, unit_of_row[:n], pairs.astype(np.intp)


def _fractions(correction: Array, stratum: Codes, sampled: Array) -> Array:
    """Give each stratum's sampling fraction from population counts or fractions."""
    found = np.zeros(len(sampled))
    found[stratum] = correction
    if not np.array_equal(found[stratum], correction) or not (correction > 0).all():
        raise PipelineError(
            "A finite-population correction is not one positive number a stratum.",
            place="finite-population correction",
            found="differing, missing or non-positive values within a stratum",
            allowed="one population count, or one fraction in (0, 1], a stratum",
            remedy="Count the units of the population by the strata of the design.",
        )
    return found if (correction <= 1).all() else sampled / found
