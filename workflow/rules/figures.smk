# figures: pictures of released tables, each with the data that it draws and its words.
#
# required: release/*.csv, data/reference/coverage.* where present, config/published_findings.yaml,
#           config/disclosure.yaml, the survey's codebook and sections of its config
# gives:    staged/figures/<figure>.{svg,png,csv,json}
# usual:    a job a section of figures; draw_where a job a figure, since places differ by survey


rule draw_headline:
    """The headline in one figure, beside the published words."""
    input:
        code=code("scripts/figures/draw_headline.py"),
        tables=figure_tables("headline"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
    output:
        svg=figure_files("headline", "svg"),
        png=figure_files("headline", "png"),
        csv=figure_files("headline", "csv"),
        words=figure_files("headline", "json"),
    log:
        "logs/{survey}/figures/draw_headline.log",
    benchmark:
        "logs/{survey}/figures/draw_headline.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_headline.py"


rule draw_where:
    """A figure of places: a type of geographic domain, or the tile map."""
    input:
        code=code("scripts/figures/draw_where.py"),
        tables=figure_tables("where"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
    output:
        svg=["data/processed/{survey}/staged/figures/{figure}.svg"],
        png=["data/processed/{survey}/staged/figures/{figure}.png"],
        csv=["data/processed/{survey}/staged/figures/{figure}.csv"],
        words=["data/processed/{survey}/staged/figures/{figure}.json"],
    log:
        "logs/{survey}/figures/draw_where_{figure}.log",
    benchmark:
        "logs/{survey}/figures/draw_where_{figure}.tsv"
    wildcard_constraints:
        figure=figures_of_places(),
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_where.py"


rule draw_method:
    """How it was measured: the idea, the sample, the weights, network sizes, the answers."""
    input:
        code=code("scripts/figures/draw_method.py"),
        tables=figure_tables("method"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
        codebook=codebook,
    output:
        svg=figure_files("method", "svg"),
        png=figure_files("method", "png"),
        csv=figure_files("method", "csv"),
        words=figure_files("method", "json"),
    log:
        "logs/{survey}/figures/draw_method.log",
    benchmark:
        "logs/{survey}/figures/draw_method.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_method.py"


rule draw_response:
    """Who answered: the response rate in each part of the country."""
    input:
        code=code("scripts/figures/draw_response.py"),
        tables=figure_tables("response"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
    output:
        svg=figure_files("response", "svg"),
        png=figure_files("response", "png"),
        csv=figure_files("response", "csv"),
        words=figure_files("response", "json"),
    log:
        "logs/{survey}/figures/draw_response.log",
    benchmark:
        "logs/{survey}/figures/draw_response.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_response.py"


rule draw_calibration:
    """How far the sample was from the census before calibration."""
    input:
        code=code("scripts/figures/draw_calibration.py"),
        tables=figure_tables("calibration"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
    output:
        svg=figure_files("calibration", "svg"),
        png=figure_files("calibration", "png"),
        csv=figure_files("calibration", "csv"),
        words=figure_files("calibration", "json"),
    log:
        "logs/{survey}/figures/draw_calibration.log",
    benchmark:
        "logs/{survey}/figures/draw_calibration.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_calibration.py"


rule draw_certainty:
    """Known groups estimated from each other, and other estimators."""
    input:
        code=code("scripts/figures/draw_certainty.py"),
        tables=figure_tables("certainty"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
    output:
        svg=figure_files("certainty", "svg"),
        png=figure_files("certainty", "png"),
        csv=figure_files("certainty", "csv"),
        words=figure_files("certainty", "json"),
    log:
        "logs/{survey}/figures/draw_certainty.log",
    benchmark:
        "logs/{survey}/figures/draw_certainty.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_certainty.py"


rule draw_models:
    """The headline beside the models."""
    input:
        code=code("scripts/figures/draw_models.py"),
        tables=figure_tables("models"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
    output:
        svg=figure_files("models", "svg"),
        png=figure_files("models", "png"),
        csv=figure_files("models", "csv"),
        words=figure_files("models", "json"),
    log:
        "logs/{survey}/figures/draw_models.log",
    benchmark:
        "logs/{survey}/figures/draw_models.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_models.py"


rule draw_specifications:
    """Every combination of choices."""
    input:
        code=code("scripts/figures/draw_specifications.py"),
        tables=figure_tables("specifications"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
    output:
        svg=figure_files("specifications", "svg"),
        png=figure_files("specifications", "png"),
        csv=figure_files("specifications", "csv"),
        words=figure_files("specifications", "json"),
    log:
        "logs/{survey}/figures/draw_specifications.log",
    benchmark:
        "logs/{survey}/figures/draw_specifications.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_specifications.py"


rule draw_sensitivity:
    """What respondents cannot know: a factor at a time, and two together."""
    input:
        code=code("scripts/figures/draw_sensitivity.py"),
        tables=figure_tables("sensitivity"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
    output:
        svg=figure_files("sensitivity", "svg"),
        png=figure_files("sensitivity", "png"),
        csv=figure_files("sensitivity", "csv"),
        words=figure_files("sensitivity", "json"),
    log:
        "logs/{survey}/figures/draw_sensitivity.log",
    benchmark:
        "logs/{survey}/figures/draw_sensitivity.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_sensitivity.py"


rule draw_coverage:
    """How often the interval held the truth in simulated worlds."""
    input:
        code=code("scripts/figures/draw_coverage.py"),
        tables=figure_tables("coverage"),
        findings="config/published_findings.yaml",
        policy="config/disclosure.yaml",
        reference=reference_results("coverage"),
    output:
        svg=figure_files("coverage", "svg"),
        png=figure_files("coverage", "png"),
        csv=figure_files("coverage", "csv"),
        words=figure_files("coverage", "json"),
    log:
        "logs/{survey}/figures/draw_coverage.log",
    benchmark:
        "logs/{survey}/figures/draw_coverage.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        report=figure_words,
        places=setting("figures"),
    script:
        "../../scripts/figures/draw_coverage.py"
