# estimate: degrees, scale-up estimates, and the checks that say which to believe.
#
# required: clean/{respondents,ard,situations}.parquet, weight/{weights,replicates,replicate_factors}.parquet,
#           the side tables known_groups and populations (or estimate.populations), the sections
#           estimate: and headline: of the survey's config
# gives:    restricted/estimate/{degrees.parquet, degree_summary, degree_distribution, known_groups,
#           agreement, scale_up, contrasts, disclosure_inputs, reporting, specifications, choice_shares,
#           trimming, adjustment, variance_components, factors, sensitivity, influence, planning,
#           estimands, effective_n, influential}.csv, weight_diagnostics.svg
# usual:    estimate_degrees, check_known_groups, estimate_scale_up, estimate_reporting,
#           specify_alternatives, adjust_estimates, assess_sensitivity, plan_next_wave,
#           describe_estimands, describe_concentration

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
        visibility=table("visibility"),
    output:
        scale_up="data/processed/{survey}/restricted/estimate/scale_up.csv",
        contrasts="data/processed/{survey}/restricted/estimate/contrasts.csv",
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
        seed=stage_seed("estimate_scale_up"),
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


rule specify_alternatives:
    """Every combination of the configured choices, and which choice moves the answer most."""
    input:
        **STUDY,
        code=code("scripts/estimate/specify_alternatives.py"),
    output:
        specifications="data/processed/{survey}/restricted/estimate/specifications.csv",
        choice_shares="data/processed/{survey}/restricted/estimate/choice_shares.csv",
        trimming="data/processed/{survey}/restricted/estimate/trimming.csv",
    log:
        "logs/{survey}/estimate/specify_alternatives.log",
    benchmark:
        "logs/{survey}/estimate/specify_alternatives.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
        combine=setting("clean.combine"),
        imputations=setting("clean.imputations"),
    script:
        "../../scripts/estimate/specify_alternatives.py"


rule adjust_estimates:
    """The headline adjusted for what respondents cannot know, and its variance by source."""
    input:
        **STUDY,
        code=code("scripts/estimate/adjust_estimates.py"),
        survivor_panel=table("survivor_panel"),
        companion=table("companion"),
    output:
        adjustment="data/processed/{survey}/restricted/estimate/adjustment.csv",
        variance_components="data/processed/{survey}/restricted/estimate/variance_components.csv",
        factors="data/processed/{survey}/restricted/estimate/factors.csv",
    log:
        "logs/{survey}/estimate/adjust_estimates.log",
    benchmark:
        "logs/{survey}/estimate/adjust_estimates.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
        seed=stage_seed("adjust_estimates"),
    script:
        "../../scripts/estimate/adjust_estimates.py"


rule assess_sensitivity:
    """How far the headline moves with the factors, the published claims and single places."""
    input:
        **STUDY,
        code=code("scripts/estimate/assess_sensitivity.py"),
        survivor_panel=table("survivor_panel"),
        companion=table("companion"),
        scale_up="data/processed/{survey}/restricted/estimate/scale_up.csv",
    output:
        sensitivity="data/processed/{survey}/restricted/estimate/sensitivity.csv",
        influence="data/processed/{survey}/restricted/estimate/influence.csv",
    log:
        "logs/{survey}/estimate/assess_sensitivity.log",
    benchmark:
        "logs/{survey}/estimate/assess_sensitivity.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
        seed=stage_seed("adjust_estimates"),
        # Published findings, for a survey that mirrors them.
        findings=lambda wildcards: (
            read_yaml("config/published_findings.yaml")["findings"]
            if setting("survey.mirror")(wildcards)
            else []
        ),
    script:
        "../../scripts/estimate/assess_sensitivity.py"


rule plan_next_wave:
    """What other designs would show in the next wave."""
    input:
        **STUDY,
        code=code("scripts/estimate/plan_next_wave.py"),
    output:
        planning="data/processed/{survey}/restricted/estimate/planning.csv",
    log:
        "logs/{survey}/estimate/plan_next_wave.log",
    benchmark:
        "logs/{survey}/estimate/plan_next_wave.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
    script:
        "../../scripts/estimate/plan_next_wave.py"


rule describe_estimands:
    """What is estimated, by which pre-specified choices, and each deviation from them."""
    input:
        code=code("scripts/estimate/describe_estimands.py"),
        populations=table("populations"),
        record=prespecified,
    output:
        estimands="data/processed/{survey}/restricted/estimate/estimands.csv",
    log:
        "logs/{survey}/estimate/describe_estimands.log",
    benchmark:
        "logs/{survey}/estimate/describe_estimands.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        combine=setting("clean.combine"),
        imputations=setting("clean.imputations"),
        year=setting("survey.year"),
    script:
        "../../scripts/estimate/describe_estimands.py"


rule describe_concentration:
    """On how many respondents the figures rest: effective numbers, the most influential, a picture."""
    input:
        **STUDY,
        code=code("scripts/estimate/describe_concentration.py"),
        weighting="data/processed/{survey}/restricted/weight/weighting.csv",
        weight_distribution="data/processed/{survey}/restricted/weight/weight_distribution.csv",
        margins="data/processed/{survey}/restricted/weight/margins.csv",
        response_rates="data/processed/{survey}/restricted/weight/response_rates.csv",
    output:
        effective_n="data/processed/{survey}/restricted/estimate/effective_n.csv",
        influential="data/processed/{survey}/restricted/estimate/influential.csv",
        picture="data/processed/{survey}/restricted/estimate/weight_diagnostics.svg",
    log:
        "logs/{survey}/estimate/describe_concentration.log",
    benchmark:
        "logs/{survey}/estimate/describe_concentration.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
        synthetic=setting("survey.synthetic"),
    script:
        "../../scripts/estimate/describe_concentration.py"
