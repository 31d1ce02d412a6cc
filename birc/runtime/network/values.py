"""What an expression of a network stands for when it is bound: a number, a draw for each cell or synapse, an array from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import BircError, Span
from birc.ir import random
from birc.ir.connectivity.edges import Drawn
from birc.ir.evaluate import evaluate_names
from birc.ir.expr import Expr
from birc.runtime.files import read_array
from birc.units import Unit

Array = npt.NDArray[Any]


def number(e: Expr, names: Mapping[str, Any]) -> float:
    """A constant, given the parameters of the network."""
    return float(evaluate_names(e, names))


def drawn(
    e: Expr,
    names: Mapping[str, Any],
    stream: int,
    unit: Unit,
    span: Span | None,
    what: str,
    low: float = -np.inf,
    high: float = np.inf,
) -> Drawn:
    """What an expression gives each synapse, in internal units; draws are kept in [low, high]. Raises I115 where a draw makes no sense."""
    match e.op:
        case "array":
            scale = float(unit.scale)
            array = from_file(str(e.attr), span, what)
            return Drawn("array", array=array if scale == 1.0 else array * scale)
        case "uniform" | "normal" as kind:
            a, b = (number(x, names) for x in e.args)
            if kind == "normal" and b < 0:
                raise BircError("I115", f"{what}: a standard deviation cannot be negative", span)
            return Drawn(kind, a, b, stream, low, high)
        case _:
            return Drawn("constant", number(e, names))


def per_cell(e: Expr, names: Mapping[str, Any], n: int, seed: int, stream: int, unit: Unit, span: Span | None, what: str) -> Any:
    """A number for all cells of a population, or an array [n], in internal units."""
    found = drawn(e, names, stream, unit, span, what)
    cells = np.arange(n)
    match found.kind:
        case "constant":
            return found.a
        case "uniform":
            u = random.uniform(seed, stream, cells, 0)
            return found.a * (1.0 - u) + found.b * u
        case "normal":
            return found.a + found.b * random.normal(seed, stream, cells, 0)
        case "array":
            assert found.array is not None
            values = found.array.reshape(-1)
            if len(values) not in (1, n):
                raise BircError("I110", f"{what}: the file holds {len(values)} values for {n} cells", span)
            return values if len(values) == n else float(values[0])


def from_file(reference: str, span: Span | None, what: str) -> Array:
    """The numbers of a file, which is looked for where the program runs, then beside the model. Raises I111, I116, I117."""
    array = np.asarray(read_array(beside(reference, span), what), np.float64)
    if not np.isfinite(array).all():
        raise BircError("I111", f"{what}: `{reference}` holds values that are not finite", span)
    return array


def beside(reference: str, span: Span | None) -> str:
    """A file's name, or its place beside the model where it is there and not here."""
    path = reference.rpartition(":")[0] if ":" in reference else reference
    if span is not None and not Path(path).is_absolute() and not Path(path).exists():
        folder = Path(span.source.name).parent
        if (folder / path).exists():
            return str(folder / reference)
    return reference
