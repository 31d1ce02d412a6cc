"""The one table of operations: arity, kind, evaluation, unit rule, partial derivatives, interval.

What one can do with an op is a column here; a backend adds its own column (how the op is written in its language).
Kinds are `real`, `int` (counts and countdowns) and `bool`. Evaluation is vectorised NumPy, and is what the op *means*.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from birc.ir.expr import Expr, const, make, op, topo
from birc.ir.fused import fma
from birc.ir.matrix import increment, increment_rest, input_gain, noise_factor, propagator
from birc.units import NONE, TIME, Dimension, over, power, times

Array = npt.NDArray[Any]
Kind = Literal["real", "int", "bool"]
Bounds = tuple[float, float]
INF = math.inf
ALL: Bounds = (-INF, INF)
MOST_STEPS = 2**31 - 1

UnitRule = Literal["same", "product", "quotient", "power", "root", "none", "compare", "logic", "select", "sign", "steps", "any"]
"""How units go through an op:
`same` all arguments alike, and the result; `none` dimensionless to dimensionless; `compare` alike to a bool; `select` bool, then alike;
`sign` any unit to dimensionless; `steps` a time to a count; `any` not seen by users."""


@dataclass(frozen=True)
class Op:
    """A row of the table."""

    name: str
    arity: int
    kind: Kind | Literal["args"]
    unit: UnitRule
    evaluate: Callable[..., Any]
    partials: Callable[..., tuple[Expr, ...]] | None = None
    interval: Callable[..., Bounds] | None = None
    user: bool = False
    """Whether a modeller can call it by this name."""
    transcendental: bool = False
    """Whether implementations may differ in the last bits."""
    commutative: bool = False
    bind_only: bool = False
    """Evaluated by the runtime when parameters are bound; no backend sees it."""


def exprel(x: Any) -> Any:
    """(exp(x) - 1) / x, and 1 at 0."""
    x = np.asarray(x)
    zero = x == 0
    return np.where(zero, 1.0, np.expm1(x) / np.where(zero, 1.0, x)).astype(x.dtype)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow on either side."""
    x = np.asarray(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(x.dtype)


def heaviside(x: Any) -> Any:
    """1 where x > 0, else 0 (0 at 0)."""
    x = np.asarray(x)
    return (x > 0).astype(x.dtype if x.dtype.kind == "f" else np.float64)


def _power(x: Any, y: Any) -> Any:
    return np.power(np.asarray(x, dtype=np.result_type(x, 1.0)), y)


# --- partial derivatives, as expressions in the op's own arguments

ONE, ZERO, TWO = const(1.0), const(0.0), const(2.0)


def _d_div(a: Expr, b: Expr) -> tuple[Expr, ...]:
    return op("div", ONE, b), op("neg", op("div", a, op("mul", b, b)))


def _d_pow(a: Expr, b: Expr) -> tuple[Expr, ...]:
    slope = op("mul", b, op("pow", a, op("sub", b, ONE)))
    return slope, op("mul", op("pow", a, b), op("log", a))


def _d_min(a: Expr, b: Expr) -> tuple[Expr, ...]:
    return op("select", op("le", a, b), ONE, ZERO), op("select", op("le", a, b), ZERO, ONE)


def _d_max(a: Expr, b: Expr) -> tuple[Expr, ...]:
    return op("select", op("ge", a, b), ONE, ZERO), op("select", op("ge", a, b), ZERO, ONE)


def _d_sigmoid(a: Expr) -> tuple[Expr, ...]:
    s = op("sigmoid", a)
    return (op("mul", s, op("sub", ONE, s)),)


def _d_tanh(a: Expr) -> tuple[Expr, ...]:
    t = op("tanh", a)
    return (op("sub", ONE, op("mul", t, t)),)


def _d_exprel(a: Expr) -> tuple[Expr, ...]:
    # (exp(x) - exprel(x)) / x, which cancels near 0: there its series, the sum of x^k (k + 1) / (k + 2)!
    near = op("lt", op("abs", a), const(0.25))
    safe = op("select", near, ONE, a)
    series: Expr = const(11.0 / math.factorial(12))
    for k in reversed(range(10)):
        series = op("add", const((k + 1) / math.factorial(k + 2)), op("mul", a, series))
    return (op("select", near, series, op("div", op("sub", op("exp", a), op("exprel", a)), safe)),)


# --- intervals


def _monotone(f: Callable[[float], float]) -> Callable[[Bounds], Bounds]:
    def bounds(a: Bounds) -> Bounds:
        return f(a[0]), f(a[1])

    return bounds


def _safe(f: Callable[[float], float], low: float = -INF) -> Callable[[float], float]:
    def call(x: float) -> float:
        try:
            return f(max(x, low))
        except OverflowError:
            return INF if x > 0 else -INF
        except ValueError:
            return -INF

    return call


def _i_products(products: list[float]) -> Bounds:
    clean = [0.0 if math.isnan(p) else p for p in products]  # 0 * inf: the other corners bound it
    return min(clean), max(clean)


def _i_mul(a: Bounds, b: Bounds) -> Bounds:
    return _i_products([x * y for x in a for y in b])


def _i_div(a: Bounds, b: Bounds) -> Bounds:
    if b[0] <= 0 <= b[1]:
        return ALL
    return _i_mul(a, (1 / b[1], 1 / b[0]))


def _i_pow(a: Bounds, b: Bounds) -> Bounds:
    if b[0] == b[1] and b[0] == int(b[0]) and 0 <= b[0] < 64:
        n = int(b[0])
        ends = [_safe(lambda x: x**n)(x) for x in a]
        low = 0.0 if n % 2 == 0 and a[0] <= 0 <= a[1] else min(ends)
        return low, max(ends)
    return (0.0, INF) if a[0] >= 0 else ALL


def _i_abs(a: Bounds) -> Bounds:
    return (0.0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))), max(abs(a[0]), abs(a[1]))


def _i_sum(sign: int) -> Callable[[Bounds, Bounds], Bounds]:
    def bounds(a: Bounds, b: Bounds) -> Bounds:
        low, high = (b[0], b[1]) if sign > 0 else (-b[1], -b[0])
        return a[0] + low if a[0] > -INF and low > -INF else -INF, a[1] + high if a[1] < INF and high < INF else INF

    return bounds


def _i_select(c: Bounds, a: Bounds, b: Bounds) -> Bounds:
    return min(a[0], b[0]), max(a[1], b[1])


def _truth(*_: Bounds) -> Bounds:
    return 0.0, 1.0


def _wave(*_: Bounds) -> Bounds:
    return -1.0, 1.0


def _exprel(x: float) -> float:
    return 1.0 if x == 0 else 0.0 if x == -INF else math.expm1(x) / x if x < INF else INF


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


# --- matrix functions of linear blocks, at bind time only; the attr says which entry of an n x n block


def _entry(function: Callable[[Array, float], Array]) -> Callable[..., Any]:
    """Entry `i,j` of a matrix function of (h, a_11 … a_nn), elementwise over instances."""

    def evaluate(h: Any, *entries: Any, attr: str) -> Any:
        n, i, j = (int(x) for x in attr.split(","))
        matrices = np.stack(np.broadcast_arrays(*(np.asarray(e, dtype=np.float64) for e in entries)), axis=-1)
        flat = matrices.reshape(-1, len(entries))
        unique, back = np.unique(flat, axis=0, return_inverse=True)
        results = np.array([function(row.reshape(-1, n), float(h))[i, j] for row in unique])
        return results[back.reshape(-1)].reshape(matrices.shape[:-1])

    return evaluate


def _steps(duration: Any, h: Any) -> Any:
    """floor(T/h + 0.5): a duration in whole steps; as many as a countdown can hold where there are more (`inf`)."""
    count = np.floor(np.asarray(duration, dtype=np.float64) / h + 0.5)
    return np.clip(count, 0, MOST_STEPS).astype(np.int64)


TABLE: tuple[Op, ...] = (
    Op("neg", 1, "args", "same", np.negative, lambda a: (const(-1.0),), lambda a: (-a[1], -a[0])),
    Op("add", 2, "args", "same", np.add, lambda a, b: (ONE, ONE), _i_sum(1), commutative=True),
    Op("sub", 2, "args", "same", np.subtract, lambda a, b: (ONE, const(-1.0)), _i_sum(-1)),
    Op("mul", 2, "args", "product", np.multiply, lambda a, b: (b, a), _i_mul, commutative=True),
    Op("div", 2, "real", "quotient", np.divide, _d_div, _i_div),
    Op("fma", 3, "real", "any", fma, lambda a, b, c: (b, a, ONE), lambda a, b, c: _i_sum(1)(_i_mul(a, b), c)),
    Op("pow", 2, "real", "power", _power, _d_pow, _i_pow, transcendental=True),
    Op("exp", 1, "real", "none", np.exp, lambda a: (op("exp", a),), _monotone(_safe(math.exp)), True, True),
    Op("expm1", 1, "real", "none", np.expm1, lambda a: (op("exp", a),), _monotone(_safe(math.expm1)), True, True),
    Op("exprel", 1, "real", "none", exprel, _d_exprel, _monotone(_safe(_exprel)), True, True),
    Op("log", 1, "real", "none", np.log, lambda a: (op("div", ONE, a),), _monotone(_safe(math.log, 0.0)), True, True),
    Op("log1p", 1, "real", "none", np.log1p, lambda a: (op("div", ONE, op("add", ONE, a)),),
       _monotone(_safe(math.log1p, -1.0)), True, True),
    Op("sqrt", 1, "real", "root", np.sqrt, lambda a: (op("div", const(0.5), op("sqrt", a)),),
       _monotone(_safe(math.sqrt, 0.0)), True),
    Op("sin", 1, "real", "none", np.sin, lambda a: (op("cos", a),), _wave, True, True),
    Op("cos", 1, "real", "none", np.cos, lambda a: (op("neg", op("sin", a)),), _wave, True, True),
    Op("tan", 1, "real", "none", np.tan, lambda a: (op("add", ONE, op("mul", op("tan", a), op("tan", a))),), lambda a: ALL, True, True),
    Op("tanh", 1, "real", "none", np.tanh, _d_tanh, _monotone(math.tanh), True, True),
    Op("sinh", 1, "real", "none", np.sinh, lambda a: (op("cosh", a),), _monotone(_safe(math.sinh)), True, True),
    Op("cosh", 1, "real", "none", np.cosh, lambda a: (op("sinh", a),), lambda a: (1.0, INF), True, True),
    Op("sigmoid", 1, "real", "none", sigmoid, _d_sigmoid, _monotone(_sigmoid), True, True),
    Op("abs", 1, "args", "same", np.abs,
       lambda a: (op("sub", op("heaviside", a), op("heaviside", op("neg", a))),), _i_abs, True),
    Op("min", 2, "args", "same", np.minimum, _d_min, lambda a, b: (min(a[0], b[0]), min(a[1], b[1])), True, commutative=True),
    Op("max", 2, "args", "same", np.maximum, _d_max, lambda a, b: (max(a[0], b[0]), max(a[1], b[1])), True, commutative=True),
    Op("floor", 1, "real", "none", np.floor, lambda a: (ZERO,), _monotone(lambda x: x if math.isinf(x) else math.floor(x)), True),
    Op("heaviside", 1, "real", "sign", heaviside, lambda a: (ZERO,), _truth, True),
    Op("lt", 2, "bool", "compare", np.less, interval=_truth),
    Op("le", 2, "bool", "compare", np.less_equal, interval=_truth),
    Op("gt", 2, "bool", "compare", np.greater, interval=_truth),
    Op("ge", 2, "bool", "compare", np.greater_equal, interval=_truth),
    Op("eq", 2, "bool", "compare", np.equal, interval=_truth, commutative=True),
    Op("ne", 2, "bool", "compare", np.not_equal, interval=_truth, commutative=True),
    Op("and", 2, "bool", "logic", np.logical_and, interval=_truth, commutative=True),
    Op("or", 2, "bool", "logic", np.logical_or, interval=_truth, commutative=True),
    Op("not", 1, "bool", "logic", np.logical_not, interval=_truth),
    Op("select", 3, "args", "select", np.where, lambda c, a, b: (ZERO, op("select", c, ONE, ZERO), op("select", c, ZERO, ONE)), _i_select),
    Op("steps", 2, "int", "steps", _steps, bind_only=True),
    Op("propagator", -1, "real", "any", _entry(propagator), bind_only=True),
    Op("increment", -1, "real", "any", _entry(increment), bind_only=True),
    Op("increment_rest", -1, "real", "any", _entry(increment_rest), bind_only=True),
    Op("input_gain", -1, "real", "any", _entry(input_gain), bind_only=True),
    Op("noise_factor", -1, "real", "any", _entry(noise_factor), bind_only=True),
)  # fmt: skip

OPS: dict[str, Op] = {row.name: row for row in TABLE}

LEAVES = ("const", "var", "param", "load", "read", "value", "step_size", "normal")
"""Ops without a row: they name something, and whoever evaluates knows it. `normal` draws (attr `noise:lane`)."""

USER_FUNCTIONS: dict[str, int] = {row.name: row.arity for row in TABLE if row.user}


def evaluate_op(e: Expr, args: tuple[Any, ...]) -> Any:
    """Apply a row of the table to evaluated arguments."""
    row = OPS[e.op]
    if row.arity < 0:
        return row.evaluate(*args, attr=e.attr)
    return row.evaluate(*args)


class UnitMismatch(Exception):
    """The arguments' dimensions do not go together; `rule` says which rule they break."""

    def __init__(self, rule: UnitRule) -> None:
        super().__init__(rule)
        self.rule = rule


def unit_of(name: str, args: tuple[Dimension | None, ...], exponent: Fraction | None = None) -> Dimension | None:
    """The dimension of an op's result; `None` stands for a bool.

    `exponent` is the literal exponent of a `pow`, if it has one. Raises `UnitMismatch`.
    """
    rule = OPS[name].unit
    match rule, args:
        case "same", (first, *rest) if all(first == r for r in rest):
            return first
        case "product", (tuple() as a, tuple() as b):
            return times(a, b)
        case "quotient", (tuple() as a, tuple() as b):
            return over(a, b)
        case "root", (tuple() as a,):
            return power(a, Fraction(1, 2))
        case "power", (tuple() as a, _) if exponent is not None:
            return power(a, exponent)
        case (("power" | "none"), _) if all(a == NONE for a in args):
            return NONE
        case "compare", (a, b) if a == b:
            return None
        case "logic", _ if all(a is None for a in args):
            return None
        case "select", (None, a, b) if a == b:
            return a
        case "sign", (tuple(),):
            return NONE
        case "steps", (a, b) if a == b == TIME:
            return NONE
        case _:
            raise UnitMismatch(rule)


def make_entry(name: str, n: int, i: int, j: int, h: Expr, matrix: tuple[Expr, ...]) -> Expr:
    """Entry i, j of a bind-time matrix function of the n x n `matrix`, given row by row."""
    return make(name, (h, *matrix), f"{n},{i},{j}")


def kinds(roots: tuple[Expr, ...], leaf: Callable[[Expr], Kind]) -> dict[Expr, Kind]:
    """The kind of every node below `roots`; `leaf` knows the names."""
    found: dict[Expr, Kind] = {}
    for e in topo(*roots):
        if e.op == "const":
            found[e] = "bool" if isinstance(e.attr, bool) else "int" if isinstance(e.attr, int) else "real"
        elif e.op in ("step_size", "normal", "read"):
            found[e] = "real"
        elif e.op in LEAVES:
            found[e] = leaf(e)
        else:
            kind = OPS[e.op].kind
            found[e] = found[e.args[-1]] if kind == "args" else kind
    return found
