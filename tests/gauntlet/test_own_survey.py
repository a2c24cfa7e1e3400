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
