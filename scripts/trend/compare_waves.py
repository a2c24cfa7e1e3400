"""Compare a survey with an earlier wave: levels, changes, controls, and what differs."""

from pathlib import Path
from typing import Any

from prevalence.codebook import parse_codebook
from prevalence.contracts import check_table
from prevalence.contracts.trend import CHANGES, COMPARABILITY, CONTROLS, LEVELS
from prevalence.estimation import SIDE_TABLES, study_of
from prevalence.files import read_csv, read_parquet, write_csv
from prevalence.job import run_job
from prevalence.known_groups import typical_design_effect
from prevalence.study_files import with_codes
from prevalence.waves.cells import cells_of, compare, frozen
from prevalence.waves.comparability import Described, comparability
from prevalence.waves.samples import joint_samplings
from prevalence.waves.trend import changes_table, controls_table, levels_table
from prevalence.weighting import TEXT_COLUMNS

PARQUET = ("respondents", "ard", "weights", "households", "replicates", "replicate_factors")


def tables_of(job: Any, wave: str) -> dict[str, Any]:
    """Tables of a wave, by name."""
    found = {name: read_parquet(job.input.get(f"{wave}_{name}")) for name in PARQUET}
    found["margins"] = read_csv(job.input.get(f"{wave}_margins"), dtype=TEXT_COLUMNS)
    sides = {name: job.input.get(f"{wave}_{name}") for name in SIDE_TABLES}
    return found | {name: read_csv(path) for name, path in sides.items() if path}


def described(job: Any, wave: str, config: dict[str, Any], tables: dict[str, Any]) -> Described:
    """Describe a wave by its config, codebook and known sizes."""
    path = Path(job.input.get(f"{wave}_codebook"))
    codebook = parse_codebook(path.read_bytes(), path)
    return Described(config, codebook.variables, tables["known_groups"])


def main(job: Any) -> None:
    """Write the uncontrolled tables of a trend."""
    configs = (job.params.earlier, job.params.later)
    waves = (job.wildcards.earlier, job.wildcards.survey)
    tables = tuple(tables_of(job, wave) for wave in ("earlier", "later"))
    studies = [
        study_of(
            one | {"respondents": with_codes(one["respondents"], config["estimate"]["domains"])},
            estimate=config["estimate"],
            headline=config["headline"],
            year=config["survey"]["year"],
        )
        for one, config in zip(tables, configs, strict=True)
    ]
    earlier, later, dropped = frozen(*studies)
    samplings, overlap = joint_samplings(
        tables,
        tuple(config["weight"] for config in configs),
        job.params.seed,
        independent=job.params.psus == "independent",
    )
    checked = read_csv(job.input.checked)
    mine = checked["in_headline"] & (checked["estimator"] == earlier.headline.estimator)
    effect = typical_design_effect(checked.loc[mine, "design_effect"].to_numpy(float))
    level = earlier.headline.inference.level
    cells = cells_of(earlier, later)
    found = {
        "levels": (
            LEVELS,
            levels_table(
                cells,
                (earlier, later),
                waves,
                (studies[0].headline.inference, studies[1].headline.inference),
                effect,
            ),
        ),
        "changes": (
            CHANGES,
            changes_table(cells, compare(cells, samplings, overlap), level, effect).assign(
                estimator=earlier.headline.estimator
            ),
        ),
        "controls": (
            CONTROLS,
            controls_table(earlier, later, samplings, overlap),
        ),
        "comparability": (
            COMPARABILITY,
            comparability(
                described(job, "earlier", configs[0], tables[0]),
                described(job, "later", configs[1], tables[1]),
                overlap,
                dropped,
                domains=(studies[0].domains, studies[1].domains),
                independent=job.params.psus == "independent",
            ),
        ),
    }
    for name, (contract, table) in found.items():
        path = job.output.get(name)
        named = table.assign(survey=waves[1], earlier=waves[0])
        write_csv(check_table(named[list(contract.columns)], contract, path), path)


if __name__ == "__main__":
    run_job(main, snakemake)
