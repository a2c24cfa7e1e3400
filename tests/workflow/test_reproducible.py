"""Same inputs, same bytes: whatever the number of cores, and after an interruption."""

import signal
import subprocess
import sys
import time

import pytest


def differing(first: dict[str, bytes], second: dict[str, bytes]) -> list[str]:
    return sorted(
        path for path in first.keys() | second.keys() if first.get(path) != second.get(path)
    )


def test_one_core_and_two_give_the_same_bytes(finished, fresh):
    fresh.run(cores=1)
    assert len(fresh.outputs()) > 50
    assert differing(finished.outputs(), fresh.outputs()) == []


@pytest.mark.parametrize("seconds", [3.0, 9.0])
def test_an_interrupted_run_is_completed_by_the_next(finished, fresh, seconds):
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    run = subprocess.Popen(
        command, cwd=fresh.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    run.send_signal(signal.SIGINT)
    run.wait(timeout=60)
    fresh.run()
    assert differing(finished.outputs(), fresh.outputs()) == []


def test_resume_completes_a_killed_run(finished, fresh):
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2"],
        cwd=fresh.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(6)
    import os

    os.killpg(run.pid, signal.SIGKILL)
    run.wait(timeout=60)
    resumed = subprocess.run(
        [sys.executable, "scripts/audit/resume_run.py", "--cores", "2"],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert differing(finished.outputs(), fresh.outputs()) == []
