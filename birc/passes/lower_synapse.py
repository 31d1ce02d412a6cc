"""From a synapse to programs over synapses: its handlers, what flows between events, and where its traces are kept.

    on pre { update w = w - A_m * y   send w }
    ->  pre:  %y = read y  %w = load w  %w.1 = sub %w, (mul %A_m, %y)  store w, %w.1  put send.0, %w.1

A trace is kept per neuron, where all its synapses see the spikes of that neuron at the same time and let it decay alike; else it becomes a
state of each synapse. A state that decays towards a fixed value, and that nothing reads between events, is brought up to date when an event
comes (`Decay`); any other advances every step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from birc.errors import Span
from birc.ir.expr import Expr, const, leaves, make, op, substitute, value, var
from birc.ir.linear import linear_form
from birc.ir.model import Block, Handler, Model, Ode, Send, State, Trace, Update
from birc.ir.step import Define, PhaseName, Port, Put, Slot, Statement, Step, Store, with_phases
from birc.ir.synapse import COUNT, SEND, Choice, Decay, SynapseProgram, TraceSlot
from birc.passes import lower_to_step, plasticity_normal_form
from birc.passes.bind_states import NO_LIMITS, Limits, bind_states, bound, clip
from birc.passes.classify_odes import bind_time
from birc.passes.step_names import H
from birc.units import ONE

DECAY, EXPONENT = ".decay.", ".exponent."


@dataclass(frozen=True)
class Spread:
    """What differs between the synapses of a projection: parameters by name, and the delays that `pre` and `post` events take to them."""

    params: frozenset[str] = frozenset()
    axon: bool = False
    back: bool = False

    def of(self, side: str) -> bool:
        """Whether the spikes of one neuron reach its synapses at different times."""
        return self.axon if side == "pre" else self.back


def run(model: Model, spread: Spread | None = None) -> SynapseProgram:
    """Lower a synapse whose functions, lets and solvers are settled; solver passes and the rest come behind, for each program."""
    spread = spread or Spread()
    own = tuple(t for t in model.traces if _is_per_synapse(t, spread))
    whole = _with_states(model, own)
    lazy = _lazy(whole, spread)
    start, limits = bind_states(whole)
    shared = tuple(t for t in model.traces if t not in own)
    start = start + tuple(Define(DECAY + t.name, op("exp", op("neg", op("div", value(H), bound(t.tau)))), t.span) for t in shared)
    start = start + tuple(Define(EXPONENT + s, op("mul", bound(rate), value(H))) for s, (rate, _) in lazy.items())
    slots = tuple(Slot(s.name, "real", s.unit, f".init.{s.name}", *limits.get(s.name, NO_LIMITS), s.span) for s in whole.states)
    base = Step(model.name, whole.params, slots, (), (), (), (), start, (), whole.presets, doc=whole.doc, span=whole.span)
    making = _Making(whole, base, lazy, limits, shared)
    handlers = {h.port: h for h in model.handlers}
    return SynapseProgram(
        name=model.name,
        start=base,
        flow=_flow(whole, lazy, base),
        pre=making.handler("pre", handlers.get("pre")),
        post=making.handler("post", handlers["post"]) if "post" in handlers else None,
        rise_pre=making.rise("pre", own),
        rise_post=making.rise("post", own),
        traces=tuple(TraceSlot(t.name, t.of, t.nearest, DECAY + t.name) for t in shared),
        decays=tuple(Decay(s, DECAY + s, EXPONENT + s) for s in lazy),
        inputs=tuple(i.name for i in model.inputs),
        choices=_choices(model, whole, own, lazy, spread),
        changes=plasticity_normal_form.run(model),
        span=model.span,
    )


# --- what is kept where


def _is_per_synapse(trace: Trace, spread: Spread) -> bool:
    return spread.of(trace.of) or bool(leaves(trace.tau, "var") & spread.params)


def _with_states(model: Model, traces: tuple[Trace, ...]) -> Model:
    """The model with traces that are kept per synapse as states of it."""
    states = tuple(State(t.name, ONE, const(0.0), span=t.span) for t in traces)
    odes = tuple(Ode(t.name, op("neg", op("div", var(t.name), t.tau)), t.span) for t in traces)
    blocks = tuple(Block((t.name,), "constant", "exact", "a trace") for t in traces)
    return replace(model, states=model.states + states, odes=model.odes + odes, blocks=model.blocks + blocks)


def _lazy(model: Model, spread: Spread) -> dict[str, tuple[Expr, Expr]]:
    """(rate, rest) of each state that may wait for events: x' = rate * (x - rest), read by no other equation, the same rate everywhere."""
    fixed = bind_time(model)
    read = {n for o in model.odes for n in leaves(o.rhs, "var") if n != o.state}
    read |= {n for r in model.step_rules for n in leaves(r.value, "var")}
    read |= {n for o in model.outputs for n in leaves(o.value, "var")}
    odes = {o.state: o for o in model.odes}
    states = {s.name: s for s in model.states}
    found: dict[str, tuple[Expr, Expr]] = {}
    for block in model.blocks:
        state = block.states[0]
        form = linear_form(odes[state].rhs, frozenset({state}))
        if len(block.states) > 1 or block.method != "exact" or form is None or state in read:
            continue
        rate = form.of(state)
        bounded = states[state].low is not None or states[state].high is not None
        if bounded or not leaves(rate, "var") <= fixed - spread.params or not leaves(form.rest, "var") <= fixed or not form.coefficients:
            continue
        rest = const(0.0) if form.rest is const(0.0) else op("neg", op("div", form.rest, rate))
        found[state] = rate, rest
    return found


def _choices(model: Model, whole: Model, own: tuple[Trace, ...], lazy: dict[str, tuple[Expr, Expr]], spread: Spread) -> tuple[Choice, ...]:
    """What `birc explain` says of traces and of states that change between events."""
    rows = []
    for trace in model.traces:
        side = {"pre": "source", "post": "target"}[trace.of]
        if trace not in own:
            rows.append(Choice(trace.name, f"one for each {side} neuron", "all its synapses see its spikes at the same time"))
        else:
            why = "spikes reach the synapses at different times" if spread.of(trace.of) else "its time constant differs between synapses"
            rows.append(Choice(trace.name, "one for each synapse", why))
    traces = {t.name for t in own}
    for ode in whole.odes:
        if ode.state in traces:
            continue
        if ode.state in lazy:
            why = "it decays towards a fixed value, and nothing reads it in between"
            rows.append(Choice(ode.state, "brought up to date by events", why))
        else:
            rows.append(Choice(ode.state, "advanced every step", "no closed form leads from one event to the next"))
    return tuple(rows)


# --- programs


def _flow(model: Model, lazy: dict[str, tuple[Expr, Expr]], base: Step) -> Step | None:
    """The program that advances everything that is not lazily kept, as that of a neuron without events."""
    odes = tuple(o for o in model.odes if o.state not in lazy)
    if not odes and not model.step_rules:
        return None
    blocks = tuple(b for b in model.blocks if not lazy.keys() & set(b.states))
    alone = replace(model, kind="neuron", odes=odes, blocks=blocks, traces=(), handlers=(), guards=())
    step = lower_to_step.run(alone)
    return replace(step, name=f"{model.name}.flow", slots=base.slots)


@dataclass(frozen=True)
class _Making:
    """What the programs of one synapse share."""

    model: Model
    base: Step
    lazy: dict[str, tuple[Expr, Expr]]
    limits: Limits
    traces: tuple[Trace, ...]

    def handler(self, side: str, handler: Handler | None) -> Step:
        """The program of `on pre` or `on post`, which top to bottom does what its lines say."""
        body = _Body(self)
        puts: list[Put] = []
        for line in handler.body if handler else ():
            if isinstance(line, Update):
                body.update(line)
            else:
                puts.append(body.send(line, len(puts)))
        return self._program(side, body, puts)

    def rise(self, side: str, own: tuple[Trace, ...]) -> Step | None:
        """The program that raises the traces of one side that are kept per synapse."""
        mine = [t for t in own if t.of == side]
        if not mine:
            return None
        body = _Body(self)
        body.lines.append(("input", Define(COUNT, make("read", (), COUNT))))
        for trace in mine:
            new = const(1.0) if trace.nearest else op("add", body.current[trace.name], value(COUNT))
            body.assign(trace.name, new, trace.span)
        return self._program(f"rise_{side}", body, [])

    def _program(self, role: str, body: _Body, puts: list[Put]) -> Step:
        stores = [Store(s, e) for s, e in body.current.items() if e is not value(s)]
        bodies: dict[PhaseName, tuple[Statement, ...]] = {
            "input": tuple(s for phase, s in body.lines if phase == "input"),
            "flow": tuple(s for phase, s in body.lines if phase == "flow"),
            "plasticity": (*(s for phase, s in body.lines if phase == "plasticity"), *stores),
            "record": tuple(puts),
        }
        inputs = [Port(i.name, i.unit, i.span) for i in self.model.inputs]
        inputs += [Port(t.name, ONE, t.span) for t in self.traces]
        inputs += [Port(name, ONE) for name in (*(DECAY + s for s in self.lazy), COUNT)]
        known = {d.name for d in body.lines_of("input")}
        outputs = tuple(Port(p.output, ONE, p.span) for p in puts)
        return with_phases(
            replace(
                self.base,
                name=f"{self.base.name}.{role}",
                inputs=tuple(p for p in inputs if p.name in known),
                outputs=outputs,
            ),
            bodies,
        )


class _Body:
    """A handler under construction: the current value of each state, lazily kept ones brought up to date."""

    def __init__(self, making: _Making) -> None:
        self.making = making
        self.lines: list[tuple[PhaseName, Statement]] = []
        self.versions = dict.fromkeys((s.name for s in making.model.states), 0)
        self.current: dict[str, Expr] = {}
        for name, span in [(i.name, i.span) for i in making.model.inputs] + [(t.name, t.span) for t in making.traces]:
            self.lines.append(("input", Define(name, make("read", (), name), span)))
        for state in making.model.states:
            self.lines.append(("flow", Define(state.name, make("load", (), state.name), state.span)))
            self.current[state.name] = value(state.name)
        for state_name, (_, rest) in making.lazy.items():
            self.lines.append(("input", Define(DECAY + state_name, make("read", (), DECAY + state_name))))
            away = bound(rest)
            loaded, factor = value(state_name), value(DECAY + state_name)
            nowhere = rest is const(0.0)
            now = op("mul", loaded, factor) if nowhere else op("add", away, op("mul", op("sub", loaded, away), factor))
            self._define("flow", state_name, now)

    def lines_of(self, phase: PhaseName) -> list[Define]:
        """The definitions of a phase."""
        return [s for name, s in self.lines if name == phase and isinstance(s, Define)]

    def _define(self, phase: PhaseName, state: str, e: Expr, span: Span | None = None) -> None:
        self.versions[state] += 1
        name = f"{state}.{self.versions[state]}"
        self.lines.append((phase, Define(name, e, span)))
        self.current[state] = value(name)

    def _now(self, e: Expr) -> Expr:
        names = {var(n): self.current.get(n, value(n)) for n in leaves(e, "var")}
        return substitute(e, {**names, var("elapsed"): value(H)})

    def assign(self, state: str, e: Expr, span: Span | None) -> None:
        """A state gets a value, kept between its limits."""
        self._define("plasticity", state, clip(e, self.making.limits.get(state, NO_LIMITS)), span)

    def update(self, line: Update) -> None:
        """A line `x = …`."""
        self.assign(line.target, self._now(line.value), line.span)

    def send(self, line: Send, number: int) -> Put:
        """A line `send …`."""
        return Put(f"{SEND}{number}", self._now(line.value), line.span)
