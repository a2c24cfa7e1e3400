# Clean: from responses to valid interviews. Everything excluded is counted, every changed cell is
# on record.
#
# required: restricted/ingest/responses.parquet, the codebook, the section `clean` of the survey's
#           config; the side table frame where the survey supplies it
# gives:    restricted/clean/: respondents.parquet, ard.parquet, intervals.parquet,
#           situations.parquet, sample_flow.csv, edits.parquet, data_quality.csv
# usual:    clean_responses


rule clean_responses:
    """Decode, screen, edit, derive and combine the responses."""
    input:
        code=code("scripts/clean/clean_responses.py"),
        responses="data/processed/{survey}/restricted/ingest/responses.parquet",
        codebook=codebook,
        frame=table("frame"),
    output:
        respondents="data/processed/{survey}/restricted/clean/respondents.parquet",
        ard="data/processed/{survey}/restricted/clean/ard.parquet",
        intervals="data/processed/{survey}/restricted/clean/intervals.parquet",
        situations="data/processed/{survey}/restricted/clean/situations.parquet",
        sample_flow="data/processed/{survey}/restricted/clean/sample_flow.csv",
        edits="data/processed/{survey}/restricted/clean/edits.parquet",
        data_quality="data/processed/{survey}/restricted/clean/data_quality.csv",
    log:
        "logs/{survey}/clean/clean_responses.log",
    benchmark:
        "logs/{survey}/clean/clean_responses.tsv"
    conda:
        "../../environment.yml"
    params:
        clean=setting("clean"),
    script:
        "../../scripts/clean/clean_responses.py"
