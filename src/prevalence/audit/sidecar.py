"""What stands beside each published table: its columns, its hash and the identity of its making.

The form is CSV on the Web (W3C, 2015): `<table>.csv-metadata.json` beside `<table>.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.audit.contents import sha256

if TYPE_CHECKING:
    from prevalence.contracts import schema as pa

SUFFIX = "-metadata.json"
SYNTHETIC = "SYNTHETIC DATA: made by a computer program; says nothing about any real place."
_DATATYPES = {"float": "double", "int": "integer", "Int": "integer", "bool": "boolean"}


def sidecar(
    name: str,
    content: bytes,
    contract: pa.DataFrameSchema | None,
    identity: Mapping[str, Any],
    *,
    synthetic: bool,
) -> dict[str, Any]:
    """Describe a published table.

    Parameters
    ----------
    name
        File name of the table.
    content
        Its bytes.
    contract
        The contract of its columns; None if it has none.
    identity
        Identity of the released tables: a hash over all on which they rest.
    synthetic
        Whether the data are synthetic.

    Returns
    -------
    dict
        CSVW metadata: names, types and meanings of the columns that the file has, ``sha256`` of
        the file and the identity.
    """
    header = content.decode("utf-8").split("\n", 1)[0].strip().split(",")
    described = contract.columns if contract is not None else {}
    columns = [_column(column, described.get(column)) for column in header if column]
    found: dict[str, Any] = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": name,
        "dc:identifier": identity["identity"],
        "schema:sha256": sha256(content),
        "tableSchema": {"columns": columns},
    }
    if contract is not None and contract.description:
        found["dc:description"] = " ".join(contract.description.split())
    if synthetic:
        found["dc:rights"] = SYNTHETIC
    return found


def _column(name: str, spec: pa.Column | None) -> dict[str, str]:
    if spec is None:
        return {"name": name}
    kind = str(spec.dtype)
    datatype = next((to for start, to in _DATATYPES.items() if kind.startswith(start)), "string")
    found = {"name": name, "datatype": datatype}
    if spec.description:
        found["dc:description"] = " ".join(spec.description.split())
    return found
