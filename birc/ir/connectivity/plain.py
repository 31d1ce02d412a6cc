"""Rules without chance: `one_to_one`, `all_to_all`, `dense` and `shared`."""

from __future__ import annotations

import numpy as np

from birc.ir.connectivity.cells import Pairs, own_target, too_few
from birc.ir.connectivity.edges import Array, Wiring


def one_to_one(w: Wiring) -> Pairs:
    """Source i reaches target i. Raises M134 where there are not as many sources as targets."""
    if w.sources != w.targets:
        raise too_few(w, f"{w.sources} sources and {w.targets} targets do not pair off")
    cells = np.arange(w.sources, dtype=np.int64)
    return kept(w, cells, cells)


def all_to_all(w: Wiring) -> Pairs:
    """Every source reaches every target. `dense` is the same; its weights are an array [sources, targets]."""
    source, target = np.divmod(np.arange(w.sources * w.targets, dtype=np.int64), w.targets)
    return kept(w, source, target)


def shared(w: Wiring) -> Pairs:
    """`groups` (n) sources, each read by as many of the N targets as the others: target j reads source floor(j * n / N).

    Raises M134 where n is above the number of sources.
    """
    groups = int(w.arguments["groups"])
    if groups > w.sources:
        raise too_few(w, f"there are {w.sources} sources to share, not {groups}")
    target = np.arange(w.targets, dtype=np.int64)
    return kept(w, target * groups // w.targets, target)


def kept(w: Wiring, source: Array, target: Array) -> Pairs:
    """The pairs that may be connected."""
    stays = apart(w, source, target)
    return source[stays], target[stays]


def apart(w: Wiring, source: Array, target: Array) -> Array:
    """Whether each pair is of two cells, or of one that may reach itself."""
    different: Array = target != own_target(w)[source]
    return different
