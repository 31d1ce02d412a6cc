"""What `with` lines may name: solvers, surrogates of the spike's derivative, number types to store a variable in, where spikes are."""

from __future__ import annotations

from birc.ir.solvers import TABLE
from birc.ir.surrogates import TABLE as TABLE_OF_SURROGATES

SOLVERS: tuple[str, ...] = tuple(solver.name for solver in TABLE)

SURROGATES: dict[str, tuple[str, ...]] = {name: tuple(surrogate.arguments) for name, surrogate in TABLE_OF_SURROGATES.items()}
"""Each with the names of its arguments."""

STORES: tuple[str, ...] = ("f16", "bf16", "f32", "f64")

SPIKES: tuple[str, ...] = ("grid", "located")
"""Where spikes are: at the ends of steps, or where the states cross the threshold inside them."""
