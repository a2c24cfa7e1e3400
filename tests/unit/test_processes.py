"""A function over many things: the same results with one process and with several."""

import os
import signal
import time

import pytest

from prevalence.errors import PipelineError
from prevalence.processes import in_processes


def test_results_stand_in_the_order_of_the_items():
    offset = 10  # held by the function, and not picklable with it

    def slowest_first(item):
        time.sleep(0.05 if item == 0 else 0)
        return item + offset

    one, three = (in_processes(slowest_first, range(6), workers) for workers in (1, 3))
    assert one == three == list(range(10, 16))


def test_several_workers_are_other_processes():
    found = in_processes(lambda _: os.getpid(), range(4), 2)
    assert os.getpid() not in found
    assert in_processes(lambda _: os.getpid(), range(4), 1) == [os.getpid()] * 4
    assert in_processes(lambda _: os.getpid(), [], 4) == []


def test_an_error_is_passed_on():
    def fails(item):
        raise PipelineError("This can't be done.", found=str(item))

    for workers in (1, 2):
        with pytest.raises(PipelineError, match="can't be done"):
            in_processes(fails, range(3), workers)


def test_a_killed_worker_is_told():
    def dies(item):
        if item == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    with pytest.raises(PipelineError, match="fewer cores"):
        in_processes(dies, range(3), 2)
