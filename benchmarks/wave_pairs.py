"""Coverage of changes over pairs of waves redrawn from the synthetic world; resumable.

    python benchmarks/wave_pairs.py                          1,000 pairs
    python benchmarks/wave_pairs.py --pairs 20 --workers 1   a quick look

The earlier wave is ph2022, the later one ph2024, in the shipped worlds with their planted change;
each pair draws areas, barangays, households and answers anew, and is weighted and estimated by the
functions and the configs of the run, under joint replicates. The later wave is drawn three times
for each earlier one: with all PSUs and barangays visited again, with half of them, and
independently. Where PSUs are shared, the analysis that ignores it is shown beside (`ignored`).
Fieldwork errors and cleaning are left out. The result, data/reference/wave_pairs.csv, has a sidecar
with command, date and the hash of the code.
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

from zlib import crc32

import numpy as np
import pandas as pd
from provenance import ROOT, code_hash, write_sidecar
from redrawn_surveys import PSA, cells_of

from prevalence.coverage import VALUES, coverage_table
from prevalence.estimation import study_of
from prevalence.files import read_csv, read_yaml, replacing, write_csv
from prevalence.identity import value_hash
from prevalence.synthetic.assembly import country_of
from prevalence.synthetic.later_wave import later_config, later_world, planted_changes
from prevalence.synthetic.redraw import answers_of
from prevalence.synthetic.selection import draw_sample
from prevalence.synthetic.side_tables import AGES, census_margins
from prevalence.synthetic.survey import draw_survey
from prevalence.waves.cells import cells_of as compared_cells
from prevalence.waves.cells import compare, frozen
from prevalence.waves.change import difference, relative_change
from prevalence.waves.samples import joint_samplings
from prevalence.weighting import weigh

PARTS = ROOT / "data" / "processed" / "wave_pairs"
RESULT = ROOT / "data" / "reference" / "wave_pairs.csv"
WAVES = ("ph2022", "ph2024")
OVERLAPS = {
    "all": {"psus": 1, "barangays": 1},
    "half": {"psus": 0.5, "barangays": 0.5},
    "none": None,
}
KINDS = ("national", "island_group")
MEASURES = ("ratio", "difference")
CHUNK = 20
WORLD, SAMPLE, BOOTSTRAP = 1, 2, 4  # places in the sequence of seeds; a pair's number follows


def settings():
    """Give the synthetic configs, the sections of the surveys' configs that matter, the seed."""
    folders = {"synthetic": "synthetic", "survey": "surveys"}
    found = {
        kind: [read_yaml(ROOT / "config" / folder / f"{wave}.yaml") for wave in WAVES]
        for kind, folder in folders.items()
    }
    sections = ("weight", "estimate", "headline")
    surveys = [{name: survey[name] for name in sections} for survey in found["survey"]]
    seed = found["synthetic"][1]["seed"]
    return {"synthetic": found["synthetic"], "survey": surveys, "seed": seed}


def shipped_worlds(config):
    """Make both countries and worlds behind the committed exports, and what truly changed."""
    tables = (
        read_csv(PSA / "region_2020_householdpop.csv").set_index("area").to_dict("index"),
        cells_of(PSA / "proj.csv"),
        cells_of(PSA / "age_sex_2020.csv"),
    )
    first, second = config["synthetic"]
    before = country_of(first, *tables)
    after = country_of(later_config(second, first), *tables)
    run = read_yaml(ROOT / "config" / "config.yaml")["seed"]
    entropy = [first["seed"], run, crc32(WAVES[0].encode()), crc32(b"synthesize_survey")]
    old = before.world([*entropy, WORLD])
    new = later_world(old, before, after)
    changes = planted_changes(before.truth(old)["estimands"], after.truth(new)["estimands"])
    shipped = read_yaml(ROOT / "data" / "raw" / WAVES[1] / "truth.json")  # JSON is YAML
    if changes != shipped["changes"]:
        raise SystemExit("The worlds aren't the shipped ones: run make synthesize.")
    return (before, after), (old, new), changes


def interviewed(draw, world, country, survey):
    """Interview and weigh a drawn wave: the tables that estimation and replicates start from."""
    respondents, ard, frame = answers_of(world, draw)
    census = pd.DataFrame(census_margins(country.census, country.age_sex))
    made = weigh(respondents, survey["weight"], frame, census)
    margins = survey["weight"]["calibration"]["margins"]
    return {
        "respondents": respondents,
        "ard": ard,
        "weights": made.weights,
        "households": made.households,
        "margins": made.margins,
        "replicates": made.households[["stratum", "psu"]].drop_duplicates(ignore_index=True),
        "replicate_factors": pd.DataFrame({"kind": "calibration", "margin": margins}),
        "known_groups": pd.DataFrame(country.config["known_groups"]),
        "populations": pd.DataFrame(country.people),
    }


def changes_of(tables, surveys, years, entropy, *, independent):
    """Compare two waves: the cells, and their estimates under joint replicates."""
    samplings, overlap = joint_samplings(
        tables, tuple(survey["weight"] for survey in surveys), entropy, independent=independent
    )
    studies = [
        study_of(
            one,
            estimate=survey["estimate"],
            headline=survey["headline"],
            year=year,
            sampling=sampling,
        )
        for one, survey, year, sampling in zip(tables, surveys, years, samplings, strict=True)
    ]
    cells = [
        cell
        for cell in compared_cells(*frozen(*studies)[:2])
        if cell.key["domain_type"] in KINDS and cell.key["unit"] != "persons"
    ]
    return cells, compare(cells, samplings, overlap)


def ignoring(pair, generator):
    """Analyse shared PSUs as if the waves had been drawn independently."""
    order = generator.permutation(len(pair.later.replicates))
    return replace(
        pair,
        later=replace(pair.later, replicates=pair.later.replicates[order]),
        covariance_linearised=np.zeros_like(pair.covariance_linearised),
        shared_df=np.zeros_like(pair.shared_df),
    )


def estimate_pair(config, countries, worlds, number):
    """Compare one earlier wave with the later ones drawn for it, a row a cell and measure."""
    seed, level = config["seed"], config["survey"][0]["estimate"]["level"]
    years = [country.config["year"] for country in countries]
    entropy = [seed, SAMPLE, number]
    first = draw_survey(worlds[0], countries[0].age_sex, AGES, entropy)
    earlier = interviewed(first, worlds[0], countries[0], config["survey"][0])
    stream = np.random.default_rng(np.random.SeedSequence(entropy))
    sample = draw_sample(worlds[0], stream)
    keys, values = [], []
    for place, (name, kept) in enumerate(OVERLAPS.items()):
        given = (None, None) if kept is None else (sample, kept)
        again = [seed, SAMPLE, number, place + 1]
        second = draw_survey(worlds[1], countries[1].age_sex, AGES, again, *given)
        later = interviewed(second, worlds[1], countries[1], config["survey"][1])
        cells, pair = changes_of(
            (earlier, later),
            config["survey"],
            years,
            [seed, BOOTSTRAP, number, place + 1],
            independent=kept is None,
        )
        analyses = {"joint" if kept else "independent": pair}
        if kept:
            analyses["ignored"] = ignoring(pair, np.random.default_rng([*again, BOOTSTRAP]))
        reports = np.minimum(pair.earlier.n_reporting, pair.later.n_reporting)
        for analysis, found in analyses.items():
            changes = (relative_change(found, level), difference(found, level))
            for measure, change in zip(MEASURES, changes, strict=True):
                rows = zip(
                    change.estimate,
                    change.std_error,
                    change.lower,
                    change.upper,
                    reports,
                    strict=True,
                )
                values += [list(map(float, row)) for row in rows]
                keys += [(name, tuple(cell.key.values()), measure, analysis) for cell in cells]
    return keys, values


def simulate(config, first, count, path):
    """Draw and compare some pairs, and keep their values."""
    countries, worlds, changes = shipped_worlds(config)
    columns = ("group", "domain_type", "domain", "unit")
    truth = {
        (tuple(row[column] for column in columns), row["measure"]): row["truth"] for row in changes
    }
    values = []
    for number in range(first, first + count):
        keys, found = estimate_pair(config, countries, worlds, number)
        true = [truth[cell, measure] for _, cell, measure, _ in keys]
        values.append(np.column_stack([true, found]))
    named = [(name, cell[0], cell[2], measure, analysis) for name, cell, measure, analysis in keys]
    with replacing(path) as partial, partial.open("wb") as stream:
        np.savez(stream, values=np.array(values), keys=np.array(named))
    return path


def main():
    """Simulate what is missing, summarise, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    config = settings()
    code, _ = code_hash(__file__)
    mark = value_hash([config, code])[:12]
    parts = [(first, min(CHUNK, options.pairs - first)) for first in range(0, options.pairs, CHUNK)]
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
    keys = [tuple(key) for key in loaded[0]["keys"].tolist()]
    assert len(VALUES) == values.shape[2]
    table = coverage_table(keys, values, oracle="none", reference=("ratio", "independent"))
    table = table.drop(columns="width_over_oracle").rename(
        columns={"estimator": "overlap", "interval": "measure", "variance": "analysis"}
    )
    if options.pairs < 1_000:
        print(table.round(3).to_string(index=False))
        return
    write_csv(table, RESULT)
    write_sidecar(RESULT, __file__, config, options.pairs)
    print(f"{RESULT.relative_to(ROOT)}: {len(table)} rows")


if __name__ == "__main__":
    sys.exit(main())
