"""What the whole pipeline costs, and what orchestration adds to it.

    python benchmarks/pipeline.py                 ph2022, each situation once
    python benchmarks/pipeline.py --repeat 3      the fastest of three

Situations, in a scratch copy of the project: a cold run; the same again (nothing to do); a changed
sentence, a changed figure, a changed bound of the weights; and, as the peer of the cold run, one
plain Python process that calls the same scripts one after the other, without Snakemake. Wall time,
processor time of all processes, and the largest memory of all processes together. The result,
data/reference/pipeline_times.csv, has a sidecar with command, date, machine and hash of the code.
"""

import argparse
import os
import pickle
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pandas as pd
import psutil
from further_seeds import RAW
from provenance import ROOT, write_sidecar
from scratch import scratch_copy

from prevalence.files import write_csv

RESULT = ROOT / "data" / "reference" / "pipeline_times.csv"
SURVEY = "ph2022"
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
        f"config/surveys/{SURVEY}.yaml",
        lambda text: text.replace("upper_share_of_median: 6.0", "upper_share_of_median: 5.0"),
    ),
)


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
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = Memory()
    memory.start()
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")} | environment,
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


def without_outputs(folder):
    """Leave out what was computed."""
    for part in ("data/processed", "logs", ".snakemake", f"reports/{SURVEY}"):
        shutil.rmtree(folder / part, ignore_errors=True)


def situations(folder, recorded):
    """Measure every situation once: name -> wall, processor, memory, jobs."""
    found = {}
    without_outputs(folder)
    snakemake = ("-m", "snakemake", "--cores", "2")
    *cost, text = measured(folder, *snakemake)
    found["cold run"] = (*cost, jobs_of(text))
    *cost, text = measured(folder, *snakemake)
    found["nothing to do"] = (*cost, jobs_of(text))
    for name, path, change in CHANGES:
        file = folder / path
        original = file.read_text()
        changed = change(original)
        if changed == original:
            raise SystemExit(f"The change has no effect: {name}, {path}")
        file.write_text(changed)
        *cost, text = measured(folder, *snakemake)
        found[name] = (*cost, jobs_of(text))
        file.write_text(original)
        measured(folder, *snakemake)
    without_outputs(folder)
    *cost, _ = measured(folder, "-c", REPLAY, str(recorded))
    jobs = len(list(recorded.glob("*.pickle")))
    found["plain script, one process"] = (*cost, jobs)
    return found


def record_jobs(folder, recorded):
    """Run once with a frame that keeps every job's inputs, outputs and parameters."""
    frame = folder / "src" / "prevalence" / "job.py"
    original = frame.read_text()
    mark = "    log_file = str(job.log[0]) if len(job.log) else None\n"
    frame.write_text(original.replace(mark, mark + RECORD.lstrip("\n")))
    measured(folder, "-m", "snakemake", "--cores", "1", RECORDED_JOBS=str(recorded))
    frame.write_text(original)
    for file in recorded.glob("*.pickle"):
        pickle.loads(file.read_bytes())  # whole


def main():
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, recorded = Path(place) / "project", Path(place) / "jobs"
        folder.mkdir()
        recorded.mkdir()
        scratch_copy(folder, SURVEY, RAW)
        record_jobs(folder, recorded)
        rounds = [situations(folder, recorded) for _ in range(options.repeat)]
    rows = []
    for name in rounds[0]:
        wall, processor, memory, jobs = min(one[name] for one in rounds)
        rows.append(
            {"situation": name, "jobs": jobs, "seconds": wall, "cpu_seconds": processor}
            | {"memory_mb": memory}
        )
    table = pd.DataFrame(rows)
    table["of_cold_run"] = table["seconds"] / table.loc[0, "seconds"]
    table[["seconds", "cpu_seconds", "memory_mb"]] = table[
        ["seconds", "cpu_seconds", "memory_mb"]
    ].round(1)
    table["of_cold_run"] = table["of_cold_run"].round(3)
    print(table.to_string(index=False))
    write_csv(table, RESULT)
    write_sidecar(RESULT, __file__, {"seed": 0, "cores": os.cpu_count()}, options.repeat)


if __name__ == "__main__":
    sys.exit(main())
