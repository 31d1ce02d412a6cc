"""What feeds a continuous input inside a network: a signal; and for a synapse, a state or output of one of its two neurons."""

from __future__ import annotations

from dataclasses import dataclass

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.endpoints import Place
from birc.frontend.mismatch import a_kind, mark
from birc.frontend.names import path_of
from birc.frontend.network_draft import NetworkDraft
from birc.ir import model as ir
from birc.ir.expr import Expr, var
from birc.units import Unit


@dataclass(frozen=True, slots=True)
class Ends:
    """The two sides of a projection; None where one has a mistake, which is reported."""

    pre: Place | None
    post: Place | None


def feed(keyword: ast.Keyword, port: ir.Input, ends: Ends | None, net: NetworkDraft) -> Expr | None:
    """`DA`, `pre.v` or `post.v` as a name; None where it cannot feed the input, which is reported."""
    node = keyword.value
    path = path_of(node) or ""
    side, dot, name = path.partition(".")
    if dot and side in ("pre", "post") and ends is not None:
        place = ends.pre if side == "pre" else ends.post
        unit = _variable(side, name, place, node.span, net) if place is not None else None
        return var(path) if unit is not None and _fits(port, unit, f"`{path}`", node.span, net) else None
    if path not in net.signals:
        near = net.report.nearest(path, net.signals) if path else None
        advice = "declare one: `signal DA: tau = 200 ms`" + ("; or name a variable of a neuron: `post.v`" if ends is not None else "")
        net.error("N118", f"the input `{port.name}` is fed by a signal", node.span, f"did you mean `{near}`?" if near else advice)
        return None
    given = net.signals[path]
    return var(path) if given is None or _fits(port, given, f"the signal `{path}`", node.span, net) else None


def _variable(side: str, name: str, place: Place, span: Span, net: NetworkDraft) -> Unit | None:
    """The unit of a state or output of the neurons on one side of a synapse."""
    base = place.group.base
    if base is None:
        if place.group.model is None and not place.group.broken:
            net.error("N118", f"`{place.group.name}` is a {place.group.kind} and has no `{name}`", span)
        return None
    known = {**{s.name: s.unit for s in base.states}, **{o.name: o.unit for o in base.outputs}}
    if name in known:
        return known[name]
    if name not in net.report.forgiven and (place.group.model is None or not place.group.model.is_doubtful(name)):
        near = net.report.nearest(name, known)
        help = f"did you mean `{side}.{near}`?" if near else f"it has {', '.join(f'`{n}`' for n in known)}" if known else None
        net.error("N118", f"`{place.group.name}` has no state or output `{name}`", span, help)
    return None


def _fits(port: ir.Input, unit: Unit, what: str, span: Span, net: NetworkDraft) -> bool:
    if unit.dimension == port.unit.dimension:
        return True
    net.report.error("U107", f"`{port.name}` is {a_kind(port.unit.dimension)}, and {what} {a_kind(unit.dimension)}", span, None, mark(unit))
    return False
