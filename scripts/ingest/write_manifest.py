"""Declare a survey's raw files anew, after a delivery or a correction, with the reason."""

import argparse
import csv
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from prevalence.errors import PipelineError, listed
from prevalence.files import read_yaml, replacing, write_text
from prevalence.manifest import parse_manifest

COLUMNS = ["date", "file", "sha256_before", "sha256_after", "reason"]


def raw_files(survey: str) -> list[Path]:
    """Every raw file that the survey's config names."""
    ingest = read_yaml(Path("config/surveys") / f"{survey}.yaml")["ingest"]
    names = sorted({ingest["responses"], *(ingest.get("tables") or {}).values()})
    files = [Path("data/raw") / survey / name for name in names]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise PipelineError(
            "Raw files are missing; the manifest was left as it is.",
            file=Path("data/raw") / survey,
            found=f"no {listed(missing)}",
            allowed=listed(names, 20),
            remedy=f"Put them there, or take them out of config/surveys/{survey}.yaml.",
        )
    return files


def declare(survey: str, reason: str) -> str:
    """Write the manifest and the line of the correction; return what to say."""
    if not reason.strip():
        raise PipelineError(
            "A reason is missing.",
            allowed="one sentence that a reader of the changelog understands",
            remedy=f'Call make manifest SURVEY={survey} REASON="…".',
        )
    manifest = Path("data/raw") / survey / "MANIFEST.sha256"
    before = parse_manifest(manifest.read_text(), manifest) if manifest.exists() else {}
    after = {}
    # A declared file that no rule reads, such as a description of the export, stays declared.
    beside = {manifest.with_name(name) for name in before if manifest.with_name(name).is_file()}
    for file in {*raw_files(survey), *beside}:
        with file.open("rb") as stream:
            after[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    changed = [name for name in sorted(before | after) if before.get(name) != after.get(name)]
    if not changed:
        return f"{manifest}: every file is as declared; nothing was written."
    today = datetime.now(UTC).date().isoformat()
    corrections = manifest.with_name("CORRECTIONS.csv")
    earlier = corrections.read_text(encoding="utf-8") if corrections.exists() else None
    with replacing(corrections) as partial, partial.open("w", encoding="utf-8") as stream:
        stream.write(earlier if earlier is not None else ",".join(COLUMNS) + "\n")
        writer = csv.writer(stream, lineterminator="\n")
        for name in changed:
            row = [today, name, before.get(name, ""), after.get(name, ""), reason.strip()]
            writer.writerow(row)
    write_text("".join(f"{after[name]}  {name}\n" for name in sorted(after)), manifest)
    return (
        f"{manifest}: {len(changed)} of {len(after)} files declared anew ({listed(changed)}).\n"
        f"Add to CHANGELOG.md: - {today}, {survey}: {reason.strip()} ({listed(changed)})"
    )


def main() -> int:
    """Parse the command line and declare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", required=True)
    parser.add_argument("--reason", required=True)
    given = parser.parse_args()
    try:
        print(declare(given.survey, given.reason))
    except PipelineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
