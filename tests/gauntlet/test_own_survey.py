"""docs/your-own-survey.md, followed to the letter, ends in a report."""

from own_project import shell

STARTS_RUNS = True


def test_the_page_ends_in_a_report(own_project):
    project, followed = own_project
    assert "Decisions left" in followed
    assert "fit one another" in followed
    for suffix in ("html", "pdf", "docx"):
        assert (project / "reports" / "pilot" / f"summary.{suffix}").stat().st_size > 10_000
    page = (project / "reports" / "pilot" / "summary.html").read_text(encoding="utf-8")
    assert "A pilot survey" in page
    assert "ynthetic" in page


def test_a_second_draft_overwrites_nothing(own_project):
    project, _ = own_project
    before = (project / "config/surveys/pilot.yaml").read_bytes()
    export = "tests/surveys/tiny/data/raw/tiny/tiny.sav"
    done = shell(project, f"make new-survey ID=pilot EXPORT={export}")
    assert done.returncode != 0
    assert "there already; nothing was written" in done.stderr
    assert "Traceback" not in done.stderr
    assert (project / "config/surveys/pilot.yaml").read_bytes() == before


def test_another_key_makes_all_pseudonyms_anew_and_none_is_needed_to_leave_them(own_project):
    project, _ = own_project
    plan = ".venv/bin/snakemake --dry-run --quiet host pilot"
    other = shell(project, f"PILOT_KEY=another-secret-of-an-owner {plan}").stdout
    planned = {line.split()[0] for line in other.splitlines() if line.strip()}
    assert {"read_responses", "read_table", "compute_weights", "publish_report"} <= planned
    assert not {"verify_raw", "read_truth"} & planned
    assert "Nothing to be done" in shell(project, f"unset PILOT_KEY; {plan}").stdout
