"""A target of its own, complete: each model as one plain C99 function that takes neurons from stamp k to stamp k + 1."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from birc.backends import Array, Artifact, Dtype, Missing
from birc.backends.c_family import KEYWORDS
from birc.backends.legality import Takes, refusals
from birc.backends.names import file_name
from birc.backends.straight import Arrays, Places, StepByStep, Table, straight
from birc.errors import Diagnostic
from birc.ir.step import Step

INFIX = {"add": ("+", 6), "sub": ("-", 6), "mul": ("*", 7), "div": ("/", 7), "and": ("&&", 2), "or": ("||", 1)}
INFIX |= {"lt": ("<", 5), "le": ("<=", 5), "gt": (">", 5), "ge": (">=", 5), "eq": ("==", 4), "ne": ("!=", 4)}
PREFIX = {"neg": ("-", 8), "not": ("!", 8)}
CALL = {name: f"{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "floor")}
CALL |= {"abs": "fabs({0})", "pow": "pow({0}, {1})", "select": "({0} ? {1} : {2})"}
CALL |= {"min": "({0} < {1} ? {0} : {1})", "max": "({0} > {1} ? {0} : {1})"}
WORDS = KEYWORDS | {"n", "k", "slot", "bind", "input", "payload", "output", "fired", "step", "NAN", "INFINITY", "fabs", *CALL}


def literal(value: float | int | bool) -> str:
    """A number as C writes it; numbers, counts and flags are all double."""
    number = float(value)
    return repr(number) if np.isfinite(number) else "NAN" if number != number else "INFINITY" if number > 0 else "-INFINITY"


TABLE = Table(INFIX, PREFIX, CALL, literal, WORDS)
FAMILIES = ("slot", "bind", "input", "payload", "output")
SIGNATURE = f"void step(int n, {', '.join(f'double **{name}' for name in FAMILIES)}, double *fired)"


class C99:
    """See `birc.backends.Backend`."""

    name = "c99"
    description = "one plain C99 function per model"
    levels: Mapping[Dtype, str] = {"f64": "L1"}
    takes = Takes(
        "the c99 target",
        ops=TABLE.ops,
        features=frozenset(("inputs", "summed events", "spikes", "outputs", "counts", "flags", "learned parameters")),
        dtypes=frozenset(("f64",)),
        advice={"f32": "compile with `--dtype f64`", "noise": "`--target native` draws it"},
    )

    def missing(self) -> Missing | None:
        return None if shutil.which("cc") else Missing("a C compiler", "install gcc or clang")

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        return refusals(step, dtype, self.takes)

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        assignments, ends = straight(step, TABLE, Places())
        body = [f"const double {name} = {text};" for name, text in assignments] + [f"{place} = {name};" for place, name in ends]
        inner = "".join(f"        {line}\n" for line in body)
        text = f"#include <math.h>\n\n{SIGNATURE} {{\n    for (int k = 0; k < n; k++) {{\n{inner}    }}\n}}\n"
        return Artifact("c99", step, dtype, {f"{file_name(step.name)}.c": text})

    def load(self, artifact: Artifact) -> StepByStep:
        ((name, text),) = artifact.files.items()
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, name).write_text(str(text), "utf-8")
            flags = ["-std=c99", "-O2", "-ffp-contract=off", "-fPIC", "-shared"]
            subprocess.run(["cc", *flags, name, "-o", "step.so", "-lm"], cwd=folder, check=True)
            function = ctypes.CDLL(str(Path(folder, "step.so"))).step

        def advance(n: int, slots: Arrays, bind: Arrays, inputs: Arrays, payloads: Arrays, outputs: Arrays, fired: Array) -> None:
            function(n, *map(addresses, (slots, bind, inputs, payloads, outputs)), ctypes.c_void_p(fired.ctypes.data))

        return StepByStep(artifact.step, advance)


def addresses(arrays: Arrays) -> ctypes.Array[ctypes.c_void_p]:
    """The arrays as C takes them."""
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


BACKEND = C99()
