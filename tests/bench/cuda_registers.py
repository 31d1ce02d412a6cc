"""`python -m tests.bench.cuda_registers [--write]`: what nvcc makes of the library's models, as a table.

--write puts the table into `docs/cuda_registers.md`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import birc
from birc.backends import Dtype
from birc.backends.c_family import build
from birc.backends.cuda import BACKEND
from birc.backends.cuda.device import find_nvcc
from birc.backends.cuda.emit import FLAGS
from birc.ir.step import Step
from birc.sources import neuron_files

ROOT = Path(__file__).parent.parent.parent
ARCHITECTURES = ("80", "90")
DTYPES: tuple[Dtype, ...] = ("f32", "f64")


@dataclass(frozen=True)
class Kernel:
    """What the assembler says of a kernel on one architecture: registers of a thread, and bytes that do not fit into them."""

    architecture: str
    registers: int
    stack: int
    spilled: int


@dataclass(frozen=True)
class Compiled:
    """One run of nvcc for all architectures: its kernels, its seconds, and every word of it that is not about kernels."""

    kernels: tuple[Kernel, ...]
    seconds: float
    words: str


def library() -> Iterator[tuple[str, Step]]:
    """The neurons of the library, by name of their file."""
    for name in neuron_files():
        yield name, birc.compile_model(name, target="cuda").step


def compiled(step: Step, dtype: Dtype) -> Compiled:
    """Compile a model for all architectures; warnings are errors."""
    nvcc = find_nvcc()
    assert nvcc is not None
    targets = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in BACKEND.emit(step, dtype).files.items():
            assert isinstance(content, str)
            Path(folder, name).write_text(content, "utf-8")
        (source,) = Path(folder).glob("*.cu")
        command = [nvcc, *FLAGS, *targets, "-Werror", "all-warnings", "-Xcompiler", "-Wall,-Wextra,-Werror", "-Xptxas", "-v,-warn-spills"]
        began = time.perf_counter()
        done = subprocess.run([*command, source.name, "-o", "model.so"], cwd=folder, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    log = done.stdout + done.stderr
    words = "\n".join(line for line in log.splitlines() if not line.startswith(("ptxas info", "    ")))
    if done.returncode:
        raise RuntimeError(f"nvcc refused {step.name} in {dtype}:\n{log}")
    return Compiled(tuple(_kernels(log)), seconds, words)


def _kernels(log: str) -> Iterator[Kernel]:
    head, body = r"Compiling entry function '\S*advance\S*' for 'sm_(\d+)'.*?", r"(\d+) bytes stack frame, (\d+) bytes spill stores.*?"
    pattern = head + body + r"Used (\d+) registers"
    for architecture, stack, spilled, registers in re.findall(pattern, log, re.DOTALL):
        yield Kernel(architecture, int(registers), int(stack), int(spilled))


def table() -> str:
    """A row for each model and number type."""
    columns = [f"{what}, sm_{a}" for a in ARCHITECTURES for what in ("registers", "stack, bytes", "spilled, bytes")]
    lines = ["| " + " | ".join(("model", "type", *columns, "nvcc, s")) + " |", "|---|---" + "|---:" * (len(columns) + 1) + "|"]
    for name, step in library():
        for dtype in DTYPES:
            found = compiled(step, dtype)
            cells = [str(cell) for kernel in found.kernels for cell in (kernel.registers, kernel.stack, kernel.spilled)]
            lines.append("| " + " | ".join((name, dtype, *cells, f"{found.seconds:.1f}")) + " |")
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    nvcc = find_nvcc()
    version = (build.output([nvcc, "--version"]) or "").splitlines()[-1] if nvcc else ""
    return f"""# Registers of the CUDA kernels

Made by `python -m tests.bench.cuda_registers --write` with nvcc ({version}), flags `{" ".join(FLAGS)}`, warnings being errors.

A thread holds one neuron. An sm_80 or sm_90 multiprocessor has 65 536 registers, and is full with 2048 threads of 32 registers. Stack is
memory of a thread that is indexed, as by the reduction of large angles in `sin`; what is spilled did not fit into registers.

{table()}
"""


def main(arguments: list[str]) -> int:
    """Compile everything and print; with `--write`, also into `docs/cuda_registers.md`."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cuda_registers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write docs/cuda_registers.md")
    options = parser.parse_args(arguments)
    if find_nvcc() is None:
        print("nvcc is not installed: install the CUDA toolkit, 12.1 or newer", file=sys.stderr)
        return 3
    text = page()
    print(text, end="")
    if options.write:
        (ROOT / "docs" / "cuda_registers.md").write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
