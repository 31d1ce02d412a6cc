"""Replace the names of `let`s by their expressions: a `let` is evaluated with the values current at each use.

    let %i = mul %g, %v
    ode %v { %0 = neg %i  yield %0 }       ->  ode %v { %0 = mul %g, %v  %1 = neg %0  yield %1 }
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr, substitute, topo, var
from birc.ir.model import Model
from birc.passes.expressions import map_model


def run(model: Model) -> Model:
    """Inline every `let`; shared, so a chain that doubles each time stays as small as it was written."""
    if not model.lets:
        return model
    values = {var(x.name): x.value for x in model.lets}
    done: dict[Expr, Expr] = {}
    stack = [(name, False) for name in reversed(list(values))]
    while stack:
        name, ready = stack.pop()
        if ready:
            done[name] = substitute(values[name], done)
        elif name not in done:
            stack.append((name, True))
            stack.extend((e, False) for e in topo(values[name]) if e in values and e not in done)
    return map_model(replace(model, lets=()), lambda e: substitute(e, done))
