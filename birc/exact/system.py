"""A model as a hybrid system in continuous time: smooth between events, with jumps at spikes and arrivals.

It is made from the equations as they stand in the model, with channels, functions and `let`s written out, and knows nothing of
steps: neither of solvers nor of how a model is lowered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from birc import passes
from birc.errors import BircError, Diagnostic, Span
from birc.exact.scalar import Vector, function
from birc.ir.derivative import jacobian
from birc.ir.expr import Expr, const, leaves, op, substitute, var
from birc.ir.linear import linear_form
from birc.ir.model import Handler, Model, Update
from birc.passes.lower_to_step import summing

Array = npt.NDArray[np.float64]

WRITTEN_OUT = ("inline-channels", "inline-functions", "inline-lets")
PAYLOAD = ".payload"
FREE = (-math.inf, math.inf)
SHADOW = ".margin"
"""A state that moves as the margin does, where that is no linear form of states: it keeps steps short enough not to miss a crossing."""


@dataclass(frozen=True)
class Handling:
    """What an event does to the states; `summing`: those of one instant act as one, with the sum of their payloads."""

    jump: Vector
    summing: bool


@dataclass(frozen=True)
class System:
    """States in their order, with where they start and what moves them, in internal units.

    The functions take the states, then the inputs; a handling's jump takes the payload too. `derivatives` are those of all rates by all
    states, rate by rate. `margin` is positive where the spike
    condition holds and negative where it does not. `limits` are (low, high) by state, `held` the states that a refractory period holds.
    """

    name: str
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    start: tuple[float, ...]
    rates: Vector
    derivatives: Vector
    limits: tuple[tuple[float, float], ...]
    margin: Vector | None
    rise: bool
    reset: Vector
    jumps: bool
    refractory: float
    held: tuple[int, ...]
    handlers: Mapping[str, Handling]
    span: Span | None = None

    @property
    def observed(self) -> tuple[str, ...]:
        """The model's own states, which come first."""
        return tuple(s for s in self.states if s != SHADOW)

    def jacobian(self, y: Sequence[float], u: Sequence[float], resting: Iterable[int] = ()) -> Array:
        """The derivatives as a matrix; the rows of resting states, which do not move, are 0."""
        n = len(self.states)
        matrix = np.array(self.derivatives([*y, *u])).reshape(n, n)
        matrix[list(resting)] = 0.0
        return matrix

    @property
    def bounded(self) -> bool:
        """Whether a state has a limit."""
        return any(limit != FREE for limit in self.limits)


def written_out(model: Model) -> Model:
    """The model without channels, functions and `let`s."""
    program = passes.run(model, WRITTEN_OUT)
    assert isinstance(program, Model)
    return program


def system(model: Model, params: Mapping[str, float]) -> System:
    """The hybrid system of a model with its parameters bound. Raises V101 with all that has no solution in continuous time."""
    model = written_out(model)
    faults = [Diagnostic("V101", f"`{model.name}` has no exact solution: {reason}", span) for reason, span in _faults(model)]
    if faults:
        raise BircError.of(faults)
    return _system(model, params)


def drift(model: Model, params: Mapping[str, float], h: float) -> System:
    """Of any model what moves it smoothly, without noise and `step` rules, `elapsed` being `h`.

    A spike condition without a margin never holds.
    """
    model = written_out(model)
    return _system(model, {**params, **{noise.name: 0.0 for noise in model.noises}, "elapsed": h})


def _system(model: Model, params: Mapping[str, float]) -> System:
    states = [s.name for s in model.states]
    odes = {o.state: o.rhs for o in model.odes}
    rates = [odes.get(s, const(0.0)) for s in states]
    start = _start(model, params)
    refractory, spike = model.refractory, model.spike
    margin = _margin(spike.condition) if spike else None
    if margin is not None and linear_form(margin, frozenset(states)) is None:
        rates.append(_speed(margin, states, rates))
        states.append(SHADOW)
    names = (*states, *(i.name for i in model.inputs))
    held = tuple(i for i, s in enumerate(states) if refractory and s in refractory.hold)
    limits = {s.name: (s.low, s.high) for s in model.states}
    resets = spike.body if spike else ()
    return System(
        name=model.name,
        states=tuple(states),
        inputs=tuple(i.name for i in model.inputs),
        start=tuple(start.get(s, 0.0) for s in states),
        rates=function(names, params, rates),
        derivatives=function(names, params, [d for row in jacobian(rates, states, "var") for d in row]),
        limits=tuple(_limits(limits.get(s, (None, None)), params) for s in states),
        margin=None if margin is None else function(names, params, [margin]),
        rise=spike is not None and spike.mode == "rise",
        reset=function(names, params, _in_sequence(states, resets, limits)),
        jumps=bool(resets) or refractory is not None,
        refractory=_number(refractory.duration, params, 0.0) if refractory else 0.0,
        held=held,
        handlers={h.port: _handling(h, model, states, names, params, limits) for h in model.handlers},
        span=spike.span if spike else model.span,
    )


def _faults(model: Model) -> list[tuple[str, Span | None]]:
    """What a solution in continuous time cannot have, and where it stands."""
    found: list[tuple[str, Span | None]] = []
    found += [(f"the noise `{n.name}` makes every run another one", n.span) for n in model.noises]
    found += [(f"`step {r.state}` acts once per step, however long that is", r.span) for r in model.step_rules]
    conditions = [model.spike.condition, *(u.value for u in model.spike.body)] if model.spike else []
    handled = [u.value for h in model.handlers for u in h.body if isinstance(u, Update)]
    if any("elapsed" in leaves(e, "var") for e in (*conditions, *handled, *(o.rhs for o in model.odes))):
        found.append(("it reads `elapsed`, the length of a step", model.span))
    if not model.odes:
        found.append(("it has no equation", model.span))
    if model.spike and _margin(model.spike.condition) is None:
        found.append(("no state crosses a limit where its spike condition becomes true", model.spike.span))
    return found


def _start(model: Model, params: Mapping[str, float]) -> dict[str, float]:
    """The initial values, each after those it refers to."""
    done: dict[str, float] = {}
    waiting = list(model.states)
    names = {s.name for s in waiting}
    while waiting:
        ready = next(s for s in waiting if leaves(s.init, "var") & names <= done.keys())
        waiting.remove(ready)
        done[ready.name] = _number(ready.init, {**params, **done}, 0.0)
    return done


def _number(e: Expr | None, params: Mapping[str, float], none: float) -> float:
    return none if e is None else float(function((), params, [e])(())[0])


def _limits(limit: tuple[Expr | None, Expr | None], params: Mapping[str, float]) -> tuple[float, float]:
    return _number(limit[0], params, -math.inf), _number(limit[1], params, math.inf)


def _speed(margin: Expr, states: Sequence[str], rates: Sequence[Expr]) -> Expr:
    """How fast the margin changes."""
    total = const(0.0)
    for slope, rate in zip(jacobian([margin], states, "var")[0], rates, strict=True):
        total = op("add", total, op("mul", slope, rate))
    return total


def _margin(condition: Expr) -> Expr | None:
    """A real expression that is positive where the condition holds and negative where not; None for what compares equal."""
    parts = [_margin(a) for a in condition.args] if condition.op in ("and", "or", "not") else []
    if any(p is None for p in parts):
        return None
    inner = [p for p in parts if p is not None]
    match condition.op:
        case "ge" | "gt":
            return op("sub", *condition.args)
        case "le" | "lt":
            return op("sub", *reversed(condition.args))
        case "and":
            return op("min", *inner)
        case "or":
            return op("max", *inner)
        case "not":
            return op("neg", *inner)
        case "const":
            return const(1.0 if condition.attr else -1.0)
        case _:
            return None


Limits = Mapping[str, tuple[Expr | None, Expr | None]]


def _in_sequence(states: Sequence[str], body: Sequence[Update], limits: Limits) -> list[Expr]:
    """Every state after the updates, which run one after the other and end within the states' limits."""
    now: dict[str, Expr] = {s: var(s) for s in states}
    for update in body:
        new = substitute(update.value, {var(s): e for s, e in now.items()})
        low, high = limits[update.target]
        new = new if low is None else op("max", new, low)
        now[update.target] = new if high is None else op("min", new, high)
    return [now[s] for s in states]


def _handling(
    handler: Handler, model: Model, states: Sequence[str], names: Sequence[str], params: Mapping[str, float], limits: Limits
) -> Handling:
    payload = {var(handler.payload): var(PAYLOAD)} if handler.payload else {}
    body = [Update(u.target, substitute(u.value, payload)) for u in handler.body if isinstance(u, Update)]
    jump = function((*names, PAYLOAD), params, _in_sequence(states, body, limits))
    return Handling(jump, summing(handler, frozenset({p.name for p in model.params})))
