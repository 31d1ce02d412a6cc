"""How an expression is written with `keras.ops`, in the step, and with NumPy or `keras.ops`, in the bind section."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from birc.backends.text import Syntax
from birc.ir.expr import Expr

INFIX = {
    "mul": ("*", 12), "div": ("/", 12), "add": ("+", 11), "sub": ("-", 11),
    "lt": ("<", 6), "le": ("<=", 6), "gt": (">", 6), "ge": (">=", 6),
}  # fmt: skip
PREFIX = {"neg": ("-", 13)}

SAME_NAME = ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "abs", "floor")
"""Functions that NumPy and Keras know by the op's own name."""

HELPERS = ("exprel", "sigmoid", "heaviside")
"""Functions that the module defines where it needs them."""

SHARED = {
    **{f: f"{{m}}.{f}({{0}})" for f in SAME_NAME},
    **{f: f"{f}({{0}})" for f in HELPERS},
    "eq": "{m}.equal({0}, {1})",
    "ne": "{m}.not_equal({0}, {1})",
    "and": "{m}.logical_and({0}, {1})",
    "or": "{m}.logical_or({0}, {1})",
    "not": "{m}.logical_not({0})",
    "min": "{m}.minimum({0}, {1})",
    "max": "{m}.maximum({0}, {1})",
    "pow": "{m}.power({0}, {1})",
    "select": "{m}.where({0}, {1}, {2})",
}

RESET = "reset"
"""`select` on the spike itself: what the option `detach_reset` decides about."""

MATRIX = ("propagator", "increment", "input_gain", "noise_factor")
"""Entries of matrix functions; they occur in the bind section only."""
REST = "increment_rest"
"""What `increment` leaves elsewhere: here it is the whole."""

STEP_CALL = {op: text.replace("{m}", "ops") for op, text in SHARED.items()} | {RESET: "spike.reset({0}, z, {1}, {2})"}
BIND_CALL = {op: text.replace("{m}", "m") for op, text in SHARED.items()} | {"steps": "steps(m, {0}, {1})"}


def number(x: float | int | bool) -> str:
    """A literal; it takes the type of the tensors around it."""
    return f'float("{x!r}")' if x != x or x in (float("inf"), float("-inf")) else repr(x)


def quoted(name: object) -> str:
    """A name as a string of Python."""
    return json.dumps(str(name), ensure_ascii=False)


def step_syntax(names: Mapping[str, str]) -> Syntax:
    """The step's own."""

    def leaf(e: Expr) -> str:
        match e.op:
            case "value":
                return names[str(e.attr)]
            case "load":
                return f"state[{quoted(e.attr)}]"
            case "read":
                return f"inputs[{quoted(e.attr)}]"
            case "normal":
                return f"draws[{quoted(e.attr)}]"
        raise ValueError(f"op {e.op} has no place in a step's phases")

    return Syntax(INFIX, PREFIX, STEP_CALL, number, leaf)


def bind_syntax(names: Mapping[str, str]) -> Syntax:
    """The bind section's; `names` are those of bind values."""

    def leaf(e: Expr) -> str:
        match e.op:
            case "value":
                return names[str(e.attr)]
            case "param" | "var":
                return f"p[{quoted(e.attr)}]"
            case "step_size":
                return "dt"
        raise ValueError(f"op {e.op} has no place in the bind section")

    def entry(e: Expr, arguments: Sequence[str]) -> str:
        if e.op == REST:
            return number(0.0)
        h, *matrix = arguments
        return f"{e.op}(m, {h}, ({e.attr}), [{', '.join(matrix)}])"

    return Syntax(INFIX, PREFIX, BIND_CALL, number, leaf, entry)
