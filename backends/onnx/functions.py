"""The functions of the domain `birc`, from their text, for one number type."""

from __future__ import annotations

from functools import cache
from math import factorial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends import Dtype
from birc.backends.onnx.table import FUNCTIONS

PI_PARTS: dict[Dtype, tuple[str, ...]] = {
    "f64": ("1.57079632673412561417e+00", "6.07710050630396597660e-11", "2.02226624879595063154e-21"),
    "f32": ("1.5703125", "4.837512969970703125e-4", "7.549789948768648e-8"),
}
"""pi/2 in three parts, the first two short enough that their products with a small whole number are exact."""

SMALL = 1e-37
"""Lost beside any rounding error, and not yet subnormal in float32."""
LEAST = -700.0
"""Above it exp(x) of a double has all its digits."""
HALF_UNIT = 2.0**-53
"""Half a unit in the last place of the double 1, that much below which another is."""
MARGIN = 1e-14
"""More than log(exp(x)) of a double differs from an x near 0."""

SINE = tuple((-1) ** k / factorial(2 * k + 1) for k in range(1, 9))
"""(sin(r) - r) / r^3 in powers of r^2."""
COSINE = tuple((-1) ** k / factorial(2 * k) for k in range(2, 10))
"""(cos(r) - 1 + r^2 / 2) / r^4 in powers of r^2."""


def functions(used: set[str], dtype: Dtype) -> list[Any]:
    """The function protos that `used` need, in the order of the text."""
    wanted = set(used)
    for name in used:
        wanted.update(FUNCTIONS.get(name, ()))
    return [proto for name, proto in _all(dtype).items() if name in wanted]


@cache
def _all(dtype: Dtype) -> dict[str, Any]:
    """Every function by name; they are parsed once."""
    from onnx import TensorProto, parser

    environment = Environment(loader=PackageLoader("birc.backends.onnx"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = environment.get_template("functions.j2").render(
        real="double" if dtype == "f64" else "float",
        element=int(TensorProto.DOUBLE if dtype == "f64" else TensorProto.FLOAT),
        pi_parts=PI_PARTS[dtype],
        small=SMALL,
        least=LEAST,
        margin=MARGIN,
        half_unit=HALF_UNIT,
        one_less=1 - HALF_UNIT,
        sine=SINE,
        cosine=COSINE,
    )
    pieces = ["<domain:" + piece for piece in text.split("<domain:")[1:]]
    protos = [parser.parse_function(piece) for piece in pieces]
    return {proto.name: proto for proto in protos}
