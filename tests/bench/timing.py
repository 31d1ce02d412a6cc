"""How things are timed: processor time, medians, the two sides of a ratio in turns within one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import birc
from birc.backends import Dtype
from birc.backends.c_family import build
from birc.driver import Compiled
from tests.bench.cases import Case

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
REALS: dict[Dtype, str] = {"f32": "float", "f64": "double"}
FAST = ("-std=c++17", "-O3", "-march=native", *(flag for flag in build.WIDEST if build.find_compiler() and flag in build.compiler().flags))
FLOOR_FLAGS = (*FAST, "-ffast-math")
ROUNDED_FLAGS = (*FAST, "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
"""Of a floor whose every product and sum is rounded."""


def median(measure: Callable[[], float], repeats: int) -> float:
    """The median of some measurements."""
    return statistics.median(measure() for _ in range(repeats))


def fresh_words(code: str, **environment: str) -> list[str]:
    """What a fresh Python prints, word by word."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def fresh(code: str, **environment: str) -> float:
    """The number of seconds that a fresh Python prints."""
    return float(fresh_words(code, **environment)[-1])


def import_seconds() -> float:
    """`import birc` in a fresh Python."""
    return fresh("import time; t = time.perf_counter(); import birc; print(time.perf_counter() - t)")


def check_seconds(lines: int) -> float:
    """`birc check` of a file with so many lines, the whole command."""
    block = (
        "neuron Model{i}:\n"
        "    param tau = 20 ms in (0 ms, inf), R = 100 Mohm, v_th = -50 mV, E = -70 mV\n"
        "    state v = E, w = 0 pA\n"
        "    input I: pA\n"
        "    let push = R * (I - w)\n"
        "    tau * v' = (E - v) + push\n"
        "    tau * w' = 0.1 nS * (v - E) - w\n"
        "    on exc(x: pA): w -= x\n"
        "    spike when v >= v_th: v = E\n"
        "\n"
    )
    text = "".join(block.replace("{i}", str(i)) for i in range(lines // block.count("\n")))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.birc")
        path.write_text(text, "utf-8")
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "birc", "check", str(path)], cwd=ROOT, capture_output=True, check=True)
        return time.perf_counter() - began


CHECK = """
import time
from birc.cli import main
from birc.sources import neuron_files
main(["check", *neuron_files()])
print(time.process_time())
"""


def library_seconds() -> float:
    """`birc check` of all neurons of the library, the whole command; processor time."""
    return fresh(CHECK)


LOAD = """
import time, birc
compiled = birc.compile({model!r}, target="native")
t = time.perf_counter(); compiled.runner; print(time.perf_counter() - t)
"""


def build_seconds(model: str) -> tuple[float, float]:
    """Building a library model's native program: with an empty cache, and again in another process with the full one."""
    with tempfile.TemporaryDirectory() as cache:
        fresh(LOAD.format(model="lif" if model != "lif" else "qif"), XDG_CACHE_HOME=cache)  # the compiler itself is known from now on
        cold = fresh(LOAD.format(model=model), XDG_CACHE_HOME=cache)
        return cold, fresh(LOAD.format(model=model), XDG_CACHE_HOME=cache)


EMIT = """
import time, warnings
from birc import driver, sources
from birc.backends import Differentiable, load_backend
from birc.passes import adjoint
warnings.simplefilter("ignore")
backend, found = load_backend({target!r}), {{}}
more = backend.emit_differentiable if isinstance(backend, Differentiable) else None
for name in ["leaky_integrator", *sources.neuron_files()]:  # with the first one, imports and templates are loaded
    step = driver.lower(sources.choose(sources.load(name), None)[0])[1]
    if not backend.refuse(step, "f32"):
        began = time.process_time()
        more(step, "f32", adjoint.run) if more else backend.emit(step, "f32")
        found[name] = time.process_time() - began
slowest = max(found, key=found.get)
print(slowest, found[slowest])
"""


def emission_seconds(target: str) -> tuple[float, str]:
    """What emitting the library's neuron takes that takes a target longest, in processor time; its name."""
    name, seconds = fresh_words(EMIT.format(target=target))
    return float(seconds), name


def floor_program(dtype: Dtype, folder: Path, name: str = "floor", flags: tuple[str, ...] = FLOOR_FLAGS) -> Path:
    """Hand-written loops, built for a number type."""
    program = folder / f"{name}-{dtype}"
    command = [build.compiler().path, *flags, f"-DREAL={REALS[dtype]}", str(FOLDER / f"{name}.cpp"), "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def floor_pace(program: Path, case: Case) -> tuple[float, int]:
    """Updates of the floor per processor second, and its number of spikes."""
    command = [str(program), str(case.floor), str(case.neurons), str(case.steps)]
    seconds, spikes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return case.neurons * case.steps / float(seconds), int(spikes)


def compiled(case: Case, target: str, dtype: Dtype) -> Compiled:
    """A case's model for a target."""
    return birc.compile_model(case.model, target=target, dt=case.dt, dtype=dtype, solver=case.solver, tables=case.tables)


def run(program: Compiled, case: Case, steps: int, neurons: int, threads: int = 1) -> tuple[float, float, int]:
    """Processor seconds and seconds of a whole run, from Python's call to its result, and the number of spikes."""
    drive = np.linspace(case.low, case.high, neurons)
    wall, began = time.perf_counter(), time.process_time()
    result = program.run(steps=steps, n=neurons, inputs={"I": drive}, threads=threads)
    return time.process_time() - began, time.perf_counter() - wall, len(result.stamps)


def processor_name() -> str:
    """The processor, as the system calls it."""
    words = dict(line.split("\t: ") for line in build.processor().splitlines() if "\t: " in line)
    return words.get("model name", build.processor().splitlines()[0])
