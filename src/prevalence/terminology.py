"""Checks words against the terminology list: sources, config, captions, rendered text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from prevalence.errors import PipelineError

AVOID, CAUTION = "avoid", "caution"
_AROUND = 80
_HYPHENS = re.compile("[\u2010\u2011\u2012\u2013]")
_BROKEN = re.compile(r"(?<=[a-z])-[ \t]*\n[ \t]*(?=[a-z])")


@dataclass(frozen=True)
class Term:
    """A term that is avoided or used with care.

    Parameters
    ----------
    name, kind
        Its id, and ``avoid`` (it stops a publication) or ``caution`` (it advises).
    pattern
        What is looked for.
    instead, why
        The preferred term, and the reason.
    allowed
        Contexts in which it may stand.
    """

    name: str
    kind: str
    pattern: re.Pattern[str]
    instead: str
    why: str
    allowed: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True)
class Breach:
    """A term that may not stand where it stands.

    Parameters
    ----------
    file, line
        Where.
    found
        The term as it stands there.
    term
        Id of the rule.
    instead, why
        What to write, and why.
    kind
        ``avoid`` stops a publication, ``caution`` advises.
    """

    file: str
    line: int
    found: str
    term: str
    instead: str
    why: str
    kind: str = AVOID

    @property
    def stops(self) -> bool:
        """Whether a text with it may not be published."""
        return self.kind == AVOID

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.file}:{self.line}: {self.found!r}: write {self.instead!r}. {self.why}"


@dataclass(frozen=True)
class Terminology:
    """The terminology list.

    Parameters
    ----------
    terms
        Words, checked everywhere.
    wording
        Statistical wording, checked in the report and its texts.
    sentences
        Pattern, what the same paragraph must hold as well, and the term for the message.
    waivers
        File pattern, term and text of each waiver.
    """

    terms: tuple[Term, ...]
    wording: tuple[Term, ...]
    sentences: tuple[tuple[Term, re.Pattern[str]], ...]
    waivers: tuple[tuple[str, str, str], ...]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Terminology:
        """Compile a checked ``config/terminology.yaml``.

        Raises
        ------
        PipelineError
            If a pattern is no regular expression.
        """
        return cls(
            tuple(_term(entry) for entry in config["terms"]),
            tuple(_term(entry) for entry in config["wording"]),
            tuple(
                (_term({"class": "avoid", **entry}), _compiled(entry["requires"], entry["id"]))
                for entry in config["sentences"]
            ),
            tuple((w["file"], w["term"], w["text"]) for w in config["waivers"]),
        )

    def breaches(self, text: str, file: str, *, report: bool = False) -> list[Breach]:
        """Find the terms of a text that may not stand there.

        Parameters
        ----------
        text
            The text.
        file
            Its file, for waivers and messages.
        report
            Whether it is the report's or goes into it: statistical wording is checked as well.

        Returns
        -------
        list of Breach
            In the order of the text.
        """
        plain = plain_words(text)
        found = self._found(plain, file, report=report)
        if _BROKEN.search(plain):  # a word that is broken at the end of a line
            joined = self._found(_BROKEN.sub("", plain), file, report=report)
            known = {(breach.term, breach.found) for breach in found}
            found += [breach for breach in joined if (breach.term, breach.found) not in known]
        return found

    def _found(self, text: str, file: str, *, report: bool) -> list[Breach]:
        found = []
        for term in (*self.terms, *(self.wording if report else ())):
            for match in term.pattern.finditer(text):
                around = text[max(0, match.start() - _AROUND) : match.end() + _AROUND]
                if any(context.search(around) for context in term.allowed):
                    continue
                if not self._waived(file, term.name, around):
                    found.append((match.start(), _breach(term, match, text, file)))
        return [breach for _, breach in sorted(found, key=lambda item: item[0])]

    def lone_sentences(self, paragraphs: Sequence[str], file: str) -> list[Breach]:
        """Find paragraphs of the rendered report that lack what must stand with what they say.

        Parameters
        ----------
        paragraphs
            Paragraphs, in order.
        file
            The rendered file.

        Returns
        -------
        list of Breach
            With the paragraph's number in place of a line.
        """
        found = []
        for number, paragraph in enumerate(paragraphs, start=1):
            for term, required in self.sentences:
                match = term.pattern.search(paragraph)
                if match and not required.search(paragraph):
                    breach = Breach(
                        file, number, match[0], term.name, term.instead, term.why, term.kind
                    )
                    if not self._waived(file, term.name, paragraph):
                        found.append(breach)
        return found

    def _waived(self, file: str, term: str, around: str) -> bool:
        return any(
            fnmatch(file, pattern) and name in ("*", term) and plain_words(text) in around
            for pattern, name, text in self.waivers
        )


def plain_words(text: str) -> str:
    """Write a text so that words are found however they are spelt; lines stay lines.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        One form of letters and hyphens, underscores as spaces, nothing invisible.
    """
    text = html.unescape(text) if "&" in text else text
    if text.isascii():  # it has one form only
        return text.replace("_", " ")
    hidden = [c for c in set(text) if not c.isascii() and unicodedata.category(c) == "Cf"]
    visible = text.translate(dict.fromkeys(map(ord, hidden)))
    plain = unicodedata.normalize("NFKC", visible)
    return _HYPHENS.sub("-", plain).replace("_", " ")


def _breach(term: Term, match: re.Match[str], text: str, file: str) -> Breach:
    line = text.count("\n", 0, match.start()) + 1
    words = " ".join(match[0].split())
    return Breach(file, line, words, term.name, term.instead, term.why, term.kind)


def _term(entry: Mapping[str, Any]) -> Term:
    return Term(
        entry["id"],
        entry["class"],
        _compiled(entry["pattern"], entry["id"]),
        entry["instead"],
        entry["why"],
        tuple(_compiled(pattern, entry["id"]) for pattern in entry.get("allowed", ())),
    )


def _compiled(pattern: str, name: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise PipelineError(
            "A pattern of the terminology list is not a regular expression.",
            file="config/terminology.yaml",
            place=name,
            found=error.msg,
            remedy="Mend the pattern; quotes within single quotes are doubled.",
        ) from None
