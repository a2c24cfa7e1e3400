"""Every job computes with one level of instructions, where the processor has it."""

import json
import os
import platform
import subprocess
import sys

import pytest

from prevalence.computing import LEVEL, ONE_THREAD, instructions_here, portable_settings

AVX2 = {"fpu", "sse4_2", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
AVX512 = AVX2 | {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
# What the libraries say that they compute with.
ASKED = """
import json
import numpy as np
from numba.core import codegen
np.ones((2, 2)) @ np.ones((2, 2))
found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
numba = codegen.JITCPUCodegen("asked")
print(json.dumps([found, numba._get_host_cpu_name(), numba._get_host_cpu_features()]))
"""


def test_processors_of_ten_years_compute_with_the_same_instructions():
    assert portable_settings(AVX2) == portable_settings(AVX512)
    assert portable_settings(AVX2)["NUMBA_CPU_NAME"] == LEVEL


@pytest.mark.parametrize("there", [set(), AVX2 - {"avx2"}, AVX2 - {"fma"}, {"fp", "asimd"}])
def test_other_processors_choose_for_themselves(there):
    """Kernels that a processor hasn't would end a job by an illegal instruction."""
    assert portable_settings(there) == ONE_THREAD


@pytest.mark.skipif(
    portable_settings(instructions_here()) == ONE_THREAD,
    reason=f"this {platform.machine()} hasn't the instructions of {LEVEL}",
)
def test_the_libraries_do_as_they_are_asked():
    environment = {**os.environ, **portable_settings(instructions_here())}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ASKED],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    found, name, features = json.loads(done.stdout)
    assert found == ["X86_V3"], "numpy's names of its loops have changed: name the higher ones"
    assert (name, features) == (LEVEL, "+avx2,+fma")
