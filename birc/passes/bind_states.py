"""The bind section that every program of a model begins with: the step, parameters, initial states and the limits of states."""

from __future__ import annotations

from birc.ir.expr import Expr, const, leaves, make, op, substitute, value, var
from birc.ir.model import Model, State
from birc.ir.step import Define, Limit
from birc.passes.step_names import H

NO_LIMITS: tuple[Limit, Limit] = (None, None)
Limits = dict[str, tuple[Limit, Limit]]


def bind_states(model: Model) -> tuple[tuple[Define, ...], Limits]:
    """The definitions, and between what each state that has limits is kept."""
    lines = [Define(H, make("step_size"))]
    lines += [Define(p.name, make("param", (), p.name), p.span) for p in model.params]
    initial = {var(s.name): value(f".init.{s.name}") for s in model.states}
    for state in _in_order(model.states):
        names = {var(n): value(n) for n in leaves(state.init, "var")}
        lines.append(Define(f".init.{state.name}", substitute(state.init, {**names, **initial}), state.span))
    limits: Limits = {}
    for state in model.states:
        if state.low is not None or state.high is not None:
            limits[state.name] = _limit(state, state.low, ".low", lines), _limit(state, state.high, ".high", lines)
    return tuple(lines), limits


def _limit(state: State, limit: Expr | None, name: str, lines: list[Define]) -> Limit:
    """A limit as its number, or under the name it is bound to."""
    match limit:
        case None:
            return None
        case Expr("const", attr=float(number)):
            return number
        case Expr("var", attr=str(param)):
            return param
        case _:
            lines.append(Define(f"{name}.{state.name}", bound(limit), state.span))
            return f"{name}.{state.name}"


def bound(e: Expr) -> Expr:
    """A level-1 expression of parameters as it stands in a bind section."""
    return substitute(e, {**{var(n): value(n) for n in leaves(e, "var")}, var("elapsed"): value(H)})


def clip(e: Expr, limits: tuple[Limit, Limit]) -> Expr:
    """`e`, kept between limits."""
    low, high = limits
    raised = e if low is None else op("max", e, _end(low))
    return raised if high is None else op("min", raised, _end(high))


def _end(limit: float | str) -> Expr:
    return value(limit) if isinstance(limit, str) else const(limit)


def _in_order(states: tuple[State, ...]) -> list[State]:
    """States, each after those whose initial values its own refers to."""
    rest, done, out = list(states), set[str](), []
    names = {s.name for s in states}
    while rest:
        ready = next(s for s in rest if leaves(s.init, "var") & names <= done)
        rest.remove(ready)
        out.append(ready)
        done.add(ready.name)
    return out
