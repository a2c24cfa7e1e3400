r"""Measure the models: wall and CPU time, gradients, effective sample sizes, memory.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
        python benchmarks/models.py [--cores 2] [--respondents 25] [--rwanda FOLDER]
        [--sampler own --sampler nutpie --sampler rstan] [--areas 149] [--draws 500]

Prints one JSON line a fit. The partially pooled model runs on SYNTHETIC data drawn as in the
simulation of its paper (149 areas, 25 respondents each unless said, six groups); the overdispersed
model on the Rwandan survey of 2011 where its microdata are at hand, with the published priors; the
correlated one on 600 of its respondents, with `own` alone.
ESS is the lowest over what is reported, R-hat the largest. nutpie, where it is installed, samples
the same densities in the same whitened coordinates: the comparison is of the samplers alone.
rstan, where R has it (Debian: r-cran-rstan), samples the models under benchmarks/stan, which are
written from the same formulas, in Stan's own coordinates; compiling them is not counted. Take
`--respondents 5 --areas 20`, or time.
"""

# ruff: noqa: E402 - numba must not take a study for a package before it is loaded

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# numba would take the study beside this file for the package coverage.
sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]

import numpy as np

from prevalence.models.correlated import PUBLISHED as FLAT_CORRELATED
from prevalence.models.correlated import Correlated
from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import ess_bulk, ess_tail, rhat
from prevalence.models.engine import Sampling, fit
from prevalence.models.overdispersed import PUBLISHED, Overdispersed
from prevalence.models.partially_pooled import PartiallyPooled
from prevalence.models.preconditioning import marginal_mode
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


def rwanda(folder: Path, ids: Path | None = None) -> tuple[CountTable, np.ndarray]:
    """Read the answers, of all respondents or of those listed, and the known sizes."""
    import pandas as pd

    survey = pd.read_csv(folder / "rwanda2011_survey.csv")
    if ids:
        survey = survey.set_index("id").loc[pd.read_csv(ids)["id"]]
    sizes = pd.read_csv(folder / "rwanda2011_known_populations.csv").set_index("known.popn")["size"]
    groups = [*sizes.index, "sex.workers", "msm", "idu", "clients"]
    counts = CountTable(tuple(groups), np.minimum(survey[groups].to_numpy(float), TOP_CODE))
    return counts, np.append(sizes.to_numpy(float), [np.nan] * 4)


def cpu_seconds() -> float:
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def own_sampler(density, sampling):
    """Sample with the project's engine: draws of all parameters, and what is told of the run."""
    result = fit(density, [20230907, 1], sampling=sampling)
    told = {
        "mode_seconds": round(result.seconds[0], 2),
        "gradients": result.gradients,
        "divergent": int(result.divergent.sum()),
    }
    return result.draws, told


class NotFiniteError(ValueError):
    """What nutpie takes for a divergence."""

    is_recoverable = True


def nutpie_sampler(density, sampling):
    """Sample the same density in the same whitened coordinates with nutpie."""
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    begun = time.perf_counter()
    shape = marginal_mode(density)
    middle = time.perf_counter()
    size = density.layout.size

    def make_logp():
        def logp(z):
            value, gradient = density.value_and_gradient(shape.forward(z))
            if not (np.isfinite(value) and np.isfinite(gradient).all()):
                raise NotFiniteError
            return value, shape.pull_back(gradient)

        return logp

    model = from_pyfunc(
        size,
        make_logp,
        lambda *_: lambda z: {"z": z},
        [np.dtype("float64")],
        [(size,)],
        ["z"],
        make_initial_point_fn=lambda seed: np.random.default_rng(seed).standard_normal(size),
    )
    trace = nutpie.sample(
        model,
        draws=sampling.draws,
        tune=2 * sampling.warmup,  # its default is 400; 150 are too few for its adaptation
        chains=sampling.chains,
        cores=sampling.cores,
        seed=1,
        save_warmup=False,
        progress_bar=False,
    )
    draws = np.apply_along_axis(shape.forward, 2, trace.posterior["z"].values)
    told = {
        "mode_seconds": round(middle - begun, 2),
        "gradients_after_warm_up": int(trace.sample_stats["n_steps"].sum()),
        "divergent": int(trace.sample_stats["diverging"].sum()),
    }
    return draws, told


def as_r(value):
    """Write whole numbers as R's dump does, arrays by columns."""
    if np.ndim(value) == 0:
        return str(int(value))
    inside = ", ".join(f"{int(v)}L" for v in np.ravel(value, order="F"))
    shape = ", ".join(f"{n}L" for n in np.shape(value))
    return f"c({inside})" if np.ndim(value) == 1 else f"structure(c({inside}), .Dim = c({shape}))"


def rstan_sampler(density, sampling):
    """Sample the model as Stan has it: draws of log prevalences, and what is told of the run."""
    if shutil.which("Rscript") is None:
        raise SystemExit("no Rscript: apt-get install r-cran-rstan")
    y = density.counts.table
    data = {"n": y.shape[0], "groups": y.shape[1], "y": y}
    pooled = isinstance(density, PartiallyPooled)
    if pooled:
        data |= {"areas": density.areas, "area": density.area_of + 1}
    name, parameter = ("partially_pooled", "rho") if pooled else ("overdispersed", "beta")
    with tempfile.TemporaryDirectory() as folder:
        given, drawn = Path(folder, "data.R"), Path(folder, "draws.csv")
        given.write_text("".join(f"{key} <- {as_r(value)}\n" for key, value in data.items()))
        command = ["Rscript", str(STAN / "run.R"), str(STAN / f"{name}.stan"), given, drawn]
        # Stan's usual warm-up is as long as its sampling: its map has to be learned.
        numbers = [sampling.chains, sampling.draws, sampling.draws]
        done = subprocess.run(
            [*map(str, command), parameter, *map(str, numbers)],
            check=True,
            capture_output=True,
            text=True,
        )
        flat = np.loadtxt(drawn, delimiter=",", ndmin=2)
    wall, cpu, gradients, divergent = map(float, done.stdout.split()[-4:])
    # Written by draws within chains; a matrix by columns: areas vary fastest.
    latent = flat.reshape(sampling.chains, sampling.draws, -1)
    if pooled:
        latent = -latent.reshape(*latent.shape[:2], y.shape[1], -1).swapaxes(2, 3)
    told = {
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "gradients": int(gradients),
        "divergent": int(divergent),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    return latent, told


STAN = Path(__file__).parent / "stan"
REFERENCE = Path(__file__).parents[1] / "tests" / "reference" / "stan"
SOME = REFERENCE / "stan_correlated_n600_ids.csv"  # of whom there is a posterior by Stan
SAMPLERS = {"own": own_sampler, "nutpie": nutpie_sampler, "rstan": rstan_sampler}


def measured(name, sampler, density, prevalence, sizes, population, sampling):
    density.value_and_gradient(density.start())  # compiled, or read from the cache
    wall, cpu = time.perf_counter(), cpu_seconds()
    draws, told = SAMPLERS[sampler](density, sampling)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    if sampler == "rstan":
        cpu, latent = told["cpu_seconds"], draws.reshape(-1, *draws.shape[2:])
    else:
        latent = np.array([prevalence(x) for x in draws.reshape(-1, draws.shape[2])])
    weights = scaling_weights(Scaling("all"), density.counts.groups, sizes)
    values = scaled(latent, sizes, population, weights, "ratio_of_sums")
    reported = values[..., np.isnan(sizes)].reshape(*draws.shape[:2], -1)
    least = float(min(ess_bulk(reported).min(), ess_tail(reported).min()))
    line = {
        "fit": name,
        "sampler": sampler,
        "respondents": len(density.counts.table),
        "parameters": density.layout.size,
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "draws": draws.shape[0] * draws.shape[1],
        "rhat": round(float(rhat(reported).max()), 4),
        "ess": round(least),
        "ess_bulk": round(float(ess_bulk(reported).min())),
        "ess_per_cpu_second": round(least / cpu, 1),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **told,
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--respondents", type=int, default=25, help="in each area")
    parser.add_argument("--areas", type=int, default=149)
    parser.add_argument("--draws", type=int, default=500, help="of each of four chains")
    parser.add_argument("--rwanda", type=Path, default=os.environ.get("RWANDA2011_DIR"))
    parser.add_argument("--sampler", action="append", choices=list(SAMPLERS))
    arguments = parser.parse_args()
    sampling = Sampling(draws=arguments.draws, cores=arguments.cores)
    sizes = np.append(1e6 * np.exp(-MEAN_RHO[:4]), [np.nan, np.nan])
    for sampler in arguments.sampler or ["own"]:
        pooled = simulated(5, arguments.areas, arguments.respondents)
        measured("partially_pooled", sampler, pooled, pooled.prevalences, sizes, 1e6, sampling)
        if arguments.rwanda and (Path(arguments.rwanda) / "rwanda2011_survey.csv").exists():
            folder = Path(arguments.rwanda)
            counts, known = rwanda(folder)
            density = Overdispersed(counts, PUBLISHED)

            def prevalence(x, density=density):
                return density.prevalences(x[: density.layout.globals])

            measured("overdispersed", sampler, density, prevalence, known, 10_718_378.0, sampling)
            if sampler == "own":  # the others know no model of so many effects
                density = Correlated(rwanda(folder, SOME)[0], FLAT_CORRELATED)

                def latent(x, density=density):
                    return density.prevalences(x[: density.layout.globals])

                measured("correlated", sampler, density, latent, known, 10_718_378.0, sampling)


if __name__ == "__main__":
    main()
