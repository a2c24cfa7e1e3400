"""Coverage of the intervals in simulated worlds; resumable, in parallel, with progress.

    python benchmarks/coverage.py                       all worlds of benchmarks/worlds.yaml
    python benchmarks/coverage.py --world plain --surveys 100     a quick look, in this process

The first runs `snakemake data/processed/simulate/coverage.csv`, which keeps finished parts and
doesn't compute them again while parameters and code are the same, and takes its table over as
data/reference/coverage.csv, with a sidecar coverage.json that has the command, the date, and the
hash of the code that made it. `snakemake simulate --workflow-profile profiles/slurm` beforehand
computes the parts on a cluster.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

import argparse
import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import pandas as pd
from provenance import ROOT, WORLDS, simulated, write_sidecar

from prevalence.files import read_yaml, write_csv
from prevalence.simulation import simulate_coverage, world_table

RESULT = ROOT / "data" / "reference" / "coverage.csv"


def quick_look(config, names, surveys):
    """Simulate some worlds here and now."""
    tables = []
    for name in names:
        parameters = config["defaults"] | config["worlds"][name]
        keys, values = simulate_coverage(name, parameters, config["seed"], 0, surveys)
        tables.append(world_table(name, parameters, keys, values))
    return pd.concat(tables)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", action="append", help="only this world; may be repeated")
    parser.add_argument("--surveys", type=int, help="surveys a world")
    options = parser.parse_args()
    config = read_yaml(WORLDS)
    if options.world or options.surveys:
        names = options.world or list(config["worlds"])
        shown = quick_look(config, names, options.surveys or config["surveys"])
        print(shown.round(3).to_string(index=False))
        return
    table = simulated("coverage")
    if set(table["world"]) != set(config["worlds"]):
        raise SystemExit("config/simulations.yaml leaves worlds out: set `worlds: all`.")
    write_csv(table, RESULT)
    write_sidecar(RESULT, __file__, config, config["surveys"], rules=["simulate"])
    print(f"{RESULT.relative_to(ROOT)}: {len(table)} rows")


if __name__ == "__main__":
    sys.exit(main())
