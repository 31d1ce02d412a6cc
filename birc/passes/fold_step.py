"""Fold literals and drop neutral elements in a step program, after solvers have put new ones in.

    mul 1.0, %.h                           ->  %.h
"""

from __future__ import annotations

from birc.ir.expr import rewrite
from birc.ir.step import Step
from birc.passes.expressions import map_step
from birc.passes.fold_constants import fold
from birc.passes.simplify import simplify


def run(step: Step) -> Step:
    """Fold and simplify every expression of the program."""
    return map_step(step, lambda e: rewrite(e, fold, simplify))
