"""The built-in renderer: pandoc with the project's filter, and Typst for the PDF.

It reads a composed source folder, since pandoc and Typst are programs that read files, and gives
the rendered bytes back. The same source gives the same bytes.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prevalence.errors import PipelineError
from prevalence.files import read_yaml
from prevalence.report.renderers import pandoc_program
from prevalence.report.resolve import check_rendered, resolved
from prevalence.report.variables import FILE, flattened
from prevalence.report.word_contents import with_contents

TARGETS = {"html": "html", "pdf": "typst", "docx": "docx"}
PAGE_BREAKS = {
    "html": '<div class="page-break"></div>',
    "typst": "`#pagebreak(weak: true)`{=typst}",
    "docx": '`<w:r><w:br w:type="page"/></w:r>`{=openxml}',
}
# Does what Quarto does by itself, after the filters that both renderers run.
OWN_FILTER = "filters/report.lua"
EPOCH = "1694044800"
# Composing puts the font files there: both renderers take them from the source itself.
FONTS = "fonts"
# Embedded tables are most of the text. pandoc, which would read each sign of them, gets numbers.
EMBEDDED = re.compile(r"data:text/csv;base64,[\w+/=]+")
HELD = "data:text/csv;held,"


def rendered(folder: Path, kind: str, document: str = "summary") -> bytes:
    """Render a composed source.

    Parameters
    ----------
    folder
        The composed source.
    kind
        ``html``, ``pdf`` or ``docx``.
    document
        ``summary`` or ``brief``.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    PipelineError
        If the source can't be resolved, a program fails, or something is left unresolved.
    """
    folder = folder.resolve()  # the programs run inside of it
    target = TARGETS[kind]
    project = read_yaml(folder / "_quarto.yml")
    text = markdown(folder, project, target, f"{document}.qmd")
    if kind == "html":
        return _html(folder, project, text).encode()
    if kind == "docx":
        return _docx(folder, project, text)
    return _pdf(folder, project, text)


def markdown(
    folder: Path, project: Mapping[str, Any], target: str, start: str = "summary.qmd"
) -> str:
    """Resolve a composed source to the Markdown that pandoc reads.

    Parameters
    ----------
    folder
        The composed source.
    project
        Its project file.
    target
        html, typst or docx.
    start
        The document.

    Returns
    -------
    str
        Markdown.
    """
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for pattern in ("**/*.qmd", "**/*.md")
        for path in folder.glob(pattern)
    }
    variables = flattened(read_yaml(folder / FILE))
    return resolved(files, start, variables, project, target, page_break=PAGE_BREAKS[target])


def _pandoc(folder: Path, text: str, options: list[str]) -> bytes:
    shared = read_yaml(folder / "_quarto.yml").get("filters", [])
    done = subprocess.run(
        [
            pandoc_program(),
            "--from=markdown",
            f"--resource-path={folder}",
            *(f"--lua-filter={folder / name}" for name in [*shared, OWN_FILTER]),
            "--citeproc",
            "--fail-if-warnings=false",
            *options,
        ],
        input=text.encode(),
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", EPOCH)},
    )
    messages = done.stderr.decode(errors="replace").strip()
    if done.returncode or "[WARNING]" in messages:
        raise PipelineError(
            "pandoc could not render the report.",
            found=messages[-600:] or f"exit code {done.returncode}",
            remedy="Mend the source under reports/ that the message speaks of.",
        )
    return done.stdout


def _common(project: Mapping[str, Any], target: str) -> list[str]:
    names = (
        "title",
        "subtitle",
        "pagetitle",
        "lang",
        "run-identity",
        "renderer",
        "notice-label",
        "notice-text",
    )
    values = [f"--metadata={name}={project[name]}" for name in names if name in project]
    extension = "png" if target == "docx" else "svg"
    return [
        "--standalone",
        "--number-sections",
        f"--default-image-extension={extension}",
        f"--bibliography={project['bibliography']}",
        f"--csl={project['csl']}",
        "--metadata=link-citations:true",
        *values,
    ]


def _html(folder: Path, project: Mapping[str, Any], text: str) -> str:
    options = [
        *_common(project, "html"),
        "--to=html5",
        "--template=templates/builtin.html",
        "--mathml",
        "--section-divs",
        "--toc",
        f"--toc-depth={project['toc-depth']}",
        "--wrap=preserve",
    ]
    tables = {table: f"{HELD}{number}" for number, table in enumerate(EMBEDDED.findall(text))}
    text = EMBEDDED.sub(lambda found: tables[found[0]], text)
    page = _pandoc(folder, text, options).decode()
    held = {name: table for table, name in tables.items()}
    page = re.sub(rf"{HELD}\d+", lambda found: held.get(found[0], found[0]), page)
    style = (folder / "style" / "report.css").read_text(encoding="utf-8")
    page = page.replace("/*style*/", style)
    # The contents stand twice, for wide and for narrow screens: their entries need no names.
    page = re.sub(r' id="toc-[^"]*"', "", page)
    page = _with_figures(page, folder)
    check_rendered(_visible(page), "summary.html")
    return page


def _visible(page: str) -> str:
    page = re.sub(r"<(style|svg)\b.*?</\1>", "", page, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", "", page))


_IMAGE = re.compile(r'<img\s+([^>]*?)src="(figures/([\w-]+)\.svg)"([^>]*?)/?>', re.S)


def _with_figures(page: str, folder: Path) -> str:
    """Put each figure's drawing into the page itself: nothing is fetched, and its text is text."""

    def drawing(found: re.Match[str]) -> str:
        svg = (folder / found[2]).read_text(encoding="utf-8")
        alternative = re.search(r'alt="([^"]*)"', found[1] + found[4])
        return inline_svg(svg, found[3], html.unescape(alternative[1]) if alternative else "")

    return _IMAGE.sub(drawing, page)


def inline_svg(svg: str, name: str, alternative: str) -> str:
    """Make an SVG file a part of an HTML page.

    Parameters
    ----------
    svg
        Text of the file.
    name
        Name of the figure; it keeps the identifiers of two figures apart.
    alternative
        Text alternative.

    Returns
    -------
    str
        An ``svg`` element with a role, a label and identifiers of its own.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", body, flags=re.S)
    # Names are put before by plain replacement: a picture has thousands of them.
    for opening in (' id="', 'href="#', "url(#"):
        body = body.replace(opening, f"{opening}{name}-")
    opening, rest = body.split(">", 1)
    opening = re.sub(r'\s(?:width|height)="[^"]*"', "", opening)
    label = html.escape(alternative, quote=True)
    return f'{opening} role="img" aria-label="{label}" class="figure">{rest}'


def _docx(folder: Path, project: Mapping[str, Any], text: str) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "summary.docx"
        options = [
            *_common(project, "docx"),
            "--to=docx",
            "--reference-doc=templates/reference.docx",
            "--toc",
            f"--toc-depth={project['toc-depth']}",
            f"--output={target}",
        ]
        _pandoc(folder, text, options)
        content = with_contents(target.read_bytes())
    from prevalence.report.normalise import docx_text

    check_rendered(docx_text(content), "summary.docx")
    return content


def _pdf(folder: Path, project: Mapping[str, Any], text: str) -> bytes:
    import typst

    options = [
        *_common(project, "typst"),
        "--to=typst",
        "--template=templates/builtin.typ",
        "--wrap=preserve",
    ]
    source = _pandoc(folder, text, options)
    check_rendered(source.decode(), "summary.typ")
    # Two jobs may set two documents of one folder at the same time.
    main = folder / f".{os.getpid()}.typ"
    try:
        main.write_bytes(source)
        result = typst.compile(
            str(main),
            root=str(folder),
            font_paths=[str(folder / FONTS)],
            ignore_system_fonts=True,
            format="pdf",
            # Universal accessibility: Typst refuses a figure or formula without a text alternative.
            pdf_standards=["ua-1"],
        )
    except RuntimeError as error:
        raise PipelineError(
            "Typst could not set the PDF.",
            found=str(error)[:600],
            remedy="Mend the source or the template under reports/.",
        ) from error
    finally:
        main.unlink(missing_ok=True)
    assert isinstance(result, bytes)
    return result
