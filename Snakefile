# From raw survey exports to a published report; see README.md.
#
#   snakemake                 the surveys listed in config/config.yaml
#   snakemake <survey>        any survey with a file config/surveys/<survey>.yaml
#   snakemake trend           surveys with `waves:` in their config beside their earlier waves
#   snakemake compare         the national rates of all listed surveys beside each other
#   snakemake audit           what those runs rest on and made, under data/processed/<survey>/audit/
#   snakemake synthesize      synthetic exports anew, under data/processed/synthetic/
#   snakemake simulate        studies of the estimators, under data/processed/simulate/


include: "workflow/rules/common.smk"


check_run_file()


configfile: "config/config.yaml"


config = checked_run_config(config)


wildcard_constraints:
    survey="[a-z][a-z0-9_]*",


include: "workflow/rules/synthesize.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/clean.smk"
include: "workflow/rules/weight.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/release.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/trend.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/simulate.smk"


check_survey_names()


rule all:
    """The published report of each survey in config/config.yaml, and all that it rests on."""
    default_target: True
    input:
        wanted(*config["surveys"]),
        trends(*config["surveys"]),


rule synthesize:
    """The synthetic exports anew; `make adopt-synthetic` then puts them under data/raw/."""
    input:
        synthetic_exports(),


rule audit:
    """The audit's record of each survey in config/config.yaml; `make audit` proves it besides."""
    input:
        [f"data/processed/{survey}/audit/manifest.json" for survey in config["surveys"]],


rule trend:
    """Every survey whose config names earlier waves beside each of them: what changed."""
    input:
        trends(*KNOWN_SURVEYS),


rule compare:
    """The surveys in config/config.yaml beside each other, each by its own definitions."""
    input:
        rules.publish_comparison.output,


rule simulate:
    """Studies of the estimators in simulated worlds: coverage, and the planning formula."""
    input:
        rules.gather_coverage.output,
        rules.gather_planning.output,


for known_survey in KNOWN_SURVEYS:

    rule:
        name:
            known_survey
        input:
            wanted(known_survey),


onstart:
    check_places(workflow.dag.needrun_jobs())
    announce(workflow.rules)
