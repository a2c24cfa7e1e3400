"""Draw a figure of a trend from its released tables."""

from typing import Any

from prevalence.figures import trend
from prevalence.figures.style import Drawing, save
from prevalence.files import read_csv, read_yaml, replacing, write_csv, write_json
from prevalence.job import run_job


def main(job: Any) -> None:
    """Write the picture, its data and its words."""
    tables = {name: read_csv(job.input.get(name)) for name in trend.FIGURES}
    params = job.params
    words = trend.Named(
        groups=trend.ruled(params.groups, params.earlier_groups),
        domains=params.domains or [],
        synthetic=params.synthetic,
        years=params.years,
        level=f"{100 * float(params.level):g}%",
        precision=read_yaml(job.input.policy)["precision"],
    )
    drawing: Drawing = getattr(trend, job.wildcards.figure)(tables, words)
    with replacing(job.output.svg) as svg, replacing(job.output.png) as png:
        save(drawing.figure, str(svg), str(png))
    write_csv(drawing.data, job.output.csv)
    said = {"alt": drawing.alt, "caption": drawing.caption, "rule": job.rule}
    write_json({job.wildcards.figure: said}, job.output.words)


if __name__ == "__main__":
    run_job(main, snakemake)
