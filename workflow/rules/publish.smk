# publish: the gate between what was rendered and what is published; it fails closed.
#
# required: staged/summary.{html,pdf,docx}, staged/brief.pdf, staged/results.json, the figures and
#           their texts, release/*.csv, config/terminology.yaml, config/published_findings.yaml
# gives:    passed/report.json (the hash of each file that passed),
#           reports/<survey>/{summary.html,summary.pdf,summary.docx,brief.pdf,results.json},
#           reports/<survey>/figures/, reports/<survey>/tables/
# usual:    check_report, publish_report: two rules, since what a rule made before goes when it starts

PUBLISHED = ["summary.html", "summary.pdf", "summary.docx", "brief.pdf"]


rule check_report:
    """Every staged file is read and checked; nothing is published unless all of them pass."""
    input:
        code=code("scripts/report/check_report.py"),
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
        passed="data/processed/{survey}/passed/report.json",
    log:
        "logs/{survey}/report/check_report.log",
    benchmark:
        "logs/{survey}/report/check_report.tsv"
    conda:
        "../../environment.yml"
    threads: 2  # files are read by so many processes; nothing else is left to do
    params:
        config=lambda wildcards: survey_config(wildcards.survey),
        renderer=renderer_identity(),
    script:
        "../../scripts/report/check_report.py"


rule publish_report:
    """Copies what passed, and nothing else: each file must have the very bytes that were checked."""
    input:
        code=code("scripts/report/publish_report.py"),
        passed="data/processed/{survey}/passed/report.json",
        reports=rules.check_report.input.reports,
        results="data/processed/{survey}/staged/results.json",
        pictures=reported_pictures,
        tables=rules.release_tables.output.tables,
        identity="data/processed/{survey}/audit/identity.json",
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
    params:
        synthetic=setting("survey.synthetic"),
    script:
        "../../scripts/report/publish_report.py"
