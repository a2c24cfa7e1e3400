"""The stored posterior: ArviZ's InferenceData schema, in one netCDF file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.models.specified import ALL_AREAS

if TYPE_CHECKING:
    from prevalence.models.fitting import Posterior

REPORTED = "reported"


def inference_data(posterior: Posterior, everywhere: Posterior | None = None) -> Any:
    """Lay out a posterior as InferenceData.

    Parameters
    ----------
    posterior
        The draws.
    everywhere
        Of the same fit, with the areas predicted that were not sampled.

    Returns
    -------
    xarray.DataTree
        Group ``posterior``: ``reported`` over the dimension ``quantity`` (sizes in persons,
        degrees in people known), with predicted areas ``reported_all_areas`` over ``national``,
        and ``parameters``, the global ones, over ``parameter``. Group
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
    coords = {"quantity": _labels(posterior), "parameter": names}
    dims = {"reported": ["quantity"], "parameters": ["parameter"]}
    if everywhere is not None:
        data["posterior"][REPORTED + ALL_AREAS] = everywhere.draws
        coords["national"] = _labels(everywhere)
        dims[REPORTED + ALL_AREAS] = ["national"]
    tree = from_dict(data, coords=coords, dims=dims)
    for node in tree.subtree:
        node.attrs = {}
    tree.attrs = {"model": posterior.model, "whitened": int(posterior.fit.whitened)}
    return tree


def _labels(posterior: Posterior) -> list[str]:
    return [quantity.label for quantity in posterior.quantities]


def write_inference_data(
    posterior: Posterior, path: str | Path, everywhere: Posterior | None = None
) -> None:
    """Write a posterior, whole or not at all.

    Parameters
    ----------
    posterior, everywhere
        As for :func:`inference_data`.
    path
        The file, ``.nc``; ``xarray.open_datatree`` and ArviZ read it.
    """
    from prevalence.files import replacing

    with replacing(path) as partial:
        inference_data(posterior, everywhere).to_netcdf(partial, engine="h5netcdf")


def read_reported(path: str | Path) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Read the draws of what a stored posterior reports.

    Parameters
    ----------
    path
        A file by :func:`write_inference_data`, named after its model.

    Returns
    -------
    dict of dict
        By estimator (the model, and the model with predicted areas where it has any), by the label
        of each quantity, its draws, one chain after another, shape (draws,).
    """
    import xarray

    found = {}
    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        for suffix, dimension in (("", "quantity"), (ALL_AREAS, "national")):
            name = REPORTED + suffix
            if name not in tree["posterior"]:
                continue
            reported = tree["posterior"][name].transpose("chain", "draw", dimension)
            labels = [str(label) for label in reported[dimension].to_numpy()]
            draws = reported.to_numpy().reshape(-1, len(labels)).T
            found[Path(path).stem + suffix] = dict(zip(labels, draws, strict=True))
    return found
