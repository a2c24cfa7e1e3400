"""WCAG 2.2 AA: axe-core in headless Chromium finds nothing, in light and dark, wide and narrow."""

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from material_of import philippine_material, rwandan_material
from test_render import write_source

from prevalence.report.render_builtin import rendered

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
LOOKS = {
    "light": ["--window-size=1280,900"],
    "dark": ["--window-size=1280,900", "--blink-settings=preferredColorScheme=0"],
    "narrow": ["--window-size=500,844"],
}
RUN = """<script>{axe}</script><script>
addEventListener("load", () => axe.run(document, {{runOnly: {{type: "tag", values: [
  "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}}}).then(found => {{
  const report = document.createElement("template");
  report.id = "axe-report";
  report.setAttribute("data-report", encodeURIComponent(JSON.stringify(
    found.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 160))]))));
  document.body.append(report);
}}));
</script></body>"""


def violations(page, folder, options):
    copy = folder / "page.html"
    copy.write_text(page.replace("</body>", RUN.format(axe=AXE.read_text())))
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=30000",
        *options,
        "--dump-dom",
        copy.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    found = re.search(r'id="axe-report" data-report="([^"]*)"', done.stdout)
    assert found, "axe did not finish"
    return json.loads(unquote(found[1]))


FRAME = """<iframe id="page" src="page.html" style="width:{width}px;height:800px"></iframe><script>
document.getElementById("page").addEventListener("load", event => {{
  const page = event.target.contentDocument, wide = page.documentElement.clientWidth;
  const scrolls = ".table-scroll, .equation, svg, math";
  const cut = [...page.querySelectorAll("main *")].filter(
    one => !one.closest(scrolls) && one.getBoundingClientRect().right > wide + 1);
  const found = cut.slice(0, 5).map(one => one.outerHTML.slice(0, 120));
  document.body.setAttribute("data-cut", encodeURIComponent(JSON.stringify(
    [page.documentElement.scrollWidth - wide, found])));
}});
</script>"""


def cut_off(page, folder, width):
    """By how much a page is wider than its window, and what stands out of it."""
    (folder / "page.html").write_text(page)
    frame = folder / "frame.html"
    frame.write_text(f"<body>{FRAME.format(width=width)}</body>")
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--allow-file-access-from-files",
        "--virtual-time-budget=20000",
        "--dump-dom",
        frame.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    found = re.search(r'data-cut="([^"]*)"', done.stdout)
    assert found, "the page did not load"
    return json.loads(unquote(found[1]))


@functools.cache
def page_of(make):
    """The page of a made-up survey, rendered once."""
    with tempfile.TemporaryDirectory() as folder:
        return rendered(write_source(make(), Path(folder) / "source"), "html").decode()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(
    ("make", "width"),
    [*((philippine_material, width) for width in (390, 768, 1280)), (rwandan_material, 390)],
)
def test_nothing_stands_out_of_the_page(make, width, tmp_path):
    page = page_of(make)
    assert cut_off(page, tmp_path, width) == [0, []]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_what_stands_out_of_the_page_is_found(tmp_path):
    page = page_of(rwandan_material)
    wide = page.replace("</main>", '<p style="width:2000px">wide</p></main>')
    assert cut_off(wide, tmp_path, 390)[0] > 0


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.skipif(not AXE.exists(), reason=f"axe-core is not at {AXE} (or AXE_CORE)")
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("make", [philippine_material, rwandan_material])
def test_axe_finds_nothing(make, look, tmp_path):
    page = page_of(make)
    assert violations(page, tmp_path, LOOKS[look]) == []
