"""Compute one exponential where others are its powers, up to a factor: of exp(x), exp(2 x + 1) and exp(-x), only the first.

    exp (mul -0.2 (add %v, 5.0))           ->  mul 0.36788, (mul %u, %u)                        with %u = exp (mul -0.1 %v)
    div %a, (exprel (mul -0.2 %v))         ->  mul %a, (div %x, (sub (mul %u, %u), 1.0))        with %x = mul -0.2 %v

The quotient is its series near 0. Exponents are sums of the same terms with literal coefficients, but for one literal term, and are whole
multiples of one of them. Rounding changes, for every target alike: a power has about as many roundings as its exponent, at most `MOST`, and
the quotient up to 1 / `NEAR` times as many. A factor lies between exp(-`FAR`) and exp(`FAR`): only where an exponential is that near the
largest or the least of a number type can its power be infinite or 0 in its place; beyond, both are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from birc.ir.expr import Expr, const, op, substitute, topo
from birc.ir.linear import ONE, mul
from birc.ir.step import Step
from birc.passes.expressions import is_fixed, map_flow
from birc.passes.singular_quotients import proportion, terms

MOST = 12
"""The highest power."""
FAR = 16.0
"""The largest logarithm of the factor of a power."""
NEAR = 0.125
"""Below it x / (exp(x) - 1) is its series; beyond it, what exp(x) is off by grows at most by 1 / NEAR in the difference."""
SERIES = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600)
"""Coefficients of x^2, x^4 … of x / (exp(x) - 1) + x / 2: Bernoulli's numbers over factorials; the next term is below 1e-16."""


@dataclass(frozen=True, eq=False)
class Exponential:
    """exp(y), or the exp(y) inside of a / exprel(y); y is the sum of `terms` with their coefficients, and of `offset`."""

    node: Expr
    exponent: Expr
    terms: Mapping[Expr, float]
    offset: float

    @property
    def is_quotient(self) -> bool:
        """Whether it is that of a / exprel(y)."""
        return self.node.op == "div"

    def power(self, base: Exponential) -> int | None:
        """p, where this is a constant times the p-th power of the base; None where it is not."""
        ratio = proportion(self.terms, base.terms)
        if ratio is None or not 1 <= round(abs(ratio)) <= MOST or not math.isclose(ratio, round(ratio), rel_tol=1e-14):
            return None
        return round(ratio) if abs(self.offset - round(ratio) * base.offset) <= FAR else None


Family = dict[Exponential, int]
"""Powers of one exponential, which is the first, by what they are."""


def run(step: Step) -> Step:
    """Share exponentials of the flow wherever that saves some."""
    roots: list[Expr] = []

    def look(e: Expr) -> Expr:
        roots.append(e)
        return e

    map_flow(step, look)
    changed = shared(roots, frozenset(d.name for d in step.bind))
    return map_flow(step, lambda e: _replace(e, changed)) if changed else step


def shared(roots: Iterable[Expr], bound: frozenset[str]) -> dict[Expr, Expr]:
    """What stands for each exponential of a family; `bound` names what is fixed during a run."""
    left = _exponentials(list(roots), bound)
    found: dict[Expr, Expr] = {}
    while left:
        family = max((_family(base, left) for base in left), key=_saved)
        if _saved(family) <= 0:
            break
        left = [e for e in left if e not in family]
        found |= _written(family)
    return found


def _exponentials(roots: list[Expr], bound: frozenset[str]) -> list[Exponential]:
    """Those that vary; of an `exprel`, those that something is divided by and nothing else reads."""
    users = Counter(a for node in topo(*roots) for a in node.args) + Counter(roots)
    found = []
    for node in topo(*roots):
        match node:
            case Expr("exp", (y,)):
                pass
            case Expr("div", (_, Expr("exprel", (y,)) as below)) if users[below] == 1:
                pass
            case _:
                continue
        if not is_fixed(y, bound):
            sum_ = terms(y)
            offset = sum_.pop(ONE, 0.0)
            found.append(Exponential(node, y, sum_, offset))
    return found


def _family(base: Exponential, all_: list[Exponential]) -> Family:
    found: Family = {base: 1}
    found |= {e: p for e in all_ if (p := e.power(base)) is not None}
    return found


def _saved(family: Family) -> int:
    """How many plain operations it saves, roughly: an exponential takes 15, its power two; a quotient saves five,
    and a reciprocal takes five more.
    """
    quotients = sum(e.is_quotient for e in family)
    return 13 * (len(family) - quotients) + 5 * quotients - 15 - 5 * any(p < 0 for p in family.values())


def _written(family: Family) -> dict[Expr, Expr]:
    base = next(iter(family))
    u = op("exp", base.exponent)
    found = {}
    for e, p in family.items():
        power = _power(u, abs(p))
        factor = mul(const(math.exp(e.offset - p * base.offset)), op("div", ONE, power) if p < 0 else power)
        found[e.node] = _quotient(e.node.args[0], e.exponent, factor) if e.is_quotient else factor
    return {node: new for node, new in found.items() if new is not node}


def _power(u: Expr, p: int) -> Expr:
    """u^p by squares."""
    result: Expr = ONE
    while p:
        if p % 2:
            result = mul(u, result)
        u, p = op("mul", u, u), p // 2
    return result


def _quotient(a: Expr, x: Expr, e: Expr) -> Expr:
    """a x / (e - 1) with e = exp(x)."""
    z = op("mul", x, x)
    near = op("lt", z, const(NEAR * NEAR))
    series: Expr = const(SERIES[-1])
    for c in reversed(SERIES[:-1]):
        series = op("add", const(c), op("mul", z, series))
    series = op("add", op("sub", ONE, op("mul", const(0.5), x)), op("mul", z, series))
    return mul(a, op("div", op("select", near, series, x), op("select", near, ONE, op("sub", e, ONE))))


def _replace(root: Expr, changed: Mapping[Expr, Expr]) -> Expr:
    """Replace also inside of what is put in."""
    while (new := substitute(root, changed)) is not root:
        root = new
    return root
