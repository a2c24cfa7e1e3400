"""Bounds on time and memory: a hang or a bomb is a failure, not the end of the machine."""

import resource
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
LONGEST = 60  # seconds
MOST = 3 * 2**30  # bytes beyond what the process has already


def _mapped():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmSize:")[1].split()[0]) * 1024


@pytest.fixture(autouse=True)
def bounded():
    """Stop a test that takes too long or too much."""
    if not Path("/proc/self/status").exists():
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
