"""Time and peak memory of the survey engine, beside R survey where it is installed.

    python benchmarks/survey_engine.py                     3,600, 100,000 and 1,000,000 respondents
    python benchmarks/survey_engine.py --sizes 3600 --no-r

Each task runs in a process of its own, on one thread, on the same synthetic sample: 50 respondents
a PSU, 17 strata, 10 domains, 4 margins. Results are appended to nothing: they are printed.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

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

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np

from prevalence.calibration import Auxiliary, calibrate
from prevalence.design import SampleDesign
from prevalence.replication import (
    CalibrationPlan,
    Replicates,
    draw_rescaled_bootstrap,
    replicate,
    rescaled,
)
from prevalence.variance import Domains, estimate_ratios

SIZES = (3_600, 100_000, 1_000_000)
MARGINS = {"region": 17, "sex_age": 12, "urban": 2, "education": 4}
TASKS = ("ratio_by_domain", "raking", "bootstrap")
AIMS = {
    ("ratio_by_domain", 1_000_000): 0.1,
    ("raking", 1_000_000): 0.2,
    ("bootstrap", 3_600): 0.5,
    ("bootstrap", 1_000_000): 30.0,
}
REPLICATES = 1_000


def made_up_sample(n):
    """Columns of a synthetic sample of n respondents."""
    rng = np.random.default_rng(1)
    psu = np.arange(n) // 50
    columns = {
        "psu": psu,
        "stratum": psu % 17,
        "weight": rng.uniform(500, 1500, n),
        "domain": rng.integers(0, 10, n),
        "y": rng.poisson(0.3, n).astype(float),
        "d": rng.lognormal(5, 0.6, n),
        "region": psu % 17,
    }
    for margin, size in list(MARGINS.items())[1:]:
        columns[margin] = rng.integers(0, size, n)
    totals = {}
    for margin, size in MARGINS.items():
        sums = np.bincount(columns[margin], weights=columns["weight"], minlength=size)
        tilt = 1 + 0.1 * np.sin(np.arange(size))
        goal = sums * tilt
        goal *= 1.1 * columns["weight"].sum() / goal.sum()
        totals |= {f"{margin}: {k}": float(goal[k]) for k in range(size)}
    return columns, totals


def timed(task, n):
    """Seconds of one task; reading and compiling the design is not counted, its cells are."""
    columns, totals = made_up_sample(n)
    design = SampleDesign.from_columns(
        columns["weight"], strata=columns["stratum"], units=columns["psu"]
    )
    domains = Domains.of(columns["domain"], n)
    margins = {name: columns[name] for name in MARGINS}
    if task == "ratio_by_domain":
        return best_of(
            3, lambda: estimate_ratios(design, columns["y"], columns["d"], domains).std_errors
        )
    if task == "raking":
        return best_of(
            3, lambda: calibrate(columns["weight"], Auxiliary.from_margins(margins), totals)
        )
    return best_of(1, lambda: bootstrap(design, margins, totals, columns))


def bootstrap(design, margins, totals, columns):
    """Draw replicates, rake each of them, and estimate a ratio with its standard error."""
    rng = np.random.default_rng(2)
    factors = rescaled(design, draw_rescaled_bootstrap(design, REPLICATES, rng))
    made: Replicates = replicate(
        design,
        factors,
        base=design.weights,
        auxiliary=Auxiliary.from_margins(margins),
        plan=CalibrationPlan(totals),
    )
    return estimate_ratios(made, columns["y"], columns["d"]).std_errors


def best_of(times, action):
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


R_PROGRAM = """
suppressMessages(library(survey))
args <- commandArgs(TRUE); task <- args[1]; B <- as.integer(args[4])
d <- read.csv(args[2]); totals <- read.csv(args[3])
margins <- setdiff(unique(totals$margin), "")
start <- proc.time()[["elapsed"]]
des <- svydesign(~psu, strata = ~stratum, weights = ~weight, data = d)
margin <- function(m) setNames(totals[totals$margin == m, c("category", "total")], c(m, "Freq"))
raked <- function(x) rake(x, lapply(margins, function(m) as.formula(paste("~", m))),
  lapply(margins, margin), control = list(maxit = 200, epsilon = 1e-6))
if (task == "raking" || task == "ratio_by_domain") start <- proc.time()[["elapsed"]]
if (task == "ratio_by_domain") svyby(~y, ~domain, denominator = ~d, design = des, FUN = svyratio)
if (task == "raking") raked(des)
if (task == "bootstrap") {
  replicated <- as.svrepdesign(des, type = "subbootstrap", replicates = B)
  svyratio(~y, ~d, raked(replicated))
}
cat(proc.time()[["elapsed"]] - start, "\\n")
"""


def timed_in_r(task, n, limit):
    """Seconds and megabytes of R survey for the same task; None where it took too long."""
    columns, totals = made_up_sample(n)
    with tempfile.TemporaryDirectory() as folder:
        data, margins, program = (Path(folder) / name for name in ("d.csv", "t.csv", "p.R"))
        np.savetxt(
            data,
            np.column_stack(list(columns.values())),
            delimiter=",",
            header=",".join(columns),
            comments="",
            fmt="%.10g",
        )
        rows = [f"{name.replace(': ', ',')},{value!r}" for name, value in totals.items()]
        margins.write_text("margin,category,total\n" + "\n".join(rows) + "\n", encoding="utf-8")
        program.write_text(R_PROGRAM, encoding="utf-8")
        call = ["Rscript", str(program), task, str(data), str(margins), str(REPLICATES)]
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=limit, check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            return None
        return float(done.stdout.split()[-1])


def main():
    """Print one line a task and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--no-r", action="store_true", help="leave R out")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds R may take for a task")
    parser.add_argument("--one", nargs=2, metavar=("TASK", "N"), help=argparse.SUPPRESS)
    choice = parser.parse_args()
    if choice.one:
        seconds = timed(choice.one[0], int(choice.one[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "megabytes": peak}))
        return
    with_r = not choice.no_r and shutil.which("Rscript") is not None
    print(
        f"{'task':<16} {'respondents':>11} {'seconds':>9} {'peak MB':>8} {'aim':>6} {'R survey':>9}"
    )
    for task in TASKS:
        for n in choice.sizes:
            call = [sys.executable, __file__, "--one", task, str(n)]
            done = subprocess.run(call, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            peer = timed_in_r(task, n, choice.limit) if with_r else None
            aim = AIMS.get((task, n))
            print(
                f"{task:<16} {n:>11,} {found['seconds']:>9.3f} {found['megabytes']:>8.0f} "
                f"{'' if aim is None else aim:>6} "
                f"{'–' if peer is None else format(peer, '.2f'):>9}",
                flush=True,
            )


if __name__ == "__main__":
    main()
