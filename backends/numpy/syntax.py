"""How NumPy writes the ops: the op table's column of this backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from birc.backends import Dtype
from birc.backends.text import Syntax
from birc.ir.expr import Attr, Expr

OWN_NAMES = (
    "np", "real", "step", "bind", "bound", "state", "inputs", "events", "draw", "tables", "look_up", "n", "total", "rounds", "who",
    "exprel", "sigmoid", "heaviside", "steps", "entry", "fma", "OPS",
)  # fmt: skip
"""Names of the module's frame, which no name of a model takes."""

INFIX = {
    "mul": ("*", 12), "div": ("/", 12), "add": ("+", 11), "sub": ("-", 11), "and": ("&", 9), "or": ("|", 7),
    "lt": ("<", 6), "le": ("<=", 6), "gt": (">", 6), "ge": (">=", 6), "eq": ("==", 6), "ne": ("!=", 6),
}  # fmt: skip
PREFIX = {"neg": ("-", 13), "not": ("~", 13)}
CALL = {
    **{f: f"np.{f}({{0}})" for f in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "abs", "floor")},
    **{f: f"{f}({{0}})" for f in ("exprel", "sigmoid", "heaviside")},
    "min": "np.minimum({0}, {1})",
    "max": "np.maximum({0}, {1})",
    "pow": "np.power({0}, {1})",
    "fma": "fma({0}, {1}, {2})",
    "select": "np.where({0}, {1}, {2})",
}


def phase_syntax(names: Mapping[str, str], dtype: Dtype) -> Syntax:
    """The writer of the step function, in the number type of the run."""

    def const(x: float | int | bool) -> str:
        return literal(x) if dtype == "f64" or isinstance(x, int) else f"real({literal(x)})"

    def leaf(e: Expr) -> str:
        match e.op:
            case "value":
                return names[str(e.attr)]
            case "load":
                return f"state[{e.attr!r}]"
            case "read":
                return f"inputs[{e.attr!r}]"
            case "normal":
                name, _, lane = str(e.attr).rpartition(":")
                return f"draw({name!r}, {lane})"
        raise ValueError(f"op {e.op} has no place in a step's phases")

    return Syntax(INFIX, PREFIX, CALL, const, leaf)


def bind_syntax(names: Mapping[str, str], params: Mapping[str, str], h: str) -> Syntax:
    """The writer of the bind function, in float64; `params` and `h` are its arguments' identifiers."""

    def leaf(e: Expr) -> str:
        match e.op:
            case "value":
                return names[str(e.attr)]
            case "param" | "var":
                return params[str(e.attr)]
            case "step_size":
                return h
        raise ValueError(f"op {e.op} has no place in bind")

    return Syntax(INFIX, PREFIX, {**CALL, "steps": "steps({0}, {1})"}, literal, leaf, _entry)


def literal(x: Attr) -> str:
    """A literal in float64."""
    if isinstance(x, bool):
        return f"np.{x}_"  # a truth of NumPy's, which `~` turns round
    return f'float("{x!r}")' if x != x or x in (float("inf"), float("-inf")) else repr(x)


def _entry(e: Expr, args: Sequence[str]) -> str:
    n, i, j = (int(part) for part in str(e.attr).split(","))
    h, *entries = args
    rows = (f"[{', '.join(entries[k : k + n])}]" for k in range(0, len(entries), n))
    return f'entry("{e.op}", {i}, {j}, {h}, {", ".join(rows)})'
