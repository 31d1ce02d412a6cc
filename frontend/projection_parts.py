"""The pieces of a projection behind its colon: a synapse with its arguments, a wiring rule, flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.build_check import no_preset
from birc.frontend.check_values import quantity, shown_range
from birc.frontend.draft import Finished
from birc.frontend.endpoints import Place
from birc.frontend.feeds import Ends, feed
from birc.frontend.names import path_of
from birc.frontend.network_draft import NetworkDraft
from birc.frontend.wiring import FLAGS, MULTAPSES, RULES
from birc.ir import model as ir
from birc.ir.expr import Expr


@dataclass(frozen=True, slots=True)
class Parts:
    """The pieces of a projection; `failed` where one could not be read, which is reported."""

    synapse: Finished | None
    synapse_span: Span | None
    preset: str | None
    arguments: ir.Properties
    rule: str
    rule_arguments: ir.Properties
    flags: tuple[str, ...]
    failed: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece as written: its path, and what stands in its brackets."""

    path: str
    node: ast.Expr
    positional: tuple[ast.Expr, ...]
    keywords: tuple[ast.Keyword, ...]


def read_parts(project: ast.Project, ends: Ends, net: NetworkDraft) -> Parts:
    """The pieces of a projection between `ends`; each kind at most once, and a rule always."""
    before = net.report.errors
    synapses: list[_Piece] = []
    rules: list[_Piece] = []
    flags: list[str] = []
    for node in project.parts:
        piece = _piece(node, net)
        if piece is None:
            continue
        if piece.path in RULES:
            rules.append(piece)
        elif piece.path in FLAGS and isinstance(node, ast.Name):
            flags.append(piece.path)
        else:
            synapses.append(piece)
    for extra in (*synapses[1:], *rules[1:]):
        what = "one rule" if extra in rules else "one synapse"
        net.error("M129", f"a projection has {what}", extra.node.span, None if rules else _other_rule(extra.path, net))
    synapse, preset, arguments = _synapse(synapses[0], ends, net) if synapses else (None, None, ())
    if not rules and net.report.errors == before:
        net.error("M129", "this projection does not say who reaches whom", project.span, f"name a rule: {', '.join(RULES)}")
    rule = rules[0] if rules else None
    rule_arguments = net.arguments(RULES[rule.path], rule.path, rule.keywords, rule.positional, rule.node.span) if rule else ()
    span = synapses[0].node.span if synapses else None
    failed = net.report.errors != before
    return Parts(synapse, span, preset, arguments, rule.path if rule else "", rule_arguments, tuple(dict.fromkeys(flags)), failed)


def _piece(node: ast.Expr, net: NetworkDraft) -> _Piece | None:
    match node:
        case ast.Call(function=function, args=args, keywords=keywords):
            path = path_of(function)
        case _:
            path, args, keywords = path_of(node), (), ()
    if path is None:
        net.error("N123", "this is no synapse and no rule", node.span, "write e.g. `w = 40 pA, random(p = 0.1)`")
        return None
    return _Piece(path, node, args, keywords)


def _other_rule(name: str, net: NetworkDraft) -> str:
    """What may have been meant by a name that is no rule."""
    near = net.report.nearest(name, tuple(RULES))
    return f"did you mean the rule `{near}`?" if near else f"the rules are {', '.join(RULES)}"


def _synapse(piece: _Piece, ends: Ends, net: NetworkDraft) -> tuple[Finished | None, str | None, ir.Properties]:
    name, _, preset = piece.path.partition(".")
    span = piece.node.function.span if isinstance(piece.node, ast.Call) else piece.node.span
    found = net.file.find(name)
    if found is None:
        if name not in net.report.forgiven:
            known = [n for n, f in net.file.items.items() if f.item.kind == "synapse"]
            near = net.report.nearest(name, (*RULES, *FLAGS, *known))
            help = f"did you mean `{near}`?" if near else f"the rules are {', '.join(RULES)}"
            net.error("N123", f"there is no synapse or rule `{name}`", span, help)
        return None, None, ()
    finished = net.find_model(name, span, net.file, ("synapse",), "synapse")
    if finished is None or not isinstance(finished.model, ir.Model):
        return None, None, ()
    model = finished.model
    net.models.setdefault(model.name, model)
    if preset and preset not in {p.name for p in model.presets}:
        no_preset(preset, model.name, [p.name for p in model.presets], span, net.report)
    for extra in piece.positional:
        net.error("N106", f"the arguments of `{name}` have names", extra.span, f"write `{name}(w = …)`")
    return finished, preset or None, model_arguments(piece.keywords, finished, model, net, ends)


def model_arguments(
    keywords: Sequence[ast.Keyword], finished: Finished, model: ir.Model, net: NetworkDraft, ends: Ends | None = None
) -> ir.Properties:
    """Parameters and initial states of a population, or of a synapse between `ends`: constants, draws, arrays; and what feeds inputs."""
    built: dict[str, Expr] = {}
    units = {**{p.name: p.unit for p in model.params}, **{s.name: s.unit for s in model.states}}
    ranges = {p.name: p.range for p in model.params}
    inputs = {i.name: i for i in model.inputs}
    for keyword in keywords:
        name = keyword.name
        value: Expr | None
        if name in built:
            net.error("N102", f"`{name}` is given twice", keyword.name_span)
            continue
        if name in inputs:
            value = feed(keyword, inputs[name], ends, net)
        elif name in units:
            value = net.quantity(keyword.value, units[name], name, draws=True)
            allowed = ranges.get(name)
            for known in net.bounds(value) if value is not None and allowed is not None else ():
                if allowed is not None and not allowed.holds(known):
                    message = f"`{name}` is {quantity(known, units[name])}, outside its range {shown_range(allowed, units[name])}"
                    net.error("M108", message, keyword.value.span)
        else:
            value = None
            near = net.report.nearest(name, (*units, *inputs))
            help = f"did you mean `{near}`?" if near else None
            if name not in net.report.forgiven and not finished.is_doubtful(name):
                net.error("N121", f"`{model.name}` has no parameter or state `{name}`", keyword.name_span, help)
        if value is not None:
            built[name] = value
    return tuple(built.items())


def check_rule_fits(project: ast.Project, parts: Parts, source: Place, target: Place, net: NetworkDraft) -> None:
    """M134: a wiring rule asks for no more partners than there are."""
    values = {name: value for name, e in parts.rule_arguments if e.op != "array" and (value := net.value(e)) is not None}
    shared = 0 if "self" in parts.flags else _shared(source, target)
    own = shared > 0
    several = "multapses" in parts.flags
    pairs = source.count * target.count - shared
    if several and parts.rule not in MULTAPSES:
        net.error("M134", f"`{parts.rule}` makes one synapse of a pair", project.span, f"`multapses` goes with {', '.join(MULTAPSES)}")
        return
    match parts.rule:
        case "one_to_one" if source.count != target.count and target.group.kind != "signal":
            message = f"`one_to_one` needs groups of one size, not {source.count} and {target.count}"
        case "one_to_one" if shared == source.count:
            message = "`one_to_one` leads from each cell to itself"
        case "fixed_indegree" if _beyond(values.get("k", 0), source.count - own, several):
            message = f"`{source.group.name}` has {source.count - own} cells that a cell can be reached from"
        case "fixed_outdegree" if _beyond(values.get("k", 0), target.count - own, several):
            message = f"`{target.group.name}` has {target.count - own} cells that a cell can reach"
        case "fixed_total" if _beyond(values.get("n", 0), pairs, several):
            message = f"there are only {pairs} pairs"
        case "shared" if values.get("groups", 0) > source.count:
            message = f"`{source.group.name}` has {source.count} cells to share"
        case _:
            return
    unlike = parts.rule == "shared" or (parts.rule == "one_to_one" and shared != source.count)
    help = "without `self` no cell reaches itself" if own and not unlike else None
    net.error("M134", message, project.span, help)


def _shared(source: Place, target: Place) -> int:
    """How many cells are both among the sources and among the targets."""
    if source.group.name != target.group.name:
        return 0
    first, other = source.end.start or 0, target.end.start or 0
    return max(0, min(first + source.count, other + target.count) - max(first, other))


def _beyond(wanted: float, there: int, several: bool) -> bool:
    """Whether so many partners cannot be chosen; with `multapses` each may be chosen again."""
    return there == 0 if several else wanted > there
