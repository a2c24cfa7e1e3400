"""Put on record the headline's choices as they stand, so that a later change of one shows."""

import argparse
import sys
from pathlib import Path

import yaml

from prevalence.config import read_survey
from prevalence.errors import PipelineError
from prevalence.files import write_text

HEAD = """\
# The headline's choices of {survey}, put on record by make freeze, which a team calls before it
# sees results. The report compares the config with it and shows each difference. Never changed.
"""


def freeze(survey: str, folder: Path = Path("config/prespecified")) -> Path:
    """Write the record of a survey; one that stands is never written over."""
    record = folder / f"{survey}.yaml"
    headline = read_survey(survey)["headline"]
    if record.exists():
        raise PipelineError(
            "The headline's choices are on record already.",
            file=record,
            allowed="one record a survey: the first is what was fixed beforehand",
            remedy="Leave it. A changed choice shows as a departure from it in the report.",
        )
    record.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(headline, sort_keys=False, allow_unicode=True, width=100)
    write_text(HEAD.format(survey=survey) + text, record)
    return record


def main() -> int:
    """Parse the command line and freeze."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", required=True)
    try:
        record = freeze(parser.parse_args().survey)
    except PipelineError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{record}: the headline's choices are on record. Commit it before anybody sees results.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
