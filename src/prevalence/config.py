"""The run's and the surveys' configuration: schema checks with messages that help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from prevalence.errors import PipelineError, listed, suggestion

SURVEY_ID = re.compile(r"[a-z][a-z0-9_]*")


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

    validator = jsonschema.Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    if errors:
        raise _explained(_deepest(errors[0]), file)


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
        if near and unknown:
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
    return PipelineError(
        problem, file=file, place=key, found=_short(found), allowed=allowed, remedy=remedy
    )


def _line(key: str, value: object) -> str:
    return f"{key}: {_short(value)}"


def _short(value: object, most: int = 120) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
