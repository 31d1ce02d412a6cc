"""Rules on what changes states over time."""

from __future__ import annotations

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.check_values import check_positive, quantity
from birc.frontend.draft import Draft
from birc.frontend.mismatch import a_kind
from birc.frontend.names import CALLED, in_order, text_of
from birc.frontend.typed import Typed
from birc.ir.expr import Expr, leaves, topo
from birc.units import TIME, Unit, over


def check_target_is_a_state(target: ast.Name, what: str, draft: Draft) -> bool:
    """M101, M104, N101: only states change."""
    symbol = draft.scope.symbols.get(target.name)
    primed = text_of(target.span)
    if symbol is None:
        if target.name not in draft.report.forgiven:
            near = draft.report.nearest(target.name, (s.name for s in draft.scope.of_kind("state")))
            help = f"did you mean `{near}{primed[len(target.name) :]}`?" if near else f"declare it: `state {target.name} = …`"
            draft.error("N101", f"there is no state `{target.name}`", target.span, help)
        return False
    if symbol.kind == "state":
        return True
    if what in ("an equation", "a `step`"):
        advice = f"declare it as a state: `state {target.name} = …`" if symbol.kind in ("param", "let") else None
        draft.error("M104", f"`{target.name}` is {CALLED[symbol.kind]}; {what} changes a state", target.span, advice)
    else:
        advice = f"to let it change, declare it as a state: `state {target.name} = …`" if symbol.kind in ("param", "let") else None
        draft.error("M101", f"`{target.name}` is {CALLED[symbol.kind]}; only states are assigned", target.span, advice)
    return False


def check_one_rule_per_state(draft: Draft) -> None:
    """M102, M103: a state has one equation or one `step` rule, not several, and a gate has its own."""
    first: dict[str, ast.Equation | ast.StepRule | ast.Gate] = {}
    for part in draft.parts:
        entry = part.entry
        if not isinstance(entry, ast.Equation | ast.StepRule | ast.Gate):
            continue
        name = entry.name if isinstance(entry, ast.Gate) else entry.target.name
        span = entry.name_span if isinstance(entry, ast.Gate) else entry.target.span
        earlier = first.setdefault(name, entry)
        if earlier is entry or (isinstance(entry, ast.Gate) and isinstance(earlier, ast.Gate)):
            continue
        labels = (Label(earlier.name_span if isinstance(earlier, ast.Gate) else earlier.target.span, "first"),)
        if isinstance(entry, ast.StepRule) != isinstance(earlier, ast.StepRule):
            draft.report.error("M103", f"`{name}` has an equation and a `step` rule", span, "one of them is enough", labels=labels)
        elif isinstance(entry, ast.StepRule):
            draft.report.error("M102", f"`{name}` has two `step` rules", span, "write one, with both terms", labels=labels)
        else:
            what = "a gate and has its equation already" if isinstance(earlier, ast.Gate) else ""
            message = f"`{name}` is {what}" if what else f"`{name}` has two equations"
            draft.report.error("M102", message, span, "write one, with the terms of both", labels=labels)


def check_orders(draft: Draft) -> None:
    """M105, M106: an equation of order n has n initial values, and each derivative that has one is in the unit of its order."""
    states = {(s.name, s.order): s for s in draft.all_of(ast.State)}
    equations = {e.target.name: e for e in draft.all_of(ast.Equation)}
    for (name, order), state in states.items():
        equation = equations.get(name)
        primed = name + "'" * order
        if order and (name, 0) not in states:
            draft.error("M106", f"`{primed}` is declared without `{name}`", state.name_span, f"write `state {name} = …, {primed} = …`")
        elif order and (equation is None or equation.target.order <= order) and name not in draft.report.forgiven:
            help = f"it needs an equation `{primed}' = …`; the equation of a state of first order is `{name}' = …`"
            draft.error("M106", f"`{primed}` is declared, and no equation is of a higher order", state.name_span, help)
        elif order:
            _check_derivative_unit(state, draft)
    for name, equation in equations.items():
        if (name, 0) not in states:
            continue
        for order in range(1, equation.target.order):
            if (name, order) not in states and name not in draft.report.forgiven:
                primed = name + "'" * order
                help = f"write `state {name} = …, {primed} = …`"
                draft.error("M106", f"`{text_of(equation.target.span)}` needs an initial value of `{primed}`", equation.target.span, help)
    for rule in draft.all_of(ast.StepRule):
        if rule.target.order:
            draft.error("M106", "a `step` rule gives the value of a state, not of a derivative", rule.target.span)


def _check_derivative_unit(state: ast.State, draft: Draft) -> None:
    primed = state.name + "'" * state.order
    below = draft.scope.symbols.get(primed[:-1])
    own = draft.scope.symbols.get(primed)
    if below is None or own is None or below.unit is None or own.unit is None:
        return
    wanted = over(below.unit.dimension, TIME)
    if own.unit.dimension != wanted:
        message = f"`{primed}` is {a_kind(wanted)}, not {a_kind(own.unit.dimension)}"
        draft.error("U103", message, state.value.span, f"`{below.name}` is in {below.unit}, so write it in {below.unit}/ms")


def check_factor_is_positive(node: ast.Expr, factor: Typed, draft: Draft) -> None:
    """M111: what multiplies a derivative is greater than zero, with the defaults and with every preset."""
    if not isinstance(factor.type, Unit):
        return
    value = draft.value(factor.expr)
    if value is not None:
        message = f"`{text_of(node.span)}` multiplies a derivative and is {quantity(float(value), factor.type)}"
        check_positive(value, node.span, message, draft)
    draft.factors.append((node, factor.expr, factor.type))


def check_noise_is_linear(value: Expr, equation: ast.Equation, draft: Draft) -> None:
    """M115: noise is linear in an equation, its factor free of noise."""
    noises = {s.name for s in draft.scope.of_kind("noise")}
    if not noises & leaves(value, "var"):
        return
    degree: dict[Expr, int] = {}
    for node in topo(draft.inliner.without_calls(value)):
        args = [degree[a] for a in node.args]
        match node.op:
            case "var":
                degree[node] = 1 if node.attr in noises else 0
            case "add" | "sub" | "neg":
                degree[node] = max(args)
            case "mul":
                degree[node] = sum(args)
            case "div":
                degree[node] = args[0] + 2 * args[1]
            case "select":
                degree[node] = 2 * args[0] + max(args[1:])
            case _:
                degree[node] = 2 * max(args, default=0)
        degree[node] = min(degree[node], 2)
        if degree[node] > 1:
            help = "write it as `… + sigma * xi`, with a `sigma` that may depend on anything but noise"
            draft.error("M115", "noise can stand in an equation only linearly", equation.value.span, help)
            return


def check_starts_are_not_circular(draft: Draft) -> None:
    """N116: initial values, those of gates included, do not need one another."""
    needs = {name: sorted(leaves(state.init, "var") & draft.states.keys()) for name, state in draft.states.items()}
    for cycle in in_order(list(needs), needs)[1]:
        span = draft.states[cycle[0]].span
        if span is not None:
            message = f"these initial values need one another: {' -> '.join([*cycle, cycle[0]])}"
            draft.error("N116", message, span, "a gate starts at its steady state, which depends on what its rates read")
