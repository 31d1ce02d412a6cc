"""Invariants of level 1: each a function named as the sentence that holds; it yields what breaks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from birc.ir.check_expr import breaches
from birc.ir.expr import Expr, leaves, topo
from birc.ir.graph import components
from birc.ir.infer import BOOL, Type, type_of
from birc.ir.model import Model, Send, Update
from birc.ir.options import SURROGATES
from birc.ir.surrogates import fits_surrogate


def expressions(model: Model) -> Iterator[tuple[str, Expr]]:
    """Every expression of a model, with what it is; locals (payloads, parameters of functions) are not told apart."""
    yield from ((f"param {p.name}", p.value) for p in model.params)
    yield from ((f"state {s.name}", e) for s in model.states for e in (s.init, s.low, s.high) if e is not None)
    yield from ((f"let {d.name}", d.value) for d in model.lets)
    yield from ((f"fn {f.name}", f.value) for f in model.functions)
    yield from ((f"use {u.alias}", value) for u in model.uses for _, value in u.arguments)
    yield from ((f"ode {o.state}", o.rhs) for o in model.odes)
    yield from ((f"step {r.state}", r.value) for r in model.step_rules)
    yield from ((f"trace {t.name}", t.tau) for t in model.traces)
    yield from ((f"on {h.port}", u.value) for h in model.handlers for u in h.body)
    if model.spike is not None:
        yield "spike", model.spike.condition
        yield from (("reset", u.value) for u in model.spike.body)
    if model.refractory is not None:
        yield "refractory", model.refractory.duration
    yield from ((f"output {o.name}", o.value) for o in model.outputs)
    yield from ((f"preset {p.name}", value) for p in model.presets for _, value in p.values)
    yield from ((f"with {o.name}", value) for o in model.options for _, value in o.arguments)
    yield from ((f"guard {g.state}", g.limit) for g in model.guards)


def declared_names(model: Model) -> list[str]:
    """The model's own names: parameters, states, inputs, lets, noises and traces share one space."""
    names = [p.name for p in model.params] + [s.name for s in model.states] + [i.name for i in model.inputs]
    return names + [d.name for d in model.lets] + [n.name for n in model.noises] + [t.name for t in model.traces]


def known_names(model: Model) -> frozenset[str]:
    """All names that a model's expressions may refer to, but for payloads and parameters of functions."""
    members = {f"{u.alias}.{name}" for u in model.uses for name in known_names(u.channel)}
    return frozenset({*declared_names(model), *members, "elapsed", *(["v"] if model.kind == "channel" else [])})


def names_are_declared_once(model: Model) -> Iterator[str]:
    """Names in expressions are declared once; so are functions, ports, outputs and channels, apart from them."""
    yield from _repeated("name", declared_names(model))
    yield from _repeated("function", (f.name for f in model.functions))
    yield from _repeated("output", (o.name for o in model.outputs))
    yield from _repeated("alias", (u.alias for u in model.uses))
    yield from _repeated("handler of", (h.port for h in model.handlers))


def names_are_known(model: Model) -> Iterator[str]:
    """Every name in an expression is declared, a payload, or a function's parameter."""
    known = known_names(model)
    payloads = {f"on {h.port}": h.payload for h in model.handlers}
    parameters = {f"fn {f.name}": [name for name, _ in f.parameters] for f in model.functions}
    for what, e in expressions(model):
        for name in sorted(leaves(e, "var") - known):
            if name != payloads.get(what, "") and name not in parameters.get(what, ()):
                yield f"`{name}` in {what}"


def expressions_are_well_formed(model: Model) -> Iterator[str]:
    """Operations have their arity, literals are plain numbers, and kinds fit."""
    names = _kinds(model)
    functions = {f.name: len(f.parameters) for f in model.functions}
    for what, e in expressions(model):
        yield from (f"{breach} in {what}" for breach in breaches(e, names, frozenset({"const", "var", "call"})))
        kind = type_of(e, names).kind
        if what == "spike" and kind != "bool":
            yield f"{what} is {kind}, not a condition"
        if kind == "bool" and what.partition(" ")[0] not in ("spike", "let", "fn"):
            yield f"{what} is a condition, not a number"
        for call in (n for n in topo(e) if n.op == "call"):
            if functions.get(str(call.attr)) != len(call.args):
                yield f"a call of `{call.attr}` with {len(call.args)} arguments in {what}"


def _kinds(model: Model) -> dict[tuple[str, str], Type]:
    """The kinds of lets and functions: the only names that may stand for a condition."""
    names: dict[tuple[str, str], Type] = {}
    waiting = [(("var", d.name), d.value) for d in model.lets] + [(("call", f.name), f.value) for f in model.functions]
    found = True
    while found:
        conditions = [key for key, value in waiting if key not in names and type_of(value, names) == BOOL]
        names |= dict.fromkeys(conditions, BOOL)
        found = bool(conditions)
    return names


def every_ode_has_a_state(model: Model) -> Iterator[str]:
    """Equations and step rules are those of declared states."""
    states = {s.name for s in model.states}
    equations = [o.state for o in model.odes] + [r.state for r in model.step_rules]
    yield from (f"no state `{name}`" for name in equations if name not in states)


def a_state_has_one_equation(model: Model) -> Iterator[str]:
    """A state has at most one `ode` or `step`."""
    yield from _repeated("equation of", [*(o.state for o in model.odes), *(r.state for r in model.step_rules)])


def definitions_form_no_cycle(model: Model) -> Iterator[str]:
    """Lets, parameters' defaults and initial values do not refer to themselves."""
    groups = [
        {d.name: d.value for d in model.lets},
        {p.name: p.value for p in model.params},
        {s.name: s.init for s in model.states},
    ]
    for group in groups:
        edges = {name: leaves(value, "var") & set(group) for name, value in group.items()}
        for part in components(tuple(group), edges):
            if len(part) > 1 or part[0] in edges[part[0]]:
                yield f"`{part[0]}` refers to itself"


def what_is_fixed_reads_no_input(model: Model) -> Iterator[str]:
    """Defaults of parameters and limits of states read parameters only; initial values read no input, noise or trace."""
    params = {p.name for p in model.params}
    for p in model.params:
        yield from (f"`{name}` in the default of `{p.name}`" for name in sorted(leaves(p.value, "var") - params))
    fixed = params | {d.name for d in model.lets}
    for s in model.states:
        for limit in (e for e in (s.low, s.high) if e is not None):
            yield from (f"`{name}` in a limit of `{s.name}`" for name in sorted(leaves(limit, "var") - fixed))
    changing = {i.name for i in model.inputs} | {n.name for n in model.noises} | {t.name for t in model.traces}
    for s in model.states:
        yield from (f"`{name}` in the initial value of `{s.name}`" for name in sorted(leaves(s.init, "var") & changing))


def handlers_write_states(model: Model) -> Iterator[str]:
    """`set` names a state, in handlers and in the reset."""
    states = {s.name for s in model.states}
    body: list[Update | Send] = [u for h in model.handlers for u in h.body]
    body += model.spike.body if model.spike else ()
    yield from (f"`{u.target}` is no state" for u in body if isinstance(u, Update) and u.target not in states)


def only_synapses_send(model: Model) -> Iterator[str]:
    """`send` stands in a synapse's handlers."""
    if model.kind != "synapse":
        yield from (f"on {h.port}" for h in model.handlers for u in h.body if isinstance(u, Send))


def what_is_held_or_guarded_is_a_state(model: Model) -> Iterator[str]:
    """`hold`, guards and solver options name states."""
    states = {s.name for s in model.states}
    named = list(model.refractory.hold) if model.refractory else []
    named += [g.state for g in model.guards]
    named += [name for o in model.options if o.kind == "solver" for name in o.targets]
    yield from (f"`{name}` is no state" for name in named if name not in states)


def surrogates_are_known(model: Model) -> Iterator[str]:
    """A surrogate is one of those there are, and its arguments are constants that suit it."""
    for option in model.options:
        if option.kind != "surrogate":
            continue
        if option.name not in SURROGATES:
            yield f"there is no surrogate `{option.name}`"
        for name, e in option.arguments:
            known = name in SURROGATES.get(option.name, (name,))
            if not known or e.op != "const" or not isinstance(e.attr, float) or not fits_surrogate(name, e.attr):
                yield f"`{name}` of surrogate `{option.name}`"


def blocks_share_out_the_odes(model: Model) -> Iterator[str]:
    """Where there are blocks, each equation is in exactly one."""
    inside = [state for b in model.blocks for state in b.states]
    yield from _repeated("block of", inside)
    if model.blocks and set(inside) != {o.state for o in model.odes}:
        yield f"blocks of {sorted(set(inside))}, equations of {sorted(o.state for o in model.odes)}"


def presets_set_parameters(model: Model) -> Iterator[str]:
    """A preset gives values to parameters, and so do the arguments of a `use`."""
    params = {p.name for p in model.params}
    yield from (f"`{name}` in preset {p.name}" for p in model.presets for name, _ in p.values if name not in params)
    for use in model.uses:
        theirs = {p.name for p in use.channel.params}
        yield from (f"`{name}` in use {use.alias}" for name, _ in use.arguments if name not in theirs)


def _repeated(what: str, names: Iterable[str]) -> Iterator[str]:
    yield from (f"{what} `{name}` {count} times" for name, count in Counter(names).items() if count > 1)


ModelInvariant = Callable[[Model], Iterator[str]]

MODEL_INVARIANTS: tuple[ModelInvariant, ...] = (
    names_are_declared_once,
    expressions_are_well_formed,
    names_are_known,
    every_ode_has_a_state,
    a_state_has_one_equation,
    definitions_form_no_cycle,
    what_is_fixed_reads_no_input,
    handlers_write_states,
    only_synapses_send,
    what_is_held_or_guarded_is_a_state,
    surrogates_are_known,
    blocks_share_out_the_odes,
    presets_set_parameters,
)
