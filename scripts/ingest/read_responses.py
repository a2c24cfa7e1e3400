"""Read the survey's export: typed responses, ids as pseudonyms, what isn't listed dropped."""

import logging
import os
from pathlib import Path
from typing import Any

from prevalence.codebook import parse_codebook
from prevalence.contracts import check_table
from prevalence.contracts.ingest import DROPPED, VARIABLES
from prevalence.exports import read_export
from prevalence.files import write_csv, write_parquet
from prevalence.identifier_scan import check_identifiers, exempt_columns, scan_export
from prevalence.identifiers import key_mark, pseudonym_key, public_data
from prevalence.job import run_job
from prevalence.responses import describe_dropped, describe_variables, type_responses

LOG = logging.getLogger("prevalence")


def main(job: Any) -> None:
    """Write the responses, the list of their variables and the list of dropped columns."""
    file, params = job.input.raw, job.params
    public = public_data(params.synthetic, params.public_microdata)
    key = pseudonym_key(params.pseudonym_key, public, os.environ)
    codebook = parse_codebook(Path(job.input.codebook).read_bytes(), job.input.codebook)
    export = read_export(file, params.reader)
    found = scan_export(export, exempt_columns(export, codebook, file))
    check_identifiers(found, export, codebook, params.accepted_identifiers or [], file=file)
    responses = type_responses(export, codebook, key, file)
    variables = check_table(
        describe_variables(export, codebook, file), VARIABLES, job.output.variables
    )
    kinds = {name: sorted(counts) for name, counts in found.items()}
    dropped = check_table(
        describe_dropped(export, codebook, kinds, file), DROPPED, job.output.dropped
    )
    LOG.info("%d interviews, %d variables kept", len(responses), len(variables))
    LOG.info(
        "%d columns dropped: %d not in the codebook, %d with identifiers",
        len(dropped),
        (dropped["reason"] == "not_in_codebook").sum(),
        (dropped["identifiers"] != "").sum(),
    )
    if mark := key_mark(params.pseudonym_key, os.environ):
        responses.attrs["key_mark"] = mark
    write_parquet(responses, job.output.responses)
    write_csv(variables, job.output.variables)
    write_csv(dropped, job.output.dropped)


if __name__ == "__main__":
    run_job(main, snakemake)
