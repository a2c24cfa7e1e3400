"""What a run was made on and what it took: for the record alone, no manifest hashes it."""

from __future__ import annotations

import csv
import io
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any


def installed() -> dict[str, str]:
    """Version of every installed distribution, by name."""
    return {
        str(one.metadata["Name"]): one.version
        for one in sorted(distributions(), key=lambda one: str(one.metadata["Name"]).lower())
    }


def hardware() -> dict[str, Any]:
    """Name, system, processor, cores and memory of this machine."""
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": _memory(),
    }


def _memory() -> float | None:
    try:
        pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    return round(pages / 2**30, 1)


def processor() -> str:
    """Name of this machine's processor, as far as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()


def checkout(folder: Path) -> dict[str, Any]:
    """Commit of a checkout and whether files differ from it.

    Parameters
    ----------
    folder
        The project's folder.

    Returns
    -------
    dict
        ``commit`` (None outside of a checkout), ``dirty`` and ``changed`` (how many files).
    """
    commit = _git(folder, "rev-parse", "HEAD")
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    changed = None if status is None else len(status.splitlines())
    return {"commit": commit, "dirty": bool(changed) if commit else None, "changed": changed}


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def resources(tables: Mapping[str, str]) -> list[dict[str, Any]]:
    """Sum up Snakemake's benchmarks by rule.

    Parameters
    ----------
    tables
        Text of each benchmark file, by ``<stage>/<job>``.

    Returns
    -------
    list of dict
        ``job``, ``seconds``, ``cpu_seconds`` and ``peak_mb`` of each, the longest first. A value
        that Snakemake couldn't measure, of a job shorter than its interval, is None.
    """
    rows = []
    for job, text in tables.items():
        for line in csv.DictReader(io.StringIO(text), delimiter="\t"):
            rows.append(
                {
                    "job": job,
                    "seconds": _measured(line.get("s")),
                    "cpu_seconds": _measured(line.get("cpu_time")),
                    "peak_mb": _measured(line.get("max_rss")),
                }
            )
    return sorted(rows, key=lambda row: (-(row["seconds"] or 0.0), row["job"]))


def _measured(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def without_network() -> list[str]:
    """Words before a command that run it without a network; none where that isn't possible.

    Returns
    -------
    list of str
        A prefix of a command line.
    """
    for prefix in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        try:
            done = subprocess.run([*prefix, "true"], capture_output=True, check=False)
        except OSError:
            return []
        if done.returncode == 0:
            return prefix
    return []
