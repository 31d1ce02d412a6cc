"""A check of a model or network: what it is driven with, and what is expected of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from birc.errors import Label, Span
from birc.frontend import ast
from birc.frontend.build_drive import DURATION, build_drive
from birc.frontend.constants import Inliner
from birc.frontend.draft import AFTER_A_RUN, CONSTANT, PARAMETERS, Finished
from birc.frontend.infer import infer
from birc.frontend.mismatch import a_kind, mark
from birc.frontend.names import Scope, Symbol
from birc.frontend.network_draft import FinishedNetwork, NetworkDraft
from birc.frontend.report import Report
from birc.frontend.typed import Place, Typed, fits, is_condition
from birc.ir import model as ir
from birc.ir.expr import Expr
from birc.ir.options import SOLVERS, SPIKES
from birc.units import ONE, TIME, Unit, internal_unit, power

MEASURES = (
    Symbol("isi", "measure", DURATION),
    Symbol("rate", "measure", internal_unit(power(TIME, -1))),
    Symbol("count", "measure", ONE),
    Symbol("first", "measure", DURATION),
    Symbol("last", "measure", DURATION),
)
OF_NETWORKS = (("rate", MEASURES[1].unit), ("count", ONE), ("cv", ONE), ("synchrony", ONE))
"""What a run of a network says of each of its populations and sources of events."""
MOST_SEED = 2**53
RUN = Place("an `expect`", AFTER_A_RUN)


def build_check(item: ast.Item, built: Finished, report: Report) -> ir.Check | None:
    """A check of a model; None where it has a mistake, which is reported."""
    before = report.errors
    base = built.model.base if isinstance(built.model, ir.Cell) else built.model
    if item.preset is not None and item.preset not in {p.name for p in base.presets}:
        no_preset(item.preset, base.name, [p.name for p in base.presets], item.name_span, report)
    measures = (Symbol("sent", "measure", built.sends), Symbol("count", "measure", ONE)) if base.kind == "synapse" else MEASURES
    scope = built.scope.inside(m for m in measures if m.name not in built.scope.symbols)
    drives: list[ir.Drive] = []
    for statement in item.body:
        match statement:
            case ast.Drive():
                drive = build_drive(statement, base, built, scope, report)
                drives.extend([drive] if drive is not None else [])
            case ast.Run():
                report.error("M117", "only a network runs by itself; a model is driven", statement.span, "write `drive PORT = … for T`")
            case ast.Expect():
                pass
            case _:
                report.error("M117", "a check consists of `drive` and `expect`", statement.span)
    expects = _expects(item, scope, report, before, "`expect count == 0`, `expect v in [-80 mV, 50 mV] always`")
    scheme = _scheme(item, OF_A_SYNAPSE if base.kind == "synapse" else SETTINGS, built.scope, report)
    return _check(item, scheme, expects, tuple(drives)) if report.errors == before else None


def build_network_check(item: ast.Item, built: FinishedNetwork, report: Report) -> ir.Check | None:
    """A check of a network; None where it has a mistake, which is reported."""
    before = report.errors
    net = built.draft
    if item.preset is not None and item.preset not in {p.name for p in net.draft.all_of(ast.Preset)}:
        no_preset(item.preset, item.name, [p.name for p in net.draft.all_of(ast.Preset)], item.name_span, report)
    groups = [g for g in net.groups.values() if g.kind == "population" or (g.kind == "source" and g.unit is None)]
    # of a group that has a mistake nothing more is said
    scope = net.scope.inside(
        Symbol(f"{g.name}.{what}", "measure", None if g.broken else unit) for g in groups for what, unit in OF_NETWORKS
    )
    duration: Expr | None = None
    runs = [s for s in item.body if isinstance(s, ast.Run)]
    for statement in item.body:
        if isinstance(statement, ast.Drive):
            report.error("M117", "a network has its own sources; a check runs it", statement.span, "write `run for 1 s`")
        elif not isinstance(statement, ast.Run | ast.Expect):
            report.error("M117", "a check of a network consists of `run for T` and `expect`", statement.span)
    for extra in runs[1:]:
        report.error("M112", "a network runs once in a check", extra.span, "write a second `check`")
    if runs:
        duration = _duration(runs[0].duration, net)
    elif not report.forgiven & {"run"} and report.errors == before:
        report.error("M126", f"this check of `{item.name}` runs nothing", item.name_span, "write `run for 1 s`")
    expects = tuple(map_expect(e, net.draft.inlined) for e in _expects(item, scope, report, before, "`expect E.rate in [5 Hz, 10 Hz]`"))
    scheme = _scheme(item, OF_A_NETWORK, net.scope, report)
    return _check(item, scheme, expects, run=duration) if report.errors == before else None


def _duration(node: ast.Expr, net: NetworkDraft) -> Expr | None:
    typed = net.read(node, "the duration of a run")
    if not fits(typed, DURATION, node, net.scope, net.report, "U103", "the duration of a run is a time"):
        return None
    if net.is_finite(typed.expr, node) and any(not v > 0 for v in net.bounds(typed.expr)):
        net.error("M111", "the duration of a run must be greater than zero", node.span)
    return typed.expr


Scheme = tuple[float | None, str | None, str | None, int | None]


def _check(
    item: ast.Item, scheme: Scheme, expects: tuple[ir.Expect, ...], drives: tuple[ir.Drive, ...] = (), run: Expr | None = None
) -> ir.Check:
    dt, solver, spikes, seed = scheme
    return ir.Check(item.name, item.preset, drives, expects, dt, solver, spikes, item.span, seed, run)


def _expects(item: ast.Item, scope: Scope, report: Report, before: int, example: str) -> tuple[ir.Expect, ...]:
    """The expectations; M126 where there is none, and no other mistake."""
    written = [s for s in item.body if isinstance(s, ast.Expect)]
    if not written and report.errors == before and not {"expect", "assert"} & report.forgiven:
        report.error("M126", f"this check of `{item.name}` expects nothing", item.name_span, f"write {example} …")
    return tuple(e for s in written if (e := _expect(s, scope, report)) is not None)


def map_expect(expect: ir.Expect, change: Callable[[Expr], Expr]) -> ir.Expect:
    """An expectation with all its expressions changed."""

    def of(e: Expr | None) -> Expr | None:
        return None if e is None else change(e)

    window = expect.during
    during = None if window is None else replace(window, low=change(window.low), high=change(window.high))
    return replace(
        expect,
        actual=change(expect.actual),
        expected=of(expect.expected),
        tolerance=of(expect.tolerance),
        low=of(expect.low),
        high=of(expect.high),
        during=during,
    )


def no_preset(name: str, owner: str, names: Sequence[str], span: Span, report: Report) -> None:
    """Report a preset that a model or network does not have; `names` are those that it has."""
    near = report.nearest(name, names)
    help = (f"did you mean `{owner}.{near}`? " if near else "") + f"it has {', '.join(names) or 'none'}"
    if name not in report.forgiven:
        report.error("N119", f"`{owner}` has no preset `{name}`", span, help)


SETTINGS = ("dt", "solver", "spikes", "seed")
OF_A_NETWORK = ("dt", "solver", "seed")
OF_A_SYNAPSE = ("dt", "seed")


def _scheme(item: ast.Item, known: tuple[str, ...], scope: Scope, report: Report) -> Scheme:
    """N102, N121, N122, M108, M111: the settings of a check: length of a step, solver for all equations, place of spikes, seed."""
    dt: float | None = None
    seed: int | None = None
    chosen: dict[str, str] = {}
    named: set[str] = set()
    for keyword in item.settings:
        if keyword.name not in known:
            near = report.nearest(keyword.name, known)
            help = f"did you mean `{near}`?" if near else f"it has {', '.join(known)}"
            report.error("N121", f"a check has no setting `{keyword.name}`", keyword.name_span, help)
        elif keyword.name in named:
            report.error("N102", f"`{keyword.name}` is given twice", keyword.name_span)
        elif keyword.name == "dt":
            dt = _step_length(keyword.value, scope, report)
        elif keyword.name == "seed":
            seed = _seed(keyword.value, scope, report)
        else:
            chosen[keyword.name] = _one_of(SOLVERS if keyword.name == "solver" else SPIKES, keyword, report)
        named.add(keyword.name)
    return dt, chosen.get("solver"), chosen.get("spikes"), seed


def _seed(node: ast.Expr, scope: Scope, report: Report) -> int | None:
    typed = infer(node, scope, Place("a seed", CONSTANT), report)
    value = Inliner().value(typed.expr, {})
    if not fits(typed, ONE, node, scope, report, "U103", "a seed is a whole number") or value is None:
        return None
    if not (0 <= value < MOST_SEED and value == int(value)):
        report.error("M108", "a seed is a whole number from 0 to 2^53", node.span)
        return None
    return int(value)


def _step_length(node: ast.Expr, scope: Scope, report: Report) -> float | None:
    typed = infer(node, scope, Place("the length of a step", CONSTANT), report)
    if not fits(typed, DURATION, node, scope, report, "U103", "the length of a step is a time"):
        return None
    value = Inliner().value(typed.expr, {})
    if value is not None and not 0 < value < float("inf"):
        report.error("M111", "the length of a step must be greater than zero, and finite", node.span)
    return None if value is None else float(value)


def _one_of(names: tuple[str, ...], keyword: ast.Keyword, report: Report) -> str:
    """N122: a name of a list."""
    name = keyword.value.name if isinstance(keyword.value, ast.Name) else ""
    if name not in names:
        what = {"solver": "solver", "spikes": "place of spikes"}[keyword.name]
        near = report.nearest(name, names)
        help = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{n}`' for n in names)}"
        report.error("N122", f"there is no {what} `{name}`" if name else f"this is no {what}", keyword.value.span, help)
    return name


def _expect(expect: ast.Expect, scope: Scope, report: Report) -> ir.Expect | None:
    """An expectation; None where it has a mistake, which is reported."""
    before = report.errors
    window = _window(expect.during, scope, report) if expect.during is not None else None
    built = _expected(expect, scope, report)
    return replace(built, during=window) if built is not None and report.errors == before else None


def _window(interval: ast.Interval, scope: Scope, report: Report) -> ir.Window | None:
    ends = [(node, infer(node, scope, Place("a stretch of time", PARAMETERS), report)) for node in (interval.low, interval.high)]
    timed = [fits(typed, DURATION, node, scope, report, "U103", "a stretch of a run is between two times") for node, typed in ends]
    if not all(timed):
        return None
    (_, low), (_, high) = ends
    if not _is_ordered(low.expr, high.expr, interval, report):
        return None
    return ir.Window(low.expr, high.expr, interval.low_closed, interval.high_closed)


def _is_ordered(low: Expr, high: Expr, interval: ast.Interval, report: Report) -> bool:
    """M109: the lower end of a range comes first, as far as both are known."""
    ends = [Inliner().value(e, {}) for e in (low, high)]
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        report.error("M109", "this range holds no value", interval.span, "write the smaller end first")
        return False
    return True


def _expected(expect: ast.Expect, scope: Scope, report: Report) -> ir.Expect | None:
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
    if not _is_ordered(low.expr, high.expr, interval, report):
        return None
    closed = interval.low_closed, interval.high_closed
    return ir.Expect(actual.expr, None, None, False, low.expr, high.expr, *closed, always=expect.always, span=expect.span)
