"""Release a trend: nothing that either wave's own release withholds; the rest rounded."""

from typing import Any

from prevalence.config import check_config
from prevalence.contracts import check_table
from prevalence.contracts.trend import (
    CHANGES,
    COMPARABILITY,
    CONTROLS,
    LEVELS,
    VALIDATION,
    released,
)
from prevalence.disclosure.rules import Policy
from prevalence.files import read_csv, read_json, read_yaml, write_csv
from prevalence.job import run_job
from prevalence.waves.control import (
    cell_reasons,
    controlled_changes,
    controlled_controls,
    controlled_levels,
    validated,
)


def main(job: Any) -> None:
    """Write the released tables of a trend."""
    config = read_yaml(job.input.policy)
    check_config(config, read_yaml(job.input.schema), job.input.policy)
    policy = Policy.from_config(config)
    reasons = {
        wave: cell_reasons(read_csv(path), estimator)
        for wave, path, estimator in (
            (job.wildcards.earlier, job.input.earlier, job.params.earlier_headline),
            (job.wildcards.survey, job.input.later, job.params.headline),
        )
    }
    truth = read_json(job.input.truth) if job.input.get("truth") else {}
    same = truth.get("earlier") == job.wildcards.earlier
    pair = [reasons[job.wildcards.earlier], reasons[job.wildcards.survey]]
    changes = controlled_changes(read_csv(job.input.changes), pair, policy)
    planted = validated(changes, truth.get("changes", []) if same else [])
    waves = {"survey": job.wildcards.survey, "earlier": job.wildcards.earlier}
    done = {
        "levels": (
            released(LEVELS),
            controlled_levels(read_csv(job.input.levels), reasons, policy),
        ),
        "changes": (released(CHANGES), changes),
        "controls": (
            released(CONTROLS),
            controlled_controls(read_csv(job.input.controls), policy),
        ),
        "comparability": (released(COMPARABILITY), read_csv(job.input.comparability)),
        "validation": (VALIDATION, planted.assign(**waves)),
    }
    for name, (contract, table) in done.items():
        path = job.output.get(name)
        arranged = table.fillna({"meaning": ""}) if "meaning" in table else table
        write_csv(check_table(arranged[list(contract.columns)], contract, path), path)


if __name__ == "__main__":
    run_job(main, snakemake)
