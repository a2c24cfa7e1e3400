"""Copy freshly made synthetic exports to data/raw/ and declare them in their manifests."""

import hashlib
import shutil
import sys
from pathlib import Path

from prevalence.errors import PipelineError
from prevalence.files import replacing, write_text

SOURCE, TARGET = Path("data/processed/synthetic"), Path("data/raw")


def adopt(source: Path, target: Path) -> list[str]:
    """Copy every file and rewrite the manifest; return the names that changed."""
    files = sorted(path for path in source.iterdir() if path.is_file())
    if not files:
        raise PipelineError("There is nothing to adopt.", file=source, remedy="make synthesize")
    changed = []
    for file in files:
        there = target / file.name
        if not there.exists() or there.read_bytes() != file.read_bytes():
            changed.append(file.name)
            with replacing(there) as partial:
                shutil.copyfile(file, partial)
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    write_text("".join(lines), target / "MANIFEST.sha256")
    return changed


def main() -> int:
    """Adopt each synthetic survey that was made."""
    try:
        for source in sorted(path for path in SOURCE.glob("*") if path.is_dir()):
            changed = adopt(source, TARGET / source.name)
            print(f"data/raw/{source.name}: {', '.join(changed) or 'nothing'} changed")
    except PipelineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
