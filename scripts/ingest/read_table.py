"""Read one of the survey's side tables: columns checked, ids as pseudonyms."""

import os
from pathlib import Path
from typing import Any

from prevalence.codebook import parse_codebook
from prevalence.contracts.ingest import SIDE_TABLES
from prevalence.files import write_csv
from prevalence.identifier_scan import check_further_columns
from prevalence.identifiers import TABLES_WITH_IDS, pseudonym_key, public_data
from prevalence.job import run_job
from prevalence.side_tables import arrange_table, checked_table, complete_known_groups, parse_table


def main(job: Any) -> None:
    """Write the checked side table."""
    file, name, params = job.input.raw, job.wildcards.table, job.params
    key = None
    if name in TABLES_WITH_IDS:
        public = public_data(params.synthetic, params.public_microdata)
        key = pseudonym_key(params.pseudonym_key, public, os.environ)
    table = arrange_table(parse_table(Path(file).read_bytes(), file), params.arrange, key, file)
    further = {column: table[column].tolist() for column in table}
    check_further_columns(further, list(SIDE_TABLES[name].columns), file)
    if name == "known_groups":
        codebook = parse_codebook(Path(job.input.codebook).read_bytes(), job.input.codebook)
        table = complete_known_groups(table, codebook, file)
    write_csv(checked_table(name, table, file), job.output.table)


if __name__ == "__main__":
    run_job(main, snakemake)
