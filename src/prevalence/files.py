"""Reading and writing of the pipeline's own files: the only writer of tables.

Every writer goes to a temporary file beside its target and is moved into place when it is complete,
so that an interrupted step never leaves half a file. Same content, same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path that takes the place of `path` when the block ends without an error.

    Parameters
    ----------
    path
        The file to be written; its folder is made if need be.

    Yields
    ------
    pathlib.Path
        The temporary file, in the same folder and with the same suffix.

    Raises
    ------
    PipelineError
        If the folder cannot be written or the disk is full.
    """
    target = Path(path)
    partial = target.with_name(f".{target.stem}.partial{os.getpid()}{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # What a killed process left of the same file: nobody else writes it at the same time.
        for left in target.parent.glob(f".{escape(target.stem)}.partial*{escape(target.suffix)}"):
            left.unlink()
        yield partial
        partial.replace(target)
    except OSError as error:
        if error.errno is None:
            raise
        raise PipelineError(
            "A file could not be written.",
            file=target,
            found=error.strerror,
            allowed="a folder with write permission and free space",
            remedy="Free space or mend the permissions, then run snakemake again; "
            "earlier results are untouched.",
        ) from error
    finally:
        with suppress(OSError):  # the first error is the one to tell
            partial.unlink()


def check_writable(paths: Iterable[str | Path]) -> None:
    """Refuse files that couldn't be written, before the work is done.

    Parameters
    ----------
    paths
        Files and folders that will be made; those that are there are replaced.

    Raises
    ------
    PipelineError
        Naming what is write-protected: a file itself, or the folder in which it would stand.
    """
    places: dict[Path, None] = {}
    for path in map(Path, paths):
        places[next(each for each in path.parents if each.exists())] = None
        inside = path.rglob("*") if path.is_dir() else ()
        places |= dict.fromkeys(place for place in (path, *inside) if place.exists())
    protected = [
        place for place in places if not place.is_symlink() and not os.access(place, os.W_OK)
    ]
    if protected:
        raise PipelineError(
            "Results could not be written.",
            file=protected[0],
            found=f"write-protected: {listed(sorted(map(str, protected)))}",
            allowed="files and folders that this account may write",
            remedy="Mend the permissions (chmod -R u+w, or chattr -i), or what the disk is mounted "
            "as; then run snakemake again. Nothing was run, earlier results are untouched.",
        )


def write_text(text: str, path: str | Path) -> None:
    """Write a text as UTF-8 with Unix line ends."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def json_text(value: object) -> str:
    """Give JSON with sorted keys, indented, ending in a newline; NaN is refused."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def write_json(value: object, path: str | Path) -> None:
    """Write a value as :func:`json_text` gives it."""
    write_text(json_text(value), path)


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a small table: UTF-8, Unix line ends, no index, shortest round-trip floats."""
    with replacing(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n", encoding="utf-8")


def read_csv(path: str | Path, **options: Any) -> pd.DataFrame:
    """Read a table that `write_csv` wrote; only the empty field is missing.

    Parameters
    ----------
    path
        The file.
    **options
        Passed to :func:`pandas.read_csv`.
    """
    import pandas as pd

    settings: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
    frame: pd.DataFrame = pd.read_csv(path, **(settings | options))
    return frame


def write_parquet(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a row-level table as Parquet (zstd), without an index."""
    with replacing(path) as partial:
        frame.to_parquet(partial, index=False, compression="zstd")


def write_parquet_pieces(pieces: Iterable[pd.DataFrame], path: str | Path) -> None:
    """Write a long row-level table piece by piece: as `write_parquet` does, but never held whole.

    Parameters
    ----------
    pieces
        At least one table; all of the same columns and types.
    path
        The file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(path) as partial, ExitStack() as stack:
        writer = None
        for piece in pieces:
            table = pa.Table.from_pandas(piece, preserve_index=False)
            if writer is None:
                file = pq.ParquetWriter(partial, table.schema, compression="zstd")
                writer = stack.enter_context(file)
            writer.write_table(table)


def read_parquet(
    path: str | Path, columns: list[str] | None = None, coded: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a Parquet table, or some of its columns.

    Parameters
    ----------
    path
        The file.
    columns
        The columns; all unless told.
    coded
        Columns of texts that repeat themselves: read as categorical ones, a code a cell.
    """
    import pandas as pd

    options: dict[str, Any] = {"read_dictionary": list(coded)} if coded else {}
    return pd.read_parquet(path, columns=columns, **options)


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file of plain values.

    Raises
    ------
    PipelineError
        If the file cannot be read or is not plain YAML: the message names the line.
    """
    from prevalence.strict_yaml import parse_yaml

    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PipelineError(
            "A config file is missing.", file=path, remedy="Write it, or mend the name."
        ) from error
    except UnicodeDecodeError as error:
        raise PipelineError(
            "A config file is not UTF-8.",
            file=path,
            place=f"byte {error.start + 1:,}",
            remedy="Save it as UTF-8.",
        ) from None
    except OSError as error:
        raise PipelineError(
            "A config file cannot be read.",
            file=path,
            found=error.strerror,
            remedy="Put a file there that can be read.",
        ) from None
    return parse_yaml(text, path)
