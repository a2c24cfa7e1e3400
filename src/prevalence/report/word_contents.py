"""What pandoc leaves undone in the Word report: the list of contents, rows of tables kept whole."""

from __future__ import annotations

import io
import re
import zipfile

from prevalence.report.reference_document import zipped

DOCUMENT = "word/document.xml"
_HEADING = re.compile(
    r'<w:bookmarkStart\b[^>]*w:name="([^"]+)"[^>]*/>\s*(?:<w:bookmark(?:Start|End)\b[^>]*/>\s*)*'
    r'<w:p>\s*<w:pPr>\s*<w:pStyle w:val="Heading([12])"\s*/>.*?</w:pPr>(.*?)</w:p>',
    re.S,
)
_LIST = re.compile(
    r'(<w:sdtContent><w:p>.*?<w:t[^>]*>)[^<]*(</w:t>.*?w:fldCharType="separate"\s*/>)'
    r'(<w:fldChar w:fldCharType="end"\s*/></w:r></w:p></w:sdtContent></w:sdt>)',
    re.S,
)
# A row with properties, or one that gets some.
_ROW = re.compile(r"<w:tr>(?:<w:trPr>((?:(?!</w:trPr>).)*</w:trPr>)|(?=<w:tc))")
_FIRST_HEADING = re.compile(r'(?<=</w:sdt>)(.*?<w:pStyle w:val="Heading1"\s*/>)', re.S)


def with_contents(content: bytes) -> bytes:
    """Fill the list of contents of a Word report, each line a link to its heading.

    Rows of its tables are kept whole as well: no page ends within a cell.

    Parameters
    ----------
    content
        A .docx file as pandoc writes it.

    Returns
    -------
    bytes
        The file with its contents, and a new page after them; rows that go over no page's end.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = parts[DOCUMENT].decode()
    entries = "".join(_entry(*found) for found in _HEADING.findall(text))
    text = _LIST.sub(
        lambda found: f"{found[1]}Contents{found[2]}</w:r></w:p>{entries}<w:p><w:r>{found[3]}",
        text,
        count=1,
    )
    # No paragraph of its own for the break: after a full page it would leave an empty one.
    text = _FIRST_HEADING.sub(r"\1<w:pageBreakBefore/>", text, count=1)
    text = _ROW.sub(lambda row: f"<w:tr><w:trPr><w:cantSplit/>{row[1] or '</w:trPr>'}", text)
    parts[DOCUMENT] = text.encode()
    return zipped(parts)


def _entry(bookmark: str, level: str, runs: str) -> str:
    words = re.sub(r"<w:tab\s*/>", "\u2002", runs)
    words = re.sub(r"<[^>]+>", "", words)
    return (
        f'<w:p><w:pPr><w:pStyle w:val="TOC{level}"/></w:pPr>'
        f'<w:hyperlink w:anchor="{bookmark}" w:history="1"><w:r>'
        f'<w:t xml:space="preserve">{words}</w:t></w:r></w:hyperlink></w:p>'
    )
