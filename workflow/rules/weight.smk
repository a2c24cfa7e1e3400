# weight: base weights, nonresponse, trimming, calibration, and the replicates of all that.
#
# required: clean/respondents.parquet, the section weight: of the survey's config; the side tables
#           frame (dispositions, selection probabilities) and census (margins) where the config uses them
# gives:    restricted/weight/{weights,households,replicates,replicate_factors}.parquet,
#           {weighting,weight_distribution,response_rates,margins,collapsed,nonresponse_bias}.csv
# usual:    compute_weights, draw_replicates, compare_respondents


rule compute_weights:
    """Weight of each respondent after each step, and tables that describe the steps."""
    input:
        code=code("scripts/weight/compute_weights.py"),
        respondents="data/processed/{survey}/restricted/clean/respondents.parquet",
        frame=table("frame"),
        census=table("census"),
    output:
        weights="data/processed/{survey}/restricted/weight/weights.parquet",
        households="data/processed/{survey}/restricted/weight/households.parquet",
        weighting="data/processed/{survey}/restricted/weight/weighting.csv",
        distribution="data/processed/{survey}/restricted/weight/weight_distribution.csv",
        response_rates="data/processed/{survey}/restricted/weight/response_rates.csv",
        margins="data/processed/{survey}/restricted/weight/margins.csv",
        collapsed="data/processed/{survey}/restricted/weight/collapsed.csv",
    log:
        "logs/{survey}/weight/compute_weights.log",
    benchmark:
        "logs/{survey}/weight/compute_weights.tsv"
    conda:
        "../../environment.yml"
    params:
        weight=setting("weight"),
    script:
        "../../scripts/weight/compute_weights.py"


rule draw_replicates:
    """PSUs drawn or left out in each replicate, and the adjustments repeated there."""
    input:
        code=code("scripts/weight/draw_replicates.py"),
        weights="data/processed/{survey}/restricted/weight/weights.parquet",
        households="data/processed/{survey}/restricted/weight/households.parquet",
        margins="data/processed/{survey}/restricted/weight/margins.csv",
    output:
        replicates="data/processed/{survey}/restricted/weight/replicates.parquet",
        factors="data/processed/{survey}/restricted/weight/replicate_factors.parquet",
    log:
        "logs/{survey}/weight/draw_replicates.log",
    benchmark:
        "logs/{survey}/weight/draw_replicates.tsv"
    conda:
        "../../environment.yml"
    params:
        weight=setting("weight"),
        seed=stage_seed("draw_replicates"),
    script:
        "../../scripts/weight/draw_replicates.py"


rule compare_respondents:
    """Respondents against the sampling frame and against the census: nonresponse bias."""
    input:
        code=code("scripts/weight/compare_respondents.py"),
        respondents="data/processed/{survey}/restricted/clean/respondents.parquet",
        weights="data/processed/{survey}/restricted/weight/weights.parquet",
        households="data/processed/{survey}/restricted/weight/households.parquet",
        frame=table("frame"),
        census=table("census"),
    output:
        nonresponse_bias="data/processed/{survey}/restricted/weight/nonresponse_bias.csv",
    log:
        "logs/{survey}/weight/compare_respondents.log",
    benchmark:
        "logs/{survey}/weight/compare_respondents.tsv"
    conda:
        "../../environment.yml"
    params:
        nonresponse=setting("weight.nonresponse"),
    script:
        "../../scripts/weight/compare_respondents.py"
