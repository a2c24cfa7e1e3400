"""The arrangement of a model's parameters, and the protocol that every density follows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Where global, area and respondent parameters stand in the flat vector.

    Given the global parameters the areas are independent, and given these the respondents are:
    the Hessian of the log density is an arrow, which the preconditioner uses.

    Parameters
    ----------
    names
        Names of the global parameters; there are ``G``.
    area_of
        Area of each respondent, shape (n,), no area empty; all zero in a model without areas.
    areas
        Number of areas ``M``; 0 in a model without areas.
    per_area
        Parameters of each area ``P``.
    scales
        Places, among the global parameters, of logarithms of standard deviations of other global
        parameters.
    """

    names: tuple[str, ...]
    area_of: Index
    areas: int = 0
    per_area: int = 0
    scales: tuple[int, ...] = ()

    @cached_property
    def globals(self) -> int:
        """Number of global parameters."""
        return len(self.names)

    @cached_property
    def respondents(self) -> int:
        """Number of respondents."""
        return len(self.area_of)

    @cached_property
    def size_of_areas(self) -> int:
        """Number of the areas' parameters."""
        return self.areas * self.per_area

    @cached_property
    def size(self) -> int:
        """Length of the flat vector."""
        return self.globals + self.size_of_areas + self.respondents

    @cached_property
    def by_area(self) -> tuple[Index, Index]:
        """Respondents ordered by area, shape (n,), and the place of each area's first, (M,)."""
        order = np.argsort(self.area_of, kind="stable")
        return order, np.searchsorted(self.area_of[order], np.arange(self.areas))

    def split(self, x: Array) -> tuple[Array, Array, Array]:
        """Return views of the global (G,), area (M, P) and respondent (n,) parameters."""
        first, second = self.globals, self.globals + self.size_of_areas
        return x[:first], x[first:second].reshape(self.areas, self.per_area), x[second:]

    def join(self, top: Array, blocks: Array, effects: Array) -> Array:
        """Put global, area and respondent parameters into one vector."""
        return np.concatenate([top, blocks.ravel(), effects])


class Density(Protocol):
    """An unnormalised log posterior over unconstrained parameters."""

    @property
    def layout(self) -> Layout:
        """Arrangement of the parameters."""
        ...

    def start(self) -> Array:
        """Return a rough first guess, shape (size,)."""
        ...

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Return the log density at `x` and its gradient, shape (size,)."""
        ...
