# Ingest: from the raw files of a survey to typed responses and checked side tables. Ids are
# pseudonyms and identifiers are gone before anything is written.
#
# required: data/raw/{survey}/ (the export, side tables, MANIFEST.sha256), the codebook, the section
#           `ingest` of the survey's config
# gives:    restricted/ingest/: verified/{file}.json, responses.parquet, variables.csv,
#           dropped_variables.csv, tables/{table}.csv, tables/truth.json
# usual:    verify_raw (each file), then read_responses and read_table


rule verify_raw:
    """Verify that a raw file is the one that the survey's manifest declares."""
    input:
        code=code("scripts/ingest/verify_raw.py"),
        raw="data/raw/{survey}/{file}",
        manifest="data/raw/{survey}/MANIFEST.sha256",
    output:
        marker="data/processed/{survey}/restricted/ingest/verified/{file}.json",
    log:
        "logs/{survey}/ingest/verify_raw_{file}.log",
    benchmark:
        "logs/{survey}/ingest/verify_raw_{file}.tsv"
    wildcard_constraints:
        file=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    conda:
        "../../environment.yml"
    script:
        "../../scripts/ingest/verify_raw.py"


rule read_responses:
    """Read the export: typed responses, ids as pseudonyms; what the codebook doesn't list is dropped."""
    input:
        code=code("scripts/ingest/read_responses.py"),
        lock="requirements.lock",
        raw=raw_file("responses"),
        verified=marker("responses"),
        codebook=codebook,
    output:
        responses="data/processed/{survey}/restricted/ingest/responses.parquet",
        variables="data/processed/{survey}/restricted/ingest/variables.csv",
        dropped="data/processed/{survey}/restricted/ingest/dropped_variables.csv",
    log:
        "logs/{survey}/ingest/read_responses.log",
    benchmark:
        "logs/{survey}/ingest/read_responses.tsv"
    conda:
        "../../environment.yml"
    params:
        reader=setting("ingest.reader"),
        accepted_identifiers=setting("ingest.accepted_identifiers"),
        pseudonym_key=setting("ingest.pseudonym_key"),
        key_mark=mark_of_key,
        public_microdata=setting("ingest.public_microdata"),
        synthetic=setting("survey.synthetic"),
    script:
        "../../scripts/ingest/read_responses.py"


rule read_table:
    """Read a side table (frame, margins, known sizes …): columns checked, ids as pseudonyms."""
    input:
        code=code("scripts/ingest/read_table.py"),
        lock="requirements.lock",
        raw=lambda wildcards: raw_file(wildcards.table)(wildcards),
        verified=marker(None),
        codebook=lambda wildcards: (
            codebook(wildcards) if wildcards.table == "known_groups" else []
        ),
    output:
        table="data/processed/{survey}/restricted/ingest/tables/{table}.csv",
    log:
        "logs/{survey}/ingest/read_table_{table}.log",
    benchmark:
        "logs/{survey}/ingest/read_table_{table}.tsv"
    wildcard_constraints:
        table="frame|census|populations|known_groups|survivor_panel|companion|visibility|operations|areas",
    conda:
        "../../environment.yml"
    params:
        arrange=lambda wildcards: setting(f"ingest.arrange.{wildcards.table}")(
            wildcards
        ),
        pseudonym_key=setting("ingest.pseudonym_key"),
        key_mark=lambda wildcards: (
            mark_of_key(wildcards) if wildcards.table in TABLES_WITH_IDS else ""
        ),
        public_microdata=setting("ingest.public_microdata"),
        synthetic=setting("survey.synthetic"),
    script:
        "../../scripts/ingest/read_table.py"


rule read_truth:
    """Take over the planted truth of a synthetic survey, for the release stage alone."""
    input:
        code=code("scripts/ingest/read_truth.py"),
        raw=raw_file("truth"),
        verified=marker("truth"),
    output:
        truth="data/processed/{survey}/restricted/ingest/tables/truth.json",
    log:
        "logs/{survey}/ingest/read_truth.log",
    benchmark:
        "logs/{survey}/ingest/read_truth.tsv"
    conda:
        "../../environment.yml"
    params:
        synthetic=setting("survey.synthetic"),
    script:
        "../../scripts/ingest/read_truth.py"
