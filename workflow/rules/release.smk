# release: from uncontrolled tables to those that may leave; the only door out of restricted/.
#
# required: the tables of the clean, weight and estimate stages (and model, where the survey has that
#           section), clean/respondents.parquet for how domains lie in one another, the planted truth
#           of a synthetic survey, config/disclosure.yaml
# gives:    release/<the same names>.csv with suppressed and precision, validation.csv,
#           disclosure_log.csv (no values), disclosure_summary.csv, disclosure_exceptions.csv
# usual:    release_tables

CONTROLLED = {
    "clean": ["sample_flow", "data_quality"],
    "weight": [
        "weighting",
        "weight_distribution",
        "response_rates",
        "nonresponse_bias",
        "margins",
        "collapsed",
    ],
    "estimate": [
        "scale_up",
        "contrasts",
        "degree_summary",
        "degree_distribution",
        "known_groups",
        "agreement",
        "reporting",
        "specifications",
        "choice_shares",
        "trimming",
        "adjustment",
        "variance_components",
        "factors",
        "sensitivity",
        "influence",
        "planning",
        "estimands",
        "effective_n",
    ],
    "model": [
        "known_groups_models",
        "diagnostics",
        "predictive",
        "model_comparison",
        "prior_sensitivity",
        "small_areas",
        "adjustment_models",
        "area_distribution",
    ],
}
# The models' rows of scale_up and of specifications.
UNITED = ["scale_up_models", "specifications_models"]
MADE_BY_RELEASE = [
    "validation",
    "disclosure_log",
    "disclosure_summary",
    "disclosure_exceptions",
]


rule release_tables:
    """Disclosure control of all tables together: withheld, rounded, flagged, and put on record."""
    input:
        code=code("scripts/release/release_tables.py"),
        tables=lambda wildcards: [
            f"data/processed/{wildcards.survey}/restricted/{stage}/{name}.csv"
            for stage, names in {
                **CONTROLLED,
                "model": CONTROLLED["model"] + UNITED,
            }.items()
            if stage != "model" or lookup(survey_config(wildcards.survey), "model")
            for name in names
        ],
        disclosure_inputs="data/processed/{survey}/restricted/estimate/disclosure_inputs.csv",
        respondents="data/processed/{survey}/restricted/clean/respondents.parquet",
        truth=table("truth"),
        earlier=earlier_release,
        policy="config/disclosure.yaml",
        schema="workflow/schemas/disclosure.yaml",
    output:
        tables=expand(
            "data/processed/{{survey}}/release/{name}.csv",
            name=[*sum(CONTROLLED.values(), []), *MADE_BY_RELEASE],
        ),
    log:
        "logs/{survey}/release/release_tables.log",
    benchmark:
        "logs/{survey}/release/release_tables.tsv"
    conda:
        "../../environment.yml"
    params:
        release=setting("release"),
        domains=setting("estimate.domains"),
        headline=setting("headline.estimator"),
    script:
        "../../scripts/release/release_tables.py"
