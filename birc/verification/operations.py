"""Each transcendental operation of a program, on the reference's own operands: how far a target is off, in units in the last place."""

from __future__ import annotations

import numpy as np

from birc.backends import Array, Backend, Job
from birc.ir.expr import make, topo, value
from birc.ir.ops import OPS, evaluate_op
from birc.ir.step import Define, Phase, Slot, Step, Store
from birc.units import ONE
from birc.verification.trial import Trial
from birc.verification.watch import Watch

SAMPLES = 4096


def transcendental(watch: Watch) -> bool:
    """Whether targets may differ in the last bits of an operation."""
    loops = [d.value for p in watch.points if p.deliver for d in p.deliver.body]
    return any(e.op in OPS and OPS[e.op].transcendental for e in topo(*loops, *(p.value for p in watch.points)))


def worst_operations(watch: Watch, backend: Backend, trial: Trial) -> dict[str, float]:
    """The largest error of each transcendental op in float64, in ulp, on operands that occur."""
    found: dict[str, float] = {}
    for name, operands in _operands(watch, trial).items():
        finite = np.all([np.isfinite(a) for a in operands], axis=0)
        args = tuple(a[finite][:SAMPLES] for a in operands)
        if not len(args[0]):
            continue
        got = _on_target(name, args, backend)
        with np.errstate(all="ignore"):
            right = np.asarray(evaluate_op(make(name, tuple(value(str(i)) for i in range(len(args)))), args))
            off = np.abs(got - right) / np.spacing(np.abs(right))
        good = np.isfinite(right)
        found[name] = float(np.max(off[good], initial=0.0)) if good.any() else 0.0
        if not np.array_equal(got[~good], right[~good], equal_nan=True):
            found[name] = float("inf")
    return found


def _operands(watch: Watch, trial: Trial) -> dict[str, tuple[Array, ...]]:
    """Operands of each transcendental op along the run, sampled."""
    points = [p for p in watch.points if p.value.op in OPS and OPS[p.value.op].transcendental]
    every = max(1, trial.stimulus.steps * trial.stimulus.n // SAMPLES)
    kept: dict[str, list[tuple[Array, ...]]] = {}
    for values in watch.values(trial):
        for point in points:
            kept.setdefault(point.value.op, []).append(tuple(values.of(a)[::every].ravel().astype(float) for a in point.value.args))
    return {op: tuple(np.concatenate(column) for column in zip(*rows, strict=True)) for op, rows in kept.items()}


def _on_target(name: str, args: tuple[Array, ...], backend: Backend) -> Array:
    """The op applied by the target, as a program of one operation."""
    operands = tuple(f"x{i}" for i in range(len(args)))
    slots = tuple(Slot(n, "real", ONE, ".zero") for n in (*operands, "y"))
    loads = tuple(Define(n, make("load", (), n)) for n in operands)
    result = Define("y.1", make(name, tuple(value(n) for n in operands)))
    step = Step(
        name=f"op_{name}", params=(), slots=slots, inputs=(), events=(), outputs=(), noises=(),
        bind=(Define(".zero", make("const", (), 0.0)),),
        phases=(Phase("flow", (*loads, result)), Phase("reset", (Store("y", value("y.1")),))),
    )  # fmt: skip
    n = len(args[0])
    state = {**{x: a.copy() for x, a in zip(operands, args, strict=True)}, "y": np.zeros(n)}
    runner = backend.load(backend.emit(step, "f64"))
    runner.run(Job(n=n, start=0, steps=1, bind={".zero": 0.0}, state=state, inputs={}, events={}, record={}))
    return state["y"]
