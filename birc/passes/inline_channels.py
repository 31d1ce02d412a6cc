"""Put the parameters, states and equations of used channels into the model, under their dotted names.

    use @Na as na                          ->  param %na.g …  state %na.m …  ode %na.m { … }  let %na.i = …
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr, make, substitute, topo, var
from birc.ir.model import Function, Model, Option, Param, Use
from birc.passes.expressions import map_model


def run(model: Model) -> Model:
    """Inline every `use`; a channel's `v` is the host's."""
    for use in model.uses:
        model = _inline(model, use)
    return replace(model, uses=()) if model.uses else model


def _inline(model: Model, use: Use) -> Model:
    channel = run(use.channel)
    groups = (channel.params, channel.states, channel.inputs, channel.lets, channel.noises)
    own = [x.name for group in groups for x in group]
    names = {name: f"{use.alias}.{name}" for name in own}
    functions = {f.name: f"{use.alias}.{f.name}" for f in channel.functions}
    renamed = map_model(channel, lambda e: rename(e, names, functions))
    arguments = dict(use.arguments)
    return replace(
        model,
        params=model.params + tuple(_set(replace(p, name=names[p.name]), arguments.get(p.name)) for p in renamed.params),
        states=model.states + tuple(replace(s, name=names[s.name]) for s in renamed.states),
        inputs=model.inputs + tuple(replace(i, name=names[i.name]) for i in renamed.inputs),
        lets=model.lets + tuple(replace(x, name=names[x.name]) for x in renamed.lets),
        functions=model.functions + tuple(_own_function(f, names, functions) for f in channel.functions),
        odes=model.odes + tuple(replace(o, state=names[o.state]) for o in renamed.odes),
        step_rules=model.step_rules + tuple(replace(r, state=names[r.state]) for r in renamed.step_rules),
        noises=model.noises + tuple(replace(x, name=names[x.name]) for x in renamed.noises),
        options=tuple(o for o in (_own_option(o, channel, names) for o in renamed.options) if o.targets) + model.options,
    )


def _set(param: Param, argument: Expr | None) -> Param:
    return param if argument is None else replace(param, value=argument)


def _own_function(function: Function, names: dict[str, str], functions: dict[str, str]) -> Function:
    """The function under its dotted name; its parameters hide the channel's names."""
    hidden = {name for name, _ in function.parameters}
    seen = {old: new for old, new in names.items() if old not in hidden}
    return replace(function, name=functions[function.name], value=rename(function.value, seen, functions))


def _own_option(option: Option, channel: Model, names: dict[str, str]) -> Option:
    """A `with` line of the channel, for the channel's states only; the host's lines come later and win."""
    targets = option.targets or (tuple(o.state for o in channel.odes) if option.kind == "solver" else ())
    return replace(option, targets=tuple(names[t] for t in targets))


def rename(e: Expr, names: dict[str, str], functions: dict[str, str]) -> Expr:
    """Rename variables, and the functions that are called."""
    renamed = substitute(e, {var(old): var(new) for old, new in names.items()})
    calls = [n for n in topo(renamed) if n.op == "call" and n.attr in functions]
    if not calls:
        return renamed
    done: dict[Expr, Expr] = {}
    for node in topo(renamed):
        args = tuple(done[a] for a in node.args)
        attr = functions.get(str(node.attr), node.attr) if node.op == "call" else node.attr
        done[node] = make(node.op, args, attr)
    return done[renamed]
