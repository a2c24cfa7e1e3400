"""Compilation of the inner loops, kept between runs beside the source."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TypeVar, cast

from prevalence.errors import PipelineError

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a loop over arrays with numba, without the interpreter's lock.

    No `fastmath`: it would remove the checks for values that are not finite.

    Parameters
    ----------
    function
        Plain loops over arrays and floats.

    Returns
    -------
    callable
        The same function, compiled at its first call and cached on disk.

    Raises
    ------
    PipelineError
        If numba isn't installed.
    """
    try:
        numba = importlib.import_module("numba")
    except ImportError as error:
        raise PipelineError(
            "The models need a package that isn't installed.",
            found="no numba",
            remedy="Install the project's requirements.lock, or leave the section `model:` out "
            "of the survey's config.",
        ) from error
    decorate = numba.njit(cache=True, nogil=True, error_model="numpy")
    return cast(Function, decorate(function))
