# audit: what a run was and what it rests on.
#
# required: the verified markers of ingest, the configuration, the code, requirements.lock; for the
#           record every other file of the run
# gives:    data/processed/<survey>/audit/identity.json, printed in the report; on request (`snakemake
#           audit`) manifest.json, config.yaml, exhibits.csv, jobs.json, seeds.json, dag.svg and
#           disclosure_log.csv beside it
# usual:    identify_run; record_run


rule identify_run:
    """The run's identity: one hash over raw data, config values, code and environment."""
    input:
        code=code("scripts/audit/identify_run.py"),
        verified=verified_markers,
        codebook=codebook,
        lock="requirements.lock",
        record=prespecified,
        pipeline=pipeline_code(),
        released=released_code(),
    output:
        identity="data/processed/{survey}/audit/identity.json",
    log:
        "logs/{survey}/audit/identify_run.log",
    benchmark:
        "logs/{survey}/audit/identify_run.tsv"
    conda:
        "../../environment.yml"
    params:
        config=lambda wildcards: {
            "config/config.yaml": {"seed": config["seed"]},
            "survey": survey_config(wildcards.survey),
        }
        | {path: shared_config(path) for path in SHARED_CONFIG},
        # What no released table rests on.
        texts=["report", "config/terminology.yaml"],
        renderer=renderer_identity(),
    script:
        "../../scripts/audit/identify_run.py"


rule record_run:
    """The audit's record: what went in and came out, and where each exhibit comes from."""
    input:
        code=code("scripts/audit/record_run.py"),
        files=lambda wildcards: everything(wildcards.survey),
        sources=lambda wildcards: sources_of(wildcards.survey),
        identity="data/processed/{survey}/audit/identity.json",
        report="data/processed/{survey}/staged/source",
        disclosure_log="data/processed/{survey}/release/disclosure_log.csv",
        codebook=codebook,
    output:
        manifest="data/processed/{survey}/audit/manifest.json",
        config="data/processed/{survey}/audit/config.yaml",
        exhibits="data/processed/{survey}/audit/exhibits.csv",
        jobs="data/processed/{survey}/audit/jobs.json",
        seeds="data/processed/{survey}/audit/seeds.json",
        disclosure_log="data/processed/{survey}/audit/disclosure_log.csv",
        dag="data/processed/{survey}/audit/dag.svg",
    log:
        "logs/{survey}/audit/record_run.log",
    benchmark:
        "logs/{survey}/audit/record_run.tsv"
    conda:
        "../../environment.yml"
    params:
        jobs=lambda wildcards: jobs_of(wildcards.survey),
        config=lambda wildcards: run_settings(wildcards.survey),
        renderer=renderer_identity(),
        # Values of restricted tables are fingerprinted only where nobody's answers are in them.
        open=lambda wildcards: bool(
            setting("survey.synthetic")(wildcards)
            or setting("ingest.public_microdata")(wildcards)
        ),
    script:
        "../../scripts/audit/record_run.py"
