"""Time of complementary suppression and its proof on tables of regions by two by more categories.

    python benchmarks/disclosure.py             17 regions x 2 x 6, then twice the regions
    python benchmarks/disclosure.py --write     and write docs/performance.md

The tables are random: counts of respondents with many small cells, all margins shown but the small
ones, the grand total never withheld. Times are of the processor, median and longest of the tables.
With --write the section "Disclosure control" of docs/performance.md is written anew.
"""

import argparse
import datetime
import time

import numpy as np
from survey_engine import machine, write_section

from prevalence.disclosure.complementary import System, nested_equations, protect, unproved

TITLE = "## Disclosure control"
SEED = 3
THRESHOLD = 10.0
REGIONS = (17, 34)


def random_system(generator, regions, sexes=2, ages=6):
    """Draw counts with all margins as one system; name small cells and the one that must stay."""
    mean = generator.gamma(1.0, 30, (regions, sexes, ages))
    full = np.zeros((regions + 1, sexes + 1, ages + 1))
    full[:-1, :-1, :-1] = generator.poisson(mean)
    full[-1] = full[:-1].sum(axis=0)
    full[:, -1] = full[:, :-1].sum(axis=1)
    full[:, :, -1] = full[:, :, :-1].sum(axis=2)
    place = np.arange(full.size).reshape(full.shape)
    parents = []
    for axis in range(3):
        lines = np.moveaxis(place, axis, 0).reshape(full.shape[axis], -1)
        parents += [(line[-1], line[:-1]) for line in lines.T]
    values = full.ravel()
    fixed = np.zeros(values.size, bool)
    fixed[-1] = True
    equations = nested_equations([("", "")] * values.size, parents)
    need = np.full(values.size, THRESHOLD)
    most = np.full(values.size, 2 * values.max())
    system = System("n", values, values, values, equations, need, most)
    return system, (values < THRESHOLD) & ~fixed, fixed


def timed(regions, tables):
    """Seconds to protect and to prove each table, small cells and withheld cells in all."""
    generator = np.random.default_rng([SEED, regions])
    seconds, small, withheld = [], 0, 0
    for _ in range(tables):
        system, primary, fixed = random_system(generator, regions)
        start = time.process_time()
        found, hopeless = protect([system], primary, 1 + system.values, fixed)
        if hopeless or unproved([system], found):
            raise SystemExit("a table was not protected")
        seconds.append(time.process_time() - start)
        small += int(primary.sum())
        withheld += int(found.sum())
    return seconds, small, withheld


def main():
    """Print a line a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=5, help="random tables of each size")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    choice = parser.parse_args()
    lines = [
        "| regions | cells with margins | tables | small cells | withheld in all "
        "| median seconds | longest |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for regions in REGIONS:
        seconds, small, withheld = timed(regions, choice.tables)
        cells = (regions + 1) * 3 * 7
        lines.append(
            f"| {regions} | {cells:,} | {choice.tables} | {small:,} | {withheld:,} "
            f"| {np.median(seconds):.2f} | {max(seconds):.2f} |"
        )
        print(lines[-1], flush=True)
    if choice.write:
        head = [
            TITLE,
            "",
            f"`python benchmarks/disclosure.py --write`, {datetime.date.today()}. {machine()}.",
            "Random tables of regions × 2 × 6 with all margins; seconds of the processor to",
            "withhold what protects the small cells and to prove it. Aim: 5 s for 17 regions.",
            "",
        ]
        write_section("\n".join([*head, *lines]) + "\n", TITLE)


if __name__ == "__main__":
    main()
