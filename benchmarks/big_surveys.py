"""Time and memory of the whole design-based pipeline, from 3,600 to 1,000,000 respondents.

    python benchmarks/big_surveys.py                            all sizes, one after the other
    python benchmarks/big_surveys.py --respondents 36000        this size alone; others are kept

Each size is a SYNTHETIC survey of its own (benchmarks/big_survey.py) in a scratch copy of the
project: `snakemake` from the raw export to the published report, without models, on two cores. For
each rule: seconds by the clock (Snakemake's benchmark files), seconds of the processor and the peak
memory of its processes (the system's own high-water mark). The result,
data/reference/big_surveys.csv, has a sidecar; docs/figures/big_surveys.svg and the section of
docs/performance.md are made from it.
"""

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from big_survey import KNOWN, psus_of, write_survey
from provenance import ROOT, write_sidecar
from scratch import environment, scratch_copy

from prevalence.files import read_csv, read_yaml, write_csv, write_text

RESULT = ROOT / "data" / "reference" / "big_surveys.csv"
FIGURE = ROOT / "docs" / "figures" / "big_surveys.svg"
PAGE = ROOT / "docs" / "performance.md"
HEADING = "## Big surveys"
SIZES = (3_600, 36_000, 200_000, 1_000_000)
SEED = 20230907
TOTAL = "all"
AIM = 600.0  # seconds by the clock
SEVERAL = ("verify_raw", "read_table", "draw_where", "render_report")  # rules of several jobs
SCRIPT = re.compile(r"\.snakemake/scripts/tmp\w+\.(\w+)\.py")
STAGES = (
    *("common", "ingest", "clean", "weight", "estimate"),
    *("release", "figures", "report", "publish"),
)


class Watch(threading.Thread):
    """Looks at the jobs' processes: peak memory (MB) and processor seconds of each rule."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.done = {}, threading.Event()

    def run(self):
        """Look five times a second."""
        me = psutil.Process()
        while not self.done.wait(0.2):
            for child in me.children(recursive=True):
                try:
                    name = SCRIPT.search(" ".join(child.cmdline()))
                    if name:
                        self.note(child, name[1])
                except (psutil.Error, OSError):
                    continue

    def note(self, process, rule):
        """Keep what the system says of a process now."""
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        times = process.cpu_times()
        if peak:
            self.seen[process.pid] = (rule, int(peak[1]) / 1024, times.user + times.system)

    def table(self):
        """Sum up by rule: the largest memory, all processor seconds."""
        rows = pd.DataFrame(self.seen.values(), columns=["rule", "peak_mb", "processor_s"])
        return rows.groupby("rule").agg({"peak_mb": "max", "processor_s": "sum"})


def prepare(folder, respondents):
    """Make a scratch copy with the survey as its only one."""
    scratch_copy(folder, "ph2022", ["raw/psa"])
    for path in (folder / "config" / "surveys").glob("*.yaml"):
        path.unlink()
    run_file = folder / "config" / "config.yaml"
    run_file.write_text(f"surveys: [big]\nseed: {SEED}\nrenderer: builtin\n")
    return write_survey(folder, respondents, SEED)


def clock_seconds(folder):
    """Seconds by the clock of each rule, its jobs one after the other."""
    found = {}
    for path in (folder / "logs" / "big").glob("*/*.tsv"):
        rule = path.stem
        rule = next((name for name in SEVERAL if rule.startswith(name)), rule)
        found[rule] = found.get(rule, 0.0) + float(pd.read_csv(path, sep="\t")["s"].iloc[0])
    return pd.Series(found, name="clock_s")


def measured(folder, respondents):
    """Run the survey: a row a rule, and one for the whole run."""
    rows = prepare(folder, respondents)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    watch, start = Watch(), time.monotonic()
    watch.start()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    clock = time.monotonic() - start
    watch.done.set()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        logs = sorted(
            (folder / "logs" / "big").glob("*/*.log"), key=lambda log: log.stat().st_mtime
        )
        told = logs[-1].read_text()[-2000:] if logs else ""
        raise SystemExit((done.stdout + done.stderr)[-2000:] + told)
    table = watch.table().join(clock_seconds(folder), how="outer").rename_axis("rule").reset_index()
    whole = {
        "rule": TOTAL,
        "peak_mb": table["peak_mb"].max(),
        "processor_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "clock_s": clock,
    }
    table = pd.concat([table, pd.DataFrame([whole])], ignore_index=True).round(2)
    table.insert(0, "respondents", respondents)
    return table.assign(psus=psus_of(respondents), rows=rows)


def draw(table):
    """Draw time and memory against the number of respondents."""
    from matplotlib.figure import Figure

    whole = table[table["rule"] == TOTAL].sort_values("respondents")
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    size = whole["respondents"].to_numpy(float)
    panels = (
        ("Seconds of the processor, whole run", "processor_s", 2 * AIM, "10 minutes of 2 cores"),
        ("Peak memory of the largest job, MB", "peak_mb", 6_000.0, "6 GB"),
    )
    for axes, (title, column, aim, said) in zip(figure.subplots(1, 2), panels, strict=True):
        values = whole[column].to_numpy(float)
        axes.loglog(size, values, "o-", color="#1f5a7a")
        for x, y in zip(size, values, strict=True):
            place, side = ((0, 7), "left") if x == size[0] else ((-6, 2), "right")
            axes.annotate(f"{y:,.0f}", (x, y), place, textcoords="offset points", ha=side)
        # In proportion to the number of respondents, through the largest survey.
        line = values[-1] * size / size[-1]
        axes.loglog(size, line, ":", color="#777777")
        if len(size) > 1:
            middle = (np.sqrt(size[0] * size[1]), np.sqrt(line[0] * line[1]))
            axes.annotate("slope 1", middle, (6, -10), textcoords="offset points", color="#555555")
        axes.axhline(aim, color="#b34700", linewidth=0.8)
        axes.annotate(said, (size[0], aim), (0, 3), textcoords="offset points", color="#b34700")
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel("respondents (2 cores)")
        axes.set_xticks(size, [f"{x:,.0f}" for x in size], fontsize=8)
        axes.minorticks_off()
        axes.set_ylim(min(line.min(), values.min()) * 0.6, max(values.max(), aim) * 2)
        axes.spines[["top", "right"]].set_visible(False)
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURE, metadata={"Date": None})


def section(table):
    """Write the section of the page on performance."""
    whole = table[table["rule"] == TOTAL].sort_values("respondents")
    largest = table[table["respondents"] == table["respondents"].max()]
    lines = [
        HEADING,
        "",
        "`python benchmarks/big_surveys.py`: 2 cores, from the raw .csv export to the published",
        f"report, without models; {len(KNOWN)} known groups, four items on two hidden groups,",
        "1,000 replicates. The surveys are synthetic. The clock's seconds hold whatever else the",
        "machine did meanwhile; the processor's do not. Aim: 10 minutes, and 6 GB a job, with",
        "1,000,000 respondents. Both grow more slowly than the survey: starting a job has its",
        "price, and replicates are made by PSU and calibration cell, not by respondent.",
        "",
        "![Time and memory against the number of respondents](figures/big_surveys.svg)",
        "",
        "| respondents | PSUs | seconds of the processor | by the clock | peak MB of a job |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in whole.itertuples():
        lines.append(
            f"| {row.respondents:,} | {row.psus:,} | {row.processor_s:,.0f} | {row.clock_s:,.0f} | "
            f"{row.peak_mb:,.0f} |"
        )
    last = whole.iloc[-1]
    if last["clock_s"] > AIM:
        share = last["processor_s"] / (2 * last["clock_s"])
        lines += [
            "",
            "By the clock the largest took longer than the aim: beside other work on the machine",
            f"the run had {share:.0%} of the two cores. Whether 10 minutes suffice on two idle",
            "cores is not measured here.",
        ]
    top = largest[largest["rule"] != TOTAL].sort_values("processor_s", ascending=False).head(12)
    lines += [
        "",
        f"The rules that cost most with {largest['respondents'].iloc[0]:,} respondents:",
        "",
        "| rule | seconds of the processor | by the clock | peak MB |",
        "| --- | ---: | ---: | ---: |",
    ]
    for row in top.itertuples():
        lines.append(
            f"| `{row.rule}` | {row.processor_s:,.1f} | {row.clock_s:,.1f} | {row.peak_mb:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def write_page(table):
    """Put the section in its place, or at the end."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(HEADING + "\n")
    after = re.search(r"^## ", rest, flags=re.M)
    tail = "\n" + rest[after.start() :] if after else ""
    write_text(before.rstrip() + "\n\n" + section(table) + tail, PAGE)


def main():
    """Measure, and write table, figure and section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--respondents",
        type=int,
        nargs="*",
        default=list(SIZES),
        help="sizes to be measured; none: figure and section anew from the table",
    )
    options = parser.parse_args()
    for respondents in options.respondents:
        folder = Path(tempfile.mkdtemp())
        try:
            table = measured(folder, respondents)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(table.to_string(index=False), flush=True)
        if RESULT.exists():
            others = read_csv(RESULT)
            others = others[others["respondents"] != respondents]
            table = pd.concat([others, table], ignore_index=True)
        write_csv(table.sort_values(["respondents", "rule"], ignore_index=True), RESULT)
    table = read_csv(RESULT)
    parameters = {
        "seed": SEED,
        "survey": read_yaml(Path(__file__).with_name("big_survey.yaml")),
    }
    write_sidecar(RESULT, __file__, parameters, table["respondents"].nunique(), rules=STAGES)
    draw(table)
    write_page(table)


if __name__ == "__main__":
    sys.exit(main())
