"""Level-1 expressions as Python functions of plain floats: what an adaptive solver calls a million times.

Operations give what IEEE arithmetic gives (a division by 0 is infinite), where Python would raise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from birc.ir.expr import Expr, topo
from birc.ir.ops import OPS

Vector = Callable[[Sequence[float]], list[float]]
"""From the values of some names, in an order that was fixed, to the values of some expressions."""

FORMS: dict[str, str] = {
    "neg": "-{0}",
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1} if {1} else div({0}, {1})",
    "min": "{0} if {0} <= {1} or {0} != {0} else {1}",
    "max": "{0} if {0} >= {1} or {0} != {0} else {1}",
    "abs": "abs({0})",
    "heaviside": "1.0 if {0} > 0 else 0.0",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "gt": "{0} > {1}",
    "ge": "{0} >= {1}",
    "eq": "{0} == {1}",
    "ne": "{0} != {1}",
    "and": "{0} and {1}",
    "or": "{0} or {1}",
    "not": "not {0}",
    "select": "{1} if {0} else {2}",
}
"""Ops in Python's own syntax; all others are functions."""


def function(names: Sequence[str], constants: Mapping[str, float], roots: Sequence[Expr]) -> Vector:
    """The values of `roots` as a function of the values of `names`; every other name is one of `constants`."""
    texts: dict[Expr, str] = {}
    arguments = {name: f"x{i}" for i, name in enumerate(names)}
    body = [f"({''.join(f'{a}, ' for a in arguments.values())}) = x"] if names else []
    calls: dict[str, Any] = {"div": _quotient}
    for e in topo(*roots):
        if e.op == "var":
            name = str(e.attr)
            texts[e] = arguments[name] if name in arguments else _literal(float(constants[name]))
        elif e.op == "const":
            texts[e] = _literal(e.attr)
        else:
            inputs = [texts[a] for a in e.args]
            if e.op in FORMS:
                text = FORMS[e.op].format(*inputs)
            else:
                calls[e.op] = _scalar(e.op)
                text = f"{e.op}({', '.join(inputs)})"
            texts[e] = f"t{len(body)}"
            body.append(f"{texts[e]} = {text}")
    body.append(f"return [{', '.join(texts[r] for r in roots)}]")
    space = {**calls, "nan": math.nan, "inf": math.inf}
    exec(compile("def f(x):\n" + "\n".join(f"    {line}" for line in body), "<rates>", "exec"), space)
    made: Vector = space["f"]
    return made


def _literal(value: object) -> str:
    return f"({value!r})" if not isinstance(value, float) or value < 0 or value != value else repr(value)


def _quotient(a: float, b: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.float64(a) / np.float64(b))


def _exprel(x: float) -> float:
    return math.expm1(x) / x if x else 1.0


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


FUNCTIONS: dict[str, Callable[..., float]] = {
    "pow": math.pow,
    "exp": math.exp,
    "expm1": math.expm1,
    "exprel": _exprel,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tanh": math.tanh,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "sigmoid": _sigmoid,
}
"""Quick forms on floats; an op without one is evaluated by the op table."""


def _scalar(name: str) -> Callable[..., float]:
    meaning, quick = OPS[name].evaluate, FUNCTIONS.get(name)

    def slow(*x: float) -> float:
        with np.errstate(all="ignore"):
            return float(meaning(*x))

    if quick is None:
        return slow

    def call(*x: float) -> float:
        try:
            return quick(*x)
        except (ValueError, OverflowError, ZeroDivisionError):
            return slow(*x)

    return call
