# compare: several surveys beside each other, from what each of them released. Asked for by the
# target `compare`, over the surveys that config/config.yaml lists (or --config surveys=[a,b]).
#
# required: release/{scale_up,estimands}.csv and the configs of the listed surveys
# gives:    data/processed/compare/{countries,definitions}.csv, data/processed/compare/staged/,
#           data/processed/compare/passed/comparison.json (the hash of each file that passed),
#           reports/compare/{countries,definitions}.csv, countries.{svg,png,json}
# usual:    compare_surveys, draw_surveys, check_comparison, publish_comparison


rule compare_surveys:
    """National rates of all listed surveys in one unit, and by which definitions they were made."""
    input:
        code=code("scripts/compare/compare_surveys.py"),
        scale_up=listed_tables("scale_up"),
        estimands=listed_tables("estimands"),
    output:
        countries="data/processed/compare/countries.csv",
        definitions="data/processed/compare/definitions.csv",
    log:
        "logs/compare/compare_surveys.log",
    benchmark:
        "logs/compare/compare_surveys.tsv"
    conda:
        "../../environment.yml"
    params:
        configs=configs_of(*config["surveys"]),
    script:
        "../../scripts/compare/compare_surveys.py"


rule draw_surveys:
    """The rates of all listed surveys with their intervals: SVG, PNG, data, text alternative."""
    input:
        code=code("scripts/compare/draw_surveys.py"),
        countries="data/processed/compare/countries.csv",
        policy="config/disclosure.yaml",
    output:
        svg="data/processed/compare/staged/countries.svg",
        png="data/processed/compare/staged/countries.png",
        words="data/processed/compare/staged/countries.json",
    log:
        "logs/compare/draw_surveys.log",
    benchmark:
        "logs/compare/draw_surveys.tsv"
    conda:
        "../../environment.yml"
    script:
        "../../scripts/compare/draw_surveys.py"


rule check_comparison:
    """Tables and figure are read and checked; nothing is published unless all of them pass."""
    input:
        code=code("scripts/compare/check_comparison.py"),
        tables=[
            "data/processed/compare/countries.csv",
            "data/processed/compare/definitions.csv",
        ],
        figure=[
            "data/processed/compare/staged/countries.svg",
            "data/processed/compare/staged/countries.png",
            "data/processed/compare/staged/countries.json",
        ],
        words="config/terminology.yaml",
        words_schema="workflow/schemas/terminology.yaml",
    output:
        passed="data/processed/compare/passed/comparison.json",
    log:
        "logs/compare/check_comparison.log",
    benchmark:
        "logs/compare/check_comparison.tsv"
    conda:
        "../../environment.yml"
    params:
        configs=configs_of(*config["surveys"]),
    script:
        "../../scripts/compare/check_comparison.py"


rule publish_comparison:
    """Copies what passed of the comparison: the very bytes that were checked."""
    input:
        code=code("scripts/compare/publish_comparison.py"),
        passed="data/processed/compare/passed/comparison.json",
        tables=rules.check_comparison.input.tables,
        figure=rules.check_comparison.input.figure,
    output:
        "reports/compare/countries.csv",
        "reports/compare/definitions.csv",
        "reports/compare/countries.svg",
        "reports/compare/countries.png",
        "reports/compare/countries.json",
    log:
        "logs/compare/publish_comparison.log",
    benchmark:
        "logs/compare/publish_comparison.tsv"
    conda:
        "../../environment.yml"
    script:
        "../../scripts/compare/publish_comparison.py"
