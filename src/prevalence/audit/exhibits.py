"""From each exhibit and number of a report back to file, rule, script and raw variables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prevalence.audit.graph import Graph, Job

COLUMNS = (
    "exhibit",
    "kind",
    "shown_in",
    "data",
    "rule",
    "script",
    "written_by",
    "released",
    "restricted",
    "restricted_rule",
    "restricted_script",
    "raw_files",
    "raw_variables",
)
_ROW = re.compile(r"^\| @([\w-]+) \| `([^`]+)` \| `(\w+)` \|", re.M)
_VARIABLE = re.compile(r"\{\{<\s*var\s+([\w.]+)\s*>\}\}")
# A released table, as such or in its published copy.
_RELEASED = re.compile(r"(?:^|/)(?:release|tables)/([\w-]+)\.csv$")
# Methods of `Material` that read a table by name, and those that read the table of estimates.
_BY_NAME, _ESTIMATES = ("rows", "has", "get"), ("estimates", "national", "domain_types")
# Which roles of the codebook stand in which table of valid interviews; the rest in respondents.
_ROLES = {
    "ard": ("known", "child", "hidden_item", "hidden"),
    "situations": ("situation",),
}
# What the release compares for its own table; its log and summary rest on every table.
_MADE_FROM = {"validation": ("scale_up.csv", "truth.json")}
_ALL = ("sample_flow", "data_quality", "edits")


@dataclass(frozen=True)
class Sources:
    """What the exhibit map is made from.

    Parameters
    ----------
    graph
        The run's jobs.
    texts
        Text of each Python source, by path.
    composed
        Text of each file of the composed report, by path from its root.
    variables
        Raw name and role of each line of the codebook.
    """

    graph: Graph
    texts: Mapping[str, str]
    composed: Mapping[str, str]
    variables: Sequence[tuple[str, str]]


def exhibit_rows(sources: Sources) -> list[dict[str, str]]:
    """Map every exhibit and every number in the report's prose to where it comes from.

    Parameters
    ----------
    sources
        What the map is made from.

    Returns
    -------
    list of dict
        A row an exhibit with the keys :data:`COLUMNS`, exhibits first, in the report's order;
        several files or variables are joined by spaces.
    """
    functions = Functions(sources.texts)
    listing = sources.composed.get("partials/tbl-exhibits.md", "")
    rows = [
        _exhibit_row(sources, functions, label, data, rule)
        for label, data, rule in _ROW.findall(listing)
    ]
    return rows + [
        _number_row(sources, functions, key, places) for key, places in _used(sources).items()
    ]


def _exhibit_row(
    sources: Sources, functions: Functions, label: str, data: str, rule: str
) -> dict[str, str]:
    kind, _, name = label.partition("-")
    partial = f"partials/{label}.md"
    if kind == "fig":
        figure = name.replace("-", "_")
        job = _job_of(sources.graph, rule, f"/{data}")
        place = functions.place(figure, f"figures/{rule.removeprefix('draw_')}.py")
        tables = _released_inputs(job)
    else:
        job = _job_of(sources.graph, rule, "")
        place = functions.place_of_table(label)
        released = _RELEASED.search(data)
        tables = [released[1]] if released else []
    shown = partial if partial in sources.composed else _holder(sources, label)
    return _row(
        sources, label, {"fig": "figure"}.get(kind, "table"), shown, data, job, place, tables
    )


def _number_row(
    sources: Sources, functions: Functions, key: str, places: list[str]
) -> dict[str, str]:
    function, file = functions.branch(key.split(".", 1)[0])
    tables = sorted(functions.tables(function, file)) if function else []
    job = _job_of(sources.graph, "compose_report", "")
    place = functions.place(function, file) or functions.place(function, "")
    data = " ".join(f"release/{name}.csv" for name in tables) or "config"
    return _row(sources, key, "number", " ".join(places), data, job, place, tables)


def _row(
    sources: Sources,
    name: str,
    kind: str,
    shown: str,
    data: str,
    job: Job | None,
    place: str,
    tables: Sequence[str],
) -> dict[str, str]:
    graph = sources.graph
    restricted = [path for table in tables for path in restricted_tables(graph, table)]
    makers = [graph.maker(path) for path in restricted]
    raw = {
        path for file in restricted for path in graph.sources(file) if path.startswith("data/raw/")
    }
    values = (
        name,
        kind,
        shown,
        data,
        job.rule if job else "",
        script_place(job, "", sources.texts) if job else "",
        place,
        " ".join(f"release/{table}.csv" for table in tables),
        " ".join(restricted),
        " ".join(dict.fromkeys(job.rule for job in makers if job)),
        " ".join(
            dict.fromkeys(
                script_place(job, job.output_name(path) or "", sources.texts)
                for path, job in zip(restricted, makers, strict=True)
                if job
            )
        ),
        " ".join(sorted(path for path in raw if not path.endswith("MANIFEST.sha256"))),
        " ".join(raw_variables(graph, restricted, sources.variables)),
    )
    return dict(zip(COLUMNS, values, strict=True))


def restricted_tables(graph: Graph, table: str) -> list[str]:
    """Find the table before disclosure control from which a released one is made.

    Parameters
    ----------
    graph
        The run's jobs.
    table
        Name of the released table.

    Returns
    -------
    list of str
        Its path; for a table that the release itself makes, those from which it does.
    """
    job = next((job for job in graph.jobs if job.rule == "release_tables"), None)
    if job is None:
        return []
    read = [path for path in job.inputs if "/restricted/" in path]
    names = _MADE_FROM.get(table, (f"{table}.csv",))
    return [path for path in read if path.rsplit("/", 1)[-1] in names] or read


def raw_variables(
    graph: Graph, files: Iterable[str], variables: Sequence[tuple[str, str]]
) -> list[str]:
    """List the raw variables on which tables rest, by the roles that the codebook gives them.

    Parameters
    ----------
    graph
        The run's jobs.
    files
        Paths of tables.
    variables
        Raw name and role of each line of the codebook.

    Returns
    -------
    list of str
        Raw names in the codebook's order. Every table that rests on valid interviews rests on the
        variables that screen them; counts and situations are added where their table is read.
    """
    read: set[str] = set()
    for file in files:
        for job in graph.ancestors(file):
            read |= {_clean_table(path) for path in [file, *job.inputs]} - {""}
    if not read:
        return []
    everything = bool(read & set(_ALL))
    counted = {role for roles in _ROLES.values() for role in roles}
    wanted = {role for table in read for role in _ROLES.get(table, ())}
    return [
        raw
        for raw, role in variables
        if role != "ignore" and (everything or role not in counted or role in wanted)
    ]


def _clean_table(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return name.rsplit(".", 1)[0] if folder.endswith("/restricted/clean") else ""


def script_place(job: Job, output: str, texts: Mapping[str, str]) -> str:
    """Find the line of a job's script that writes an output.

    Parameters
    ----------
    job
        The job.
    output
        Name of the output; the first line that names an output where it's empty or not named.
    texts
        Text of each Python source, by path.

    Returns
    -------
    str
        ``path:line``.
    """
    lines = texts.get(job.script, "").splitlines()
    for pattern in (rf"job\.output\.{output}\b" if output else "", r"job\.output", r"def main"):
        for number, line in enumerate(lines, start=1):
            if pattern and re.search(pattern, line):
                return f"{job.script}:{number}"
    return job.script


def _job_of(graph: Graph, rule: str, ending: str) -> Job | None:
    jobs = [job for job in graph.jobs if job.rule == rule]
    made = [
        job
        for job in jobs
        if any(file.endswith(ending) for files in job.outputs.values() for file in files)
    ]
    return next(iter(made or jobs), None)


def _released_inputs(job: Job | None) -> list[str]:
    found = [_RELEASED.search(path) for path in job.inputs] if job else []
    return [match[1] for match in found if match]


def _holder(sources: Sources, label: str) -> str:
    return next((path for path, text in sources.composed.items() if f"{{#{label}}}" in text), "")


def _used(sources: Sources) -> dict[str, list[str]]:
    """Variables of the prose, each with the files and lines that show it."""
    found: dict[str, list[str]] = {}
    for path, text in sorted(sources.composed.items()):
        if path.endswith((".qmd", ".md")):
            for number, line in enumerate(text.splitlines(), start=1):
                for key in _VARIABLE.findall(line):
                    found.setdefault(key, []).append(f"{path}:{number}")
    return found


class Functions:
    """The functions of the package's sources: where each stands and which tables it reads.

    Parameters
    ----------
    texts
        Text of each Python source, by path.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._defined: dict[str, list[tuple[str, ast.FunctionDef]]] = {}
        self._entries: dict[str, tuple[str, str]] = {}
        self._branches: dict[str, tuple[str, str]] = {}
        self._labels: dict[str, str] = {}
        for path, text in sorted(texts.items()):
            if "/report/" in path or "/figures/" in path:
                self._read(path, ast.parse(text))

    def _read(self, path: str, tree: ast.Module) -> None:
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                self._defined.setdefault(node.name, []).append((path, node))
                for label in _labels_written(node):
                    self._labels.setdefault(label, f"{path}:{node.lineno}")
        for part in ast.walk(tree):
            if isinstance(part, ast.Dict):
                self._read_dict(path, part)

    def _read_dict(self, path: str, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                continue
            if isinstance(value, ast.Name):
                self._entries.setdefault(key.value, (value.id, path))
            called = _called_with_material(value)
            if path.endswith("story.py") and called:
                self._branches.setdefault(key.value, (called, path))

    def place(self, name: str, ending: str) -> str:
        """Give ``path:line`` of a function, in a file whose path ends so; empty if unknown."""
        for path, node in self._defined.get(name, []):
            if path.endswith(ending):
                return f"{path}:{node.lineno}"
        return ""

    def place_of_table(self, label: str) -> str:
        """Give ``path:line`` of the function that writes a table of the report.

        It is named in a mapping of writers, or writes the label itself, whole or composed.
        """
        name, path = self._entries.get(label, ("", ""))
        fitting = [
            (len(pattern), place)
            for pattern, place in self._labels.items()
            if re.fullmatch(pattern, label.removeprefix("tbl-"))
        ]
        named = self.place(name, path) or self.place(name, "")
        return named or max(fitting, default=(0, ""))[1]

    def branch(self, key: str) -> tuple[str, str]:
        """Name the function that makes a branch of the report's variables, and the file calling it.

        Both are empty if none does.
        """
        return self._branches.get(key, ("", ""))

    def tables(self, name: str, file: str) -> set[str]:
        """Collect the released tables that a function reads, itself or through others.

        Of several functions of one name the one in the calling file is meant, if there is one.
        """
        found: set[str] = set()
        waiting, seen = [(name, file)], set()
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            defined = self._defined.get(here[0], [])
            own = [(path, node) for path, node in defined if path == here[1]]
            for path, node in own or defined:
                if "/report/" in path:
                    found |= _tables_read(node)
                    names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
                    waiting += [(called, path) for called in names]
        return found


def _called_with_material(node: ast.expr) -> str:
    """Name the first function that an expression calls with the report's material."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and call.args and ast.unparse(call.args[0]) == "material":
            return ast.unparse(call.func).rsplit(".", 1)[-1]
    return ""


def _labels_written(node: ast.FunctionDef) -> list[str]:
    """Labels that a function gives its tables, as patterns: parts may be composed."""
    found = []
    for call in ast.walk(node):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id == "table"
        ):
            given = [part.value for part in call.keywords if part.arg == "label"]
            found += [_pattern(value) for value in given]
    return [pattern for pattern in found if pattern]


def _pattern(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return re.escape(str(value.value))
    if isinstance(value, ast.JoinedStr):
        return "".join(_pattern(part) or ".+" for part in value.values)
    return ""


def _tables_read(node: ast.FunctionDef) -> set[str]:
    found = set()
    for call in ast.walk(node):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        method, owner = call.func.attr, ast.unparse(call.func.value)
        if method in _ESTIMATES and owner == "material":
            found.add("scale_up")
        named = owner == "material" or (method == "get" and owner == "material.tables")
        if method in _BY_NAME and named and call.args:
            first = call.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found
