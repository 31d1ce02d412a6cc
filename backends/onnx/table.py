"""What the target can take: each op as a standard node, or as a function of the domain `birc` written in such nodes.

`templates/functions.j2` holds the functions. They exist where ONNX has no such op, or where the runtimes' own is not exact enough,
slow, or missing for a number type.
"""

from __future__ import annotations

from birc.ir.ops import Kind

OPSET = 21
IR_VERSION = 10
FUNCTIONS_DOMAIN = "birc"
MODEL_DOMAIN = "birc.model"

NODES = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "neg": "Neg", "abs": "Abs", "pow": "Pow", "sqrt": "Sqrt", "floor": "Floor",
    "exp": "Exp", "log": "Log", "select": "Where", "min": "Min", "max": "Max", "and": "And", "or": "Or", "not": "Not",
    "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual", "eq": "Equal",
}  # fmt: skip

FUNCTIONS: dict[str, tuple[str, ...]] = {
    "ne": (), "heaviside": (), "sigmoid": (), "expm1": (), "exprel": (), "log1p": (),
    "sin": (), "cos": (), "tan": ("sin", "cos"), "tanh": ("expm1",), "sinh": ("expm1",), "cosh": (),
}  # fmt: skip
"""Functions by op, each with the functions it calls."""

SELECTS: dict[Kind, str] = {"bool": "choose", "int": "pick"}
"""Functions for what `Where` does not take everywhere (bools) or takes long for (whole numbers)."""
