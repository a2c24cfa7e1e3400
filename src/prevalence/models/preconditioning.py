"""A linear map that makes a hierarchical posterior nearly standard normal.

The map is a root, block by block, of the inverse of the arrow-shaped Hessian at the mode of the
global parameters' marginal posterior. It changes the coordinates in which the sampler moves, and
nothing else: the draws are from the full joint posterior.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from prevalence.models.compiled import compiled
from prevalence.models.layout import Density, Layout

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Areas = tuple[Array, Array]
Respondents = tuple[Array, Array, Array, Index]

STEP = 1e-4  # of central differences: coordinates are logs and logits, of order 1
LARGEST_MOVE = 1.5  # of an area's or respondent's coordinate in one Newton step
LARGEST_STRIDE = 3.0  # of a global one: spreads are in small units
FREE_ROUNDS = 4  # Newton steps that are taken whatever comes of them
LEAST_SHARE = 1 / 8  # of a later step that doesn't bring the search nearer, before it ends
# A curvature below this (a standard deviation above 5 on a log scale) is no information: it would
# send a coordinate of sparse data so far out that the sampler starts in a flat or frozen place.
LEAST_CURVATURE = 0.04
# Effects of sparse data have an infinite spike at a standard deviation of 0, without mass, into
# which the search of a mode falls: σ gets an inverse-gamma factor (as if two effects of 0.3).
GUARD_SCALE, GUARD_WEIGHT = 0.3, 2.0


@compiled
def forwards(
    z: Array, centre: Array, root: Array, areas: Areas, respondents: Respondents, out: Array
) -> None:
    """Fill in the parameters at `z` (see :class:`Whitening`).

    Parameters
    ----------
    z, centre, out
        Shape (size,).
    root
        ``A``, shape (G, G).
    areas
        ``A_m``, shape (M, P, P), and ``B``, shape (M P, G).
    respondents
        ``s``, shape (n,); ``b``, shape (n, G); ``a``, shape (n, P); and each one's area, (n,).
    """
    area_root, area_slope = areas
    scale, slope, pull, area_of = respondents
    g, inside, per_area = len(root), len(area_slope), area_root.shape[1]
    top = np.dot(root, z[:g])
    blocks = np.dot(area_slope, top)
    effects = np.dot(slope, top)
    out[:g] = centre[:g] + top
    for m in range(len(area_root)):
        first = m * per_area
        for q in range(per_area):
            step = z[g + first + q]
            for p in range(per_area):
                blocks[first + p] += area_root[m, q, p] * step
    for b in range(inside):
        out[g + b] = centre[g + b] + blocks[b]
    for i in range(len(scale)):
        total = effects[i] + scale[i] * z[g + inside + i]
        first = area_of[i] * per_area
        for p in range(pull.shape[1]):
            total += pull[i, p] * blocks[first + p]
        out[g + inside + i] = centre[g + inside + i] + total


@compiled
def backwards(
    gradient: Array, root: Array, areas: Areas, respondents: Respondents, out: Array
) -> None:
    """Fill in the gradient by `z` from that by the parameters, with arguments as for `forwards`."""
    area_root, area_slope = areas
    scale, slope, pull, area_of = respondents
    g, inside, per_area = len(root), len(area_slope), area_root.shape[1]
    blocks, effects = gradient[g : g + inside].copy(), gradient[g + inside :]
    for i in range(len(scale)):
        first = area_of[i] * per_area
        out[g + inside + i] = scale[i] * effects[i]
        for p in range(pull.shape[1]):
            blocks[first + p] += pull[i, p] * effects[i]
    top = gradient[:g] + np.dot(effects, slope) + np.dot(blocks, area_slope)
    out[:g] = np.dot(top, root)
    out[g : g + inside] = 0.0
    for m in range(len(area_root)):
        first = g + m * per_area
        for q in range(per_area):
            step = blocks[m * per_area + q]
            for p in range(per_area):
                out[first + p] += area_root[m, q, p] * step


@dataclass(frozen=True)
class Whitening:
    """The map from nearly standard normal coordinates ``z`` to parameters ``x``.

    Global: ``θ = θ̂ + A z``. Area: ``ρ_m = ρ̂_m + B_m (θ − θ̂) + A_m z_m``. Respondent:
    ``u_i = û_i + b_i (θ − θ̂) + a_i (ρ_m(i) − ρ̂_m(i)) + s_i z_i``.

    Parameters
    ----------
    layout
        Arrangement of the parameters.
    centre
        The mode, shape (size,).
    root
        ``A``, shape (G, G).
    area_root, area_slope
        ``A_m``, symmetric, shape (M, P, P), and ``B_m``, shape (M, P, G).
    scale, slope, area_pull
        ``s``, shape (n,); ``b``, shape (n, G); ``a``, shape (n, P).
    """

    layout: Layout
    centre: Array
    root: Array
    area_root: Array
    area_slope: Array
    scale: Array
    slope: Array
    area_pull: Array

    @cached_property
    def _parts(self) -> tuple[Array, Areas, Respondents]:
        layout = self.layout
        flat = self.area_slope.reshape(layout.size_of_areas, layout.globals)
        arrays = self.root, self.area_root, flat, self.scale, self.slope, self.area_pull
        root, area_root, flat, scale, slope, pull = (np.ascontiguousarray(a) for a in arrays)
        return root, (area_root, flat), (scale, slope, pull, layout.area_of)

    def forward(self, z: Array) -> Array:
        """Parameters at `z`, shape (size,)."""
        out = np.empty(self.layout.size)
        forwards(np.ascontiguousarray(z), self.centre, *self._parts, out)
        return out

    def pull_back(self, gradient: Array) -> Array:
        """Gradient with respect to `z` from the gradient with respect to the parameters."""
        out = np.empty(self.layout.size)
        backwards(np.ascontiguousarray(gradient), *self._parts, out)
        return out


def identity_whitening(layout: Layout, centre: Array) -> Whitening:
    """Build the map that only shifts: for posteriors on which the mode can't be trusted."""
    n, g, m, p = layout.respondents, layout.globals, layout.areas, layout.per_area
    return Whitening(
        layout,
        centre,
        np.eye(g),
        np.tile(np.eye(p), (m, 1, 1)),
        np.zeros((m, p, g)),
        np.ones(n),
        np.zeros((n, g)),
        np.zeros((n, p)),
    )


def summed(rows: Array, layout: Layout) -> Array:
    """Sum respondents' rows within areas: (n, P) to (M, P)."""
    order, first = layout.by_area
    totals: Array = np.add.reduceat(rows[order], first, axis=0)
    return totals


@dataclass(frozen=True)
class Curvature:
    """Negative Hessian blocks of a log density.

    Parameters
    ----------
    top
        (G, G).
    block, block_top
        (M, P, P) and (M, P, G).
    effect, effect_top, effect_block
        (n,), (n, G) and (n, P).
    """

    top: Array
    block: Array
    block_top: Array
    effect: Array
    effect_top: Array
    effect_block: Array


def curvature(density: Density, x: Array) -> Curvature:
    """Negative Hessian by central differences of the gradient, using its arrow shape.

    Parameters
    ----------
    density
        The log density.
    x
        Where, shape (size,).

    Returns
    -------
    Curvature
        From ``2 (G + P + 1)`` gradients: respondents are moved all at once, areas likewise.
    """
    layout = density.layout
    g, m, p = layout.globals, layout.areas, layout.per_area

    def along(direction: Array) -> tuple[Array, Array, Array]:
        above = density.value_and_gradient(x + STEP * direction)[1]
        below = density.value_and_gradient(x - STEP * direction)[1]
        return layout.split((below - above) / (2 * STEP))

    top, block_top = np.empty((g, g)), np.empty((m, p, g))
    effect_top, block = np.empty((layout.respondents, g)), np.empty((m, p, p))
    effect_block = np.empty((layout.respondents, p))
    for column in range(g):
        direction = np.zeros(layout.size)
        direction[column] = 1.0
        top[:, column], block_top[:, :, column], effect_top[:, column] = along(direction)
    for column in range(p):
        direction = np.zeros(layout.size)
        layout.split(direction)[1][:, column] = 1.0
        _, block[:, :, column], effect_block[:, column] = along(direction)
    direction = np.zeros(layout.size)
    layout.split(direction)[2][:] = 1.0
    effect = along(direction)[2].copy()
    return Curvature(
        (top + top.T) / 2,
        (block + block.transpose(0, 2, 1)) / 2,
        block_top,
        np.maximum(effect, LEAST_CURVATURE),
        effect_top,
        effect_block,
    )


def whitening(layout: Layout, x: Array, bend: Curvature) -> Whitening:
    """Eliminate respondents, then areas, and factor what is left.

    Parameters
    ----------
    layout
        Arrangement of the parameters.
    x
        The centre.
    bend
        Negative Hessian there.

    Returns
    -------
    Whitening
        Directions without information get a bounded scale.
    """
    slope = -bend.effect_top / bend.effect[:, None]
    pull = -bend.effect_block / bend.effect[:, None]
    top = bend.top + bend.effect_top.T @ slope
    block, block_top = bend.block, bend.block_top
    if layout.areas:
        p = layout.per_area
        outer = bend.effect_block[:, :, None] * pull[:, None, :]
        block = block + summed(outer.reshape(-1, p * p), layout).reshape(-1, p, p)
        cross = bend.effect_block[:, :, None] * slope[:, None, :]
        block_top = block_top + summed(cross.reshape(len(cross), -1), layout).reshape(
            block_top.shape
        )
    area_root = _inverse_root(block)
    area_slope = -np.einsum("mpq,mrq,mrg->mpg", area_root, area_root, block_top)
    top = top + np.tensordot(block_top, area_slope, axes=([0, 1], [0, 1]))
    # Respondents follow θ along both ways: directly, and (in `forward`) through their area.
    return Whitening(
        layout,
        x,
        _inverse_root(top),
        area_root,
        area_slope,
        1 / np.sqrt(bend.effect),
        slope,
        pull,
    )


def _inverse_root(matrix: Array) -> Array:
    """``R`` with ``R Rᵀ`` the inverse, after raising eigenvalues that carry no information."""
    values, vectors = np.linalg.eigh((matrix + np.swapaxes(matrix, -1, -2)) / 2)
    values = np.maximum(np.abs(values), LEAST_CURVATURE)
    root: Array = (vectors / np.sqrt(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return root


def latent_mode(density: Density, x: Array, rounds: int = 12, tolerance: float = 0.02) -> Array:
    """Move area and respondent parameters to their mode, the global ones held fixed.

    Parameters
    ----------
    density
        The log density.
    x
        Where to start.
    rounds
        Most Newton steps.
    tolerance
        Largest step, in whitened coordinates, at which to stop.

    Returns
    -------
    numpy.ndarray
        The mode, shape (size,).
    """
    top = x[: density.layout.globals]
    fixed, latent = _HeldFixed(density, top), x[density.layout.globals :]
    for _ in range(rounds):
        shape = whitening(fixed.layout, latent, curvature(fixed, latent))
        step = shape.pull_back(fixed.value_and_gradient(latent)[1])
        latent = latent + np.clip(shape.forward(step) - latent, -LARGEST_MOVE, LARGEST_MOVE)
        if np.abs(step).max() < tolerance:
            break
    return np.concatenate([top, latent])


class Guarded:
    """A density kept off standard deviations of 0: for the search of the centre and its map."""

    def __init__(self, density: Density) -> None:
        self.layout, self.start, self._density = density.layout, density.start, density

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Return the guarded log density at `x` and its gradient, shape (size,)."""
        value, gradient = self._density.value_and_gradient(x)
        scales = list(self.layout.scales)
        ratio = GUARD_SCALE**2 * np.exp(-2 * x[scales])
        guarded = gradient.copy()
        guarded[scales] += GUARD_WEIGHT * (ratio - 1)
        return value - GUARD_WEIGHT * float((0.5 * ratio + x[scales]).sum()), guarded


class _HeldFixed:
    """A density over area and respondent parameters, the global ones given."""

    def __init__(self, density: Density, top: Array) -> None:
        outer = density.layout
        self.layout = Layout((), outer.area_of, outer.areas, outer.per_area)
        self._density, self._top = density, top

    def start(self) -> Array:
        return self._density.start()[len(self._top) :]

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        value, gradient = self._density.value_and_gradient(np.concatenate([self._top, x]))
        return value, gradient[len(self._top) :]


def nodes(layout: Layout, count: int = 8) -> list[tuple[float, Array]]:
    """Weights and standard normal points for expectations over areas and respondents.

    Respondents are independent given all else, so one Gauss–Hermite node serves all of them at
    once; with areas, antithetic normal points take its place, which many areas average out.

    Parameters
    ----------
    layout
        Arrangement of the parameters.
    count
        Number of nodes.

    Returns
    -------
    list of (float, numpy.ndarray)
        Weights sum to 1; points have shape (size,), zero in the global coordinates.
    """
    if not layout.areas:
        points, weights = np.polynomial.hermite_e.hermegauss(count)
        mask = np.ones(layout.size)
        mask[: layout.globals] = 0.0
        return [(w / weights.sum(), p * mask) for w, p in zip(weights, points, strict=True)]
    normal = np.random.default_rng(20230907).standard_normal((count // 2, layout.size))
    normal[:, : layout.globals] = 0.0
    return [(1 / count, sign * row) for row in normal for sign in (1.0, -1.0)]


def marginal_mode(density: Density, rounds: int = 30, tolerance: float = 0.2) -> Whitening:
    """Find the mode of the global parameters' marginal posterior, and the map around it.

    Newton steps on the marginal score, which by Fisher's identity is the expected joint score;
    the expectation is taken over the normal approximation of the latent parameters.

    Parameters
    ----------
    density
        The log density.
    rounds
        Most Newton steps.
    tolerance
        Largest whitened score at which to stop: a share of a posterior standard deviation.

    Returns
    -------
    Whitening
        Centred at the mode.
    """
    layout, density = density.layout, Guarded(density)
    x, points = density.start(), nodes(layout)
    base: Whitening | None = None
    best, least, share = identity_whitening(layout, x), np.inf, 1.0
    move = np.zeros(layout.globals)
    for count in range(rounds):
        x = latent_mode(density, x, rounds=6)
        shape = whitening(layout, x, curvature(density, x))
        shape, score = centred_on_mean(density, shape, points)
        step = shape.root.T @ score
        length = float(np.abs(step).max(initial=0.0))
        if length < least:  # false for what is not finite
            best, least = shape, length
        # The first steps may go astray before they find the way; later ones may not.
        if length == least or (count < FREE_ROUNDS and np.isfinite(length)):
            base, share, move = shape, 1.0, shape.root @ step
            move *= min(1.0, LARGEST_STRIDE / max(float(np.abs(move).max(initial=0.0)), 1e-12))
        else:
            share /= 2
        if least < tolerance or share < LEAST_SHARE or base is None:
            break
        # Latent parameters follow along their slopes, so that their next search is short.
        top = np.zeros(layout.size)
        top[: layout.globals] = np.linalg.solve(base.root, share * move)
        x = base.forward(top)
    return best


def expected_gradient(
    density: Density, shape: Whitening, points: list[tuple[float, Array]]
) -> Array:
    """Gradient averaged over the normal approximation of the latent parameters, shape (size,)."""
    total = np.zeros(density.layout.size)
    for weight, point in points:
        total += weight * density.value_and_gradient(shape.forward(point))[1]
    return total


def centred_on_mean(
    density: Density, shape: Whitening, points: list[tuple[float, Array]], rounds: int = 4
) -> tuple[Whitening, Array]:
    """Shift the latent parameters from their mode to their mean, where the expected gradient is 0.

    Without the shift the skewness of thousands of sparse respondents adds up to a wrong score.

    Parameters
    ----------
    density
        The log density.
    shape
        Map around the latent mode.
    points
        From :func:`nodes`.
    rounds
        Number of shifts.

    Returns
    -------
    shape : Whitening
        The same map about the mean.
    score : numpy.ndarray
        Score of the global parameters' marginal posterior, shape (G,).
    """
    g = density.layout.globals
    gradient = expected_gradient(density, shape, points)
    for _ in range(rounds):
        latent = gradient.copy()
        latent[:g] = 0.0
        step = shape.pull_back(latent)
        step[:g] = 0.0
        shape = replace(shape, centre=shape.forward(np.clip(step, -1.0, 1.0)))
        gradient = expected_gradient(density, shape, points)
    return shape, gradient[:g]
