"""The frame around every script: log, error handler, reproducible clock.

A script defines ``main(job)`` and ends with ``run_job(main, snakemake)``. `job` is Snakemake's own
object: ``job.input``, ``job.output``, ``job.params``, ``job.wildcards``, ``job.threads``. Scripts
never read ``job.config``: each value that a rule uses stands in its ``params``.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from prevalence.errors import PipelineError, in_config

LOG = logging.getLogger("prevalence")
TRACEBACK = "PREVALENCE_TRACEBACK"


def run_job(main: Callable[[Any], None], job: Any) -> None:
    """Run a script's `main` with the rule's log and the one error handler.

    Parameters
    ----------
    main
        The script's function; it gets `job`.
    job
        The object that Snakemake puts into a script.
    """
    # 2023-09-07, the day of the published release: a fixed clock gives the same bytes every day.
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1694044800")
    log_file = str(job.log[0]) if len(job.log) else None
    _start_log(log_file)
    # Stopped from outside, a job still cleans up behind itself.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        main(job)
    except PipelineError as error:
        survey = getattr(job.wildcards, "survey", None)
        told = in_config(error, f"config/surveys/{survey}.yaml") if survey else error
        _stop(job.rule, str(told), log_file)
    except Exception as error:  # one handler for all: a message, never a respondent's answers
        _stop(job.rule, _unexpected(error), log_file)


def _start_log(log_file: str | None) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if log_file is not None:
        Path(log_file).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(log_file, mode="w", encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers, force=True)


def _unexpected(error: Exception) -> str:
    """Describe an unforeseen error by type and place; its text may hold answers and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "prevalence" in frame.filename] or frames
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno} in {own[-1].name}"
    return str(
        PipelineError(
            "A step stopped on an error that it does not know how to explain.",
            place=place,
            found=type(error).__name__,
            remedy=f"Run again with {TRACEBACK}=1 in the environment to see the traceback. "
            "It may show answers of respondents: do not share it.",
        )
    )


def _stop(rule: str, message: str, log_file: str | None) -> NoReturn:
    if os.environ.get(TRACEBACK):
        traceback.print_exc()
    LOG.error("error in rule %s: %s", rule, message)
    if log_file is not None:
        LOG.error("  %-9s %s", "log:", log_file)
    logging.shutdown()
    sys.exit(1)
