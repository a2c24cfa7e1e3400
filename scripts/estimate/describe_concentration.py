"""Say on how many respondents the figures rest, and draw what describes the weights."""

from typing import Any

from prevalence.concentration import effective_n_table, influential_table
from prevalence.contracts import check_table
from prevalence.contracts.estimate import EFFECTIVE_N, INFLUENTIAL, arranged
from prevalence.figures.analyst import weight_diagnostics
from prevalence.figures.style import save_svg
from prevalence.files import read_csv, replacing, write_csv
from prevalence.job import run_job
from prevalence.study_files import read_study
from prevalence.weighting import TEXT_COLUMNS

WEIGHT_TABLES = ("weighting", "weight_distribution", "margins", "response_rates")


def main(job: Any) -> None:
    """Write effective numbers, the ten most influential respondents by rank, and the picture."""
    study, tables = read_study(job)
    survey = job.wildcards.survey
    effective = effective_n_table(study, tables["weights"])
    effective = check_table(
        arranged(effective, EFFECTIVE_N, survey), EFFECTIVE_N, job.output.effective_n
    )
    influential = check_table(
        arranged(influential_table(study), INFLUENTIAL, survey), INFLUENTIAL, job.output.influential
    )
    write_csv(effective, job.output.effective_n)
    write_csv(influential, job.output.influential)
    described = {name: read_csv(job.input.get(name), dtype=TEXT_COLUMNS) for name in WEIGHT_TABLES}
    described |= {"effective_n": effective, "influential": influential}
    figure = weight_diagnostics(described, synthetic=job.params.synthetic)
    with replacing(job.output.picture) as path:
        save_svg(figure, str(path))


if __name__ == "__main__":
    run_job(main, snakemake)
