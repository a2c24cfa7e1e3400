"""Check every staged file of a trend: all of them pass, or none."""

from pathlib import Path
from typing import Any

import yaml

from prevalence.config import check_config
from prevalence.disclosure.gate import refuse
from prevalence.disclosure.publishing import digests
from prevalence.files import read_csv, read_json, read_yaml, write_json
from prevalence.job import run_job
from prevalence.terminology import Terminology
from prevalence.waves.publishing import findings


def main(job: Any) -> None:
    """Check the report, its figures and the released tables."""
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
    write_json(digests(files), job.output.passed)


if __name__ == "__main__":
    run_job(main, snakemake)
