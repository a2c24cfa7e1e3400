# report: from released tables, figures and words to HTML, PDF and DOCX, staged for the gate.
#
# required: release/*.csv, staged/figures/<section>.json with its figures, audit/identity.json,
#           reports/ (prose, filter, styles, templates, strings), config/published_findings.yaml,
#           config/disclosure.yaml, the survey's codebook; data/reference/coverage.* where present
# gives:    staged/source/ (a small Quarto project), staged/results.json, staged/summary.<format>,
#           staged/brief.pdf
# usual:    compose_report, then render_report once a format


rule compose_report:
    """Composes the report's source: sections whose inputs exist, variables, tables, figures."""
    input:
        code=code("scripts/report/compose_report.py"),
        tables=expand("data/processed/{{survey}}/release/{name}.csv", name=REPORTED),
        figures=reported_figures,
        pictures=reported_pictures,
        identity="data/processed/{survey}/audit/identity.json",
        findings="config/published_findings.yaml",
        findings_schema="workflow/schemas/published_findings.yaml",
        results_schema="workflow/schemas/results.yaml",
        policy="config/disclosure.yaml",
        codebook=codebook,
        reference=reference_results(*STUDIES),
        source=report_sources(),
    output:
        source=directory("data/processed/{survey}/staged/source"),
        results="data/processed/{survey}/staged/results.json",
    log:
        "logs/{survey}/report/compose_report.log",
    benchmark:
        "logs/{survey}/report/compose_report.tsv"
    conda:
        "../../environment.yml"
    params:
        survey=setting("survey"),
        report=setting("report"),
        estimate=setting("estimate"),
        headline=setting("headline"),
        figures=setting("figures"),
        weight=setting("weight"),
        release=setting("release"),
        renderer=renderer_identity(),
    script:
        "../../scripts/report/compose_report.py"


rule render_report:
    """Renders the composed source in one format, with Quarto or with the built-in renderer."""
    input:
        code=code("scripts/report/render_report.py"),
        source="data/processed/{survey}/staged/source",
    output:
        report="data/processed/{survey}/staged/summary.{format}",
    log:
        "logs/{survey}/report/render_report_{format}.log",
    benchmark:
        "logs/{survey}/report/render_report_{format}.tsv"
    wildcard_constraints:
        format="html|pdf|docx",
    conda:
        "../../environment.yml"
    params:
        renderer=resolved_renderer(config["renderer"]),
        version=renderer_identity(),
    script:
        "../../scripts/report/render_report.py"


rule render_brief:
    """Renders the one-page brief for sharing."""
    input:
        code=code("scripts/report/render_brief.py"),
        source="data/processed/{survey}/staged/source",
    output:
        brief="data/processed/{survey}/staged/brief.pdf",
    log:
        "logs/{survey}/report/render_brief.log",
    benchmark:
        "logs/{survey}/report/render_brief.tsv"
    conda:
        "../../environment.yml"
    params:
        renderer=resolved_renderer(config["renderer"]),
        version=renderer_identity(),
    script:
        "../../scripts/report/render_brief.py"
