"""From what a model is to what one step does: events, refractoriness, clipping and resets become ops in the phases of a step.

    spike level { ge %v, %v_th } reset { set %v, %v_reset }
    ->  test { %.fired = … }  reset { %v.2 = select %.fired, %v_reset, %v.1  store v, %v.2 }

Equations become `Integrate` statements, one per block, all from the state at stamp k; solver passes expand them. `with spikes located` has
its own part of the flow (`locate_spikes`).
"""

from __future__ import annotations

from birc.errors import BircError
from birc.ir.expr import Expr, const, is_const, leaves, make, op, substitute, value, var
from birc.ir.graph import reads, transitive
from birc.ir.linear import linear_form
from birc.ir.model import Block, Handler, Model, Spike, State, Update
from birc.ir.solvers import SOLVERS
from birc.ir.step import (
    OFFSET,
    PHASES,
    REFRACTORY,
    Carry,
    Define,
    Deliver,
    Emit,
    Feed,
    Integrate,
    Noise,
    Phase,
    PhaseName,
    Port,
    Put,
    Slot,
    Statement,
    Step,
    Store,
)
from birc.passes.bind_states import NO_LIMITS, Limits, bind_states, clip
from birc.passes.classify_odes import bind_time
from birc.passes.locate_spikes import Located, asked, locate
from birc.passes.step_names import BUSY, FIRED, LAST, LEFT, N_REF, WAS, H
from birc.units import ONE as NO_UNIT


def run(model: Model) -> Step:
    """Lower a neuron or astrocyte.

    Raises L110 for a channel or synapse (they are lowered inside what uses them), L111 for a refractory time that changes in time, L114
    for spikes that are to be located inside steps and cannot be.
    """
    if model.kind not in ("neuron", "astrocyte"):
        where = {"channel": "inside the neuron that uses it", "synapse": "inside a network's projection"}[model.kind]
        raise BircError("L110", f"a {model.kind} cannot run by itself; it is lowered {where}", model.span)
    return _Lowering(model).step()


class _Lowering:
    """The program under construction: statements by phase, and the current name of each state."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.bind: list[Define] = []
        self.bodies: dict[PhaseName, list[Statement]] = {name: [] for name in PHASES}
        self.states = {s.name: s for s in model.states}
        self.current: dict[str, str] = {s.name: s.name for s in model.states}
        self.versions: dict[str, int] = {s.name: 0 for s in model.states}
        self.fixed = bind_time(model)
        self.held = frozenset(model.refractory.hold) if model.refractory else frozenset()
        self.lanes: dict[str, int] = {}
        self.limits: Limits = {}
        self.sources = transitive(reads(model))
        self.frozen: Expr | None = value(BUSY) if model.refractory else None
        self.inside: Located | None = None

    def step(self) -> Step:
        """The whole program, phase by phase."""
        model = self.model
        self._bind()
        for port in model.inputs:
            self._define("input", port.name, make("read", (), port.name), port)
        self._load()
        self._flow()
        for handler in model.handlers:
            self._deliver(handler)
        self._test_and_reset()
        for output in model.outputs:
            self.bodies["record"].append(Put(output.name, self._now(output.value), output.span))
        return Step(
            name=model.name,
            params=model.params,
            slots=self._slots(),
            inputs=tuple(Port(i.name, i.unit, i.span) for i in model.inputs),
            events=tuple(Port(h.port, h.unit or NO_UNIT, h.span) for h in model.handlers),
            outputs=tuple(Port(o.name, o.unit, o.span) for o in model.outputs),
            noises=tuple(Noise(name, lanes) for name, lanes in self.lanes.items()),
            bind=tuple(self.bind),
            phases=tuple(Phase(name, tuple(self.bodies[name])) for name in PHASES if self.bodies[name]),
            presets=model.presets,
            blocks=model.blocks,
            guards=model.guards,
            doc=model.doc,
            span=model.span,
        )

    # --- pieces

    def _define(self, phase: PhaseName, name: str, e: Expr, source: object = None) -> Expr:
        self.bodies[phase].append(Define(name, e, getattr(source, "span", None)))
        return value(name)

    def _version(self, state: str) -> str:
        """The next name of a state."""
        self.versions[state] += 1
        return f"{state}.{self.versions[state]}"

    def _now(self, e: Expr) -> Expr:
        """`e` with the values current at this point of the step."""
        names = {var(n): value(self.current.get(n, n)) for n in leaves(e, "var")}
        return substitute(e, {**names, var("elapsed"): value(H)})

    def _clip(self, state: State, e: Expr) -> Expr:
        """`e`, kept between the state's limits."""
        return clip(e, self.limits.get(state.name, NO_LIMITS))

    def _bind(self) -> None:
        model = self.model
        lines, self.limits = bind_states(model)
        self.bind += lines
        if model.refractory:
            duration = model.refractory.duration
            if not leaves(duration, "var") <= self.fixed:
                help = "make it an expression of parameters"
                raise BircError("L111", "a refractory time must not change from step to step", model.refractory.span, help)
            count = op("steps", self._now(duration), value(H))
            self.bind.append(Define(N_REF, count, model.refractory.span))
            self.bind.append(Define(".init.refractory", const(0)))
        if asked(model):
            self.bind.append(Define(f".init.{OFFSET}", const(1.0)))

    def _slots(self) -> tuple[Slot, ...]:
        ends = {s.name: self.limits.get(s.name, NO_LIMITS) for s in self.model.states}
        slots = [Slot(s.name, "real", s.unit, f".init.{s.name}", *ends[s.name], s.span) for s in self.model.states]
        if self.model.refractory:
            slots.append(Slot(REFRACTORY, "int", NO_UNIT, ".init.refractory", span=self.model.refractory.span))
        if asked(self.model):
            slots.append(Slot(OFFSET, "real", NO_UNIT, f".init.{OFFSET}", 0.0, 1.0, self.model.spike.span if self.model.spike else None))
        return tuple(slots)

    def _load(self) -> None:
        for state in self.model.states:
            self._define("flow", state.name, make("load", (), state.name), state)
        spike, refractory = self.model.spike, self.model.refractory
        if refractory:
            self._define("flow", LEFT, make("load", (), REFRACTORY), refractory)
            self._define("flow", BUSY, op("gt", value(LEFT), const(0)), refractory)
        if asked(self.model):
            self._define("flow", LAST, make("load", (), OFFSET), spike)
        elif spike and spike.mode == "rise":
            self._define("flow", WAS, self._now(spike.condition), spike)

    def _busy(self) -> Expr | None:
        return value(BUSY) if self.model.refractory else None

    # --- flow

    def _flow(self) -> None:
        model = self.model
        results: dict[str, str] = {}
        exact: dict[str, Integrate] = {}
        for block in sorted(model.blocks, key=lambda b: b.method != "exact"):  # others may want exact ones at stage times
            statement = self._integrate(block, exact)
            self.bodies["flow"].append(statement)
            results.update(zip(statement.states, statement.results, strict=True))
            if block.method == "exact" and not any(statement.noises):
                exact.update(dict.fromkeys(statement.states, statement))
        for rule in model.step_rules:
            name = self._version(rule.state)
            self._define("flow", name, self._held(rule.state, self._now(rule.value), value(rule.state)), rule)
            results[rule.state] = name
        for state, name in results.items():
            declared = self.states[state]
            if state in self.limits:
                clipped = self._version(state)
                self._define("flow", clipped, self._clip(declared, value(name)), declared)
                name = clipped
            self.current[state] = name
        if asked(model):
            self._locate()

    def _locate(self) -> None:
        """Find a spike inside the flow, and go on from it."""
        end = {state: value(name) for state, name in self.current.items()}
        self.inside = found = locate(self.model, end, lambda state, e: self._clip(self.states[state], e))
        self.bodies["flow"] += found.statements
        self.current = {state: str(e.attr) for state, e in found.states.items()}
        self.frozen = found.frozen
        if self.model.spike and self.model.spike.mode == "rise" and self.model.handlers:
            self._define("flow", WAS, self._now(self.model.spike.condition), self.model.spike)

    def _held(self, state: str, new: Expr, old: Expr) -> Expr:
        """`new`, unless the state is held."""
        return op("select", self.frozen, old, new) if state in self.held and self.frozen is not None else new

    def _integrate(self, block: Block, exact: dict[str, Integrate]) -> Integrate:
        """The block's equations from the state at k, noise set apart."""
        model = self.model
        odes = {o.state: o for o in model.odes}
        noise_names = frozenset(n.name for n in model.noises)
        rates: list[Expr] = []
        noises: list[tuple[tuple[str, Expr], ...]] = []
        for state in block.states:
            form = linear_form(odes[state].rhs, noise_names)
            assert form is not None, "the front end lets noise in only linearly"
            rates.append(self._now(form.rest))
            noises.append(tuple((n, self._now(c)) for n, c in form.coefficients.items() if not is_const(c, 0.0)))
        lanes = len(block.states) if block.method == "exact" else 1
        self.lanes.update({n: max(lanes, self.lanes.get(n, 0)) for terms in noises for n, _ in terms})
        guards = tuple((g.state, self._now(g.limit)) for g in model.guards if g.state in block.states)
        read = {n for e in (*rates, *(limit for _, limit in guards)) for n in leaves(e, "value")} - set(block.states)
        free = [s for s in self.states if s in read and s in exact and not self.sources[s] & set(block.states)]
        feeds = tuple(self._feed(s, exact[s]) for s in free) if SOLVERS[block.method].staged else ()
        return Integrate(
            method=block.method,
            states=block.states,
            initial=tuple(value(s) for s in block.states),
            rates=tuple(rates),
            results=tuple(self._version(s) for s in block.states),
            noises=tuple(noises) if any(noises) else (),
            busy=self._busy() if self.held & set(block.states) else None,
            hold=tuple(s for s in block.states if s in self.held),
            guards=guards,
            feeds=feeds,
            spans=tuple(odes[s].span for s in block.states),
        )

    def _feed(self, state: str, source: Integrate) -> Feed:
        """The stage values of an exact block's state, which is solved to the middle of the step too, once."""
        middle = f"{state}.half"
        if not any(isinstance(s, Integrate) and middle in s.results for s in self.bodies["flow"]):
            half = tuple(f"{s}.half" for s in source.states)
            self.bodies["flow"].append(
                Integrate(
                    "exact", source.states, source.initial, source.rates, half, (), source.busy, source.hold, spans=source.spans, part=0.5
                )
            )
        return Feed(state, middle, source.results[source.states.index(state)])

    # --- deliver

    def _deliver(self, handler: Handler) -> None:
        payload = f"{handler.port}.{handler.payload or 'event'}"
        updates = [u for u in handler.body if isinstance(u, Update)]
        body: list[Define] = []
        written = list(dict.fromkeys(u.target for u in updates))
        if summing(handler, self.fixed):
            for update in updates:
                self._update(update, handler, payload, body)
            self.bodies["deliver"].append(Deliver(handler.port, payload, True, tuple(body), (), handler.span))
            return
        entering = {state: self.current[state] for state in written}
        inside = {state: self._version(state) for state in written}
        self.current.update(inside)
        for update in updates:
            self._update(update, handler, payload, body)
        carries = []
        for state in written:
            result = self._version(state)
            carries.append(Carry(inside[state], value(entering[state]), value(self.current[state]), result))
            self.current[state] = result
        self.bodies["deliver"].append(Deliver(handler.port, payload, False, tuple(body), tuple(carries), handler.span))

    def _update(self, update: Update, handler: Handler, payload: str, body: list[Define]) -> None:
        new = self._now(substitute(update.value, {var(handler.payload): value(payload)} if handler.payload else {}))
        old = value(self.current[update.target])
        name = self._version(update.target)
        clipped = self._clip(self.states[update.target], new)
        body.append(Define(name, self._held(update.target, clipped, old), update.span))
        self.current[update.target] = name

    # --- test, reset, emit

    def _test_and_reset(self) -> None:
        spike, refractory = self.model.spike, self.model.refractory
        if spike:
            fired = self._located(self.inside, spike) if self.inside else self._fired(spike)
            if refractory:
                left = op("max", op("sub", value(LEFT), const(1)), const(0))
                self._define("reset", ".r.1", op("select", fired, value(N_REF), left), refractory)
            self.bodies["emit"].append(Emit(fired, spike.span))
        for state in self.model.states:
            if self.current[state.name] != state.name:
                self.bodies["reset"].append(Store(state.name, value(self.current[state.name]), state.span))
        if refractory and spike:
            self.bodies["reset"].append(Store(REFRACTORY, value(".r.1"), refractory.span))

    def _fired(self, spike: Spike) -> Expr:
        """Whether the neuron fires at the end of the step, where its body acts."""
        free = op("not", value(BUSY)) if self.model.refractory else None
        fired = self._define("test", FIRED, self._condition(spike, free), spike)
        self._reset(spike, fired)
        return fired

    def _located(self, found: Located, spike: Spike) -> Expr:
        """Whether it fired inside the step; else, where events may have made it fire, whether it does at the end."""
        fired, offset = found.hit, op("select", found.hit, found.offset, value(LAST))
        if self.model.handlers:
            late = op("and", self._condition(spike, found.free), op("not", found.hit))
            evoked = self._define("test", ".evoked", late, spike)
            fired, offset = op("or", fired, evoked), op("select", evoked, const(1.0), offset)
            self._reset(spike, evoked)
        fired = self._define("test", FIRED, fired, spike)
        self.bodies["reset"].append(Store(OFFSET, offset, spike.span))
        return fired

    def _condition(self, spike: Spike, free: Expr | None) -> Expr:
        """The condition with the values current here, where the neuron is free to fire."""
        fires = self._now(spike.condition)
        if spike.mode == "rise":
            fires = op("and", fires, op("not", value(WAS)))
        return fires if free is None else op("and", fires, free)

    def _reset(self, spike: Spike, fired: Expr) -> None:
        """The body of the spike acts where `fired` is true."""
        for update in spike.body:
            old = value(self.current[update.target])
            new = self._clip(self.states[update.target], self._now(update.value))
            name = self._version(update.target)
            self._define("reset", name, op("select", fired, new, old), update)
            self.current[update.target] = name


def summing(handler: Handler, fixed: frozenset[str]) -> bool:
    """Whether each statement is `x += c*w` or `x -= c*w`, c made of parameters and constants and x not otherwise used."""
    if handler.payload is None:
        return False
    updates = [u for u in handler.body if isinstance(u, Update)]
    targets = [u.target for u in updates]
    if len(set(targets)) != len(targets) or len(updates) != len(handler.body):
        return False
    return all(_adds(u, handler.payload, fixed - {handler.payload}) for u in updates)


def _adds(update: Update, payload: str, fixed: frozenset[str]) -> bool:
    """`x + c*w` or `x - c*w` by its form as written, so that the sum of payloads may stand for w."""
    e = update.value
    if e.op not in ("add", "sub") or e.args[0] is not var(update.target):
        return False
    form = linear_form(e.args[1], frozenset({payload}))
    return (
        form is not None and is_const(form.rest, 0.0) and set(form.coefficients) == {payload} and leaves(form.of(payload), "var") <= fixed
    )
