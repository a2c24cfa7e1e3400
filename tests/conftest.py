"""A small sample design for tests of estimators, with its bootstrap drawn in three lines."""

import numpy as np
import pytest

from prevalence.ratio import Sampling


class DrawnReplicates:
    """Rescaled bootstrap weights from how often each respondent's PSU was drawn."""

    def __init__(self, weights, multiplicity, factor):
        self.weights = weights
        self.multiplicity = multiplicity
        self.factor = factor

    @property
    def count(self):
        return self.multiplicity.shape[1]

    def totals(self, columns):
        weights = self.weights[:, None] * self.factor[:, None] * self.multiplicity
        return weights.T @ columns


def make_sampling(weights, stratum, psu, *, multiplicity=None, replicates=50, seed=1):
    """A sampling from PSU and stratum labels; PSUs are drawn here unless given as counts."""
    weights = np.asarray(weights, float)
    units, unit_of = np.unique(np.asarray(psu), return_inverse=True)
    stratum_of_unit = np.empty(len(units), dtype=np.asarray(stratum).dtype)
    stratum_of_unit[unit_of] = stratum
    strata = {name: np.flatnonzero(stratum_of_unit == name) for name in np.unique(stratum)}
    if multiplicity is None:
        generator = np.random.default_rng(seed)
        multiplicity = np.zeros((len(units), replicates))
        for members in strata.values():
            drawn = generator.multinomial(
                len(members) - 1, np.full(len(members), 1 / len(members)), replicates
            )
            multiplicity[members] = drawn.T
    factor = np.empty(len(units))
    for members in strata.values():
        factor[members] = len(members) / (len(members) - 1)

    def variance(scores):
        sums = np.zeros((len(units), scores.shape[1]))
        np.add.at(sums, unit_of, scores)
        total = 0.0
        for members in strata.values():
            within = sums[members]
            centred = within - within.mean(axis=0)
            total = total + len(members) / (len(members) - 1) * (centred**2).sum(axis=0)
        return total

    def degrees_of_freedom(mask):
        present = {stratum_of_unit[unit] for unit in np.unique(unit_of[mask])}
        return float(sum(len(strata[name]) - 1 for name in present))

    draws = DrawnReplicates(weights, multiplicity[unit_of], factor[unit_of])
    return Sampling(weights, draws, variance, degrees_of_freedom)


@pytest.fixture
def sampling_of():
    """The function that makes a sampling for a test."""
    return make_sampling
