"""The interpreter: what a step program means, one statement at a time. Oracle of every pass and backend.

Vectorised over `n` instances in NumPy, with no code generated. `Integrate` is solved numerically from its definition, independently
of the passes that expand it, so that those can be checked against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.ir.events import rounds, total
from birc.ir.expr import Expr, leaves, topo
from birc.ir.matrix import expm
from birc.ir.methods import METHODS, Flow, linear_matrix
from birc.ir.model import Model
from birc.ir.ops import evaluate_op
from birc.ir.step import Define, Deliver, Emit, Integrate, Lookup, Put, Step, Store
from birc.ir.tables import Pieces, look_up

Array = npt.NDArray[Any]
Draw = Callable[[str, int], Array]
Observer = Callable[[str, Expr, Array], None]

DTYPES = {"real": None, "int": np.int32, "bool": np.bool_}


@dataclass
class Moment:
    """What one step reads and makes. All arrays are [n]; `events` are (index, payload) of each port, in order."""

    n: int
    bind: Mapping[str, Any]
    state: Mapping[str, Array]
    inputs: Mapping[str, Array] = field(default_factory=dict)
    events: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)
    draw: Draw | None = None
    dtype: Any = np.float64
    observe: Observer | None = None
    """Called with the name, expression and value of each definition outside loops."""
    tables: Mapping[str, Pieces] = field(default_factory=dict)


@dataclass
class Outcome:
    """The state at k+1, who fired, and the outputs."""

    state: dict[str, Array]
    fired: Array
    outputs: dict[str, Array]


def interpret(step: Step, moment: Moment) -> Outcome:
    """Run one step."""
    values: dict[str, Any] = {name: _number(v, moment.dtype) for name, v in moment.bind.items()}
    outcome = Outcome({n: a.copy() for n, a in moment.state.items()}, np.zeros(moment.n, np.bool_), {})
    kinds = {s.name: s.kind for s in step.slots}
    with np.errstate(all="ignore"):
        for _, statement in step.statements():
            match statement:
                case Define():
                    _define(statement, values, moment)
                case Integrate():
                    _integrate(statement, values, moment)
                case Deliver():
                    _deliver(statement, values, moment)
                case Lookup(table=table, argument=e, results=results):
                    x = np.broadcast_to(evaluate(e, values, moment), moment.n)
                    values.update(zip(results, look_up(moment.tables[table].of(moment.dtype), x), strict=True))
                case Store(slot=slot, value=e):
                    dtype = moment.dtype if kinds[slot] == "real" else DTYPES[kinds[slot]]
                    outcome.state[slot] = np.broadcast_to(evaluate(e, values, moment), moment.n).astype(dtype)
                case Emit(fired=e):
                    outcome.fired = np.broadcast_to(evaluate(e, values, moment), moment.n).astype(np.bool_)
                case Put(output=name, value=e):
                    outcome.outputs[name] = np.broadcast_to(evaluate(e, values, moment), moment.n).astype(moment.dtype)
    return outcome


def evaluate(root: Expr, values: Mapping[str, Any], moment: Moment) -> Any:
    """The value of an expression, given the names defined so far."""
    done: dict[Expr, Any] = {}
    for e in topo(root):
        match e.op:
            case "const":
                done[e] = _number(e.attr, moment.dtype)
            case "value":
                done[e] = values[str(e.attr)]
            case "load":
                done[e] = moment.state[str(e.attr)]
            case "read":
                done[e] = np.asarray(moment.inputs[str(e.attr)], dtype=moment.dtype)
            case "normal":
                assert moment.draw is not None
                name, _, lane = str(e.attr).rpartition(":")
                done[e] = moment.draw(name, int(lane)).astype(moment.dtype)
            case _:
                done[e] = evaluate_op(e, tuple(done[a] for a in e.args))
    return done[root]


def _number(x: Any, dtype: Any) -> Any:
    """A literal or bind value in the number type of the run; counts and truths stay what they are."""
    a = np.asarray(x)
    return a.astype(dtype) if a.dtype.kind == "f" else a.astype(np.int32) if a.dtype.kind in "iu" else a


def _define(statement: Define, values: dict[str, Any], moment: Moment) -> None:
    result = evaluate(statement.value, values, moment)
    values[statement.name] = result
    if moment.observe is not None:
        moment.observe(statement.name, statement.value, result)


def _deliver(statement: Deliver, values: dict[str, Any], moment: Moment) -> None:
    index, payload = moment.events.get(statement.port, (np.zeros(0, np.int32), np.zeros(0)))
    if statement.summing:
        values[statement.payload] = total(index, payload, moment.n, moment.dtype)
        for define in statement.body:
            _define(define, values, moment)
        return
    for carry in statement.carries:
        values[carry.result] = np.broadcast_to(evaluate(carry.initial, values, moment), moment.n)
    for mask, payloads in rounds(index, payload, moment.n, moment.dtype):
        inner = {**values, statement.payload: payloads, **{c.name: values[c.result] for c in statement.carries}}
        for define in statement.body:
            inner[define.name] = evaluate(define.value, inner, moment)
        after = [evaluate(c.next, inner, moment) for c in statement.carries]
        for carry, new in zip(statement.carries, after, strict=True):
            values[carry.result] = np.where(mask, new, values[carry.result])


# --- Integrate, from its definition


def _integrate(s: Integrate, values: dict[str, Any], moment: Moment) -> None:
    h = float(values[".h"]) * (values[s.part] if isinstance(s.part, str) else s.part)
    start = [np.broadcast_to(evaluate(e, values, moment), moment.n) for e in s.initial]
    busy = np.broadcast_to(np.zeros(1, np.bool_) if s.busy is None else evaluate(s.busy, values, moment), moment.n)
    held = [busy if state in s.hold else np.zeros(moment.n, np.bool_) for state in s.states]

    def seen(at: list[Array], time: float) -> dict[str, Any]:
        feeds = {f.state: values[f.middle if time < 1 else f.end] for f in s.feeds} if time > 0 else {}
        return values | feeds | dict(zip(s.states, at, strict=True))

    def guard(at: list[Array], time: float) -> list[Array]:
        around = seen(at, time)
        for state, limit in s.guards:
            around[state] = np.minimum(around[state], evaluate(limit, around, moment))
        return [around[state] for state in s.states]

    def rates(at: list[Array], time: float) -> list[Array]:
        around = seen(at, time)
        return [np.where(k, 0.0, evaluate(r, around, moment)) for r, k in zip(s.rates, held, strict=True)]

    flow = Flow(rates, guard, tuple(s.states.index(state) for state, _ in s.guards))
    noise = [_kick(terms, values, moment, h) for terms in s.noises] or [0.0] * len(s.states)
    noise = [np.where(k, 0.0, x) for k, x in zip(held, noise, strict=True)]
    if s.method == "exact" and s.noises:
        noise = _exact_noise(s, flow, start, held, values, moment, h)
    after = METHODS[s.method](flow, start, h, noise)
    for i, name in enumerate(s.results):
        values[name] = np.where(held[i], start[i], after[i]).astype(moment.dtype)


def _kick(terms: tuple[tuple[str, Expr], ...], values: dict[str, Any], moment: Moment, h: float) -> Any:
    """What white noise adds in a step, with its coefficients as they are at k (Euler and Maruyama)."""
    return sum((evaluate(c, values, moment) * np.sqrt(h) * _draws(moment, n) for n, c in terms), 0.0)


def _draws(moment: Moment, noise: str, lane: int = 0) -> Array:
    assert moment.draw is not None
    return moment.draw(noise, lane)


def _exact_noise(
    s: Integrate, flow: Flow, x: list[Array], held: list[Array], values: dict[str, Any], moment: Moment, h: float
) -> list[Array]:
    """Noises with constant coefficients, by the covariance ∫0^h e^{As} b b^T e^{A^T s} ds in quadrature; others as they are at k."""
    n, m = len(x), moment.n
    matrix = linear_matrix(flow, x)
    total = [np.zeros(m) for _ in x]
    nodes, weights = np.polynomial.legendre.leggauss(24)
    for name in dict.fromkeys(name for terms in s.noises for name, _ in terms):
        own = [tuple(t for t in terms if t[0] == name) for terms in s.noises]
        if not all(leaves(c, "value", "load", "read") <= moment.bind.keys() for terms in own for _, c in terms):
            kicks = [np.broadcast_to(_kick(terms, values, moment, h), m) for terms in own]
            total = [a + np.where(k, 0.0, z) for a, k, z in zip(total, held, kicks, strict=True)]
            continue
        b = np.stack([np.broadcast_to(sum((evaluate(c, values, moment) for _, c in terms), 0.0), m) for terms in own])
        b = np.where(np.stack(held), 0.0, b)
        lanes = np.stack([_draws(moment, name, lane) for lane in range(n)])
        for instance in range(m):
            spread = [expm(matrix[instance] * (t + 1) / 2 * h) @ b[:, instance] for t in nodes]
            covariance = sum(w * h / 2 * np.outer(y, y) for w, y in zip(weights, spread, strict=True))
            for i, z in enumerate(_factor(np.asarray(covariance)) @ lanes[:, instance]):
                total[i][instance] += z
    return total


def _factor(covariance: Array) -> Array:
    """The lower triangular factor of a covariance that may be singular."""
    n = len(covariance)
    low = np.zeros((n, n))
    for j in range(n):
        low[j, j] = np.sqrt(max(covariance[j, j] - low[j, :j] @ low[j, :j], 0.0))
        if low[j, j] > 0:
            low[j + 1 :, j] = (covariance[j + 1 :, j] - low[j + 1 :, :j] @ low[j, :j]) / low[j, j]
    return low


# --- level 1


def evaluate_model(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Every right-hand side, condition and update of a model whose functions, lets and channels are inlined, by a describing name."""
    found: dict[str, Expr] = {f"{o.state}'": o.rhs for o in model.odes}
    found |= {f"step {r.state}": r.value for r in model.step_rules}
    found |= {f"output {o.name}": o.value for o in model.outputs}
    for h in model.handlers:
        found |= {f"on {h.port} {i}": u.value for i, u in enumerate(h.body)}
    if model.spike:
        found["spike"] = model.spike.condition
        found |= {f"reset {i} {u.target}": u.value for i, u in enumerate(model.spike.body)}
    if model.refractory:
        found["refractory"] = model.refractory.duration
    with np.errstate(all="ignore"):
        return {name: evaluate_names(e, values) for name, e in found.items()}


def evaluate_names(root: Expr, values: Mapping[str, Any]) -> Any:
    """The value of a level-1 expression, given its names."""
    done: dict[Expr, Any] = {}
    for e in topo(root):
        if e.op == "const":
            done[e] = np.asarray(e.attr)
        elif e.op == "var":
            done[e] = np.asarray(values[str(e.attr)])
        else:
            done[e] = evaluate_op(e, tuple(done[a] for a in e.args))
    return done[root]
