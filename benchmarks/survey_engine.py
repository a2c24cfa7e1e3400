"""Time and peak memory of the survey engine, beside other software where it is installed.

    python benchmarks/survey_engine.py                     3,600, 100,000 and 1,000,000 respondents
    python benchmarks/survey_engine.py --sizes 3600 --no-peers
    python benchmarks/survey_engine.py --peer-python /path/to/python --write

Each task runs in a process of its own, on one thread, on the same synthetic sample: 50 respondents
a PSU, 17 strata, 10 domains, 4 margins. Times are of the processor, so that others at work on the
machine don't show; the clock's time stands beside them. Peers: R survey (Rscript on the path), the
Python package svy, of this Python or another one, and networkscaleup. With --write the section
"Survey engine" of docs/performance.md is written anew.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

import argparse
import datetime
import importlib.util
import json
import math
import os
import platform
import re
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
from prevalence.degree import known_population_degrees
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
TASKS = ("design", "ratio_by_domain", "raking", "bootstrap", "scale_up")
KNOWN, HIDDEN, POPULATION = 25, 6, 1e8  # of the made-up answers
AIMS = {
    ("ratio_by_domain", 1_000_000): 0.1,
    ("raking", 1_000_000): 0.2,
    ("bootstrap", 3_600): 0.5,
    ("bootstrap", 1_000_000): 30.0,
}
REPLICATES = 1_000
LONG_BOOTSTRAP = 100_000  # respondents from which the bootstrap is run once only


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


def made_up_answers(n):
    """Make up counts of a synthetic sample, groups of known size first, and those sizes."""
    rng = np.random.default_rng(3)
    shares = rng.uniform(1e-3, 1e-2, KNOWN + HIDDEN)
    counts = rng.poisson(rng.lognormal(5, 0.6, n)[:, None] * shares)
    return counts.astype(float), shares[:KNOWN] * POPULATION


def compiled(columns):
    """Compile the design."""
    return SampleDesign.from_columns(
        columns["weight"], strata=columns["stratum"], units=columns["psu"]
    )


def timed(task, n):
    """Seconds of one task; making the sample isn't counted, and compiling its design only once."""
    columns, totals = made_up_sample(n)
    if task == "design":
        return best_of(3, lambda: (compiled(columns), Domains.of(columns["domain"], n)))
    design = compiled(columns)
    if task == "scale_up":
        counts, sizes = made_up_answers(n)
        return best_of(3, lambda: scaled_up(design, counts, sizes))
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
    runs = 3 if n < LONG_BOOTSTRAP else 1
    return best_of(runs, lambda: bootstrap(design, margins, totals, columns))


def scaled_up(design, counts, sizes):
    """Estimate network sizes, and sizes of hidden groups with their standard errors."""
    degrees = known_population_degrees(counts[:, :KNOWN], sizes, POPULATION)
    return [
        POPULATION * estimate_ratios(design, column, degrees).std_errors
        for column in counts[:, KNOWN:].T
    ]


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
    """Processor and clock seconds of the quickest run."""
    seconds = []
    for _ in range(times):
        start, clock = time.process_time(), time.perf_counter()
        action()
        seconds.append((time.process_time() - start, time.perf_counter() - clock))
    return min(seconds)


R_PROGRAM = """
suppressMessages(library(survey))
args <- commandArgs(TRUE); task <- args[1]; B <- as.integer(args[4])
d <- read.csv(args[2]); totals <- read.csv(args[3])
margins <- setdiff(unique(totals$margin), "")
used <- function() sum(proc.time()[c("user.self", "sys.self")])
start <- used()
des <- svydesign(~psu, strata = ~stratum, weights = ~weight, data = d)
margin <- function(m) setNames(totals[totals$margin == m, c("category", "total")], c(m, "Freq"))
raked <- function(x) rake(x, lapply(margins, function(m) as.formula(paste("~", m))),
  lapply(margins, margin), control = list(maxit = 200, epsilon = 1e-6))
if (task == "design") cat(used() - start, "\\n")
if (task == "raking" || task == "ratio_by_domain") start <- used()
if (task == "ratio_by_domain") svyby(~y, ~domain, denominator = ~d, design = des, FUN = svyratio)
if (task == "raking") raked(des)
if (task == "bootstrap") {
  replicated <- as.svrepdesign(des, type = "subbootstrap", replicates = B)
  svyratio(~y, ~d, raked(replicated))
}
if (task != "design") cat(used() - start, "\\n")
"""
SVY_PROGRAM = """
import sys, time, resource, warnings
warnings.simplefilter("ignore")
import polars as pl, svy
task, data, margins, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
frame, table = pl.read_csv(data), pl.read_csv(margins)
start = time.process_time()
design = svy.Design(stratum="stratum", psu="psu", wgt="weight", wr=True)
sample = svy.Sample(frame, design)
controls = {
    name: dict(zip(part["category"].to_list(), part["total"].to_list()))
    for (name,), part in table.partition_by("margin", as_dict=True, maintain_order=True).items()
}
raked = lambda one: one.weighting.rake(controls=controls, tol=1e-10, max_iter=200)
if task != "design":
    start = time.process_time()
if task == "design":
    pass
elif task == "ratio_by_domain":
    sample.estimation.ratio(y="y", x="d", by="domain")
elif task == "raking":
    raked(sample)
else:
    drawn = raked(sample.weighting.create_bs_wgts(count, rstate=1))
    drawn.estimation.ratio(y="y", x="d", method="replication")
print(time.process_time() - start)
"""


NETWORK_PROGRAM = """
import contextlib, sys, time
import numpy as np, pandas as pd, networkscaleup
from survey_engine import KNOWN, POPULATION, made_up_answers
counts, sizes = made_up_answers(int(sys.argv[1]))
answers = pd.DataFrame(counts)
start = time.process_time()
with contextlib.redirect_stdout(None):  # it prints the answers
    networkscaleup.killworth(answers, sizes, list(range(KNOWN)), POPULATION)
print(time.process_time() - start)
"""


NOT_THERE = math.nan  # what a peer has no counterpart to
MOST_MEMORY = 8 * 2**30  # a peer that wants more is stopped


def timed_peer(command, program, task, n, limit):
    """Processor seconds of a peer for a task; None: too long or too much; NaN: no counterpart."""
    if (task == "scale_up") != (program == NETWORK_PROGRAM):
        return NOT_THERE
    with tempfile.TemporaryDirectory() as folder:
        if task == "scale_up":  # it makes the answers up itself
            return seconds_of(command, program, [n], folder, limit)
        return seconds_of(
            command, program, [task, *written_sample(n, Path(folder)), REPLICATES], folder, limit
        )


def written_sample(n, folder):
    """Write the made-up sample and its margins as CSV: their paths."""
    columns, totals = made_up_sample(n)
    data, margins = folder / "d.csv", folder / "t.csv"
    np.savetxt(
        data,
        np.column_stack(list(columns.values())),
        delimiter=",",
        header=",".join(columns),
        comments="",
        fmt=["%d" if values.dtype.kind == "i" else "%.10g" for values in columns.values()],
    )
    rows = [f"{name.replace(': ', ',')},{value!r}" for name, value in totals.items()]
    margins.write_text("margin,category,total\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return data, margins


def seconds_of(command, program, given, folder, limit):
    """Run a peer's program, which prints its processor seconds; None: too long or too much."""
    source = Path(folder) / "program"
    source.write_text(program, encoding="utf-8")
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    settings = dict.fromkeys(("POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1")
    try:
        done = subprocess.run(
            [command, str(source), *map(str, given)],
            capture_output=True,
            text=True,
            timeout=limit,
            check=True,
            env=os.environ | settings | {"PYTHONPATH": paths},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY,) * 2),
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return float(done.stdout.split()[-1])


def peers(choice):
    """Installed peers: name, command, program."""
    found = []
    if choice.no_peers:
        return found
    if shutil.which("Rscript"):
        version = said(
            ["Rscript", "-e", 'cat(as.character(packageVersion("survey")), R.version.string)']
        )
        if version:
            found.append((f"R survey {version}", "Rscript", R_PROGRAM))
    python = choice.peer_python or sys.executable
    if choice.peer_python or importlib.util.find_spec("svy"):
        version = said([python, "-W", "ignore", "-c", "import svy; print(svy.__version__)"])
        if version:
            found.append((f"svy {version}", python, SVY_PROGRAM))
    version = said(
        [sys.executable, "-c", "import importlib.metadata as m; print(m.version('networkscaleup'))"]
    )
    if version:
        found.append((f"networkscaleup {version}", sys.executable, NETWORK_PROGRAM))
    return found


def said(command):
    """Give what a command prints; empty where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def peak_megabytes():
    """Peak memory of this process; its parent's, which Linux counts in ru_maxrss, left out."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def machine():
    """Processor, cores, memory and versions, in a line."""
    model = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        names = re.findall(r"model name\s*: (.+)", cpu.read_text(encoding="utf-8"))
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB; {platform.system()}; {versions}"


HEAD = """# Performance

Generated by the programs in `benchmarks/`; a section names its command.
"""
TITLE = "## Survey engine"
WORDS = {
    "design": "compiling the design and 10 domains",
    "ratio_by_domain": "ratio with standard error in 10 domains",
    "raking": "raking on 4 margins",
    "scale_up": "25 known groups, 6 hidden ones, with standard errors (networkscaleup: none)",
    "bootstrap": "1,000 bootstrap replicates, raked in each, with a ratio",
}


def brief(seconds):
    """Seconds with two significant digits."""
    return (
        f"{float(f'{seconds:.2g}'):.4f}".rstrip("0").rstrip(".")
        if seconds < 10
        else f"{seconds:.0f}"
    )


def section(rows, names, when, limit):
    """Write the results as a section of docs/performance.md."""
    head = ["task", "respondents", "seconds", "by the clock", "peak MB", "aim, seconds"]
    head += [part for name in names for part in (name.split(" R ")[0], "times ours")]
    lines = [
        TITLE,
        "",
        f"`python benchmarks/survey_engine.py --write`, {when}. {machine()}.",
        "One thread; seconds of the processor, the quickest of three runs (the bootstrap of "
        f"{LONG_BOOTSTRAP:,} or more: one).",
        f"Load average of the machine meanwhile: {os.getloadavg()[0]:.0f}.",
        f"Peers, one run each: {'; '.join(names) or 'none installed'}.",
        f"– : longer than {limit:g} seconds by the clock, or more than 8 GB.",
        "",
        "| " + " | ".join(head) + " |",
        "| --- |" + " ---: |" * (len(head) - 1),
    ]
    for task, n, found, others in rows:
        aim = AIMS.get((task, n))
        cells = [WORDS[task], f"{n:,}", brief(found["seconds"]), brief(found["clock"])]
        cells += [f"{found['megabytes']:.0f}", "" if aim is None else f"{aim:g}"]
        for seconds in others:
            times = None if seconds is None else seconds / found["seconds"]
            if times is None:
                cells += ["–", "–"]
            elif math.isnan(times):
                cells += ["", ""]
            else:
                cells += [brief(seconds), f"{times:.0f}×" if times > 2 else f"{times:.1f}×"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write_section(text, title=TITLE):
    """Put a section into docs/performance.md in place of the one that is there, or at its end."""
    page = Path(__file__).parents[1] / "docs" / "performance.md"
    old = page.read_text(encoding="utf-8") if page.exists() else HEAD
    parts = [part.rstrip() + "\n" for part in re.split(r"(?m)^(?=## )", old)]
    places = [k for k, part in enumerate(parts) if part.startswith(title + "\n")]
    if places:
        parts[places[0]] = text
    else:
        parts.append(text)
    page.write_text("\n".join(parts), encoding="utf-8")


def main():
    """Print one line a task and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--no-peers", action="store_true", help="leave other software out")
    parser.add_argument("--peer-python", help="a Python that has svy")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a peer may take")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--one", nargs=2, metavar=("TASK", "N"), help=argparse.SUPPRESS)
    choice = parser.parse_args()
    if choice.one:
        seconds, clock = timed(choice.one[0], int(choice.one[1]))
        peak = peak_megabytes()
        print(json.dumps({"seconds": seconds, "clock": clock, "megabytes": peak}))
        return
    beside, rows = peers(choice), []
    for task in TASKS:
        for n in choice.sizes:
            call = [sys.executable, __file__, "--one", task, str(n)]
            done = subprocess.run(call, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            others = [
                timed_peer(command, program, task, n, choice.limit)
                for _, command, program in beside
            ]
            rows.append((task, n, found, others))
            print(task, n, found, dict(zip([name for name, *_ in beside], others, strict=True)))
    text = section(
        rows, [name for name, *_ in beside], datetime.date.today().isoformat(), choice.limit
    )
    print(text)
    if choice.write:
        write_section(text)


if __name__ == "__main__":
    main()
