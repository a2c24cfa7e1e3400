"""The text of a PDF's pages."""

from __future__ import annotations

HYPHEN = "\ufffe"  # PDFium's sign for a word broken at the end of a line


def page_texts(content: bytes) -> list[str]:
    """Read the text of each page, also what stands outside its visible part.

    Parameters
    ----------
    content
        The file.

    Returns
    -------
    list of str
        A text a page, in the order of the file; lines end with a line feed.

    Raises
    ------
    ValueError
        If it is no PDF that can be read.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise ValueError("PDF") from error
    texts = []
    with document:
        for page in document:
            words = page.get_textpage()
            text = words.get_text_range().replace("\r\n", "\n")
            texts.append(text.replace(HYPHEN, "-\n"))
            words.close()
            page.close()
    return texts
