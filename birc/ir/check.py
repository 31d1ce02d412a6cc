"""The invariants of both levels. The first one broken is an `InvariantError`: a bug of birc, unless the IR was read from a file."""

from __future__ import annotations

from birc.ir.check_model import MODEL_INVARIANTS
from birc.ir.check_step import FINAL_INVARIANTS, STEP_INVARIANTS
from birc.ir.model import Model
from birc.ir.step import Step


class InvariantError(Exception):
    """An invariant is broken; `invariant` is its name, `breach` what breaks it."""

    def __init__(self, invariant: str, breach: str) -> None:
        super().__init__(f"{invariant.replace('_', ' ')}: {breach}")
        self.invariant, self.breach = invariant, breach


def check_model(model: Model) -> None:
    """Raise `InvariantError` for the first invariant of level 1 that does not hold, in the model or a channel of it."""
    for invariant in MODEL_INVARIANTS:
        for breach in invariant(model):
            raise InvariantError(invariant.__name__, f"{breach}, in model `{model.name}`")
    for use in model.uses:
        check_model(use.channel)


def check_step(step: Step, final: bool = False) -> None:
    """Raise `InvariantError` for the first invariant of level 2 that does not hold; `final`: as backends need it."""
    for invariant in (*STEP_INVARIANTS, *(FINAL_INVARIANTS if final else ())):
        for breach in invariant(step):
            raise InvariantError(invariant.__name__, f"{breach}, in step `{step.name}`")
