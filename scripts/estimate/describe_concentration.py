"""Say on how many respondents the figures rest, and draw what describes the weights."""

from typing import Any

from prevalence.concentration import effective_n_table, influential_table
from prevalence.contracts import check_table
from prevalence.contracts.estimate import EFFECTIVE_N, INFLUENTIAL, arranged
from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, study_of
from prevalence.figures.analyst import weight_diagnostics
from prevalence.figures.style import save_svg
from prevalence.files import read_csv, read_parquet, replacing, write_csv
from prevalence.job import run_job

WEIGHT_TABLES = ("weighting", "weight_distribution", "margins", "response_rates")


def main(job: Any) -> None:
    """Write effective numbers, the ten most influential respondents by rank, and the picture."""
    tables = {
        name: read_parquet(job.input.get(name), coded=CODED.get(name, ())) for name in ROW_TABLES
    }
    tables |= {name: read_csv(job.input.get(name)) for name in SIDE_TABLES if job.input.get(name)}
    study = study_of(
        tables,
        estimate=job.params.estimate,
        headline=job.params.headline,
        year=job.params.year,
    )
    survey = job.wildcards.survey
    effective = check_table(
        arranged(effective_n_table(study), EFFECTIVE_N, survey), EFFECTIVE_N, job.output.effective_n
    )
    influential = check_table(
        arranged(influential_table(study), INFLUENTIAL, survey), INFLUENTIAL, job.output.influential
    )
    write_csv(effective, job.output.effective_n)
    write_csv(influential, job.output.influential)
    described = {name: read_csv(job.input.get(name)) for name in WEIGHT_TABLES}
    described |= {"effective_n": effective, "influential": influential}
    figure = weight_diagnostics(described, synthetic=job.params.synthetic)
    with replacing(job.output.picture) as path:
        save_svg(figure, str(path))


if __name__ == "__main__":
    run_job(main, snakemake)
