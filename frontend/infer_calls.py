"""Types of calls: functions of the language, of the model, and draws."""

from __future__ import annotations

from birc.frontend import ast
from birc.frontend.infer_operations import DRAWS, infer_operation
from birc.frontend.mismatch import a_kind
from birc.frontend.names import CALLED, Scope, Symbol, path_of
from birc.frontend.report import Report
from birc.frontend.typed import BOOL, NOTHING, Place, Typed, fits
from birc.ir.expr import make
from birc.ir.ops import USER_FUNCTIONS

ELSEWHERE = {
    "ln": "`log` is the natural logarithm",
    "log10": "write `log(x) / log(10)`",
    "log2": "write `log(x) / log(2)`",
    "pow": "a power is written `x^2`",
    "power": "a power is written `x^2`",
    "sqr": "a power is written `x^2`",
    "square": "a power is written `x^2`",
    "sign": "write `if x < 0 then -1 else 1`",
    "fabs": "write `abs(x)`",
    "clip": "write `min(max(x, low), high)`, or give the state a range: `state w = 0 in [low, high]`",
    "mod": "there is no remainder; write `x - n * floor(x / n)`",
    "ceil": "write `-floor(-x)`",
    "round": "write `floor(x + 0.5)`",
    "where": "write `if a then b else c`",
    "ifelse": "write `if a then b else c`",
    "rand": "random input over time is a `noise`; draws stand in the brackets of a population",
    "randn": "random input over time is a `noise`; draws stand in the brackets of a population",
    "random": "random input over time is a `noise`; draws stand in the brackets of a population",
    "int": "write `floor(x)`",
    "sum": "events at a port add up by themselves: `on exc(w: pA): i_s += w`",
    "erf": "there is none; `tanh` and `sigmoid` have its shape",
    "H": "write `heaviside(x)`",
}
"""What to write for functions of other languages."""


def infer_call(node: ast.Call, done: dict[int, Typed], scope: Scope, place: Place, report: Report) -> Typed:
    """A call, or a draw where the place allows one."""
    path = path_of(node.function)
    if path is None:
        report.error("N105", "this is no function", node.function.span)
        return NOTHING
    for keyword in node.keywords:
        report.error("N106", f"the arguments of `{path}` have no names", keyword.span, f"write `{path}(…)` with the values alone")
    symbol = scope.find(path)
    if symbol is not None and symbol.kind != "function":
        if symbol.unit is not None:
            help = f"to multiply write `{path} * (…)`" if len(node.args) == 1 else None
            report.error("N105", f"`{path}` is {CALLED[symbol.kind]}, not a function", node.function.span, help)
        return NOTHING
    if symbol is not None:
        return _call_own(node, symbol, done, scope, report)
    arity = USER_FUNCTIONS.get(path, 2 if path in DRAWS and place.draws else None)
    if arity is None:
        return _no_function(node, path, scope, report)
    return infer_operation(path, node.args, done, node, scope, report) if _check_arity(node, path, arity, report) else NOTHING


def _no_function(node: ast.Call, path: str, scope: Scope, report: Report) -> Typed:
    if path in report.forgiven:
        return NOTHING
    if path in DRAWS:
        help = "draws stand in the brackets of a population or projection; random input over time is a `noise`"
        report.error("N104", f"`{path}` cannot be drawn here", node.function.span, help)
        return NOTHING
    if path in ELSEWHERE:
        report.error("N104", f"there is no function `{path}`", node.function.span, ELSEWHERE[path])
        return NOTHING
    last = path.rpartition(".")[2]
    if last != path and last in USER_FUNCTIONS:
        report.error("N104", f"there is no function `{path}`", node.function.span, f"did you mean `{last}`?")
        return NOTHING
    near = report.nearest(path, (*(s.name for s in scope.of_kind("function")), *USER_FUNCTIONS, *DRAWS))
    report.error("N104", f"there is no function `{path}`", node.function.span, f"did you mean `{near}`?" if near else _functions())
    return NOTHING


def _functions() -> str:
    return f"the functions are {', '.join(sorted(USER_FUNCTIONS))}"


def _check_arity(node: ast.Call, name: str, arity: int, report: Report) -> bool:
    if len(node.args) == arity:
        return not node.keywords
    count = "one argument" if arity == 1 else f"{arity} arguments"
    report.error("N106", f"`{name}` takes {count}, not {len(node.args)}", node.span)
    return False


def _call_own(node: ast.Call, symbol: Symbol, done: dict[int, Typed], scope: Scope, report: Report) -> Typed:
    if symbol.unit is None:
        return NOTHING
    parameters = symbol.parameters
    if not _check_arity(node, symbol.name, len(parameters), report):
        return NOTHING
    args = [done[id(a)] for a in node.args]
    good = True
    for (name, unit), arg, given in zip(parameters, node.args, args, strict=True):
        what = f"the argument `{name}` of `{symbol.name}`"
        good &= fits(given, unit, arg, scope, report, "U104", f"{what} is {a_kind(unit.dimension)}")
    if not good:
        return NOTHING
    return Typed(make("call", tuple(a.expr for a in args), symbol.name), BOOL if symbol.truth else symbol.unit)
