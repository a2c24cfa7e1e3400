"""What a result under data/reference/ says of itself: command, date, code, parameters, seed."""

import datetime
import re
import subprocess
import sys
from pathlib import Path

from prevalence.dependencies import transitive_modules
from prevalence.files import read_csv, write_json
from prevalence.identity import content_hash, value_hash
from prevalence.streams import stream

__all__ = ["ROOT", "WORLDS", "code_hash", "module_source", "simulated", "stream", "write_sidecar"]

ROOT = Path(__file__).parents[1]
WORLDS = ROOT / "benchmarks" / "worlds.yaml"
SCRIPT = re.compile(r'"(?:\.\./\.\./)?(scripts/[\w/]+\.py)"')


def simulated(study):
    """Let Snakemake compute what is missing of a simulation study, and give its table."""
    table = f"data/processed/simulate/{study}.csv"
    subprocess.run([sys.executable, "-m", "snakemake", table], cwd=ROOT, check=True)
    return read_csv(ROOT / table)


def module_source(name):
    """Give the text of a project module; None where there is none of that name."""
    base = ROOT / "src" / Path(*name.split("."))
    paths = [base.with_suffix(".py"), base / "__init__.py"]
    return next((path.read_text() for path in paths if path.exists()), None)


def code_hash(program, rules=()):
    """Hash a program with every project module that it uses; also give their names.

    A program that runs the workflow names the rule files that it runs: their scripts count too.
    """
    texts = {Path(program).name: Path(program).read_text()}
    for name in rules:
        path = ROOT / "workflow" / "rules" / f"{name}.smk"
        texts[f"{name}.smk"] = path.read_text()
        for script in sorted(set(SCRIPT.findall(texts[path.name]))):
            texts[script] = (ROOT / script).read_text()
    code = "\n".join(text for name, text in texts.items() if name.endswith(".py"))
    names = sorted(transitive_modules(code, "prevalence", module_source))
    return content_hash(texts | {name: module_source(name) for name in names}), names


def write_sidecar(result, program, config, surveys, rules=()):
    """Write the sidecar of a result."""
    code, modules = code_hash(program, rules)
    write_json(
        {
            "command": " ".join(["python", f"benchmarks/{Path(program).name}", *sys.argv[1:]]),
            "what": "simulated surveys of simulated worlds; no real data",
            "date": datetime.date.today().isoformat(),
            "code_sha256": code,
            "modules": modules,
            "parameters_sha256": value_hash(config),
            "seed": config["seed"],
            "surveys": surveys,
        },
        result.with_suffix(".json"),
    )
