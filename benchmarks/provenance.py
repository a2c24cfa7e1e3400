"""What a result under data/reference/ says of itself: command, date, code, parameters, seed."""

import datetime
from pathlib import Path
from zlib import crc32

import numpy as np

from prevalence.dependencies import transitive_modules
from prevalence.files import write_json
from prevalence.identity import content_hash, value_hash

ROOT = Path(__file__).parents[1]
WORLDS = ROOT / "benchmarks" / "worlds.yaml"


def stream(seed, *words):
    """Give the random generator that belongs to some names and numbers."""
    numbers = [word if isinstance(word, int) else crc32(word.encode()) for word in words]
    return np.random.default_rng(np.random.SeedSequence([seed, *numbers]))


def module_source(name):
    """Give the text of a project module; None where there is none of that name."""
    base = ROOT / "src" / Path(*name.split("."))
    paths = [base.with_suffix(".py"), base / "__init__.py"]
    return next((path.read_text() for path in paths if path.exists()), None)


def code_hash(program):
    """Hash a program with every project module that it uses; also give their names."""
    text = Path(program).read_text()
    names = sorted(transitive_modules(text, "prevalence", module_source))
    parts = {Path(program).name: text} | {name: module_source(name) for name in names}
    return content_hash(parts), names


def write_sidecar(result, program, config, surveys):
    """Write the sidecar of a result."""
    code, modules = code_hash(program)
    write_json(
        {
            "command": f"python benchmarks/{Path(program).name}",
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
