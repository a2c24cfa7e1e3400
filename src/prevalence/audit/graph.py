"""Which job made which file from which: what an audit follows back and forth."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RULE = re.compile(r"^rule (\w+):\n", re.M)
_SETTING = re.compile(r'\bsetting\(\s*f?"([\w.]+)')
_WHOLE = re.compile(r"\bsurvey_config\(")
_SEED = re.compile(r"\bstage_seed\(|\bconfig\[\"seed\"\]")


@dataclass(frozen=True)
class Job:
    """One job of a run.

    Parameters
    ----------
    rule
        Name of the rule.
    script
        Path of its script.
    outputs
        Files (or folders) that it makes, by the name that the rule gives them.
    inputs
        Files that it reads, code aside.
    code
        Script and modules on which it depends.
    settings
        Keys of the survey's config that the rule takes; ``""`` for all of it.
    """

    rule: str
    script: str
    outputs: Mapping[str, Sequence[str]]
    inputs: Sequence[str]
    code: Sequence[str] = ()
    settings: Sequence[str] = field(default=())

    def output_name(self, path: str) -> str | None:
        """Name of the output that a path is, or lies in."""
        for name, files in self.outputs.items():
            if any(path == file or path.startswith(f"{file}/") for file in files):
                return name
        return None


class Graph:
    """The jobs of a run and how their files rest on one another.

    Parameters
    ----------
    jobs
        Every job.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.jobs = list(jobs)
        self._maker = {
            file: job for job in self.jobs for files in job.outputs.values() for file in files
        }

    def maker(self, path: str) -> Job | None:
        """Find the job that makes a file; None for a source."""
        while path not in self._maker:
            path, inside, _ = path.rpartition("/")
            if not inside:
                return None
        return self._maker[path]

    def ancestors(self, path: str) -> list[Job]:
        """Jobs on which a file rests, its own first.

        Parameters
        ----------
        path
            A file that a job makes.

        Returns
        -------
        list of Job
            Each once; empty for a source.
        """
        found: dict[int, Job] = {}
        waiting = deque([path])
        while waiting:
            job = self.maker(waiting.popleft())
            if job is not None and id(job) not in found:
                found[id(job)] = job
                waiting += job.inputs
        return list(found.values())

    def sources(self, path: str) -> set[str]:
        """Files on which a file rests that no job makes: raw data, codebook, texts, code."""
        found: set[str] = set()
        for job in self.ancestors(path):
            found |= {file for file in job.inputs if self.maker(file) is None}
            found |= set(job.code)
        return found

    def rests_on(self, path: str, rules: Iterable[str]) -> bool:
        """Whether a job of one of some rules stands behind a file."""
        return any(job.rule in set(rules) for job in self.ancestors(path))

    def made_before(self, path: str) -> set[str]:
        """Files on which a file rests that jobs make."""
        jobs = self.ancestors(path)
        return {file for job in jobs for file in job.inputs if self.maker(file) is not None}

    def settings(self, path: str) -> set[str]:
        """Keys of the survey's config that the jobs behind a file take."""
        return {key for job in self.ancestors(path) for key in job.settings}


def jobs_from(described: Iterable[Mapping[str, Any]]) -> list[Job]:
    """Read jobs from plain mappings, as the workflow hands them to a script.

    Parameters
    ----------
    described
        Mappings with the fields of :class:`Job`.

    Returns
    -------
    list of Job
        In the given order.
    """
    return [
        Job(
            rule=str(job["rule"]),
            script=str(job["script"]),
            outputs={str(name): list(files) for name, files in job["outputs"].items()},
            inputs=list(job["inputs"]),
            code=list(job.get("code", ())),
            settings=list(job.get("settings", ())),
        )
        for job in described
    ]


def plain(job: Job) -> dict[str, Any]:
    """Give a job as a plain mapping, for JSON; :func:`jobs_from` reads it back."""
    return {
        "rule": job.rule,
        "script": job.script,
        "outputs": {name: list(files) for name, files in job.outputs.items()},
        "inputs": list(job.inputs),
        "code": list(job.code),
        "settings": list(job.settings),
    }


def rule_settings(text: str) -> dict[str, list[str]]:
    """Keys of the config that each rule of a rule file takes as parameters.

    Parameters
    ----------
    text
        Text of the rule file.

    Returns
    -------
    dict
        Rule to keys of the survey's config; ``""`` where it takes the whole, ``seed`` where its
        random numbers start from the run's seed.
    """
    pieces = RULE.split(text)
    found = {}
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        keys = {key.rstrip(".") for key in _SETTING.findall(body)}
        keys |= {""} if _WHOLE.search(body) else set()
        keys |= {"seed"} if _SEED.search(body) else set()
        found[name] = sorted(keys)
    return found


def takes(settings: Iterable[str], key: str) -> bool:
    """Whether a changed key lies in, or around, one of the keys that a rule takes.

    Parameters
    ----------
    settings
        Keys that a rule takes; ``""`` for all.
    key
        Dotted key that changed.
    """
    return any(
        not taken or key == taken or key.startswith(f"{taken}.") or taken.startswith(f"{key}.")
        for taken in settings
    )
