"""Stopped at any moment, or out of disk, a run is completed by the next, with the same bytes."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
from same_bytes import differing

HIDDEN = re.compile(r"/\.(?!snakemake)[^/]*$")
NUMBERS = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT)
RESUME = "resume_run.py"
STAGES = ("ingest", "clean", "weight", "model")  # the longest job among them, and the most files


def written(project) -> int:
    """How many files the run has made so far."""
    return sum(len(files) for _, _, files in os.walk(project / "data/processed/tiny"))


def command(script: str = "", *words: str) -> list[str]:
    """Snakemake, or the script that resumes a killed run."""
    start = [f"scripts/audit/{script}"] if script else ["-m", "snakemake"]
    return [sys.executable, *start, "--cores", "2", *words]


def interrupt(project, words: list[str], files: int, pause: float, number: int) -> None:
    """Start a run and stop it, by asking or by force, a while after so many files were made."""
    run = subprocess.Popen(
        words,
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while run.poll() is None and written(project) < files:
        time.sleep(0.02)
    time.sleep(pause)
    if number == signal.SIGKILL:
        os.killpg(run.pid, number)  # the machine went down: every process of the run with it
    else:
        run.send_signal(number)
    wait_for_end(run)


def running_children(process: psutil.Process) -> list[str]:
    """What a process has started that hasn't ended, by its command."""
    commands = []
    for child in process.children() if process.is_running() else []:
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE:
                commands.append(" ".join(child.cmdline()))
    return commands


def wait_for_end(run: subprocess.Popen) -> None:
    """Wait until a stopped run has ended; its jobs end first, and may take their time.

    Snakemake 9's handler of SIGTERM waits for a lock that its own thread holds while it selects
    jobs: asked at that moment, it idles for ever without a job, and has to be killed. A solver that
    it had started for the selection has ended by then, and stays its child.
    """
    process = psutil.Process(run.pid)
    idle, deadline = 0, time.monotonic() + 400
    while run.poll() is None:
        jobs = running_children(process)
        assert time.monotonic() < deadline, f"{jobs} went on after the run had been stopped"
        time.sleep(0.5)
        idle = 0 if jobs else idle + 1
        if idle > 20:  # half seconds; between two jobs it has no child for two at most
            os.killpg(run.pid, signal.SIGKILL)
            run.wait(timeout=60)


def run_words(project, words: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(words, cwd=project.folder, capture_output=True, text=True, check=False)


def stopped_and_completed(project, moments: int, seed: int, total: int, targets: list[str]) -> None:
    """Stop one run again and again, each time further on; then let it complete.

    After a run that was asked to stop, snakemake itself goes on; after one that was killed, resume.
    """
    chance = random.Random(seed)
    script = ""
    for place, files in enumerate(sorted(chance.sample(range(total), moments))):
        number = NUMBERS[place % len(NUMBERS)]
        words = command(script, *targets)
        interrupt(project, words, files, chance.uniform(0.0, 1.0), number)
        # A run that is stopped before it set its handler up leaves its lock, as a killed one does.
        locked = (project / ".snakemake/locks").exists()
        script = RESUME if number == signal.SIGKILL or locked else ""
    done = run_words(project, command(script, *targets))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    outputs = project.outputs()
    assert [path for path in outputs if HIDDEN.search(path)] == []


def test_a_run_stopped_in_each_way_gives_the_same_bytes(finished, fresh):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    stages = [f"data/processed/tiny/restricted/{name}/" for name in STAGES]
    expected = {
        path: content
        for path, content in finished.outputs().items()
        if path.startswith(tuple(stages)) and "/." not in path
    }
    assert len(expected) > 40
    stopped_and_completed(fresh, len(NUMBERS), seed, len(expected), list(expected))
    made = fresh.outputs()
    assert differing(expected, {path: made.get(path) for path in expected}) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_runs_stopped_at_fifty_moments_give_the_same_bytes(finished, fresh, seed):
    stopped_and_completed(fresh, 5, seed, written(finished), [])
    assert differing(finished.outputs(), fresh.outputs()) == []


def test_resume_refuses_while_a_run_is_alive(fresh):
    (fresh / "scripts/ingest/verify_raw.py").write_text("import time\ntime.sleep(60)\n")
    run = subprocess.Popen(
        command(),
        cwd=fresh.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (fresh / ".snakemake/locks").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert "`make resume` completes it" in fresh.snakemake("--dry-run").stderr
        done = run_words(fresh, command(RESUME))
        assert done.returncode == 1
        assert "A run is still alive in this folder" in done.stderr
        assert str(run.pid) in done.stderr
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait(timeout=60)


def limited(blocks: int, *words: str) -> list[str]:
    """A command whose processes can't write a file of more than so many kilobytes."""
    return ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "limited", *words]


@pytest.mark.parametrize(
    ("target", "blocks"),
    [
        pytest.param("staged/summary.html", 100, id="page", marks=pytest.mark.slow),
        pytest.param("restricted/estimate/specifications.csv", 60, id="table"),
        pytest.param("staged/figures/headline.png", 60, id="picture", marks=pytest.mark.slow),
    ],
)
def test_without_space_the_file_is_named_and_earlier_results_stay(project, target, blocks):
    path = f"data/processed/tiny/{target}"
    before = project.outputs()
    (project / path).unlink()
    done = run_words(project, limited(blocks, *command(), path))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "A file could not be written." in said
    assert path in said
    assert "earlier results are untouched" in said
    assert "Traceback" not in said
    touched = differing(before, project.outputs())
    assert path in touched
    assert all(file.startswith(path.rsplit("/", 1)[0]) for file in touched), "of that job alone"
    assert run_words(project, command("", path)).returncode == 0
    assert differing(before, project.outputs()) == []


def read_only(folder: str, *words: str) -> list[str]:
    """A command to which a folder is read-only, even for the administrator."""
    script = (
        f'mount --bind "{folder}" "{folder}" && mount -o remount,ro,bind "{folder}" && exec "$@"'
    )
    return ["unshare", "--mount", "--map-root-user", "bash", "-c", script, "mounted", *words]


def test_a_folder_without_write_permission_is_named_and_earlier_results_stay(project):
    folder = str(project / "data/processed/tiny/staged")
    if run_words(project, read_only(folder, "true")).returncode:
        pytest.skip("this machine lets no folder be mounted read-only")
    before = project.outputs()
    path = "data/processed/tiny/staged/brief.pdf"
    done = run_words(
        project, read_only(folder, *command("", "--forcerun", "render_brief", "--", path))
    )
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "staged/brief.pdf" in said
    assert "Write-protected output files for rule render_brief" in said
    assert differing(before, project.outputs()) == []
    # Where the file is still to be made Snakemake would end in a traceback.
    (project / path).unlink()
    done = run_words(project, read_only(folder, *command("", path)))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    for words in ("Results could not be written.", "file:     data/processed/tiny/staged\n"):
        assert words in said
    assert "Traceback" not in said
    assert not list((project / ".snakemake/locks").glob("*")), "the run has ended"
