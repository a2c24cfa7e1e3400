"""Texts of config and data that must stay texts: no formulas, no markup, no control characters.

Labels and names of regions end in CSV files that people open in a spreadsheet, and in HTML. They
are refused where they come in, so that every later stage may print them.
"""

from __future__ import annotations

import re
import unicodedata

_FORMULA = re.compile(r"^\s*[=@\t]|^\s*[+-]\s*[^\d\s.]")
_MARKUP = re.compile(r"<[a-zA-Z/!?]|\bjavascript:|&#?\w+;|\{\{|\}\}|!?\[[^\]]*\]\(", re.I)


def active_content(text: str) -> str | None:
    """Say what in a text a spreadsheet, a browser or a renderer would act on.

    Parameters
    ----------
    text
        A label, a name, a source.

    Returns
    -------
    str or None
        ``a formula``, ``markup`` or ``a control character``; None for plain text.
    """
    if _FORMULA.search(text):
        return "a formula"
    if _MARKUP.search(text):
        return "markup"
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co") for character in text):
        return "a control character"
    # Marks that turn the direction of text hide what is written.
    if any(
        character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" for character in text
    ):
        return "a control character"
    return None
