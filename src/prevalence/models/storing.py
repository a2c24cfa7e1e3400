"""The stored posterior: ArviZ's InferenceData schema, in one netCDF file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from prevalence.models.fitting import Posterior


def inference_data(posterior: Posterior) -> Any:
    """Lay out a posterior as InferenceData.

    Parameters
    ----------
    posterior
        The draws.

    Returns
    -------
    xarray.DataTree
        Group ``posterior``: ``reported`` over the dimension ``quantity`` (sizes in persons,
        degrees in people known) and ``parameters``, the global ones, over ``parameter``. Group
        ``sample_stats``: ``energy``, ``diverging``, ``n_steps``. Respondents' and areas' effects
        are not stored. Without ArviZ's time stamp: the same draws give the same bytes.
    """
    # ArviZ tells which plotting library it would use: nothing for a job's log.
    logging.getLogger("arviz").setLevel(logging.WARNING)
    from arviz_base import from_dict

    names = list(posterior.density.layout.names)
    data: dict[str, Any] = {
        "posterior": {
            "reported": posterior.draws,
            "parameters": posterior.parameters[:, :, : len(names)],
        },
        "sample_stats": {
            "energy": posterior.fit.energy,
            "diverging": posterior.fit.divergent,
            "n_steps": posterior.fit.steps,
        },
    }
    tree = from_dict(
        data,
        coords={
            "quantity": [quantity.label for quantity in posterior.quantities],
            "parameter": names,
        },
        dims={"reported": ["quantity"], "parameters": ["parameter"]},
    )
    for node in tree.subtree:
        node.attrs = {}
    tree.attrs = {"model": posterior.model, "whitened": int(posterior.fit.whitened)}
    return tree


def write_inference_data(posterior: Posterior, path: str | Path) -> None:
    """Write a posterior, whole or not at all.

    Parameters
    ----------
    posterior
        The draws.
    path
        The file, ``.nc``; ``xarray.open_datatree`` and ArviZ read it.
    """
    from prevalence.files import replacing

    with replacing(path) as partial:
        inference_data(posterior).to_netcdf(partial, engine="h5netcdf")


def read_reported(path: str | Path) -> dict[str, NDArray[np.float64]]:
    """Read the draws of what a stored posterior reports.

    Parameters
    ----------
    path
        A file by :func:`write_inference_data`.

    Returns
    -------
    dict
        By the label of each quantity its draws, one chain after another, shape (draws,).
    """
    import xarray

    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        reported = tree["posterior"]["reported"]
        draws = reported.transpose("chain", "draw", "quantity").to_numpy()
        labels = [str(label) for label in reported["quantity"].to_numpy()]
    return dict(zip(labels, draws.reshape(-1, len(labels)).T, strict=True))
