"""Projections with their numbers: who reaches whom, weights, delays in steps, parameters of synapses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Dtype
from birc.backends.networks import LAST, PENDING, QUEUE_PAYLOAD, QUEUE_STAMP, QUEUE_TARGET, TRACE, BoundCoupling, BoundProjection, Builder
from birc.errors import BircError, Diagnostic, Span
from birc.ir import random
from birc.ir.connectivity.build import backward
from birc.ir.connectivity.convolution import kernel_factors
from birc.ir.connectivity.edges import Drawn, Wired, Wiring
from birc.ir.connectivity.rules import expected_synapses
from birc.ir.expr import Expr, const
from birc.ir.model import Endpoint, Param, Range
from birc.ir.network import NetworkProgram, ProjectionProgram
from birc.ir.step import Slot
from birc.ir.synapse import PIECE, SynapseProgram
from birc.runtime.bind import bind, bind_values
from birc.runtime.files import read_table
from birc.runtime.memory import require
from birc.runtime.network.delays import LONGEST, steps_of
from birc.runtime.network.values import beside, drawn, from_file, number
from birc.runtime.values import Internal, Setting
from birc.units import NAMES, ONE, Unit, internal_unit, over

Array = npt.NDArray[Any]
MS = NAMES["ms"]
DELAYED = "axon", "dend", "back"


@dataclass(frozen=True)
class Around:
    """What a projection is bound in: sizes of groups, parameters of the network, the step (ms), seed, number type, and who wires."""

    program: NetworkProgram
    sizes: Mapping[str, int]
    signals: frozenset[str]
    names: Mapping[str, Any]
    h: float
    seed: int
    dtype: Dtype
    wire: Builder

    def stream(self, projection: str, what: str) -> int:
        """The random stream of something that is drawn for the synapses of a projection."""
        return random.stream(f"{projection}.{what}:draw")

    def slice(self, end: Endpoint) -> tuple[int, int]:
        """The first instance of an endpoint, and how many it has."""
        first = end.start or 0
        return first, (self.sizes[end.population] if end.stop is None else end.stop) - first


@dataclass(frozen=True)
class Made:
    """A bound projection with its initial state and what was noticed; `at_once`: whether some of its synapses have no delay."""

    bound: BoundProjection
    state: dict[str, Array]
    at_once: bool
    warnings: tuple[Diagnostic, ...] = ()


def wiring_of(made: ProjectionProgram, around: Around) -> tuple[Wiring, int, int]:
    """The rule with its numbers, and the first instances on both sides."""
    projection = made.projection
    first_source, sources = around.slice(projection.source)
    first_target, targets = (0, 1) if projection.target.population in around.signals else around.slice(projection.target)
    one_group = projection.source.population == projection.target.population
    arguments: dict[str, Any] = {}
    for name, e in projection.rule_arguments:
        arguments |= _argument(name, e, around, projection.span, f"`{name}` of {made.name}")
    wiring = Wiring(
        rule=projection.rule,
        arguments=arguments,
        flags=frozenset(projection.flags),
        sources=sources,
        targets=targets,
        same=first_target - first_source if one_group else None,
        seed=around.seed,
        stream=around.stream(made.name, "rule"),
    )
    return wiring, first_source, first_target


def _argument(name: str, e: Expr, around: Around, span: Span | None, what: str) -> dict[str, Any]:
    """An argument of a rule; `file` brings the arrays that the file holds."""
    if e.op != "array":
        return {name: number(e, around.names)}
    reference = beside(str(e.attr), span)
    if name != "file":
        return {name: from_file(reference, span, what)}
    return {**read_table(reference, what).arrays, "file": reference}


# --- events


def bind_projection(made: ProjectionProgram, around: Around) -> Made:
    """A projection of events. Raises I132 for delays that cannot be, I145 for more synapses than there is memory, I110 for arrays."""
    return _static(made, around) if made.synapse is None else _plastic(made, made.synapse, around)


def _delay(made: ProjectionProgram, around: Around, name: str) -> Drawn:
    given = dict(made.projection.properties)
    e = given.get(name, given.get("dend", const(0.0)) if name == "back" else const(0.0))
    return drawn(e, around.names, around.stream(made.name, name), MS, made.projection.span, f"`{name}` of {made.name}", low=0.0)


def _static(made: ProjectionProgram, around: Around) -> Made:
    projection = made.projection
    wiring, first_source, first_target = wiring_of(made, around)
    weight = dict(projection.properties)["w"]
    unit = _weight_unit(made, around)
    value = drawn(weight, around.names, around.stream(made.name, "w"), unit, projection.span, f"`w` of {made.name}")
    value = _weighted(value, wiring, made)
    axon, dend = _delay(made, around, "axon"), _delay(made, around, "dend")
    first, second = (dend, axon) if axon.kind == "constant" else (axon, dend)
    if second.kind != "constant":
        help = "give one of both as a constant"
        raise BircError("I132", f"both delays of {made.name} differ between synapses, and its weight is constant", projection.span, help)
    rest = steps_of(second, second.a, around.h, projection.span, f"the delay of {made.name}")
    wired = build(wiring, first, (value,), made, around, around.dtype)
    edges = replace(wired.edges, delays=wired.edges.delays + rest)
    bound = BoundProjection(
        made.name,
        projection.source.population,
        first_source,
        projection.target.population,
        first_target,
        projection.target.port,
        edges,
        weight=_real(wired.values[0], around),
    )
    return Made(bound, {}, bool(len(edges.delays)) and int(edges.delays[0]) == 0)


def _weighted(value: Drawn, wiring: Wiring, made: ProjectionProgram) -> Drawn:
    """The weights times those of a kernel or a file of synapses, if it has any. Raises I115 where a drawn `w` would stand beside them."""
    match wiring.rule:
        case "conv2d":
            what, factors = "kernel", kernel_factors(wiring)
        case "from_file" if "weight" in wiring.arguments and value.kind != "array":
            what, factors = "file", np.asarray(wiring.arguments["weight"], np.float64).reshape(-1)
        case _:
            return value
    if factors is None:
        return value
    if value.kind != "constant":
        raise BircError("I115", f"the weights of {made.name} are those of its {what} times a constant `w`", made.projection.span)
    return Drawn("array", array=value.a * factors)


def build(wiring: Wiring, delay: Drawn, values: tuple[Drawn, ...], made: ProjectionProgram, around: Around, dtype: Dtype = "f64") -> Wired:
    """Edges with a delay each; mistakes are reported at the projection.

    Beside synapses that a file lists, arrays are in the order of that file.
    """
    span, what = made.projection.span, f"the delay of {made.name}"
    if wiring.rule == "from_file":
        if "delay" in wiring.arguments and "axon" not in dict(made.projection.properties):
            delay = replace(delay, kind="array", array=np.asarray(wiring.arguments["delay"], np.float64).reshape(-1))
        delay, *values_ = (_in_file_order(d, wiring) for d in (delay, *values))
        values = tuple(values_)
    expected = expected_synapses(wiring)
    width = 4 + np.dtype(FLOATS[dtype]).itemsize * sum(d.kind != "constant" for d in values)
    require(int(expected * width), f"{expected:.3g} synapses of {made.name}", "make fewer, or shrink the populations")
    if delay.kind == "constant":
        steps_of(delay, delay.a, around.h, span, what)
    elif delay.array is not None:
        steps_of(delay, delay.array, around.h, span, what)
    try:
        wired = around.wire(wiring, (delay, around.h), values, dtype)
    except BircError as error:
        raise BircError.of(replace(d, span=d.span or span) for d in error.diagnostics) from None
    if len(wired.edges.delays) and wired.edges.delays[-1] > LONGEST:
        raise BircError("I132", f"{what} is up to {wired.edges.delays[-1]:g} steps, and {LONGEST} are the most", span)
    return wired


def _in_file_order(d: Drawn, wiring: Wiring) -> Drawn:
    """An array that lists numbers (a column of a table, too) as the file lists synapses, in the order of the rule."""
    source, target = (np.asarray(wiring.arguments[key]).reshape(-1) for key in ("source", "target"))
    if d.array is None or (d.array.ndim != 1 and d.array.shape != (len(source), 1)):
        return d
    if len(d.array) != len(source):
        raise BircError("I110", f"{len(d.array)} numbers are given for the {len(source)} synapses of the file")
    return replace(d, array=d.array.reshape(-1)[np.lexsort((target, source))])


def _real(value: Array | float, around: Around) -> Array | float:
    """A weight in the number type of the run."""
    if isinstance(value, np.ndarray):
        return value.astype(FLOATS[around.dtype], copy=False)
    return float(value)


def _weight_unit(made: ProjectionProgram, around: Around) -> Unit:
    """The unit of what arrives, in which an array of weights is taken to be."""
    target = made.projection.target
    step = next((p.step for p in around.program.populations if p.population.name == target.population), None)
    if step is None:
        return ONE
    return next((p.unit for p in (*step.events, *step.inputs) if p.name == target.port), ONE)


# --- synapses that change


def _plastic(made: ProjectionProgram, synapse: SynapseProgram, around: Around) -> Made:
    projection = made.projection
    wiring, first_source, first_target = wiring_of(made, around)
    delays = {name: _delay(made, around, name) for name in DELAYED}
    differing = {name: d for name, d in _arguments(made, synapse, around).items() if d.kind != "constant"}
    wanted = {**differing, **{name: delays[name] for name in ("dend", "back") if delays[name].kind != "constant"}}
    wired = build(wiring, delays["axon"], tuple(wanted.values()), made, around)
    values = dict(zip(wanted, wired.values, strict=True))
    edges = wired.edges
    steps = {
        name: steps_of(delays[name], values.get(name, delays[name].a), around.h, projection.span, f"`{name}` of {made.name}")
        for name in ("dend", "back")
    }
    setting = Setting(made.name, edges.count, 0, 1, around.h, around.seed)
    given = {name: Internal(values.get(name, d.a)) for name, d in _arguments(made, synapse, around).items()}
    params = {name: v for name, v in given.items() if name in {p.name for p in synapse.start.params}}
    init = {name: v for name, v in given.items() if name not in params}
    start = bind(synapse.start, setting, around.dtype, params, projection.preset, init) if edges.count else None
    dend = steps["dend"]
    longest = int(np.max(dend, initial=0))
    pending = longest + 1 if longest else 0
    noises = [f"{made.name}.{n.name}" for n in (synapse.flow.noises if synapse.flow else ())]
    streams = random.streams(noises)
    bound = BoundProjection(
        made.name,
        projection.source.population,
        first_source,
        projection.target.population,
        first_target,
        projection.target.port,
        edges,
        synapse=synapse,
        bind={
            role: bind_values(step, setting, _known(params, step), projection.preset, _known_states(init, step))[0] if edges.count else {}
            for role, step in synapse.programs
        },
        dend=dend,
        back=backward(edges, steps["back"]) if synapse.needs_back else None,
        inputs={name: _feed(e.attr, around) for name, e in projection.arguments if e.op == "var"},
        tables={d.input: decay_table(float(start.values[d.exponent])) for d in synapse.decays} if start else {},
        pending=pending,
        queued=pending > 0 and not around.program.sums(projection.target),
        streams={name.rpartition(".")[2]: stream for name, stream in streams.items()},
    )
    decays = {t.name: float(start.values[t.decay]) for t in synapse.traces} if start else {}
    bound = replace(bound, bind={**bound.bind, "traces": decays})
    state = _state(bound, start.state if start else {}, around)
    at_once = edges.count > 0 and int(edges.delays[0]) == 0 and int(np.min(dend)) == 0
    return Made(bound, state, at_once, start.warnings if start else ())


def _known(given: Mapping[str, Any], step: Any) -> dict[str, Any]:
    return {name: v for name, v in given.items() if name in {p.name for p in step.params}}


def _known_states(given: Mapping[str, Any], step: Any) -> dict[str, Any]:
    return {name: v for name, v in given.items() if name in {s.name for s in step.slots}}


def _arguments(made: ProjectionProgram, synapse: SynapseProgram, around: Around) -> dict[str, Drawn]:
    """Parameters and initial states that a projection gives its synapses."""
    known: dict[str, Param | Slot] = {**{s.name: s for s in synapse.start.slots}, **{p.name: p for p in synapse.start.params}}
    found = {}
    for name, e in made.projection.arguments:
        if name not in known:
            continue
        low, high = _ends(known[name])
        what = f"`{name}` of {made.name}"
        found[name] = drawn(e, around.names, around.stream(made.name, name), known[name].unit, made.projection.span, what, low, high)
    return found


def _ends(of: Param | Slot) -> tuple[float, float]:
    """Between what draws for a parameter or state are kept; an open end is left to the check of the range."""
    allowed = of.range if isinstance(of, Param) else None
    if isinstance(allowed, Range):
        return allowed.low, allowed.high
    low, high = (of.low, of.high) if isinstance(of, Slot) else (None, None)
    return (low if isinstance(low, float) else -np.inf), (high if isinstance(high, float) else np.inf)


def _feed(name: object, around: Around) -> tuple[str, str]:
    side, _, variable = str(name).partition(".")
    return (side, variable) if side in ("pre", "post") and variable else ("signal", str(name))


def decay_table(exponent: float) -> tuple[Array, Array]:
    """exp(exponent * n) for n below PIECE, and for multiples of it up to where it is 0, or infinite."""
    most = int(np.clip(746.0 / max(abs(exponent) * PIECE, 1e-300), 0, 1 << 24)) + 2
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(exponent * np.arange(PIECE)), np.exp(exponent * PIECE * np.arange(most))


def _state(bound: BoundProjection, slots: Mapping[str, Array], around: Around) -> dict[str, Array]:
    """The initial state of a projection."""
    real, name, synapse = FLOATS[around.dtype], bound.name, bound.synapse
    assert synapse is not None
    state = {f"{name}.{slot}": array.copy() for slot, array in slots.items()}
    sizes = {"pre": bound.edges.sources, "post": bound.edges.targets}
    state |= {f"{name}{TRACE}{t.name}": np.zeros(sizes[t.of], real) for t in synapse.traces}
    if synapse.decays:
        state[name + LAST] = np.zeros(bound.edges.count, np.int64)
    if bound.queued:
        state |= {name + QUEUE_STAMP: np.zeros(0, np.int64), name + QUEUE_TARGET: np.zeros(0, np.int32)}
        state[name + QUEUE_PAYLOAD] = np.zeros(0, real)
    elif bound.pending:
        state[name + PENDING] = np.zeros((bound.pending, bound.edges.targets), real)
    return state


# --- continuous values


def bind_coupling(made: ProjectionProgram, around: Around) -> BoundCoupling:
    """A projection of a continuous value."""
    projection = made.projection
    wiring, first_source, first_target = wiring_of(made, around)
    gap = "gap" in wiring.flags
    source = next((p for p in around.program.populations if p.population.name == projection.source.population), None)
    unit = _coupling_unit(made, around)
    weight = dict(projection.properties).get("w", const(1.0))
    value = drawn(weight, around.names, around.stream(made.name, "w"), unit, projection.span, f"`w` of {made.name}")
    wired = build(replace(wiring, flags=wiring.flags - {"gap"}), Drawn("constant", 0.0), (value,), made, around, around.dtype)
    return BoundCoupling(
        made.name,
        projection.source.population,
        first_source,
        projection.source.port if source is not None else None,
        projection.target.population,
        first_target,
        str(projection.target.port),
        wired.edges,
        _real(wired.values[0], around),
        gap,
    )


def _coupling_unit(made: ProjectionProgram, around: Around) -> Unit:
    """The unit in which an array of weights of a coupling is taken to be: what arrives over what is sent."""
    end = made.projection
    steps = {p.population.name: p.step for p in around.program.populations}
    target = next(p.unit for p in steps[end.target.population].inputs if p.name == end.target.port)
    given = steps.get(end.source.population)
    if given is None:
        return ONE
    units = {**{s.name: s.unit for s in given.slots}, **{o.name: o.unit for o in given.outputs}}
    sent = units.get(str(end.source.port), target)
    return internal_unit(over(target.dimension, sent.dimension))
