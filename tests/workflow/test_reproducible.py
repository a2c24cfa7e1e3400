"""Same inputs, same bytes, whatever the number of cores.

The fast proof of it is test_isolation.py: each job again, one after the other, each alone.
"""

import pytest
from same_bytes import differing


@pytest.mark.slow
def test_one_core_and_two_give_the_same_bytes(finished, fresh):
    fresh.run(cores=1)
    assert len(fresh.outputs()) > 50
    assert differing(finished.outputs(), fresh.outputs()) == []
