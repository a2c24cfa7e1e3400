"""Put the released national rates of several surveys beside each other."""

from typing import Any

from prevalence.contracts import check_table
from prevalence.contracts.compare import COUNTRIES, DEFINITIONS
from prevalence.countries import countries_table, definitions_table
from prevalence.files import read_csv, write_csv
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write rates and definitions."""
    configs = job.params.configs
    scale_up = dict(zip(configs, map(read_csv, job.input.scale_up), strict=True))
    estimands = dict(zip(configs, map(read_csv, job.input.estimands), strict=True))
    countries = countries_table(scale_up, configs)
    definitions = definitions_table(estimands, configs)
    countries = check_table(countries, COUNTRIES, job.output.countries)
    definitions = check_table(definitions, DEFINITIONS, job.output.definitions)
    write_csv(countries, job.output.countries)
    write_csv(definitions, job.output.definitions)


if __name__ == "__main__":
    run_job(main, snakemake)
