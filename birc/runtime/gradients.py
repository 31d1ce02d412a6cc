"""The derivative of a run, by the interpreter: the oracle of every target that learns.

A loss L of spikes, outputs and states at all stamps is differentiated by inputs, initial states, bind values and parameters, given dL/d of
what is seen. The run goes forward and is kept, then `birc.passes.adjoint` is interpreted from the last stamp to the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.ir.adjoint import BAR, SPIKE
from birc.ir.evaluate import Draw, Moment, evaluate, interpret
from birc.ir.expr import Expr, topo
from birc.ir.ops import evaluate_op
from birc.ir.step import Step
from birc.passes.adjoint import PARAM, bind_adjoint

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Seen:
    """What a run shows: spikes (as 0 and 1), outputs and states at stamps 1 … T, each [T, n]; `before` are the states at 0 … T-1."""

    spikes: Array
    outputs: dict[str, Array]
    states: dict[str, Array]
    before: dict[str, Array]


@dataclass(frozen=True)
class Gradients:
    """dL/d of inputs [T, n], states at stamp 0 [n] and bind values [n]."""

    inputs: dict[str, Array]
    initial: dict[str, Array]
    bind: dict[str, Array]


def forward(step: Step, bind: Mapping[str, Any], initial: Arrays, inputs: Arrays, draw: Draw | None = None) -> Seen:
    """Run a program whose events are inputs (`birc.passes.dense_events`) in float64; inputs are [T, n]."""
    steps, n = next(iter(inputs.values())).shape
    state = {name: np.asarray(a) for name, a in initial.items()}
    before, after, spikes, outputs = [], [], [], []
    for k in range(steps):
        moment = Moment(n, bind, state, {p: a[k] for p, a in inputs.items()}, draw=draw)
        before.append(state)
        outcome = interpret(step, moment)
        state = outcome.state
        after.append(state)
        spikes.append(outcome.fired.astype(float))
        outputs.append(outcome.outputs)
    return Seen(np.array(spikes), _rows(outputs), _rows(after), _rows(before))


def backward(adjoint: Step, bind: Mapping[str, Any], seen: Seen, inputs: Arrays, up: Arrays, draw: Draw | None = None) -> Gradients:
    """The derivative of a loss; `up` is dL/d of `spikes`, of outputs and of states by name, each [T, n].

    `bind` holds the values of the adjoint's own names too.
    """
    steps, n = seen.spikes.shape
    bars = {slot.name: np.zeros(n) for slot in adjoint.slots if slot.name.endswith(BAR)}
    puts: list[dict[str, Array]] = []
    for k in reversed(range(steps)):
        held = {name: rows[k] for name, rows in seen.before.items()}
        for name in seen.states.keys() & up.keys():
            bars[name + BAR] = bars[name + BAR] + up[name][k]
        read = {p: a[k] for p, a in inputs.items()} | {name + BAR: up[name][k] for name in seen.outputs.keys() & up.keys()}
        read |= {name + BAR: np.zeros(n) for name in seen.outputs.keys() - up.keys()}
        read[SPIKE] = up["spikes"][k] if "spikes" in up else np.zeros(n)
        outcome = interpret(adjoint, Moment(n, bind, held | bars, read, draw=draw))
        bars = {name: outcome.state[name] for name in bars}
        puts.append(outcome.outputs)
    found = {name.removesuffix(BAR): rows for name, rows in _rows(puts[::-1]).items()}
    ends = {name.removesuffix(BAR): a for name, a in bars.items()}
    return Gradients(found, {s: ends.pop(s) for s in seen.states if s in ends}, ends)


def of_start(step: Step, gradients: Gradients) -> dict[str, Array]:
    """dL/d of bind values where the run starts from the states that these give."""
    bars = dict(gradients.bind)
    for slot in step.slots:
        if slot.name in gradients.initial:
            bars[slot.init] = bars.get(slot.init, 0.0) + gradients.initial[slot.name]
    return bars


def of_parameters(step: Step, bind: Mapping[str, Any], params: Mapping[str, Any], bars: Arrays) -> dict[str, Array]:
    """dL/d of each parameter, [n], from those of bind values; parameters that no derivative reaches have 0."""
    values: dict[str, Any] = {**bind, **{name + BAR: a for name, a in bars.items()}}
    found: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        for define in bind_adjoint(step, bars):
            values[define.name] = value_of(define.value, values, params)
    n = len(next(iter(bars.values())))
    for p in step.params:
        found[p.name] = np.broadcast_to(np.asarray(values[PARAM + p.name + BAR], dtype=float), n)
    return found


def value_of(root: Expr, values: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
    """An expression of the bind section, or of a derivative of it."""
    done: dict[Expr, Any] = {}
    for e in topo(root):
        if e.op == "param":
            done[e] = np.asarray(params[str(e.attr)], dtype=float)
        elif e.op in ("const", "value"):
            done[e] = evaluate(e, values, Moment(1, {}, {}))
        elif e.op == "step_size":
            done[e] = values[".h"]
        else:
            done[e] = evaluate_op(e, tuple(done[a] for a in e.args))
    return done[root]


def _rows(moments: list[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.array([m[name] for m in moments]) for name in (moments[0] if moments else {})}
