"""A target of its own, complete: each model as one plain C99 function that takes neurons from stamp k to stamp k + 1."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import numpy as np

from birc.backends import Artifact, Dtype, Job, Missing, Spikes
from birc.backends.c_family import KEYWORDS
from birc.backends.legality import Takes, refusals
from birc.backends.names import file_name, identifiers
from birc.backends.text import Syntax, lines
from birc.errors import Diagnostic
from birc.ir.expr import Expr
from birc.ir.step import Define, Deliver, Emit, Step, Store

# The op table: how C writes each op, with how tightly it binds. Numbers, counts and flags are all double.
INFIX = {"add": ("+", 6), "sub": ("-", 6), "mul": ("*", 7), "div": ("/", 7), "and": ("&&", 2), "or": ("||", 1)}
INFIX |= {"lt": ("<", 5), "le": ("<=", 5), "gt": (">", 5), "ge": (">=", 5), "eq": ("==", 4), "ne": ("!=", 4)}
PREFIX = {"neg": ("-", 8), "not": ("!", 8)}
CALL = {name: f"{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "floor")}
CALL |= {"abs": "fabs({0})", "pow": "pow({0}, {1})", "select": "({0} ? {1} : {2})"}
CALL |= {"min": "({0} < {1} ? {0} : {1})", "max": "({0} > {1} ? {0} : {1})"}
FRAME = frozenset(("n", "k", "slot", "bind", "input", "payload", "fired", "step", *(call.partition("(")[0] for call in CALL.values())))
SIGNATURE = "void step(int n, double **slot, double **bind, double **input, double **payload, unsigned char *fired)"


class C99:
    """See `birc.backends.Backend`."""

    name = "c99"
    description = "one plain C99 function per model"
    levels: Mapping[Dtype, str] = {"f64": "L1"}
    takes = Takes(
        "the c99 target",
        ops=frozenset((*INFIX, *PREFIX, *CALL)),
        features=frozenset(("inputs", "summed events", "spikes", "counts", "flags", "learned parameters")),
        dtypes=frozenset(("f64",)),
        advice={"f32": "compile with `--dtype f64`", "noise": "`--target native` draws it"},
    )

    def missing(self) -> Missing | None:
        return None if shutil.which("cc") else Missing("a C compiler", "install gcc or clang")

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        return refusals(step, dtype, self.takes)

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        statements = [statement for _, statement in step.statements()]
        ends = [(f"{s.slot}.end", s.value) for s in statements if isinstance(s, Store)]
        ends += [("fired.end", s.fired) for s in statements if isinstance(s, Emit)]
        named = [*defines(step), *ends]
        words = identifiers([name for name, _ in named], KEYWORDS | FRAME)
        places = {("load", slot.name): f"slot[{i}][k]" for i, slot in enumerate(step.slots)}
        places |= {("value", define.name): f"bind[{i}][k]" for i, define in enumerate(step.bind)}
        places |= {("read", port.name): f"input[{i}][k]" for i, port in enumerate(step.inputs)}
        ports = {port.name: i for i, port in enumerate(step.events)}
        places |= {("value", s.payload): f"payload[{ports[s.port]}][k]" for s in statements if isinstance(s, Deliver)}
        targets = {f"{slot.name}.end": places["load", slot.name] for slot in step.slots} | {"fired.end": "fired[k]"}

        def leaf(e: Expr) -> str:
            return places.get((e.op, str(e.attr))) or words[str(e.attr)]

        syntax = Syntax(INFIX, PREFIX, CALL, literal, leaf)
        fresh = (f"t{i}" for i in count(1) if f"t{i}" not in words.values())
        body = [f"const double {line.name} = {line.text};" for line in lines([(words[name], e) for name, e in named], syntax, fresh)]
        body += [f"{targets[name]} = {words[name]};" for name, _ in ends]
        inner = "".join(f"        {line}\n" for line in body)
        text = f"#include <math.h>\n\n{SIGNATURE} {{\n    for (int k = 0; k < n; k++) {{\n{inner}    }}\n}}\n"
        return Artifact("c99", step, dtype, {f"{file_name(step.name)}.c": text})

    def load(self, artifact: Artifact) -> "Runner":
        return Runner(artifact)


def defines(step: Step) -> Iterator[tuple[str, Expr]]:
    """Every name of the program with what it stands for, in order; events are summed before the step."""
    for _, statement in step.statements():
        match statement:
            case Define(name=name, value=e):
                yield name, e
            case Deliver():
                yield from ((carry.name, carry.initial) for carry in statement.carries)
                yield from ((define.name, define.value) for define in statement.body)
                yield from ((carry.result, carry.next) for carry in statement.carries)
            case _:
                pass


def literal(value: float | int | bool) -> str:
    """A number as C writes it."""
    number = float(value)
    return repr(number) if np.isfinite(number) else "NAN" if number != number else "INFINITY" if number > 0 else "-INFINITY"


class Runner:
    """See `birc.backends.Runner`."""

    def __init__(self, artifact: Artifact) -> None:
        self.program = artifact.step
        with tempfile.TemporaryDirectory() as folder:
            for name, text in artifact.files.items():
                Path(folder, name).write_text(str(text), "utf-8")
                command = ["cc", "-std=c99", "-O2", "-ffp-contract=off", "-fPIC", "-shared", name, "-o", "step.so", "-lm"]
                subprocess.run(command, cwd=folder, check=True)
            self.step = ctypes.CDLL(str(Path(folder, "step.so"))).step

    def run(self, job: Job) -> Spikes:
        program, n = self.program, job.n
        slots = {slot.name: job.state[slot.name].astype(np.float64) for slot in program.slots}
        bind = [np.ascontiguousarray(np.broadcast_to(np.float64(job.bind[define.name]), n)) for define in program.bind]
        fired = np.zeros((job.steps, n), np.uint8)
        for j in range(job.steps):
            rows = [job.inputs[port.name][j if len(job.inputs[port.name]) > 1 else 0] for port in program.inputs]
            inputs = [np.ascontiguousarray(np.broadcast_to(row, n), np.float64) for row in rows]
            payloads = [np.zeros(n) for _ in program.events]
            for port, total in zip(program.events, payloads, strict=True):
                events = job.events[port.name]
                here = slice(events.offsets[j], events.offsets[j + 1])
                np.add.at(total, events.index[here], events.payload[here])
            self.step(n, *map(table, (list(slots.values()), bind, inputs, payloads)), ctypes.c_void_p(fired[j].ctypes.data))
            if (job.start + j + 1) % job.every == 0:
                for name, array in job.record.items():
                    array[(job.start + j + 1) // job.every - job.start // job.every - 1] = slots[name]
        for name, values in slots.items():
            job.state[name][:] = values
        step, neuron = np.nonzero(fired)
        return Spikes(neuron.astype(np.int32), job.start + step.astype(np.int64) + 1)


def table(arrays: list[np.ndarray]) -> ctypes.Array[ctypes.c_void_p]:
    """The arrays' addresses."""
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


BACKEND = C99()
