"""Checks of synapses: one synapse between a source and a cell that fires when it is told to, run as a network on the reference.

drive pre                        events of the source, seen by the synapse at their own stamps (axon = 0)
drive post                       spikes of the cell, seen at their own stamps (back = 0)
drive of a continuous input      an output of the cell
sent                             what reaches the cell (dend = 0)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from birc.backends.networks import BoundSource, Kept, NetworkJob
from birc.checks.compare import Array, CheckResult, Stretch, compare
from birc.checks.drives import Arrivals, arrivals, held_rows, length
from birc.ir.expr import const, op, var
from birc.ir.model import (
    Check,
    Endpoint,
    Handler,
    Input,
    Model,
    Network,
    NetworkSource,
    Output,
    Population,
    Projection,
    Send,
    Spike,
    State,
    Update,
)
from birc.networks import CompiledNetwork, compile_network
from birc.runtime.bind import parameter_values
from birc.runtime.durations import step_length
from birc.runtime.values import Setting
from birc.units import ONE

PRE, TOLD, CELL = "pre", "told", "cell"
SYNAPSE = f"{PRE} -> {CELL}.sent"
SHOWN, GIVEN, SENT, FIRE = "shown.", "given.", "sum", "fire"


@dataclass(frozen=True)
class Bench:
    """A synapse between its two sides, compiled."""

    model: Model
    compiled: CompiledNetwork

    def run(self, check: Check) -> list[CheckResult]:
        """Send both sides their events, then compare what the synapse did with each expectation."""
        h = step_length(self.compiled.dt)
        ready = self.compiled.bind(seed=check.seed or 0)
        program = next(p.synapse for p in ready.network.projections if p.name == SYNAPSE)
        assert program is not None
        params = parameter_values(program.start, Setting(self.model.name, 1, 0, 1, h, 0), {}, check.preset)
        steps = length(check, params, h)
        events = arrivals(check, params, h)
        rows = held_rows(check, params, h)
        listed = {PRE: events.get("pre"), TOLD: events.get("post")}
        sources = tuple(_listed(s, listed.get(s.name)) for s in ready.network.sources)
        network = replace(ready.network, sources=sources)
        values = {f"{GIVEN}{i.name}": np.zeros((steps, 1)) for i in self.model.inputs}
        for name, held in rows.items():
            # the cell shows its input a step later, and the synapse reads what it shows: so it is given the next row
            values[f"{GIVEN}{name}"] = np.append(held[1:], held[-1:])[:, None]
            ready.state[f"{CELL}.{SHOWN}{name}"][:] = held[0]
        kept = {s.name: Kept(f"{SYNAPSE}.{s.name}", np.empty((steps, 1)), 0, 1) for s in self.model.states}
        received = Kept(f"{CELL}.{SENT}", np.empty((steps, 1)), 0, 1)
        record = (*kept.values(), received)
        self.compiled.runner.run(NetworkJob(network, 0, steps, ready.state, values, record=record, seed=check.seed or 0))
        given = {**params, **{i.name: rows.get(i.name, np.zeros(1)) for i in self.model.inputs}}
        given |= {name: k.rows[:, 0] for name, k in kept.items()}
        found = []
        for x in check.expects:
            stretch = Stretch(steps, h, x.during, given)
            measured = self._measures(stretch, events, received.rows[:, 0])
            found.append(CheckResult(self.model.name, x, compare(x, stretch, measured | stretch.of(given), {})))
        return found

    def _measures(self, stretch: Stretch, events: Mapping[str, Arrivals], received: Array) -> dict[str, Any]:
        """`sent`: the sum of what was sent; `count`: how often."""
        count = 0.0
        for handler in self.model.handlers:
            stamps = events[handler.port].stamp if handler.port in events else np.zeros(0, np.int64)
            sends = sum(isinstance(line, Send) for line in handler.body)
            count += sends * float(stretch.holds(stamps * stretch.h).sum())
        return {"sent": float(np.diff(received, prepend=0.0)[stretch.rows].sum()), "count": count, "elapsed": stretch.h}


def _listed(source: BoundSource, events: Arrivals | None) -> BoundSource:
    """A source with other events."""
    stamps, many = np.unique(events.stamp if events is not None else np.zeros(0, np.int64), return_counts=True)
    return replace(source, poisson=None, stamp=stamps.astype(np.int64), index=np.zeros(len(stamps), np.int32), many=many.astype(np.int32))


def bench(model: Model, preset: str | None, dt: str) -> Bench:
    """Compile a synapse for its checks."""
    # what a cell shows of a state keeps it up to date at every step, so that it can be looked at between events
    watched = replace(model, outputs=tuple(Output(f"{SHOWN}{s.name}", s.unit, var(s.name)) for s in model.states))
    sources = [NetworkSource(name, "regular", (("rate", const(1e-9)),), 1) for name in (PRE, TOLD)]
    sources += [NetworkSource(f"{GIVEN}{i.name}", "current_step", (("amplitude", const(0.0)),), 1) for i in model.inputs]
    feeds = tuple((i.name, var(f"post.{SHOWN}{i.name}")) for i in model.inputs)
    everyone: dict[str, Any] = {"rule": "one_to_one", "rule_arguments": (), "flags": ()}
    synapse = Projection(Endpoint(PRE), Endpoint(CELL, port="sent"), model.name, preset, feeds, properties=(), **everyone)
    plain: dict[str, Any] = {"synapse": None, "preset": None, "arguments": (), **everyone, "properties": (("w", const(1.0)),)}
    projections = [synapse, Projection(Endpoint(TOLD), Endpoint(CELL, port=FIRE), **plain)]
    projections += [Projection(Endpoint(f"{GIVEN}{i.name}"), Endpoint(CELL, port=f"{GIVEN}{i.name}"), **plain) for i in model.inputs]
    network = Network(
        name=model.name,
        doc=None,
        models=(_cell(model), watched),
        populations=(Population(CELL, CELL, None, (), 1),),
        sources=tuple(sources),
        signals=(),
        projections=tuple(projections),
        thirds=(),
        records=(),
    )
    return Bench(model, compile_network(network, dt=dt))


def _cell(model: Model) -> Model:
    """A cell that adds up what it is sent (in internal units), fires when it is told to, and shows its inputs."""
    add = Handler("sent", "w", ONE, (Update(SENT, op("add", var(SENT), var("w"))),))
    told = Handler(FIRE, "w", ONE, (Update("due", op("add", var("due"), var("w"))),))
    return Model(
        name=CELL,
        kind="neuron",
        states=(State(SENT, ONE, const(0.0)), State("due", ONE, const(0.0))),
        inputs=tuple(Input(f"{GIVEN}{i.name}", i.unit) for i in model.inputs),
        handlers=(add, told),
        spike=Spike("level", op("ge", var("due"), const(0.5)), (Update("due", const(0.0)),)),
        outputs=tuple(Output(f"{SHOWN}{i.name}", i.unit, var(f"{GIVEN}{i.name}")) for i in model.inputs),
    )
