"""The same function over many things, in processes that inherit all that it needs."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from prevalence.errors import PipelineError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Read by forked workers: what a function holds on to needn't be picklable.
_FUNCTION: list[Callable[[Any], Any]] = []


def in_processes(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> list[Result]:
    """Apply a function to each item, some at the same time.

    Parameters
    ----------
    function
        Anything that can be called; a worker is forked with it, and doesn't pickle it.
    items
        Picklable, as are the results.
    workers
        Processes at the same time. One, or a system that can't fork: all is done here.

    Returns
    -------
    list
        The results in the order of the items, the same whatever the number of workers.

    Raises
    ------
    PipelineError
        If a worker was ended from outside. What the function raises is passed on.
    """
    todo = list(items)
    workers = min(workers, len(todo))
    if workers <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [function(item) for item in todo]
    _FUNCTION.append(function)
    fork = multiprocessing.get_context("fork")
    try:
        with ProcessPoolExecutor(workers, mp_context=fork, initializer=_plain_signals) as pool:
            try:
                return list(pool.map(_inherited, todo))
            except BaseException:  # interrupted: don't wait for what nobody will read
                for child in multiprocessing.active_children():
                    child.terminate()
                raise
    except BrokenProcessPool as error:
        raise PipelineError(
            "A process of this job was ended from outside.",
            allowed=f"memory for {workers} processes at the same time",
            remedy="Run snakemake again with fewer cores, or make the machine's memory free.",
        ) from error
    finally:
        _FUNCTION.pop()


def _inherited(item: Any) -> Any:
    return _FUNCTION[-1](item)


def _plain_signals() -> None:
    """Let a worker end at once: what its parent does at a signal is not its business."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
