"""What NIR cannot take, all of it at once: by its table, by the structure of the equations, and by the values of parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from birc.backends import Dtype
from birc.backends.legality import Feature, Takes
from birc.backends.legality import refusals as beyond
from birc.backends.nir.plan import Plan, match
from birc.errors import BircError, Diagnostic
from birc.ir.expr import Expr, leaves, topo
from birc.ir.ops import TABLE, evaluate_op
from birc.ir.step import Step

Value = Callable[[Expr], float]

FINER: frozenset[Feature] = frozenset(("events one by one", "flags"))
"""What the plan refuses with the expression that has no node: an event that does not add, a spike on the rise."""
TAKES = Takes(
    "NIR",
    ops=frozenset(row.name for row in TABLE),  # a graph has the equations; how a program solves them is nothing to it
    features=frozenset(("inputs", "summed events", "spikes", "counts", "learned parameters")),
    advice={
        "noise": "feed it in through an input",
        "located spikes": "spikes of a graph are on the ends of steps: `--spikes grid`",
        "outputs": "a graph gives out the spikes or the potential of its last node",
    },
)


def plan_of(step: Step) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """The plan of a program's model, or why there is none."""
    if step.model is None:
        return None, (Diagnostic("L327", f"`{step.name}` is a program without its equations, which NIR exchanges", step.span, FROM_SOURCE),)
    return match(step.model)


def refusals(step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
    """What in the model, and in the values its parameters have here, makes no graph."""
    parts = beyond(step, dtype, replace(TAKES, features=TAKES.features | FINER))
    plan, found = plan_of(step)
    value = values(step)
    waits = waiting(step, value)
    return (*parts, *found, *waits, *(() if plan is None else misfits(plan, value)))


def values(step: Step, given: dict[str, Any] | None = None) -> Value:
    """Evaluates expressions of parameters, each with its value in the program unless one is given; a state stands for its initial value."""
    source = {p.name: p.value for p in step.params}
    known: dict[str, float] = {name: float(x) for name, x in (given or {}).items() if name in source}
    source |= {s.name: s.init for s in step.model.states} if step.model is not None else {}

    def value(e: Expr) -> float:
        done: dict[Expr, Any] = {}
        for node in topo(e):
            if node.op in ("var", "param", "value"):
                name = str(node.attr)
                if name not in known:
                    known[name] = value(source[name])
                done[node] = np.float64(known[name])
            elif node.op == "const":
                done[node] = np.float64(node.attr)
            else:
                with np.errstate(all="ignore"):
                    done[node] = evaluate_op(node, tuple(done[a] for a in node.args))
        return float(done[e])

    return value


def waiting(step: Step, value: Value) -> tuple[Diagnostic, ...]:
    """A refractory period that lasts."""
    refractory = step.model.refractory if step.model is not None else None
    if refractory is None or value(refractory.duration) == 0.0:
        return ()
    names = sorted(leaves(refractory.duration, "var"))
    help = f'compile with `--set {names[0]}="0 ms"`' if len(names) == 1 else "it fits where the period is 0 ms"
    return (
        Diagnostic("L324", f"NIR has no refractory period, and this one lasts {value(refractory.duration):g} ms", refractory.span, help),
    )


def misfits(plan: Plan, value: Value) -> tuple[Diagnostic, ...]:
    """Numbers that make no node: a time constant that is not above 0, or anything that is not finite."""
    found = []
    for node in plan.nodes:
        numbers = [value(node.rest), value(node.drift), *(value(s.gain) for s in node.sources)]
        if node.rate is not None:
            tau = -1 / value(node.rate) if value(node.rate) else np.inf
            if not 0 < tau < np.inf:
                found.append(Diagnostic("L326", f"`{node.state}` has a time constant of {tau:g} ms; NIR wants one above 0", node.span))
                continue
        if not np.isfinite(numbers).all():
            found.append(Diagnostic("L326", f"the equation of `{node.state}` has numbers that are not finite", node.span))
    if plan.threshold is not None and not np.isfinite([value(plan.threshold.level), value(plan.threshold.reset)]).all():
        found.append(Diagnostic("L326", "the threshold or the reset is not finite", plan.threshold.span))
    return tuple(found)


def insist(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Raise all of them, if there are any."""
    if diagnostics:
        raise BircError.of(diagnostics)


FROM_SOURCE = "compile the `.birc` file it was made from"
