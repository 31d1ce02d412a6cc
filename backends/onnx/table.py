"""What the target can take: each op as a standard node, or as a function of the domain `birc` written in such nodes.

`templates/functions.j2` holds the functions. They exist where ONNX has no such op, or where the runtimes' own is not exact enough,
drops a NaN, or is missing for a number type.
"""

from __future__ import annotations

OPSET = 21
IR_VERSION = 10
FUNCTIONS_DOMAIN = "birc"
MODEL_DOMAIN = "birc.model"

NODES = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "neg": "Neg", "abs": "Abs", "pow": "Pow", "sqrt": "Sqrt", "floor": "Floor",
    "exp": "Exp", "log": "Log", "select": "Where", "and": "And", "or": "Or", "not": "Not",
    "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual", "eq": "Equal",
}  # fmt: skip

FUNCTIONS: dict[str, tuple[str, ...]] = {
    "min": (), "max": (), "ne": (), "heaviside": (), "sigmoid": (), "expm1": (), "exprel": (), "log1p": (),
    "sin": (), "cos": (), "tan": ("sin", "cos"), "tanh": ("expm1",), "sinh": ("expm1",), "cosh": (),
}  # fmt: skip
"""Functions by op, each with the functions it calls."""

PLAIN_NODES = {"min": "Min", "max": "Max"}
"""Of counts, or where one operand is a literal: they lose a NaN that is broadcast, and here there is none."""

BOOLEAN_FUNCTIONS = {"select": "choose"}
"""Of bools, which `Where` does not take everywhere."""


def takes(op: str) -> bool:
    """Whether the target has the op."""
    return op in NODES or op in FUNCTIONS
