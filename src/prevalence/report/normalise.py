"""The text of a rendered report, so that formats and renderers can be compared word by word."""

from __future__ import annotations

import html
import io
import re
import zipfile

# What renderers and formats set differently by design: contents, links to data, footers.
_HTML_APART = (
    r"<(style|script|nav|footer|head|svg)\b.*?</\1>",
    r'<div class="exhibit-links".*?</div>|<aside class="banner".*?</aside>',
    r'<a class="skip".*?</a>',
    r"<math\b.*?</math>",
    r'<a [^>]*class="footnote-(?:ref|back)".*?</a>',
)
WORD = re.compile(r"[^\W_]+(?:[.,’'–-][^\W_]+)*", re.UNICODE)


def words(text: str) -> list[str]:
    """Split a text into words and numbers, without punctuation and marks.

    Parameters
    ----------
    text
        Text of a rendered file.

    Returns
    -------
    list of str
        Words in their order.
    """
    text = text.replace("\u00ad", "").replace("\u00a0", " ")
    return WORD.findall(text)


def html_text(page: str) -> str:
    """Text of an HTML report, without contents, footer, drawings and data links.

    Parameters
    ----------
    page
        The page.

    Returns
    -------
    str
        Its text.
    """
    for pattern in _HTML_APART:
        page = re.sub(pattern, " ", page, flags=re.S)
    page = re.sub(r"</(?:p|h\d|li|td|th|figcaption|caption|div|tr)>|<br\s*/?>", "\n", page)
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def docx_text(content: bytes) -> str:
    """Text of a Word report: its body and footnotes.

    Parameters
    ----------
    content
        The file.

    Returns
    -------
    str
        Its text, a line a paragraph.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.read("word/document.xml").decode()]
        if "word/footnotes.xml" in archive.namelist():
            parts.append(archive.read("word/footnotes.xml").decode())
    text = "\n".join(parts)
    text = re.sub(r"<w:sdt>.*?</w:sdt>|<m:oMath\b.*?</m:oMath>", "", text, flags=re.S)
    text = re.sub(r"<w:(?:br|tab)\b[^>]*/>", " ", text)
    text = re.sub(r"</w:p>", "\n", text)
    return html.unescape(re.sub(r"<[^>]+>", "", text))
