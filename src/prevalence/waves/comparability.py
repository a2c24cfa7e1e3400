"""Whether two waves compare: what differs in instrument, groups, population, frame, estimation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prevalence.config import setting
from prevalence.errors import listed
from prevalence.waves.joint import Overlap

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.codebook import Variable
    from prevalence.domains import Domain

NONE, EXPECTED, CAUTION, SERIOUS = "none", "expected", "caution", "serious"
SEVERITIES = (NONE, EXPECTED, CAUTION, SERIOUS)
ASPECTS = ("instrument", "tie", "groups", "known_groups", "populations", "frame", "estimation")
ASKED = ("known", "child", "hidden_item", "hidden", "situation", "domain")
SENSITIVE = ("hidden_item", "hidden", "situation")
NOT_THERE = "not there"
INDEPENDENT = "drawn independently of one another"
NOTHING_SHARED = "no PSU has its stratum and label in both: compared as independent"
LARGE = 1.25  # a known size that changed by more than this is looked at twice
# Of clean.combine: key, how it is called, and what it is where it isn't given.
COMBINED = (
    ("rule", "combination", None),
    ("items", "items", None),
    ("incomplete", "incomplete items", "available"),
)

Found = tuple[Any, ...]  # aspect, item, earlier, later, severity, meaning


@dataclass(frozen=True)
class Described:
    """What is said of a wave, no answer among it.

    Parameters
    ----------
    config
        The survey's config.
    variables
        Its codebook.
    known
        Sizes of its known groups: `group`, `size`, and where given `label`, `year`, `source`,
        `quality`.
    """

    config: Mapping[str, Any]
    variables: Sequence[Variable]
    known: pd.DataFrame


def comparability(
    earlier: Described,
    later: Described,
    overlap: Overlap,
    dropped: Sequence[str] = (),
    *,
    domains: tuple[Sequence[Domain], Sequence[Domain]] = ((), ()),
    independent: bool = False,
) -> pd.DataFrame:
    """List what differs between two waves.

    Parameters
    ----------
    earlier, later
        The waves.
    overlap
        Which PSUs their samples share.
    dropped
        Known groups of the earlier headline that the later wave lacks.
    domains
        Domains of the earlier and the later wave.
    independent
        Whether the samples were drawn independently of one another.

    Returns
    -------
    pandas.DataFrame
        `aspect`, `item`, `earlier_value`, `later_value`, `severity`, `meaning`. ``expected``: it
        is taken into account; ``caution``: it may move the change; ``serious``: the change may be
        the instrument's. An aspect in which nothing differs has one row of severity ``none``.
    """
    import pandas as pd

    checks: list[Callable[[Described, Described], Iterator[Found]]] = [
        _instrument,
        _tie,
        _groups,
        _ratios,
        _populations,
        _frame,
        _estimation,
    ]
    rows = [row for check in checks for row in check(earlier, later)]
    rows += _known_groups(earlier, later, dropped)
    rows += _domains(*domains)
    rows += _sample(overlap, independent=independent)
    named = {row[0] for row in rows}
    same = "in both waves the same"
    rows += [(aspect, "all", same, same, NONE, "") for aspect in ASPECTS if aspect not in named]
    table = pd.DataFrame(
        [(a, item, _words(x), _words(y), severity, why) for a, item, x, y, severity, why in rows],
        columns=["aspect", "item", "earlier_value", "later_value", "severity", "meaning"],
    )
    order = {aspect: place for place, aspect in enumerate(ASPECTS)}
    grave = {severity: -place for place, severity in enumerate(SEVERITIES)}
    keys = table.assign(a=table["aspect"].map(order), b=table["severity"].map(grave))
    return keys.sort_values(["a", "b"], kind="stable")[table.columns].reset_index(drop=True)


def _words(value: object) -> str:
    if value is None:
        return NOT_THERE
    if isinstance(value, float):
        return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_words(part)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return listed([_words(part) for part in value], 40)
    return str(value)


def _instrument(earlier: Described, later: Described) -> Iterator[Found]:
    before, after = (
        {variable.name: variable for variable in wave.variables if variable.role in ASKED}
        for wave in (earlier, later)
    )
    for name in [*before, *(name for name in after if name not in before)]:
        one, other = before.get(name), after.get(name)
        role = (one or other).role  # type: ignore[union-attr]
        grave = SERIOUS if role in SENSITIVE else CAUTION
        if one is None or other is None:
            asked = [None if each is None else each.label for each in (one, other)]
            yield ("instrument", name, *asked, grave, "asked in one wave only")
            continue
        for what, x, y, severity, why in (
            ("wording", one.label, other.label, grave, "another wording may change the answers"),
            ("role", one.role, other.role, SERIOUS, "the item serves another purpose"),
            ("group", one.group, other.group, SERIOUS, "the answers are about another group"),
            ("top code", one.top_code, other.top_code, grave, "answers are cut elsewhere"),
            ("answers", one.codes, other.codes, CAUTION, "other categories"),
            (
                "range",
                (one.minimum, one.maximum),
                (other.minimum, other.maximum),
                CAUTION,
                "other answers count as impossible",
            ),
            (
                "missing codes",
                one.missing_codes,
                other.missing_codes,
                CAUTION,
                "another way not to answer",
            ),
        ):
            if x != y:
                yield ("instrument", f"{name}: {what}", x, y, severity, why)


def _differing(
    aspect: str,
    waves: tuple[Described, Described],
    keys: Mapping[str, tuple[str, str]],
) -> Iterator[Found]:
    for key, (severity, why) in keys.items():
        x, y = (setting(wave.config, key) for wave in waves)
        if x != y:
            yield (aspect, key, x, y, severity, why)


def _tie(earlier: Described, later: Described) -> Iterator[Found]:
    why = "network sizes mean another thing"
    keys = {"estimate.degree.tie_definition": (SERIOUS, why)}
    return _differing("tie", (earlier, later), keys)


def _groups(earlier: Described, later: Described) -> Iterator[Found]:
    groups = [setting(wave.config, "estimate.hidden_groups") or {} for wave in (earlier, later)]
    for name in dict.fromkeys([*groups[0], *groups[1]]):
        if not all(name in wave for wave in groups):
            labels = [wave[name].get("label") if name in wave else None for wave in groups]
            yield ("groups", name, *labels, CAUTION, "estimated in one wave only")
            continue
        pair = [wave[name] for wave in groups]
        said = [dict(one.get("estimand") or {}, label=one.get("label")) for one in pair]
        for element in dict.fromkeys([*said[0], *said[1]]):
            x, y = (one.get(element) for one in said)
            if x == y:
                continue
            severity = EXPECTED if element == "period" else SERIOUS
            why = "the years compared" if element == "period" else "another group is estimated"
            yield ("groups", f"{name}: {element}", x, y, severity, why)
        ways = [setting(wave.config, f"clean.combine.{name}") or {} for wave in (earlier, later)]
        for part, word, default in COMBINED:
            x, y = (way.get(part) or default for way in ways)
            if x != y:
                why = "items are combined otherwise"
                yield ("groups", f"{name}: {word}", x, y, SERIOUS, why)


def _ratios(earlier: Described, later: Described) -> Iterator[Found]:
    ratios = [setting(wave.config, "estimate.ratios") or {} for wave in (earlier, later)]
    for name in dict.fromkeys([*ratios[0], *ratios[1]]):
        pair = [wave.get(name) for wave in ratios]
        parts = [one and f"{one['numerator']} over {one['denominator']}" for one in pair]
        if None in parts:
            yield ("groups", name, *parts, EXPECTED, "estimated in one wave only")
        elif parts[0] != parts[1]:
            yield ("groups", name, *parts, CAUTION, "another ratio: not compared")


def _known_groups(earlier: Described, later: Described, dropped: Sequence[str]) -> Iterator[Found]:
    sizes = [
        {str(row["group"]): row for row in wave.known.to_dict("records")}
        for wave in (earlier, later)
    ]
    used = set(setting(earlier.config, "headline.known_groups") or [])
    for group in (setting(earlier.config, "estimate.hidden_groups") or {}).values():
        used |= set(group.get("known_groups") or [])
    for name in dict.fromkeys([*sizes[0], *sizes[1]]):
        one, other = (wave.get(name) for wave in sizes)
        grave = SERIOUS if name in used else EXPECTED
        there = [_size(row) for row in (one, other)]
        if None in there:
            if there != [None, None] or name in dropped:
                yield ("known_groups", name, *there, grave, "its size is known in one wave only")
            continue
        assert one is not None and other is not None
        if there[0] != there[1]:
            factor = max(there) / min(there)  # type: ignore[type-var,operator]
            severity = EXPECTED if factor <= LARGE or name not in used else CAUTION
            yield ("known_groups", f"{name}: size", *there, severity, "each wave has its own size")
        for what in ("label", "source", "quality"):
            x, y = (_text(row.get(what)) for row in (one, other))
            if x != y:
                severity = CAUTION if name in used else EXPECTED
                why = "the size may have another definition"
                yield ("known_groups", f"{name}: {what}", x, y, severity, why)


def _size(row: Mapping[Any, Any] | None) -> float | None:
    size = None if row is None else row.get("size")
    return None if size is None or math.isnan(size) else float(size)


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, float) else str(value)


def _populations(earlier: Described, later: Described) -> Iterator[Found]:
    groups = [setting(wave.config, "estimate.hidden_groups") or {} for wave in (earlier, later)]
    for name in groups[0]:
        if name not in groups[1]:
            continue
        pair = [wave[name]["population"] for wave in groups]
        if pair[0] != pair[1]:
            why = "the rate is per head of others; the earlier wave's choice is used"
            yield ("populations", f"{name}: denominator", *pair, CAUTION, why)
        units = [wave[name].get("per") for wave in groups]
        if units[0] != units[1]:
            why = "the earlier wave's unit is used"
            yield ("populations", f"{name}: unit of the rate", *units, EXPECTED, why)
    years = [setting(wave.config, "survey.year") for wave in (earlier, later)]
    if years[0] != years[1]:
        why = "rates are per head of each year's own population"
        yield ("populations", "year", *years, EXPECTED, why)


def _domains(earlier: Sequence[Domain], later: Sequence[Domain]) -> Iterator[Found]:
    """Name the domains that stand in one wave only, by type: they aren't compared."""
    sets = [{(one.type, one.name, one.kind): None for one in wave} for wave in (earlier, later)]
    apart = [[key for key in one if key not in other] for one, other in (sets, sets[::-1])]
    for kind in dict.fromkeys(key[0] for keys in apart for key in keys):
        names = [listed(key[1] for key in keys if key[0] == kind) for keys in apart]
        why = "not compared; the others of their kind may have another extent"
        yield ("populations", f"{kind}: in one wave only", *names, CAUTION, why)


def _frame(earlier: Described, later: Described) -> Iterator[Found]:
    weighting = "the waves may represent other people"
    return _differing(
        "frame",
        (earlier, later),
        {
            "weight.base": (CAUTION, weighting),
            "weight.within_household": (CAUTION, weighting),
            "weight.nonresponse": (CAUTION, weighting),
            "weight.trimming": (CAUTION, weighting),
            "weight.calibration.method": (CAUTION, weighting),
            "weight.calibration.margins": (CAUTION, weighting),
            "clean.screening": (CAUTION, "other interviews are left out"),
            "clean.edits": (CAUTION, "other answers are changed"),
            "clean.derive": (CAUTION, "domains are made otherwise"),
            "clean.imputations": (SERIOUS, "answers are imputed otherwise"),
        },
    )


def _sample(overlap: Overlap, *, independent: bool) -> Iterator[Found]:
    strata = [set(design.strata) for design in (overlap.earlier, overlap.later)]
    if strata[0] != strata[1]:
        counts = [f"{len(one)} strata" for one in strata]
        why = f"{len(strata[0] & strata[1])} strata in both; the others are compared as independent"
        yield ("frame", "strata", *counts, CAUTION, why)
    counts = [f"{len(design.psus)} PSUs" for design in (overlap.earlier, overlap.later)]
    if independent:
        yield ("frame", "PSUs", *counts, EXPECTED, INDEPENDENT)
        return
    if not overlap.shared:
        yield ("frame", "PSUs", *counts, CAUTION, NOTHING_SHARED)
        return
    same = sum(stratum.identical for stratum in overlap.strata)
    if same < len(overlap.earlier.strata) or strata[0] != strata[1]:
        both = f"{overlap.shared} PSUs in both, drawn jointly"
        why = f"{both}; all PSUs are the same in {same} of {len(overlap.strata)} shared strata"
        yield ("frame", "PSUs", *counts, EXPECTED, why)


def _estimation(earlier: Described, later: Described) -> Iterator[Found]:
    frozen = "the earlier wave's choice is used for both"
    own = "levels as in each wave's own report; of changes there is one kind of interval"
    keys = {
        "headline.estimator": (EXPECTED, frozen),
        "headline.interval": (EXPECTED, own),
        "headline.variance": (EXPECTED, own),
        "estimate.level": (EXPECTED, frozen),
        "headline.top_codes": (EXPECTED, frozen),
        "headline.known_groups": (EXPECTED, frozen),
        "estimate.degree.minimum_groups": (EXPECTED, frozen),
        "estimate.degree.missing": (EXPECTED, frozen),
        "headline.combination": (EXPECTED, "see the items' combination"),
    }
    groups = [setting(wave.config, "estimate.hidden_groups") or {} for wave in (earlier, later)]
    for name in (name for name in groups[0] if name in groups[1]):
        keys[f"estimate.hidden_groups.{name}.known_groups"] = (EXPECTED, frozen)
    return _differing("estimation", (earlier, later), keys)
