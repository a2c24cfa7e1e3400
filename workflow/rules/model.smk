# model: Bayesian scale-up models beside the design-based estimates.
#
# required: what the estimate stage takes, its scale_up.csv, and the section model: of the survey's config;
#           without that section there is no model stage
# gives:    restricted/model/<model>.nc (draws of what is reported, as InferenceData) and
#           restricted/model/{scale_up_models, specifications_models, diagnostics,
#           known_groups_models, predictive, prior_sensitivity, model_comparison, small_areas,
#           area_distribution, adjustment_models}.csv
# usual:    fit_model (one job a model), collect_models, compare_places, adjust_models


rule fit_model:
    """One model's posterior of what is reported, with diagnostics and predictive checks."""
    input:
        **STUDY,
        intervals="data/processed/{survey}/restricted/clean/intervals.parquet",
        areas=table("areas"),
        code=code("scripts/model/fit_model.py"),
    output:
        posterior="data/processed/{survey}/restricted/model/{model}.nc",
        scale_up="data/processed/{survey}/restricted/model/{model}/scale_up.csv",
        diagnostics="data/processed/{survey}/restricted/model/{model}/diagnostics.csv",
        known_groups_models="data/processed/{survey}/restricted/model/{model}/known_groups.csv",
        predictive="data/processed/{survey}/restricted/model/{model}/predictive.csv",
        prior_sensitivity="data/processed/{survey}/restricted/model/{model}/prior_sensitivity.csv",
        scalings="data/processed/{survey}/restricted/model/{model}/scalings.csv",
        area_distribution="data/processed/{survey}/restricted/model/{model}/area_distribution.csv",
        pointwise="data/processed/{survey}/restricted/model/{model}/pointwise.parquet",
    log:
        "logs/{survey}/model/fit_model_{model}.log",
    benchmark:
        "logs/{survey}/model/fit_model_{model}.tsv"
    wildcard_constraints:
        model="[a-z_]+",
    priority: 1  # the longest jobs: the others fill the cores beside them
    conda:
        "../../environment.yml"
    threads: chains_at_once
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
        model=setting("model"),
        seed=stage_seed("fit_model"),
    script:
        "../../scripts/model/fit_model.py"


rule collect_models:
    """The tables of all models of a survey, one file a kind, and how the models compare."""
    input:
        code=code("scripts/model/collect_models.py"),
        scale_up=model_tables("scale_up"),
        diagnostics=model_tables("diagnostics"),
        known_groups_models=model_tables("known_groups"),
        predictive=model_tables("predictive"),
        prior_sensitivity=model_tables("prior_sensitivity"),
        scalings=model_tables("scalings"),
        area_distribution=model_tables("area_distribution"),
        pointwise=model_tables("pointwise", "parquet"),
    output:
        scale_up="data/processed/{survey}/restricted/model/scale_up_models.csv",
        diagnostics="data/processed/{survey}/restricted/model/diagnostics.csv",
        known_groups_models="data/processed/{survey}/restricted/model/known_groups_models.csv",
        predictive="data/processed/{survey}/restricted/model/predictive.csv",
        prior_sensitivity="data/processed/{survey}/restricted/model/prior_sensitivity.csv",
        model_comparison="data/processed/{survey}/restricted/model/model_comparison.csv",
        specifications="data/processed/{survey}/restricted/model/specifications_models.csv",
        area_distribution="data/processed/{survey}/restricted/model/area_distribution.csv",
    log:
        "logs/{survey}/model/collect_models.log",
    benchmark:
        "logs/{survey}/model/collect_models.tsv"
    conda:
        "../../environment.yml"
    params:
        model=setting("model"),
        combine=setting("clean.combine"),
        imputations=setting("clean.imputations"),
    script:
        "../../scripts/model/collect_models.py"


rule compare_places:
    """Places by Fay-Herriot and by the models, and whether the direct estimates disagree."""
    input:
        code=code("scripts/model/compare_places.py"),
        scale_up="data/processed/{survey}/restricted/estimate/scale_up.csv",
        scale_up_models="data/processed/{survey}/restricted/model/scale_up_models.csv",
    output:
        small_areas="data/processed/{survey}/restricted/model/small_areas.csv",
    log:
        "logs/{survey}/model/compare_places.log",
    benchmark:
        "logs/{survey}/model/compare_places.tsv"
    conda:
        "../../environment.yml"
    params:
        domains=setting("estimate.domains"),
        headline=setting("headline.estimator"),
    script:
        "../../scripts/model/compare_places.py"


rule adjust_models:
    """The models' national estimates adjusted by the factors of the design-based ones."""
    input:
        **STUDY,
        code=code("scripts/model/adjust_models.py"),
        survivor_panel=table("survivor_panel"),
        companion=table("companion"),
        posteriors=posteriors,
        diagnostics="data/processed/{survey}/restricted/model/diagnostics.csv",
    output:
        adjustment_models="data/processed/{survey}/restricted/model/adjustment_models.csv",
    log:
        "logs/{survey}/model/adjust_models.log",
    benchmark:
        "logs/{survey}/model/adjust_models.tsv"
    conda:
        "../../environment.yml"
    params:
        estimate=setting("estimate"),
        headline=setting("headline"),
        year=setting("survey.year"),
        model=setting("model"),
        # The same factors, draw by draw, as those of the design-based estimates.
        seed=stage_seed("adjust_estimates"),
    script:
        "../../scripts/model/adjust_models.py"
