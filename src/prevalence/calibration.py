"""Calibration of weights to known population totals.

Calibrated weights are ``w_i F(x_i'λ)``, with λ such that the calibrated totals of the auxiliary
variables `x` equal their population totals. Respondents who share the same `x` share the same
factor, so that everything is solved on *cells* of equal `x`: the cost of an iteration depends on
the number of cells, not on the number of respondents.

Source: Deville & Särndal 1992, *JASA* 87:376.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.design import SampleDesign, check_lengths, check_weights
from prevalence.errors import PipelineError, check_known, listed, suggestion

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

METHODS = ("poststratification", "raking", "linear", "exponential", "logit")
RESIDUALS = ("weighted", "rake")
ALTERNATIONS = 10  # of R survey's rake, over the margins
SMALLEST_STEP = 1e-4  # a Newton step is halved until it helps, down to this share of it


@dataclass(frozen=True)
class Distance:
    """How a calibration factor depends on ``u = x'λ``: ``F(0) = F'(0) = 1``.

    Parameters
    ----------
    method
        ``linear``: ``1 + u``, cut at the bounds if there are any; ``exponential`` (raking):
        ``exp(u)``; ``logit``: between the bounds.
    lower, upper
        Bounds of the factor; infinite where there are none.
    """

    method: str
    lower: float = -np.inf
    upper: float = np.inf

    def factor(self, u: Array) -> Array:
        """Calibration factor ``F(u)``, same shape as u."""
        if self.method == "linear":
            return np.clip(1 + u, self.lower, self.upper)
        if self.method == "exponential":
            return np.exp(np.minimum(u, 700.0))
        return self._logit(u)[0]

    def slope(self, u: Array) -> Array:
        """Give the derivative ``F'(u)``, same shape as u."""
        if self.method == "linear":
            return ((1 + u > self.lower) & (1 + u < self.upper)).astype(float)
        if self.method == "exponential":
            return np.exp(np.minimum(u, 700.0))
        return self._logit(u)[1]

    def _logit(self, u: Array) -> tuple[Array, Array]:
        low, high = self.lower, self.upper
        steep = (high - low) / ((1 - low) * (high - 1))
        # Written with e^{-|Au|} so that neither tail overflows.
        small = np.exp(-np.abs(steep * u))
        plus = u > 0
        top = np.where(plus, 1.0, small)
        rest = np.where(plus, small, 1.0)
        below = (high - 1) * rest + (1 - low) * top
        value = (low * (high - 1) * rest + high * (1 - low) * top) / below
        slope = steep * (high - low) * (high - 1) * (1 - low) * top * rest / below**2
        return value, slope


@dataclass(frozen=True, eq=False)
class Auxiliary:
    """Auxiliary variables, by cells of respondents who share them.

    Parameters
    ----------
    x
        Values by cell, shape (K, p).
    cell
        Cell of each respondent, shape (n,).
    names
        What each variable is: ``"margin: category"`` or a variable's name, p of them.
    margins
        For categorical margins: the columns of each margin, by name; empty otherwise.
    """

    x: Array
    cell: Codes
    names: tuple[str, ...]
    margins: Mapping[str, slice]

    @classmethod
    def from_margins(cls, margins: Mapping[str, ArrayLike]) -> Auxiliary:
        """Make indicator variables from categorical margins.

        Parameters
        ----------
        margins
            Category of each respondent, by margin: labels of shape (n,).
        """
        from prevalence.coding import distinct, encoded

        coded = {name: encoded(labels) for name, labels in margins.items()}
        joint = np.zeros(len(next(iter(coded.values()))[0]), dtype=np.intp)
        for codes, labels in coded.values():
            # Compressing after each margin keeps the joint code from overflowing.
            joint = distinct(joint * len(labels) + codes)[1]
        count = int(joint.max(initial=-1)) + 1
        first = np.zeros(count, dtype=np.intp)
        first[joint] = np.arange(len(joint))
        blocks, names, places, start = [], [], {}, 0
        for margin, (codes, labels) in coded.items():
            blocks.append(np.eye(len(labels))[codes[first]])
            names += [f"{margin}: {label}" for label in labels]
            places[margin] = slice(start, start + len(labels))
            start += len(labels)
        return cls(np.hstack(blocks), joint, tuple(names), places)

    @classmethod
    def from_values(cls, values: ArrayLike, names: Sequence[str]) -> Auxiliary:
        """Take numeric variables as they are, a cell a respondent.

        Parameters
        ----------
        values
            Shape (n, p).
        names
            The p names.
        """
        x = np.asarray(values, dtype=float)
        if x.shape[1] != len(names) or not np.isfinite(x).all():
            raise PipelineError(
                "Auxiliary variables are incomplete.",
                found=f"{x.shape[1]} columns, {int((~np.isfinite(x)).sum())} missing values",
                allowed=f"{len(names)} columns without missing values",
                remedy="Impute the auxiliary variables, or leave them out of the calibration.",
            )
        return cls(x, np.arange(len(x), dtype=np.intp), tuple(names), {})

    def shared_within(self, clusters: ArrayLike, weights: ArrayLike) -> Auxiliary:
        """Give all members of a household one factor: integrated calibration.

        Each member gets the household's weighted mean of the auxiliary variables, which leaves the
        totals as they are (Lemaître & Dufour 1987, *Survey Methodology* 13:199).

        Parameters
        ----------
        clusters
            Household (or PSU) of each respondent, shape (n,).
        weights
            Weights before calibration, shape (n,).

        Returns
        -------
        Auxiliary
            With households as cells; for methods linear, exponential and logit.
        """
        from prevalence.coding import encoded, sums, sums_by

        codes, labels = encoded(clusters)
        w = np.asarray(weights, dtype=float)
        weight = sums(codes, w, len(labels))
        x = sums_by(codes, self.x[self.cell] * w[:, None], len(labels)) / weight[:, None]
        return Auxiliary(x, codes, self.names, {})

    @property
    def count(self) -> int:
        """Number of cells K."""
        return len(self.x)

    def by_cell(self, values: Array) -> Array:
        """Sum a column of the respondents (n,) by cell, shape (K,)."""
        from prevalence.coding import sums

        return sums(self.cell, values, self.count)


@dataclass(frozen=True, eq=False)
class Calibration:
    """The outcome of a calibration.

    Parameters
    ----------
    auxiliary
        The auxiliary variables.
    initial, calibrated
        Weights before and after, shape (n,).
    factors
        Calibration factor of each cell, shape (K,).
    coefficients
        λ, shape (p,); for raking, logarithms of the factors of each category.
    distance
        The distance function; `raking` and `poststratification` are exponential.
    iterations
        How many were needed.
    residual_weights
        Weights of the regression whose residuals give the variance, shape (n,).
    residuals
        How the residuals are taken: see :func:`calibrate`.
    earlier
        The calibration that made the initial weights, if one did.
    """

    auxiliary: Auxiliary
    initial: Array
    calibrated: Array
    factors: Array
    coefficients: Array
    distance: Distance
    iterations: int
    residual_weights: Array
    residuals: str = "weighted"
    earlier: Calibration | None = None

    @cached_property
    def _regression(self) -> tuple[Array, Array]:
        """Orthonormal basis of √w·x by cell (K, r), and √w by cell (K,)."""
        root = np.sqrt(self.auxiliary.by_cell(self.residual_weights))
        x = self.auxiliary.x * root[:, None]
        # Scaled columns: incomes beside indicators would otherwise decide what counts as rank.
        size = np.sqrt((x * x).sum(axis=0))
        left, singular, _ = np.linalg.svd(x / np.where(size > 0, size, 1.0), full_matrices=False)
        rank = int((singular > singular[0] * 1e-11).sum())
        return left[:, :rank], root

    def fitted_unit_totals(self, design: SampleDesign, scores: Array) -> Array:
        """Totals by ultimate unit of what the auxiliary variables explain of the scores.

        Parameters
        ----------
        design
            The design, with the calibrated weights.
        scores
            Calibrated weight times influence value, shape (n, q).

        Returns
        -------
        numpy.ndarray
            Shape (m, q): sums of ``w_i g_i x_i'β``, β from the regression of the influence
            values on x with weights `residual_weights`; with an earlier calibration, what both
            explain.
        """
        explained = 0.0 if self.earlier is None else self.earlier._fitted(scores)
        return design.unit_totals(explained + self._fitted(scores - explained))

    def _fitted(self, scores: Array) -> Array:
        """Give what the auxiliary variables explain of weighted scores, shape (n, q)."""
        fitted = self._alternated(scores) if self.residuals == "rake" else self._regressed(scores)
        return fitted[self.auxiliary.cell] * self.calibrated[:, None]

    def _regressed(self, scores: Array) -> Array:
        """Fitted influence values by cell, from a weighted regression, shape (K, q)."""
        share = (self.residual_weights / self.calibrated)[:, None]
        basis, root = self._regression
        explained = self._cell_sums(scores * share)
        safe = np.where(root > 0, root, 1.0)[:, None]
        return np.asarray(basis @ (basis.T @ (explained / safe)) / safe)

    def _alternated(self, scores: Array) -> Array:
        """Fitted influence values by cell, from plain means margin by margin, shape (K, q)."""
        rest = self._cell_sums(scores / self.calibrated[:, None])
        n = self.auxiliary.by_cell(np.ones_like(self.calibrated))[:, None]
        fitted = np.zeros_like(rest)
        for _ in range(ALTERNATIONS):
            for place in self.auxiliary.margins.values():
                x = self.auxiliary.x[:, place]
                step = x @ ((x.T @ rest) / np.maximum(x.T @ n, 1.0))
                fitted += step
                rest -= n * step
        return fitted

    def _cell_sums(self, values: Array) -> Array:
        from prevalence.coding import sums_by

        return sums_by(self.auxiliary.cell, values, self.auxiliary.count)


def calibrate(
    weights: ArrayLike,
    auxiliary: Auxiliary,
    totals: Mapping[str, float],
    *,
    method: str = "raking",
    bounds: tuple[float, float] | None = None,
    tolerance: float = 1e-10,
    maximum_iterations: int = 200,
    residuals: str = "weighted",
) -> Calibration:
    """Calibrate weights to population totals.

    Parameters
    ----------
    weights
        Weights before calibration, shape (n,).
    auxiliary
        Auxiliary variables.
    totals
        Population total of each variable, by its name.
    method
        ``poststratification`` (one margin, closed form), ``raking`` (margins), ``linear`` (GREG),
        ``exponential``, ``logit``.
    bounds
        Bounds of the calibration factor; required by ``logit``, possible for ``linear``.
    tolerance
        Largest difference between a calibrated and a population total, relative to the largest
        population total.
    maximum_iterations
        Newton or raking iterations.
    residuals
        How the variance's residuals are taken: ``weighted``: from the regression with the weights
        before calibration (Deville & Särndal 1992), as R survey's ``calibrate`` and
        ``postStratify`` have it; ``rake``: by ten alternations of plain means over the margins, as
        its ``rake`` has it, which neglects the weights.

    Returns
    -------
    Calibration

    Raises
    ------
    PipelineError
        If weights are zero, negative or missing, a margin cannot be met (margin and category are
        named) or the iterations don't converge (how far off, and in which category).
    """
    w = np.asarray(weights, dtype=float)
    check_lengths("weights", [w], len(auxiliary.cell))
    check_weights(w, np.zeros(len(w), dtype=np.intp), ("",))
    distance = calibration_distance(method, bounds)
    _check_residuals(residuals, auxiliary)
    target = _targets(auxiliary, totals)
    by_cell = auxiliary.by_cell(w)
    check_margins(auxiliary, by_cell, target, tolerance=max(tolerance, 1e-9))
    if method in ("raking", "poststratification"):
        if not auxiliary.margins or (method == "poststratification" and len(auxiliary.margins) > 1):
            raise PipelineError(
                f"{method.capitalize()} needs categorical margins"
                + (", exactly one." if method == "poststratification" else "."),
                place="weight.calibration",
                found=listed(auxiliary.margins),
                remedy="Use method: linear or exponential for numeric variables.",
            )
        memberships = [auxiliary.x[:, place].T for place in auxiliary.margins.values()]
        goals = [target[place][:, None] for place in auxiliary.margins.values()]
        factors, logs, iterations = rake(
            by_cell[:, None],
            memberships,
            goals,
            tolerance=tolerance,
            maximum_iterations=maximum_iterations,
        )
        cells, coefficients = factors[:, 0], np.log(np.concatenate(logs)[:, 0])
    else:
        coefficients, iterations = solve_newton(
            by_cell,
            auxiliary.x,
            target,
            distance,
            tolerance=tolerance,
            maximum_iterations=maximum_iterations,
        )
        cells = distance.factor(auxiliary.x @ coefficients)
    _check_convergence(auxiliary, by_cell * cells, target, tolerance, iterations)
    return Calibration(
        auxiliary,
        w,
        w * cells[auxiliary.cell],
        cells,
        coefficients,
        distance,
        iterations,
        w,
        residuals,
    )


def calibration_distance(method: str, bounds: tuple[float, float] | None) -> Distance:
    """Give the distance function of a calibration method.

    Parameters
    ----------
    method
        One of `METHODS`.
    bounds
        Bounds of the factor, for linear and logit calibration.

    Raises
    ------
    PipelineError
        If the method is unknown, or it and its bounds don't fit.
    """
    check_known(
        method, METHODS, "A calibration method is unknown.", place="weight.calibration.method"
    )
    if bounds is not None and not bounds[0] < 1 < bounds[1]:
        raise PipelineError(
            "Bounds of the calibration factor don't contain 1.",
            place="weight.calibration.bounds",
            found=f"{bounds[0]} to {bounds[1]}",
            allowed="a lower bound below 1 and an upper bound above 1",
            remedy="For instance bounds: [0.5, 2.5].",
        )
    if method == "logit" and bounds is None:
        raise PipelineError(
            "Logit calibration has no bounds.",
            place="weight.calibration.bounds",
            found="nothing",
            allowed="a lower bound below 1 and an upper bound above 1",
            remedy="For instance bounds: [0.5, 2.5].",
        )
    if method in ("raking", "exponential", "poststratification"):
        if bounds is not None:
            raise PipelineError(
                f"Method {method} has no bounds.",
                place="weight.calibration.bounds",
                found=f"{bounds[0]} to {bounds[1]}",
                allowed="nothing (null)",
                remedy="Use method: logit, or linear, with bounds.",
            )
        return Distance("exponential")
    low, high = (-np.inf, np.inf) if bounds is None else bounds
    return Distance(method, float(low), float(high))


def _check_residuals(residuals: str, auxiliary: Auxiliary) -> None:
    if residuals not in RESIDUALS or (residuals == "rake" and not auxiliary.margins):
        raise PipelineError(
            "Residuals cannot be taken so.",
            place="residuals",
            found=residuals,
            allowed=f"{listed(RESIDUALS)}; rake needs categorical margins",
            remedy=suggestion(residuals, RESIDUALS),
        )


def _targets(auxiliary: Auxiliary, totals: Mapping[str, float]) -> Array:
    absent = [name for name in auxiliary.names if name not in totals]
    unused = [name for name in totals if name not in auxiliary.names]
    if absent or unused:
        raise PipelineError(
            "Respondents and population totals don't have the same categories.",
            place="weight.calibration",
            found=f"respondents without a population total: {listed(absent)}; "
            f"totals without respondents: {listed(unused)}",
            allowed="one population total for each category that respondents have",
            remedy="Correct the census table, name a partner to merge with under "
            "weight.calibration.partners, or declare the category under structural_zeros.",
        )
    unknown = [name for name in auxiliary.names if not np.isfinite(float(totals[name]))]
    if unknown:
        raise PipelineError(
            "Population totals are missing.",
            place=f"weight.calibration, {listed(unknown)}",
            found=f"{len(unknown)} totals without a value",
            remedy="Complete the census table.",
        )
    return np.array([float(totals[name]) for name in auxiliary.names])


def check_margins(
    auxiliary: Auxiliary, by_cell: Array, target: Array, tolerance: float = 1e-9
) -> None:
    """Refuse margins that no weights can meet.

    Parameters
    ----------
    auxiliary
        Auxiliary variables.
    by_cell
        Sum of the weights in each cell, shape (K,).
    target
        Population totals, shape (p,).
    tolerance
        How far the margins' sums may differ, relative.

    Raises
    ------
    PipelineError
        Naming margin and category.
    """
    if not auxiliary.margins:
        return
    reached = by_cell @ auxiliary.x
    empty = [
        name
        for name, have, want in zip(auxiliary.names, reached, target, strict=True)
        if (have == 0) != (want == 0) or want < 0
    ]
    if empty:
        raise PipelineError(
            "A margin cannot be met: a category has a population and no weight, or the reverse.",
            place=f"weight.calibration, margin {listed(empty)}",
            found=listed(
                f"{name} has weight {have:.6g} for a population of {want:.6g}"
                for name, have, want in zip(auxiliary.names, reached, target, strict=True)
                if name in empty
            ),
            allowed="respondents in each category with a population, and only there",
            remedy="Name a partner to merge the category with, or correct the census table.",
        )
    sums = {name: float(target[place].sum()) for name, place in auxiliary.margins.items()}
    most, least = max(sums.values()), min(sums.values())
    if most - least > tolerance * most:
        raise PipelineError(
            "Margins have different population totals; no weights meet both.",
            place=f"weight.calibration, margins {listed(sums)}",
            found=listed(f"{name} sums to {total:,.0f}" for name, total in sums.items()),
            allowed="the same population in every margin",
            remedy="Take all margins from one population: same year, same ages, same coverage.",
        )


def rake(
    weights: Array,
    memberships: Sequence[Array],
    targets: Sequence[Array],
    *,
    tolerance: float,
    maximum_iterations: int,
) -> tuple[Array, list[Array], int]:
    """Rake sums of weights of cells to margins, for several sets of weights at once.

    Parameters
    ----------
    weights
        Sum of the weights of each cell in each set (replicate), shape (K, B).
    memberships
        Whether a category contains a cell, for each margin: shape (categories, K).
    targets
        Population totals for each margin: shape (categories, B). Categories with target 0 are left
        alone.
    tolerance
        Largest difference between a total and its target, relative to the largest target.
    maximum_iterations
        Iterations over all margins.

    Returns
    -------
    factors : numpy.ndarray
        Factor of each cell, shape (K, B).
    category_factors : list of numpy.ndarray
        Factor of each category for each margin, shape (categories, B); their product is the
        factor of a cell.
    iterations : int
        How many were needed for all sets.
    """
    current = weights.copy()
    cells = [membership.argmax(axis=0) for membership in memberships]
    of_categories = [np.ones(goal.shape) for goal in targets]
    steps = list(zip(memberships, cells, targets, strict=True))
    largest = max(float(goal.max(initial=0.0)) for goal in targets)
    iterations = 0
    while iterations < maximum_iterations:
        iterations += 1
        off = 0.0
        for k, (membership, cell, goal) in enumerate(steps):
            have = membership @ current
            off = max(off, float(np.abs(np.where(goal > 0, have - goal, 0.0)).max(initial=0.0)))
            ratio = np.where((goal > 0) & (have > 0), goal / np.where(have > 0, have, 1.0), 1.0)
            current *= ratio[cell]
            of_categories[k] *= ratio
        if off <= tolerance * largest:
            break
    whole = np.ones_like(weights)
    for cell, factors in zip(cells, of_categories, strict=True):
        whole *= factors[cell]
    return whole, of_categories, iterations


def solve_newton(
    weights: Array,
    x: Array,
    target: Array,
    distance: Distance,
    *,
    tolerance: float,
    maximum_iterations: int,
) -> tuple[Array, int]:
    """Solve ``Σ w F(x'λ) x = target`` by Newton steps, halved where they overshoot."""
    size = np.sqrt(np.maximum((weights[:, None] * x * x).sum(axis=0), np.finfo(float).tiny))
    z, goal = x / size, target / size
    scale = np.abs(target).max() / size  # tolerance is relative to the largest total
    coefficients = np.zeros(x.shape[1])

    def gap(candidate: Array) -> Array:
        return np.asarray(goal - (weights * distance.factor(z @ candidate)) @ z)

    short = gap(coefficients)
    iterations = 0
    while iterations < maximum_iterations:
        iterations += 1
        slope = weights * distance.slope(z @ coefficients)
        gram = (z * slope[:, None]).T @ z
        step = np.linalg.lstsq(gram, short, rcond=1e-12)[0]
        length = 1.0
        while True:
            candidate = coefficients + length * step
            after = gap(candidate)
            if np.linalg.norm(after) < np.linalg.norm(short) or length < SMALLEST_STEP:
                break
            length /= 2
        improved = np.linalg.norm(after) < np.linalg.norm(short)
        if improved:
            coefficients, short = candidate, after
        # One more step than needed costs little and gives the last digits.
        if not improved or np.abs(short / scale).max() <= tolerance * 1e-3:
            break
    return coefficients / size, iterations


def _check_convergence(
    auxiliary: Auxiliary, by_cell: Array, target: Array, tolerance: float, iterations: int
) -> None:
    reached = by_cell @ auxiliary.x
    off = np.abs(reached - target)
    largest = np.abs(target).max()
    if off.max() <= tolerance * largest:
        return
    worst = int(off.argmax())
    raise PipelineError(
        f"Calibration didn't converge in {iterations} iterations: the margins cannot be met "
        "together.",
        place=f"weight.calibration, margin {auxiliary.names[worst]}",
        found=f"total {reached[worst]:.8g} for a population of {target[worst]:.8g}; "
        f"{int((off > tolerance * largest).sum())} of {len(off)} totals are off",
        allowed=f"a difference of at most {tolerance * largest:.3g}",
        remedy="Merge small categories with a partner, widen the bounds, or take a margin out.",
    )
