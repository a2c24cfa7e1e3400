# simulate: studies of the estimators in simulated worlds, in parts that are jobs of their own. Asked
# for by the target `simulate` alone; a finished part is kept and never drawn again.
#
# required: config/simulations.yaml and the file of parameters that it names
# gives:    data/processed/simulate/coverage/<world>/<first>_<surveys>.npz, planning/<design>/ alike,
#           data/processed/simulate/{coverage,planning}.csv
# usual:    simulate_coverage and simulate_planning (each part), then gather_coverage, gather_planning


rule simulate_coverage:
    """Draws and estimates some surveys of a simulated world."""
    input:
        code=code("scripts/simulate/simulate_coverage.py"),
    output:
        part="data/processed/simulate/coverage/{world}/{first}_{surveys}.npz",
    log:
        "logs/simulate/coverage/{world}_{first}_{surveys}.log",
    benchmark:
        "logs/simulate/coverage/{world}_{first}_{surveys}.tsv"
    wildcard_constraints:
        world="[a-z][a-z0-9_]*",
        first="[0-9]+",
        surveys="[0-9]+",
    conda:
        "../../environment.yml"
    params:
        parameters=lambda wildcards: world_parameters(wildcards.world),
        seed=simulation_seed,
    script:
        "../../scripts/simulate/simulate_coverage.py"


rule gather_coverage:
    """How often intervals held the truth, over all surveys of all worlds."""
    input:
        code=code("scripts/simulate/gather_coverage.py"),
        parts=coverage_parts,
    output:
        table="data/processed/simulate/coverage.csv",
    log:
        "logs/simulate/gather_coverage.log",
    benchmark:
        "logs/simulate/gather_coverage.tsv"
    conda:
        "../../environment.yml"
    params:
        worlds=simulated_worlds,
    script:
        "../../scripts/simulate/gather_coverage.py"


rule simulate_planning:
    """Draws some surveys of another design from a simulated world."""
    input:
        code=code("scripts/simulate/simulate_planning.py"),
    output:
        part="data/processed/simulate/planning/{design}/{first}_{surveys}.npz",
    log:
        "logs/simulate/planning/{design}_{first}_{surveys}.log",
    benchmark:
        "logs/simulate/planning/{design}_{first}_{surveys}.tsv"
    wildcard_constraints:
        design="[0-9]+",
        first="[0-9]+",
        surveys="[0-9]+",
    conda:
        "../../environment.yml"
    params:
        world=planning_setting("world"),
        parameters=planning_parameters,
        seed=simulation_seed,
        design=lambda wildcards: planning_setting("designs")(wildcards)[
            int(wildcards.design)
        ],
    script:
        "../../scripts/simulate/simulate_planning.py"


rule gather_planning:
    """The planning formula beside simulated surveys of other designs."""
    input:
        code=code("scripts/simulate/gather_planning.py"),
        parts=planning_parts,
    output:
        table="data/processed/simulate/planning.csv",
    log:
        "logs/simulate/gather_planning.log",
    benchmark:
        "logs/simulate/gather_planning.tsv"
    conda:
        "../../environment.yml"
    params:
        world=planning_setting("world"),
        parameters=planning_parameters,
        seed=simulation_seed,
        designs=lambda wildcards: len(planning_setting("designs")(wildcards)),
    script:
        "../../scripts/simulate/gather_planning.py"
