"""Every example of docs/engine.md gives what it says."""

import doctest
import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "engine.md"


def test_the_examples_of_the_engine():
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 15
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, GUIDE.name, None, 0)
    told: list[str] = []
    doctest.DocTestRunner().run(examples, out=told.append)
    assert len(examples.examples) > 80
    assert not told, "".join(told)
