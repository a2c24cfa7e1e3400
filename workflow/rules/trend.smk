# trend: a survey beside an earlier wave of the same study. Asked for by the target `trend`, and by a
# run whose surveys name earlier waves.
#
# required: `waves:` in the later wave's config; of both waves restricted/clean, restricted/weight,
#           the side tables known_groups and populations, release/{scale_up,known_groups}.csv,
#           audit/identity.json
# gives:    restricted/trend/<earlier>/{levels,changes,controls,comparability}.csv,
#           release/trend/<earlier>/ (the same after control, validation.csv),
#           trend/<earlier>/staged/ (figures, composed source, rendered report),
#           passed/trend_<earlier>.json (the hash of each file that passed),
#           reports/<survey>/trend/<earlier>/{trend.html,trend.pdf,trend.docx,figures/,tables/}
# usual:    compare_waves, release_trend, draw_trend, compose_trend, render_trend, check_trend,
#           publish_trend

TREND_TABLES = ["levels", "changes", "controls", "comparability"]
TREND_RELEASED = "data/processed/{survey}/release/trend/{earlier}"
TREND_STAGED = "data/processed/{survey}/trend/{earlier}/staged"


rule compare_waves:
    """Levels, changes, changes of known groups, and what differs between two waves."""
    input:
        **wave_tables(),
        code=code("scripts/trend/compare_waves.py"),
        checked="data/processed/{earlier}/restricted/estimate/known_groups.csv",
    output:
        levels="data/processed/{survey}/restricted/trend/{earlier}/levels.csv",
        changes="data/processed/{survey}/restricted/trend/{earlier}/changes.csv",
        controls="data/processed/{survey}/restricted/trend/{earlier}/controls.csv",
        comparability="data/processed/{survey}/restricted/trend/{earlier}/comparability.csv",
    log:
        "logs/{survey}/trend/compare_waves_{earlier}.log",
    benchmark:
        "logs/{survey}/trend/compare_waves_{earlier}.tsv"
    conda:
        "../../environment.yml"
    params:
        earlier=of_earlier(compared_settings),
        later=compared_settings,
        psus=shared_psus,
        seed=stage_seed("compare_waves"),
    script:
        "../../scripts/trend/compare_waves.py"


rule release_trend:
    """Disclosure control of a trend: nothing that either wave's own release withholds."""
    input:
        code=code("scripts/trend/release_trend.py"),
        levels="data/processed/{survey}/restricted/trend/{earlier}/levels.csv",
        changes="data/processed/{survey}/restricted/trend/{earlier}/changes.csv",
        controls="data/processed/{survey}/restricted/trend/{earlier}/controls.csv",
        comparability="data/processed/{survey}/restricted/trend/{earlier}/comparability.csv",
        earlier="data/processed/{earlier}/release/scale_up.csv",
        later="data/processed/{survey}/release/scale_up.csv",
        truth=table("truth"),
        policy="config/disclosure.yaml",
        schema="workflow/schemas/disclosure.yaml",
    output:
        levels=f"{TREND_RELEASED}/levels.csv",
        changes=f"{TREND_RELEASED}/changes.csv",
        controls=f"{TREND_RELEASED}/controls.csv",
        comparability=f"{TREND_RELEASED}/comparability.csv",
        validation=f"{TREND_RELEASED}/validation.csv",
    log:
        "logs/{survey}/trend/release_trend_{earlier}.log",
    benchmark:
        "logs/{survey}/trend/release_trend_{earlier}.tsv"
    conda:
        "../../environment.yml"
    params:
        headline=setting("headline.estimator"),
        earlier_headline=of_earlier(setting("headline.estimator")),
    script:
        "../../scripts/trend/release_trend.py"


rule draw_trend:
    """A figure of a trend: SVG, PNG, the data drawn, caption and text alternative."""
    input:
        code=code("scripts/trend/draw_trend.py"),
        levels=f"{TREND_RELEASED}/levels.csv",
        changes=f"{TREND_RELEASED}/changes.csv",
        policy="config/disclosure.yaml",
    output:
        svg=f"{TREND_STAGED}/figures/{{figure}}.svg",
        png=f"{TREND_STAGED}/figures/{{figure}}.png",
        csv=f"{TREND_STAGED}/figures/{{figure}}.csv",
        words=f"{TREND_STAGED}/figures/{{figure}}.json",
    log:
        "logs/{survey}/trend/draw_trend_{earlier}_{figure}.log",
    benchmark:
        "logs/{survey}/trend/draw_trend_{earlier}_{figure}.tsv"
    wildcard_constraints:
        figure="levels|changes",
    conda:
        "../../environment.yml"
    params:
        groups=setting("estimate.hidden_groups"),
        earlier_groups=of_earlier(setting("estimate.hidden_groups")),
        domains=setting("estimate.domains"),
        level=of_earlier(setting("estimate.level")),
        years=lambda wildcards: {
            wave: survey_config(wave)["survey"]["year"]
            for wave in (wildcards.survey, wildcards.earlier)
        },
        synthetic=lambda wildcards: any(
            survey_config(wave)["survey"]["synthetic"]
            for wave in (wildcards.survey, wildcards.earlier)
        ),
    script:
        "../../scripts/trend/draw_trend.py"


rule compose_trend:
    """Composes the source of a trend report from its released tables and figures."""
    input:
        code=code("scripts/trend/compose_trend.py"),
        trend_code=trend_code(),
        levels=f"{TREND_RELEASED}/levels.csv",
        changes=f"{TREND_RELEASED}/changes.csv",
        controls=f"{TREND_RELEASED}/controls.csv",
        comparability=f"{TREND_RELEASED}/comparability.csv",
        validation=f"{TREND_RELEASED}/validation.csv",
        figures=expand(
            f"{TREND_STAGED}/figures/{{figure}}.json",
            figure=["levels", "changes"],
            allow_missing=True,
        ),
        pictures=expand(
            f"{TREND_STAGED}/figures/{{figure}}.{{suffix}}",
            figure=["levels", "changes"],
            suffix=["svg", "png", "csv"],
            allow_missing=True,
        ),
        earlier_identity="data/processed/{earlier}/audit/identity.json",
        later_identity="data/processed/{survey}/audit/identity.json",
        policy="config/disclosure.yaml",
        codebook=codebook,
        known=[
            "data/processed/{earlier}/release/known_groups.csv",
            "data/processed/{survey}/release/known_groups.csv",
        ],
        source=["reports/trend.qmd", *report_sources()],
    output:
        source=directory("data/processed/{survey}/trend/{earlier}/source"),
        identity="data/processed/{survey}/trend/{earlier}/identity.json",
    log:
        "logs/{survey}/trend/compose_trend_{earlier}.log",
    benchmark:
        "logs/{survey}/trend/compose_trend_{earlier}.tsv"
    conda:
        "../../environment.yml"
    params:
        earlier=lambda wildcards: survey_config(wildcards.earlier),
        later=lambda wildcards: survey_config(wildcards.survey),
        psus=shared_psus,
        seed=stage_seed("compare_waves"),
        renderer=renderer_identity(),
    script:
        "../../scripts/trend/compose_trend.py"


rule render_trend:
    """Renders a trend report in one format, with Quarto or with the built-in renderer."""
    input:
        code=code("scripts/trend/render_trend.py"),
        source="data/processed/{survey}/trend/{earlier}/source",
    output:
        report=f"{TREND_STAGED}/trend.{{format}}",
    log:
        "logs/{survey}/trend/render_trend_{earlier}_{format}.log",
    benchmark:
        "logs/{survey}/trend/render_trend_{earlier}_{format}.tsv"
    wildcard_constraints:
        format="html|pdf|docx",
    conda:
        "../../environment.yml"
    params:
        renderer=resolved_renderer(config["renderer"]),
        version=renderer_identity(),
    script:
        "../../scripts/trend/render_trend.py"


rule check_trend:
    """Every staged file of a trend is read and checked; nothing is published unless all pass."""
    input:
        code=code("scripts/trend/check_trend.py"),
        reports=expand(
            f"{TREND_STAGED}/trend.{{format}}",
            format=["html", "pdf", "docx"],
            allow_missing=True,
        ),
        figures=rules.compose_trend.input.figures,
        pictures=rules.compose_trend.input.pictures,
        tables=expand(
            f"{TREND_RELEASED}/{{name}}.csv",
            name=[*TREND_TABLES, "validation"],
            allow_missing=True,
        ),
        identity="data/processed/{survey}/trend/{earlier}/identity.json",
        texts=["reports/trend.qmd", *report_sources()],
        words="config/terminology.yaml",
        words_schema="workflow/schemas/terminology.yaml",
        policy="config/disclosure.yaml",
    output:
        passed="data/processed/{survey}/passed/trend_{earlier}.json",
    log:
        "logs/{survey}/trend/check_trend_{earlier}.log",
    benchmark:
        "logs/{survey}/trend/check_trend_{earlier}.tsv"
    conda:
        "../../environment.yml"
    params:
        earlier=lambda wildcards: survey_config(wildcards.earlier),
        later=lambda wildcards: survey_config(wildcards.survey),
        renderer=renderer_identity(),
    script:
        "../../scripts/trend/check_trend.py"


rule publish_trend:
    """Copies what passed of a trend: each file must have the very bytes that were checked."""
    input:
        code=code("scripts/trend/publish_trend.py"),
        passed="data/processed/{survey}/passed/trend_{earlier}.json",
        reports=rules.check_trend.input.reports,
        pictures=rules.compose_trend.input.pictures,
        tables=rules.check_trend.input.tables,
    output:
        reports=expand(
            "reports/{survey}/trend/{earlier}/trend.{format}",
            format=["html", "pdf", "docx"],
            allow_missing=True,
        ),
        figures=directory("reports/{survey}/trend/{earlier}/figures"),
        shown=directory("reports/{survey}/trend/{earlier}/tables"),
    log:
        "logs/{survey}/trend/publish_trend_{earlier}.log",
    benchmark:
        "logs/{survey}/trend/publish_trend_{earlier}.tsv"
    conda:
        "../../environment.yml"
    script:
        "../../scripts/trend/publish_trend.py"
