"""Complementary suppression, proved: what an attacker can derive of each suppressed cell.

An additive system is a set of cells with equations between them (the regions of an island group add
up to it). The attacker knows every equation, the released cells up to their rounding, and that no
cell is below 0. What can be derived of a suppressed cell is the interval between the least and the
greatest value that agree with all of this: two linear programmes a cell (Fischetti & Salazar 2001,
*Management Science* 47:1008; Hundepool et al., *Handbook on Statistical Disclosure Control*, 4.3).
Several systems over the same cells (weighted reports, numbers of respondents who report) share one
pattern of suppression, and each is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_TOLERANCE = 1e-6
# Above this number of cells a single further cell is not looked for by trying each.
_FEW = 60


@dataclass(frozen=True)
class System:
    """An additive system, as an attacker knows it.

    Parameters
    ----------
    name
        What is added up, for messages.
    values
        True values, shape (n,); at least 0.
    lower, upper
        What the released figure says of each cell, shape (n,); both are the value itself where
        the attacker is taken to know it.
    equations
        Shape (m, n); the attacker knows ``equations @ values``.
    protection
        Least width of what may be derived of each cell if it is suppressed, shape (n,).
    most
        What is known of a suppressed cell besides: it is no greater, shape (n,).
    least
        And no smaller, shape (n,); 0 if not given.
    counts
        Whether the values are numbers of respondents.
    """

    name: str
    values: Array
    lower: Array
    upper: Array
    equations: Array
    protection: Array
    most: Array
    least: Array = field(default_factory=lambda: np.zeros(0))
    counts: bool = False

    def __post_init__(self) -> None:
        """Nothing is known below but that no cell is negative, unless something is given."""
        if not len(self.least):
            object.__setattr__(self, "least", np.zeros(len(self.values)))


@dataclass
class _Prover:
    """Solves the linear programmes of a system and keeps the points that it has found.

    A point that agrees with everything known is a witness for all cells at once: most cells are
    proved without a programme of their own. Points stay valid as more cells are suppressed.
    """

    system: System
    suppressed: Mask
    points: list[Array] = field(default_factory=list)
    matrix: Any = None
    known: Any = None
    parts: NDArray[np.intp] | None = None
    found: dict[int, tuple[NDArray[np.intp], Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scale = max(float(np.max(self.system.protection, initial=0.0)), 1e-12)
        if self.matrix is None:
            from scipy.sparse import csr_array

            self.matrix = csr_array(self.system.equations)
            self.known = abs(self.matrix).tocsc()
        if not self.points:
            self.points.append(self.system.values)

    def copy(self) -> _Prover:
        """Give a prover of the same system for a trial; what it finds stays its own."""
        return _Prover(
            self.system, self.suppressed.copy(), list(self.points), self.matrix, self.known
        )

    def suppress(self, cells: Sequence[int]) -> None:
        self.suppressed[list(cells)] = True
        self.parts = None

    def release(self, cell: int) -> None:
        """Release a cell again; points at which it is not what was released fall away."""
        self.suppressed[cell] = False
        self.parts = None
        low, high = self.bounds()
        margin = _TOLERANCE * self.scale
        self.points = [
            p for p in self.points if low[cell] - margin <= p[cell] <= high[cell] + margin
        ]

    def bounds(self) -> tuple[Array, Array]:
        low = np.where(self.suppressed, self.system.least, self.system.lower)
        high = np.where(self.suppressed, self.system.most, self.system.upper)
        return low, high

    def linked(self, cell: int) -> tuple[NDArray[np.intp], Any]:
        """Give the unknown cells that equations link with a cell, and these equations.

        What is derived of a cell depends on no others: those that are known are moved to the right.
        """
        from scipy.sparse.csgraph import connected_components

        if self.parts is None:
            low, high = self.bounds()
            unknown = np.flatnonzero(high > low)
            inner = self.known[:, unknown]
            self.parts = np.full(len(low), -1)
            self.parts[unknown] = connected_components(inner.T @ inner, directed=False)[1]
            self.found = {}
        part = int(self.parts[cell])
        if part not in self.found or part < 0:
            cells = np.flatnonzero(self.parts == part) if part >= 0 else np.array([cell])
            inner = self.matrix[:, cells]
            self.found[part] = cells, inner[np.flatnonzero(np.diff(inner.indptr))].tocsc()
        return self.found[part]

    def extreme(self, cell: int, sign: int) -> float:
        """Least (sign 1) or greatest (sign -1) value of a cell that agrees with what is known."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        low, high = self.bounds()
        cells, inner = self.linked(cell)
        values = self.system.values[cells] / self.scale
        # Without whole variables this is HiGHS's linear programme, at half of linprog's overhead.
        result = milp(
            np.where(cells == cell, sign, 0),
            bounds=Bounds(low[cells] / self.scale, high[cells] / self.scale),
            constraints=LinearConstraint(inner, inner @ values, inner @ values)
            if inner.shape[0]
            else None,
        )
        if result.status != 0:  # the true values agree: anything but a solution is a fault
            raise PipelineError(
                "The proof of complementary suppression could not be computed.",
                place=self.system.name,
                found=f"linear programme: {str(result.message).splitlines()[0]}",
                remedy="Check that released values lie within their rounding intervals.",
            )
        point = self.system.values.copy()
        point[cells] = result.x * self.scale
        self.points.append(point)
        return float(point[cell])

    def proved(self, cell: int) -> bool:
        """Whether what can be derived of a cell is at least as wide as its protection."""
        need = float(self.system.protection[cell]) * (1 - _TOLERANCE)
        if self._witnessed(cell) >= need:
            return True
        if self._enclosed(cell) < need:
            return False
        highest = self.extreme(cell, -1)
        if self._witnessed(cell) >= need:
            return True
        return highest - self.extreme(cell, 1) >= need

    def _witnessed(self, cell: int) -> float:
        seen = [point[cell] for point in self.points]
        return float(max(seen) - min(seen))

    def _enclosed(self, cell: int) -> float:
        """Bound the width of what can be derived of a cell from above, without a programme.

        Each equation of the cell alone says how far it can move: no further than the other cells
        of that equation together. A cell that this leaves too little room isn't protected.
        """
        low, high = self.bounds()
        width = high - low
        known = self.known
        own = slice(*known.indptr[cell : cell + 2])
        room = (known @ width)[known.indices[own]] / known.data[own] - width[cell]
        return float(min(width[cell], np.min(room, initial=np.inf)))


def derivable(system: System, suppressed: Mask, cells: Sequence[int]) -> tuple[Array, Array]:
    """Derive the interval of each cell from everything that is released.

    Parameters
    ----------
    system
        The additive system.
    suppressed
        Which cells are suppressed, shape (n,).
    cells
        The cells to derive, q of them.

    Returns
    -------
    lower, upper : numpy.ndarray
        Shape (q,).
    """
    prover = _Prover(system, suppressed.copy())
    lower = np.array([prover.extreme(cell, 1) for cell in cells], float)
    upper = np.array([prover.extreme(cell, -1) for cell in cells], float)
    return lower, upper


def unproved(systems: Sequence[System], suppressed: Mask) -> list[tuple[str, int]]:
    """Suppressed cells of which too narrow an interval can be derived, with the system's name."""
    found = []
    for system in systems:
        prover = _Prover(system, suppressed.copy())
        cells = np.flatnonzero(suppressed & (system.protection > 0))
        found += [(system.name, int(cell)) for cell in cells if not prover.proved(int(cell))]
    return found


def protect(
    systems: Sequence[System], suppressed: Mask, loss: Array, fixed: Mask
) -> tuple[Mask, list[int]]:
    """Suppress further cells until no suppressed cell can be derived too narrowly.

    For each cell that is not yet protected the single cell of least loss that protects it is
    taken; where none does, the least costly set that a linear programme finds (deviations of the
    cells weighed by their loss). In the end every further cell that turned out to be unnecessary
    is released again, the most valuable first. Deterministic: ties are broken by position.

    Parameters
    ----------
    systems
        Additive systems over the same n cells.
    suppressed
        Cells that fail on their own, shape (n,).
    loss
        Information lost with each cell, shape (n,); above 0.
    fixed
        Cells that are never suppressed for another one's sake, shape (n,).

    Returns
    -------
    suppressed : numpy.ndarray
        All suppressed cells, shape (n,).
    unprotected : list of int
        Cells that no further suppression protects, since only fixed cells are left.
    """
    provers = [_Prover(system, suppressed.copy()) for system in systems]
    hopeless: set[int] = set()
    while (found := _first_unproved(provers, hopeless)) is not None:
        prover, cell = found
        further = _single(prover, cell, loss, fixed) or _cheapest(prover, cell, loss, fixed)
        if not further:
            hopeless.add(cell)
            continue
        for each in provers:
            each.suppress(further)
    if not hopeless:
        _tidy(provers, suppressed, loss)
    return provers[0].suppressed.copy() if provers else suppressed.copy(), sorted(hopeless)


def _first_unproved(
    provers: Sequence[_Prover], hopeless: set[int], near: int | None = None
) -> tuple[_Prover, int] | None:
    """Find a cell that isn't proved; those that share an equation with `near` are tried first."""
    for prover in provers:
        cells = np.flatnonzero(prover.suppressed)
        if near is not None:
            shared = prover.known.T @ prover.known[:, [near]].toarray().ravel()
            cells = cells[np.argsort(shared[cells] == 0, kind="stable")]
        for cell in cells:
            if int(cell) not in hopeless and not prover.proved(int(cell)):
                return prover, int(cell)
    return None


def _single(prover: _Prover, cell: int, loss: Array, fixed: Mask) -> list[int]:
    candidates = np.flatnonzero(~prover.suppressed & ~fixed)
    if len(candidates) > _FEW:
        return []
    cells = prover.linked(cell)[0]
    inside = np.isin(np.arange(len(loss)), cells)
    beside = prover.known.T @ (prover.known @ inside.astype(float)) > 0
    for candidate in candidates[np.argsort(loss[candidates], kind="stable")]:
        if not beside[candidate]:  # what isn't linked with the cell can't help it
            continue
        trial = prover.copy()
        trial.suppress([int(candidate)])
        if trial.proved(cell):
            return [int(candidate)]
    return []


def _cheapest(prover: _Prover, cell: int, loss: Array, fixed: Mask) -> list[int]:
    """Find cells whose deviations let the cell vary by its protection, at the least loss.

    Sought is a table that agrees with what is known, if some further cells were suppressed, and in
    which the cell has risen by its protection; where there is none, two tables between which it
    differs by as much, one above and one below the true one.
    """
    for tables in (1, 2):
        deviations = _deviations(prover, cell, loss, fixed, tables)
        if deviations is not None:
            free = ~prover.suppressed & ~fixed
            return [int(found) for found in np.flatnonzero((deviations > _TOLERANCE) & free)]
    return []


def _deviations(prover: _Prover, cell: int, loss: Array, fixed: Mask, tables: int) -> Array | None:
    """Find how far each cell deviates in one table, or in two; None if that can't be had."""
    from scipy.optimize import linprog
    from scipy.sparse import block_diag, csr_array, hstack

    n, scale = len(loss), prover.scale
    need = float(prover.system.protection[cell]) / scale
    low, high = (bound / scale for bound in prover.bounds())
    values = prover.system.values / scale
    free = ~prover.suppressed & ~fixed
    most, least = prover.system.most / scale, prover.system.least / scale
    rise = np.maximum(np.where(free, most, high) - values, 0.0)
    fall = np.maximum(values - np.where(free, least, low), 0.0)
    if rise[cell] + (tables - 1) * fall[cell] < need:
        return None
    table = hstack([prover.matrix, -prover.matrix])
    # The first table less the true one, or less the second: risen and fallen cells of each.
    signs = np.array([-1.0, 1.0, 1.0, -1.0][: 2 * tables])
    apart = csr_array((signs, (np.zeros(len(signs), int), cell + n * np.arange(len(signs)))))
    apart.resize((1, len(signs) * n))
    result = linprog(
        np.tile(np.where(free, loss / loss.max(), 0.0), len(signs)),
        A_ub=apart,
        b_ub=[-need],
        A_eq=block_diag([table] * tables, format="csr") if table.shape[0] else None,
        b_eq=np.zeros(tables * table.shape[0]) if table.shape[0] else None,
        bounds=np.column_stack(
            [np.zeros(len(signs) * n), np.tile(np.concatenate([rise, fall]), tables)]
        ),
        method="highs",
    )
    return result.x.reshape(len(signs), n).max(axis=0) if result.status == 0 else None


def _tidy(provers: Sequence[_Prover], first: Mask, loss: Array) -> None:
    """Release again what is not needed, the most valuable first."""
    further = np.flatnonzero(provers[0].suppressed & ~first)
    for cell in further[np.argsort(-loss[further], kind="stable")]:
        trials = [p.copy() for p in provers]
        for trial in trials:
            trial.release(int(cell))
        if _first_unproved(trials, set(), near=int(cell)) is None:
            for prover, trial in zip(provers, trials, strict=True):
                prover.suppressed, prover.points = trial.suppressed, trial.points


def nested_equations(
    keys: Sequence[tuple[str, str]], parents: Sequence[tuple[int, Sequence[int]]]
) -> Array:
    """Write each parent less its parts as a row of an equation matrix.

    Parameters
    ----------
    keys
        The n cells.
    parents
        Position of each parent and the positions of its parts.

    Returns
    -------
    numpy.ndarray
        Shape (m, n).
    """
    matrix: Array = np.zeros((len(parents), len(keys)))
    for row, (parent, parts) in enumerate(parents):
        matrix[row, parent] = 1.0
        matrix[row, list(parts)] = -1.0
    return matrix


def describe(systems: Sequence[System], suppressed: Mask) -> dict[str, Any]:
    """Count the suppressed cells, the equations and the narrowest proof; no values.

    Parameters
    ----------
    systems
        The systems.
    suppressed
        Which cells are suppressed, shape (n,).

    Returns
    -------
    dict
        `cells`, `suppressed`, and `margin`: the least width over its protection, over all systems.
    """
    margin = np.inf
    for system in systems:
        cells = np.flatnonzero(suppressed & (system.protection > 0))
        if len(cells):
            lower, upper = derivable(system, suppressed, cells.tolist())
            margin = min(margin, float(np.min((upper - lower) / system.protection[cells])))
    return {"cells": len(suppressed), "suppressed": int(suppressed.sum()), "margin": margin}
