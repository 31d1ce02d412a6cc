"""Linear blocks whose propagator float64 cannot give to 12 digits are said at bind time; `ir.matrix` computes these with more digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from birc.errors import Diagnostic
from birc.ir.expr import Expr, order
from birc.ir.matrix import ILL_CONDITIONED, SMALL


def ill_conditioned(root: Expr, number: Callable[[Expr], Any], names: Callable[[Expr], list[str]]) -> list[Diagnostic]:
    """A warning (I129) for a matrix exponential below `root` that is ill-conditioned; `number` evaluates, `names` says what it rests on."""
    for e in order(root):
        if e.op not in ("propagator", "increment", "input_gain"):
            continue
        n = int(str(e.attr).split(",")[0])
        rows = np.stack(np.broadcast_arrays(*(np.abs(np.asarray(number(a), np.float64)) for a in e.args[1:])), axis=-1)
        size = float(number(e.args[0])) * float(np.max(rows.reshape(-1, n, n).sum(axis=2)))
        if ILL_CONDITIONED < size < np.inf:
            found = ", ".join(f"`{name}`" for name in names(e))
            block = f"the linear block that depends on {found}" if found else "a linear block"
            lost = f"in double precision its propagator would be wrong by about {np.finfo(np.float64).eps * size / SMALL:.0e}"
            message = f"{block} is ill-conditioned: its fastest rate is {size:.1g} per step, and {lost}"
            return [Diagnostic("I129", message, help="it is computed with more digits instead", severity="warning")]
    return []
