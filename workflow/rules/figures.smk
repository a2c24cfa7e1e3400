# figures: pictures of released tables, each with the data that it draws and its words.
#
# required: release/*.csv, config/published_findings.yaml, sections of the survey's config
# gives:    staged/figures/<figure>.{svg,png,csv,json}
# usual:    draw_headline, draw_where, draw_method, draw_certainty: a job a figure


rule draw_headline:
    """A figure of the headline section: SVG, PNG, the data drawn, caption and text alternative."""
    input:
        code=code("scripts/figures/draw_headline.py"),
        tables=figure_tables("headline"),
        findings="config/published_findings.yaml",
    output:
        svg="data/processed/{survey}/staged/figures/{figure}.svg",
        png="data/processed/{survey}/staged/figures/{figure}.png",
        csv="data/processed/{survey}/staged/figures/{figure}.csv",
        words="data/processed/{survey}/staged/figures/{figure}.json",
    log:
        "logs/{survey}/figures/draw_headline_{figure}.log",
    benchmark:
        "logs/{survey}/figures/draw_headline_{figure}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES["headline"]),
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
    script:
        "../../scripts/figures/draw_headline.py"


rule draw_where:
    """A figure of the section on places: SVG, PNG, the data drawn, caption and text alternative."""
    input:
        code=code("scripts/figures/draw_where.py"),
        tables=figure_tables("where"),
        findings="config/published_findings.yaml",
    output:
        svg="data/processed/{survey}/staged/figures/{figure}.svg",
        png="data/processed/{survey}/staged/figures/{figure}.png",
        csv="data/processed/{survey}/staged/figures/{figure}.csv",
        words="data/processed/{survey}/staged/figures/{figure}.json",
    log:
        "logs/{survey}/figures/draw_where_{figure}.log",
    benchmark:
        "logs/{survey}/figures/draw_where_{figure}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES["where"]),
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
    script:
        "../../scripts/figures/draw_where.py"


rule draw_method:
    """A figure of the section on the method: SVG, PNG, the data drawn, caption and text alternative."""
    input:
        code=code("scripts/figures/draw_method.py"),
        tables=figure_tables("method"),
        findings="config/published_findings.yaml",
    output:
        svg="data/processed/{survey}/staged/figures/{figure}.svg",
        png="data/processed/{survey}/staged/figures/{figure}.png",
        csv="data/processed/{survey}/staged/figures/{figure}.csv",
        words="data/processed/{survey}/staged/figures/{figure}.json",
    log:
        "logs/{survey}/figures/draw_method_{figure}.log",
    benchmark:
        "logs/{survey}/figures/draw_method_{figure}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES["method"]),
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
    script:
        "../../scripts/figures/draw_method.py"


rule draw_certainty:
    """A figure of the section on certainty: SVG, PNG, the data drawn, caption and text alternative."""
    input:
        code=code("scripts/figures/draw_certainty.py"),
        tables=figure_tables("certainty"),
        findings="config/published_findings.yaml",
    output:
        svg="data/processed/{survey}/staged/figures/{figure}.svg",
        png="data/processed/{survey}/staged/figures/{figure}.png",
        csv="data/processed/{survey}/staged/figures/{figure}.csv",
        words="data/processed/{survey}/staged/figures/{figure}.json",
    log:
        "logs/{survey}/figures/draw_certainty_{figure}.log",
    benchmark:
        "logs/{survey}/figures/draw_certainty_{figure}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES["certainty"]),
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        estimate=setting("estimate"),
        headline=setting("headline"),
    script:
        "../../scripts/figures/draw_certainty.py"
