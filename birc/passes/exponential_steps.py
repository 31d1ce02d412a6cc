"""What the exponential methods share: one equation solved exactly with everything else in it frozen, and the way there and back.

x' = a x + b with a and b frozen gives x + (a x + b) h exprel(a h) (Rush & Larsen 1978).
"""

from __future__ import annotations

from collections.abc import Mapping

from birc.ir.expr import Expr, leaves, op, substitute, value
from birc.ir.linear import add, linear_form, mul
from birc.ir.step import Define, Integrate
from birc.passes.solver_steps import is_zero, spans, step_length, unless_held


def relaxed(integrate: Integrate, i: int, start: Expr, seen: Mapping[Expr, Expr], h: Expr) -> Expr:
    """State `i` after `h` from `start`, with the values of states and feeds as `seen` has them."""
    state = integrate.states[i]
    form = linear_form(integrate.rates[i], frozenset({state}), "value")
    assert form is not None, "only equations affine in their own variable are given exponential steps"
    slope = substitute(form.of(state), seen)
    length = h if is_zero(slope) else mul(h, op("exprel", mul(slope, h)))
    return add(start, mul(substitute(integrate.rates[i], seen), length))


class Journey:
    """Half steps from the last state of a block to its first and back, as definitions appended to `out`."""

    def __init__(self, integrate: Integrate, out: list[Define]) -> None:
        self.integrate = integrate
        self.out = out

    def travel(self, label: str, at: list[Expr], part: float, there: Mapping[Expr, Expr], back: Mapping[Expr, Expr]) -> list[Expr]:
        """The states after a part of the step from `at`, feeds being as `there` says on the way there and as `back` on the way back."""
        now = list(at)
        turn = self._turn(feeds=there != back)
        outer = range(turn, len(now))
        for i in reversed(outer):
            now[i] = self._advance(f"{label}1", i, now, part / 2, there)
        for i in range(turn):
            now[i] = self._advance(f"{label}2", i, now, part, back)
        for i in outer:
            now[i] = self._advance(f"{label}2", i, now, part / 2, back)
        return now

    def _turn(self, feeds: bool) -> int:
        """How many states at the turn go the whole way at once, because none reads another (or a feed, if these change there)."""
        names = self.integrate.states
        fed = {f.state for f in self.integrate.feeds} if feeds else set()
        reads = [leaves(rate, "value") for rate in self.integrate.rates]
        for i, name in enumerate(names):
            before = names[:i]
            if reads[i] & {*before, *fed} or any(name in reads[j] for j in range(i)):
                return i
        return len(names)

    def _advance(self, label: str, i: int, now: list[Expr], part: float, feeds: Mapping[Expr, Expr]) -> Expr:
        integrate = self.integrate
        seen = {**feeds, **{value(state): e for state, e in zip(integrate.states, now, strict=True)}}
        new = relaxed(integrate, i, now[i], seen, step_length(integrate, part))
        name = f"{integrate.states[i]}.{label}"
        self.out.append(Define(name, unless_held(integrate, i, new, integrate.initial[i]), spans(integrate)[i]))
        return value(name)
