"""Brian2's programs: how one is written, built and timed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brian2 as b2
import numpy as np

from .line import Task

FAST = ["-w", "-O3", "-ffast-math", "-march=native", "-std=c++11"]
"""Its own flags with `-fno-finite-math-only` left out, which keeps the C library's vector functions from being used."""

Run = Callable[[], tuple[float, int]]


@contextmanager
def program(task: Task) -> Iterator[tuple[str, Callable[[Any, Any], Run]]]:
    """Its version with its flags, and what builds a network and its spike monitor and gives the run of it: processor seconds and spikes.

    What belongs to the network is made inside the block.
    """
    b2.prefs.core.default_float_dtype = np.float32 if task.dtype == "f32" else np.float64
    if "--fast-math" in task.flags:
        b2.prefs.codegen.cpp.extra_compile_args_gcc = FAST
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.defaultclock.dt = task.dt * b2.ms
    b2.device.insert_code("before_network_run", "std::clock_t began = std::clock();")
    b2.device.insert_code(
        "after_network_run",
        'FILE* took = fopen("seconds", "w"); fprintf(took, "%.9g", double(std::clock() - began) / CLOCKS_PER_SEC); fclose(took);',
    )
    with tempfile.TemporaryDirectory() as folder:

        def build(network: Any, monitor: Any) -> Run:
            network.run(task.duration * b2.ms)
            b2.device.build(directory=folder, compile=True, run=False)

            def run() -> tuple[float, int]:
                b2.device.run(directory=folder, with_output=False, run_args=[])
                return float(Path(folder, "seconds").read_text("utf-8")), int(monitor.num_spikes)

            return run

        yield f"{b2.__version__}, {' '.join(b2.prefs.codegen.cpp.extra_compile_args_gcc)}", build
