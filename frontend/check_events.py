"""Rules on events: ports, spikes, refractoriness."""

from __future__ import annotations

from collections.abc import Sequence

from birc.errors import Label, Span
from birc.frontend import ast
from birc.frontend.body import Entry
from birc.frontend.draft import Draft
from birc.frontend.names import CALLED


def check_one_of_each(draft: Draft) -> None:
    """M112: a model has one `spike`, one `refractory`, and one handler for each port."""
    _at_most_one(draft, draft.all_of(ast.Spike), "`spike`", "join the conditions with `or`")
    _at_most_one(draft, draft.all_of(ast.Refractory), "`refractory`", None)
    _at_most_one(draft, draft.all_of(ast.Membrane), "`membrane`", None)
    _at_most_one(draft, draft.all_of(ast.Morphology), "`morphology`", None)
    first: dict[tuple[str, str | None], Span] = {}
    for handler in draft.all_of(ast.OnEvent):
        key = handler.port, handler.at.section if handler.at is not None else None
        if key in first:
            labels = (Label(first[key], "first"),)
            draft.report.error("M112", f"the port `{handler.port}` has two handlers", handler.port_span, "write one body", labels=labels)
        first.setdefault(key, handler.port_span)


def _at_most_one(draft: Draft, found: Sequence[Entry], word: str, help: str | None) -> None:
    for extra in found[1:]:
        labels = (Label(found[0].span, "first"),)
        draft.report.error("M112", f"a model has one {word}", extra.span, help, labels=labels)


def check_ports(draft: Draft) -> None:
    """N118, M122: a synapse answers to `pre` and `post` alone; any other port states what its events carry."""
    for handler in draft.all_of(ast.OnEvent):
        if draft.item.kind == "synapse":
            if handler.port not in ("pre", "post"):
                near = draft.report.nearest(handler.port, ("pre", "post"))
                help = f"did you mean `{near}`?" if near else None
                draft.error("N118", f"a synapse has the events `pre` and `post`, no `{handler.port}`", handler.port_span, help)
            elif handler.payload is not None:
                draft.error("M122", f"`on {handler.port}` has no payload", handler.payload.span, f"write `on {handler.port}:`")
        elif handler.payload is None:
            help = f"name the payload and its unit: `on {handler.port}(w: pA):`"
            if handler.port in ("pre", "post"):
                help = f"`pre` and `post` are the events of a synapse; {help}"
            draft.error("M122", f"the port `{handler.port}` does not say what its events carry", handler.port_span, help)


def check_synapse_sends(draft: Draft) -> None:
    """M120: a synapse sends something, when an event from its source comes."""
    if draft.item.kind != "synapse" or draft.report.forgiven:
        return
    sends = [(h.port, s) for h in draft.all_of(ast.OnEvent) for s in h.body if isinstance(s, ast.Send)]
    for port, line in sends:
        if port == "post":
            draft.error("M120", "a spike of the target sends nothing", line.span, "write `send` in `on pre:`")
    if not sends:
        draft.error("M120", f"the synapse `{draft.item.name}` never sends anything", draft.item.name_span, "write `send w` in `on pre:`")


def check_refractory_has_a_spike(refractory: ast.Refractory, draft: Draft) -> None:
    """M113: only what fires is refractory."""
    if not draft.all_of(ast.Spike) and "spike" not in draft.report.forgiven:
        help = "it needs a line `spike when …`"
        draft.error("M113", "a refractory period without a spike", refractory.span, help)


def check_hold(refractory: ast.Refractory, draft: Draft) -> tuple[str, ...]:
    """M114, N101: what is held is a state."""
    held: list[str] = []
    for node in refractory.hold:
        name = node.name + "'" * node.order
        symbol = draft.scope.symbols.get(name)
        if symbol is None and node.name not in draft.report.forgiven:
            near = draft.report.nearest(name, (s.name for s in draft.scope.of_kind("state")))
            draft.error("N101", f"there is no state `{name}`", node.span, f"did you mean `{near}`?" if near else None)
        elif symbol is not None and symbol.kind != "state":
            draft.error("M114", f"`{name}` is {CALLED[symbol.kind]}; only states are held", node.span)
        elif name in held:
            draft.error("M114", f"`{name}` is held twice", node.span)
        elif symbol is not None:
            held.append(name)
    return tuple(held)
