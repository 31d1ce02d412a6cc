"""What `with` lines may name: solvers, surrogates of the spike's derivative, number types to store a variable in, where spikes are."""

from __future__ import annotations

from birc.ir.solvers import TABLE

SOLVERS: tuple[str, ...] = tuple(solver.name for solver in TABLE)

SURROGATES: dict[str, tuple[str, ...]] = {
    "fast_sigmoid": ("beta",),
    "triangular": ("gamma",),
    "arctan": ("alpha",),
    "sigmoid": ("alpha",),
    "gaussian": ("sigma",),
    "multi_gaussian": ("sigma", "height", "width"),
    "straight_through": (),
}
"""Each with the names of its arguments, which are above 0; `height` may be 0."""


def fits_surrogate(argument: str, value: float) -> bool:
    """Whether an argument of a surrogate may have this value."""
    return 0 < value < float("inf") or (argument == "height" and value == 0)


STORES: tuple[str, ...] = ("f16", "bf16", "f32", "f64")

SPIKES: tuple[str, ...] = ("grid", "located")
"""Where spikes are: at the ends of steps, or where the states cross the threshold inside them."""
