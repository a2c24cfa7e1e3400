# What all rule files use. The checked configuration, and functions that name inputs,
# parameters and seeds. No rules stand here.
#
# required: config/config.yaml, config/surveys/*.yaml, workflow/schemas/
# gives:    code(), table(), raw_file(), raw_files(), setting(), stage_seed(), survey_config(), figures()

import datetime
import functools
import os
import re
import sys
import zlib
from pathlib import Path

# The code that is declared as an input is the code that runs: this checkout's, in every job.
SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))
# Compiled loops are kept where outputs are written, which the source's folder needn't be.
os.environ.update(
    PYTHONPATH=str(SOURCE),
    NUMBA_CACHE_DIR=os.environ.get("NUMBA_CACHE_DIR")
    or str(Path.cwd() / ".numba_cache"),
)

from snakemake.io import strip_wildcard_constraints
from snakemake.iocontainers import Wildcards

from prevalence.computing import ONE_THREAD, instructions_here, portable_settings
from prevalence.config import check_config, check_survey, check_survey_id
from prevalence.config import read_config, survey_schema
from prevalence.config import setting as lookup
from prevalence.dependencies import transitive_modules
from prevalence.disclosure.exceptions import check_exceptions
from prevalence.errors import PipelineError, check_known
from prevalence.figures.catalogue import FIGURES, TABLES, section_figures
from prevalence.files import check_writable, read_parquet, read_yaml
from prevalence.identifiers import TABLES_WITH_IDS, key_mark
from prevalence.job import TRACEBACK
from prevalence.manifest import check_present
from prevalence.references import check_citations, check_translations, earlier_tables
from prevalence.report.inputs import REPORTED, STUDIES, source_files, study_files
from prevalence.report.renderers import renderer_identity as named_renderer
from prevalence.report.renderers import resolved_renderer
from prevalence.waves.named import named_waves

# Linear algebra runs in one thread and with the same instructions, whatever the machine has; who sets
# one of the libraries' own variables, to compare or for speed, is obeyed, and the record says so.
os.environ.update(ONE_THREAD)
for name, value in portable_settings(instructions_here()).items():
    os.environ.setdefault(name, value)

# What a killed run leaves stops the next one; Snakemake's own message doesn't name the way on.
LOCKED = any(Path(".snakemake/locks").glob("*.lock"))
if LOCKED and workflow.is_main_process and "--unlock" not in sys.argv:
    print(
        "A run is under way in this folder, or was killed: then `make resume` completes it.",
        file=sys.stderr,
    )

SCHEMAS = Path(workflow.basedir) / "workflow" / "schemas"
SURVEY_SECTIONS = {
    path.stem: read_yaml(path) for path in sorted((SCHEMAS / "survey").glob("*.yaml"))
}
KNOWN_SURVEYS = {
    path.stem: str(path) for path in sorted(Path("config/surveys").glob("*.yaml"))
}


def told(function):
    """Let a function end the run by its error's message alone, without a traceback."""

    @functools.wraps(function)
    def telling(*given):
        try:
            return function(*given)
        except PipelineError as error:
            if os.environ.get(TRACEBACK):
                raise
            sys.exit(f"\n{error}")

    return telling


@told
def check_run_file():
    """Refuse a config/config.yaml that isn't plain YAML, before Snakemake reads it."""
    read_config("config/config.yaml")


@told
def checked_run_config(values):
    """The run's config, checked against its schema and against the surveys that exist."""
    check_config(values, read_yaml(SCHEMAS / "config.yaml"), "config/config.yaml")
    check_known(
        values["surveys"],
        KNOWN_SURVEYS,
        "A survey has no config file.",
        file="config/config.yaml",
        place="surveys",
    )
    return values


@told
@functools.cache
def survey_config(survey):
    """A survey's config, checked against the schemas of its sections."""
    file = KNOWN_SURVEYS[survey]
    values = read_config(file)
    check_survey(values, survey_schema(SURVEY_SECTIONS), file)
    return values


@functools.cache
def module_source(name):
    """Source of a project module, or None where there is none of that name."""
    for path in module_paths(name):
        if path.exists():
            return path.read_text(encoding="utf-8")
    return None


def module_paths(name):
    """Where a module's source may stand."""
    base = SOURCE.joinpath(*name.split("."))
    return base.with_suffix(".py"), base / "__init__.py"


@functools.cache
def module_files(name):
    """The files of a module, from here: fifty scripts ask for the same ones."""
    return [os.path.relpath(path) for path in module_paths(name) if path.exists()]


@functools.cache
def code(script):
    """The project modules on which a script depends: inputs of its rule."""
    text = (Path(workflow.basedir) / script).read_text(encoding="utf-8")
    modules = transitive_modules(text, "prevalence", module_source)
    return sorted(path for name in modules for path in module_files(name))


def setting(key):
    """A value of the survey's config, for `params`; None where an optional key is absent."""
    return lambda wildcards: lookup(survey_config(wildcards.survey), key)


def tables_of(survey):
    """Names and files of the side tables that a survey supplies."""
    return lookup(survey_config(survey), "ingest.tables") or {}


def table(name):
    """A side table after ingest, for `input`; nothing where the survey doesn't supply it."""

    def path(wildcards):
        if name not in tables_of(wildcards.survey):
            return []
        suffix = Path(tables_of(wildcards.survey)[name]).suffix
        return (
            f"data/processed/{wildcards.survey}/restricted/ingest/tables/{name}{suffix}"
        )

    return path


def raw_file(name):
    """A raw file by its name in the config (`responses` or a side table), for `input`."""

    def path(wildcards):
        file = (
            lookup(survey_config(wildcards.survey), "ingest.responses")
            if name == "responses"
            else tables_of(wildcards.survey)[name]
        )
        return f"data/raw/{wildcards.survey}/{file}"

    return path


def raw_files(survey):
    """Every raw file that a survey's config names."""
    return sorted(
        {lookup(survey_config(survey), "ingest.responses"), *tables_of(survey).values()}
    )


def codebook(wildcards):
    """The survey's codebook, for `input`."""
    return lookup(survey_config(wildcards.survey), "ingest.codebook")


def record_of(survey):
    """The record of a survey's headline choices; None where none was kept."""
    record = f"config/prespecified/{survey}.yaml"
    return record if os.path.exists(record) else None


def prespecified(wildcards):
    """The record of the headline's choices, for `input`; nothing where none was kept."""
    return record_of(wildcards.survey) or []


def mark_of_key(wildcards):
    """Tell the key for pseudonyms from another, for `params`: a changed one makes all ids anew.

    Who has no key can still make again what rests on the ids as they are.
    """
    key = setting("ingest.pseudonym_key")(wildcards)
    mark = key_mark(key, os.environ)
    made = f"data/processed/{wildcards.survey}/restricted/ingest/responses.parquet"
    if not mark and isinstance(key, dict) and os.path.exists(made):
        mark = read_parquet(made, columns=[]).attrs.get("key_mark", "")
    return mark


def stage_seed(rule):
    """Entropy for a rule's random numbers, for `params`: the run's seed, the survey and the rule."""
    return lambda wildcards: [
        config["seed"],
        zlib.crc32(wildcards.survey.encode()),
        zlib.crc32(rule.encode()),
    ]


@told
def check_survey_names():
    """Refuse a survey whose id is the name of a rule."""
    taken = {rule.name for rule in workflow.rules} | {"all", "synthesize"}
    for survey, file in KNOWN_SURVEYS.items():
        check_survey_id(survey, file, taken)


SHARED_CONFIG = [
    "config/disclosure.yaml",
    "config/published_findings.yaml",
    "config/terminology.yaml",
]


def verified_markers(wildcards):
    """The markers that say that each raw file is the one in the manifest."""
    return [
        f"data/processed/{wildcards.survey}/restricted/ingest/verified/{file}.json"
        for file in raw_files(wildcards.survey)
    ]


# Stages that put surveys beside each other: no survey's own result rests on them.
BETWEEN = ("trend", "compare")
# Stages that no survey's result rests on either: its origin where it is synthetic, studies, records.
BESIDE = ("synthesize", "simulate", "audit")


def stage_code(*left_out):
    """Scripts of every stage but some, and the modules on which they depend."""
    root = Path(workflow.basedir)
    scripts = [
        path
        for path in sorted((root / "scripts").glob("*/*.py"))
        if path.parent.name not in {*BESIDE, *BETWEEN, *left_out}
    ]
    modules = {
        source for path in scripts for source in code(os.path.relpath(path, root))
    }
    return modules | {os.path.relpath(path) for path in scripts}


def pipeline_code():
    """Every script, module and report source that can bear on a result."""
    return sorted(stage_code() | set(report_sources()))


def released_code():
    """Every script and module that can bear on a released table."""
    return sorted(stage_code("figures", "report"))


# Rules that no survey's own run asks for: the targets audit, trend and compare do.
ON_REQUEST = {"record_run", "compare_waves", "release_trend", "draw_trend"}
ON_REQUEST |= {"compose_trend", "render_trend", "check_trend", "publish_trend"}
# Rules that only a survey with this config key runs.
OPTIONAL_RULES = {
    "read_truth": "ingest.tables.truth",
    "fit_model": "model",
    "collect_models": "model",
    "compare_places": "model",
    "adjust_models": "model",
}


def outputs_of(made):
    """A rule's outputs as its rule file names them, without a storage provider's prefix."""
    prefix = f"{workflow.storage_settings.default_storage_prefix}/"
    return [
        file.storage_object.query.removeprefix(prefix) if file.is_storage else file
        for file in made.output
    ]


def everything(survey):
    """Every file that the rules make for a survey: a deleted one is made again."""
    settings = survey_config(survey)
    sides = tables_of(survey).items()
    values = {
        "survey": [survey],
        "file": raw_files(survey),
        "table": [name for name, file in sides if not file.endswith(".json")],
        "format": ["html", "pdf", "docx"],
        "model": models_of(survey),
    }
    files = []
    for made in workflow.rules:
        key = OPTIONAL_RULES.get(made.name)
        if key is not None and lookup(settings, key) is None:
            continue
        if made.name in ON_REQUEST:
            continue
        section = made.name.removeprefix("draw_")
        if section in FIGURES:
            values["figure"] = section_figures(settings, section)
            if not values["figure"]:
                continue
        for pattern in map(strip_wildcard_constraints, outputs_of(made)):
            if "{survey}" in pattern and "/synthetic/" not in pattern:
                names = set(re.findall(r"{(\w+)", pattern))
                files += expand(pattern, **{name: values[name] for name in names})
    return files


@functools.cache
def shared_config(file):
    """A config of all surveys, checked against its schema."""
    values = read_config(file)
    check_config(values, read_yaml(SCHEMAS / Path(file).name), file)
    return values


def check_shared(survey):
    """Refuse what would stop the release or the report: before the work is done, not after."""
    shared = {Path(file).stem: shared_config(file) for file in SHARED_CONFIG}
    cited = lookup(survey_config(survey), "report.source.keys") or []
    check_citations(cited, KNOWN_SURVEYS[survey], "report.source.keys")
    release = shared["published_findings"]["release"]
    check_citations([release["key"]], "config/published_findings.yaml", "release.key")
    languages = lookup(survey_config(survey), "report.translations") or []
    check_translations(languages, survey, KNOWN_SURVEYS[survey])
    earlier_waves(survey)


def check_shared_exceptions(survey):
    """Refuse exceptions from disclosure control that have expired, or name what doesn't exist."""
    exceptions = shared_config("config/disclosure.yaml")["exceptions"]
    if exceptions:  # few surveys have any, and what checks them takes its time to load
        from prevalence.codebook import parse_codebook
        from prevalence.disclosure.rules import valid_exceptions

        values = survey_config(survey)
        book = Path(values["ingest"]["codebook"])
        asked = parse_codebook(book.read_bytes(), book).counts
        groups = [variable.group for variable in asked]
        check_exceptions(exceptions, KNOWN_SURVEYS, survey, values["estimate"], groups)
        valid_exceptions(exceptions, survey, datetime.date.today())


@told
def check_files(survey):
    """Refuse a survey whose raw files, codebook, manifest or valid exceptions are not there."""
    check_shared(survey)
    check_present(
        survey,
        raw_files(survey),
        lookup(survey_config(survey), "ingest.codebook"),
    )
    check_shared_exceptions(survey)


def wanted(*surveys):
    """Everything that is made for surveys, for `input`: looked at only where it is asked for."""

    def files(wildcards):
        del wildcards
        for survey in surveys:
            check_files(survey)
        return [file for survey in surveys for file in everything(survey)]

    return files


def models_of(survey):
    """The models that a survey's config asks for."""
    return (lookup(survey_config(survey), "model") or {}).get("models", [])


def model_tables(kind, suffix="csv"):
    """One table of each of a survey's models, for `input`."""
    return lambda wildcards: [
        f"data/processed/{wildcards.survey}/restricted/model/{model}/{kind}.{suffix}"
        for model in models_of(wildcards.survey)
    ]


def chains_at_once(wildcards):
    """Chains that one model runs at the same time: a survey's models share a machine's cores.

    On a node of a cluster a job has the cores that were asked for it, for itself. They are asked
    for before, and counted again there: both must come to the same number.
    """
    cluster = workflow.remote_exec or not workflow.local_exec
    models = 1 if cluster else len(models_of(wildcards.survey))
    return min(max((workflow.cores or 8) // models, 1), 4)


def posteriors(wildcards):
    """The stored draws of a survey's models, for `input`."""
    folder = f"data/processed/{wildcards.survey}/restricted/model"
    return [f"{folder}/{model}.nc" for model in models_of(wildcards.survey)]


SYNTHETIC_SURVEYS = {
    path.stem: str(path) for path in sorted(Path("config/synthetic").glob("*.yaml"))
}


def _read_synthetic(survey):
    """A synthetic survey's config, unchecked."""
    check_known(
        survey,
        SYNTHETIC_SURVEYS,
        "A synthetic survey has no config file.",
        file=f"config/synthetic/{survey}.yaml",
    )
    return read_config(SYNTHETIC_SURVEYS[survey])


@told
def synthetic_config(wildcards):
    """The config of a synthetic survey, checked, that of a later wave with the earlier one's."""
    from prevalence.synthetic.checks import check_synthetic

    values = _read_synthetic(wildcards.survey)
    earlier = values.get("earlier")
    check_synthetic(
        values,
        _read_synthetic(earlier) if earlier else None,
        read_yaml(SCHEMAS / "synthetic.yaml"),
        SYNTHETIC_SURVEYS[wildcards.survey],
    )
    return values


def earlier_synthetic(wildcards):
    """Config and entropy of the wave whose world a synthetic survey takes over; None without one."""
    earlier = synthetic_config(wildcards).get("earlier")
    if earlier is None:
        return None
    there = Wildcards(fromdict={"survey": earlier})
    entropy = stage_seed("synthesize_survey")(there)
    return {"config": synthetic_config(there), "entropy": entropy}


def synthetic_exports():
    """What `snakemake synthesize` makes."""
    return [
        f"data/processed/synthetic/{survey}/{survey}.sav"
        for survey in SYNTHETIC_SURVEYS
    ]


def marker(name):
    """The marker that says that a raw file (`responses` or a side table) is the declared one."""

    def path(wildcards):
        file = raw_file(name or wildcards.table)(wildcards)
        return f"data/processed/{wildcards.survey}/restricted/ingest/verified/{Path(file).name}.json"

    return path


def figure_tables(section):
    """The released tables that a section's figures need, for `input`."""
    return [f"data/processed/{{survey}}/release/{name}.csv" for name in TABLES[section]]


def figure_files(section, suffix):
    """The files of one kind that a section's figures make, for `output`."""
    folder = "data/processed/{survey}/staged/figures"
    return [f"{folder}/{name}.{suffix}" for name in FIGURES[section]]


def figures_of_places():
    """Which figures are of places, for a wildcard's constraint: those of no other section.

    Their names are types of domain; no config is read for them, lest a draft stop other surveys.
    """
    others = [
        name for section in FIGURES if section != "where" for name in FIGURES[section]
    ]
    return rf"(?!(?:{'|'.join(others)})\.)[a-z][a-z0-9_]*"


def figure_words(wildcards):
    """What figures need of the report's words, for `params`: no other text re-draws them."""
    words = survey_config(wildcards.survey)["report"]
    groups = {
        group: {"heading": own["heading"]} for group, own in words["groups"].items()
    }
    terms = [{"term": term["term"]} for term in words.get("terms") or []]
    return {"groups": groups, "domains": words.get("domains") or {}, "terms": terms}


@functools.cache
def renderer_identity():
    """Name and version of the renderer that this run uses; resolved once a parse."""
    return named_renderer(config["renderer"])


def report_sources():
    """Every file of the report's source: Snakemake sees no include by itself."""
    root = Path(workflow.basedir) / "reports"
    return [os.path.relpath(path) for path in source_files(root)]


def reference_results(*studies):
    """Studies that a report shows and that were computed outside of the DAG, where present."""
    return [str(path) for path in study_files(Path("data/reference"), studies)]


def files_of_figures(wildcards):
    """Every file that the rules of the figures stage make for a survey."""
    folder = f"data/processed/{wildcards.survey}/staged/figures/"
    return [path for path in everything(wildcards.survey) if path.startswith(folder)]


def reported_figures(wildcards):
    """What each rule of the figures stage says of its figures."""
    return [path for path in files_of_figures(wildcards) if path.endswith(".json")]


def reported_pictures(wildcards):
    """The figures themselves: a picture can change while what is said of it doesn't."""
    return [path for path in files_of_figures(wildcards) if not path.endswith(".json")]


def run_settings(survey):
    """Every config value that bears on a survey's results, by file or section."""
    shared = {file: shared_config(file) for file in SHARED_CONFIG}
    run = {"seed": config["seed"], "renderer": config["renderer"]}
    record = record_of(survey)
    kept = {record: read_yaml(record)} if record else {}
    return {"run": run, "survey": survey_config(survey), **shared, **kept}


@functools.cache
def jobs_of(survey):
    """Each job of a survey as the audit records it: rule, script, files by name, seed."""
    jobs = {}
    for path in everything(survey):
        made = next(each for each in workflow.rules if each.is_producer(path))
        wildcards = made.get_wildcards(path)
        key = (made.name, *sorted(wildcards.items()))
        if key in jobs:
            continue
        script = next(Path("scripts").glob(f"*/{made.name}.py")).as_posix()
        files = sorted(set(made.expand_input(wildcards)[0]))
        seed = made.params.get("seed")
        jobs[key] = {
            "rule": made.name,
            "script": script,
            "outputs": {
                name: [
                    str(file) for file in ([files] if isinstance(files, str) else files)
                ]
                for name, files in made.expand_output(wildcards)[0].items()
            },
            "inputs": [str(file) for file in files if not file.endswith(".py")],
            "code": [script, *(str(file) for file in files if file.endswith(".py"))],
            "seed": seed and seed(Wildcards(fromdict=wildcards)),
        }
    return list(jobs.values())


def sources_of(survey):
    """Every file on which a survey's run rests and that the run does not make: what an audit copies."""
    jobs = jobs_of(survey)
    made = {file for job in jobs for files in job["outputs"].values() for file in files}
    read = {file for job in jobs for file in [*job["inputs"], *job["code"]]}
    named = [survey, *earlier_waves(survey), *config["surveys"]]
    surveys = {f"config/surveys/{name}.yaml" for name in named}
    schemas = {path.as_posix() for path in Path("workflow/schemas").rglob("*.yaml")}
    rule_files = {path.as_posix() for path in Path("workflow/rules").glob("*.smk")}
    own = {"Snakefile", "config/config.yaml", "environment.yml", "requirements.lock"}
    recording = {"scripts/audit/record_run.py", *code("scripts/audit/record_run.py")}
    profile = {"profiles/default/config.yaml"}
    every = (
        read
        | surveys
        | schemas
        | rule_files
        | own
        | recording
        | parsing_code()
        | profile
    )
    return sorted(every - made)


def parsing_code():
    """What reading the workflow needs: modules that the rule files import, and every script."""
    rule_files = sorted((Path(workflow.basedir) / "workflow" / "rules").glob("*.smk"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in rule_files)
    imports = re.findall(r"^from (prevalence[\w.]*) import", text, flags=re.M)
    lines = "\n".join(f"import {name}" for name in imports)
    modules = transitive_modules(lines, "prevalence", module_source)
    paths = [path for name in modules for path in module_paths(name)]
    scripts = set(re.findall(r'code\("(scripts/[^"]+)"\)', text))
    return scripts | {os.path.relpath(path) for path in paths if path.exists()}


@told
def check_places(jobs):
    """Refuse a run whose results couldn't be written, before its first job."""
    check_writable(
        file
        for job in jobs
        for file in [*job.output, *job.log, *filter(None, [job.benchmark])]
        if not getattr(file, "is_storage", False)
    )


def announce(rules):
    """Let each job say in a sentence what it does; a dry run goes on listing their files."""
    for each in rules:
        where = " ({wildcards})" if each.wildcard_names else ""
        what = each.docstring or f"The published report of {each.name}."
        each.message = what.strip().removesuffix(".") + where


@told
def earlier_release(wildcards):
    """Tables of the earlier release that a survey's config names; none without one."""
    folder = lookup(survey_config(wildcards.survey), "release.earlier")
    return earlier_tables(folder, KNOWN_SURVEYS[wildcards.survey])


def of_earlier(named):
    """What a function of wildcards names for the earlier of two waves."""
    return lambda wildcards: named(Wildcards(fromdict={"survey": wildcards.earlier}))


@told
def earlier_waves(survey):
    """The waves with which a survey's config compares it, and whether they share PSUs."""
    return named_waves(
        survey,
        lookup(survey_config(survey), "waves") or [],
        KNOWN_SURVEYS,
        lambda wave: int(survey_config(wave)["survey"]["year"]),
    )


def shared_psus(wildcards):
    """Whether two waves' samples were drawn together, for `params`."""
    return earlier_waves(wildcards.survey)[wildcards.earlier]


def compared_settings(wildcards):
    """What a comparison of waves reads of a survey's config: no word of its report."""
    config = survey_config(wildcards.survey)
    sections = {
        name: config[name] for name in ("clean", "weight", "estimate", "headline")
    }
    return {"survey": {"year": config["survey"]["year"]}, **sections}


def wave_tables():
    """The restricted tables that a comparison of waves reads of both, by name, for `input`."""
    stages = {
        "clean": ["respondents.parquet", "ard.parquet"],
        "weight": [
            "weights.parquet",
            "households.parquet",
            "replicates.parquet",
            "replicate_factors.parquet",
            "margins.csv",
        ],
    }
    files = {
        Path(file).stem: f"restricted/{stage}/{file}"
        for stage, names in stages.items()
        for file in names
    }
    named = {}
    for name, file in files.items():
        named[f"later_{name}"] = f"data/processed/{{survey}}/{file}"
        named[f"earlier_{name}"] = f"data/processed/{{earlier}}/{file}"
    for name, path in {
        **{side: table(side) for side in ("known_groups", "populations")},
        "codebook": codebook,
    }.items():
        named[f"later_{name}"], named[f"earlier_{name}"] = path, of_earlier(path)
    return named


def configs_of(*surveys):
    """The configs of several surveys by name, for `params`."""
    return lambda wildcards: {survey: survey_config(survey) for survey in surveys}


def listed_tables(name):
    """One released table of each survey in config/config.yaml, for `input`; their files are there."""

    def files(wildcards):
        del wildcards
        for survey in config["surveys"]:
            check_files(survey)
        return expand(
            f"data/processed/{{listed}}/release/{name}.csv", listed=config["surveys"]
        )

    return files


def trend_code():
    """Scripts of the trend stage and the modules on which they depend: part of its identity."""
    scripts = sorted(Path(workflow.basedir).glob("scripts/trend/*.py"))
    paths = [os.path.relpath(path, workflow.basedir) for path in scripts]
    return sorted({*paths, *(module for path in paths for module in code(path))})


def trends(*surveys):
    """The published comparisons of surveys with their earlier waves, for `input`."""

    def files(wildcards):
        del wildcards
        pairs = [(survey, wave) for survey in surveys for wave in earlier_waves(survey)]
        for survey in {name for pair in pairs for name in pair}:
            check_files(survey)
        return [
            f"reports/{survey}/trend/{wave}/trend.{suffix}"
            for survey, wave in pairs
            for suffix in ("html", "pdf", "docx")
        ]

    return files


@told
@functools.cache
def simulations():
    """What `snakemake simulate` draws, and the parameters and seed of its worlds."""
    file = "config/simulations.yaml"
    values = read_yaml(file)
    check_config(values, read_yaml(SCHEMAS / "simulations.yaml"), file)
    study = read_yaml(values["parameters"])
    chosen = study["worlds"] if values["worlds"] == "all" else values["worlds"]
    for key, names in {
        "worlds": chosen,
        "planning.world": [values["planning"]["world"]],
    }.items():
        check_known(
            names,
            study["worlds"],
            "A simulated world has no parameters.",
            file=file,
            place=key,
        )
    worlds = {name: {**study["defaults"], **study["worlds"][name]} for name in chosen}
    return {**values, "study": study, "worlds": worlds}


def world_parameters(world):
    """Parameters of a simulated world, its file's defaults included."""
    study = simulations()["study"]
    return {**study["defaults"], **study["worlds"][world]}


def simulated_worlds(wildcards):
    """The worlds whose coverage is simulated, with their parameters, for `params`."""
    return simulations()["worlds"]


def simulation_seed(wildcards):
    """The seed of simulation studies, for `params`."""
    return simulations()["study"]["seed"]


def planning_setting(key):
    """A setting of the planning study, for `params`."""
    return lambda wildcards: simulations()["planning"][key]


def planning_parameters(wildcards):
    """Parameters of the planning study's world, for `params`."""
    planning = simulations()["planning"]
    return {
        **world_parameters(planning["world"]),
        "replicates": planning["replicates"],
    }


def part_files(folder, surveys):
    """The parts of a simulation study."""
    size = simulations()["part"]
    return [
        f"data/processed/simulate/{folder}/{first}_{min(size, surveys - first)}.npz"
        for first in range(0, surveys, size)
    ]


def coverage_parts(wildcards):
    """Every part of every simulated world, for `input`."""
    surveys = simulations()["study"]["surveys"]
    return [
        path
        for world in simulations()["worlds"]
        for path in part_files(f"coverage/{world}", surveys)
    ]


def planning_parts(wildcards):
    """Every part of every design of the planning study, for `input`."""
    planning = simulations()["planning"]
    return [
        path
        for number in range(len(planning["designs"]))
        for path in part_files(f"planning/{number}", planning["surveys"])
    ]
