"""Noise as inputs: the framework draws the standard normal numbers, and the kernel reads them.

noise xi:2; normal xi:0                ->  input xi:0, xi:1; read xi:0
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr, make, rewrite
from birc.ir.step import Port, Step
from birc.passes.expressions import map_step
from birc.units import NONE, internal_unit


def run(step: Step) -> Step:
    """The program without noises; its further inputs have the names of the draws, `noise:lane`."""
    if not step.noises:
        return step
    ports = tuple(Port(f"{noise.name}:{lane}", internal_unit(NONE)) for noise in step.noises for lane in range(noise.lanes))
    changed = map_step(step, lambda e: rewrite(e, _read), bind=False)
    return replace(changed, inputs=(*step.inputs, *ports), noises=())


def _read(e: Expr) -> Expr | None:
    return make("read", (), str(e.attr)) if e.op == "normal" else None
