"""Check the planning formula against simulation: surveys of other designs from one world.

    python benchmarks/planning.py

World, designs and number of surveys stand in config/simulations.yaml. Surveys of the present design
give the formula's components, as a team would have them. Each other design is then drawn many times
from the same world; its empirical coefficient of variation stands beside the expected one in
data/reference/planning.csv. Runs `snakemake data/processed/simulate/planning.csv`, which keeps
finished parts.
"""

import argparse

from provenance import ROOT, WORLDS, simulated, write_sidecar

from prevalence.files import read_yaml, write_csv

RESULT = ROOT / "data" / "reference" / "planning.csv"


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    table = simulated("planning")
    write_csv(table, RESULT)
    surveys = int(table["surveys"].iloc[0])
    write_sidecar(RESULT, __file__, read_yaml(WORLDS), surveys, rules=["simulate"])
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
