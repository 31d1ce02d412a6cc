"""Where `with spikes located` asks for it, find the moment of a spike inside its step and go on from there.

    spike level { ge %v, %v_th } reset { set %v, %v_reset }
    ->  flow { …  %.spike.root = …  integrate rk4 part %.spike.try { advance %v.try … }  …  integrate rk4 part %.spike.rest { … } }

The crossing is the root of the cubic Hermite polynomial of the margin (left side less right side) over the step (Shelley & Tao 2001, J.
Comput. Neurosci. 11:111). Where the spike changes anything, the states are then integrated up to there by one step of RK4, the crossing is
corrected by one Newton step on them, the body of the spike acts, and RK4 takes the states through the rest of the step. So spike times
keep the fourth order of RK4, of which spikes on the ends of steps leave the first (Hansel, Mato, Meunier & Neltner 1998, Neural Comput.
10:467).

A refractory period ends at the same part of its last step: there held states rest for that part, and are free for what is left. Only the
first crossing in a step is a spike; a level that holds at its start is one there. Deliveries act at the end of the step as always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from birc.errors import BircError, Diagnostic, Span
from birc.ir.derivative import derivative
from birc.ir.expr import Expr, const, leaves, op, substitute, value, var
from birc.ir.linear import ONE, ZERO, add, mul
from birc.ir.model import Model, Refractory, Spike
from birc.ir.step import Define, Integrate, Statement
from birc.passes.step_names import BUSY, LAST, LEFT, N_REF, H

Point = Mapping[str, Expr]
"""The states at a moment inside the step."""

NEWTON_STEPS = 2
"""From the root of a parabola, which is off by the third power of the step: the error squares with each."""
IMPLICIT = ("implicit_euler", "rosenbrock")
COMPARISONS = ("ge", "gt", "le", "lt")


@dataclass(frozen=True)
class Located:
    """The flow with its spike: `states` at its end, whether there was one (`hit`), and where (`offset`, of the whole step).

    `free`: a delivery at the end may cause a spike; `frozen`: what is held is so at the end. None: always, and never.
    """

    statements: tuple[Statement, ...]
    states: Point
    hit: Expr
    offset: Expr
    free: Expr | None
    frozen: Expr | None


def asked(model: Model) -> bool:
    """Whether the model's last word is that its spikes are located."""
    return [o.name for o in model.options if o.kind == "spikes"][-1:] == ["located"]


def locate(model: Model, end: Point, clip: Callable[[str, Expr], Expr]) -> Located:
    """What follows the flow whose outcome is `end`; `clip` keeps a value within its state's limits.

    Raises L114 with every reason for which the spikes of this model cannot be located.
    """
    found = faults(model)
    if found:
        raise BircError.of(found)
    spike = model.spike
    assert spike is not None, "L114 is raised for a model without one"
    search = _Search(model, spike, clip)
    return search.sharp(end) if acts(model) else search.passive(end)


def acts(model: Model) -> bool:
    """Whether a spike changes how the states go on."""
    return model.spike is not None and bool(model.spike.body or (model.refractory and model.refractory.hold))


def faults(model: Model) -> list[Diagnostic]:
    """L114 for everything that is in the way."""
    option = next((o.span for o in reversed(model.options) if o.kind == "spikes" and o.span), None)
    found: list[tuple[str, Span | None]] = []
    if model.spike is None:
        found.append((f"`{model.name}` has none", option or model.span))
    elif model.spike.condition.op not in COMPARISONS:
        found.append(("the condition is not a single comparison", model.spike.span))
    found += [(f"the noise `{n.name}` has no slope", n.span) for n in model.noises]
    found += [(f"`step {r.state}` acts once per step", r.span) for r in model.step_rules]
    implicit = [b for b in model.blocks if b.method in IMPLICIT] if acts(model) else []
    places = {o.state: o.span for o in model.odes}
    found += [
        (f"{', '.join(b.states)} are solved by {b.method}, and the rest of a step is taken by rk4", places[b.states[0]]) for b in implicit
    ]
    help = "leave spikes on the ends of steps (`grid`)"
    return [Diagnostic("L114", f"spikes cannot be located inside steps: {reason}", span, help) for reason, span in found]


def cubic_root(g0: Expr, g1: Expr, s0: Expr, s1: Expr, define: Callable[[str, Expr], Expr]) -> Expr:
    """The root in [0, 1] of the cubic with values g0 < 0 <= g1 and slopes s0, s1 at the ends.

    From the root of the parabola through g0, s0 and g1, which always has one there, by Newton steps that are kept in a bracket.
    """
    gap = define("gap", op("sub", g1, g0))
    low, high = ZERO, ONE
    bow = op("add", s0, op("add", g0, g0))
    spread = op("sub", op("mul", bow, bow), op("mul", op("mul", const(4.0), g0), g1))  # s0^2 - 4 g0 (gap - s0), never below 0
    reach = define("reach", op("add", s0, op("sqrt", spread)))
    root = define("root.0", op("min", op("div", op("mul", const(-2.0), g0), positive(reach)), ONE))
    a = define("square", op("sub", op("mul", const(3.0), gap), op("add", op("add", s0, s0), s1)))
    b = define("cube", op("sub", op("add", s0, s1), op("add", gap, gap)))
    for i in range(1, NEWTON_STEPS + 1):
        bend = op("mul", b, root)
        p = define(f"miss.{i}", op("add", g0, op("mul", root, op("add", s0, op("mul", root, op("add", a, bend))))))
        slope = define(f"slope.{i}", op("add", s0, op("mul", root, op("add", op("add", a, a), op("mul", const(3.0), bend)))))
        under = define(f"under.{i}", op("lt", p, ZERO))
        low = define(f"low.{i}", op("select", under, root, low))
        high = define(f"high.{i}", op("select", under, high, root))
        new = define(f"new.{i}", op("sub", root, op("div", p, positive(slope))))
        inside = op("and", op("ge", new, low), op("le", new, high))
        root = define(f"root.{i}", op("select", inside, new, op("mul", const(0.5), op("add", low, high))))
    return root


def positive(e: Expr) -> Expr:
    """A divisor: `e`, or 1 where it is not above 0."""
    return op("select", op("gt", e, ZERO), e, ONE)


class _Search:
    """The statements so far, and what the model says at a point."""

    def __init__(self, model: Model, spike: Spike, clip: Callable[[str, Expr], Expr]) -> None:
        self.model, self.spike, self.clip = model, spike, clip
        self.out: list[Statement] = []
        self.start: Point = {s.name: value(s.name) for s in model.states}
        left, right = spike.condition.args
        self.margin = op("sub", left, right) if spike.condition.op in ("ge", "gt") else op("sub", right, left)
        self.hold = frozenset(model.refractory.hold) if model.refractory else frozenset[str]()

    # --- the two kinds of spikes

    def passive(self, end: Point) -> Located:
        """A spike that changes nothing: only its moment is wanted."""
        refractory, level = self.model.refractory, self.spike.mode == "level"
        before, after = self.holds(self.start, ".spike.before"), self.holds(end, ".spike.after")
        hit = op("or", before, after) if level else op("and", op("not", before), after)
        root = self.root(self.start, end, ONE, self.define(".spike.crosses", op("and", op("not", before), after)))
        free = None
        if refractory:
            release = self.release(refractory)
            free = op("or", op("not", value(BUSY)), release)
            start = op("select", release, value(LAST), ZERO)
            hit = op("and", hit, free if level else op("and", free, op("ge", root, start)))
            root = op("max", root, start) if level else root
        offset, found = self.define(".spike.offset", root), self.define(".spike.hit", hit)
        return Located(tuple(self.out), end, found, offset, free, None)

    def sharp(self, end: Point) -> Located:
        """A spike that changes the states, or holds them."""
        begin, end, room, free, release = self.stretch(end)
        before, after = self.holds(begin, ".spike.before"), self.holds(end, ".spike.after")
        rises = op("and", op("not", before), after)
        hit = op("or", before, after) if self.spike.mode == "level" else rises
        hit = self.define(".spike.hit", hit if free is None else op("and", free, hit))
        root = self.root(begin, end, room, self.define(".spike.crosses", rises))
        there, part = self.corrected(begin, root, room)
        struck = dict(there)
        for i, update in enumerate(self.spike.body):
            new = self.clip(update.target, self.at(update.value, struck))
            struck[update.target] = self.define(f"{update.target}.hit.{i}", new, update.span)
        self.define(".spike.rest", op("sub", room, part))
        busy = op("gt", value(N_REF), const(0)) if self.hold else None
        rest = self.move("rest", struck, ".spike.rest", busy)
        states = {s: a if rest[s] is a else self.define(f"{s}.flow", op("select", hit, rest[s], a)) for s, a in end.items()}
        offset = self.define(".spike.offset", part if release is None else op("add", op("sub", ONE, room), part))
        frozen = None
        if busy is not None and release is not None:
            resting = op("and", value(BUSY), op("not", release))
            frozen = self.define(".frozen", op("or", op("and", hit, busy), op("and", op("not", hit), resting)))
        return Located(tuple(self.out), states, hit, offset, free, frozen)

    # --- their parts

    def define(self, name: str, e: Expr, span: Span | None = None) -> Expr:
        """`e` under a name."""
        self.out.append(Define(name, e, span or self.spike.span))
        return value(name)

    def at(self, e: Expr, point: Point) -> Expr:
        """`e` of the model with the states of a point."""
        names = {var(n): point.get(n, value(n)) for n in leaves(e, "var")}
        return substitute(e, {**names, var("elapsed"): value(H)})

    def holds(self, point: Point, name: str) -> Expr:
        """Whether the condition holds at a point, exactly as it is written."""
        return self.define(name, self.at(self.spike.condition, point))

    def rates(self, point: Point) -> dict[str, Expr]:
        """How fast each state with an equation moves; a guarded one is seen at most at its limit."""
        seen = {**point, **{g.state: op("min", point[g.state], self.at(g.limit, point)) for g in self.model.guards}}
        return {o.state: self.at(o.rhs, seen) for o in self.model.odes}

    def climb(self, point: Point) -> Expr:
        """How much the margin would rise over a whole step at its present speed."""
        total: Expr = ZERO
        for state, rate in self.rates(point).items():
            total = add(total, mul(self.at(derivative(self.margin, var(state)), point), rate))
        return mul(value(H), total)

    def root(self, begin: Point, end: Point, room: Expr, crosses: Expr) -> Expr:
        """Where between two points, which are `room` of a step apart, the margin crosses 0, in [0, 1]; 0 where it does not."""

        def define(name: str, e: Expr) -> Expr:
            return self.define(f".spike.{name}", e)

        g0 = define("g0", op("select", crosses, self.at(self.margin, begin), const(-1.0)))
        g1 = define("g1", op("select", crosses, self.at(self.margin, end), ZERO))
        s0, s1 = define("s0", mul(room, self.climb(begin))), define("s1", mul(room, self.climb(end)))
        return define("root", op("select", crosses, cubic_root(g0, g1, s0, s1, define), ZERO))

    def release(self, refractory: Refractory) -> Expr:
        """Whether a refractory period ends inside this step."""
        return self.define(".release", op("and", op("eq", value(LEFT), const(1)), op("lt", value(LAST), ONE)), refractory.span)

    def stretch(self, end: Point) -> tuple[Point, Point, Expr, Expr | None, Expr | None]:
        """The part of the step in which a spike may be: its ends, its length, whether there is one, and whether a release begins it."""
        refractory = self.model.refractory
        if refractory is None:
            return self.start, end, ONE, None, None
        release = self.release(refractory)
        wait = self.move("wait", self.start, LAST, value(BUSY) if self.hold else None)
        begin = {s: a if wait[s] is a else self.define(f"{s}.begin", op("select", release, wait[s], a)) for s, a in self.start.items()}
        left = self.define(".left", op("sub", ONE, value(LAST)))
        if self.hold:
            go = self.move("go", wait, ".left", None)
            end = {s: a if go[s] is a else self.define(f"{s}.end", op("select", release, go[s], a)) for s, a in end.items()}
        room = self.define(".spike.room", op("select", release, left, ONE))
        free = self.define(".free", op("or", op("not", value(BUSY)), release))
        return begin, end, room, free, release

    def corrected(self, begin: Point, root: Expr, room: Expr) -> tuple[Point, Expr]:
        """The states at the crossing, and how far in the step it is: RK4 up to the root, then one step of Newton's method on the states."""
        part = self.define(".spike.try", mul(root, room))
        near = self.move("try", begin, ".spike.try", None)
        climb = self.define(".spike.climb", self.climb(near))
        miss = op("select", op("gt", climb, ZERO), op("div", self.at(self.margin, near), positive(climb)), ZERO)
        moment = self.define(".spike.part", op("min", op("max", op("sub", part, miss), ZERO), room))
        step = self.define(".spike.shift", op("mul", op("sub", moment, part), value(H)))
        there = dict(near)
        for state, rate in self.rates(near).items():
            there[state] = self.define(f"{state}.there", self.clip(state, add(near[state], mul(step, rate))))
        return there, moment

    def move(self, label: str, start: Point, part: str, busy: Expr | None) -> Point:
        """The states after a part of a step from a point, by RK4 on all equations at once."""
        names = {o.state: f"{o.state}.{label}" for o in self.model.odes}
        if not names:
            return start
        for state, name in names.items():
            self.define(name, start[state])
        inside = {**start, **{s: value(n) for s, n in names.items()}}
        results = tuple(f"{n}.1" for n in names.values())
        self.out.append(
            Integrate(
                method="rk4",
                states=tuple(names.values()),
                initial=tuple(value(n) for n in names.values()),
                rates=tuple(self.at(o.rhs, inside) for o in self.model.odes),
                results=results,
                busy=busy,
                hold=tuple(names[s] for s in names if s in self.hold) if busy is not None else (),
                guards=tuple((names[g.state], self.at(g.limit, inside)) for g in self.model.guards),
                part=part,
                spans=tuple(o.span for o in self.model.odes),
            )
        )
        clipped = {s: self.clip(s, value(r)) for s, r in zip(names, results, strict=True)}
        named = {s: e if e.op == "value" else self.define(f"{s}.{label}.2", e) for s, e in clipped.items()}
        return {**start, **named}
