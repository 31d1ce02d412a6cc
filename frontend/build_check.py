"""A check of a model: what it is driven with, and what is expected of the run."""

from __future__ import annotations

import math

from birc.errors import Label, Span
from birc.frontend import ast
from birc.frontend.constants import Inliner
from birc.frontend.draft import AFTER_A_RUN, PARAMETERS, Finished
from birc.frontend.infer import infer
from birc.frontend.mismatch import a_kind, mark
from birc.frontend.names import CALLED, Scope, Symbol
from birc.frontend.report import Report
from birc.frontend.typed import Place, Typed, fits, is_condition
from birc.ir import model as ir
from birc.ir.expr import Expr
from birc.units import ONE, TIME, Unit, internal_unit, power

DURATION = internal_unit(TIME)
MEASURES = (
    Symbol("isi", "measure", DURATION),
    Symbol("rate", "measure", internal_unit(power(TIME, -1))),
    Symbol("count", "measure", ONE),
)
RUN = Place("an `expect`", AFTER_A_RUN)


def build_check(item: ast.Item, built: Finished, report: Report) -> ir.Check | None:
    """A check; None where it has a mistake, which is reported."""
    before = report.errors
    base = built.model.base if isinstance(built.model, ir.Cell) else built.model
    if item.preset is not None and item.preset not in {p.name for p in base.presets}:
        no_preset(item.preset, base, item.name_span, report)
    scope = built.scope.inside(m for m in MEASURES if m.name not in built.scope.symbols)
    drives: list[ir.Drive] = []
    expects: list[ir.Expect] = []
    for statement in item.body:
        match statement:
            case ast.Drive():
                drive = _drive(statement, base, built, scope, report)
                drives.extend([drive] if drive is not None else [])
            case ast.Expect():
                expect = _expect(statement, scope, report)
                expects.extend([expect] if expect is not None else [])
            case _:
                report.error("M117", "a check consists of `drive` and `expect`", statement.span)
    if not expects and report.errors == before and not {"expect", "assert"} & report.forgiven:
        report.error(
            "M126",
            f"this check of `{item.name}` expects nothing",
            item.name_span,
            "write `expect count == 0`, `expect v in [-80 mV, 50 mV] always` …",
        )
    return ir.Check(item.name, item.preset, tuple(drives), tuple(expects), item.span) if report.errors == before else None


def no_preset(name: str, model: ir.Model, span: Span, report: Report) -> None:
    """Report a preset that its model does not have."""
    names = [p.name for p in model.presets]
    near = report.nearest(name, names)
    help = f"did you mean `{model.name}.{near}`?" if near else f"it has {', '.join(names)}" if names else "it has none"
    if name not in report.forgiven:
        report.error("N119", f"`{model.name}` has no preset `{name}`", span, help)


def _drive(drive: ast.Drive, model: ir.Model, built: Finished, scope: Scope, report: Report) -> ir.Drive | None:
    value = infer(drive.value, scope, Place("the value of a drive", PARAMETERS), report)
    duration = infer(drive.duration, scope, Place("the duration of a drive", PARAMETERS), report)
    timed = fits(duration, DURATION, drive.duration, scope, report, "U103", "the duration of a drive is a time")
    port = next((i for i in model.inputs if i.name == drive.port.name), None)
    if port is None:
        if built.is_doubtful(drive.port.name):
            return None
        _no_port(drive, model, scope, report)
        return None
    labels = () if port.span is None else (Label(port.span, "declared here"),)
    if not fits(
        value, port.unit, drive.value, scope, report, "U107", f"the port `{port.name}` takes {a_kind(port.unit.dimension)}", labels
    ):
        return None
    level, known = Inliner().value(value.expr, {}), Inliner().value(duration.expr, {})
    if any(x is not None and not math.isfinite(x) for x in (level, known)):
        report.error("M110", "a drive is finite", drive.span)
    if timed and known is not None and not known > 0:
        report.error("M111", "the duration of a drive must be greater than zero", drive.duration.span)
    return ir.Drive(port.name, value.expr, duration.expr, drive.span) if timed else None


def _no_port(drive: ast.Drive, model: ir.Model, scope: Scope, report: Report) -> None:
    name = drive.port.name
    if name in report.forgiven:
        return
    ports = [i.name for i in model.inputs]
    near = report.nearest(name, ports)
    help = f"did you mean `{near}`?" if near else f"its inputs are {', '.join(f'`{p}`' for p in ports)}" if ports else "it has no inputs"
    symbol = scope.symbols.get(name)
    if any(h.port == name for h in model.handlers):
        report.error("N118", f"`{name}` is an event port; a drive holds a continuous input", drive.port.span, help)
    elif symbol is not None:
        report.error("N118", f"`{name}` is {CALLED[symbol.kind]}; a drive holds an input", drive.port.span, help)
    else:
        report.error("N118", f"`{model.name}` has no input `{name}`", drive.port.span, help)


def _expect(expect: ast.Expect, scope: Scope, report: Report) -> ir.Expect | None:
    actual = infer(expect.actual, scope, RUN, report)
    if expect.range is not None:
        return _expect_in_range(expect, expect.range, actual, scope, report)
    if expect.expected is None:
        good = is_condition(actual, expect.actual, report, "`expect`")
        return ir.Expect(actual.expr, always=expect.always, span=expect.span) if good else None
    expected = infer(expect.expected, scope, RUN, report)
    if not _is_number(actual, expect.actual, scope, report) or not isinstance(actual.type, Unit):
        return None
    labels = (Label(expect.actual.span, mark(actual.type)),)
    message = f"this is compared with {a_kind(actual.type.dimension)}"
    if not fits(expected, actual.type, expect.expected, scope, report, "U102", message, labels):
        return None
    tolerance: Expr | None = None
    if expect.within is not None:
        typed = infer(expect.within, scope, Place("a tolerance", PARAMETERS), report)
        unit = ONE if expect.within_steps else actual.type
        message = "a number of steps is dimensionless" if expect.within_steps else f"this tolerance is for {a_kind(unit.dimension)}"
        if not fits(typed, unit, expect.within, scope, report, "U103", message):
            return None
        tolerance = typed.expr
    return ir.Expect(actual.expr, expected.expr, tolerance, expect.within_steps, always=expect.always, span=expect.span)


def _is_number(typed: Typed, node: ast.Expr, scope: Scope, report: Report) -> bool:
    return isinstance(typed.type, Unit) or fits(typed, ONE, node, scope, report, "U106", "an expectation is about a number")


def _expect_in_range(expect: ast.Expect, interval: ast.Interval, actual: Typed, scope: Scope, report: Report) -> ir.Expect | None:
    ends = [(node, infer(node, scope, Place("a range", PARAMETERS), report)) for node in (interval.low, interval.high)]
    if not _is_number(actual, expect.actual, scope, report) or not isinstance(actual.type, Unit):
        return None
    labels = (Label(expect.actual.span, mark(actual.type)),)
    message = f"each end of this range is {a_kind(actual.type.dimension)}"
    if not all(fits(typed, actual.type, node, scope, report, "U103", message, labels) for node, typed in ends):
        return None
    (_, low), (_, high) = ends
    known = [Inliner().value(e.expr, {}) for e in (low, high)]
    if known[0] is not None and known[1] is not None and known[0] > known[1]:
        report.error("M109", "this range holds no value", interval.span, "write the smaller end first")
        return None
    closed = interval.low_closed, interval.high_closed
    return ir.Expect(actual.expr, None, None, False, low.expr, high.expr, *closed, always=expect.always, span=expect.span)
