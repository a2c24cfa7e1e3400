"""Draw the rates of several surveys."""

from typing import Any

from prevalence.figures.countries import countries
from prevalence.figures.style import save
from prevalence.files import read_csv, read_yaml, replacing, write_json
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the picture and its words; the table of rates is its data."""
    table = read_csv(job.input.countries)
    flags = {name: table[name].astype(object).fillna("") for name in ("suppressed", "precision")}
    precision = read_yaml(job.input.policy)["precision"]
    drawing = countries(table.assign(**flags), precision)
    with replacing(job.output.svg) as svg, replacing(job.output.png) as png:
        save(drawing.figure, str(svg), str(png))
    said = {"alt": drawing.alt, "caption": drawing.caption, "rule": job.rule}
    write_json({"countries": said}, job.output.words)


if __name__ == "__main__":
    run_job(main, snakemake)
