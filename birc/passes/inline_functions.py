"""Replace calls of the model's own functions by their bodies.

    fn @f(%x : mV) = mul %x, 2.0
    call @f(%v)                            ->  mul %v, 2.0
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr, rebuild, substitute, topo, var
from birc.ir.model import Function, Model
from birc.passes.expressions import map_model


def run(model: Model) -> Model:
    """Inline every call, also those inside functions; then no function is left."""
    if not model.functions:
        return model
    bodies: dict[str, Function] = {}
    for function in _callees_first(model.functions):
        bodies[function.name] = replace(function, value=_inline(function.value, bodies))
    return map_model(replace(model, functions=()), lambda e: _inline(e, bodies))


def _callees_first(functions: tuple[Function, ...]) -> list[Function]:
    """Functions, each after those it calls; there are no cycles past the front end."""
    by_name = {f.name: f for f in functions}
    done: dict[str, Function] = {}
    stack = [(f, False) for f in reversed(functions)]
    while stack:
        function, ready = stack.pop()
        if ready:
            done[function.name] = function
        elif function.name not in done:
            stack.append((function, True))
            stack.extend((by_name[str(e.attr)], False) for e in topo(function.value) if e.op == "call" and e.attr not in done)
    return list(done.values())


def _inline(e: Expr, bodies: dict[str, Function]) -> Expr:
    done: dict[Expr, Expr] = {}
    for node in topo(e):
        args = tuple(done[a] for a in node.args)
        if node.op == "call":
            function = bodies[str(node.attr)]
            given = {var(name): arg for (name, _), arg in zip(function.parameters, args, strict=True)}
            done[node] = substitute(function.value, given)
        else:
            done[node] = rebuild(node, args)
    return done[e]
