"""Numbers that name domains are read as the codes that other tables have."""

import pandas as pd

from prevalence.domains import domains_of
from prevalence.study_files import with_codes


def test_a_numbered_domain_has_the_name_that_tables_give_it():
    respondents = pd.DataFrame({"zone": [1.0, 2.0, None], "age": [30.0, 40.5, 50.0]})
    settings = [{"type": "zone", "variable": "zone", "kind": "geographic"}]
    coded = with_codes(respondents, settings)
    found = domains_of(coded, settings, ["2", "1"])
    assert [(one.name, one.mask.sum()) for one in found[1:]] == [("2", 1), ("1", 1)]
    assert coded["age"].equals(respondents["age"])
