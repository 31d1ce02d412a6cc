"""From the equations of a model to the nodes of a NIR graph, decided by structure alone.

    tau_m * v' = (E_L - v) + R * i    tau_s * i' = -i    on exc(w): i += w    spike when v >= v_th: v = v_reset
    ->  input -> Affine -> CubaLIF -> output
    x' = a x + sum of gains * sources + rest, `a` and all gains free of states  ->  LI, or with a spike LIF;  a = 0  ->  I, IF

A state is counted from its rest, so that every leak of the graph is 0. What has no node is refused, all of it at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from birc.backends.show import show
from birc.errors import Diagnostic, Span
from birc.ir.expr import Expr, const, is_const, leaves, op, topo
from birc.ir.linear import Linear, add, div, linear_form, mul, neg
from birc.ir.model import Handler, Model, Ode, Spike, Update

ZERO = const(0.0)


@dataclass(frozen=True)
class Source:
    """What drives a node: a continuous port or another node, by a gain per ms, or an event port, by the jump that an event of 1 makes."""

    kind: Literal["input", "event", "node"]
    name: str
    gain: Expr


@dataclass(frozen=True)
class Node:
    """`x' = rate * x + gains * sources + drift` for x = state - rest; an integrator has no rate."""

    state: str
    rate: Expr | None
    rest: Expr
    drift: Expr
    sources: tuple[Source, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Threshold:
    """The node that spikes where its state is above `level`, and then is set to `reset`; both as the model has them."""

    state: str
    level: Expr
    reset: Expr
    strict: bool
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Plan:
    """The graph before numbers: nodes in the order in which they drive one another, the last one being the output.

    `current` is the state that, as the only source of the last node, is one with it (CubaLIF, CubaLI).
    """

    ports: tuple[tuple[Literal["input", "event"], str], ...]
    nodes: tuple[Node, ...]
    threshold: Threshold | None
    current: str | None

    def node(self, state: str) -> Node:
        """The node of a state."""
        return next(n for n in self.nodes if n.state == state)

    def kind(self, node: Node) -> str:
        """The node's name in NIR."""
        spikes = self.threshold is not None and node.state == self.threshold.state
        if node is self.nodes[-1] and self.current is not None:
            return "CubaLIF" if spikes else "CubaLI"
        return ("I" if node.rate is None else "LI") + ("F" if spikes else "")


def match(model: Model) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """The plan of a model, or everything in it that NIR has no node for."""
    reader = _Reader(model)
    plan = reader.plan()
    return (None if reader.refusals else plan), tuple(reader.refusals)


class _Reader:
    """Reads a model part by part; what does not fit is noted, and reading goes on."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.refusals: list[Diagnostic] = []
        self.states = [s.name for s in model.states]
        self.inputs = [i.name for i in model.inputs]
        self.moving = frozenset(self.states) | frozenset(self.inputs) | frozenset(n.name for n in model.noises)

    def refuse(self, code: str, message: str, span: Span | None, help: str | None = None) -> None:
        self.refusals.append(Diagnostic(code, message, span or self.model.span, help))

    def plan(self) -> Plan | None:
        self.features()
        odes = {o.state: o for o in self.model.odes}
        forms = {s: self.equation(odes.get(s)) for s in self.states if s not in {r.state for r in self.model.step_rules}}
        jumps = self.jumps()
        threshold = None if self.model.spike is None else self.threshold(self.model.spike)
        if self.refusals:  # what drives what is not known where an equation or the spike was refused
            return None
        order = self.order({s: f for s, f in forms.items() if f is not None}, odes, threshold)
        if not order:
            return None
        return self.assemble(order, {s: f for s, f in forms.items() if f is not None}, jumps, odes, threshold)

    def features(self) -> None:
        """What no NIR node has, wherever it stands, beside what the target's table leaves out."""
        for rule in self.model.step_rules:
            self.refuse("L325", f"NIR has no rule per step: `step {rule.state}`", rule.span)
        for state in self.model.states:
            if state.low is not None or state.high is not None:
                self.refuse("L325", f"NIR has no limits of a state: `{state.name}`", state.span)
        if not self.model.inputs and not self.model.handlers:
            self.refuse("L325", f"a NIR graph begins with an input, and `{self.model.name}` has none", self.model.span)

    def equation(self, ode: Ode | None) -> Linear | None:
        """An equation as a linear form in states and ports."""
        if ode is None:
            return Linear({}, ZERO)
        form = linear_form(ode.rhs, self.moving)
        if form is None:
            culprit = next(e for e in topo(ode.rhs) if linear_form(e, self.moving) is None)
            self.refuse("L321", f"NIR has no node for `{show(culprit)}` in the equation of `{ode.state}`", ode.span, LINEAR)
        return form

    def jumps(self) -> dict[str, list[tuple[str, Expr]]]:
        """By state, the event ports that move it and the jump that an event of 1 makes."""
        found: dict[str, list[tuple[str, Expr]]] = {}
        for handler in self.model.handlers:
            for update in handler.body:
                if not isinstance(update, Update) or handler.payload is None:
                    continue
                gain = self.gain(handler, update)
                if gain is None:
                    target = f"{update.target} = {show(update.value)}"
                    self.refuse(
                        "L322", f"an event of a NIR graph adds to one state; `{target}` does not", update.span or handler.span, SUMMING
                    )
                else:
                    found.setdefault(update.target, []).append((handler.port, gain))
        return found

    def gain(self, handler: Handler, update: Update) -> Expr | None:
        form = linear_form(update.value, self.moving | {str(handler.payload)})
        if form is None or set(form.coefficients) - {update.target, str(handler.payload)}:
            return None
        kept = is_const(form.of(update.target), 1.0) and is_const(form.rest, 0.0)
        return form.of(str(handler.payload)) if kept else None

    def threshold(self, spike: Spike) -> Threshold | None:
        """`x >= level`, and a body that sets x and nothing else."""
        if spike.mode == "rise":
            self.refuse("L323", "a NIR node spikes while it is above its threshold, not when it rises above it", spike.span)
            return None
        found = self.condition(spike.condition)
        if found is None:
            self.refuse(
                "L323",
                f"a NIR node spikes where one state is above a fixed level; `{show(spike.condition)}` is another condition",
                spike.span,
            )
            return None
        state, level = found
        reset: Expr | None = None
        for update in spike.body:
            if update.target == state and not leaves(update.value, "var") & self.moving:
                reset = update.value
            else:
                message = (
                    f"a NIR node sets its potential to a fixed value when it spikes; `{update.target} = {show(update.value)}` does more"
                )
                self.refuse("L323", message, update.span or spike.span)
        if reset is None and all(u.target != state for u in spike.body):
            self.refuse("L323", f"a NIR node is reset when it spikes; `{state}` is not", spike.span)
        return None if reset is None else Threshold(state, level, reset, spike.condition.op in ("gt", "lt"), spike.span)

    def condition(self, e: Expr) -> tuple[str, Expr] | None:
        if e.op not in ("ge", "gt", "le", "lt"):
            return None
        high, low = e.args if e.op in ("ge", "gt") else e.args[::-1]
        form = linear_form(op("sub", high, low), self.moving)
        if form is None or len(form.coefficients) != 1:
            return None
        ((state, slope),) = form.coefficients.items()
        return (state, neg(form.rest)) if state in self.states and is_const(slope, 1.0) else None

    def order(self, forms: dict[str, Linear], odes: dict[str, Ode], threshold: Threshold | None) -> list[str]:
        """States with drivers first and the output last; a circle, a second output or a reader of what spikes is refused."""
        drives = {s: [d for d in f.coefficients if d in forms and d != s] for s, f in forms.items()}
        done: list[str] = []
        waiting = list(forms)
        while ready := [s for s in waiting if all(d in done for d in drives[s])]:
            done += ready
            waiting = [s for s in waiting if s not in ready]
        for state in waiting:
            span = odes[state].span if state in odes else None
            self.refuse("L321", f"`{state}` and what drives it drive one another; NIR's nodes form a chain", span)
        read = {d for drivers in drives.values() for d in drivers}
        ends = [s for s in done if s not in read]
        end = threshold.state if threshold is not None else ends[-1] if ends else ""
        for state in done:
            span = odes[state].span if state in odes else next(s.span for s in self.model.states if s.name == state)
            if threshold is not None and threshold.state in drives[state]:
                self.refuse("L321", f"`{state}` reads `{threshold.state}`, but a NIR node that spikes gives out its spikes only", span)
            elif state in ends and state != end:
                self.refuse("L321", f"`{state}` does not act on `{end}`; a graph has one output", span)
        return [*(s for s in done if s != end), end] if not waiting and end in done else []

    def assemble(
        self,
        order: list[str],
        forms: dict[str, Linear],
        jumps: dict[str, list[tuple[str, Expr]]],
        odes: dict[str, Ode],
        threshold: Threshold | None,
    ) -> Plan:
        rests: dict[str, Expr] = {}
        nodes: list[Node] = []
        for state in order:
            form = forms[state]
            rate = form.of(state)
            constant = form.rest
            for name in form.coefficients:
                if name in rests and name != state:
                    constant = add(constant, mul(form.of(name), rests[name]))
            leaky = not is_const(rate, 0.0)
            spikes = threshold is not None and threshold.state == state
            rests[state] = neg(div(constant, rate)) if leaky else threshold.reset if threshold is not None and spikes else ZERO
            sources = [Source("input", n, c) for n, c in form.coefficients.items() if n in self.inputs]
            sources += [Source("event", port, jump) for port, jump in jumps.get(state, [])]
            sources += [Source("node", n, c) for n, c in form.coefficients.items() if n in forms and n != state]
            span = odes[state].span if state in odes else None
            nodes.append(Node(state, rate if leaky else None, rests[state], ZERO if leaky else constant, tuple(sources), span))
        ports: list[tuple[Literal["input", "event"], str]] = [("input", n) for n in self.inputs]
        ports += [("event", port) for port in dict.fromkeys(h.port for h in self.model.handlers)]
        return Plan(tuple(ports), tuple(nodes), threshold, _current(nodes))


def _current(nodes: list[Node]) -> str | None:
    """The state that is the only source of the last node, if both leak and nothing else is read by or from it."""
    last = nodes[-1]
    if len(nodes) != 2 or last.rate is None or nodes[0].rate is None or [s.kind for s in last.sources] != ["node"]:
        return None
    return nodes[0].state


LINEAR = "its nodes are LI, LIF, CubaLI, CubaLIF, I and IF, all linear with constant coefficients"
SUMMING = "`x += c * w`, with c of parameters, does"
