"""Simulation-based calibration of the models (Talts et al. 2018): ranks of the truth are uniform.

    python benchmarks/models_calibration.py [--model overdispersed] [--fits 300] [--workers 1]

Parameters are drawn from proper priors, data at them, and the model is fitted; the truth's rank
among the thinned draws is uniform if density, whitening and sampler are right. Fits whose chains
disagree are counted apart, as a run refuses them. Writes tallies to
data/reference/model_ranks.csv with a sidecar, and docs/figures/model_ranks.svg; the rows of models
that aren't named stay as they are.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

import argparse
import logging
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# numba would take the study beside this file for the package coverage.
sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]

import numpy as np
import pandas as pd
from provenance import ROOT, stream, write_sidecar

from prevalence.files import replacing, write_csv
from prevalence.models.correlated import Correlated, CorrelatedPriors, Plain
from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import rhat
from prevalence.models.engine import Sampling, fit
from prevalence.models.overdispersed import Overdispersed, OverdispersedPriors
from prevalence.models.partially_pooled import PartiallyPooled, PartiallyPooledPriors
from prevalence.models.poisson_lognormal import PoissonLognormal

RESULT = ROOT / "data" / "reference" / "model_ranks.csv"
PLOT = ROOT / "docs" / "figures" / "model_ranks.svg"
SEED, BINS = 20230907, 10
RANKS = 100
SAMPLINGS = {
    "poisson_lognormal": Sampling(2, 300, 400, 1),
    "overdispersed": Sampling(2, 300, 400, 1),
    "partially_pooled": Sampling(2, 300, 1600, 1),  # small σ_δ, and few reports, mix slowly
    "correlated": Sampling(2, 100, 400, 1),  # has less to learn in its warm-up
}
# Chains that lie further apart would be refused in a run; their ranks are counted apart.
LARGEST_RHAT = 1.05
LARGEST_COUNT = 1000  # in a world of the correlated model
# Proper and narrow: with the default scales half of the worlds have no report or a billion.
OVERDISPERSED = OverdispersedPriors(sigma_alpha=1.0, mu_beta_mean=0.5, mu_beta=0.7, sigma_beta=0.7)
CORRELATED = CorrelatedPriors(0.5, 2.5, 2.0, mu_rho_mean=0.5, mu_rho=0.7, sigma_rho=0.7)
# The published ones, narrower: where σ is above μ, more than a third of a network belongs to the
# group and areas differ by more than that. No survey has such a group, and chains don't mix there.
POOLED = PartiallyPooledPriors(mu=6.0, sigma=0.3, size=5.0, delta_mean=5.0, sigma_delta=1.0)


def overdispersed(generator, respondents=60, groups=5):
    """Draw a world: the density of its data, quantities of a parameter vector, and their truth."""
    priors = OVERDISPERSED
    sigma_a, sigma_b = np.abs(generator.normal(0, [priors.sigma_alpha, priors.sigma_beta]))
    mu = generator.normal(priors.mu_beta_mean, priors.mu_beta)
    beta, v = generator.normal(mu, sigma_b, groups), generator.normal(size=groups)
    alpha = generator.normal(0, sigma_a, respondents)
    names = tuple("abcdefgh"[:groups])
    blank = Overdispersed(CountTable(names, np.zeros((respondents, groups))), priors)
    plain = (beta, v, (sigma_a, mu, sigma_b), alpha)
    counts = blank.simulate(blank.at(*plain), generator)
    density = Overdispersed(CountTable(names, counts), priors)

    def quantities(x):
        found = density.prevalences(x[: density.layout.globals])
        hyper = x[2 * groups : 2 * groups + 3]
        others = np.log(np.exp(found[1:]).sum())
        first = density.effects(x)[0]
        return np.array([found[0], found[0] - others, *x[groups : groups + 2], *hyper, first])

    labels = ("beta", "scaled", "omega_1", "omega_2", "sigma_alpha", "mu", "sigma_beta", "alpha")
    return density, quantities, quantities(density.at(*plain)), labels


def partially_pooled(generator, areas=10, respondents=15, groups=3):
    """Draw a world of the model of areas."""
    priors = POOLED
    mu, sigma, size = np.abs(
        generator.normal(0, [[priors.mu], [priors.sigma], [priors.size]], (3, groups))
    )
    sigma_delta = generator.uniform(0, priors.sigma_delta)
    rho = generator.gamma(mu**2 / sigma**2, sigma**2 / mu, (areas, groups))
    area = np.repeat(np.arange(areas), respondents)
    delta = np.full(len(area), -1.0)
    while (delta <= 0).any():
        drawn = generator.normal(priors.delta_mean, sigma_delta, len(area))
        delta = np.where(delta <= 0, drawn, delta)
    mean = np.exp(delta[:, None] - rho[area])
    counts = generator.poisson(generator.gamma(np.broadcast_to(size, mean.shape)) * mean / size)
    density = PartiallyPooled(CountTable(tuple("abc"[:groups]), counts * 1.0), area, priors)

    def quantities(x):
        found, top = density.prevalences(x), x[: density.layout.globals]
        hyper = np.log(density.hyperparameters(top)[:, 0])
        return np.array([found[0, 0] - found[0, 1], found[:, 0].mean(), *hyper, top[-1]])

    share = sigma_delta / priors.sigma_delta
    truth = [rho[0, 1] - rho[0, 0], -rho[:, 0].mean()]
    truth += [np.log(mu[0]), np.log(sigma[0]), np.log(size[0]), np.log(share / (1 - share))]
    labels = ("scaled", "mean_prevalence", "mu", "sigma", "size", "sigma_delta")
    return density, quantities, np.array(truth), labels


def poisson_lognormal(generator, respondents=60, groups=5):
    """Draw a world of the baseline."""
    priors = OVERDISPERSED
    sigma_a, sigma_b = np.abs(generator.normal(0, [priors.sigma_alpha, priors.sigma_beta]))
    mu = generator.normal(priors.mu_beta_mean, priors.mu_beta)
    beta, alpha = generator.normal(mu, sigma_b, groups), generator.normal(0, sigma_a, respondents)
    mean = np.exp(alpha[:, None] + beta)
    names = tuple("abcdefgh"[:groups])
    counts = CountTable(names, generator.poisson(mean).astype(float))
    density = PoissonLognormal(counts, priors)

    def quantities(x):
        found = density.prevalences(x[: density.layout.globals])
        others = np.log(np.exp(found[1:]).sum())
        hyper = x[groups : groups + 3]
        return np.array([found[0], found[0] - others, *hyper, density.effects(x)[0]])

    labels = ("beta", "scaled", "sigma_alpha", "mu", "sigma_beta", "alpha")
    return density, quantities, quantities(density.at(beta, (sigma_a, mu, sigma_b), alpha)), labels


def correlated(generator, respondents=60, groups=4):
    """Draw a world of the correlated model.

    Half-Cauchy priors give some worlds with a million reports, or with none of a group: others are
    drawn in their place. As that is seen from the data alone, the posterior doesn't know of it,
    and ranks stay uniform.
    """
    names, table = tuple("abcdefgh"[:groups]), np.zeros((respondents, groups))
    while not (table.any(axis=0).all() and table.max() <= LARGEST_COUNT):
        plain, delta, eps = _correlated_truth(generator, respondents, groups)
        effects = eps @ (plain.tau[:, None] * plain.cholesky).T - plain.tau**2 / 2
        log_mean = np.minimum(delta[:, None] + plain.rho + effects, np.log(1e6))
        table = generator.poisson(np.exp(log_mean)).astype(float)
    density = Correlated(CountTable(names, table), CORRELATED)

    def quantities(kept):
        top = kept[: density.layout.globals]
        found, omega = density.prevalences(top), density.correlation(top)
        others = np.log(np.exp(found[1:]).sum())
        inner = [found[0], found[0] - others, top[groups], omega[0, 1], omega[-1, 0]]
        return np.array([*inner, *top[-3:], density.degrees(kept)[0]])

    truth = quantities(density.recorded(density.at(plain, delta, eps)))
    labels = ("rho", "scaled", "tau", "omega_12", "omega_last", "sigma_delta", "mu", "sigma_rho")
    return density, quantities, truth, (*labels, "delta")


def _correlated_truth(generator, respondents, groups):
    """Draw parameters, and the effects ``δ`` and ``ε`` of respondents."""
    priors = CORRELATED
    sigma_d = abs(priors.sigma_delta * np.tan(np.pi * (generator.uniform() - 0.5)))
    tau_n = np.abs(priors.tau_n * np.tan(np.pi * (generator.uniform(size=groups) - 0.5)))
    sigma_r = abs(generator.normal(0, priors.sigma_rho))
    mu = generator.normal(priors.mu_rho_mean, priors.mu_rho)
    rho, delta = generator.normal(mu, sigma_r, groups), generator.normal(0, sigma_d, respondents)
    factor = np.linalg.cholesky(lkj(generator, groups, priors.lkj))
    eps = generator.standard_normal((respondents, groups))
    tau = np.sqrt(np.log1p(tau_n**-2))
    return Plain(rho, tau, factor, sigma_d, mu, sigma_r), delta, eps


def lkj(generator, size, shape):
    """Draw a correlation matrix by the onion method (Lewandowski, Kurowicka & Joe 2009)."""
    beta = shape + (size - 2) / 2
    found = np.eye(size)
    r = 2 * generator.beta(beta, beta) - 1
    found[0, 1] = found[1, 0] = r
    for k in range(2, size):
        beta -= 0.5
        direction = generator.standard_normal(k)
        length = np.sqrt(generator.beta(k / 2, beta))
        row = np.linalg.cholesky(found[:k, :k]) @ (length * direction / np.linalg.norm(direction))
        found[k, :k] = found[:k, k] = row
    return found


WORLDS = {
    "poisson_lognormal": poisson_lognormal,
    "overdispersed": overdispersed,
    "partially_pooled": partially_pooled,
    "correlated": correlated,
}


def ranks(job):
    """Fit one world: the truth's ranks, their labels, whether whitening held, the largest R-hat."""
    model, number = job
    logging.disable(logging.WARNING)
    density, quantities, truth, labels = WORLDS[model](stream(SEED, model, number))
    sampling = SAMPLINGS[model]
    result = fit(density, [SEED, number], record=quantities, sampling=sampling)
    thin = sampling.chains * sampling.draws // RANKS
    thinned = result.draws[:, ::thin].reshape(-1, len(truth))
    return (thinned < truth).sum(axis=0), labels, result.whitened, rhat(result.draws).max()


def tallied(model, found):
    """Tally ranks in bins of (nearly) equal width."""
    from scipy.stats import chisquare

    count = RANKS + 1
    table = np.array([row[0] for row in found])
    converged = np.array([row[3] for row in found]) < LARGEST_RHAT
    edges = np.linspace(0, count, BINS + 1).round()
    rows = []
    for place, label in enumerate(found[0][1]):
        everything = np.histogram(table[:, place], edges)[0]
        tally = np.histogram(table[converged, place], edges)[0]
        share = np.diff(edges) / count
        rows.append(
            {
                "model": model,
                "quantity": label,
                "fits": len(table),
                "without_whitening": sum(not row[2] for row in found),
                "unconverged": int((~converged).sum()),
                "p_value": chisquare(tally, tally.sum() * share).pvalue,
                "p_value_with_unconverged": chisquare(everything, len(table) * share).pvalue,
                "mean_rank": table[converged, place].mean() / RANKS,
                **{f"bin_{b + 1}": int(n) for b, n in enumerate(tally)},
            }
        )
    return rows


def draw(table):
    """Draw the tallies: within the band they are uniform."""
    import matplotlib as mpl
    from scipy.stats import binom

    mpl.use("svg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "ranks", "font.size": 7})
    columns = 5
    rows = -(-len(table) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(8, 1.6 * rows), sharex=True)
    for axis in axes.flat[len(table) :]:
        axis.axis("off")
    for axis, row in zip(axes.flat, table.to_dict("records"), strict=False):
        fits = row["fits"] - row["unconverged"]
        low, high = binom.ppf([0.005, 0.995], fits, 1 / BINS)
        axis.axhspan(low, high, color="#dddddd", lw=0)
        axis.bar(range(BINS), [row[f"bin_{b + 1}"] for b in range(BINS)], color="#30638e")
        names = (row[name].replace("_", " ") for name in ("model", "quantity"))
        axis.set_title("\n".join(names), fontsize=7)
        axis.set_xticks([])
    figure.tight_layout()
    with replacing(PLOT) as partial:
        figure.savefig(partial, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", choices=list(WORLDS))
    parser.add_argument("--fits", type=int, default=300)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    for model in options.model or WORLDS:
        jobs = [(model, number) for number in range(options.fits)]
        with ProcessPoolExecutor(options.workers) as pool:
            rows = pd.DataFrame(tallied(model, list(pool.map(ranks, jobs, chunksize=5))))
        if RESULT.exists():
            former = pd.read_csv(RESULT)
            rows = pd.concat([former[former["model"] != model], rows], ignore_index=True)
        table = rows.sort_values("model", kind="stable", ignore_index=True)
        write_csv(table, RESULT)
        config = {"seed": SEED, "bins": BINS}
        fits = table.groupby("model")["fits"].first()
        write_sidecar(RESULT, __file__, config, {name: int(n) for name, n in fits.items()})
        print(f"{model}: {time.monotonic() - began:.0f} s", flush=True)
    draw(table)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
