"""The manifest of a run: what went in, what came out, and with which settings and software."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

VERSION = "1.0"
# One machine gives the same bytes; between builds of the linear algebra numbers may differ.
TOLERANCE = 1e-9
# Libraries whose versions decide whether the same bytes can be expected.
LIBRARIES = ("numpy", "scipy", "pandas", "pyarrow", "matplotlib", "pypandoc_binary", "typst")
# The words to avoid would stand in each manifest that quotes their list: its hash is enough.
NOT_QUOTED = ("config/terminology.yaml",)


@dataclass(frozen=True)
class Manifest:
    """What a run rests on and made.

    Parameters
    ----------
    survey
        Id of the survey.
    identity
        What ``audit/identity.json`` holds.
    renderer
        Name and version of the renderer.
    made_with
        Platform and versions; where they differ, bytes needn't be the same.
    config
        Values of the config: ``survey:`` or a file's path, and the dotted key there. The list of
        words stands among the inputs alone, by its hash.
    inputs, outputs
        Hash of each file, by path.
    contents
        Description of each content, by hash.
    exhibits
        Data file of each exhibit of the report, by label.
    numbers
        Text of each variable of the report's prose, by key.
    tolerance
        Relative tolerance between platforms.
    """

    survey: str
    identity: Mapping[str, Any]
    renderer: str
    made_with: Mapping[str, str]
    config: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    contents: Mapping[str, Mapping[str, Any]]
    exhibits: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    tolerance: float = TOLERANCE

    def plain(self) -> dict[str, Any]:
        """Give the manifest as a plain mapping, for JSON."""
        return {"schema_version": VERSION, **{name: _plain(self, name) for name in _FIELDS}}

    def content(self, path: str) -> Mapping[str, Any]:
        """Describe an output or input."""
        digest = self.outputs.get(path) or self.inputs[path]
        return self.contents[digest]


_FIELDS = tuple(Manifest.__dataclass_fields__)


def _plain(manifest: Manifest, name: str) -> Any:
    value = getattr(manifest, name)
    return dict(value) if isinstance(value, Mapping) else value


def manifest_from(value: Mapping[str, Any], file: object) -> Manifest:
    """Read a manifest that :meth:`Manifest.plain` wrote.

    Parameters
    ----------
    value
        Parsed JSON.
    file
        Its name, for messages.

    Returns
    -------
    Manifest
        The manifest.

    Raises
    ------
    PipelineError
        If it isn't a manifest of this version.
    """
    from prevalence.errors import PipelineError, listed

    missing = [name for name in _FIELDS if name not in value]
    if value.get("schema_version") != VERSION or missing:
        raise PipelineError(
            "This is not a manifest of a run that can be compared.",
            file=file,
            found=f"version {value.get('schema_version')}, without {listed(missing)}",
            allowed=f"version {VERSION}, as make audit writes it",
            remedy="Give the file manifest.json of an audit's folder, or make the reference anew.",
        )
    return Manifest(**{name: value[name] for name in _FIELDS})


def flattened(value: object, place: str = "") -> dict[str, Any]:
    """Lay out nested settings by dotted key.

    Parameters
    ----------
    value
        Plain YAML values.
    place
        Key of `value` itself.

    Returns
    -------
    dict
        Leaves by key; a list of plain values is one leaf, dates as ISO text.
    """
    return dict(_leaves(value, place))


def _leaves(value: object, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list) and any(isinstance(part, Mapping | list) for part in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{place}[{number}]")
    else:
        yield place, value if isinstance(value, bool | int | float | list | None) else str(value)


def composed(
    *,
    survey: str,
    identity: Mapping[str, Any],
    renderer: str,
    made_with: Mapping[str, str],
    config: Mapping[str, Any],
    inputs: Mapping[str, Mapping[str, Any]],
    outputs: Mapping[str, Mapping[str, Any]],
    exhibits: Mapping[str, str],
    numbers: Mapping[str, str],
) -> Manifest:
    """Compose a manifest; contents that several files share are described once.

    Parameters
    ----------
    survey, identity, renderer, made_with, exhibits, numbers
        As in :class:`Manifest`.
    config
        Nested config values, by file or section.
    inputs, outputs
        Description of each file, by path.

    Returns
    -------
    Manifest
        The manifest.
    """
    contents: dict[str, Mapping[str, Any]] = {}
    for descriptions in (inputs, outputs):
        for description in descriptions.values():
            digest = description["sha256"]
            rest = {name: value for name, value in description.items() if name != "sha256"}
            # What is described more fully (a copy that was released) is kept.
            if len(str(rest)) > len(str(contents.get(digest, ""))):
                contents[digest] = rest
    return Manifest(
        survey=survey,
        identity=identity,
        renderer=renderer,
        made_with=made_with,
        config={
            f"{section}:{key}": value
            for section, values in config.items()
            if section not in NOT_QUOTED
            for key, value in flattened(values).items()
        },
        inputs={path: inputs[path]["sha256"] for path in sorted(inputs)},
        outputs={path: outputs[path]["sha256"] for path in sorted(outputs)},
        contents=contents,
        exhibits=exhibits,
        numbers=numbers,
    )


def software(versions: Mapping[str, str], platform: str, python: str) -> dict[str, str]:
    """Say what the same bytes depend on besides the declared inputs.

    Parameters
    ----------
    versions
        Version of each installed distribution.
    platform
        System and machine, such as ``Linux x86_64``.
    python
        Version of Python.
    """
    kept = {name: versions[name] for name in LIBRARIES if name in versions}
    return {"platform": platform, "python": python, **kept}


def stages(paths: Sequence[str]) -> dict[str, list[str]]:
    """Sort inputs by what they are.

    Parameters
    ----------
    paths
        Paths of the inputs.

    Returns
    -------
    dict
        ``data``, ``config``, ``text``, ``environment`` and ``code``.
    """
    found: dict[str, list[str]] = {
        name: [] for name in ("data", "config", "text", "environment", "code")
    }
    for path in sorted(paths):
        found[part_of(path)].append(path)
    return found


def part_of(path: str) -> str:
    """Say what an input is: data, config, text, environment or code."""
    if path.startswith("data/raw/"):
        return "data"
    if path.startswith(("config/", "profiles/")):
        return "config"
    if path.startswith("reports/"):
        return "text"
    if path in ("requirements.lock", "environment.yml"):
        return "environment"
    return "code"
