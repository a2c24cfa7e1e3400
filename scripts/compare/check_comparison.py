"""Check the comparison of several surveys: all of its files pass, or none."""

from pathlib import Path
from typing import Any

import yaml

from prevalence.config import check_config
from prevalence.disclosure.gate import (
    Allowed,
    Withheld,
    allowed_numbers,
    check_files,
    refuse,
)
from prevalence.disclosure.numbers import words_in
from prevalence.disclosure.publishing import digests
from prevalence.disclosure.wording import word_stops
from prevalence.files import read_csv, read_yaml, write_json
from prevalence.job import run_job
from prevalence.terminology import Terminology
from prevalence.waves.publishing import texts_of


def main(job: Any) -> None:
    """Check tables and figure."""
    tables = {Path(path).stem: read_csv(path) for path in job.input.tables}
    paths = [Path(path) for path in [*job.input.tables, *job.input.figure]]
    files = {path.name: path.read_bytes() for path in paths}
    reviewed = [yaml.safe_dump(job.params.configs, allow_unicode=True)]
    reviewed += texts_of({"definitions": tables["definitions"]})
    withheld = tables["countries"]["suppressed"].notna()
    hidden = tables["countries"].loc[withheld, "group"].astype(str)
    allowed = Allowed(
        declared=list(files),
        numbers=allowed_numbers(tables, reviewed),
        texts=[],
        required={},
        withheld=Withheld(frozenset((group, "national", "national") for group in hidden)),
        words=words_in([*reviewed, *texts_of(tables)]),
        reviewed="\n".join(reviewed),
    )
    found = check_files(files, allowed)
    if not found:
        config = read_yaml(job.input.words)
        check_config(config, read_yaml(job.input.words_schema), job.input.words)
        found = word_stops(files, Terminology.from_config(config))
    refuse(found, Path(job.input.figure[0]).parent)
    write_json(digests(files), job.output.passed)


if __name__ == "__main__":
    run_job(main, snakemake)
