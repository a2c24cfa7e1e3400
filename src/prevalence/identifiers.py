"""Pseudonyms: ids are replaced before anything is written.

A pseudonym is an HMAC-SHA256 under a key that the data's owner holds: the same id gives the same
pseudonym in every table and every run, waves can be linked by the owner, and nobody else can try
ids out. Synthetic and public data use a documented public key.
"""

from __future__ import annotations

import hmac
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from prevalence.errors import PipelineError

_SHORTEST_KEY = 16
_FEWEST_CHARACTERS = 6
# Keys that are known to all: the config of every synthetic or published survey has one of these.
PUBLIC_KEY = "public-key-for-"
# Side tables whose rows name households, places or persons.
TABLES_WITH_IDS = ("frame", "areas", "survivor_panel", "companion", "visibility")
# Isn't an id of any kind: nothing else is hashed to the same.
_MARKED = b"mark of a key for pseudonyms"
_DIGITS = 16  # 64 bits: two of a million ids share a pseudonym with probability below 1e-7
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


def pseudonym(key: str, kind: str, value: object) -> str:
    """Replace an id by its pseudonym.

    Parameters
    ----------
    key
        The secret key.
    kind
        What is identified: ``respondent``, ``household``, ``psu``, ``ssu``, ``interviewer``,
        ``city``. The same id of two kinds gives two pseudonyms.
    value
        The id: a text or a number. ``12``, ``12.0`` and ``" 12 "`` are the same id. A missing
        id (None, not a number, the empty text) stays empty.

    Returns
    -------
    str
        The kind's first letter (so that no program takes it for a number) and 16 hexadecimal
        digits of HMAC-SHA256 over kind and id; empty for a missing id.
    """
    text = canonical_id(value)
    if not text:
        return ""
    message = f"{kind}\0{text}".encode()
    return kind[0] + hmac.digest(key.encode(), message, "sha256").hex()[:_DIGITS]


def pseudonyms(key: str, kind: str, values: Iterable[object]) -> list[str]:
    """Replace a column of ids by pseudonyms; each distinct id is hashed once.

    Parameters
    ----------
    key, kind
        As in :func:`pseudonym`.
    values
        The ids.

    Returns
    -------
    list of str
        The pseudonyms, in the order of the ids.
    """
    known: dict[object, str] = {}
    column = []
    for value in values:
        if value not in known:
            known[value] = pseudonym(key, kind, value)
        column.append(known[value])
    return column


def canonical_id(value: object) -> str:
    """Write an id in one way, whatever type the file's format gave it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text


def pseudonym_key(
    setting: str | Mapping[str, str] | None, public: bool, environment: Mapping[str, str]
) -> str:
    """Find the key under which ids are replaced.

    Parameters
    ----------
    setting
        The config's ``ingest.pseudonym_key``: the key itself, or ``{env: NAME}``.
    public
        Whether the data are synthetic or public, so that the key need not be secret.
    environment
        The environment's variables.

    Returns
    -------
    str
        The key.

    Raises
    ------
    PipelineError
        If there is no key, it is short or a few characters over and over, it stands in the config
        of data that are not public, or such data have a key that is known to all.
    """
    place = "ingest.pseudonym_key"
    if setting is None:
        raise PipelineError(
            "There is no key for pseudonyms.",
            place=place,
            remedy="Write the line: pseudonym_key: {env: PREVALENCE_PSEUDONYM_KEY}",
        )
    if isinstance(setting, str):
        if not public:
            raise PipelineError(
                "The key for pseudonyms stands in the config, where anyone can read it.",
                place=place,
                allowed="a literal key only for synthetic data (survey.synthetic: true) or data "
                "that are published (ingest.public_microdata: true)",
                remedy="Write the line: pseudonym_key: {env: PREVALENCE_PSEUDONYM_KEY}, and keep "
                "the key in that variable.",
            )
        return setting
    name = setting["env"]
    key = environment.get(name, "").strip()  # a file's last line end is none of the key
    if not public and key.casefold().startswith(PUBLIC_KEY):
        raise PipelineError(
            "The key for pseudonyms is one of synthetic data, which anyone can read.",
            place=place,
            found=f"{name} starts with {PUBLIC_KEY}",
            allowed="a secret of the data's owner",
            remedy=f"Set {name} to the key that the data's owner keeps, then run snakemake again.",
        )
    if len(key) >= _SHORTEST_KEY and len(set(key)) < _FEWEST_CHARACTERS:
        raise PipelineError(
            "The key for pseudonyms is too simple to be a secret.",
            place=place,
            found=f"{name} has {len(set(key))} different characters",
            allowed=f"at least {_FEWEST_CHARACTERS}; 32 random ones are good",
            remedy=f"Set {name} to the key that the data's owner keeps, then run snakemake again.",
        )
    if len(key) < _SHORTEST_KEY:
        raise PipelineError(
            "The key for pseudonyms is not in the environment."
            if not key
            else "The key for pseudonyms is too short to be a secret.",
            place=place,
            found=f"{name} is not set" if not key else f"{name} has {len(key)} characters",
            allowed=f"at least {_SHORTEST_KEY} characters",
            remedy=f"Set {name} to the key that the data's owner keeps, then run snakemake again.",
        )
    return key


def key_mark(setting: str | Mapping[str, str] | None, environment: Mapping[str, str]) -> str:
    """Tell one secret key from another, without telling the key.

    A run keeps it, so that another key makes all pseudonyms anew and never some of them alone.

    Parameters
    ----------
    setting, environment
        As in :func:`pseudonym_key`.

    Returns
    -------
    str
        16 bits of an HMAC-SHA256 of fixed words under the key, in hexadecimal digits: one change of
        65,536 isn't seen, and who reads it can rule keys out, but confirm none. Empty where the key
        isn't in the environment.
    """
    if not isinstance(setting, Mapping):
        return ""
    key = environment.get(setting["env"], "").strip()
    return hmac.digest(key.encode(), _MARKED, "sha256").hex()[:4] if key else ""


def public_data(synthetic: Any, public_microdata: Any) -> bool:
    """Whether ids need no secret key: the data are synthetic, or published by their owner."""
    return bool(synthetic) or bool(public_microdata)
