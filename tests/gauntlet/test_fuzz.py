"""Damaged exports and configs: a message or a reading, never another error, in bounded time."""

import copy

import pipeline
import pytest
import spoil
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prevalence.codebook import parse_codebook
from prevalence.config import check_survey
from prevalence.errors import PipelineError
from prevalence.exports import read_export
from prevalence.identifier_scan import check_identifiers, scan_export
from prevalence.manifest import parse_manifest
from prevalence.responses import describe_dropped, describe_variables, type_responses
from prevalence.side_tables import arrange_table, complete_known_groups, parse_table
from prevalence.strict_yaml import parse_yaml

FEW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
SHARES = st.floats(0, 1, exclude_max=True)
# Where in the file, and what happens there.
DAMAGE = st.lists(
    st.tuples(
        SHARES,
        st.one_of(
            st.tuples(st.just("flip"), st.integers(0, 7)),
            st.tuples(st.just("put"), st.binary(min_size=1, max_size=12)),
            st.tuples(st.just("add"), st.binary(min_size=1, max_size=40)),
            st.tuples(st.just("drop"), st.integers(1, 400)),
            st.tuples(st.just("cut"), st.none()),
        ),
    ),
    min_size=1,
    max_size=6,
)


def damaged(content, damage):
    """Bytes after some mishaps, each at a share of the length."""
    bytes_ = bytearray(content)
    for share, (how, what) in damage:
        at = int(share * len(bytes_))
        if not bytes_:
            break
        if how == "flip":
            bytes_[at] ^= 1 << what
        elif how == "put":
            bytes_[at : at + len(what)] = what
        elif how == "add":
            bytes_[at:at] = what
        elif how == "drop":
            del bytes_[at : at + what]
        else:
            del bytes_[at:]
    return bytes(bytes_)


@pytest.fixture(scope="module")
def codebook():
    path = pipeline.TINY / "config" / "codebooks" / "tiny.csv"
    return parse_codebook(path.read_bytes(), path)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """The tiny survey's export in three formats."""
    made = {".sav": (pipeline.TINY / "data/raw/tiny/tiny.sav").read_bytes()}
    for suffix in (".csv", ".xlsx"):
        tiny = pipeline.Tiny(tmp_path_factory.mktemp("fuzz") / "project", {})
        spoil.export(tiny, {"as": suffix, "rows": 40})
        made[suffix] = (tiny.raw / f"tiny{suffix}").read_bytes()
    return made


def ends_well(work):
    """What the work gives, or None where it ends in a message with a place and something to do."""
    try:
        return work()
    except PipelineError as error:
        text = str(error)
        assert "Traceback" not in text
        assert len(text) < 5000
        assert error.file or error.place
        return None


@pytest.mark.parametrize("suffix", [".sav", ".csv", ".xlsx"])
@FEW
@given(damage=DAMAGE)
def test_a_damaged_export_is_read_or_refused(tmp_path_factory, exports, codebook, suffix, damage):
    path = tmp_path_factory.mktemp("damaged") / f"tiny{suffix}"
    path.write_bytes(damaged(exports[suffix], damage))

    def ingest():
        export = read_export(path)
        found = scan_export(export)
        check_identifiers(found, export, codebook, [], file=path)
        responses = type_responses(export, codebook, "public-key-of-a-test", path)
        describe_variables(export, codebook, path)
        describe_dropped(export, codebook, {}, path)
        return export, responses

    made = ends_well(ingest)
    if made is not None:
        export, responses = made
        assert len(responses) == export.n
        assert len(responses.columns) == len(codebook.kept)


@MANY
@given(damage=DAMAGE)
def test_a_damaged_codebook_is_read_or_refused(damage):
    content = (pipeline.TINY / "config" / "codebooks" / "tiny.csv").read_bytes()
    book = ends_well(lambda: parse_codebook(damaged(content, damage), "tiny.csv"))
    assert book is None or any(variable.name == "respondent" for variable in book.kept)


@pytest.mark.parametrize("name", ["known_groups", "census_2020", "sample_frame", "survivor_panel"])
@FEW
@given(damage=DAMAGE)
def test_a_damaged_side_table_is_read_or_refused(codebook, name, damage):
    from prevalence.contracts import check_table
    from prevalence.contracts.ingest import SIDE_TABLES
    from prevalence.side_tables import emptied

    content = (pipeline.TINY / "data/raw/tiny" / f"{name}.csv").read_bytes()
    called = {"census_2020": "census", "sample_frame": "frame"}.get(name, name)
    contract = SIDE_TABLES[called]

    def ingest():
        table = parse_table(damaged(content, damage), name)
        table = arrange_table(table, None, "public-key-of-a-test", name)
        if called == "known_groups":
            table = complete_known_groups(table, codebook, name)
        numbers = [c for c, spec in contract.columns.items() if str(spec.dtype) != "str"]
        return check_table(emptied(table, numbers), contract, name)

    ends_well(ingest)


@MANY
@given(damage=DAMAGE)
def test_a_damaged_manifest_is_read_or_refused(damage):
    content = (pipeline.TINY / "data/raw/tiny/MANIFEST.sha256").read_bytes()
    text = damaged(content, damage).decode("utf-8", errors="replace")
    declared = ends_well(lambda: parse_manifest(text, "MANIFEST.sha256"))
    assert declared is None or all(len(digest) == 64 for digest in declared.values())


@MANY
@given(damage=DAMAGE)
def test_a_damaged_config_file_is_checked_or_refused(damage):
    content = (pipeline.TINY / "config/surveys/tiny.yaml").read_bytes()
    text = damaged(content, damage).decode("utf-8", errors="replace")
    ends_well(lambda: check_survey(parse_yaml(text, "tiny.yaml"), pipeline.schema(), "tiny.yaml"))


CONFIG = yaml.safe_load((pipeline.TINY / "config/surveys/tiny.yaml").read_text(encoding="utf-8"))


def places(value, path=()):
    """Every place in a config."""
    yield path
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from places(part, (*path, key))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**18),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["ratio_of_sums", "region", "national", "DECIDE", "maximum", "yes", "doctors"]),
    st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.dates(),
)
PLACES = [path for path in places(CONFIG) if path]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from(PLACES), st.sampled_from(["set", "drop", "rename", "twice"]), VALUES
        ),
        min_size=1,
        max_size=3,
    )
)
def test_a_changed_config_is_checked_or_refused(changes):
    config = copy.deepcopy(CONFIG)
    for path, how, value in changes:
        inside = config
        try:
            for key in path[:-1]:
                inside = inside[key]
            last = path[-1]
            if how == "set":
                inside[last] = value
            elif how == "drop":
                del inside[last]
            elif how == "rename" and isinstance(inside, dict):
                inside[str(value)] = inside.pop(last)
            elif isinstance(inside, list):
                inside.append(copy.deepcopy(inside[last]))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    ends_well(lambda: check_survey(config, pipeline.schema(), "tiny.yaml"))
