r"""Measure the models: wall and CPU time, gradients, effective sample sizes, memory.

    OMP_NUM_THREADS=1 python benchmarks/models.py [--rwanda FOLDER] [--write]
        [--case small --case ph2022 ...] [--sampler own --sampler nutpie --sampler rstan]

Each fit runs in a process of its own, on two cores unless said, and is printed as a JSON line;
``--write`` puts the table into docs/performance.md. ESS is the lowest, bulk or tail, over what is
reported, R-hat the largest. Seconds by the clock hold reading what is compiled from the disk, those
of the processor don't.

The partially pooled model runs on SYNTHETIC data drawn as in the simulation of its paper (149
areas, 25 respondents each, six groups), with a tenth of the areas and with ten times the
respondents, and on a survey redrawn as the shipped ph2022; the overdispersed model on the Rwandan
survey of 2011 where its microdata are at hand (``--rwanda``, or RWANDA2011_DIR), with the published
priors; the correlated one on 600 of its respondents. nutpie, where it is installed, samples the
same densities in the same whitened coordinates: the comparison is of the samplers alone. rstan,
where R has it (Debian: r-cran-rstan), samples the models under benchmarks/stan, written from the
same formulas, in Stan's own coordinates; compiling them is not counted. networkscaleup, where it is
installed, samples the overdispersed model by Gibbs and Metropolis steps, as its paper did.
"""

# ruff: noqa: E402 - numba must not take a study for a package before it is loaded

import argparse
import contextlib
import datetime
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

# numba would take the study beside this file for the package coverage.
sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]

import numpy as np
from redrawn_surveys import redrawn_study, settings, shipped_world
from survey_engine import machine, write_section

from prevalence.models.correlated import PUBLISHED as FLAT_CORRELATED
from prevalence.models.correlated import Correlated
from prevalence.models.counts import CountTable
from prevalence.models.diagnostics import ess_bulk, ess_tail, rhat
from prevalence.models.engine import Sampling, fit
from prevalence.models.fitting import model_inputs
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


def own_sampler(density, sampling, *_):
    """Sample with the project's engine: draws of all parameters, and what is told of the run.

    Twice: the first fit, several chains at a time, reads what is compiled from the disk: seconds by
    the clock. The second, with the same draws, one chain at a time, has what sampling takes of the
    processor, as rstan's seconds have: two on one core wait for one another.
    """
    clock = time.perf_counter()
    fit(density, [20230907, 1], sampling=sampling)
    clock, begun = time.perf_counter() - clock, cpu_seconds()
    result = fit(density, [20230907, 1], sampling=replace(sampling, cores=1))
    told = {
        "wall_seconds": round(clock, 2),
        "cpu_seconds": round(cpu_seconds() - begun, 2),
        "mode_seconds": round(result.seconds[0], 2),
        "gradients": result.gradients,
        "divergent": int(result.divergent.sum()),
    }
    return result.draws, told


class NotFiniteError(ValueError):
    """What nutpie takes for a divergence."""

    is_recoverable = True


def nutpie_sampler(density, sampling, *_):
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


def rstan_sampler(density, sampling, *_):
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


def networkscaleup_sampler(density, sampling, sizes, population):
    """Sample by the Gibbs and Metropolis steps of networkscaleup: draws of log prevalences."""
    import networkscaleup

    known = np.flatnonzero(~np.isnan(sizes))
    chains = []
    with contextlib.redirect_stdout(None):  # it prints the answers
        for seed in range(sampling.chains):
            np.random.seed(seed)  # noqa: NPY002 - it draws from NumPy's global generator
            drawn = networkscaleup.overdispersed(
                ard=density.counts.table,
                known_sizes=sizes[known],
                known_ind=list(known),
                G1_ind=list(known),
                N=population,
                warmup=2 * sampling.draws,  # its defaults: 1,000 of 1,500
                iter=3 * sampling.draws,
            )
            chains.append(drawn["betas"])
    return np.array(chains), {}


STAN = Path(__file__).parent / "stan"
REFERENCE = Path(__file__).parents[1] / "tests" / "reference" / "stan"
SOME = REFERENCE / "stan_correlated_n600_ids.csv"  # of whom there is a posterior by Stan
SAMPLERS = {
    "own": own_sampler,
    "nutpie": nutpie_sampler,
    "rstan": rstan_sampler,
    "networkscaleup": networkscaleup_sampler,
}
LATENT = ("rstan", "networkscaleup")  # those give log prevalences, and not all parameters


def measured(case, sampler, density, prevalence, sizes, population, sampling):
    wall, cpu = time.perf_counter(), cpu_seconds()
    draws, told = SAMPLERS[sampler](density, sampling, sizes, population)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    cpu = told.get("cpu_seconds", cpu)
    if sampler in LATENT:
        latent = draws.reshape(-1, *draws.shape[2:])
    else:
        latent = np.array([prevalence(x) for x in draws.reshape(-1, draws.shape[2])])
    weights = scaling_weights(Scaling("all"), density.counts.groups, sizes)
    values = scaled(latent, sizes, population, weights, "ratio_of_sums")
    reported = values[..., np.isnan(sizes)].reshape(*draws.shape[:2], -1)
    least = float(min(ess_bulk(reported).min(), ess_tail(reported).min()))
    line = {
        "case": case,
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
        "peak_megabytes": max(
            resource.getrusage(who).ru_maxrss // 1024
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ),
        **told,
    }
    print(json.dumps(line), flush=True)


def top(density):
    """Give the log prevalences of a model without places, from all its parameters."""
    return lambda x: density.prevalences(x[: density.layout.globals])


PAPER = np.append(1e6 * np.exp(-MEAN_RHO[:4]), [np.nan, np.nan])
RWANDA = 10_718_378.0


def pooled_case(areas: int, respondents: int):
    density = simulated(5, areas, respondents)
    return density, density.prevalences, PAPER, 1e6


def shipped_case(_: Path | None):
    """Give the density that a run would sample of a survey drawn from the world of ph2022."""
    config = settings()
    country, world, _ = shipped_world(config)
    inputs = model_inputs(redrawn_study(config, country, world, 0))
    density = PartiallyPooled(inputs.counts, inputs.area)
    return density, density.prevalences, inputs.known_sizes, inputs.population


def overdispersed_case(folder: Path, ids: Path | None = None):
    counts, known = rwanda(folder, ids)
    density = Overdispersed(counts, PUBLISHED)
    return density, top(density), known, RWANDA


def correlated_case(folder: Path):
    counts, known = rwanda(folder, SOME)
    density = Correlated(counts, FLAT_CORRELATED)
    return density, top(density), known, RWANDA


# What is fitted, by what, and whether it needs the Rwandan survey.
CASES = {
    "small": (
        "partially pooled, 15 areas × 25 × 6, simulated",
        lambda _: pooled_case(15, 25),
        ("own", "nutpie", "rstan"),
        False,
    ),
    "paper": (
        "partially pooled, 149 areas × 25 × 6, simulated",
        lambda _: pooled_case(149, 25),
        ("own", "nutpie"),
        False,
    ),
    "tenfold": (
        "partially pooled, 149 areas × 250 × 6, simulated",
        lambda _: pooled_case(149, 250),
        ("own",),
        False,
    ),
    "ph2022": ("partially pooled, redrawn as ph2022", shipped_case, ("own",), False),
    "some": (
        "overdispersed, 600 of Rwanda 2011 × 26",
        lambda folder: overdispersed_case(folder, SOME),
        ("own", "rstan", "networkscaleup"),
        True,
    ),
    "rwanda": (
        "overdispersed, Rwanda 2011, 2,406 × 26",
        overdispersed_case,
        ("own", "nutpie"),
        True,
    ),
    "correlated": ("correlated, 600 of Rwanda 2011 × 26", correlated_case, ("own",), True),
}
AIMS = {"ph2022": "20", "rwanda": "10"}
TITLE = "## Models"
CONVERGED = 1.05  # above this R-hat an effective size means little


def available(sampler: str) -> bool:
    """Whether a sampler is installed."""
    if sampler == "rstan":
        if shutil.which("Rscript") is None:
            return False
        asked = ["Rscript", "-e", 'quit(status = !requireNamespace("rstan", quietly = TRUE))']
        return subprocess.run(asked, check=False, capture_output=True).returncode == 0
    return sampler == "own" or importlib.util.find_spec(sampler) is not None


def fitted_apart(case: str, sampler: str, arguments: argparse.Namespace) -> dict:
    """Run one fit in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "--case", case, "--sampler", sampler, "--here"]
    command += ["--cores", str(arguments.cores), "--draws", str(arguments.draws)]
    if arguments.rwanda:
        command += ["--rwanda", str(arguments.rwanda)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    line = done.stdout.strip().splitlines()[-1]
    print(line, flush=True)
    return json.loads(line)


def section(found: list[dict], arguments: argparse.Namespace, load: float) -> str:
    """Write the section of the page on performance."""
    own = {line["case"]: line for line in found if line["sampler"] == "own"}
    lines = [
        TITLE,
        "",
        f"`python benchmarks/models.py --write`, {datetime.date.today().isoformat()}. {machine()}.",
        f"Load average of the machine before: {load:.1f}.",
        f"Four chains of {arguments.draws} draws, by the clock {arguments.cores} of ours at once.",
        "Seconds hold the search of the mode and the warm-up, those by the clock also reading what",
        "is compiled from the disk; gradients those of the warm-up, but for nutpie's. ESS is the",
        "lowest, bulk or tail, and R̂ the largest, of the hidden groups' scaled prevalences, in",
        "every area where there are areas: more than what a run reports, with chains of 600 draws.",
        "",
        "| posterior | sampler | parameters | by the clock, s | aim, s | processor, s | gradients "
        "| R̂ | lowest ESS | ESS per processor second | ours is | peak MB |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for line in found:
        case, mine = line["case"], line["sampler"] == "own"
        times = ""
        if not mine and line["rhat"] < CONVERGED:
            times = f"{own[case]['ess_per_cpu_second'] / line['ess_per_cpu_second']:.1f}×"
        elif not mine:
            times = "not converged"
        told = line.get("gradients", line.get("gradients_after_warm_up"))
        gradients = "" if told is None else f"{told:,}"
        lines.append(
            f"| {CASES[case][0]} | {line['sampler']} | {line['parameters']:,} "
            f"| {line['wall_seconds']:.1f} | {AIMS.get(case, '') if mine else ''} "
            f"| {line['cpu_seconds']:.1f} | {gradients} | {line['rhat']:.4f} | {line['ess']:,} "
            f"| {line['ess_per_cpu_second']:.1f} | {times} | {line['peak_megabytes']:,} |"
        )
    if {"paper", "tenfold"} <= set(own):
        ratio = own["tenfold"]["cpu_seconds"] / own["paper"]["cpu_seconds"]
        lines += ["", f"Ten times the respondents take {ratio:.1f} times the processor's seconds."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--sampler", action="append", choices=list(SAMPLERS))
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--draws", type=int, default=500, help="of each of four chains")
    parser.add_argument("--rwanda", type=Path, default=os.environ.get("RWANDA2011_DIR"))
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--here", action="store_true", help="one fit, in this process")
    arguments = parser.parse_args()
    if arguments.here:
        _, make, _, _ = CASES[arguments.case[0]]
        sampling = Sampling(draws=arguments.draws, cores=arguments.cores)
        measured(arguments.case[0], arguments.sampler[0], *make(arguments.rwanda), sampling)
        return
    load = os.getloadavg()[0]
    at_hand = arguments.rwanda and (arguments.rwanda / "rwanda2011_survey.csv").exists()
    todo = [
        (case, sampler)
        for case, (_, _, samplers, needs_survey) in CASES.items()
        for sampler in samplers
        if case in (arguments.case or CASES)
        and sampler in (arguments.sampler or SAMPLERS)
        and available(sampler)
        and (at_hand or not needs_survey)
    ]
    for case in ["small", "some", "correlated"][: 3 if at_hand else 1]:
        fitted_apart(
            case, "own", argparse.Namespace(**{**vars(arguments), "draws": 50})
        )  # compiles
    found = [fitted_apart(case, sampler, arguments) for case, sampler in todo]
    text = section(found, arguments, load)
    print(text)
    if arguments.write:
        write_section(text, TITLE)


if __name__ == "__main__":
    main()
