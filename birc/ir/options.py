"""What `with` lines may name: solvers, surrogates of the spike's derivative, and number types to store a variable in."""

from __future__ import annotations

SOLVERS: tuple[str, ...] = ("exact", "exponential", "rk4", "euler")

SURROGATES: dict[str, tuple[str, ...]] = {
    "fast_sigmoid": ("beta",),
    "triangular": ("gamma",),
    "arctan": ("alpha",),
    "sigmoid": ("alpha",),
    "gaussian": ("sigma",),
    "multi_gaussian": ("sigma", "height", "width"),
    "straight_through": (),
}
"""Each with the names of its arguments."""

STORES: tuple[str, ...] = ("f16", "bf16", "f32", "f64")
