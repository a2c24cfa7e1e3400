# audit: what a run was and what it rests on.
#
# required: the verified markers of ingest, the configuration, the code, requirements.lock
# gives:    data/processed/<survey>/audit/identity.json, printed in the report
# usual:    identify_run


rule identify_run:
    """The run's identity: one hash over raw data, config values, code and environment."""
    input:
        code=code("scripts/audit/identify_run.py"),
        verified=verified_markers,
        codebook=codebook,
        lock="requirements.lock",
        pipeline=pipeline_code(),
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
        | {path: read_yaml(path) for path in SHARED_CONFIG},
        renderer=renderer_identity(),
    script:
        "../../scripts/audit/identify_run.py"
