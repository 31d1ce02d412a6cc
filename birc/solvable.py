"""Whether the solvers that a file's models name can work for their equations.

Only lowering knows: it classifies the equations as they are once channels, functions and `let`s are inlined. Everything else that
lowering could refuse, the front end has refused before, so that models which leave the choice to the compiler are not lowered here.
"""

from __future__ import annotations

from collections.abc import Iterable

from birc.errors import BircError, Diagnostic
from birc.ir.model import Item, Model


def faults(items: Iterable[Item]) -> tuple[Diagnostic, ...]:
    """What lowering says of the neurons and astrocytes that choose a solver (L102)."""
    chosen = [i for i in items if isinstance(i, Model) and i.kind in ("neuron", "astrocyte") and _chooses(i)]
    if not chosen:
        return ()
    from birc import passes  # most files choose none, and checking them is quicker without

    found: dict[Diagnostic, None] = {}
    for model in chosen:
        try:
            passes.run(model, passes.PIPELINES["model"])
        except BircError as error:
            found.update(dict.fromkeys(error.diagnostics))
    return tuple(found)


def _chooses(model: Model) -> bool:
    return any(o.kind == "solver" for o in model.options) or any(_chooses(use.channel) for use in model.uses)
