"""Coverage of the models' intervals in simulated surveys: areas, the nation, and survey weights.

    python benchmarks/models_coverage.py [--areas 500] [--nation 300] [--weights 500] [--rare 500]
        [--workers 1]

Areas: data as in the simulation of the partially pooled model's paper, with 20 areas in place of
150; scaled prevalence of each area's two hidden groups against the truth, beside Killworth's
estimator with the area's own known sizes, which no pipeline has. Nation: such areas are the PSUs of
a sample, only the nation's known sizes are known, and the pooled model's national estimate is set
against the truth, beside a ratio of sums; with the paper's spread between areas, in which they
differ by a factor of e, and a quarter of it. Weights: an informative design, fixed before anything
was computed, in which a fifth of the people with a fourth of the prevalence are half of the sample,
so that an unweighted estimate is far off. Rare: the same design with a fortieth of the prevalence,
so that four reports are expected of 600 respondents, and none in some surveys. Writes
data/reference/model_coverage.csv with a sidecar.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

import argparse
import logging
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# numba would take the study beside this file for the package coverage.
sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]

import numpy as np
import pandas as pd
from provenance import ROOT, stream, write_sidecar

from prevalence.domains import Domain, Populations
from prevalence.files import write_csv
from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import log_spread
from prevalence.models.engine import Sampling, fit
from prevalence.models.fitting import HiddenPopulation, ModelInputs, fit_model
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.models.scaling import Scaling, scaled, scaling_weights

RESULT = ROOT / "data" / "reference" / "model_coverage.csv"
CONFIG = {
    "seed": 20230907,
    "areas": {
        "areas": 20,
        "respondents": [5, 100],
        "population": 1e6,
        "mean_rho": [2.5, 3.5, 4.5, 5.0, 5.5, 6.5],
        "sd_rho": 1.0,
        "size": [35, 35, 35, 35, 2, 0.3],
        "delta": [5.5, 1.0],
    },
    "nation": {"sd_rho": [0.25, 1.0], "population": 1e8},
    "weights": {
        "people": [0.8, 0.2],
        "sample": [0.5, 0.5],
        "psus": 20,
        "respondents": 15,
        "hidden": [0.004, 0.001],
        "between_psus": 0.3,
        "known": [0.002, 0.005, 0.01, 0.02, 0.03],
        "degree": [4.6, 0.5],
        "omega": 2.0,
        "population": 1e7,
    },
}
CONFIG["rare"] = CONFIG["weights"] | {"hidden": [0.0001, 0.000025]}
SAMPLING = Sampling(2, 150, 400, 1)
Z = 1.96


def drawn(world, sd, generator):
    """Draw areas and their respondents' answers: area of each, ρ of each area, counts."""
    mu, size = np.array(world["mean_rho"]), np.array(world["size"])
    count = generator.integers(*world["respondents"], world["areas"], endpoint=True)
    area = np.repeat(np.arange(world["areas"]), count)
    rho = generator.gamma((mu / sd) ** 2, sd**2 / mu, (world["areas"], len(mu)))
    delta = np.maximum(generator.normal(*world["delta"], len(area)), 0.01)
    mean = np.exp(delta[:, None] - rho[area])
    return area, rho, generator.negative_binomial(size, size / (size + mean)).astype(float)


def areas(number):
    """Fit one data set of areas: rows of truth, estimate, interval, and Killworth's estimate."""
    logging.disable(logging.WARNING)
    world, generator = CONFIG["areas"], stream(CONFIG["seed"], "areas", number)
    m, population = world["areas"], world["population"]
    area, rho, counts = drawn(world, world["sd_rho"], generator)
    density = PartiallyPooled(CountTable(tuple("abcdVP"), counts), area)
    result = fit(density, [CONFIG["seed"], number], sampling=SAMPLING)
    latent = np.array(
        [density.prevalences(x) for x in result.draws.reshape(-1, density.layout.size)]
    )
    rows = []
    for a in range(m):
        known = np.append(population * np.exp(-rho[a, :4]), [np.nan, np.nan])
        weights = scaling_weights(Scaling("all"), density.counts.groups, known)
        sizes = population * np.exp(
            scaled(latent[:, a], known, population, weights, "ratio_of_sums")
        )
        mine = counts[area == a]
        ratio = np.nansum(known) / max(mine[:, :4].sum(), 1)
        for k in (4, 5):
            lower, middle, upper = np.quantile(sizes[:, k], [0.025, 0.5, 0.975])
            truth = population * np.exp(-rho[a, k])
            rows.append((number, k, truth, middle, lower, upper, mine[:, k].sum() * ratio))
    return rows, result.whitened


def nation(task):
    """Fit one sample of areas: rows of the nation's truth, estimate, interval, ratio of sums."""
    number, sd = task
    logging.disable(logging.WARNING)
    world, population = CONFIG["areas"], CONFIG["nation"]["population"]
    area, _, counts = drawn(world, sd, stream(CONFIG["seed"], f"nation {sd:g}", number))
    mu = np.array(world["mean_rho"])
    sizes = population * (1 + sd**2 / mu) ** (-((mu / sd) ** 2))  # E e^-ρ over all areas
    weight = 1 / np.bincount(area)[area]
    everybody = ("national", "national", "all_ages")
    inputs = ModelInputs(
        CountTable(tuple("abcdVP"), counts),
        np.append(sizes[:4], [np.nan, np.nan]),
        tuple(HiddenPopulation(name, "all_ages", "per_1000") for name in "VP"),
        population,
        weight,
        np.zeros(len(area), int),
        area,
        area,
        (Domain("national", "national", "geographic", np.ones(len(area), bool)),),
        Populations({everybody: population}),
        {},
    )
    posterior = fit_model("partially_pooled", inputs, [CONFIG["seed"], number], sampling=SAMPLING)
    names = [quantity.group for quantity in posterior.quantities]
    known = weight @ counts[:, :4].sum(axis=1) / sizes[:4].sum()
    rows = []
    for k, name in ((4, "V"), (5, "P")):
        lower, middle, upper = np.quantile(
            posterior.draws[:, :, names.index(name)], [0.025, 0.5, 0.975]
        )
        rows.append(
            (number, (sd, k), sizes[k], middle, lower, upper, weight @ counts[:, k] / known)
        )
    return rows, posterior.fit.whitened


def weights(number, study="weights"):
    """Fit one survey of an informative design without and with its weights."""
    logging.disable(logging.WARNING)
    world, generator = CONFIG[study], stream(CONFIG["seed"], study, number)
    share, taken = np.array(world["people"]), np.array(world["sample"])
    each = world["psus"] * world["respondents"]
    stratum = np.repeat([0, 1], each)
    psu = np.repeat(np.arange(2 * world["psus"]), world["respondents"])
    spread = world["between_psus"]
    effect = np.exp(generator.normal(-(spread**2) / 2, spread, 2 * world["psus"]))
    hidden = np.array(world["hidden"])[stratum] * effect[psu]
    degree = np.exp(generator.normal(*world["degree"], len(psu)))
    prevalence = np.column_stack([np.tile(world["known"], (len(psu), 1)), hidden])
    mean, omega = degree[:, None] * prevalence, world["omega"]
    counts = generator.negative_binomial(mean / (omega - 1), 1 / omega).astype(float)
    population = world["population"]
    known = [*(population * np.array(world["known"])), np.nan]
    inputs = ModelInputs(
        CountTable((*"abcde", "hidden"), counts),
        np.array(known),
        (HiddenPopulation("hidden", "all_ages", "per_1000"),),
        population,
        (share / taken)[stratum],
        stratum,
        psu,
        psu,
        (),
        Populations({}),
        {},
    )
    truth = population * float(share @ world["hidden"])
    rows = []
    for model in ("overdispersed", "overdispersed_weighted"):
        posterior = fit_model(model, inputs, [CONFIG["seed"], number], sampling=SAMPLING)
        if not posterior.sound:  # its whitening failed, so that nothing could be corrected
            rows.append((number, model, truth, *[np.nan] * 4))
            continue
        names = [quantity.group for quantity in posterior.quantities]
        draws = posterior.draws[:, :, names.index("hidden")].ravel()
        spread = float(log_spread(draws))  # stretched draws have no standard deviation
        rows.append((number, model, truth, *np.quantile(draws, [0.5, 0.025, 0.975]), spread))
    return rows, True


def share_with_interval(inside, cluster):
    """Share of intervals that hold the truth, its limits clustered by data set."""
    means = pd.Series(inside).groupby(cluster).mean()
    error = Z * means.std(ddof=1) / np.sqrt(len(means))
    return means.mean(), means.mean() - error, means.mean() + error


def area_rows(found):
    """Summarise the areas' fits by hidden group."""
    columns = ["set", "group", "truth", "estimate", "lower", "upper", "killworth"]
    table = pd.DataFrame([row for rows, _ in found for row in rows], columns=columns)
    for group, part in table.groupby("group"):
        inside = (part["lower"] <= part["truth"]) & (part["truth"] <= part["upper"])
        coverage, low, high = share_with_interval(inside.astype(float), part["set"])
        yield {
            "study": "areas",
            "model": "partially_pooled",
            "group": f"size_{CONFIG['areas']['size'][group]:g}",
            "surveys": part["set"].nunique(),
            "without_result": 0,
            "coverage": coverage,
            "coverage_lower": low,
            "coverage_upper": high,
            "relative_error": (part["estimate"] / part["truth"] - 1).abs().mean(),
            "relative_error_killworth": (part["killworth"] / part["truth"] - 1).abs().mean(),
        }


def nation_rows(found):
    """Summarise the nation's estimates by world and hidden group."""
    columns = ["set", "group", "truth", "estimate", "lower", "upper", "direct"]
    table = pd.DataFrame([row for rows, _ in found for row in rows], columns=columns)
    for (sd, group), part in table.groupby("group"):
        inside = (part["lower"] <= part["truth"]) & (part["truth"] <= part["upper"])
        coverage, low, high = share_with_interval(inside.astype(float), part["set"])
        error, direct = (part[name] / part["truth"] - 1 for name in ("estimate", "direct"))
        yield {
            "study": f"nation, areas' sd {sd:g}",
            "model": "partially_pooled",
            "group": f"size_{CONFIG['areas']['size'][group]:g}",
            "surveys": len(part),
            "without_result": 0,
            "coverage": coverage,
            "coverage_lower": low,
            "coverage_upper": high,
            "relative_error": error.abs().mean(),
            "relative_error_direct": direct.abs().mean(),
            "relative_bias": error.mean(),
            "bias_in_sd": error.mean() / error.std(ddof=1),
        }


def weight_rows(study, found):
    """Summarise a study's fits without and with weights."""
    columns = ["set", "model", "truth", "estimate", "lower", "upper", "sd"]
    table = pd.DataFrame([row for rows, _ in found for row in rows], columns=columns)
    for model, every in table.groupby("model"):
        part = every.dropna()
        inside = (part["lower"] <= part["truth"]) & (part["truth"] <= part["upper"])
        coverage, low, high = share_with_interval(inside.astype(float), part["set"])
        empirical = part["estimate"].std(ddof=1)
        bias = (part["estimate"] - part["truth"]).mean()
        yield {
            "study": study,
            "model": model,
            "group": "hidden",
            "surveys": len(every),
            "without_result": len(every) - len(part),
            "coverage": coverage,
            "coverage_lower": max(low, 0.0),
            "coverage_upper": min(high, 1.0),
            "relative_error": (part["estimate"] / part["truth"] - 1).abs().mean(),
            "relative_bias": bias / part["truth"].mean(),
            "bias_in_sd": bias / empirical,
            "sd_over_empirical": part["sd"].mean() / empirical,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--areas", type=int, default=500)
    parser.add_argument("--nation", type=int, default=300)
    parser.add_argument("--weights", type=int, default=500)
    parser.add_argument("--rare", type=int, default=500)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    rows = []
    with ProcessPoolExecutor(options.workers) as pool:
        for study, count in (("weights", options.weights), ("rare", options.rare)):
            fits = pool.map(partial(weights, study=study), range(count), chunksize=5)
            rows += weight_rows(study, list(fits))
        print(pd.DataFrame(rows).round(3).to_string(index=False), flush=True)
        rows += area_rows(list(pool.map(areas, range(options.areas), chunksize=5)))
        tasks = [(n, sd) for sd in CONFIG["nation"]["sd_rho"] for n in range(options.nation)]
        rows += nation_rows(list(pool.map(nation, tasks, chunksize=5)))
    table = pd.DataFrame(rows)
    write_csv(table, RESULT)
    studies = ("areas", "nation", "weights", "rare")
    surveys = {study: getattr(options, study) for study in studies}
    write_sidecar(RESULT, __file__, CONFIG, surveys)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
