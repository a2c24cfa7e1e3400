"""Coverage of the intervals in simulated worlds; resumable, in parallel, with progress.

    python benchmarks/coverage.py                       all worlds of benchmarks/worlds.yaml
    python benchmarks/coverage.py --world plain --surveys 100 --workers 2

Finished parts are kept under data/processed/coverage/ and not computed again while parameters and
code are the same. The result, data/reference/coverage.csv, has a sidecar coverage.json with the
command, the date, and the hash of the code that made it.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import pandas as pd
from provenance import ROOT, WORLDS, code_hash, stream, write_sidecar

from prevalence.coverage import VALUES, coverage_table
from prevalence.files import read_yaml, replacing, write_csv
from prevalence.identity import value_hash
from prevalence.worlds import INTERVALS, ORACLE, build_world, draw_survey, estimate_survey

PARTS = ROOT / "data" / "processed" / "coverage"
RESULT = ROOT / "data" / "reference" / "coverage.csv"
CHUNK = 50


def simulate(part, seed):
    """Draw and estimate some surveys of a world, and keep the values."""
    name, parameters, first, count, path = part
    world = build_world(parameters, stream(seed, name, "world"))
    values, keys = [], []
    for number in range(first, first + count):
        outcome = estimate_survey(world, draw_survey(world, stream(seed, name, number)))
        keys = outcome.keys
        values.append(np.stack([getattr(outcome, value) for value in VALUES], axis=1))
    with replacing(path) as partial:
        np.savez(partial, values=np.array(values), keys=np.array(keys))
    return path


def planned(config, names, surveys, code):
    """Parts to compute: world, parameters, first survey, count, file."""
    for name in names:
        parameters = config["defaults"] | config["worlds"][name]
        mark = value_hash([parameters, config["seed"], code])[:12]
        for first in range(0, surveys, CHUNK):
            path = PARTS / name / f"{mark}-{first:05d}.npz"
            yield name, parameters, first, min(CHUNK, surveys - first), path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", action="append", help="only this world; may be repeated")
    parser.add_argument("--surveys", type=int, help="surveys a world")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    config = read_yaml(WORLDS)
    surveys = options.surveys or config["surveys"]
    names = options.world or list(config["worlds"])
    code, _ = code_hash(__file__)
    parts = list(planned(config, names, surveys, code))
    waiting = [part for part in parts if not part[4].exists()]
    began, done = time.monotonic(), 0
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [pool.submit(simulate, part, config["seed"]) for part in waiting]
        for job in as_completed(jobs):
            path = job.result()
            done += 1
            left = (time.monotonic() - began) / done * (len(waiting) - done)
            print(f"{done}/{len(waiting)} {path.parent.name}, {left:.0f} s left", flush=True)
    tables = []
    for name in names:
        loaded = [np.load(part[4]) for part in parts if part[0] == name]
        values = np.concatenate([one["values"] for one in loaded])
        table = coverage_table(
            [tuple(key) for key in loaded[0]["keys"].tolist()],
            values,
            oracle=ORACLE,
            reference=INTERVALS[0],
        )
        table.insert(0, "world", name)
        table.insert(1, "holds", bool((config["defaults"] | config["worlds"][name])["holds"]))
        tables.append(table)
    if options.world or options.surveys:
        shown = pd.concat(tables)
        print(shown.round(3).to_string(index=False))
        return
    write_csv(pd.concat(tables, ignore_index=True), RESULT)
    write_sidecar(RESULT, __file__, config, surveys)
    print(f"{RESULT.relative_to(ROOT)}: {len(parts)} parts, {sum(map(len, tables))} rows")


if __name__ == "__main__":
    sys.exit(main())
