"""What the solver passes share: walking to the `Integrate` statements of a method, step length, noise and frozen states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Literal

from birc.errors import Span
from birc.ir.expr import Expr, const, is_const, leaves, make, op, substitute, value
from birc.ir.linear import add, mul
from birc.ir.step import Define, Integrate, Phase, Statement, Step

H = value(".h")


class Constants:
    """Bind-time values that a solver names: `name` gives the value's name, once for each expression."""

    def __init__(self, step: Step) -> None:
        self.known = frozenset(d.name for d in step.bind)
        self.new: dict[Expr, str] = {}

    def name(self, name: str, e: Expr) -> Expr:
        """`e` under a name of its own; a leaf stays itself."""
        if not e.args:
            return e
        if e not in self.new:
            taken = self.known | set(self.new.values())
            self.new[e] = next(n for n in chain([name], (f"{name}.{i}" for i in count(2))) if n not in taken)
        return value(self.new[e])


def expand(step: Step, method: str, solve: Callable[[Integrate, Constants], list[Define]]) -> Step:
    """Replace the `Integrate` statements of a method by what `solve` makes of each, and bind the constants it named."""
    if not any(isinstance(s, Integrate) and s.method == method for _, s in step.statements()):
        return step
    constants = Constants(step)

    def body(phase: Phase) -> tuple[Statement, ...]:
        out: list[Statement] = []
        for s in phase.body:
            out += solve(s, constants) if isinstance(s, Integrate) and s.method == method else [s]
        return tuple(out)

    phases = tuple(replace(p, body=body(p)) for p in step.phases)
    return replace(step, bind=step.bind + tuple(Define(n, e) for e, n in constants.new.items()), phases=phases)


def step_length(integrate: Integrate, share: float = 1.0) -> Expr:
    """The stretch of time to advance over, or a share of it."""
    if isinstance(integrate.part, str):
        return mul(const(share), mul(value(integrate.part), H))
    part = integrate.part * share
    return H if part == 1.0 else op("mul", const(part), H)


def draw(noise: str, lane: int = 0) -> Expr:
    """A standard normal number of a noise in this step."""
    return make("normal", (), f"{noise}:{lane}")


def euler_maruyama(integrate: Integrate, i: int, h: Expr) -> Expr:
    """The sum of coefficient * sqrt(h) * draw over the noises of equation `i` (Maruyama 1955); 0 if there are none."""
    total: Expr = const(0.0)
    for noise, coefficient in integrate.noises[i] if integrate.noises else ():
        total = add(total, mul(mul(coefficient, op("sqrt", h)), draw(noise)))
    return total


def unless_held(integrate: Integrate, i: int, new: Expr, frozen: Expr) -> Expr:
    """`new`, but `frozen` while the state is held."""
    if integrate.busy is None or integrate.states[i] not in integrate.hold:
        return new
    return op("select", integrate.busy, frozen, new)


def spans(integrate: Integrate) -> tuple[Span | None, ...]:
    """Where each equation stands."""
    return integrate.spans or (None,) * len(integrate.states)


Time = Literal["start", "middle", "end"]


def fed(integrate: Integrate, time: Time) -> dict[Expr, Expr]:
    """The states of exact blocks at a time inside the step."""
    if time == "start":
        return {}
    return {value(f.state): value(f.middle if time == "middle" else f.end) for f in integrate.feeds}


def stage(integrate: Integrate, label: str, at: Sequence[Expr], time: Time, out: list[Define]) -> dict[Expr, Expr]:
    """What the rates see in an inner stage: the states `at`, defined as `x.at…`, a guarded one at most at its limit, and feeds."""
    seen = fed(integrate, time)
    for state, e, span in zip(integrate.states, at, spans(integrate), strict=True):
        out.append(Define(f"{state}.at{label}", e, span))
        seen[value(state)] = value(f"{state}.at{label}")
    for state, limit in integrate.guards:
        name = f"{state}.seen{label}"
        span = spans(integrate)[integrate.states.index(state)]
        out.append(Define(name, op("min", seen[value(state)], substitute(limit, seen)), span))
        seen[value(state)] = value(name)
    return seen


def finish(integrate: Integrate, new: Sequence[Expr], h: Expr) -> list[Define]:
    """The outcome: noise is added to the new values (coefficients at k, as Itô's integral wants them), and what is held stays."""
    out = []
    for i, name in enumerate(integrate.results):
        noisy = add(new[i], euler_maruyama(integrate, i, h))
        out.append(Define(name, unless_held(integrate, i, noisy, integrate.initial[i]), spans(integrate)[i]))
    return out


def is_bind_time(e: Expr, bound: frozenset[str]) -> bool:
    """Whether `e` is a number once parameters are bound."""
    return leaves(e, "value") <= bound and not leaves(e, "load", "read", "normal")


def is_zero(e: Expr) -> bool:
    """Whether `e` is a structural zero."""
    return is_const(e, 0.0)
