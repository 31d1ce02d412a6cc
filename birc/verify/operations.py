"""Each transcendental operation of a program, on the reference's own operands: how far a target is off, in units in the last place."""

from __future__ import annotations

import numpy as np

from birc.backends import Array, Backend, Job
from birc.ir.expr import Expr, make, topo, value
from birc.ir.ops import OPS, evaluate_op
from birc.ir.step import Define, Deliver, Emit, Integrate, Phase, Put, Slot, Statement, Step, Store
from birc.units import ONE
from birc.verify.expose import ZEROS, expose, spare_slots
from birc.verify.oracle import Oracle
from birc.verify.trial import Trial, job_of, with_values

SAMPLES = 4096


def transcendental(step: Step) -> bool:
    """Whether targets may differ in the last bits of an operation."""
    roots = [e for _, statement in step.statements() for e in _expressions(statement)]
    return any(e.op in OPS and OPS[e.op].transcendental for e in topo(*roots))


def _expressions(statement: Statement) -> tuple[Expr, ...]:
    match statement:
        case Define(value=e) | Store(value=e) | Put(value=e) | Emit(fired=e):
            return (e,)
        case Deliver():
            return (*(c.initial for c in statement.carries), *(d.value for d in statement.body), *(c.next for c in statement.carries))
        case Integrate():
            return (*statement.initial, *statement.rates)


def worst_operations(step: Step, backend: Backend, trial: Trial) -> dict[str, float]:
    """The largest error of each transcendental op in float64, in ulp, on operands that occur."""
    found: dict[str, float] = {}
    for name, operands in _operands(step, trial).items():
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


def _operands(step: Step, trial: Trial) -> dict[str, tuple[Array, ...]]:
    """Operands of each transcendental op along the run, sampled."""
    exposed, points = expose(step)
    program, stimulus = with_values(trial.program, ZEROS), trial.stimulus
    values: dict[str, Array] = {n: np.asarray(v) for n, v in program.bound.values.items()}
    kept: dict[str, list[tuple[Array, ...]]] = {}

    def observe(name: str, e: Expr, result: Array) -> None:
        values[name] = result
        if e.op in OPS and OPS[e.op].transcendental:
            args = [np.asarray(a.attr, float) if a.op == "const" else values[str(a.attr)] for a in e.args]
            kept.setdefault(e.op, []).append(tuple(np.broadcast_to(a, stimulus.n).astype(float) for a in args))

    oracle = Oracle(exposed, "f64", observe)
    every = max(1, stimulus.steps * stimulus.n // SAMPLES)
    for k in range(0, stimulus.steps, every):
        state = {n: a[k].copy() for n, a in trial.trace.states.items()} | spare_slots(points, stimulus.n, "f64")
        oracle.run(job_of(program, stimulus.at(k), state))
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
