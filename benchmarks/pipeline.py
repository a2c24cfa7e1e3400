"""What the whole pipeline costs, and what orchestration adds to it.

    python benchmarks/pipeline.py --write         ph2022; writes docs/performance.md
    python benchmarks/pipeline.py --repeat 3      the fastest of three
    python benchmarks/pipeline.py --survey tiny --target <file>
                                                  to try the program on a part of the jobs

Situations, in a scratch copy of the project: a cold run, without and with the models' compiled
loops in the cache; a cold run without models; the same again (nothing to do); a changed sentence,
for the page alone, by `make page` and through Snakemake, and for everything; a changed figure, a
changed bound of the weights; and, as the peer of the cold run, one plain Python process that calls
the same scripts one after the other, without Snakemake. Wall time, processor time of all processes,
and the largest memory of all processes together. With --write, "Whole pipeline" in
docs/performance.md is written anew.
"""

import argparse
import datetime
import os
import pickle
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
from further_seeds import RAW
from scratch import scratch_copy
from survey_engine import machine, write_section

ROOT = Path(__file__).parents[1]
TITLE = "## Whole pipeline"
CACHE = ".numba_cache"  # where the workflow keeps compiled loops unless told otherwise
COLD, PLAIN = "cold run", "plain script, one process"
PAGE = "changed sentence, the page alone (`make page`)"
# Seconds by the clock, ph2022, two cores.
AIMS = {COLD: 60, "cold run without models": 40, PAGE: 5}
RECORD = """
    import pickle, time
    folder = Path(os.environ["RECORDED_JOBS"])
    (folder / f"{time.time_ns()}.pickle").write_bytes(pickle.dumps((sys.argv[0], job)))
"""
REPLAY = """
import pickle, sys
from pathlib import Path
sys.path.insert(0, "src")
for file in sorted(Path(sys.argv[1]).glob("*.pickle")):
    name, job = pickle.loads(file.read_bytes())
    script = next(Path("scripts").glob(f"*/{Path(name).name.split('.', 1)[1]}"))
    for path in [*job.output, *job.log]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    names = {"snakemake": job, "__name__": "__main__"}
    exec(compile(script.read_text(), str(script), "exec"), names)
"""
CHANGES = (
    ("changed sentence", "reports/summary.qmd", lambda text: text + "\nOne more sentence.\n"),
    ("changed figure", "src/prevalence/figures/headline.py", lambda text: text + "\n# changed\n"),
    (
        "changed weight bound",
        "config/surveys/{}.yaml",
        lambda text: text.replace("upper_share_of_median: 6.0", "upper_share_of_median: 5.0"),
    ),
)


def without_models(text):
    """Leave the section on models out of a survey's config."""
    return re.sub(r"^model:.*\n(?:[ #].*\n|\n)*", "", text, flags=re.M)


class Memory(threading.Thread):
    """Watches the memory of this process's children."""

    def __init__(self):
        super().__init__(daemon=True)
        self.largest, self.done = 0, threading.Event()

    def run(self):
        """Look ten times a second."""
        me = psutil.Process()
        while not self.done.wait(0.1):
            total = 0
            for child in me.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:
                    continue
            self.largest = max(self.largest, total)


def measured(folder, *command, **environment):
    """Run a command there: wall seconds, processor seconds, largest memory in MB, its output."""
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = Memory()
    memory.start()
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(folder / "src")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.monotonic() - start
    memory.done.set()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit((done.stdout + done.stderr)[-3000:])
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, processor, memory.largest / 1e6, done.stdout + done.stderr


def jobs_of(text):
    """How many jobs a run did."""
    lines = [line.split() for line in text.splitlines() if line.startswith("total")]
    return int(lines[0][1]) if lines else 0


def without_outputs(folder, survey):
    """Leave out what was computed, compiled loops aside."""
    for part in ("data/processed", "logs", ".snakemake", f"reports/{survey}"):
        shutil.rmtree(folder / part, ignore_errors=True)


@contextmanager
def changed(folder, path, change):
    """Change a file for a while."""
    file = folder / path
    original = file.read_text(encoding="utf-8")
    text = change(original)
    if text == original:
        raise SystemExit(f"The change has no effect: {path}")
    file.write_text(text, encoding="utf-8")
    yield
    file.write_text(original, encoding="utf-8")


def situations(folder, recorded, survey, targets):
    """Measure every situation once: name -> wall, processor, memory, jobs."""
    found = {}

    def run(name, *asked):
        wanted = asked or targets
        *cost, text = measured(folder, "-m", "snakemake", "--cores", "2", *wanted)
        found[name] = (*cost, jobs_of(text))

    shutil.rmtree(folder / CACHE, ignore_errors=True)
    without_outputs(folder, survey)
    run("cold run, nothing compiled yet")
    without_outputs(folder, survey)
    with changed(folder, f"config/surveys/{survey}.yaml", without_models):
        run("cold run without models")
    without_outputs(folder, survey)
    run(COLD)
    run("nothing to do")
    _, path, change = CHANGES[0]
    with changed(folder, path, change):
        *cost, _ = measured(folder, "scripts/report/preview_page.py", "--survey", survey)
        found[PAGE] = (*cost, 1)
        run("the same through Snakemake", f"data/processed/{survey}/staged/summary.html")
    measured(folder, "-m", "snakemake", "--cores", "2", *targets)
    for name, path, change in CHANGES:
        with changed(folder, path.format(survey), change):
            run(name)
        measured(folder, "-m", "snakemake", "--cores", "2", *targets)
    without_outputs(folder, survey)
    *cost, _ = measured(folder, "-c", REPLAY, str(recorded), NUMBA_CACHE_DIR=str(folder / CACHE))
    found[PLAIN] = (*cost, len(list(recorded.glob("*.pickle"))))
    return found


def record_jobs(folder, recorded, targets):
    """Run once with a frame that keeps every job's inputs, outputs and parameters."""
    mark = "    log_file = str(job.log[0]) if len(job.log) else None\n"
    frame = "src/prevalence/job.py"
    with changed(folder, frame, lambda text: text.replace(mark, mark + RECORD.lstrip("\n"))):
        command = ("-m", "snakemake", "--cores", "1", *targets)
        measured(folder, *command, RECORDED_JOBS=str(recorded))
    for file in recorded.glob("*.pickle"):
        pickle.loads(file.read_bytes())  # whole


def copy_of(survey, folder):
    """Copy the project with one survey: a shipped one, or the small one of the tests."""
    folder.mkdir()
    if survey != "tiny":
        return scratch_copy(folder, survey, RAW)
    scratch_copy(folder, survey, ("reference",))
    for config in (folder / "config" / "surveys").glob("*.yaml"):
        config.unlink()
    shutil.copytree(ROOT / "tests" / "surveys" / "tiny", folder, dirs_exist_ok=True)
    run_config = folder / "config" / "config.yaml"
    text = run_config.read_text(encoding="utf-8")
    run_config.write_text(re.sub(r"^surveys: .*$", "surveys: [tiny]", text, flags=re.M))
    return None


def section(found, survey, repeat, load):
    """Write the section of the page on performance."""
    cold, plain = found[COLD], found[PLAIN]
    lines = [
        TITLE,
        "",
        f"`python benchmarks/pipeline.py --write`, {datetime.date.today().isoformat()}.",
        f"{machine()}.",
        f"Load average of the machine before: {load:.1f}; the faster of runs: {repeat}.",
        f"Survey {survey}, from raw files to the published report, `--cores 2`.",
        "Processor seconds and memory are those of all processes together.",
        "",
        "| situation | jobs | by the clock, s | aim, s | processor, s | peak MB | of a cold run |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, (wall, processor, memory, jobs) in found.items():
        aim = AIMS.get(name, "") if survey == "ph2022" else ""
        lines.append(
            f"| {name} | {jobs} | {wall:.1f} | {aim} | {processor:.1f} | {memory:,.0f} "
            f"| {wall / cold[0]:.2f} |"
        )
    lines += [
        "",
        f"Snakemake, with a Python process for each of {cold[3]} jobs, takes",
        f"{cold[1] / plain[1]:.1f} times the processor's seconds of one process that calls the",
        f"same scripts in turn, and {cold[0] / plain[0]:.1f} times its seconds by the clock.",
    ]
    return "\n".join(lines) + "\n"


def main():
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--survey", default="ph2022", help="a shipped survey, or tiny")
    parser.add_argument("--target", nargs="*", default=[], help="files to be made; else all")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    choice = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        folder, recorded = Path(place) / "project", Path(place) / "jobs"
        recorded.mkdir()
        copy_of(choice.survey, folder)
        record_jobs(folder, recorded, choice.target)
        rounds = [
            situations(folder, recorded, choice.survey, choice.target) for _ in range(choice.repeat)
        ]
    found = {name: min(one[name] for one in rounds) for name in rounds[0]}
    text = section(found, choice.survey, choice.repeat, load)
    print(text)
    if choice.write:
        write_section(text, TITLE)


if __name__ == "__main__":
    sys.exit(main())
