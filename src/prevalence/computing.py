"""Which instructions numbers are computed with: the same ones on every processor that has them.

Libraries choose their loops by the processor that they find, and each choice sums in its own order:
the last digit of a mean differs, and a sampled chain that meets it goes another way from there. The
workflow therefore asks each library, in each job, for one level that nearly every processor of the
last ten years has (x86-64-v3: AVX2 and FMA, no AVX-512).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

# One thread a job in linear algebra: sums don't depend on the machine's number of cores.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LEVEL = "x86-64-v3"
_NEEDED = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
_PORTABLE = {
    # OpenBLAS, in numpy and in scipy: the kernels of the first processors of this level.
    "OPENBLAS_CORETYPE": "Haswell",
    # numpy's own loops: those above the level are left out.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    # Compiled loops of the models.
    "NUMBA_CPU_NAME": LEVEL,
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
    # pyarrow's.
    "ARROW_USER_SIMD_LEVEL": "AVX2",
}


def chosen_kernels() -> str:
    """Name what numpy, the linear algebra and the models' loops compute with in this process."""
    import numpy as np

    config: dict[str, Any] = dict(np.show_config(mode="dicts") or {})
    found = config.get("SIMD Extensions", {}).get("found", [])
    asked = [os.environ.get(name) for name in ("OPENBLAS_CORETYPE", "NUMBA_CPU_NAME")]
    return "/".join([*found[-1:], *(name for name in asked if name)])


def portable_settings(instructions: Collection[str]) -> dict[str, str]:
    """Give the environment in which the same inputs give the same bytes on many processors.

    Parameters
    ----------
    instructions
        Flags of the processor as Linux names them, from :func:`instructions_here`.

    Returns
    -------
    dict
        Environment variables. Where the processor hasn't the level, or can't be asked, libraries
        choose for themselves and results may differ in their last digits.
    """
    return ONE_THREAD | (_PORTABLE if set(instructions) >= _NEEDED else {})


def instructions_here() -> frozenset[str]:
    """Read the flags of this machine's processor; none where the system doesn't tell them."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    lines = [line for line in text.splitlines() if line.startswith("flags")]
    return frozenset(lines[0].partition(":")[2].split()) if lines else frozenset()
