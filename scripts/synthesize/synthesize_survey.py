"""Make a synthetic survey: the world, a survey of it, its export and side tables, the truth."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from prevalence.files import read_csv, replacing, write_csv, write_json
from prevalence.job import run_job
from prevalence.synthetic.instrument import HIDDEN, OCCUPATIONS, Export, sample_frame, to_export
from prevalence.synthetic.side_tables import (
    AGES,
    YOUNGEST_ADULTS,
    adults_by_age,
    census_margins,
    data_dictionary,
    denominators,
    elicitation,
)
from prevalence.synthetic.survey import draw_survey
from prevalence.synthetic.world import build_world, planted_truth

CLOCK = b"07 Sep 2300:00:00"  # creation date and time in the header of the .sav file
CLOCK_PLACE = 92


def census_ages(path: str, names: dict[str, str]) -> np.ndarray:
    """Adults by sex and age of each region, from the census table as published."""
    with Path(path).open(encoding="utf-8-sig", newline="") as stream:
        rows = {row[1].lstrip("."): row for row in csv.reader(stream) if len(row) > 56 or row[1:2]}
    found = []
    for name in names.values():
        cells = [cell.replace(",", "") for cell in rows[name]]
        male, female = cells[21:38], cells[39:56]
        found.append([adults_by_age(list(map(float, sex))) for sex in (male, female)])
    return np.array(found)


def projected(path: str, year: int) -> tuple[dict[str, float], list[float]]:
    """Children and adults of the nation in a year, and all five-year groups, in persons."""
    with Path(path).open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    head = next(row for row in rows if str(year) in row)
    column = head.index(str(year))
    start = next(place for place, row in enumerate(rows) if row[1] == "All Ages")
    values = [1000 * float(row[column].replace(",", "")) for row in rows[start : start + 18]]
    total, groups = values[0], values[1:]
    children = sum(groups[:3]) + (1 - YOUNGEST_ADULTS) * groups[3]
    return {"children": children, "adults": total - children}, groups


def child_shares(groups: list[float], total: float) -> dict[str, float]:
    """Share of the children's age groups, ages spread evenly within five-year groups."""
    below_5, to_9, to_14, to_19 = groups[:4]
    return {
        "children_0_2": 0.6 * below_5 / total,
        "children_3_5": (0.4 * below_5 + 0.2 * to_9) / total,
        "children_6_12": (0.8 * to_9 + 0.6 * to_14) / total,
        "children_13_17": (0.4 * to_14 + 0.6 * to_19) / total,
    }


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

    config = dict(job.params.config)
    national, groups = projected(job.input.projection, config["year"])
    config["children"] = child_shares(groups, sum(national.values()))
    census = read_csv(job.input.regions).set_index("area")
    table = {
        name: {
            "island_group": census.loc[label, "island_group"],
            "children": float(census.loc[label, "u18_approx"]),
            "adults": float(census.loc[label, "a18p_approx"]),
        }
        for name, label in config["columns"].items()
    }
    people = denominators(table, national, config["year"])
    by_domain = {(row["domain_type"], row["domain"]): row for row in people}
    config["population"] = by_domain["national", "national"]["all_ages"]
    regions = [
        {
            "region": name,
            "island_group": table[name]["island_group"],
            "areas": config["regions"][name]["areas"],
            "urban": config["regions"][name]["urban"],
            "population": by_domain["region", name]["all_ages"],
            "adults": by_domain["region", name]["adults"],
        }
        for name in table
    ]
    age_sex = census_ages(job.input.ages, config["columns"])
    seed = [config["seed"], *job.params.entropy]
    world = build_world(config, regions, [*seed, 1])
    draw = draw_survey(world, age_sex, AGES, [*seed, 2])
    generator = np.random.default_rng(np.random.SeedSequence([*seed, 3]))
    export = to_export(world, draw, generator)
    names = {
        group: {
            "per": {"children": 100, "adults": 1000}[population],
            "denominators": {key: row[population] for key, row in by_domain.items()},
        }
        for group, population in config["denominator"].items()
    }
    truth = {
        "survey": config["survey"],
        "seed": config["seed"],
        "synthetic": True,
        **planted_truth(world, names),
        "achieved": achieved(export),
    }
    side = {
        "frame": sample_frame(world, draw),
        "census": pd.DataFrame(census_margins(table, age_sex)),
        "populations": pd.DataFrame(people),
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
