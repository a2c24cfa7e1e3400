"""Time and memory of the estimate stage on a finished run, with more replicates than it has.

    python benchmarks/estimate_stage.py                    ph2022, 2,000 replicates
    python benchmarks/estimate_stage.py --write            and write docs/performance.md

The clean and weight tables come from data/processed/<survey>/ (run snakemake before); replicates
are drawn anew. Each rule's script runs in a process of its own, as in the pipeline, imports
included. Times are of the processor. With --write the section "Estimate stage" of
docs/performance.md is written anew.
"""

import argparse
import datetime
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from survey_engine import machine, peak_megabytes, write_section

from prevalence.files import read_csv, read_parquet, read_yaml, write_parquet
from prevalence.specifications import CHOICES

ROOT = Path(__file__).parents[1]
SEED = [20230907]
AIM = "20 seconds on two cores and 1,000 MB, with 2,000 replicates and 500 specifications"
ROWS = ("respondents", "ard", "situations")
TITLE = "## Estimate stage"
OUTPUTS = {
    "estimate_degrees": {"degrees": "parquet", "summary": "csv", "distribution": "csv"},
    "check_known_groups": {"known_groups": "csv", "agreement": "csv"},
    "estimate_scale_up": {"scale_up": "csv", "contrasts": "csv", "disclosure_inputs": "csv"},
    "estimate_reporting": {"reporting": "csv"},
    "specify_alternatives": {"specifications": "csv", "choice_shares": "csv", "trimming": "csv"},
    "adjust_estimates": {"adjustment": "csv", "variance_components": "csv", "factors": "csv"},
    "assess_sensitivity": {"sensitivity": "csv", "influence": "csv"},
    "plan_next_wave": {"planning": "csv"},
    "describe_estimands": {"estimands": "csv"},
    "describe_concentration": {"effective_n": "csv", "influential": "csv"},
}


class Files(dict):
    """Named files, as Snakemake gives them to a script."""

    __getattr__ = dict.__getitem__


def inputs_of(survey, config, folder):
    """Files of the clean and weight stages, side tables, and what the stage hands on."""
    run = ROOT / "data" / "processed" / survey / "restricted"
    found = Files({name: run / "clean" / f"{name}.parquet" for name in ROWS})
    found["weights"] = run / "weight" / "weights.parquet"
    found["replicates"] = folder / "replicates.parquet"
    found["replicate_factors"] = folder / "replicate_factors.parquet"
    given = config["ingest"].get("tables") or {}
    names = ("known_groups", "populations", "survivor_panel", "companion", "visibility")
    for name in names:
        found[name] = run / "ingest" / "tables" / f"{name}.csv" if name in given else []
    found["checked"] = folder / "known_groups.csv"
    found["scale_up"] = folder / "scale_up.csv"
    return found


def draw(survey, config, folder, replicates):
    """Draw the replicates anew."""
    from prevalence.weighting import replicate_weights

    weight = ROOT / "data" / "processed" / survey / "restricted" / "weight"
    settings = config["weight"] | {
        "replication": {"method": "rescaled_bootstrap", "replicates": replicates}
    }
    table, factors, _ = replicate_weights(
        read_parquet(weight / "weights.parquet"),
        read_parquet(weight / "households.parquet"),
        read_csv(weight / "margins.csv"),
        settings,
        SEED,
    )
    write_parquet(table, folder / "replicates.parquet")
    write_parquet(factors, folder / "replicate_factors.parquet")


def run_rule(rule, survey, folder):
    """Run one rule's script in this process."""
    config = read_yaml(ROOT / "config" / "surveys" / f"{survey}.yaml")
    findings = read_yaml(ROOT / "config" / "published_findings.yaml")["findings"]
    path = ROOT / "scripts" / "estimate" / f"{rule}.py"
    spec = importlib.util.spec_from_file_location(rule, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs = {key: folder / f"{key}.{end}" for key, end in OUTPUTS[rule].items()}
    module.main(
        SimpleNamespace(
            input=inputs_of(survey, config, folder),
            output=Files(outputs),
            params=SimpleNamespace(
                estimate=config["estimate"],
                headline=config["headline"],
                year=config["survey"]["year"],
                combine=config["clean"].get("combine"),
                imputations=config["clean"].get("imputations"),
                seed=SEED,
                findings=findings if config["survey"].get("mirror") else [],
            ),
            wildcards=SimpleNamespace(survey=survey),
        )
    )


def measured(rule, survey, folder):
    """Processor seconds, clock seconds and peak megabytes of a rule in a process of its own."""
    clock = time.perf_counter()
    call = [sys.executable, __file__, "--rule", rule, "--survey", survey, "--folder", str(folder)]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], time.perf_counter() - clock, found["megabytes"]


def main():
    """Print one line a rule, then the sum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--survey", default="ph2022")
    parser.add_argument("--replicates", type=int, default=2_000)
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--rule", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    choice = parser.parse_args()
    if choice.rule:
        run_rule(choice.rule, choice.survey, choice.folder)
        used = os.times()
        print(json.dumps({"seconds": used.user + used.system, "megabytes": peak_megabytes()}))
        return
    config = read_yaml(ROOT / "config" / "surveys" / f"{choice.survey}.yaml")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(choice.survey, config, folder, choice.replicates)
        rows = [(rule, *measured(rule, choice.survey, folder)) for rule in OUTPUTS]
        table = read_csv(folder / "specifications.csv")
    count = len(table[list(CHOICES)].drop_duplicates())
    total, most = sum(row[1] for row in rows), max(row[3] for row in rows)
    lines = [
        TITLE,
        "",
        f"`python benchmarks/estimate_stage.py --write`, {datetime.date.today().isoformat()}.",
        f"{machine()}.",
        f"Load average of the machine meanwhile: {os.getloadavg()[0]:.0f}.",
        f"Survey {choice.survey}, {choice.replicates:,} replicates, {count:,} specifications.",
        "A process a rule, imports included; seconds of the processor. Aim:",
        f"{AIM}.",
        "",
        "| rule | seconds | by the clock | peak MB |",
        "| --- | ---: | ---: | ---: |",
        *[f"| `{rule}` | {s:.2f} | {clock:.2f} | {mb:.0f} |" for rule, s, clock, mb in rows],
        f"| all, one after the other | {total:.2f} | {sum(row[2] for row in rows):.2f} "
        f"| {most:.0f} |",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if choice.write:
        write_section(text, TITLE)


if __name__ == "__main__":
    main()
