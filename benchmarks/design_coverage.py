"""Coverage of design-based intervals for a two-stage design like that of ph2022.

    python benchmarks/design_coverage.py                    1,000 samples, 500 replicates each
    python benchmarks/design_coverage.py --samples 50       a quick look

A fixed synthetic population: 17 strata of 120 PSUs, households in PSUs, adults in households, rare
reports that cluster within PSUs, degrees. Each sample draws PSUs with probability proportional to
their households (with replacement), 25 households in each, one adult in each household, and is
estimated with base weights and after raking to region and sex by age. The result,
data/reference/design_coverage.csv, has a sidecar with command, date and the hash of the code.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

import argparse
import os
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import pandas as pd
from provenance import ROOT, write_sidecar

from prevalence.calibration import Auxiliary, calibrate
from prevalence.design import SampleDesign
from prevalence.files import write_csv
from prevalence.replication import CalibrationPlan, draw_rescaled_bootstrap, replicate, rescaled
from prevalence.variance import estimate_ratios, estimate_totals

RESULT = ROOT / "data" / "reference" / "design_coverage.csv"
SEED = 20230907
STRATA, PSUS, TAKE = 17, 120, 25
SAMPLED = np.array([14, 6, 8, 6, 12, 14, 6, 8, 10, 10, 8, 7, 8, 8, 7, 6, 6])  # 144 PSUs
DOMAIN = "5"  # a stratum with 14 PSUs, as a domain
ESTIMANDS = ("total", "ratio", "domain_ratio")
KINDS = (
    ("linearised", "t"),
    ("linearised", "log_t"),
    ("bootstrap", "t"),
    ("bootstrap", "log_t"),
    ("bootstrap", "percentile"),
)


def build_population(rng):
    """Adults of every household of every PSU, as arrays; households are sorted by PSU."""
    psu_households = rng.integers(100, 400, STRATA * PSUS)
    psu_of_household = np.repeat(np.arange(STRATA * PSUS), psu_households)
    adults = rng.choice([1, 2, 3, 4, 5], len(psu_of_household), p=[0.12, 0.4, 0.22, 0.16, 0.1])
    psu = np.repeat(psu_of_household, adults)
    stratum = psu // PSUS
    place = rng.lognormal(0, 0.7, STRATA * PSUS)  # reports cluster within PSUs
    degree = rng.lognormal(4.8 + 0.15 * rng.normal(size=STRATA)[stratum], 0.6)
    sex_age = rng.integers(0, 12, len(psu))
    level = 0.00035 * np.exp(0.3 * rng.normal(size=STRATA))[stratum]
    reports = rng.poisson(rng.gamma(0.3, 1 / 0.3, len(psu)) * level * place[psu] * degree)
    return {
        "psu_households": psu_households,
        "first_household": np.concatenate([[0], np.cumsum(psu_households)]),
        "adults": adults,
        "first_adult": np.concatenate([[0], np.cumsum(adults)]),
        "stratum": stratum,
        "sex_age": sex_age,
        "y": reports.astype(float),
        "d": degree,
    }


def true_values(population):
    """Give the estimands in the population."""
    y, d, inside = population["y"], population["d"], population["stratum"] == int(DOMAIN)
    return np.array([y.sum(), y.sum() / d.sum(), y[inside].sum() / d[inside].sum()])


def margins_of(population):
    """Give the population totals of the calibration margins."""
    region = np.bincount(population["stratum"], minlength=STRATA)
    sex_age = np.bincount(population["sex_age"], minlength=12)
    named = {f"region: {k}": float(v) for k, v in enumerate(region)}
    return named | {f"sex_age: {k}": float(v) for k, v in enumerate(sex_age)}


def draw_sample(population, rng):
    """Draw PSUs, households and one adult in each: adults' rows, weights, strata and PSUs."""
    rows, weights, strata, psus = [], [], [], []
    for h, size in enumerate(SAMPLED):
        households = population["psu_households"][h * PSUS : (h + 1) * PSUS]
        drawn = rng.choice(PSUS, size, p=households / households.sum())
        for number, c in enumerate(drawn):
            chosen = rng.choice(households[c], TAKE, replace=False)
            chosen = chosen + population["first_household"][h * PSUS + c]
            adults = population["adults"][chosen]
            rows.append(population["first_adult"][chosen] + rng.integers(0, adults))
            weights.append(households.sum() / (size * TAKE) * adults)
            strata.append(np.full(TAKE, h))
            psus.append(np.full(TAKE, h * 100 + number))
    return tuple(np.concatenate(part) for part in (rows, weights, strata, psus))


def estimate_sample(population, totals, replicates, rng):
    """Estimates, standard errors and limits: (weights, estimand, kind, 4)."""
    rows, weights, strata, psus = draw_sample(population, rng)
    y, d = population["y"][rows], population["d"][rows]
    inside = population["stratum"][rows] == int(DOMAIN)
    auxiliary = Auxiliary.from_margins({"region": strata, "sex_age": population["sex_age"][rows]})
    base = SampleDesign.from_columns(weights, strata=strata, units=psus)
    raked = base.with_calibration(calibrate(weights, auxiliary, totals))
    factors = rescaled(base, draw_rescaled_bootstrap(base, replicates, rng))
    plan = CalibrationPlan(totals)
    pairs = [
        (base, replicate(base, factors, base=weights)),
        (raked, replicate(raked, factors, base=weights, auxiliary=auxiliary, plan=plan)),
    ]
    found = np.empty((2, len(ESTIMANDS), len(KINDS), 4))
    for k, (linear, bootstrap) in enumerate(pairs):
        for sample, names in ((linear, "linearised"), (bootstrap, "bootstrap")):
            estimates = (
                estimate_totals(sample, y),
                estimate_ratios(sample, y, d),
                estimate_ratios(sample, y, d, inside),
            )
            for e, estimate in enumerate(estimates):
                for place, (variance, kind) in enumerate(KINDS):
                    if variance == names:
                        lower, upper = estimate.interval(0.95, kind)
                        found[k, e, place] = (
                            estimate.value[0],
                            estimate.std_errors[0],
                            lower[0],
                            upper[0],
                        )
    return found


def summarised(values, truth):
    """Coverage, standard error over standard deviation, bias: a row a combination."""
    rows = []
    count = len(values)
    for k, weights in enumerate(("base", "calibrated")):
        for e, estimand in enumerate(ESTIMANDS):
            for place, (variance, kind) in enumerate(KINDS):
                estimate, error, lower, upper = values[:, k, e, place].T
                # Without a report in the domain there is no interval: it doesn't cover.
                covered = float(((lower <= truth[e]) & (truth[e] <= upper)).mean())
                noise = 1.96 * np.sqrt(covered * (1 - covered) / count)
                spread = estimate.std(ddof=1)
                rows.append(
                    {
                        "weights": weights,
                        "estimand": estimand,
                        "variance": variance,
                        "interval": kind,
                        "samples": count,
                        "coverage": covered,
                        "coverage_lower": covered - noise,
                        "coverage_upper": min(covered + noise, 1.0),
                        "se_over_sd": np.sqrt((error**2).mean()) / spread,
                        "bias_over_sd": (estimate.mean() - truth[e]) / spread,
                        "relative_width": np.nanmean(upper - lower) / truth[e],
                    }
                )
    return pd.DataFrame(rows)


def main():
    """Simulate, summarise, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--output", type=Path, default=RESULT)
    choice = parser.parse_args()
    population = build_population(np.random.default_rng([SEED, 0]))
    totals, truth = margins_of(population), true_values(population)
    values = []
    for number in range(choice.samples):
        rng = np.random.default_rng([SEED, 1, number])
        values.append(estimate_sample(population, totals, choice.replicates, rng))
        if (number + 1) % 50 == 0:
            print(f"{number + 1} of {choice.samples} samples", flush=True)
    table = summarised(np.array(values), truth)
    write_csv(table, choice.output)
    parameters = {"seed": SEED, "samples": choice.samples, "replicates": choice.replicates}
    write_sidecar(choice.output, __file__, parameters, choice.samples)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
