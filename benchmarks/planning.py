"""Check the planning formula against simulation: surveys of other designs from one world.

    python benchmarks/planning.py [--surveys 400] [--world less_concentrated]

One survey of the present design gives the formula's components, as a team would have them. Each
other design is then drawn many times from the same world; its empirical coefficient of variation
stands beside the expected one in data/reference/planning.csv.
"""

import argparse

import numpy as np
import pandas as pd
from provenance import ROOT, WORLDS, stream, write_sidecar

from prevalence.files import read_yaml, write_csv
from prevalence.planning import RelativeVariance, relative_variance
from prevalence.worlds import World, build_world, draw_survey, estimate_survey

RESULT = ROOT / "data" / "reference" / "planning.csv"
DESIGNS = [  # PSUs, households a place
    {"psus": 149, "households_per_place": 9},
    {"psus": 149, "households_per_place": 18},
    {"psus": 298, "households_per_place": 5},
    {"psus": 298, "households_per_place": 9},
    {"psus": 110, "households_per_place": 9},
]


def redesigned(world, design):
    """Give the same world with another survey design."""
    parameters = world.parameters | design
    return World(**{**vars(world), "parameters": parameters})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=400)
    parser.add_argument("--world", default="less_concentrated")
    options = parser.parse_args()
    config = read_yaml(WORLDS)
    parameters = config["defaults"] | config["worlds"][options.world] | {"replicates": 50}
    world = build_world(parameters, stream(config["seed"], options.world, "world"))
    known = len(world.known)
    components = []
    for number in range(20):  # one survey gives them; their mean over twenty shows what to expect
        survey = draw_survey(world, stream(config["seed"], "planning", "present", number))
        design = survey.sampling.replicates.design
        place = design.psu
        components.append(
            [
                relative_variance(
                    survey.counts[:, known + group],
                    survey.degree,
                    survey.sampling.weights,
                    design.stages[0].stratum[place],
                    place,
                )
                for group in range(len(world.hidden))
            ]
        )
    rows = []
    for number, changes in enumerate(DESIGNS):
        other = redesigned(world, changes)
        found, sizes = [], []
        for draw in range(options.surveys):
            survey = draw_survey(other, stream(config["seed"], "planning", number, draw))
            outcome = estimate_survey(other, survey)
            found.append(
                [
                    outcome.estimate[
                        outcome.keys.index(
                            ("ratio_of_sums", group, "national", "log_t", "bootstrap")
                        )
                    ]
                    for group in world.hidden
                ]
            )
            units = survey.sampling.replicates.design
            sizes.append([len(units.psus), len(survey.degree)])
        psus, respondents = np.round(np.mean(sizes, axis=0)).astype(int)
        values = np.array(found)
        for place, group in enumerate(world.hidden):
            expected = [
                RelativeVariance(**vars(one[place])).of(int(psus), int(respondents)) ** 0.5
                for one in components
            ]
            rows.append(
                {
                    "world": options.world,
                    "group": group,
                    "psus": int(psus),
                    "respondents": int(respondents),
                    "expected_cv": float(np.mean(expected)),
                    "expected_cv_low": float(np.quantile(expected, 0.1)),
                    "expected_cv_high": float(np.quantile(expected, 0.9)),
                    "simulated_cv": float(values[:, place].std(ddof=1) / values[:, place].mean()),
                    "surveys": options.surveys,
                }
            )
        print(f"{number + 1}/{len(DESIGNS)} designs", flush=True)
    write_csv(pd.DataFrame(rows), RESULT)
    write_sidecar(RESULT, __file__, config, options.surveys)
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
