"""Same inputs, same bytes, whatever the number of cores."""

from same_bytes import differing


def test_one_core_and_two_give_the_same_bytes(finished, fresh):
    fresh.run(cores=1)
    assert len(fresh.outputs()) > 50
    assert differing(finished.outputs(), fresh.outputs()) == []
