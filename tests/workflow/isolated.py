"""One job alone: its script in an empty folder with nothing but what its rule declares.

Called as a program it runs a job that a test has described; imported it describes jobs.
"""

import json
import os
import shutil
import subprocess
import sys
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
# Put in front of the path: a socket is refused even where the network can't be shut off.
GUARD = """
import socket


def refused(*_, **__):
    raise OSError("a job may not use the network")


socket.socket.connect = refused
socket.create_connection = refused
socket.getaddrinfo = refused
"""


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


def run_alone(job, folder: Path, guard: Path) -> subprocess.CompletedProcess:
    """Run a job's script in its folder without a network."""
    guard.mkdir(exist_ok=True)
    (guard / "sitecustomize.py").write_text(GUARD)
    (guard / "job.json").write_text(json.dumps(job))
    cut = ["unshare", "--net"]
    if subprocess.run([*cut, "true"], capture_output=True, check=False).returncode:
        cut = []
    # Here alone: the job's own process has no module but those that its rule declares.
    from prevalence.computing import instructions_here, portable_settings

    environment = {name: value for name, value in os.environ.items() if "PYTHON" not in name}
    environment["PYTHONPATH"] = f"{guard}{os.pathsep}{folder / 'src'}"
    # As the workflow sets them: they decide the last digit.
    environment |= portable_settings(instructions_here())
    command = [*cut, sys.executable, __file__, str(guard / "job.json")]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    source = Path(given["script"]).read_text()
    names = {"__name__": "__main__", "__file__": given["script"], "snakemake": Described(given)}
    sys.path.pop(0)  # the folder of this program is no part of the job
    exec(compile(source, given["script"], "exec"), names)
