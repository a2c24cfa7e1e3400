"""docs/your-own-survey.md, followed to the letter, ends in a report."""

import os

from own_project import shell
from scratch_project import Project

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
    project = Project(own_project[0])
    ours = {name: value for name, value in os.environ.items() if name != "PILOT_KEY"}

    def planned(**key):
        done = project.snakemake("--dry-run", "--quiet", "host", "--", "pilot", env=ours | key)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    text = planned(PILOT_KEY="another-secret-of-an-owner")
    other = {line.split()[0] for line in text.splitlines() if line.strip()}
    assert {"read_responses", "read_table", "compute_weights", "publish_report"} <= other
    assert not {"verify_raw", "read_truth"} & other
    assert "Nothing to be done" in planned()
