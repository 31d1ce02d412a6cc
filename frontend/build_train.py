"""The events of a check: `at(10 ms, 30 ms)`, `regular(period = 20 ms)`, `poisson(rate = 50 Hz)`; at a neuron's port with a weight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.constants import Inliner
from birc.frontend.draft import PARAMETERS
from birc.frontend.infer import infer
from birc.frontend.mismatch import a_kind
from birc.frontend.names import Scope, path_of
from birc.frontend.report import Report
from birc.frontend.typed import Place, fits
from birc.ir import model as ir
from birc.ir.expr import Expr
from birc.ir.waveforms import TRAINS
from birc.units import TIME, Unit, internal_unit

WEIGHT = "weight"
EXAMPLES = {"at": "10 ms, 30 ms", "regular": "period = 20 ms", "poisson": "rate = 50 Hz"}
DURATION = internal_unit(TIME)


@dataclass(frozen=True, slots=True)
class EventPort:
    """A port that takes events; `unit` is that of their payload, None for `pre` and `post` of a synapse, which have none."""

    name: str
    unit: Unit | None


def event_ports(model: ir.Model) -> tuple[EventPort, ...]:
    """The ports of a model that take events; a synapse has both of its sides, also without a handler."""
    if model.kind == "synapse":
        return EventPort("pre", None), EventPort("post", None)
    return tuple(EventPort(h.port, h.unit) for h in model.handlers if h.unit is not None)


def build_train(node: ast.Expr, port: EventPort, scope: Scope, report: Report) -> ir.Waveform | None:
    """Events with their arguments; None where there is a mistake, which is reported: N102, N104, N106, N121, M110, M111, U107."""
    name = path_of(node.function) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or name not in TRAINS:
        near = report.nearest(name, TRAINS) if name else None
        help = f"did you mean `{near}`?" if near else f"say when they come: {', '.join(f'`{_form(n, port)}`' for n in TRAINS)}"
        report.error("N104", f"`{port.name}` takes events", node.span, help)
        return None
    before = report.errors
    given: dict[str, Expr] = {}
    for key, value, span in _arguments(node, name, port, report):
        if key in given:
            report.error("N102", f"`{key}` is given twice", span, f"its form is `{_form(name, port)}`")
            continue
        unit = _unit(name, key, port)
        if unit is None:
            report.error("N121", f"`{name}` has no argument `{key}`", span, f"its form is `{_form(name, port)}`")
            continue
        typed = infer(value, scope, Place(f"an argument of `{name}`", PARAMETERS), report)
        what = "each argument of `at`" if key.startswith("t.") else f"`{key}`"
        if fits(typed, unit, value, scope, report, "U107", f"{what} is {a_kind(unit.dimension)}"):
            given[key] = typed.expr
            _check(key, typed.expr, value, report)
    needed = [a.name for a in TRAINS[name] if a.default is None] + ([WEIGHT] if port.unit is not None else [])
    missing = [key for key in needed if key not in given] if report.errors == before else []
    if missing or (name == "at" and "t.0" not in given and report.errors == before):
        what = " and ".join(f"`{m}`" for m in missing) or "a time"
        report.error("N106", f"`{name}` needs {what}", node.span, f"its form is `{_form(name, port)}`")
    return ir.Waveform(name, tuple(given.items())) if report.errors == before else None


def _arguments(node: ast.Call, name: str, port: EventPort, report: Report) -> Iterator[tuple[str, ast.Expr, Span]]:
    names = [a.name for a in TRAINS[name]]
    for i, value in enumerate(node.args):
        if name == "at":
            yield f"t.{i}", value, value.span
        elif i < len(names):
            yield names[i], value, value.span
        else:
            report.error("N106", f"`{name}` takes {len(names)} arguments without a name", value.span, f"its form is `{_form(name, port)}`")
    for keyword in node.keywords:
        yield keyword.name, keyword.value, keyword.name_span


def _unit(name: str, key: str, port: EventPort) -> Unit | None:
    if key == WEIGHT:
        return port.unit
    if name == "at":
        return DURATION if key.startswith("t.") else None
    return next((a.unit for a in TRAINS[name] if a.name == key), None)


def _check(key: str, e: Expr, node: ast.Expr, report: Report) -> None:
    known = Inliner().value(e, {})
    if known is None:
        return
    if not math.isfinite(known):
        report.error("M110", "a drive is finite", node.span)
    elif key == "period" and not known > 0:
        report.error("M111", "the period must be greater than zero", node.span)
    elif key != WEIGHT and known < 0:
        report.error("M111", f"{'a time' if key != 'rate' else 'a rate'} cannot be negative", node.span)


def _form(name: str, port: EventPort) -> str:
    weight = f", {WEIGHT} = …" if port.unit is not None else ""
    return f"{name}({EXAMPLES[name]}{weight})"
