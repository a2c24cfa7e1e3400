r"""Measure the models: wall and CPU time, gradients, effective sample sizes, memory.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
        python -P benchmarks/models.py [--cores 2] [--respondents 25] [--rwanda FOLDER]

(`-P`, since numba would take the neighbour coverage.py for the package of that name.)
Prints one JSON line a fit. The partially pooled model runs on SYNTHETIC data drawn as in the
simulation of its paper (149 areas, 25 respondents each unless said, six groups); the overdispersed
model on the Rwandan survey of 2011 where its microdata are at hand, with the published priors.
ESS is the lowest over what is reported, R-hat the largest.
"""

import argparse
import json
import os
import resource
import time
from pathlib import Path

import numpy as np

from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import ess_bulk, ess_tail, rhat
from prevalence.models.engine import Sampling, fit
from prevalence.models.overdispersed import PUBLISHED, Overdispersed
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.models.scaling import Scaling, scaled, scaling_weights

MEAN_RHO = np.array([2.5, 3.5, 4.5, 5.0, 5.5, 6.5])
SIZE = np.array([35, 35, 35, 35, 2, 0.3])
TOP_CODE = 30


def simulated(seed: int, areas: int = 149, respondents: int = 25) -> PartiallyPooled:
    generator = np.random.default_rng(seed)
    area = np.repeat(np.arange(areas), respondents)
    rho = generator.gamma(MEAN_RHO**2, 1 / MEAN_RHO, (areas, 6))
    delta = np.maximum(generator.normal(5.5, 1, len(area)), 0.01)
    mean = np.exp(delta[:, None] - rho[area])
    counts = generator.negative_binomial(SIZE, SIZE / (SIZE + mean)).astype(float)
    return PartiallyPooled(CountTable(tuple("abcdVP"), counts), area)


def rwanda(folder: Path) -> tuple[Overdispersed, np.ndarray]:
    import pandas as pd

    survey = pd.read_csv(folder / "rwanda2011_survey.csv")
    sizes = pd.read_csv(folder / "rwanda2011_known_populations.csv").set_index("known.popn")["size"]
    groups = [*sizes.index, "sex.workers", "msm", "idu", "clients"]
    counts = CountTable(tuple(groups), np.minimum(survey[groups].to_numpy(float), TOP_CODE))
    return Overdispersed(counts, PUBLISHED), np.append(sizes.to_numpy(float), [np.nan] * 4)


def cpu_seconds() -> float:
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def measured(name, density, prevalence, sizes, population, sampling):
    wall, cpu = time.perf_counter(), cpu_seconds()
    result = fit(density, [20230907, 1], sampling=sampling)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    flat = result.draws.reshape(-1, result.draws.shape[2])
    latent = np.array([prevalence(x) for x in flat])
    weights = scaling_weights(Scaling("all"), density.counts.groups, sizes)
    values = scaled(latent, sizes, population, weights, "ratio_of_sums")
    reported = values[..., np.isnan(sizes)].reshape(*result.draws.shape[:2], -1)
    least = float(min(ess_bulk(reported).min(), ess_tail(reported).min()))
    print(
        json.dumps(
            {
                "fit": name,
                "respondents": len(density.counts.table),
                "parameters": density.layout.size,
                "wall_seconds": round(wall, 2),
                "mode_seconds": round(result.seconds[0], 2),
                "cpu_seconds": round(cpu, 2),
                "gradients": result.gradients,
                "draws": len(flat),
                "divergent": int(result.divergent.sum()),
                "rhat": round(float(rhat(reported).max()), 4),
                "ess": round(least),
                "ess_bulk": round(float(ess_bulk(reported).min())),
                "ess_per_cpu_second": round(least / cpu, 1),
                "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--respondents", type=int, default=25, help="in each area")
    parser.add_argument("--rwanda", type=Path, default=os.environ.get("RWANDA2011_DIR"))
    arguments = parser.parse_args()
    sampling = Sampling(cores=arguments.cores)
    sizes = np.append(1e6 * np.exp(-MEAN_RHO[:4]), [np.nan, np.nan])
    density = simulated(5, respondents=arguments.respondents)
    measured("partially_pooled", density, density.prevalences, sizes, 1e6, sampling)
    if arguments.rwanda and (Path(arguments.rwanda) / "rwanda2011_survey.csv").exists():
        density, known = rwanda(Path(arguments.rwanda))
        g = density.layout.globals
        measured(
            "overdispersed",
            density,
            lambda x: density.prevalences(x[:g]),
            known,
            10_718_378.0,
            sampling,
        )


if __name__ == "__main__":
    main()
