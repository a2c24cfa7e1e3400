"""Bounds on time and memory: a hang or a bomb is a failure, not the end of the machine."""

import resource
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from own_project import copy_of_project, followed_page

LONGEST = 60  # seconds
SAID = "said.txt"
MOST = 3 * 2**30  # bytes beyond what the process has already


def _mapped():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmSize:")[1].split()[0]) * 1024


@pytest.fixture(autouse=True)
def bounded(request):
    """Stop a test that takes too long or too much; those that start whole runs bound themselves."""
    starts_runs = getattr(request.module, "STARTS_RUNS", False)
    if starts_runs or not Path("/proc/self/status").exists():
        yield
        return

    def stop(*_):
        raise TimeoutError(f"not done after {LONGEST} s")

    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST)
    resource.setrlimit(resource.RLIMIT_AS, (_mapped() + MOST, before[1]))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(scope="session")
def own_project(made_once):
    """A project in which docs/your-own-survey.md was followed to the letter; what it said."""

    def follow(folder):
        said = followed_page(copy_of_project(folder))
        (folder / SAID).write_text(said, encoding="utf-8")

    folder = made_once("own-survey", follow)
    return folder, (folder / SAID).read_text(encoding="utf-8")
