"""Turn responses into valid interviews: decode, screen, edit, derive, combine."""

import logging
from pathlib import Path
from typing import Any

from prevalence.cleaning import clean_interviews
from prevalence.codebook import parse_codebook
from prevalence.contracts import check_table
from prevalence.contracts.clean import (
    ARD,
    DATA_QUALITY,
    EDITS,
    INTERVALS,
    RESPONDENTS,
    SAMPLE_FLOW,
    SITUATIONS,
)
from prevalence.files import (
    read_csv,
    read_parquet,
    write_csv,
    write_parquet,
    write_parquet_pieces,
)
from prevalence.job import run_job
from prevalence.respondents import FROM_FRAME

LOG = logging.getLogger("prevalence")
# Codes such as 01 are texts, not numbers.
CODES = dict.fromkeys((*FROM_FRAME, "household", "disposition"), str)
CONTRACTS = {
    "respondents": RESPONDENTS,
    "intervals": INTERVALS,
    "situations": SITUATIONS,
    "edits": EDITS,
    "sample_flow": SAMPLE_FLOW,
    "data_quality": DATA_QUALITY,
}


def main(job: Any) -> None:
    """Write the tables of valid interviews, and what was excluded and changed."""
    codebook = parse_codebook(Path(job.input.codebook).read_bytes(), job.input.codebook)
    frame = None
    if job.input.get("frame"):
        frame = read_csv(job.input.frame, dtype=CODES)
    tables, counts = clean_interviews(
        read_parquet(job.input.responses), codebook, job.params.clean, frame
    )
    checked = {
        name: check_table(
            tables[name],
            contract,
            job.output[name],
            codebook.sources if name == "respondents" else None,
        )
        for name, contract in CONTRACTS.items()
    }
    for step in checked["sample_flow"].itertuples():
        LOG.info("%-45s %8d  (excluded %d)", step.label, step.n, step.excluded)
    LOG.info("%d cells edited", len(checked["edits"]))
    for name, table in checked.items():
        file = job.output[name]
        (write_parquet if file.endswith(".parquet") else write_csv)(table, file)
    # Each respondent's counts are in one piece, and no respondent stands twice in the table above.
    pieces = (check_table(piece, ARD, job.output.ard) for piece in counts)
    write_parquet_pieces(pieces, job.output.ard)


if __name__ == "__main__":
    run_job(main, snakemake)
