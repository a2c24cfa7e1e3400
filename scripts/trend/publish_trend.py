"""Check every staged file of a trend, and publish what passes: all of it or nothing."""

from pathlib import Path
from typing import Any

import yaml

from prevalence.config import check_config
from prevalence.disclosure.gate import refuse
from prevalence.files import read_csv, read_json, read_yaml, replacing
from prevalence.job import run_job
from prevalence.terminology import Terminology
from prevalence.waves.publishing import findings


def main(job: Any) -> None:
    """Publish the report, its figures and the released tables."""
    released = {Path(path).stem: Path(path) for path in job.input.tables}
    files = {Path(path).name: Path(path).read_bytes() for path in job.input.reports}
    for path in [*job.input.figures, *job.input.pictures]:
        files[f"figures/{Path(path).name}"] = Path(path).read_bytes()
    files |= {f"tables/{path.name}": path.read_bytes() for path in released.values()}
    config = read_yaml(job.input.words)
    check_config(config, read_yaml(job.input.words_schema), job.input.words)
    waves = (job.params.earlier, job.params.later)
    texts = [job.input.policy, *job.input.texts]
    reviewed = [Path(path).read_text(encoding="utf-8") for path in texts]
    reviewed += [yaml.safe_dump(wave, allow_unicode=True) for wave in waves]
    found = findings(
        files,
        {name: read_csv(path) for name, path in released.items()},
        declared=list(files),
        config=job.params.later,
        identity=str(read_json(job.input.identity)["identity"]),
        renderer=job.params.renderer,
        reviewed=reviewed,
        words=Terminology.from_config(config),
        synthetic=any(wave["survey"]["synthetic"] for wave in waves),
    )
    refuse(found, Path(job.input.reports[0]).parent)
    for path in job.output.reports:
        with replacing(path) as partial:
            Path(partial).write_bytes(files[Path(path).name])
    for folder, target in (("figures", job.output.figures), ("tables", job.output.shown)):
        Path(target).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if name.startswith(f"{folder}/") and not name.endswith(".json"):
                (Path(target) / Path(name).name).write_bytes(content)


if __name__ == "__main__":
    run_job(main, snakemake)
