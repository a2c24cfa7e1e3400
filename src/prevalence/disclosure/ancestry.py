"""Nothing that leaves may rest on restricted files except through the release stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

RESTRICTED = "/restricted/"
RELEASED = "/release/"


def leaks(inputs: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Find files that leave and have a restricted ancestor that doesn't pass through release.

    Parameters
    ----------
    inputs
        For each file that a rule makes, the files that the rule reads.

    Returns
    -------
    list of tuple
        The file that leaves, and the restricted file; markers that a raw file was verified hold
        nothing of it and don't count.
    """
    found = []
    for file in sorted(inputs):
        if not ("/staged/" in file or file.startswith("reports/")):
            continue
        waiting, seen = [file], set()
        while waiting:
            here = waiting.pop()
            if here in seen or RELEASED in here:
                continue
            seen.add(here)
            if RESTRICTED in here:
                if "/verified/" not in here:
                    found.append((file, here))
                continue
            waiting += inputs.get(here, ())
    return sorted(set(found))
