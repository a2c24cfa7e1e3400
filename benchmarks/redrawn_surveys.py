"""Coverage over surveys redrawn from the world behind the synthetic export ph2022; resumable.

    python benchmarks/redrawn_surveys.py                          1,000 surveys
    python benchmarks/redrawn_surveys.py --surveys 20 --workers 1   a quick look

The world is the shipped one (its seed and settings); each survey draws areas, barangays, households
and answers anew, and is weighted and estimated by the functions and the config of the run, with
calibration repeated in each replicate. Fieldwork errors and cleaning are left out. The result,
data/reference/redrawn_surveys.csv, has a sidecar with command, date and the hash of the code.
"""

# ruff: noqa: E402 - linear algebra must learn its number of threads before it is loaded

import argparse
import csv
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import pandas as pd
from provenance import ROOT, code_hash, write_sidecar

from prevalence.coverage import VALUES, coverage_table
from prevalence.estimation import sampling_of, study_of
from prevalence.files import read_csv, read_yaml, replacing, write_csv
from prevalence.identity import value_hash
from prevalence.ratio import Inference
from prevalence.scale_up import scale_up_table
from prevalence.synthetic.assembly import country_of
from prevalence.synthetic.redraw import answers_of
from prevalence.synthetic.side_tables import AGES, census_margins
from prevalence.synthetic.survey import draw_survey
from prevalence.weighting import replicate_weights, weigh

PSA = ROOT / "data" / "raw" / "psa"
PARTS = ROOT / "data" / "processed" / "redrawn_surveys"
RESULT = ROOT / "data" / "reference" / "redrawn_surveys.csv"
SURVEY = "ph2022"
CHUNK = 20
WORLD, SAMPLE, BOOTSTRAP = 1, 2, 4  # places in the sequence of seeds; a survey's number follows
INTERVALS = (
    ("log_t", "bootstrap"),
    ("gamma_mid_p", "bootstrap"),
    ("t", "bootstrap"),
    ("percentile", "bootstrap"),
    ("log_t", "linearised"),
)
KINDS = ("national", "island_group", "region")


def cells_of(path):
    """Cells of a published table, row by row."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def settings():
    """Give the synthetic config, the sections of the survey's config that matter, the seed."""
    survey = read_yaml(ROOT / "config" / "surveys" / f"{SURVEY}.yaml")
    synthetic = read_yaml(ROOT / "config" / "synthetic" / f"{SURVEY}.yaml")
    kept = {name: survey[name] for name in ("weight", "estimate", "headline")}
    return {"synthetic": synthetic, "seed": synthetic["seed"], **kept}


def shipped_world(config):
    """Make the country and the world behind the committed export."""
    households = read_csv(PSA / "region_2020_householdpop.csv").set_index("area").to_dict("index")
    country = country_of(
        config["synthetic"],
        households,
        cells_of(PSA / "proj.csv"),
        cells_of(PSA / "age_sex_2020.csv"),
    )
    shipped = read_yaml(ROOT / "data" / "raw" / SURVEY / "truth.json")  # JSON is YAML
    world = country.world([config["seed"], *entropy(), WORLD])
    truth = country.truth(world)
    if truth["estimands"] != shipped["estimands"]:
        raise SystemExit("The world isn't the shipped one: run make synthesize.")
    return country, world, truth


def entropy():
    """Give what the rule that makes the export adds to the seed."""
    from zlib import crc32

    run = read_yaml(ROOT / "config" / "config.yaml")["seed"]
    return [run, crc32(SURVEY.encode()), crc32(b"synthesize_survey")]


def redrawn_study(config, country, world, number):
    """Draw a survey from the shipped world, weight it, and order it for estimation."""
    draw = draw_survey(world, country.age_sex, AGES, [config["seed"], SAMPLE, number])
    respondents, ard, frame = answers_of(world, draw)
    census = pd.DataFrame(census_margins(country.census, country.age_sex))
    made = weigh(respondents, config["weight"], frame, census)
    replicates, factors, _ = replicate_weights(
        made.weights,
        made.households,
        made.margins,
        config["weight"],
        [config["seed"], BOOTSTRAP, number],
    )
    tables = {
        "respondents": respondents,
        "ard": ard,
        "weights": made.weights,
        "replicates": replicates,
        "replicate_factors": factors,
        "known_groups": pd.DataFrame(config["synthetic"]["known_groups"]),
        "populations": pd.DataFrame(country.people),
    }
    return study_of(
        tables,
        estimate=config["estimate"],
        headline=config["headline"],
        year=config["synthetic"]["year"],
        sampling=sampling_of(tables),
    )


def estimate_one(config, country, world, number):
    """Estimates of one redrawn survey: a table for each kind of interval."""
    study = redrawn_study(config, country, world, number)
    domains = [domain for domain in study.domains if domain.type in KINDS]
    found = []
    for interval, variance in INTERVALS:
        table = scale_up_table(
            study.hidden_groups(),
            domains,
            study.populations,
            study.sampling,
            estimators=[study.headline.estimator],
            headline=study.headline.estimator,
            inference=Inference(interval, variance, config["estimate"]["level"]),
            ratios=study.settings["ratios"],
        )
        mine = table["domain_type"].isin(KINDS) & table["unit"].isin(["persons", "ratio"])
        mine &= table["estimator"] == study.headline.estimator
        mine &= (table["unit"] == "persons") | (interval != "gamma_mid_p")  # of one estimate alone
        found.append(table[mine].assign(interval=interval, variance=variance))
    return pd.concat(found, ignore_index=True)


def simulate(config, first, count, path):
    """Draw and estimate some surveys, and keep their values."""
    country, world, truth = shipped_world(config)
    true = {
        (row["group"], row["domain_type"], row["domain"]): row["truth"]
        for row in truth["estimands"]
        if row["unit"] in ("persons", "ratio")
    }
    values = []
    for number in range(first, first + count):
        table = estimate_one(config, country, world, number)
        cells = list(zip(table["group"], table["domain_type"], table["domain"], strict=True))
        table["truth"] = [true.get(cell, np.nan) for cell in cells]
        table = table[table["truth"].notna()]
        values.append(table[list(VALUES)].to_numpy(float))
        keys = table[["estimator", "group", "domain", "interval", "variance"]].to_numpy(str)
    with replacing(path) as partial, partial.open("wb") as stream:
        np.savez(stream, values=np.array(values), keys=keys)
    return path


def main():
    """Simulate what is missing, summarise, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    config = settings()
    code, _ = code_hash(__file__)
    mark = value_hash([config, code])[:12]
    parts = [
        (first, min(CHUNK, options.surveys - first)) for first in range(0, options.surveys, CHUNK)
    ]
    parts = [(first, n, PARTS / f"{mark}-{first:05d}-{n}.npz") for first, n in parts]
    waiting = [part for part in parts if not part[2].exists()]
    began, done = time.monotonic(), 0
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [pool.submit(simulate, config, *part) for part in waiting]
        for job in as_completed(jobs):
            job.result()
            done += 1
            left = (time.monotonic() - began) / done * (len(waiting) - done)
            print(f"{done} of {len(waiting)} parts, {left:.0f} s left", flush=True)
    loaded = [np.load(path) for _, _, path in parts]
    values = np.concatenate([one["values"] for one in loaded])
    headline = config["headline"]["estimator"]
    table = coverage_table(
        [tuple(key) for key in loaded[0]["keys"].tolist()],
        values,
        oracle=headline,
        reference=INTERVALS[0],
    ).drop(columns="width_over_oracle")
    if options.surveys < 1_000:
        print(table[table["domain"] == "national"].round(3).to_string(index=False))
        return
    write_csv(table, RESULT)
    write_sidecar(RESULT, __file__, config, options.surveys)
    print(f"{RESULT.relative_to(ROOT)}: {len(table)} rows")


if __name__ == "__main__":
    sys.exit(main())
