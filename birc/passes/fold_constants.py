"""Fold operations on literals, in float64.

    mul 2.0, 3.0                           ->  6.0
"""

from __future__ import annotations

import numpy as np

from birc.ir.expr import Expr, const, is_const, rewrite
from birc.ir.model import Model
from birc.ir.ops import OPS, evaluate_op
from birc.passes.expressions import map_model


def run(model: Model) -> Model:
    """Fold every expression of a model."""
    return map_model(model, lambda e: rewrite(e, fold))


def fold(e: Expr) -> Expr | None:
    """One folding step at the root of `e`; a result that is not finite is left to run time."""
    row = OPS.get(e.op)
    if row is None or row.bind_only or not e.args or not all(is_const(a) for a in e.args):
        return None
    with np.errstate(all="ignore"):
        result = evaluate_op(e, tuple(np.asarray(a.attr) for a in e.args)).item()
    if isinstance(result, float) and not np.isfinite(result):
        return None
    return const(result)
