"""The crate of a run: RO-Crate 1.2, whole, and without a byte of raw data."""

import json

import pytest
from toy_runs import SOURCES, files, manifest

from prevalence.audit.crate import named_by_hash, write_crate


@pytest.fixture(scope="module")
def crate(tmp_path_factory):
    root = tmp_path_factory.mktemp("run")
    record = root / "data/processed/toy/audit"
    record.mkdir(parents=True)
    made = manifest()
    for path, content in {"Snakefile": b"rule all:\n", **SOURCES, **files()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (record / "manifest.json").write_text(json.dumps(made.plain()))
    return write_crate(root, record, made, "A title", ["An author"])


@pytest.fixture(scope="module")
def graph(crate):
    metadata = json.loads((crate / "ro-crate-metadata.json").read_text())
    assert metadata["@context"] == "https://w3id.org/ro/crate/1.2/context"
    return {entity["@id"]: entity for entity in metadata["@graph"]}


def test_the_descriptor_and_the_root_have_what_the_standard_requires(graph):
    descriptor = graph["ro-crate-metadata.json"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    root = graph[descriptor["about"]["@id"]]
    for name in ("name", "description", "datePublished", "license"):
        assert root[name]
    assert root["datePublished"] == "2023-09-07"


def test_every_reference_leads_to_an_entity(graph):
    def references(value):
        if isinstance(value, dict):
            yield value["@id"]
        elif isinstance(value, list):
            for part in value:
                yield from references(part)

    elsewhere = ("https://w3id.org/ro/crate/",)
    for entity in graph.values():
        for name, value in entity.items():
            for target in references(value) if name != "@id" else ():
                assert target in graph or target.startswith(elsewhere), (entity["@id"], target)


def test_every_file_is_there_and_raw_data_are_named_by_hash_alone(crate, graph):
    held = [entity for entity in graph.values() if "File" in str(entity["@type"])]
    assert len(held) == 5
    for entity in held:
        assert (crate / entity["@id"]).is_file()
    digest = manifest().inputs["data/raw/toy/toy.sav"]
    assert graph[named_by_hash(digest)]["name"] == "data/raw/toy/toy.sav"
    assert not [
        path for path in crate.rglob("*") if path.is_file() and b"answers" in path.read_bytes()
    ]


def test_the_run_joins_what_went_in_and_what_came_out(graph):
    run = next(entity for entity in graph.values() if entity["@type"] == "CreateAction")
    assert run["instrument"] == {"@id": "Snakefile"}
    assert {"@id": "reports/toy/summary.html"} in run["result"]
    assert "endTime" not in run
