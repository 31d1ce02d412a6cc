"""Names that lowering gives to what many statements of a step refer to."""

from __future__ import annotations

H, N_REF = ".h", ".n_ref"
"""Bound: the length of a step, and of a refractory period in steps."""

FIRED, WAS = ".fired", ".was"
LEFT, BUSY = ".r", ".busy"
"""How many steps of a refractory period are left at stamp k, and whether there are any."""

LAST = ".last"
"""Where in its step the last spike was; only where spikes are located inside steps."""
