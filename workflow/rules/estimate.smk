# estimate: degrees, scale-up estimates, and the checks that say which to believe.
#
# required: clean/{respondents,ard,situations}.parquet, weight/{weights,replicates,replicate_factors}.parquet,
#           the side tables known_groups and populations (or estimate.populations), the sections
#           estimate: and headline: of the survey's config
# gives:    restricted/estimate/{degrees.parquet, degree_summary, degree_distribution, known_groups,
#           agreement, scale_up, disclosure_inputs, reporting}.csv
# usual:    estimate_degrees, check_known_groups, estimate_scale_up, estimate_reporting

# What every table of the stage rests on.
STUDY = {
    "respondents": "data/processed/{survey}/restricted/clean/respondents.parquet",
    "ard": "data/processed/{survey}/restricted/clean/ard.parquet",
    "weights": "data/processed/{survey}/restricted/weight/weights.parquet",
    "replicates": "data/processed/{survey}/restricted/weight/replicates.parquet",
    "replicate_factors": "data/processed/{survey}/restricted/weight/replicate_factors.parquet",
    "known_groups": table("known_groups"),
    "populations": table("populations"),
}


rule estimate_degrees:
    """Network size of each respondent, its mean by domain, and its distribution."""
    input:
        **STUDY,
        code=code("scripts/estimate/estimate_degrees.py"),
    output:
        degrees="data/processed/{survey}/restricted/estimate/degrees.parquet",
        summary="data/processed/{survey}/restricted/estimate/degree_summary.csv",
        distribution="data/processed/{survey}/restricted/estimate/degree_distribution.csv",
    log:
        "logs/{survey}/estimate/estimate_degrees.log",
    benchmark:
        "logs/{survey}/estimate/estimate_degrees.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
    script:
        "../../scripts/estimate/estimate_degrees.py"


rule check_known_groups:
    """Each group of known size estimated from the others, and how well they agree."""
    input:
        **STUDY,
        code=code("scripts/estimate/check_known_groups.py"),
    output:
        known_groups="data/processed/{survey}/restricted/estimate/known_groups.csv",
        agreement="data/processed/{survey}/restricted/estimate/agreement.csv",
    log:
        "logs/{survey}/estimate/check_known_groups.log",
    benchmark:
        "logs/{survey}/estimate/check_known_groups.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
    script:
        "../../scripts/estimate/check_known_groups.py"


rule estimate_scale_up:
    """Hidden groups by every estimator, nationally and by domain, and what release must know."""
    input:
        **STUDY,
        code=code("scripts/estimate/estimate_scale_up.py"),
        checked="data/processed/{survey}/restricted/estimate/known_groups.csv",
    output:
        scale_up="data/processed/{survey}/restricted/estimate/scale_up.csv",
        disclosure_inputs="data/processed/{survey}/restricted/estimate/disclosure_inputs.csv",
    log:
        "logs/{survey}/estimate/estimate_scale_up.log",
    benchmark:
        "logs/{survey}/estimate/estimate_scale_up.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
    script:
        "../../scripts/estimate/estimate_scale_up.py"


rule estimate_reporting:
    """Share of the situations respondents know of that was reported to authorities."""
    input:
        **STUDY,
        code=code("scripts/estimate/estimate_reporting.py"),
        situations="data/processed/{survey}/restricted/clean/situations.parquet",
    output:
        reporting="data/processed/{survey}/restricted/estimate/reporting.csv",
    log:
        "logs/{survey}/estimate/estimate_reporting.log",
    benchmark:
        "logs/{survey}/estimate/estimate_reporting.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
    script:
        "../../scripts/estimate/estimate_reporting.py"
