"""What the values of an adjoint program are called; the pass that makes it is `birc.passes.adjoint`."""

from __future__ import annotations

BAR = ".bar"
"""Behind a name: the derivative of a loss by that value."""
SPIKE = "spike" + BAR
JUMP = "spike.jump"
"""What the reset gives to the derivative by the spike; a name of the program unless resets are detached."""
MARGIN = "spike.margin"
"""How far the state is beyond the threshold: an output, where the surrogate is open."""
SLOPE, UNIT = "surrogate.slope", "surrogate.unit"
"""Bind values of the surrogate beside its arguments: it sees slope * unit * margin."""


def argument(name: str) -> str:
    """The bind value of an argument of the surrogate."""
    return f"surrogate.{name}"
