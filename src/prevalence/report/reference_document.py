"""The Word reference document: pandoc's own, with the report's fonts, colours and running heads."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from xml.sax.saxutils import escape

from prevalence.errors import PipelineError
from prevalence.report.renderers import pandoc_program

ACCENT, INK, MUTED, WARNING = "0B4F6C", "1D2733", "54606E", "9A3412"
BODY_FONT, HEADING_FONT, CODE_FONT = "Cambria", "Calibri", "Consolas"
# Zip's own beginning of time: the same bytes on every day.
CLOCK = (1980, 1, 1, 0, 0, 0)
_NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def reference_document(title: str, label: str, identity: str) -> bytes:
    """Make the reference document of a report.

    Parameters
    ----------
    title
        Title, for the running head.
    label
        Status of the data for the running head; empty where they are real.
    identity
        Identity of the run, for the foot.

    Returns
    -------
    bytes
        A .docx file.

    Raises
    ------
    PipelineError
        If pandoc does not give its own reference document.
    """
    done = subprocess.run(
        [pandoc_program(), "--print-default-data-file=reference.docx"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise PipelineError(
            "pandoc did not give its reference document.",
            found=done.stderr.decode(errors="replace")[:300],
        )
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["word/styles.xml"] = _styles(parts["word/styles.xml"].decode()).encode()
    parts["word/header1.xml"] = _header(title, label).encode()
    parts["word/footer1.xml"] = _footer(identity).encode()
    parts["word/_rels/document.xml.rels"] = _relations(
        parts["word/_rels/document.xml.rels"].decode()
    ).encode()
    parts["[Content_Types].xml"] = _content_types(parts["[Content_Types].xml"].decode()).encode()
    parts["word/document.xml"] = _sections(parts["word/document.xml"].decode()).encode()
    return zipped(parts)


def zipped(parts: dict[str, bytes]) -> bytes:
    """Zip the parts of a .docx file with a fixed clock: the same parts give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, CLOCK)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return target.getvalue()


def _run(size: int, colour: str, *, font: str = BODY_FONT, bold: bool = False) -> str:
    weight = "<w:b/>" if bold else '<w:b w:val="0"/>'
    return (
        f'<w:rPr><w:rFonts w:ascii="{font}" w:hAnsi="{font}" w:cs="{font}"/>{weight}'
        f'<w:i w:val="0"/><w:color w:val="{colour}"/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'
        "</w:rPr>"
    )


def _spacing(before: int, after: int, line: int = 264, more: str = "") -> str:
    return (
        f'<w:pPr>{more}<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" '
        'w:lineRule="auto"/></w:pPr>'
    )


_KEEP = "<w:keepNext/><w:keepLines/>"


def _callout(name: str, colour: str, fill: str) -> dict[str, tuple[str, str, str]]:
    """Two styles of a callout: its title and its text, with a bar at their left."""
    box = (
        f'<w:pBdr><w:left w:val="single" w:sz="24" w:space="8" w:color="{colour}"/></w:pBdr>'
        f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>'
    )
    inset = '<w:ind w:left="200" w:right="200"/>'
    return {
        f"Callout{name}Title": (
            f"Callout {name} Title",
            f'<w:pPr>{_KEEP}{box}<w:spacing w:before="240" w:after="0"/>{inset}</w:pPr>',
            _run(20, colour, font=HEADING_FONT, bold=True),
        ),
        f"Callout{name}": (
            f"Callout {name}",
            f'<w:pPr>{box}<w:spacing w:before="0" w:after="240"/>{inset}</w:pPr>',
            _run(20, INK),
        ),
    }


# Style id -> (paragraph properties, run properties), for styles that pandoc writes with.
_PARAGRAPHS = {
    "Normal": (_spacing(0, 120), _run(21, INK)),
    "BodyText": (_spacing(100, 120), _run(21, INK)),
    "FirstParagraph": (_spacing(120, 140), _run(21, INK)),
    "Compact": (_spacing(20, 20, 240), _run(16, INK, font=HEADING_FONT)),
    "Title": (_spacing(240, 120, 240), _run(52, ACCENT, font=HEADING_FONT, bold=True)),
    "Subtitle": (_spacing(0, 360), _run(28, INK, font=HEADING_FONT)),
    "Heading1": (
        _spacing(440, 140, 240, _KEEP),
        _run(34, ACCENT, font=HEADING_FONT, bold=True),
    ),
    "Heading2": (_spacing(300, 100, 240, _KEEP), _run(26, ACCENT, font=HEADING_FONT, bold=True)),
    "Heading3": (_spacing(220, 80, 240, _KEEP), _run(22, ACCENT, font=HEADING_FONT, bold=True)),
    "TableCaption": (_spacing(240, 80, 240, _KEEP), _run(18, MUTED, font=HEADING_FONT)),
    "ImageCaption": (_spacing(60, 240, 240), _run(18, MUTED, font=HEADING_FONT)),
    "CaptionedFigure": (_spacing(200, 0, 240, _KEEP), ""),
    "FootnoteText": (_spacing(0, 40, 240), _run(17, INK)),
    "VerbatimChar": ("", _run(16, INK, font=CODE_FONT)),
    "TOCHeading": (_spacing(240, 120, 240), _run(28, ACCENT, font=HEADING_FONT, bold=True)),
}
_NEW = {
    **_callout("Warning", WARNING, "FFF4EC"),
    **_callout("Note", ACCENT, "EEF4F8"),
    "Headline": (
        "Headline",
        '<w:pPr><w:keepLines/><w:pBdr><w:top w:val="single" w:sz="12" w:space="6" '
        f'w:color="{ACCENT}"/></w:pBdr><w:spacing w:before="160" w:after="160"/></w:pPr>',
        _run(21, INK),
    ),
    "TOC1": (
        "toc 1",
        '<w:pPr><w:spacing w:before="20" w:after="0" w:line="230"/></w:pPr>',
        _run(18, INK, font=HEADING_FONT, bold=True),
    ),
    "TOC2": (
        "toc 2",
        '<w:pPr><w:spacing w:before="0" w:after="0" w:line="230"/><w:ind w:left="360"/></w:pPr>',
        _run(17, INK, font=HEADING_FONT),
    ),
    "TableNote": ("Table Note", _spacing(60, 240, 240), _run(17, MUTED)),
    "Equation": (
        "Equation",
        '<w:pPr><w:tabs><w:tab w:val="center" w:pos="4513"/><w:tab w:val="right" w:pos="9026"/>'
        '</w:tabs><w:spacing w:before="160" w:after="160"/></w:pPr>',
        _run(21, INK),
    ),
}
_CHARACTERS = {
    "Headline Number": _run(44, ACCENT, font=HEADING_FONT, bold=True),
    "Headline Label": _run(21, INK, bold=True),
}
_TABLE_STYLE = f"""<w:style w:type="table" w:customStyle="1" w:styleId="Table">
<w:name w:val="Table"/><w:basedOn w:val="TableNormal"/><w:qFormat/>
<w:pPr><w:spacing w:before="20" w:after="20"/></w:pPr>
<w:tblPr><w:tblBorders><w:top w:val="single" w:sz="10" w:space="0" w:color="{ACCENT}"/>
<w:bottom w:val="single" w:sz="6" w:space="0" w:color="{ACCENT}"/>
<w:insideH w:val="single" w:sz="4" w:space="0" w:color="C9D1D9"/></w:tblBorders>
<w:tblCellMar><w:left w:w="80" w:type="dxa"/><w:right w:w="80" w:type="dxa"/></w:tblCellMar>
</w:tblPr>
<w:trPr><w:cantSplit/></w:trPr>
<w:tblStylePr w:type="firstRow"><w:rPr><w:b/><w:color w:val="{ACCENT}"/></w:rPr>
<w:tcPr><w:tcBorders>
<w:bottom w:val="single" w:sz="8" w:space="0" w:color="{ACCENT}"/></w:tcBorders>
<w:vAlign w:val="bottom"/></w:tcPr></w:tblStylePr></w:style>"""


def _styles(text: str) -> str:
    for style, (paragraph, run) in _PARAGRAPHS.items():
        text = re.sub(
            rf'(<w:style\b[^>]*w:styleId="{style}"[^>]*>)(.*?)(</w:style>)',
            lambda found, paragraph=paragraph, run=run: (  # type: ignore[misc]
                found[1] + _properties(found[2], paragraph, run) + found[3]
            ),
            text,
            flags=re.S,
        )
    text = re.sub(
        r'<w:style\b[^>]*w:styleId="Table"[^>]*>.*?</w:style>',
        lambda _: _TABLE_STYLE,
        text,
        flags=re.S,
    )
    added = "".join(
        f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{style}">'
        f'<w:name w:val="{name}"/><w:basedOn w:val="Normal"/><w:qFormat/>{paragraph}{run}</w:style>'
        for style, (name, paragraph, run) in _NEW.items()
    )
    characters = "".join(
        f'<w:style w:type="character" w:customStyle="1" w:styleId="{name.replace(" ", "")}">'
        f'<w:name w:val="{name}"/><w:qFormat/>{run}</w:style>'
        for name, run in _CHARACTERS.items()
    )
    return text.replace("</w:styles>", f"{added}{characters}</w:styles>")


def _properties(body: str, paragraph: str, run: str) -> str:
    body = re.sub(r"<w:pPr>.*?</w:pPr>|<w:pPr\s*/>", "", body, flags=re.S)
    body = re.sub(r"<w:rPr>.*?</w:rPr>|<w:rPr\s*/>", "", body, flags=re.S)
    return body + paragraph + run


def _text(text: str, colour: str, *, bold: bool = False) -> str:
    return f'<w:r>{_run(15, colour, font=HEADING_FONT, bold=bold)}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'  # noqa: E501


_TAB = "<w:r><w:tab/></w:r>"
_RIGHT = '<w:pPr><w:tabs><w:tab w:val="right" w:pos="9026"/></w:tabs></w:pPr>'


def _header(title: str, label: str) -> str:
    marks = _TAB + _text(label, WARNING, bold=True) if label else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><w:hdr {_NAMESPACES}><w:p>{_RIGHT}'
        f"{_text(title, MUTED)}{marks}</w:p></w:hdr>"
    )


def _footer(identity: str) -> str:
    page = f'<w:fldSimple w:instr=" PAGE "><w:r>{_run(15, MUTED, font=HEADING_FONT)}<w:t>1</w:t></w:r></w:fldSimple>'  # noqa: E501
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><w:ftr {_NAMESPACES}><w:p>{_RIGHT}'
        f"{_text(f'Run {identity}', MUTED)}{_TAB}{page}</w:p></w:ftr>"
    )


def _relations(text: str) -> str:
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    added = "".join(
        f'<Relationship Id="rId9{number}" Type="{base}/{kind}" Target="{kind}1.xml"/>'
        for number, kind in enumerate(("header", "footer"))
    )
    return text.replace("</Relationships>", f"{added}</Relationships>")


def _content_types(text: str) -> str:
    base = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    added = "".join(
        f'<Override PartName="/word/{kind}1.xml" ContentType="{base}.{kind}+xml"/>'
        for kind in ("header", "footer")
    )
    return text.replace("</Types>", f"{added}</Types>")


def _sections(text: str) -> str:
    page = (
        "<w:sectPr>"
        '<w:headerReference w:type="default" r:id="rId90"/>'
        '<w:footerReference w:type="default" r:id="rId91"/>'
        '<w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="1440" w:right="1440" w:bottom="1300" w:left="1440" w:header="640" '
        'w:footer="560" w:gutter="0"/></w:sectPr>'
    )
    text = re.sub(r"<w:sectPr\b.*?</w:sectPr>|<w:sectPr\s*/>", "", text, flags=re.S)
    if "xmlns:r=" not in text.split(">", 2)[1]:
        text = text.replace("<w:document ", f"<w:document {_NAMESPACES.split(' ')[1]} ", 1)
    return text.replace("</w:body>", f"{page}</w:body>")
