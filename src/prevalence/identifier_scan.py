"""Scan of raw exports for direct identifiers: names, numbers, places, devices, files, free text.

What the codebook doesn't list is dropped; an identifier in a listed column stops the run. The scan
errs on the side of stopping: an owner who knows better accepts a kind in a column by name, with a
reason, in the config. Messages name columns, kinds and counts, never a value.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

from prevalence.codebook import Codebook, Variable, canonical_code
from prevalence.errors import PipelineError, listed
from prevalence.exports import Export, Value
from prevalence.responses import locate_variables

_FILE_TYPES = (
    "jpe?g|png|heic|gif|bmp|tiff?|webp|wav|mp3|m4a|amr|aac|ogg|opus|flac|3gpp?|mp4|mov|avi|webm|"
    "pdf|docx?|kml|gpx"
)
# Kinds that can be told from the value alone, wherever it stands: also used for released text.
PATTERNS: dict[str, re.Pattern[str]] = {
    # A bounded first part: an unbounded one would try each letter of a long text again and again.
    "email": re.compile(
        r"[\w.+-]{1,64}\s?(@|\(at\)|\[at\])\s?[\w-]{1,63}"
        r"((\.|\s\.\s|\s?\(dot\)\s?|\s?\[dot\]\s?)[\w-]{1,63})+"
        r"|\b\w{1,64}\s+at\s+\w{1,63}\s+dot\s+(com|net|org|ph)\b",
        re.I,
    ),
    "web_address": re.compile(
        r"https?://|www\.|\b(facebook|fb|instagram|tiktok|t|m)\.(com|me)/\S|(?<!\w)@[A-Za-z_][\w.]{3,}",
        re.I,
    ),
    "phone": re.compile(
        r"(?<![\d.-])(?:"
        # With a country's prefix; after a comma the 00 is the end of a number in thousands.
        r"(?:\+|(?<!\d,)00)\d{1,3}[\s.()-]*\d{1,4}(?:[\s.()-]*\d{2,4}){2,3}"
        r"|63[\s./–-]?9\d{2}[\s./–-]?\d{3}[\s./–-]?\d{4}"  # Philippine mobile
        r"|0?9\d{2}[\s./–-]?\d{3}[\s./–-]?\d{4}"
        r"|09(?:[\s.-]?\d){9}"
        r"|\d{3}-\d{3}-\d{4}"  # North America
        r"|2507\d{8}|07\d{8}"  # Rwandan mobile
        r"|\(?0\d{1,3}\)?[\s.-]\d{3,4}[\s.-]?\d{4}"  # land line with its area
        r"|\(\d{2,4}\)\s?\d{3,4}[\s.-]?\d{4}"
        r"|\d{3,4}-\d{4}"  # land line
        r"|0\d{8,10}"
        r")(?![\d-])"
    ),
    "coordinates": re.compile(
        r"-?\d{1,3}\.\d{3,}\s*°?\s*[NSEW]?\s*[,;/ ]\s*-?\d{1,3}\.\d{3,}"
        r"|\d{1,3}\s*°\s*\d{1,2}(\.\d+)?\s*['′]"
        r"|\bPOINT\s*\("
        r"|\b[NSEW]\s*\d{1,3}\.\d{3,}|\d{1,3}\.\d{3,}\s*°?\s*[NSEW]\b"
        r"|\b[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}\b"
        # Three words that stand for a square on the map; without the strokes they may be a key.
        r"|(?:(?<![:/\w])///|\b(?:w3w\.co|what3words\.com)/)\s?[^\W\d_]+(?:\.[^\W\d_]+){2}\b",
        re.I,
    ),
    "device": re.compile(
        r"(?<!\d)\d{15}(?!\d)"  # IMEI, IMSI
        r"|(?<!\d)\d{2}[- ]\d{6}[- ]\d{6}[- ]\d(?!\d)"  # IMEI, grouped
        r"|(?<!\d)89\d{16,18}[A-F]?(?!\d)"  # ICCID of a SIM
        r"|\b[0-9a-f]{2}([:-][0-9a-f]{2}){5}\b"  # MAC
        r"|\b[0-9a-f]{4}(\.[0-9a-f]{4}){2}\b"
        r"|\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b"  # UUID
        r"|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{16}\b"  # Android id
        r"|\b(uuid|imei|imsi|collect|simserial|deviceid)\s?[:=]\s?\S"
        r"|\b(\d{1,3}\.){3}\d{1,3}\b"  # IP
        r"|\b([0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\b"
        r"|\b([0-9a-f]{1,4}:){2,6}:([0-9a-f]{1,4}:)*[0-9a-f]{1,4}\b",
        re.I,
    ),
    "government_id": re.compile(
        r"(?<![\d-])(?:"
        r"\d{4}[- ]\d{4}[- ]\d{4}[- ]\d{4}"  # PhilSys card
        r"|\d{4}[- ]\d{4}[- ]\d{4}"
        r"|\d{2}-\d{7}-\d"  # SSS
        r"|\d{2}-\d{9}-\d"  # PhilHealth
        r"|\d{3}-\d{3}-\d{3}(-\d{3,5})?"  # TIN
        r"|\d{4}-\d{7}-\d"  # UMID
        r")(?![\d-])"
        r"|\b[A-Z]\d{2}-\d{2}-\d{6}\b"  # driver's licence
        r"|\bCRN[ -]?\d{4}-\d{7}-\d\b"
        r"|\b[A-Z]{1,2}\d{7}[A-Z]?\b",  # passport
    ),
    "file": re.compile(rf"[\w()-]\.({_FILE_TYPES})\b", re.I),
}
_ADDRESS = re.compile(
    r"\b(brgy|bgy|barangay|purok|sitio|subd|subdivision|village|street|avenue|ave|road|highway|"
    r"kalye|kanto|poblacion|house no|near|beside|behind|tapat|malapit)\b"
    r"|\b(blk|block|lot|phase|unit|zone|st|rd)\b\.?\s*#?\s*\d|\d\s+\w+\s+(st|rd|ext)\b",
    re.I,
)
_TITLE = re.compile(
    r"\b(mr|mrs|ms|miss|dr|dra|atty|engr|fr|sr|kap|kapt|gng|bb|aling|mang|ate|kuya|tita|tito|nanay|"
    r"tatay|lola|lolo)\b\.?\s+\w",
    re.I,
)
_SURNAME_FIRST = re.compile(r"^\s*[^\W\d_][\w'’ -]+,\s*[^\W\d_][\w'’-]+(\s+[^\W\d_]\.?)?")
# Before a person's name alone: the personal articles of Tagalog and other Philippine languages, and
# particles of surnames.
_PERSONAL = re.compile(
    r"\b(?:si|sina|kay|kina)\s+[^\W\d_]{3,}|\b[^\W\d_]{2,}\s+(?:dela|delos|delas|de\s+la|de\s+los)\s+"
    r"[^\W\d_]{3,}",
    re.I,
)
_THREE_WORDS = re.compile(r"[^\W\d_]{3,}(?:\.[^\W\d_]{3,}){2}")
_INITIALS = re.compile(r"^\s*([^\W\d_]\.\s?){1,3}[^\W\d_][\w'’-]{2,}\s*$")
# In published texts only what can hardly be anything else.
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Atty|Engr|Kap|Gng|Aling|Mang|Kuya|Tita|Tito|Nanay|Tatay|Lola|Lolo)\b\.?\s+"
    r"[A-Z][\w'’-]+"
)
_CAPITALS = re.compile(
    r"\b[A-Z][a-zñé'’]+(?:\s+(?:[Dd]ela|[Dd]elos|[Dd]e)\b)?,?\s+[A-Z][a-zñé'’]+\b"
)
_SMALL = re.compile(r"\b(?=([a-zñ]{3,})\s+([a-zñ]{3,})\b)")
_HOUSE = re.compile(
    r"\b(?:Brgy|Bgy|Purok|Sitio)\b\.?\s+\w+|\b(?:blk|block)\b\.?\s*#?\d+,?\s*lot\s*#?\d+"
    r"|\b\d+\s+[A-Z]\w+\s+(?:St|Street|Ave|Avenue|Rd|Road|Ext)\b",
    re.I,
)
_SOCIAL = re.compile(
    r"https?://[^\s\"'<>)]+"
    r"|\b(?:facebook|fb|instagram|tiktok|messenger|twitter|x|wa|t|m)\.(?:com|me)/\S+",
    re.I,
)
_FILE_NAME = re.compile(rf"[\w()-]{{1,80}}\.(?:{_FILE_TYPES})\b", re.I)
# Two words that are written as a name is; an unknown word in them may be one.
_PAIR = re.compile(
    r"\b(?=((?:Dra?|Capt|Sgt|Rev|Sr|Kgd|Mr|Mrs|Ms)\b\.?|[A-ZÑ][^\W\d_]{2,})"
    r"(?:\s+(?:[Dd]e|[Dd]el|[Dd]ela|[Dd]elos|y)\b)?,?\s+([A-ZÑ][^\W\d_]{2,})\b)"
)
_PLAIN_WORD = re.compile(r"[^\W\d_]+")
# What is found in so few answers is no category.
_RARE = 3
_SIX_DIGITS = re.compile(r"\d(?:[\s./–—-]?\d){5,}")
_TWO_NAMES = re.compile(r"[^\W\d_][\w'’.-]+(?:\s+[^\W\d_][\w'’.-]*){1,4}")
_DATE = re.compile(
    r"\b\d{1,2}(?:st|nd|rd|th)?\s+[^\W\d_]{3,9}\.?,?\s+(?:19|20)\d\d\b"
    r"|\b[^\W\d_]{3,9}\.?\s+\d{1,2},?\s+(?:19|20)\d\d\b"
)
_CODE = re.compile(r"(?=.*[^\W\d_])(?=(?:.*\d){3})[\w-]{7,}")
_HEADER = re.compile(
    r"(^|[^a-z])(first|last|middle|full|nick|sur|resp|respondent|child|mother|father|contact)?_?"
    r"(name|names|pangalan|apelyido|palayaw|surname|signature|pirma)([^a-z]|$)",
    re.I,
)
# Frequent given and family names (Philippines first), with which a lone name is recognised.
_FREQUENT_NAMES = """
maria juan jose josé mary ana anna rosa pedro antonio manuel francisco eduardo ricardo
roberto fernando carlos mark john michael james christian angelo joshua daniel joseph paul
ryan jerome angelica angel jasmine nicole princess rose grace joy marie jennifer michelle
cristina christine catherine karen jocelyn marilyn teresita lourdes gloria carmen elena luz
luzviminda corazon remedios rodrigo ramon reynaldo rolando danilo ernesto alfredo romeo
benjamin andres emilio gabriel miguel rafael lorna liza rowena analyn marites maricel
rosario josefina virginia leonora imelda jun jun-jun santos reyes cruz bautista ocampo
garcia mendoza torres tomas andrada castillo flores villanueva ramos castro rivera aquino
navarro salazar mercado concepcion gonzales gonzalez lopez hernandez perez fernandez delos
dela santiago dizon pascual soriano domingo aguilar valdez manalo marquez villar mendez
david lim tan sy chua ong gutierrez morales guevarra bernardo cabrera dimaculangan magsaysay
mukamana uwimana habimana niyonzima mugisha uwase ndayisaba nsengimana nyirahabimana
bizimana smith johnson williams brown jones peter thomas robert william elizabeth sarah
"""
_NAMES = frozenset(_FREQUENT_NAMES.split())
# Names that are also words of a text, a colour or a language.
_ALSO_WORDS = """
mark rose grace joy brown angel princess tan christian domingo dela delos luz gloria corazon
remedios rosario carmen sy lim ong chua jun sarah
"""
_WORDS_TOO = frozenset(_ALSO_WORDS.split())
_WORDS = 4
_LONG = 40
# From so many different answers of two to four words on, a column in which hardly any word comes
# twice holds names: kinds of work or places share theirs ("driver", "san").
_MANY_NAMES, _ONCE = 20, 0.9
_DISTINCT = 50
_DISTINCT_SHARE = 0.2
_SHORTEST_NUMBER = 10**8
_LONGEST_NUMBER = 10**21
_DECIMALS = re.compile(r"\.\d{4,}$")

Found = dict[str, Counter[str]]


def identifier_kinds(text: str) -> set[str]:
    """Kinds of identifier that can be told from a text by its form alone.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    set of str
        Some of the keys of `PATTERNS`; empty for most texts.
    """
    return {kind for kind, pattern in PATTERNS.items() if pattern.search(text)}


def person_kinds(text: str, reviewed: str = "", words: AbstractSet[str] | None = None) -> set[str]:
    """Kinds of identifier in a published text that words tell: a person's name, an address.

    Parameters
    ----------
    text
        Any text.
    reviewed
        Texts that were reviewed: names in them, such as those of authors, may be repeated.
    words
        Every word of what was reviewed, from :func:`words_of`: one that isn't among them is taken
        for a name where it stands beside another word with a capital letter. None if any may be.

    Returns
    -------
    set of str
        ``name``, ``address``, ``web_address``, ``file``; empty for most texts.
    """
    found = {
        "name": [m[0] for m in _TITLED.finditer(text)] + _full_names(text),
        "address": [m[0] for m in _HOUSE.finditer(text)],
        "web_address": [m[0].rstrip(".,;") for m in _SOCIAL.finditer(text)],
        "file": [m[0] for m in _FILE_NAME.finditer(text)],
    }
    kinds = {kind for kind, seen in found.items() if any(word not in reviewed for word in seen)}
    if words is not None and any(
        word not in words
        for match in _PAIR.finditer(text)
        for part in match.groups()
        for word in words_of(part)
    ):
        kinds.add("name")
    return kinds


def words_of(text: str) -> set[str]:
    """Words of a text without regard to case, titles of persons aside."""
    titles = {"dr", "dra", "capt", "sgt", "rev", "sr", "kgd", "mr", "mrs", "ms"}
    return {word.casefold() for word in _PLAIN_WORD.findall(text)} - titles


def _full_names(text: str) -> list[str]:
    """Frequent names that follow one another; in small letters only those that are no words too."""
    found = [
        match[0]
        for match in _CAPITALS.finditer(text)
        if all(word.lower() in _NAMES for word in re.split(r"[\s,]+", match[0]))
    ]
    return found + [
        f"{match[1]} {match[2]}"
        for match in _SMALL.finditer(text)
        if {match[1], match[2]} <= _NAMES - _WORDS_TOO
    ]


def answer_kinds(text: str) -> set[str]:
    """Kinds of identifier in an answer: by form, and names, addresses and free text.

    Parameters
    ----------
    text
        An answer.

    Returns
    -------
    set of str
        Keys of `PATTERNS`, ``name``, ``address``, ``free_text``.
    """
    kinds = identifier_kinds(text)
    if _ADDRESS.search(text):
        kinds.add("address")
    words = re.findall(r"[^\W\d_][\w'’-]*", text.lower())
    named = any(word in _NAMES for word in words) or _PERSONAL.search(text)
    if named or _TITLE.search(text) or _SURNAME_FIRST.search(text) or _INITIALS.search(text):
        kinds.add("name")
    if len(words) >= _WORDS or len(text) > _LONG:
        kinds.add("free_text")
    return kinds


def number_kinds(value: float) -> set[str]:
    """Kinds of identifier that a number can be: a telephone or device number, a coordinate.

    Parameters
    ----------
    value
        A finite number.

    Returns
    -------
    set of str
        ``phone``, ``device``, ``long_number`` or ``coordinates``; empty for most numbers.
    """
    if float(value).is_integer():
        if not _SHORTEST_NUMBER <= abs(value) < _LONGEST_NUMBER:
            return set()
        kinds = identifier_kinds(str(int(value)))
        return kinds or {"long_number"}
    return {"coordinates"} if abs(value) <= 180 and _DECIMALS.search(repr(float(value))) else set()


def exempt_columns(export: Export, codebook: Codebook, file: object) -> set[str]:
    """Columns in which nothing stops the run: ids, which pseudonyms replace, and times.

    Parameters
    ----------
    export
        The export.
    codebook
        The codebook.
    file
        The export's name, for messages.

    Returns
    -------
    set of str
        Names of columns of the export.
    """
    located = locate_variables(export, codebook, file)
    return {
        located[variable.raw]
        for variable in codebook.kept
        if variable.role == "key" or variable.type == "datetime"
    }


def scan_export(export: Export, exempt: Collection[str] = ()) -> Found:
    """Scan every column of an export, listed or not.

    Parameters
    ----------
    export
        The export.
    exempt
        Columns that are not looked at, as :func:`exempt_columns` gives them.

    Returns
    -------
    dict
        Column to number of values by kind of identifier; columns without any are left out.
    """
    found: Found = {}
    for name, values in export.columns.items():
        if name in exempt:
            continue
        kinds = _scan_column(values, f"{name} {export.labels.get(name, '')}")
        if kinds:
            found[name] = kinds
    return found


def _scan_column(values: Sequence[Value], heading: str) -> Counter[str]:
    kinds: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    for value, n in Counter(values).items():
        number = _as_number(value)
        if number is not None:
            own = number_kinds(number)
            # A leading zero or a plus is lost in the number; decimals are no digits of an id.
            if isinstance(value, str) and value.strip().lstrip("+").isdigit():
                own |= identifier_kinds(value)
            for kind in own:
                kinds[kind] += n
        elif isinstance(value, str) and value.strip():
            texts[value.strip()] += n
    for text, n in texts.items():
        found = answer_kinds(text)
        if n < _RARE and not found:
            found = _rare_kinds(text)
        for kind in found:
            kinds[kind] += n
    total = sum(texts.values())
    if len(texts) > max(_DISTINCT, _DISTINCT_SHARE * total):
        kinds["free_text"] = total
    named = _differing_names(texts)
    if named:
        kinds["name"] = max(kinds["name"], named)
    if texts and _HEADER.search(heading):
        kinds["name"] = total
    return kinds


def _differing_names(texts: Mapping[str, int]) -> int:
    """Count answers that look like names for being unlike one another; 0 where they are not."""
    rare = [text for text, n in texts.items() if n < _RARE and _TWO_NAMES.fullmatch(text)]
    if len(rare) < _MANY_NAMES:
        return 0
    words = Counter(word for text in rare for word in set(text.casefold().split()))
    once = sum(n == 1 for n in words.values())
    return sum(texts[text] for text in rare) if once >= _ONCE * len(words) else 0


def _rare_kinds(text: str) -> set[str]:
    """Tell what an answer of one or two people may be, which has no form of its own."""
    found = set()
    if _SIX_DIGITS.search(text):
        found.add("long_number")
    if _DATE.search(text):
        found.add("exact_date")
    if _CODE.fullmatch(text):
        found.add("device")
    if _THREE_WORDS.fullmatch(text):
        found.add("coordinates")
    if _TWO_NAMES.fullmatch(text) and text != text.lower():
        found.add("name")
    return found


def _as_number(value: Value) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def check_identifiers(
    found: Found,
    export: Export,
    codebook: Codebook,
    accepted: Sequence[Mapping[str, str]],
    *,
    file: object,
) -> None:
    """Stop where a listed column holds identifiers.

    Keys are exempt, since pseudonyms replace them; so are the codes that the codebook lists, texts
    of dates, weights (which have many decimals) and numbers inside a variable's valid range.

    Parameters
    ----------
    found
        What :func:`scan_export` found.
    export
        The export.
    codebook
        The codebook.
    accepted
        The config's ``ingest.accepted_identifiers``: ``variable`` (raw), ``kind`` and ``reason``.
    file
        The export's name, for messages.

    Raises
    ------
    PipelineError
        Naming each column, kind and count.
    """
    waived = {(item["variable"], item["kind"]) for item in accepted}
    stops: list[str] = []
    located = locate_variables(export, codebook, file)
    for variable in codebook.kept:
        column = located[variable.raw]
        kinds: Counter[str] = Counter()
        if column in found and variable.role != "key":
            kinds = _in_listed_column(export.columns[column], variable, column, export)
        heading = f"{variable.label} {export.labels.get(column, '')}"
        for kind in identifier_kinds(heading) - {"web_address"}:
            kinds[f"{kind} in its label"] = 1
        for text in variable.codes.values():
            for kind in identifier_kinds(str(text)) - {"web_address"}:
                kinds[f"{kind} in its value labels"] += 1
        if variable.type == "datetime" and variable.role not in ("paradata", "consent"):
            kinds["exact_date"] = sum(value not in (None, "") for value in export.columns[column])
        stops += [
            f"{variable.raw}: {kind} ({n:,})"
            for kind, n in sorted(kinds.items())
            if (variable.raw, kind) not in waived and n
        ]
    if stops:
        raise PipelineError(
            "Columns that the codebook lists hold what looks like direct identifiers.",
            file=file,
            place=f"columns {listed(dict.fromkeys(stop.split(':')[0] for stop in stops))}",
            found=listed(stops),
            allowed="codes, numbers and times; ids only in variables with the role key",
            remedy="Take them out of the codebook (role ignore), or clear these cells in the raw "
            "export; if they are no identifiers, list variable, kind and reason under "
            "ingest.accepted_identifiers.",
        )


def check_further_columns(
    columns: Mapping[str, Sequence[Value]], expected: Collection[str], file: object
) -> None:
    """Stop where a side table has identifiers in columns that the pipeline doesn't ask for.

    Parameters
    ----------
    columns
        The table's values by column.
    expected
        The columns that its contract describes; they are checked there.
    file
        The table's name, for messages.

    Raises
    ------
    PipelineError
        Naming each column, kind and count.
    """
    further = {name: values for name, values in columns.items() if name not in expected}
    found = scan_export(Export(columns=further))
    if found:
        raise PipelineError(
            "Further columns of a side table hold what looks like direct identifiers.",
            file=file,
            place=f"columns {listed(found)}",
            found=listed(
                f"{name}: {kind} ({n:,})"
                for name, kinds in found.items()
                for kind, n in sorted(kinds.items())
            ),
            allowed=f"the columns {listed(expected, 40)}, and codes or numbers beside them",
            remedy="Take these columns out of the file, then run make manifest.",
        )


def _in_listed_column(
    values: Sequence[Value], variable: Variable, column: str, export: Export
) -> Counter[str]:
    if variable.type == "datetime":
        return Counter()
    codes = {*variable.codes, *variable.missing_codes}
    numbered = variable.type == "numeric" and variable.maximum is not None
    doubtful = [
        value
        for value in values
        if value is not None
        and not (codes and canonical_code(str(value).strip()) in codes)
        and not (numbered and _in_range(_as_number(value), variable))
    ]
    kinds = _scan_column(doubtful, f"{column} {export.labels.get(column, '')}")
    if variable.role == "base_weight":
        kinds.pop("coordinates", None)
    return kinds


def _in_range(number: float | None, variable: Variable) -> bool:
    """Whether a whole number is a valid answer; a decimal one may be a coordinate all the same."""
    if number is None or variable.type != "numeric" or variable.maximum is None:
        return False
    low = -math.inf if variable.minimum is None else variable.minimum
    return number.is_integer() and low <= number <= variable.maximum
