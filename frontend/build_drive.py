"""A `drive` of a check: what a port is held at, or the waveform that it follows."""

from __future__ import annotations

import math

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.build_train import build_train, event_ports
from birc.frontend.constants import Inliner
from birc.frontend.draft import PARAMETERS, Finished
from birc.frontend.infer import infer
from birc.frontend.mismatch import a_kind
from birc.frontend.names import CALLED, Scope
from birc.frontend.report import Report
from birc.frontend.typed import Place, fits
from birc.ir import model as ir
from birc.ir.expr import Expr
from birc.ir.ops import USER_FUNCTIONS
from birc.ir.waveforms import WAVEFORMS
from birc.units import TIME, internal_unit

DURATION = internal_unit(TIME)
HERE = tuple(name for name in WAVEFORMS if name != "noise")
"""The waveforms of a check, which is the same in every run."""


def build_drive(drive: ast.Drive, model: ir.Model, built: Finished, scope: Scope, report: Report) -> ir.Drive | None:
    """A drive; None where it has a mistake, which is reported."""
    duration = infer(drive.duration, scope, Place("the duration of a drive", PARAMETERS), report)
    timed = fits(duration, DURATION, drive.duration, scope, report, "U103", "the duration of a drive is a time")
    port = next((i for i in model.inputs if i.name == drive.port.name), None)
    events = next((p for p in event_ports(model) if p.name == drive.port.name), None)
    if port is None and events is None:
        if not built.is_doubtful(drive.port.name):
            _no_port(drive, model, scope, report)
        return None
    value: Expr | ir.Waveform | None
    if port is not None:
        value = _value(drive.value, port, scope, report)
    else:
        assert events is not None
        value = build_train(drive.value, events, scope, report)
    if not timed or not _is_finite(duration.expr, drive.duration, report):
        return None
    known = Inliner().value(duration.expr, {})
    if known is not None and not known > 0:
        report.error("M111", "the duration of a drive must be greater than zero", drive.duration.span)
    return ir.Drive(drive.port.name, value, duration.expr, drive.span) if value is not None else None


def _value(node: ast.Expr, port: ir.Input, scope: Scope, report: Report) -> Expr | ir.Waveform | None:
    match node:
        case ast.Call(function=ast.Name(name=name)) if name not in USER_FUNCTIONS and name not in scope.symbols:
            return _waveform(node, name, port, scope, report)
        case _:
            labels = () if port.span is None else (Label(port.span, "declared here"),)
            message = f"the port `{port.name}` takes {a_kind(port.unit.dimension)}"
            typed = infer(node, scope, Place("the value of a drive", PARAMETERS), report)
            good = fits(typed, port.unit, node, scope, report, "U107", message, labels) and _is_finite(typed.expr, node, report)
            return typed.expr if good else None


def _waveform(call: ast.Call, name: str, port: ir.Input, scope: Scope, report: Report) -> ir.Waveform | None:
    """N102, N104, N106, N121: a waveform that there is, with its arguments, in their order or by their names."""
    if name not in HERE:
        near = report.nearest(name, (*HERE, *USER_FUNCTIONS))
        help = f"did you mean `{near}`?" if near else f"waveforms: {', '.join(HERE)}"
        report.error("N104", f"there is no waveform or function `{name}`", call.function.span, help)
        return None
    before = report.errors
    known = {a.name: a for a in WAVEFORMS[name]}
    form = f"its form is `{name}({', '.join(a.name if a.default is None else f'{a.name} = …' for a in known.values())})`"
    for extra in call.args[len(known) :]:
        report.error("N106", f"`{name}` takes {len(known)} arguments at most", extra.span, form)
    given: dict[str, Expr] = {}
    named: set[str] = set()
    unnamed = [(key, node, node.span) for key, node in zip(known, call.args, strict=False)]
    for key, node, span in (*unnamed, *((k.name, k.value, k.name_span) for k in call.keywords)):
        if key not in known:
            report.error("N121", f"`{name}` has no argument `{key}`", span, form)
        elif key in named:
            report.error("N102", f"`{key}` is given twice", span, form)
        else:
            typed = infer(node, scope, Place(f"an argument of `{name}`", PARAMETERS), report)
            unit = known[key].unit or port.unit
            if fits(typed, unit, node, scope, report, "U107", f"`{key}` is {a_kind(unit.dimension)}"):
                given[key] = typed.expr
                if key != "stop":  # a step may last for ever
                    _is_finite(typed.expr, node, report)
        named.add(key)
    missing = [a.name for a in known.values() if a.default is None and a.name not in named]
    if missing:
        report.error("N106", f"`{name}` needs {' and '.join(f'`{m}`' for m in missing)}", call.span, form)
    return ir.Waveform(name, tuple(given.items())) if report.errors == before else None


def _is_finite(e: Expr, node: ast.Expr, report: Report) -> bool:
    known = Inliner().value(e, {})
    if known is not None and not math.isfinite(known):
        report.error("M110", "a drive is finite", node.span)
        return False
    return True


def _no_port(drive: ast.Drive, model: ir.Model, scope: Scope, report: Report) -> None:
    name = drive.port.name
    if name in report.forgiven:
        return
    ports = [*(i.name for i in model.inputs), *(p.name for p in event_ports(model))]
    near = report.nearest(name, ports)
    help = f"did you mean `{near}`?" if near else f"its inputs are {', '.join(f'`{p}`' for p in ports)}" if ports else "it has no inputs"
    symbol = scope.symbols.get(name)
    if symbol is not None:
        report.error("N118", f"`{name}` is {CALLED[symbol.kind]}; a drive holds an input", drive.port.span, help)
    else:
        report.error("N118", f"`{model.name}` has no input `{name}`", drive.port.span, help)
