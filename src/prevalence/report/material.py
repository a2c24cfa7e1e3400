"""What a report is made of: released tables, figures' texts, words from the config, identity."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from prevalence.errors import PipelineError, listed
from prevalence.report.names import plain
from prevalence.report.wording import capitalised

if TYPE_CHECKING:
    import pandas as pd

NATIONAL = "national"
RATE_UNITS = ("per_100", "per_1000")
OF_RATIOS = "ratio_of_sums"  # the estimator of a ratio of hidden groups
Row = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """Everything that a report may say something about.

    Parameters
    ----------
    survey_id
        Id of the survey.
    survey, report, estimate, headline
        Sections of the survey's config.
    tables
        Released tables by name; a table that the survey hasn't got is absent.
    figures
        For each figure its alternative text, caption, rule and the CSV that it draws.
    published
        The published findings; None where the survey mirrors none.
    identity
        What ``audit/identity.json`` holds.
    renderer
        Name and version of the renderer.
    weight
        Section of the survey's config: how weights and replicates were made.
    release
        Section of the survey's config: what may leave of it, beside the policy.
    policy
        The rules of disclosure control.
    labels
        Labels of the survey's count questions, by group.
    places
        Names of places by type of domain, for those that the data know by a code.
    reference
        Results that were computed once, outside of this run, by name: tables, and what is on
        record of how they were made.
    translations
        Reviewed strings of the summary in other languages, by language.
    """

    survey_id: str
    survey: Mapping[str, Any]
    report: Mapping[str, Any]
    estimate: Mapping[str, Any]
    headline: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    figures: Mapping[str, Mapping[str, str]]
    identity: Mapping[str, Any]
    renderer: str
    published: Mapping[str, Any] | None = None
    weight: Mapping[str, Any] = field(default_factory=dict)
    release: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reference: Mapping[str, Any] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # Tables are read many times, and turned into rows, and sorted by a column, once.
    _records: dict[str, list[Row]] = field(default_factory=dict, init=False, repr=False)
    _sorted: dict[tuple[str, str], dict[Any, list[Row]]] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def synthetic(self) -> bool:
        """Whether the data are synthetic."""
        return bool(self.survey["synthetic"])

    @property
    def replication(self) -> str | None:
        """Method of the replicates, if there are any."""
        method: str | None = (self.weight.get("replication") or {}).get("method")
        return method

    @cached_property
    def groups(self) -> dict[str, Mapping[str, Any]]:
        """The hidden groups of the config, in its order, with the report's words for each."""
        words = self.report["groups"]
        missing = [group for group in self.estimate["hidden_groups"] if group not in words]
        if missing:
            raise PipelineError(
                "The report has no words for a hidden group.",
                file=f"config/surveys/{self.survey_id}.yaml",
                place="report.groups",
                found=f"no {listed(missing)}",
                allowed=listed(self.estimate["hidden_groups"]),
                remedy=f"Add the words for it: {missing[0]}: {{heading: …, many: …}}",
            )
        return {
            group: {**settings, **words[group]}
            for group, settings in self.estimate["hidden_groups"].items()
        }

    @cached_property
    def ratios(self) -> dict[str, Mapping[str, Any]]:
        """The ratios of hidden groups, with the report's words for each."""
        words = self.report.get("ratios") or {}
        return {
            name: {"heading": capitalised(settings["label"]), **settings, **words.get(name, {})}
            for name, settings in (self.estimate.get("ratios") or {}).items()
        }

    def label(self, group: str) -> str:
        """Label of a hidden group, a ratio, a known group or a count question."""
        settings = self.groups.get(group) or self.ratios.get(group)
        return str(settings["label"] if settings else self.item(group))

    def item(self, group: str) -> str:
        """Label of a group that is asked about, as the codebook or the known groups have it."""
        known = {row["group"]: str(row["label"]) for row in self.rows("known_groups")}
        return known.get(group) or str(self.labels.get(group) or plain(group))

    def heading(self, group: str) -> str:
        """Short name of a hidden group or ratio, as its section is headed."""
        settings = self.groups.get(group) or self.ratios.get(group)
        return str(settings["heading"]) if settings else capitalised(self.item(group))

    def has(self, name: str) -> bool:
        """Whether a released table exists and has rows."""
        return name in self.tables and len(self.tables[name]) > 0

    def rows(self, name: str, **keys: Any) -> list[Row]:
        """Rows of a released table with the given keys, in its order, missing values as None."""
        if not self.has(name) or any(column not in self.tables[name] for column in keys):
            return []
        if name not in self._records:
            records = self.tables[name].to_dict("records")
            self._records[name] = [_plain(row) for row in records]
        found = self._records[name]
        if keys:
            (column, value), *others = keys.items()
            found = self._by(name, column).get(value, [])
            found = [row for row in found if all(row[key] == other for key, other in others)]
        return [dict(row) for row in found]

    def _by(self, name: str, column: str) -> dict[Any, list[Row]]:
        """Rows of a table by their values in a column."""
        if (name, column) not in self._sorted:
            by_value: dict[Any, list[Row]] = defaultdict(list)
            for row in self._records[name]:
                by_value[row[column]].append(row)
            self._sorted[name, column] = dict(by_value)
        return self._sorted[name, column]

    def estimates(self, **keys: Any) -> list[Row]:
        """Rows of the headline's estimator in the scale-up table, and of ratios of hidden groups.

        Network sizes cancel out of a ratio of two groups, so that it has one estimator whatever the
        headline's is.
        """
        own = self.rows("scale_up", estimator=self.headline["estimator"], **keys)
        if self.headline["estimator"] == OF_RATIOS:
            return own
        found = self.rows("scale_up", **{"unit": "ratio", **keys, "estimator": OF_RATIOS})
        return own + [row for row in found if row["unit"] == "ratio"]

    def national(self, group: str, unit: str) -> Row | None:
        """Return the headline's national estimate of a group in a unit."""
        rows = self.estimates(group=group, domain_type=NATIONAL, unit=unit)
        return rows[0] if rows else None

    def domain_types(self, kind: str) -> list[str]:
        """Types of domain of a kind (geographic or respondent) that have estimates."""
        return [
            domain["type"]
            for domain in self.estimate.get("domains") or []
            if domain["kind"] == kind and self.estimates(domain_type=domain["type"])
        ]

    def place(self, domain_type: str, domain: str) -> str:
        """Name a place: its code in the data, and its name where the config has one."""
        name = (self.places.get(domain_type) or {}).get(domain)
        return f"{domain} {name}" if name else domain

    def domain_words(self, domain_type: str) -> Mapping[str, str]:
        """Singular and plural of a type of domain."""
        name = plain(domain_type)
        words = (self.report.get("domains") or {}).get(domain_type)
        return words or {"one": name, "many": f"{name}s"}


def slug(name: str) -> str:
    """Give a name as it stands in labels and files: with hyphens."""
    return name.replace("_", "-")


def _plain(row: Mapping[Any, Any]) -> Row:
    return {
        str(key): None if isinstance(value, float) and math.isnan(value) else value
        for key, value in row.items()
    }
