"""The stages of the pipeline, up to the estimates, on a folder with the tiny survey, step by step.

Each step is the `main` of a rule's script with the rule's inputs, outputs and params, so that a bad
input meets the code that meets it in a run. A step whose inputs and params were seen before gives
the files that it gave then: hundreds of cases differ from one another in one place only.
"""

import contextlib
import hashlib
import importlib.util
import shutil
import zlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from prevalence.config import check_survey, check_survey_id, read_config, survey_schema
from prevalence.config import setting as lookup
from prevalence.files import read_yaml
from prevalence.manifest import check_present

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "surveys" / "tiny"
SURVEY = "tiny"
SEED = 20230907
STAGES = ("config", "ingest", "clean", "weight", "estimate")
STUDY = {
    "respondents": "clean/respondents.parquet",
    "ard": "clean/ard.parquet",
    "weights": "weight/weights.parquet",
    "replicates": "weight/replicates.parquet",
    "replicate_factors": "weight/replicate_factors.parquet",
    "known_groups": "ingest/tables/known_groups.csv",
    "populations": "ingest/tables/populations.csv",
}


class Items(dict):
    """Named inputs, outputs, params: as attributes, as items, and in order, as Snakemake has it."""

    __getattr__ = dict.__getitem__


class Outputs(Items):
    """Named outputs; one that isn't listed here is a CSV file of its name beside the others."""

    def __missing__(self, name):
        folder = next(Path(path).parent for path in self.values())
        self[name] = str(folder / f"{name}.csv")
        return self[name]

    def __getattr__(self, name):
        return self[name]


@dataclass
class Step:
    """One job: a rule's script with what the rule gives it."""

    stage: str
    script: str
    inputs: dict
    outputs: dict
    params: dict = field(default_factory=dict)
    wildcards: dict = field(default_factory=dict)


@cache
def script(name):
    """The module of a rule's script."""
    path = ROOT / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def schema():
    """The schema of a survey's config."""
    folder = ROOT / "workflow" / "schemas" / "survey"
    return survey_schema({path.stem: read_yaml(path) for path in sorted(folder.glob("*.yaml"))})


def seed(rule):
    """Entropy of a rule's random numbers, as the workflow gives it."""
    return [SEED, zlib.crc32(SURVEY.encode()), zlib.crc32(rule.encode())]


def raw_files(config):
    """Every raw file that the config names."""
    return sorted({config["ingest"]["responses"], *(config["ingest"].get("tables") or {}).values()})


def files_in(value):
    """Every path in an input: one, a list, or nothing."""
    paths = value if isinstance(value, list) else [value]
    return [Path(path) for path in paths if path]


class Tiny:
    """A folder with the files of the tiny survey, to be spoilt and run."""

    def __init__(self, folder, memory):
        self.folder = Path(folder)
        self.memory = memory  # outputs of steps by what went into them
        for part in ("config", "data/raw"):
            shutil.copytree(TINY / part, self.folder / part)
        for name in ("disclosure", "published_findings", "terminology"):
            shutil.copy(ROOT / "config" / f"{name}.yaml", self.folder / "config" / f"{name}.yaml")
        self.config_file = self.folder / "config" / "surveys" / f"{SURVEY}.yaml"
        self.raw = self.folder / "data" / "raw" / SURVEY
        self.manifest_is_stale = False

    @property
    def restricted(self):
        return self.folder / "data" / "processed" / SURVEY / "restricted"

    def made(self):
        """Everything that steps wrote, and whatever else lies where they write."""
        top = self.folder / "data" / "processed"
        return sorted(str(p.relative_to(top)) for p in top.rglob("*") if p.is_file())

    def declare(self):
        """Write the manifest of the raw files as they are now."""
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
            for path in sorted(self.raw.iterdir())
            if path.is_file() and path.name != "MANIFEST.sha256"
        ]
        (self.raw / "MANIFEST.sha256").write_text("".join(lines))

    def config(self):
        """Read and check the survey's config as the workflow does."""
        values = read_config(self.config_file)
        check_survey_id(self.config_file.stem, str(self.config_file), {"all", "clean_responses"})
        check_survey(values, schema(), str(self.config_file))
        return values

    def run(self, until):
        """Run every step up to a stage."""
        config = self.config()
        if not self.manifest_is_stale:
            self.declare()
        if until != "config":
            with contextlib.chdir(self.folder):
                check_present(SURVEY, raw_files(config), config["ingest"]["codebook"])
        for step in self.steps(config):
            if STAGES.index(step.stage) > STAGES.index(until):
                break
            self.do(step)
        return config

    def do(self, step):
        """Run a step, or give the files that it made of the same inputs before."""
        key = self._key(step)
        if key not in self.memory:
            before = set(self.made())
            outputs = Outputs(step.outputs)
            # Whatever isn't a PipelineError is the pipeline's own fault: it reaches the test.
            try:
                script(step.script).main(
                    SimpleNamespace(
                        input=Items(step.inputs),
                        output=outputs,
                        params=Items(step.params),
                        wildcards=Items({"survey": SURVEY, **step.wildcards}),
                        rule=step.script.split("/")[1],
                    )
                )
            except Exception:
                left = sorted(set(self.made()) - before)
                assert not left, f"half a step left outputs behind: {left}"
                raise
            self.memory[key] = self._contents(outputs)
            return
        for path, content in self.memory[key].items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _key(self, step):
        seen = hashlib.sha256(repr((step.script, step.params, step.wildcards)).encode())
        for name, value in step.inputs.items():
            for path in files_in(value):
                inside = path.is_dir()
                for file in sorted(path.rglob("*")) if inside else [path]:
                    place = f"{name} {file.name} {file.suffix} {file.is_symlink()}".encode()
                    seen.update(place + file.read_bytes() if file.is_file() else place)
        return seen.hexdigest()

    def _contents(self, outputs):
        found = {}
        for value in outputs.values():
            for path in files_in(value):
                for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                    if file.is_file():
                        found[str(file.relative_to(self.folder))] = file.read_bytes()
        return found

    # The DAG of the rules, in an order in which it can be run.

    def steps(self, config):
        """Every job of the survey."""
        yield from self._ingest(config)
        yield from self._clean_and_weight(config)
        yield from self._estimate(config)

    def path(self, place):
        return str(self.restricted / place)

    def table(self, config, name):
        listed = (config["ingest"].get("tables") or {}).get(name)
        return self.path(f"ingest/tables/{name}{Path(listed).suffix}") if listed else []

    def _ingest(self, config):
        ingest = config["ingest"]
        tables = ingest.get("tables") or {}
        codebook = str(self.folder / ingest["codebook"])
        keys = ("reader", "accepted_identifiers", "pseudonym_key", "public_microdata", "synthetic")
        params = {key: lookup(config, f"ingest.{key}") for key in keys}
        params["synthetic"] = config["survey"]["synthetic"]
        manifest = str(self.raw / "MANIFEST.sha256")
        for file in raw_files(config):
            yield Step(
                "ingest",
                "ingest/verify_raw",
                {"raw": str(self.raw / file), "manifest": manifest},
                {"marker": self.path(f"ingest/verified/{file}.json")},
            )
        yield Step(
            "ingest",
            "ingest/read_responses",
            {"raw": str(self.raw / ingest["responses"]), "codebook": codebook},
            {
                "responses": self.path("ingest/responses.parquet"),
                "variables": self.path("ingest/variables.csv"),
                "dropped": self.path("ingest/dropped_variables.csv"),
            },
            params,
        )
        for name, file in tables.items():
            if name == "truth":
                yield Step(
                    "ingest",
                    "ingest/read_truth",
                    {"raw": str(self.raw / file)},
                    {"truth": self.path("ingest/tables/truth.json")},
                    {"synthetic": params["synthetic"]},
                )
                continue
            yield Step(
                "ingest",
                "ingest/read_table",
                {
                    "raw": str(self.raw / file),
                    "codebook": codebook if name == "known_groups" else [],
                },
                {"table": self.path(f"ingest/tables/{name}.csv")},
                params | {"arrange": lookup(config, f"ingest.arrange.{name}")},
                {"table": name},
            )

    def _clean_and_weight(self, config):
        cleaned = ("respondents.parquet", "ard.parquet", "situations.parquet", "sample_flow.csv")
        yield Step(
            "clean",
            "clean/clean_responses",
            {
                "responses": self.path("ingest/responses.parquet"),
                "codebook": str(self.folder / config["ingest"]["codebook"]),
                "frame": self.table(config, "frame"),
            },
            {
                Path(file).stem: self.path(f"clean/{file}")
                for file in (*cleaned, "edits.parquet", "data_quality.csv")
            },
            {"clean": config["clean"]},
        )
        weights, households = self.path(STUDY["weights"]), self.path("weight/households.parquet")
        yield Step(
            "weight",
            "weight/compute_weights",
            {
                "respondents": self.path(STUDY["respondents"]),
                "frame": self.table(config, "frame"),
                "census": self.table(config, "census"),
            },
            {
                "weights": weights,
                "households": households,
                "weighting": self.path("weight/weighting.csv"),
                "distribution": self.path("weight/weight_distribution.csv"),
                "response_rates": self.path("weight/response_rates.csv"),
                "margins": self.path("weight/margins.csv"),
                "collapsed": self.path("weight/collapsed.csv"),
            },
            {"weight": config["weight"]},
        )
        yield Step(
            "weight",
            "weight/draw_replicates",
            {
                "weights": weights,
                "households": households,
                "margins": self.path("weight/margins.csv"),
            },
            {
                "replicates": self.path(STUDY["replicates"]),
                "factors": self.path(STUDY["replicate_factors"]),
            },
            {"weight": config["weight"], "seed": seed("draw_replicates")},
        )

    def _estimate(self, config):
        study = {name: self.path(place) for name, place in STUDY.items()}
        for name in ("known_groups", "populations"):
            study[name] = self.table(config, name)
        elicited = {n: self.table(config, n) for n in ("survivor_panel", "companion")}
        params = {
            "estimate": config["estimate"],
            "headline": config.get("headline"),
            "year": config["survey"]["year"],
        }
        found = read_yaml(self.folder / "config/published_findings.yaml")["findings"]
        findings = found if config["survey"].get("mirror") else []
        tables = ("known_groups", "scale_up")
        out = {name: self.path(f"estimate/{name}.csv") for name in tables}
        more = {
            "check_known_groups": (study, ["known_groups", "agreement"], {}),
            "estimate_scale_up": (
                study
                | {"checked": out["known_groups"], "visibility": self.table(config, "visibility")},
                ["scale_up", "contrasts", "disclosure_inputs"],
                {"seed": seed("estimate_scale_up")},
            ),
            "estimate_degrees": (study, ["degrees", "summary", "distribution"], {}),
            "estimate_reporting": (
                study | {"situations": self.path("clean/situations.parquet")},
                ["reporting"],
                {},
            ),
            "specify_alternatives": (
                study,
                ["specifications", "choice_shares", "trimming"],
                {
                    "combine": lookup(config, "clean.combine"),
                    "imputations": lookup(config, "clean.imputations"),
                },
            ),
            "adjust_estimates": (
                study | elicited,
                ["adjustment", "variance_components", "factors"],
                {"seed": seed("adjust_estimates")},
            ),
            "assess_sensitivity": (
                study | elicited | {"scale_up": out["scale_up"]},
                ["sensitivity", "influence"],
                {"seed": seed("adjust_estimates"), "findings": findings},
            ),
            "plan_next_wave": (study, ["planning"], {}),
            "describe_estimands": (
                {"populations": study["populations"]},
                ["estimands"],
                {
                    "combine": lookup(config, "clean.combine"),
                    "imputations": lookup(config, "clean.imputations"),
                },
            ),
        }
        names = {
            "degrees": "degrees.parquet",
            "summary": "degree_summary.csv",
            "distribution": "degree_distribution.csv",
        }
        for rule, (inputs, outputs, own) in more.items():
            paths = {n: self.path(f"estimate/{names.get(n, f'{n}.csv')}") for n in outputs}
            yield Step("estimate", f"estimate/{rule}", inputs, paths, params | own)
