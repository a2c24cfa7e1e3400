"""The pictures of the README are those that the rules and the run give; `make docs` writes them."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "figures"
DRAWN = ROOT / "data" / "processed" / "ph2022" / "staged" / "figures" / "headline.svg"
SOURCES = ("src/prevalence", "config", "data/raw/ph2022", "workflow/rules", "scripts")


def test_the_graph_of_the_rules_is_drawn_from_the_rules(tmp_path, monkeypatch):
    script = runpy.run_path(str(ROOT / "scripts" / "audit" / "draw_dag.py"))
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1694044800")
    rules, edges = script["rule_graph"]("ph2022")
    with mpl.rc_context():
        mpl.rcdefaults()  # figures drawn before in this process have a style of their own
        fresh = script["drawn"](rules, edges, script["stage_of"](rules))
    same = (PICTURES / "dag.svg").read_bytes() == fresh
    assert same, "docs/figures/dag.svg is not of these rules: make docs"


def test_the_headline_is_that_of_the_last_run():
    if not DRAWN.exists():
        pytest.skip("no run of ph2022 in this checkout")
    files = [p for part in SOURCES for p in (ROOT / part).rglob("*") if p.is_file()]
    newest = max(p.stat().st_mtime for p in files if "__pycache__" not in p.parts)
    if newest > DRAWN.stat().st_mtime:
        pytest.skip("the run of ph2022 in this checkout is older than the sources")
    assert words_in(PICTURES / "headline.svg") == words_in(DRAWN), "make docs"


def words_in(picture):
    """The words and numbers drawn in an SVG, which matplotlib notes beside their outlines."""
    return re.findall(r"<!-- (.*?) -->", picture.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_shows_the_pictures():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("dag.svg", "headline.svg"):
        assert f"docs/figures/{name}" in text
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")]
    for path in PICTURES.glob("*.svg"):
        assert any(f"figures/{path.name}" in page for page in [text, *pages]), path.name
    assert b"SYNTHETIC DATA" in (PICTURES / "headline.svg").read_bytes()


def test_make_docs_writes_both():
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "docs", f"BIN={Path(sys.executable).parent}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ("draw_dag.py", "docs/figures/headline.svg"):
        assert name in done.stdout
