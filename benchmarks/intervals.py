"""Compare kinds of interval in simulated worlds where few places hold most members; resumable.

    python benchmarks/intervals.py                            400 surveys a world, about ten
                                                              minutes of processor time
    python benchmarks/intervals.py --surveys 20 --workers 1   a quick look

Surveys are numbered from 10,000 on: none of them is in the coverage study, so that a kind of
interval that was chosen here can be judged there. All kinds share the linearised variance, with the
residuals of the calibration:

log_t               Student's t on the log scale, PSUs minus strata degrees of freedom
log_t_effective_df  the same with at most 3 (sum d^2)^2 / sum d^4 degrees of freedom, where d are
                    the deviations of PSU scores from their stratum's mean: what kurtosis leaves
bootstrap_t         quantiles of the studentised logarithm over rescaled bootstrap draws, its
                    standard error computed again in each
gamma_mid_p         :func:`prevalence.interval.gamma_mid_p_interval`
gamma               the first gamma alone below, the second alone above (Fay & Feuer)

The result, data/reference/intervals.csv, has a sidecar with command, date and the hash of the
code; docs/validation.md shows it after `make docs`. Finished parts are kept under
data/processed/intervals/ and not computed again.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import pandas as pd
from provenance import ROOT, WORLDS, code_hash, stream, write_sidecar
from scipy.special import gammaincinv, ndtri, stdtrit

from prevalence.coverage import monte_carlo_interval
from prevalence.degree import degrees
from prevalence.files import read_yaml, replacing, write_csv
from prevalence.identity import value_hash
from prevalence.interval import gamma_mid_p_interval
from prevalence.replication import draw_rescaled_bootstrap
from prevalence.worlds import build_world, draw_survey

PARTS = ROOT / "data" / "processed" / "intervals"
RESULT = ROOT / "data" / "reference" / "intervals.csv"
NAMES = (
    "plain",
    "barrier_effects",
    "less_concentrated",
    "less_concentrated_barrier",
    "rare_group",
    "strong_clustering",
)
KINDS = ("log_t", "log_t_effective_df", "bootstrap_t", "gamma_mid_p", "gamma")
FIRST, CHUNK, DRAWS, LEVEL = 10_000, 20, 600, 0.95
TAILS = (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)


def gamma_quantile(probability, mean, variance):
    """Quantile of the gamma distribution with this mean and variance."""
    return gammaincinv(mean**2 / variance, probability) * variance / mean


def bootstrap_t(scores, totals, stratum, drawn):
    """Quantiles of (log R* - log R) / se* over the draws.

    `scores` (C, 2) are the PSU totals of numerator and denominator less what the calibration
    explains of them, `totals` (2,) the weighted totals, `drawn` (C, B) how often each PSU was
    drawn.
    """
    sampled = np.bincount(stratum)
    factor = (sampled / (sampled - 1))[stratum]
    top, bottom = totals[:, None] + scores.T @ (drawn * factor[:, None] - 1)
    top = np.maximum(top, 1e-9 * totals[0])
    # Scores of log R* are s1/top - s2/bottom: five sums a stratum give their sums of squares.
    first, second = factor * scores.T
    columns = np.array([first, second, first**2, first * second, second**2])
    variance = np.zeros(drawn.shape[1])
    for number, size in enumerate(sampled):
        if size < 3:  # one PSU is drawn: there is no variance in a draw
            continue
        mine, draws = stratum == number, size - 1.0
        one, two, one_one, one_two, two_two = columns[:, mine] @ drawn[mine]
        mean = one / top - two / bottom
        squares = one_one / top**2 - 2 * one_two / (top * bottom) + two_two / bottom**2
        variance += (squares - mean**2 / draws) * draws / (draws - 1)
    error = np.sqrt(np.maximum(variance, 1e-12))
    return np.quantile((np.log(top / bottom) - np.log(totals[0] / totals[1])) / error, TAILS)


def limits(scores, totals, shares, stratum, drawn, df):
    """Lower and upper limit of each kind relative to the estimate, and what `gamma_mid_p` needs.

    Returns
    -------
    limits : numpy.ndarray
        Shape (kinds, 2); NaN for `gamma_mid_p`, which is solved for all domains at once.
    needed : tuple of float
        Relative standard error, degrees of freedom, largest share of a PSU.
    """
    sampled = np.bincount(stratum)
    influence = (scores[:, 0] - totals[0] / totals[1] * scores[:, 1]) / totals[0]
    centre = np.bincount(stratum, influence) / sampled
    deviation = np.sqrt(sampled / (sampled - 1))[stratum] * (influence - centre[stratum])
    variance = float(deviation @ deviation)
    error, largest = np.sqrt(variance), shares.max()
    effective = np.clip(3 * variance**2 / (deviation**4).sum(), 1, df)
    halves = [stdtrit(each, TAILS[1]) * error for each in (df, effective)]
    low, high = bootstrap_t(scores, totals, stratum, drawn)
    wider = variance * (halves[0] / error / ndtri(TAILS[1])) ** 2
    found = np.array(
        [
            *((np.exp(-half), np.exp(half)) for half in halves),
            (np.exp(-high * error), np.exp(-low * error)),
            (np.nan, np.nan),
            (
                gamma_quantile(TAILS[0], 1.0, wider),
                gamma_quantile(TAILS[1], 1 + largest, wider + largest**2),
            ),
        ]
    )
    return found, (error, df, largest)


def one_survey(world, islands, number, seed):
    """Truth and limits over the estimate in each domain: rows (kind, group, truth, limits)."""
    survey = draw_survey(world, stream(seed, "intervals", number))
    design = survey.sampling.variance.__self__  # the calibrated design behind the variance
    known = len(world.known)
    degree = degrees(
        "known_population",
        survey.counts[:, :known],
        world.known_sizes,
        float(world.population.sum()),
    )
    drawn = draw_rescaled_bootstrap(design, DRAWS, stream(seed, "intervals draws", number))
    domains = [(0, None, np.ones(len(degree), bool), world)]
    for kind, place in ((1, islands), (2, np.arange(len(islands)))):
        grouped = replace(world, island=place[world.island])
        domains += [(kind, d, place[survey.island] == d, grouped) for d in np.unique(place)]
    rows, bounds, needed = [], [], []
    for kind, domain, mask, grouped in domains:
        people = world.population if domain is None else world.population[grouped.island == domain]
        sizes = grouped.truth(domain)
        for group in range(len(world.hidden)):
            columns = np.column_stack([survey.counts[:, known + group] * mask, degree * mask])
            columns *= design.weights[:, None]
            whole = columns.sum(axis=0)
            if not whole[0] > 0:
                continue
            totals = design.unit_totals(columns)
            scores = totals - design.calibration.fitted_unit_totals(design, columns)
            found, mine = limits(
                scores,
                whole,
                totals[:, 0] / whole[0],
                design.stages[0].stratum,
                np.asarray(drawn, float),
                design.degrees_of_freedom(mask),
            )
            truth = sizes[group] / (people.sum() * whole[0] / whole[1])
            rows.append([kind, group, truth])
            bounds.append(found)
            needed.append(mine)
    kinds = np.array(bounds)
    error, df, largest = np.array(needed).T
    mid_p = gamma_mid_p_interval(np.ones(len(rows)), error, df, largest, LEVEL)
    kinds[:, KINDS.index("gamma_mid_p")] = np.column_stack(mid_p)
    return np.column_stack([np.array(rows), kinds.reshape(len(rows), -1)])


def simulate(parameters, name, seed, first, count, path):
    """Draw some surveys and keep their rows."""
    world = build_world(parameters | {"replicates": 2}, stream(seed, name, "world"))
    islands = np.digitize(np.arange(parameters["regions"]), parameters["island_breaks"])
    regional = replace(world, island=world.region)
    numbers = range(first, first + count)
    rows = np.concatenate([one_survey(regional, islands, number, seed) for number in numbers])
    with replacing(path) as partial, partial.open("wb") as stream_:
        np.save(stream_, rows)
    return path


def summary(name, holds, hidden, values):
    """How often each kind of interval held the truth, and how wide it was."""
    rows = []
    for kind, domain in enumerate(("national", "island", "region")):
        for place, group in enumerate(hidden):
            mine = values[(values[:, 0] == kind) & (values[:, 1] == place)]
            truth, bounds = mine[:, 2], mine[:, 3:].reshape(len(mine), len(KINDS), 2)
            usual = np.median(bounds[:, 0, 1] - bounds[:, 0, 0])
            for number, interval in enumerate(KINDS):
                low, high = bounds[:, number].T
                held = float(((low <= truth) & (truth <= high)).sum())
                at_least, at_most = monte_carlo_interval(np.array([held]), np.array([len(mine)]))
                rows.append(
                    {
                        "world": name,
                        "holds": holds,
                        "group": group,
                        "domain_type": domain,
                        "interval": interval,
                        "intervals": len(mine),
                        "coverage": held / len(mine),
                        "coverage_lower": at_least[0],
                        "coverage_upper": at_most[0],
                        "truth_below": float((truth < low).mean()),
                        "truth_above": float((truth > high).mean()),
                        "median_width": float(np.median(high - low) / usual),
                        "width_p95": float(np.quantile(high - low, 0.95) / usual),
                    }
                )
    return pd.DataFrame(rows)


def main():
    """Simulate what is missing, summarise, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=400)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    config = read_yaml(WORLDS)
    code, _ = code_hash(__file__)
    mark = value_hash([config, code])[:12]
    worlds = {name: config["defaults"] | config["worlds"][name] for name in NAMES}
    jobs = {
        # How many surveys a part holds is in its name: a short look leaves no part for a long one.
        (name, start, count): PARTS / f"{mark}-{name}-{start:05d}-{count}.npy"
        for name in NAMES
        for start in range(0, options.surveys, CHUNK)
        for count in [min(CHUNK, options.surveys - start)]
    }
    began, waiting = time.monotonic(), [job for job, path in jobs.items() if not path.exists()]
    print(f"{len(jobs) - len(waiting)} of {len(jobs)} parts are there", flush=True)
    with ProcessPoolExecutor(options.workers) as pool:
        running = [
            pool.submit(
                simulate,
                worlds[name],
                name,
                config["seed"],
                FIRST + start,
                count,
                jobs[name, start, count],
            )
            for name, start, count in waiting
        ]
        for done, job in enumerate(as_completed(running), start=1):
            job.result()
            left = (time.monotonic() - began) / done * (len(waiting) - done)
            print(f"{done} of {len(waiting)} parts, {left:.0f} s left", flush=True)
    tables = []
    for name, parameters in worlds.items():
        values = np.concatenate([np.load(path) for job, path in jobs.items() if job[0] == name])
        tables.append(summary(name, parameters["holds"], list(parameters["hidden_sizes"]), values))
    table = pd.concat(tables, ignore_index=True)
    if options.surveys < 400:
        print(table.round(3).to_string(index=False))
        return
    write_csv(table, RESULT)
    write_sidecar(RESULT, __file__, config, options.surveys)
    print(f"{RESULT.relative_to(ROOT)}: {len(table)} rows")


if __name__ == "__main__":
    sys.exit(main())
