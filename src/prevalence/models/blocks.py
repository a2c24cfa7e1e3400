"""A linear map that whitens several effects of each respondent at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prevalence.models.compiled import compiled
from prevalence.models.layout import Density, Layout
from prevalence.models.preconditioning import STEP

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Narrow = NDArray[np.float32]

# The centre is rough: a direction in which the density looks flat or hollow is no wider than this.
LEAST_CURVATURE = 1.0
INFORMATIVE = 8.0  # curvature of the marginal posterior: a standard deviation of 0.35


@compiled
def _spread(roots: Narrow, z: Array, out: Array) -> None:
    """Multiply each respondent's upper triangular root by its vector, shapes (n, d, d), (n, d)."""
    n, d = z.shape
    for i in range(n):
        for r in range(d):
            total = 0.0
            for c in range(r, d):
                total += roots[i, r, c] * z[i, c]
            out[i, r] = total


@compiled
def _gather(roots: Narrow, gradient: Array, out: Array) -> None:
    """Multiply by the transposed roots."""
    n, d = gradient.shape
    out[:] = 0.0
    for i in range(n):
        for r in range(d):
            g = gradient[i, r]
            for c in range(r, d):
                out[i, c] += roots[i, r, c] * g


def triangular_roots(bend: Array) -> Narrow:
    """Upper triangular ``R`` with ``R Rᵀ`` the inverse of each matrix, shape (n, d, d).

    In single precision: the map only preconditions, and is the same one in both directions.
    """
    lower = np.linalg.cholesky(bend)
    roots = np.linalg.inv(lower).transpose(0, 2, 1)
    return np.ascontiguousarray(roots, dtype=np.float32)


@dataclass(frozen=True)
class BlockWhitening:
    """The map that whitens respondents' effects, and the global parameters on which they lean.

    Global: ``θ = θ̂ + s z``, but ``φ = φ̂ + A z`` for the *leading* ones. Respondent:
    ``u_i = û_i + B_i (φ − φ̂) + R_i z_i``.

    Parameters
    ----------
    layout
        With an area of its own for each respondent.
    centre
        Shape (size,).
    scales
        Of the global parameters, shape (G,): guesses, which the sampler improves; 1 if leading.
    leading
        Places of the leading global parameters, shape (C,).
    root
        ``A``, shape (C, C).
    slopes
        ``B``, shape (n (P + 1), C): the area's parameters, then the effect.
    roots
        ``R``, upper triangular, shape (n, P + 1, P + 1).
    """

    layout: Layout
    centre: Array
    scales: Array
    leading: Index
    root: Array
    slopes: Narrow
    roots: Narrow

    def forward(self, z: Array) -> Array:
        """Parameters at `z`, shape (size,)."""
        top, both = self._joined(z)
        moved, first = self.scales * top, self.root @ top[self.leading]
        moved[self.leading] = first
        out = np.empty_like(both)
        _spread(self.roots, both, out)
        with np.errstate(over="ignore", invalid="ignore"):
            out += (self.slopes @ first.astype(np.float32)).reshape(out.shape)
        return self.centre + self.layout.join(moved, out[:, :-1], out[:, -1])

    def pull_back(self, gradient: Array) -> Array:
        """Gradient with respect to `z` from the gradient with respect to the parameters."""
        top, both = self._joined(gradient)
        out = np.empty_like(both)
        _gather(self.roots, both, out)
        moved = self.scales * top
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is a divergence
            first = top[self.leading] + both.astype(np.float32).ravel() @ self.slopes
            moved[self.leading] = self.root.T @ first
        return self.layout.join(moved, out[:, :-1], out[:, -1])

    def _joined(self, x: Array) -> tuple[Array, Array]:
        top, blocks, effects = self.layout.split(x)
        return top, np.column_stack([blocks, effects])


def block_whitening(density: Density, centre: Array, bend: Array, leading: Index) -> BlockWhitening:
    """Build the map at a centre at which the respondents' effects are at their mode.

    Parameters
    ----------
    density
        The log density.
    centre
        Shape (size,).
    bend
        Negative Hessian of each respondent's effects, shape (n, P + 1, P + 1).
    leading
        Global parameters whose ties to the effects, and to one another, are taken in, where the
        data say something of them. Others get a scale alone: with little information effects
        depend on them in a bent way, and slopes do harm.

    Returns
    -------
    BlockWhitening
        From ``2 G`` gradients and one factorisation a respondent.
    """
    layout = density.layout
    n, d = bend.shape[:2]
    curvatures, own = np.empty(layout.globals), np.empty((len(leading), len(leading)))
    ties = np.empty((n, d, len(leading)))
    at = {int(place): column for column, place in enumerate(leading)}
    for place in range(layout.globals):
        direction = np.zeros(layout.size)
        direction[place] = STEP
        above = density.value_and_gradient(centre + direction)[1]
        below = density.value_and_gradient(centre - direction)[1]
        top, blocks, effects = layout.split((below - above) / (2 * STEP))
        curvatures[place] = top[place]
        if place in at:
            own[:, at[place]] = top[leading]
            ties[:, :, at[place]] = np.column_stack([blocks, effects])
    slopes = -np.linalg.solve(bend, ties)
    known = np.diag(own) + np.einsum("idc,idc->c", ties, slopes) >= INFORMATIVE
    leading, own = leading[known], own[np.ix_(known, known)]
    ties, slopes = ties[:, :, known], slopes[:, :, known]
    left = own + np.einsum("idc,ide->ce", ties, slopes, optimize=True)
    values, vectors = np.linalg.eigh((left + left.T) / 2)
    root = (vectors / np.sqrt(np.maximum(np.abs(values), LEAST_CURVATURE))) @ vectors.T
    scales = 1 / np.sqrt(np.maximum(np.abs(curvatures), LEAST_CURVATURE))
    scales[leading] = 1.0
    flat = np.ascontiguousarray(slopes.reshape(n * d, -1), dtype=np.float32)
    return BlockWhitening(layout, centre, scales, leading, root, flat, triangular_roots(bend))
