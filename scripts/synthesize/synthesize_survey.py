"""Make a synthetic survey: the world, a survey of it, its export and side tables, the truth."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from prevalence.files import read_csv, replacing, write_csv, write_json
from prevalence.job import run_job
from prevalence.synthetic.assembly import country_of
from prevalence.synthetic.instrument import HIDDEN, OCCUPATIONS, Export, sample_frame, to_export
from prevalence.synthetic.later_wave import later_config, later_world, planted_changes
from prevalence.synthetic.selection import draw_sample
from prevalence.synthetic.side_tables import AGES, census_margins, data_dictionary, elicitation
from prevalence.synthetic.survey import draw_survey

CLOCK = b"07 Sep 2300:00:00"  # creation date and time in the header of the .sav file
CLOCK_PLACE = 92
WORLD, SAMPLE, FIELD = 1, 2, 3  # last numbers of the seeds


def cells_of(path: str) -> list[list[str]]:
    """Cells of a published table, row by row."""
    with Path(path).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def write_sav(export: Export, path: Path) -> None:
    """Write the export as SPSS does, with a fixed clock in its header."""
    import pyreadstat

    formats = {name: "F8.0" for name in export.responses if export.responses[name].dtype == float}
    pyreadstat.write_sav(
        export.responses,
        str(path),
        column_labels=[export.labels[name] for name in export.responses],
        variable_value_labels={
            name: {float(code): text for code, text in values.items()}
            for name, values in export.values.items()
        },
        missing_ranges=export.missing,
        variable_format=formats,
        row_compress=True,
        file_label="SYNTHETIC DATA - no real person",
    )
    content = bytearray(path.read_bytes())
    content[CLOCK_PLACE : CLOCK_PLACE + len(CLOCK)] = CLOCK
    path.write_bytes(content)


def main(job: Any) -> None:
    """Write everything that a raw folder holds, manifest aside."""
    import pandas as pd

    tables = (
        read_csv(job.input.regions).set_index("area").to_dict("index"),
        cells_of(job.input.projection),
        cells_of(job.input.ages),
    )
    earlier = job.params.earlier
    given = job.params.config
    config = later_config(given, earlier["config"]) if earlier else given
    country = country_of(config, *tables)
    config = country.config
    seed = [config["seed"], *job.params.entropy]
    changed = {}
    if earlier:
        before = country_of(earlier["config"], *tables)
        start = [before.config["seed"], *earlier["entropy"]]
        old = before.world([*start, WORLD])
        world = later_world(old, before, country)
        stream = np.random.default_rng(np.random.SeedSequence([*start, SAMPLE]))
        kept = (draw_sample(old, stream), config["overlap"])
        draw = draw_survey(world, country.age_sex, AGES, [*seed, SAMPLE], *kept)
        changed = {
            "earlier": given["earlier"],
            "changes": planted_changes(
                before.truth(old)["estimands"], country.truth(world)["estimands"]
            ),
        }
    else:
        world = country.world([*seed, WORLD])
        draw = draw_survey(world, country.age_sex, AGES, [*seed, SAMPLE])
    generator = np.random.default_rng(np.random.SeedSequence([*seed, FIELD]))
    export = to_export(world, draw, generator)
    truth = {
        "survey": config["survey"],
        "seed": config["seed"],
        "synthetic": True,
        **country.truth(world),
        **changed,
        "achieved": achieved(export),
    }
    side = {
        "frame": sample_frame(world, draw),
        "census": pd.DataFrame(census_margins(country.census, country.age_sex)),
        "populations": pd.DataFrame(country.people),
        "known_groups": pd.DataFrame(config["known_groups"]).astype(
            {"size": "Int64", "year": "Int64"}
        ),
        "panel": pd.DataFrame(
            elicitation(config["panel"], list(config["hidden_groups"]), generator)
        ),
        "operations": pd.DataFrame(config["operations"]),
        "dictionary": data_dictionary(export.labels, export.values, export.missing),
    }
    with replacing(job.output.responses) as partial:
        write_sav(export, partial)
    for name, frame in side.items():
        write_csv(frame, job.output.get(name))
    write_json(truth, job.output.truth)


def achieved(export: Export) -> dict[str, float]:
    """Shares of the delivered interviews that a reader of the truth wants to see."""
    frame = export.responses
    shares = {
        group: float((frame[items[0][0]].between(1, 900)).mean()) for group, items in HIDDEN.items()
    }
    known = frame[[item for item, _ in OCCUPATIONS.values()]]
    return {f"report_{group}": round(share, 4) for group, share in shares.items()} | {
        "interviews_delivered": len(frame),
        "mean_known_in_occupations": round(float(known.where(known < 900).sum(axis=1).mean()), 3),
    }


if __name__ == "__main__":
    run_job(main, snakemake)
