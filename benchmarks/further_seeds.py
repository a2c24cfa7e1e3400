"""Hits and misses of 20 further seeds: a new world and a new survey each, through the whole run.

    python benchmarks/further_seeds.py            the 20 seeds after the shipped one

Each seed runs in a scratch copy of the project, with the shipped config but for the models, which
the headline doesn't rest on, to the published report. The result, data/reference/further_seeds.csv,
says for each seed and national result whether the interval of the run holds the planted truth, and
whether the gate let the report pass. It has a sidecar with command, date and the hash of the code.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml
from provenance import ROOT, write_sidecar
from scratch import run, scratch_copy

from prevalence.files import read_csv, read_yaml, write_csv

RESULT = ROOT / "data" / "reference" / "further_seeds.csv"
SURVEY = "ph2022"
RAW = ("raw/psa", f"raw/{SURVEY}", "reference")
KEYS = ["group", "unit"]
STAGES = (
    *("common", "synthesize", "ingest", "clean", "weight", "estimate"),
    *("release", "figures", "report", "publish"),
)


def results_of(seed, folder):
    """Synthesize, run, compare: rows of the table."""
    place = folder / "config" / "synthetic" / f"{SURVEY}.yaml"
    settings = read_yaml(place) | {"seed": seed}
    place.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
    survey = folder / "config" / "surveys" / f"{SURVEY}.yaml"
    without = {name: own for name, own in read_yaml(survey).items() if name != "model"}
    survey.write_text(yaml.safe_dump(without, sort_keys=False, allow_unicode=True))
    failed = run(folder, "-m", "snakemake", "synthesize", "--quiet", "all")
    failed = failed or run(folder, "scripts/synthesize/adopt_export.py")
    if failed:
        raise SystemExit(f"Synthesis failed with seed {seed}.")
    published = run(folder, "-m", "snakemake", "--quiet", "all") == 0
    processed = folder / "data" / "processed" / SURVEY / "restricted"
    found = read_csv(processed / "estimate" / "scale_up.csv")
    mine = found[found["headline"].astype(bool) & (found["domain_type"] == "national")]
    planted = json.loads((folder / "data" / "raw" / SURVEY / "truth.json").read_text())
    truth = pd.DataFrame(planted["estimands"])
    truth = truth[truth["domain_type"] == "national"].set_index(KEYS)["truth"]
    rows = []
    for row in mine[mine["unit"].isin(["persons", "ratio"])].itertuples():
        true = float(truth[(row.group, row.unit)])
        values = {name: getattr(row, name) for name in ("estimate", "std_error", "lower", "upper")}
        covered = row.lower <= true <= row.upper
        key = {"seed": seed, "group": row.group, "unit": row.unit, "truth": true}
        rows.append(key | values | {"covered": covered, "published": published})
    return rows


def main():
    """Run each seed and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    shipped = read_yaml(ROOT / "config" / "synthetic" / f"{SURVEY}.yaml")["seed"]
    rows = []
    for seed in range(shipped + 1, shipped + 1 + options.seeds):
        with tempfile.TemporaryDirectory() as scratch:
            scratch_copy(Path(scratch), SURVEY, RAW)
            rows += results_of(seed, Path(scratch))
        mine = [f"{row['group']} {row['covered']}" for row in rows if row["seed"] == seed]
        print(f"{seed}: {', '.join(mine)}; published {rows[-1]['published']}", flush=True)
    table = pd.DataFrame(rows)
    if options.seeds < 20:
        print(table.to_string(index=False))
        return
    write_csv(table, RESULT)
    settings = read_yaml(ROOT / "config" / "surveys" / f"{SURVEY}.yaml")
    parameters = {"seed": shipped, "survey": settings}
    write_sidecar(RESULT, __file__, parameters, options.seeds, rules=STAGES)
    print(table.groupby("group")["covered"].mean().to_string())


if __name__ == "__main__":
    sys.exit(main())
