"""The passes, listed in the order in which they run, and the manager that runs them.

A pass is a function of a file of its own, `Model -> Model` (level 1) or `Step -> Step` (level 2); `lower-to-step` leads from one to the
other. Passes of the level `target` run once more on a step program, for targets that take what they make; those of the level
`adjoint` make its derivative.
Every pass returns the same object when nothing changed. The needed ones cannot be switched off.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from birc.errors import BircError
from birc.ir.check import check_model, check_step
from birc.ir.model import Model
from birc.ir.step import Step
from birc.passes import (
    adjoint,
    choose_solvers,
    classify_odes,
    dead_code,
    dense_events,
    expand_euler,
    expand_exact,
    expand_exponential,
    expand_exponential_euler,
    expand_heun,
    expand_implicit_euler,
    expand_powers,
    expand_rk4,
    expand_rosenbrock,
    expand_sequential_euler,
    expand_strang,
    expand_strang4,
    factor_sums,
    fold_constants,
    fold_step,
    fuse_multiply_add,
    guard_runaway,
    hoist_to_bind,
    inline_channels,
    inline_functions,
    inline_lets,
    lower_to_step,
    order_blocks,
    reciprocals,
    share_common,
    share_exponentials,
    simplify,
    singular_quotients,
)
from birc.suggest import closest

Program = Model | Step


@dataclass(frozen=True)
class Pass:
    """A pass by name: what it works on, whether lowering needs it, and what it does."""

    name: str
    level: Literal["model", "lower", "step", "target", "adjoint"]
    needed: bool
    run: Callable[..., Program]

    @property
    def summary(self) -> str:
        """The first sentence of its file."""
        text = sys.modules[self.run.__module__].__doc__ or ""
        return " ".join(text.strip().split("\n\n")[0].split())


PASSES: tuple[Pass, ...] = (
    Pass("inline-channels", "model", True, inline_channels.run),
    Pass("inline-functions", "model", True, inline_functions.run),
    Pass("inline-lets", "model", True, inline_lets.run),
    Pass("fold-constants", "model", False, fold_constants.run),
    Pass("simplify", "model", False, simplify.run),
    Pass("singular-quotients", "model", False, singular_quotients.run),
    Pass("expand-powers", "model", False, expand_powers.run),
    Pass("classify-odes", "model", True, classify_odes.run),
    Pass("order-blocks", "model", False, order_blocks.run),
    Pass("choose-solvers", "model", True, choose_solvers.run),
    Pass("guard-runaway", "model", False, guard_runaway.run),
    Pass("lower-to-step", "lower", True, lower_to_step.run),
    Pass("expand-exact", "step", True, expand_exact.run),
    Pass("expand-exponential", "step", True, expand_exponential.run),
    Pass("expand-exponential-euler", "step", True, expand_exponential_euler.run),
    Pass("expand-strang", "step", True, expand_strang.run),
    Pass("expand-strang4", "step", True, expand_strang4.run),
    Pass("expand-rk4", "step", True, expand_rk4.run),
    Pass("expand-heun", "step", True, expand_heun.run),
    Pass("expand-euler", "step", True, expand_euler.run),
    Pass("expand-sequential-euler", "step", True, expand_sequential_euler.run),
    Pass("expand-implicit-euler", "step", True, expand_implicit_euler.run),
    Pass("expand-rosenbrock", "step", True, expand_rosenbrock.run),
    Pass("reciprocals", "step", False, reciprocals.run),
    Pass("factor-sums", "step", False, factor_sums.run),
    Pass("fold-step", "step", False, fold_step.run),
    Pass("share-exponentials", "step", False, share_exponentials.run),
    Pass("hoist-to-bind", "step", True, hoist_to_bind.run),
    Pass("share-common", "step", False, share_common.run),
    Pass("dead-code", "step", False, dead_code.run),
    Pass("fuse-multiply-add", "target", False, fuse_multiply_add.run),
    Pass("dense-events", "adjoint", True, dense_events.run),
    Pass("adjoint", "adjoint", True, adjoint.run),
)

BY_NAME = {p.name: p for p in PASSES}

PIPELINES: dict[str, tuple[str, ...]] = {
    "step": tuple(p.name for p in PASSES if p.level in ("model", "lower", "step")),
    "model": tuple(p.name for p in PASSES if p.level == "model"),
    "target": tuple(p.name for p in PASSES if p.level == "target"),
    "adjoint": tuple(p.name for p in PASSES if p.level == "adjoint"),
}

After = Callable[[str, Program, float], None]


def run(program: Program, names: Iterable[str], after: After | None = None, skip: Iterable[str] = ()) -> Program:
    """Run passes in order, checking invariants in between; `after` sees each name, result and time in seconds.

    Raises A020 for a pass that does not exist, A021 for switching off one that is needed.
    """
    left_out = [find(name).name for name in skip]
    for name in left_out:
        if BY_NAME[name].needed:
            raise BircError("A021", f"pass `{name}` is needed for lowering and cannot be switched off")
    for name in names:
        step = find(name)
        if step.name in left_out:
            continue
        if (step.level in ("step", "target", "adjoint")) != isinstance(program, Step):
            continue
        start = time.perf_counter()
        program = step.run(program)
        seconds = time.perf_counter() - start
        if isinstance(program, Step):
            check_step(program)
        else:
            check_model(program)
        if after is not None:
            after(step.name, program, seconds)
    return program


def for_target(step: Step, skip: Iterable[str] = (), after: After | None = None) -> Step:
    """A step program behind the passes of the level `target`."""
    program = run(step, PIPELINES["target"], after, skip)
    assert isinstance(program, Step)
    return program


def find(name: str) -> Pass:
    """A pass by its name. Raises A020 for a name that is none."""
    if name not in BY_NAME:
        near = closest(name, BY_NAME)
        raise BircError("A020", f"there is no pass `{name}`", help=f"did you mean `{near}`?" if near else "`birc passes` lists them")
    return BY_NAME[name]
