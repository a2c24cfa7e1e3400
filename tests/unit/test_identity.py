from prevalence.identity import content_hash, run_identity, value_hash

PARTS = {
    "raw": {"a.sav": "00ff"},
    "config": {"survey": {"level": 0.95, "domains": ["region"]}},
    "code": {"src/a.py": "x = 1\n"},
    "environment": {"lock": "numpy==2"},
}


def test_order_and_layout_do_not_matter():
    assert content_hash({"a": "1", "b": "2"}) == content_hash({"b": "2", "a": "1"})
    assert value_hash({"a": 1, "b": [2]}) == value_hash({"b": [2], "a": 1})


def test_names_and_contents_cannot_be_confused():
    assert content_hash({"a": "bc"}) != content_hash({"ab": "c"})
    assert content_hash({"a": "1", "b": ""}) != content_hash({"a": "", "b": "1"})


def test_each_part_changes_the_identity_and_only_its_own_hash():
    before = run_identity(**PARTS)
    for part, values in PARTS.items():
        changed = run_identity(**(PARTS | {part: values | {"new": "value"}}))
        assert changed["identity"] != before["identity"]
        differing = [name for name in PARTS if changed["parts"][name] != before["parts"][name]]
        assert differing == [part]
