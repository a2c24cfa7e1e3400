"""Record what a run rests on and made, and where each exhibit of its report comes from."""

import csv
import io
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from prevalence.audit.contents import described
from prevalence.audit.exhibits import COLUMNS, Sources, exhibit_rows
from prevalence.audit.graph import Graph, jobs_from, plain, rule_settings
from prevalence.audit.machine import processor
from prevalence.audit.picture import drawn, rules_of
from prevalence.audit.record import LIBRARIES, composed, flattened, software
from prevalence.audit.sampled import SAMPLERS
from prevalence.codebook import parse_codebook
from prevalence.computing import chosen_kernels
from prevalence.files import read_json, read_yaml, replacing, write_json, write_text
from prevalence.job import run_job

EXPORTS = (".sav", ".dta", ".por")


def files_in(paths: list[str]) -> Iterator[Path]:
    """Every file, those in folders included, Snakemake's own marks aside."""
    for path in map(Path, paths):
        inner = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in inner if file.is_file() and not file.name.startswith("."))


def described_input(path: Path) -> dict[str, Any]:
    """Describe an input; of an export rows and columns alone."""
    found = described(path.as_posix(), path.read_bytes(), values=False)
    if path.suffix in EXPORTS:
        import pyreadstat

        read = {".sav": pyreadstat.read_sav, ".dta": pyreadstat.read_dta}
        _, meta = read.get(path.suffix, pyreadstat.read_por)(str(path), metadataonly=True)
        found |= {"rows": meta.number_rows, "columns": list(meta.column_names)}
    return found


def exhibits_text(rows: list[dict[str, str]]) -> str:
    """Write the exhibit map as CSV."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def data_files(rows: list[dict[str, str]], survey: str) -> dict[str, str]:
    """Path of the data of each figure and table of the report: published, or an input."""
    published = ("figures/", "tables/")
    return {
        row["exhibit"]: f"reports/{survey}/{row['data']}"
        if row["data"].startswith(published)
        else row["data"]
        for row in rows
        if row["kind"] != "number"
    }


def platform_name() -> str:
    """Name what numbers are computed with: it decides the last digit of a sum."""
    system = [platform.system(), platform.machine(), " ".join(platform.libc_ver())]
    return ", ".join(filter(None, [*system, chosen_kernels(), processor()]))


def main(job: Any) -> None:
    """Write manifest, config, exhibit map, jobs, seeds, disclosure log and DAG."""
    survey = job.wildcards.survey
    sources = [Path(path) for path in job.input.sources]
    settings = {
        rule: keys
        for path in sources
        if path.suffix == ".smk"
        for rule, keys in rule_settings(path.read_text(encoding="utf-8")).items()
    }
    jobs = jobs_from(
        [{**one, "settings": settings.get(one["rule"], [])} for one in job.params.jobs]
    )
    graph = Graph(jobs)
    identity = read_json(job.input.identity)
    composed_source = Path(job.input.report)
    variables = flattened(read_yaml(composed_source / "_variables.yml"))
    codebook = parse_codebook(Path(job.input.codebook).read_bytes(), job.input.codebook)
    rows = exhibit_rows(
        Sources(
            graph=graph,
            texts={
                p.as_posix(): p.read_text(encoding="utf-8") for p in sources if p.suffix == ".py"
            },
            composed={
                path.relative_to(composed_source).as_posix(): path.read_text(encoding="utf-8")
                for path in sorted(composed_source.rglob("*"))
                if path.suffix in (".qmd", ".md")
            },
            variables=[(variable.raw, variable.role) for variable in codebook.variables],
        )
    )
    apart = [str(identity["identity"]), job.params.renderer]
    outputs = {}
    for path in files_in(list(job.input.files)):
        name = path.as_posix()
        open_table = "/restricted/" not in name
        outputs[name] = described(
            name,
            path.read_bytes(),
            values=open_table or job.params.open,
            rows=open_table,
            cells=graph.rests_on(name, SAMPLERS),
            apart=apart,
        )
    manifest = composed(
        survey=survey,
        identity=identity,
        renderer=job.params.renderer,
        made_with=software(
            {name: version(name) for name in LIBRARIES},
            platform_name(),
            platform.python_version(),
        ),
        config=job.params.config,
        inputs={path.as_posix(): described_input(path) for path in sources},
        outputs=outputs,
        exhibits=data_files(rows, survey),
        numbers=variables,
    )
    seeds = {
        output: one["seed"]
        for one in job.params.jobs
        if one["seed"] is not None
        for files in one["outputs"].values()
        for output in files
    }
    picture = drawn(*rules_of(graph))
    log = Path(job.input.disclosure_log).read_bytes()

    write_json(manifest.plain(), job.output.manifest)
    write_text(yaml.safe_dump(job.params.config, allow_unicode=True), job.output.config)
    write_text(exhibits_text(rows), job.output.exhibits)
    write_json([plain(one) for one in jobs], job.output.jobs)
    write_json({"seed": job.params.config["run"]["seed"], "files": seeds}, job.output.seeds)
    for path, content in ((job.output.disclosure_log, log), (job.output.dag, picture)):
        with replacing(path) as partial:
            partial.write_bytes(content)


if __name__ == "__main__":
    run_job(main, snakemake)
