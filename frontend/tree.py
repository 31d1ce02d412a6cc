"""From the parts of a grammar rule to a node of the syntax tree: one function per rule of `birc.lark`, under its name.

A function gets all parts of its rule, tokens and nodes, in the order of the text. Headers come without the block below them;
`parser.py` puts it in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, cast

from birc.errors import BircError, Span
from birc.frontend import ast
from birc.frontend.tokens import Token
from birc.frontend.tree_parts import PARTS, Arguments, Many, Parts, arguments_in, behind, every, has, keyword, keywords_only, span_of, text

# --- top


def import_line(parts: Parts) -> ast.Import:
    file = text([parts[1]]) if parts[1].type == "STRING" else None
    return ast.Import(file, every(parts, Many)[0].names, span_of(parts))


def item_kind(parts: Parts) -> Token:
    return cast(Token, parts[0])


def item(parts: Parts) -> ast.Item:
    kind, name = parts[0], parts[1]
    base = behind(parts, "EXTENDS")
    extends = None if base is None else ast.Name(base.text, base.span)
    return ast.Item(kind.text, name.text, extends, None, _inline(parts), _header_span(parts), name.span)


def check(parts: Parts) -> ast.Item:
    model = parts[1]
    header = _header_span(parts)
    settings = keywords_only(arguments_in(parts), "the settings of a check")
    match model:
        case ast.Name(name):
            return ast.Item("check", name, None, None, _inline(parts), header, model.span, None, settings)
        case ast.Member(ast.Name(name), preset):
            return ast.Item("check", name, None, None, _inline(parts), header, model.span, preset, settings)
        case _:
            raise BircError("S033", "a check names a model, or a model and its preset", model.span, "write `check Izhikevich.FS:`")


def _inline(parts: Parts) -> tuple[Any, ...]:
    """The statement that stands behind the colon of a header, on its line."""
    if isinstance(parts[-1], Token):
        return ()
    statement = parts[-1]
    if isinstance(statement, ast.OnEvent | ast.Gate) and not _body(statement):
        raise BircError("S023", "this statement needs a body of its own", statement.span, "begin a block: write it on the next line")
    return (statement,)


def _body(statement: ast.OnEvent | ast.Gate) -> tuple[Any, ...]:
    return statement.rates if isinstance(statement, ast.Gate) else statement.body


def _header_span(parts: Parts) -> Span:
    """A header's place, up to its colon."""
    end = next((i for i, part in enumerate(parts) if isinstance(part, Token) and part.type == "COLON"), len(parts) - 1)
    return span_of(parts[: end + 1])


# --- models


def params(parts: Parts) -> ast.Params:
    return ast.Params(every(parts, ast.Param), span_of(parts))


def param(parts: Parts) -> ast.Param:
    name, _, value = parts[:3]
    return ast.Param(name.text, value, behind(parts, "IN"), has(parts[3:], "LEARN"), span_of(parts), name.span)


def states(parts: Parts) -> ast.States:
    return ast.States(every(parts, ast.State), span_of(parts))


def state(parts: Parts) -> ast.State:
    name, _, value = parts[:3]
    return ast.State(name.name, name.order, value, behind(parts, "IN"), span_of(parts), name.span)


def inputs(parts: Parts) -> ast.Inputs:
    return ast.Inputs(every(parts, ast.Input), span_of(parts))


def input(parts: Parts) -> ast.Input:
    name, _, unit = parts[:3]
    return ast.Input(name.text, unit, behind(parts, "AT"), span_of(parts), name.span)


def output(parts: Parts) -> ast.Output:
    _, name, _, unit, _, value = parts
    return ast.Output(name.text, unit, value, span_of(parts), name.span)


def let(parts: Parts) -> ast.Let:
    return ast.Let(parts[1].text, parts[3], span_of(parts), parts[1].span)


def function(parts: Parts) -> ast.Function:
    return ast.Function(parts[1].text, every(parts, ast.Payload), parts[-1], span_of(parts), parts[1].span)


def equation(parts: Parts) -> ast.Equation:
    left, sign, value = parts
    match left:
        case ast.Name(name, order=0) if sign.type == "EQUAL":
            help = f"write `let {name} = …` for a name, `state {name} = …` for a state, `{name}' = …` for its equation"
            raise BircError("S044", f"`{name} = …` is not a statement here", left.span, help)
        case ast.Name() if sign.type == "CHANGE" or left.order:
            target, factor = left, None
        case ast.Binary("mul", before, ast.Name() as target) if target.order:
            factor = before
        case _:
            help = "write `v' = …`, or `tau * v' = …` with the primed name last"
            raise BircError("S044", "the left side of an equation is a product that ends with a primed name", left.span, help)
    if sign.type == "CHANGE":
        raise BircError("S044", f"`{sign.text}` stands only in the body of an event", sign.span, "an equation is written with `=`")
    return ast.Equation(target, factor, value, span_of(parts))


def step_rule(parts: Parts) -> ast.StepRule:
    return ast.StepRule(parts[1], parts[3], span_of(parts))


def on_event(parts: Parts) -> ast.OnEvent:
    name = parts[1]
    payloads = every(parts, ast.Payload)
    body = () if isinstance(parts[-1], Token) else (parts[-1],)
    payload = payloads[0] if payloads else None
    return ast.OnEvent(name.text, payload, behind(parts, "AT"), body, _header_span(parts), name.span)


def payload(parts: Parts) -> ast.Payload:
    return ast.Payload(parts[0].text, parts[2], span_of(parts))


_CHANGES: dict[str, Literal["add", "sub", "mul", "div"]] = {"+=": "add", "-=": "sub", "*=": "mul", "/=": "div"}


def assignment(parts: Parts) -> ast.Assign:
    target, sign, value = parts
    if not isinstance(target, ast.Name):
        help = "write `v = …`, `v += …`"
        if isinstance(target, ast.Binary):
            help = "an equation stands in the body of the model, not in that of an event"
        raise BircError("S044", "the left side of an assignment is a name", target.span, help)
    return ast.Assign(target, _CHANGES.get(sign.text), value, span_of(parts))


def send(parts: Parts) -> ast.Send:
    return ast.Send(parts[1], span_of(parts))


def spike(parts: Parts) -> ast.Spike:
    rise = parts[1].type == "ON"
    condition = parts[3] if rise else parts[2]
    sent = every(parts, ast.Send)
    if sent:
        raise BircError("S046", "`send` stands only in an event of a synapse", sent[0].span)
    body = every(parts, ast.Assign)
    return ast.Spike("rise" if rise else "when", condition, body, _header_span(parts))


def refractory(parts: Parts) -> ast.Refractory:
    held = every(parts, Many)
    return ast.Refractory(parts[1], held[0].names if held else (), span_of(parts))


def noise(parts: Parts) -> ast.Noise:
    return ast.Noise(parts[1].names, span_of(parts))


def trace(parts: Parts) -> ast.Trace:
    name, of = parts[1], parts[3]
    if of.text not in ("pre", "post"):
        raise BircError("S050", "a trace follows `pre` or `post`", of.span)
    tau: ast.Expr | None = None
    nearest = False
    help = f"write `trace {name.text} of {of.text}: tau = 20 ms`"
    for entry in parts[5::2]:
        match entry:
            case ast.Keyword("tau", value) if tau is None:
                tau = value
            case ast.Name("nearest"):
                nearest = True
            case _:
                raise BircError(
                    "S050",
                    "a trace has one `tau`, and may be `nearest`",
                    entry.span,
                    f"write `trace {name.text} of {of.text}: tau = 20 ms`",
                )
    if tau is None:
        raise BircError("S050", "this trace has no `tau`", span_of(parts), help)
    return ast.Trace(name.text, of.text, tau, nearest, span_of(parts), name.span)


def setting(parts: Parts) -> ast.Keyword | ast.Name:
    return ast.Name(parts[0].text, parts[0].span) if len(parts) == 1 else keyword(parts)


def outward(parts: Parts) -> ast.Outward:
    return ast.Outward(parts[1].text, parts[3], span_of(parts), parts[1].span)


def gate(parts: Parts) -> ast.Gate:
    return ast.Gate(parts[1].text, every(parts, ast.Keyword), _header_span(parts), parts[1].span)


def use(parts: Parts) -> ast.Use:
    return ast.Use(every(parts, ast.Mechanism), span_of(parts))


def use_entry(parts: Parts) -> ast.Mechanism:
    alias = behind(parts, "AS")
    mechanism: ast.Mechanism = parts[0]
    return mechanism if alias is None else replace(mechanism, alias=alias.text, span=span_of(parts))


def mechanism(parts: Parts) -> ast.Mechanism:
    arguments = keywords_only(arguments_in(parts), f"the parameters of `{parts[0].text}`")
    return ast.Mechanism(parts[0].text, arguments, None, span_of(parts), parts[0].span)


def preset(parts: Parts) -> ast.Preset:
    return ast.Preset(parts[1].text, keywords_only(parts[3], "the parameters of a preset"), span_of(parts), parts[1].span)


def with_choice(parts: Parts) -> ast.With:
    chosen: ast.Mechanism = parts[2]
    targets = parts[4].names if len(parts) > 3 else ()
    return ast.With(parts[1].text, chosen.name, chosen.arguments, targets, span_of(parts), chosen.name_span)


def with_store(parts: Parts) -> ast.With:
    return ast.With("store", parts[4].text, (), parts[2].names, span_of(parts), parts[4].span)


def rate(parts: Parts) -> ast.Keyword:
    return keyword(parts)


# --- cells


def section(parts: Parts) -> ast.Section:
    properties = keywords_only(parts[-1], "the properties of a section")
    return ast.Section(parts[1].text, behind(parts, "FROM"), properties, span_of(parts), parts[1].span)


def morphology(parts: Parts) -> ast.Morphology:
    regions = every(parts, Many)
    return ast.Morphology(text([parts[1]]), regions[0].names if regions else (), span_of(parts))


def membrane(parts: Parts) -> ast.Membrane:
    return ast.Membrane(keywords_only(parts[1], "the properties of the membrane"), span_of(parts))


def insert(parts: Parts) -> ast.Insert:
    regions = every(parts, Many)
    return ast.Insert(every(parts, ast.Mechanism), regions[0].names if regions else (), span_of(parts))


def location(parts: Parts) -> ast.Location:
    return ast.Location(parts[0].text, parts[2] if len(parts) > 1 else None, span_of(parts))


# --- networks


def population(parts: Parts) -> ast.Population:
    arguments = keywords_only(arguments_in(parts), "the parameters of a population")
    return ast.Population(parts[1].text, parts[3], arguments, parts[-2], span_of(parts), parts[1].span)


def source_of(parts: Parts) -> ast.SourceOf:
    kind = ast.Name(parts[3].text, parts[3].span)
    arguments = keywords_only(arguments_in(parts), "the parameters of a source")
    return ast.SourceOf(parts[1].text, kind, arguments, parts[-2], span_of(parts), parts[1].span)


def signal(parts: Parts) -> ast.Signal:
    return ast.Signal(parts[1].text, keywords_only(parts[3], "the properties of a signal"), span_of(parts), parts[1].span)


def project(parts: Parts) -> ast.Project:
    pieces = parts[5::2]
    properties = every(pieces, ast.Keyword)
    return ast.Project(parts[1], parts[3], tuple(p for p in pieces if not isinstance(p, ast.Keyword)), properties, span_of(parts))


def edges_file(parts: Parts) -> ast.Call:
    words = parts[0].span.to(parts[1].span)
    return ast.Call(ast.Name("from_file", words), (text([parts[2]]),), (), span_of(parts))


def third(parts: Parts) -> ast.Third:
    return ast.Third(parts[1], parts[3], parts[5], keywords_only(parts[7], "the properties of a third party"), span_of(parts))


def record(parts: Parts) -> ast.Record:
    period = behind(parts, "EVERY")
    paths = parts[1 : len(parts) - (2 if period is not None else 0) : 2]
    return ast.Record(tuple(paths), period, span_of(parts))


# --- checks


def drive(parts: Parts) -> ast.Drive:
    return ast.Drive(parts[1], parts[3], parts[5], span_of(parts))


def pulse(parts: Parts) -> ast.Call:
    arguments: Arguments = parts[2]
    return ast.Call(ast.Name("step", parts[0].span), arguments.positional, arguments.keywords, span_of(parts))


def run(parts: Parts) -> ast.Run:
    return ast.Run(parts[2], span_of(parts))


def expect(parts: Parts) -> ast.Expect:
    actual = parts[1]
    span = span_of(parts)
    during = behind(parts, "DURING")
    within = behind(parts, "WITHIN")
    if within is not None:
        if not (isinstance(actual, ast.Binary) and actual.op == "eq"):
            raise BircError("S033", "`within` stands behind an equality", actual.span, "write `expect a == b within 1 step`")
        if isinstance(within, ast.Number) and within.unit == "steps":
            raise BircError("S033", "`within` counts in `step`", within.span, f"write `within {within.text} step`")
        return ast.Expect(actual.left, actual.right, within, has(parts, "STEP"), None, False, span, during)
    return ast.Expect(actual, None, None, False, behind(parts, "IN"), has(parts, "ALWAYS"), span, during)


BUILD: dict[str, Callable[[Parts], Any]] = {
    function.__name__: function
    for function in (
        import_line, item, item_kind, check, params, param, states, state, inputs, input, output, let, function, equation, step_rule,
        on_event, payload, assignment, send, spike, refractory, noise, trace, setting, outward, gate, rate, use, use_entry, mechanism,
        preset, with_choice, with_store, section, morphology, membrane, insert, location, population, source_of, signal, project,
        edges_file, third, record, drive, pulse, run, expect,
    )
} | PARTS  # fmt: skip
