"""One job alone: its script in an empty folder with nothing but what its rule declares.

Called as a program it runs jobs that a test has described; imported it describes jobs.
"""

import ctypes
import functools
import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import traceback
from pathlib import Path

# Appended to a copy's Snakefile: writes what Snakemake would hand to each script.
DESCRIBE = '''

def described_jobs(paths):
    """What the script of each job gets that makes one of the files."""

    def plain(files):
        named = [
            [name, str(value) if isinstance(value, str) else [str(part) for part in value]]
            for name, value in files.items()
        ]
        return named or [["", [str(part) for part in files]]]

    found = {}
    for path in paths:
        made = next((each for each in workflow.rules if each.is_producer(path)), None)
        if made is None:  # a file in a folder that is an output
            continue
        wildcards = made.get_wildcards(path)
        inputs = made.expand_input(wildcards)[0]
        outputs = made.expand_output(wildcards)[0]
        params = made.expand_params(wildcards, inputs, outputs, None)
        params = params[0] if isinstance(params, tuple) else params
        found[(made.name, *sorted(wildcards.items()))] = {
            "rule": made.name,
            "script": next(Path("scripts").glob(f"*/{made.name}.py")).as_posix(),
            "wildcards": dict(wildcards),
            "input": plain(inputs),
            "output": plain(outputs),
            "params": [[name, value] for name, value in params.items()],
            "log": [str(log) for log in made.expand_log(wildcards)[0]],
            "threads": 1,
        }
    return list(found.values())


import json
import os

paths = json.loads(os.environ["DESCRIBED_PATHS"])
paths = paths or [*everything("tiny"), "data/processed/tiny/audit/manifest.json"]
with open("jobs.json", "w") as stream:
    json.dump(described_jobs(paths), stream, default=str)
'''
# What jobs import besides the project, once for all of them: half of a short job's time.
LIBRARIES = ("numpy", "pandas", "pyarrow.parquet", "yaml", "matplotlib.figure")
LIBRARIES += ("matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg")
NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def describe(project, paths=()) -> dict[str, dict]:
    """One job of each rule that makes one of the files: what its script gets.

    Without files those that a survey's run and its record make.
    """
    snakefile = project / "Snakefile"
    plain = snakefile.read_text()
    snakefile.write_text(plain + DESCRIBE)
    environment = {**os.environ, "DESCRIBED_PATHS": json.dumps(list(paths))}
    done = project.snakemake("--list-rules", env=environment)
    snakefile.write_text(plain)
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = json.loads((project / "jobs.json").read_text())
    if paths:  # one may fit the pattern of a rule that did not make it
        jobs = [job for job in jobs if all((project / path).exists() for path in outputs(job))]
    return {job["rule"]: job for job in jobs}


class Named(list):
    """A list whose parts have names, as Snakemake hands it to a script."""

    def __init__(self, items):
        self.names = dict(items)
        super().__init__()
        for value in self.names.values():
            self.extend(value if isinstance(value, list) else [value])

    def __getattr__(self, name):
        try:
            return self.__dict__["names"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, key):
        return self.names[key] if isinstance(key, str) else super().__getitem__(key)

    def get(self, name, otherwise=None):
        return self.names.get(name, otherwise)

    def items(self):
        return self.names.items()


class Described:
    """The object `snakemake` of a script."""

    def __init__(self, job):
        self.rule, self.threads, self.log = job["rule"], job["threads"], job["log"]
        self.wildcards = Named(job["wildcards"].items())
        for part in ("input", "output", "params"):
            setattr(self, part, Named(job[part]))


def declared(job) -> list[str]:
    """Every path that a job's rule declares as an input."""
    paths = [job["script"]]
    for _, value in job["input"]:
        paths += value if isinstance(value, list) else [value]
    return list(dict.fromkeys(paths))


def outputs(job) -> list[str]:
    """Every file and folder that a job's rule declares as an output."""
    return [
        p for _, value in job["output"] for p in (value if isinstance(value, list) else [value])
    ]


def set_out(job, project: Path, folder: Path, without: str = "") -> None:
    """Copy a job's declared inputs into a folder, save one that a test leaves out."""
    for path in declared(job):
        if path == without:
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (project / path).is_dir():
            shutil.copytree(project / path, target)
        else:
            shutil.copyfile(project / path, target)
    for path in outputs(job):  # Snakemake makes the folders of what a job writes
        (folder / path).parent.mkdir(parents=True, exist_ok=True)


@functools.cache
def _worker() -> subprocess.Popen:
    """A process that has imported libraries, but nothing of the project, and forks for each job."""
    # Here alone: the job's own process has no module but those that its rule declares.
    from prevalence.computing import instructions_here, portable_settings

    environment = {name: value for name, value in os.environ.items() if "PYTHON" not in name}
    # As the workflow sets them: they decide the last digit.
    environment |= portable_settings(instructions_here())
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, __file__], env=environment, **pipes)


def run_alone(job, folder: Path, said: Path) -> subprocess.CompletedProcess:
    """Run a job's script in its folder without a network; what it says is kept in `said`."""
    said.mkdir(exist_ok=True)
    (said / "job.json").write_text(json.dumps(job))
    worker = _worker()
    worker.stdin.write(json.dumps([str(folder), str(said)]) + "\n")
    worker.stdin.flush()
    code = int(worker.stdout.readline())
    out, err = ((said / name).read_text(encoding="utf-8") for name in ("out", "err"))
    return subprocess.CompletedProcess(job["script"], code, out, err)


def _refused(*_, **__):
    raise OSError("a job may not use the network")


def _be_job(folder: str, said: Path) -> None:
    """In the forked process: see one folder and no network, and be the job."""
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(folder)
    ctypes.CDLL(None).unshare(NEW_NETWORK)  # where the system lets it; sockets are refused anyway
    socket.socket.connect = socket.create_connection = socket.getaddrinfo = _refused
    sys.path[0] = str(Path(folder) / "src")  # in place of the folder of this program
    job = json.loads((said / "job.json").read_text())
    source = Path(job["script"]).read_text()
    names = {"__name__": "__main__", "__file__": job["script"], "snakemake": Described(job)}
    exec(compile(source, job["script"], "exec"), names)


def _serve() -> None:
    """Fork for each line on the input, and answer with the exit code."""
    for name in LIBRARIES:
        importlib.import_module(name)
    assert not [name for name in sys.modules if name.partition(".")[0] == "prevalence"]
    for line in sys.stdin:
        folder, said = json.loads(line)
        child = os.fork()
        if not child:
            code = 1
            try:
                _be_job(folder, Path(said))
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
                print(end.code, file=sys.stderr)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
