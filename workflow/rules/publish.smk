# publish: the gate between what was rendered and what is published; it fails closed.
#
# required: staged/summary.{html,pdf,docx}, staged/brief.pdf, staged/results.json, the figures and
#           their texts, release/*.csv, config/terminology.yaml, config/published_findings.yaml
# gives:    reports/<survey>/{summary.html,summary.pdf,summary.docx,brief.pdf,results.json},
#           reports/<survey>/figures/, reports/<survey>/tables/
# usual:    publish_report

PUBLISHED = ["summary.html", "summary.pdf", "summary.docx", "brief.pdf"]


rule publish_report:
    """Every staged file is read and checked; only if all of them pass are they copied."""
    input:
        code=code("scripts/report/publish_report.py"),
        reports=expand(
            "data/processed/{{survey}}/staged/{file}",
            file=PUBLISHED,
        ),
        results="data/processed/{survey}/staged/results.json",
        figures=reported_figures,
        pictures=reported_pictures,
        tables=rules.release_tables.output.tables,
        identity="data/processed/{survey}/audit/identity.json",
        texts=report_sources(),
        findings="config/published_findings.yaml",
        words="config/terminology.yaml",
        words_schema="workflow/schemas/terminology.yaml",
        policy="config/disclosure.yaml",
        reference=reference_results(*STUDIES),
    output:
        reports=expand(
            "reports/{{survey}}/{file}",
            file=[*PUBLISHED, "results.json"],
        ),
        figures=directory("reports/{survey}/figures"),
        tables=directory("reports/{survey}/tables"),
    log:
        "logs/{survey}/report/publish_report.log",
    benchmark:
        "logs/{survey}/report/publish_report.tsv"
    conda:
        "../../environment.yml"
    threads: 2  # files are read by so many processes; nothing else is left to do
    params:
        config=lambda wildcards: survey_config(wildcards.survey),
        renderer=renderer_identity(),
    script:
        "../../scripts/report/publish_report.py"
