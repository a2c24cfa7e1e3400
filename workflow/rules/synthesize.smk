# synthesize: a made-up world, a survey of it, and its export. Never part of the default run.
#
# required: config/synthetic/<survey>.yaml, data/raw/psa/
# gives:    data/processed/synthetic/<survey>/: the export, side tables, truth.json, data dictionary
# usual:    synthesize_survey, then by hand `make adopt-synthetic`


rule synthesize_survey:
    """A made-up world with a planted truth, a survey of it, its export and side tables."""
    input:
        code=code("scripts/synthesize/synthesize_survey.py"),
        ages="data/raw/psa/age_sex_2020.csv",
        projection="data/raw/psa/proj.csv",
        regions="data/raw/psa/region_2020_householdpop.csv",
    output:
        responses="data/processed/synthetic/{survey}/{survey}.sav",
        frame="data/processed/synthetic/{survey}/sample_frame.csv",
        census="data/processed/synthetic/{survey}/census_2020.csv",
        populations="data/processed/synthetic/{survey}/populations.csv",
        known_groups="data/processed/synthetic/{survey}/known_groups.csv",
        panel="data/processed/synthetic/{survey}/survivor_panel.csv",
        operations="data/processed/synthetic/{survey}/operations.csv",
        dictionary="data/processed/synthetic/{survey}/data_dictionary.csv",
        truth="data/processed/synthetic/{survey}/truth.json",
    log:
        "logs/{survey}/synthesize/synthesize_survey.log",
    benchmark:
        "logs/{survey}/synthesize/synthesize_survey.tsv"
    conda:
        "../../environment.yml"
    params:
        config=synthetic_config,
        earlier=earlier_synthetic,
        entropy=stage_seed("synthesize_survey"),
    script:
        "../../scripts/synthesize/synthesize_survey.py"
