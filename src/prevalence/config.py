"""The run's and the surveys' configuration: schema checks with messages that help."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prevalence.errors import PipelineError, check_known, listed, suggestion
from prevalence.files import read_yaml
from prevalence.open_decisions import open_keys, refuse_open
from prevalence.plain_text import active_content
from prevalence.references import check_references

# Sections whose words are printed: a blank says nothing there.
_PRINTED = ("survey", "report")
# Keys that may hold marks and blanks of their own.
_MARKS = ("ingest.reader.", "clean.derive.", "ingest.arrange.")
_SECRET = ("ingest.pseudonym_key",)

SURVEY_ID = re.compile(r"[a-z][a-z0-9_]*")


# Plain scalars that YAML 1.1 reads as other numbers than they look: 017 is 15, 1:30 is 90.
_OTHERWISE = re.compile(r"[-+]?0[0-7_]*[0-7]|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")


def read_config(path: str | Path) -> Any:
    """Read a config file: plain YAML whose numbers are what they look like.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Any
        As :func:`prevalence.files.read_yaml` gives it.

    Raises
    ------
    PipelineError
        As that function does; for a number with a leading zero, which YAML reads to the base 8, and
        for one with colons, which it reads to the base 60.
    """
    import yaml

    values = read_yaml(path)
    events: Any = yaml.parse(Path(path).read_text(encoding="utf-8"), yaml.CSafeLoader)
    for event in events:
        plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0]
        if plain and _OTHERWISE.fullmatch(event.value):
            place = event.start_mark
            raise PipelineError(
                "A number of a config file is read as another one.",
                file=path,
                place=f"line {place.line + 1}, column {place.column + 1}",
                found=f"{event.value}, which YAML reads as {yaml.safe_load(event.value)}",
                allowed="numbers without leading zeros and colons",
                remedy="Write the number without them, or put the text into quotation marks.",
            )
    return values


def survey_schema(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Compose the schema of a survey's config from the schemas of its sections.

    Parameters
    ----------
    sections
        Schema of each section, by stage name. A section whose schema says ``x-required: true``
        must stand in every survey's config.

    Returns
    -------
    dict
        A JSON schema that admits no other key.
    """
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": dict(sections),
        "required": [name for name, schema in sections.items() if schema.get("x-required")],
    }


def check_config(config: Any, schema: Mapping[str, Any], file: str) -> None:
    """Check a config file against its schema.

    Parameters
    ----------
    config
        What the YAML file holds.
    schema
        A JSON schema (2020-12).
    file
        The file's name, for the message.

    Raises
    ------
    PipelineError
        For the first problem, in the order of the file: names the key, what was found, what is
        allowed, and the corrected line where it can be guessed.
    """
    import jsonschema
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    # Sections' ids are found beforehand: else each reference would search the whole schema.
    whole: Any = DRAFT202012.create_resource(schema)
    registry: Any = Registry().with_resource("urn:prevalence:whole", whole).crawl()
    validator = jsonschema.Draft202012Validator(schema, registry=registry)
    errors = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    if errors:
        raise _explained(_deepest(errors[0]), file)


def check_survey(config: Any, schema: Mapping[str, Any], file: str) -> None:
    """Check a survey's config: the schemas of its sections, then its texts.

    Parameters
    ----------
    config
        What the YAML file holds.
    schema
        What :func:`survey_schema` composed.
    file
        The file's name, for the message.

    Raises
    ------
    PipelineError
        For open decisions of a draft; as :func:`check_config` does; for a text that a browser, a
        spreadsheet or a renderer would act on; and as
        :func:`prevalence.references.check_references` does.
    """
    refuse_open(open_keys(config), file, "survey's config")
    check_config(config, schema, file)
    for key, text in texts_of(config):
        _check_text(key, text, file)
    _check_date(config["headline"]["date"], file)
    check_references(config, file)


def read_survey(
    survey: str,
    *,
    surveys: Path = Path("config/surveys"),
    schemas: Path = Path("workflow/schemas/survey"),
) -> dict[str, Any]:
    """Read and check the config of a survey, outside of a run.

    Parameters
    ----------
    survey
        The survey's id.
    surveys, schemas
        Folders of the configs and of the schemas of their sections.

    Returns
    -------
    dict
        The config.

    Raises
    ------
    PipelineError
        If there is no survey of that id; as :func:`read_config` and :func:`check_survey` do.
    """
    known = {path.stem: path for path in sorted(surveys.glob("*.yaml"))}
    check_known(survey, known, "A survey has no config file.", file=surveys / f"{survey}.yaml")
    config: dict[str, Any] = read_config(known[survey])
    sections = {path.stem: read_yaml(path) for path in sorted(schemas.glob("*.yaml"))}
    check_survey(config, survey_schema(sections), str(known[survey]))
    return config


def texts_of(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """List every text of a config with its dotted key; the keys themselves are texts too.

    Parameters
    ----------
    value
        The config, or a part of it.
    key
        The part's own key.

    Yields
    ------
    tuple of str
        Dotted key and text.
    """
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            place = f"{key}.{name}" if key else str(name)
            yield place, str(name)
            yield from texts_of(part, place)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from texts_of(part, f"{key}.{number}")


def _check_text(key: str, text: str, file: str) -> None:
    if key.startswith(_MARKS):
        return
    printed = key.split(".", maxsplit=1)[0] in _PRINTED
    active = active_content(text.removesuffix("\n") if printed else text)
    if active is None and (text.strip() or not printed):
        return
    lines = text.strip().count("\n")
    raise PipelineError(
        "A text of the config is not plain." if active else "A text of the config is blank.",
        file=file,
        place=key,
        found=f"{lines + 1} lines" if lines else active or "blanks",
        allowed="plain text on one line: no formulas, no HTML or Markdown, no control characters",
        remedy="Write plain words; fold long texts with >- in YAML, which makes one line of them.",
    )


def _check_date(date: Any, file: str) -> None:
    try:
        dt.date.fromisoformat(str(date))
    except ValueError:
        raise PipelineError(
            "The headline's date is no date.",
            file=file,
            place="headline.date",
            found=_short(date),
            allowed="the day on which the choices were fixed, as 2023-09-07",
            remedy="Write the day on which they were fixed.",
        ) from None


def check_survey_id(survey: str, file: str, taken: set[str]) -> None:
    """Refuse an id that cannot name a folder, or that is already the name of a rule.

    Parameters
    ----------
    survey
        The id: the file's name without ``.yaml``.
    file
        The survey's config file.
    taken
        Names of the rules.

    Raises
    ------
    PipelineError
        If the id is malformed or taken.
    """
    if not SURVEY_ID.fullmatch(survey):
        raise PipelineError(
            "A survey's id cannot be used.",
            file=file,
            found=survey,
            allowed="a small letter, then small letters, digits or _",
            remedy="Rename the config file; its name without .yaml is the id.",
        )
    if survey in taken:
        raise PipelineError(
            "A survey's id is the name of a rule.",
            file=file,
            found=survey,
            allowed=f"any id but {listed(sorted(taken), 60)}",
            remedy=f"Rename the config file and data/raw/{survey}/, e.g. to {survey}_survey.",
        )


def setting(config: Mapping[str, Any], key: str) -> Any:
    """Look a dotted key up in a survey's config; None where an optional key is absent.

    Parameters
    ----------
    config
        The survey's config.
    key
        For instance ``"weight.calibration"``.
    """
    value: Any = config
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _deepest(error: Any) -> Any:
    """Follow anyOf/oneOf to the branch that failed last: it is the one that was meant."""
    while error.context:
        error = max(error.context, key=lambda branch: len(branch.absolute_path))
    return error


def _explained(error: Any, file: str) -> PipelineError:
    key = ".".join(map(str, error.absolute_path)) or "(top level)"
    rule = error.validator
    found: object = error.instance
    allowed: object = error.schema.get("description")
    remedy = "Correct this key; workflow/schemas/ explains each one."
    problem = "A config value is not allowed."
    if rule == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = [name for name in error.instance if name not in known]
        problem, found, allowed = "A config key is unknown.", listed(unknown), listed(known, 40)
        remedy = suggestion(unknown[0], known) if unknown else remedy
        near = re.search(r"'(\w+)'", remedy)
        if near and not isinstance(error.instance[unknown[0]], dict | list):
            remedy += f" The line would read: {_line(near[1], error.instance[unknown[0]])}"
    elif rule == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        problem, found = "A config key is missing.", f"no {listed(missing)}"
        allowed = f"the keys {listed(error.validator_value, 40)}"
        remedy = f"Add the line: {missing[0]}: …"
    elif rule == "enum":
        names = [str(value) for value in error.validator_value]
        allowed = listed(names, 40)
        remedy = suggestion(str(error.instance), names)
        near = re.search(r"'(.+)'", remedy)
        if near:
            remedy += f" The line would read: {_line(key.rsplit('.', 1)[-1], near[1])}"
    elif rule == "type":
        problem = "A config value has the wrong type."
        found = f"{type(error.instance).__name__}: {error.instance!r}"
        allowed = f"{error.validator_value}; {allowed or ''}".rstrip("; ")
    else:
        allowed = f"{rule} {error.validator_value}; {allowed or ''}".rstrip("; ")
    if key.startswith(_SECRET):
        found = "a value that is not repeated here"
    return PipelineError(
        problem, file=file, place=key, found=_short(found), allowed=allowed, remedy=remedy
    )


def _line(key: str, value: object) -> str:
    return f"{key}: {_short(value)}"


def _short(value: object, most: int = 120) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
