"""Solve blocks that are linear with constant coefficients exactly over the step.

    integrate exact %v { -%v/tau_m + %I/tau_m }   ->   %v.1 = add %v, (add (mul E, %v), (mul Q, %I))      E, Q in bind

x' = A x + b, with b held over the step, gives x(h) = e^{Ah} x + ∫0^h e^{As} ds b (Rotter & Diesmann 1999). Entries of both matrices are
closed forms by `exp` and `exprel` where a state is fed directly and not in a cycle (exact also for equal time constants), else entries
of a numeric matrix exponential, both at bind time. White noise with constant coefficients is integrated exactly as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from birc.ir.expr import Expr, const, leaves, op, value
from birc.ir.linear import ZERO, add, linear_form, mul, sub
from birc.ir.ops import make_entry
from birc.ir.step import Define, Integrate, Step
from birc.passes.solver_steps import Constants, draw, euler_maruyama, expand, is_bind_time, is_zero, step_length


def run(step: Step) -> Step:
    """Expand every exact block."""
    return expand(step, "exact", solve)


@dataclass(frozen=True)
class System:
    """x' = A x + b with the states' values at the start and the step's length."""

    matrix: tuple[tuple[Expr, ...], ...]
    drive: tuple[Expr, ...]
    noise: tuple[tuple[tuple[str, Expr], ...], ...]
    start: tuple[Expr, ...]
    h: Expr
    names: tuple[str, ...]
    constants: Constants

    def freeze(self, held: frozenset[int]) -> System:
        """The system with the derivative and the noise of some states zero."""
        zero = (ZERO,) * len(self.start)
        return System(
            tuple(zero if i in held else row for i, row in enumerate(self.matrix)),
            tuple(ZERO if i in held else b for i, b in enumerate(self.drive)),
            tuple(() if i in held else terms for i, terms in enumerate(self.noise)),
            self.start,
            self.h,
            tuple(f"held.{n}" for n in self.names),
            self.constants,
        )


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """The states after the step; where one is held, the block is solved free and frozen, and the whole block is selected."""
    names = frozenset(integrate.states)
    forms = [linear_form(rate, names, "value") for rate in integrate.rates]
    matrix = tuple(tuple(f.of(s) for s in integrate.states) if f else () for f in forms)
    drive = tuple(f.rest if f else ZERO for f in forms)
    noise = integrate.noises or ((),) * len(integrate.states)
    free = System(matrix, drive, noise, integrate.initial, step_length(integrate), _names(integrate), constants)
    held = frozenset(i for i, s in enumerate(integrate.states) if s in integrate.hold) if integrate.busy is not None else frozenset()
    frozen = free.freeze(held)
    out = []
    for i, name in enumerate(integrate.results):
        new = _advance(free, i)
        noise_now = _diffuse(free, integrate, i)
        new = add(new, noise_now) if not is_zero(noise_now) else new
        if held and _reads(free, i, held):
            assert integrate.busy is not None
            still = integrate.initial[i] if i in held else add(_advance(frozen, i), _diffuse(frozen, integrate, i))
            new = op("select", integrate.busy, still, new)
        out.append(Define(name, new, integrate.spans[i] if integrate.spans else None))
    return out


def _reads(system: System, i: int, held: frozenset[int]) -> bool:
    """Whether the outcome of state `i` depends on a held state's motion."""
    return any(j == i or _reaches(system, j, i) for j in held)


def _reaches(system: System, source: int, target: int, without: int | None = None) -> bool:
    """Whether there is a path from `source` to `target` along nonzero coefficients, of at least one edge."""
    n = len(system.start)
    seen: set[int] = set()
    stack = [source]
    while stack:
        j = stack.pop()
        for i in range(n):
            if i != j and i not in seen and i != without and not is_zero(system.matrix[i][j]):
                seen.add(i)
                stack.append(i)
    return target in seen


def _alone(system: System, i: int) -> bool:
    """Whether no cycle leads through state `i`."""
    return not _reaches(system, i, i)


def _propagator(system: System, i: int, j: int) -> Expr:
    """Entry i, j of e^{Ah}."""
    a, h = system.matrix, system.h
    if i != j and not _reaches(system, j, i):
        return ZERO
    if _alone(system, i) and _alone(system, j):
        if i == j:
            return const(1.0) if is_zero(a[i][i]) else op("exp", mul(a[i][i], h))
        if _direct(system, j, i):
            return mul(mul(a[i][j], h), _divided_exponential(a[i][i], a[j][j], h))
    return _entry("propagator", system, i, j)


def _divided_exponential(a: Expr, b: Expr, h: Expr) -> Expr:
    """(e^{ah} - e^{bh}) / (ah - bh), smooth at a = b: from the slower of both, so that a stiff pair gives no 0 * inf."""
    if a is b:
        return const(1.0) if is_zero(a) else op("exp", mul(a, h))

    def slower(x: Expr, y: Expr) -> Expr:
        start = const(1.0) if is_zero(x) else op("exp", mul(x, h))
        return mul(start, op("exprel", mul(op("min", sub(y, x), ZERO), h)))

    return op("select", op("ge", a, b), slower(a, b), slower(b, a))


def _direct(system: System, source: int, target: int) -> bool:
    """Whether the only path is the edge itself."""
    others = (k for k in range(len(system.start)) if k not in (source, target))
    return not any(_reaches(system, source, k) and _reaches(system, k, target) for k in others)


def _gain(system: System, i: int, j: int) -> Expr:
    """Entry i, j of ∫0^h e^{As} ds."""
    a, h = system.matrix, system.h
    if i != j and not _reaches(system, j, i):
        return ZERO
    if i == j and _alone(system, i):
        return h if is_zero(a[i][i]) else mul(h, op("exprel", mul(a[i][i], h)))
    return _entry("input_gain", system, i, j)


def _change(system: System, i: int, j: int) -> Expr:
    """Entry i, j of e^{Ah} - 1."""
    if i == j and _alone(system, i):
        return ZERO if is_zero(system.matrix[i][i]) else op("expm1", mul(system.matrix[i][i], system.h))
    return _entry("increment", system, i, j) if _together(system, i, j) else _propagator(system, i, j)


def _together(system: System, i: int, j: int) -> bool:
    """Whether a cycle leads through both states."""
    return _reaches(system, i, j) and _reaches(system, j, i)


def _entry(name: str, system: System, i: int, j: int) -> Expr:
    """Entry i, j of a numeric function of the matrix."""
    return make_entry(name, len(system.matrix), i, j, system.h, tuple(e for row in system.matrix for e in row))


def _names(integrate: Integrate) -> tuple[str, ...]:
    """What the constants of each state are called after."""
    return integrate.states if integrate.part == 1.0 else tuple(f"half.{s}" for s in integrate.states)


def _advance(system: System, i: int) -> Expr:
    """The noise-free value of state `i` after the step: what the step changes (E, and P from other states), then what drives it (Q).

    A state gets its change added: rounding a propagator near 1 would leave few digits of its distance from 1, which is the rate.
    What turns in a cycle meets the rounding of the same entries again and again; it also gets what that rounding left of them (R).
    """
    total: Expr = ZERO
    name, known = system.names[i], system.constants.known
    rest: Expr = ZERO
    for j, start in enumerate(system.start):
        change, left = (f".E.{name}", f".R.{name}") if i == j else (f"{kind}.{name}.{system.names[j]}" for kind in (".P", ".R"))
        total = add(total, mul(system.constants.name(change, _change(system, i, j)), start))
        if _together(system, i, j):
            rest = add(rest, mul(system.constants.name(left, _entry("increment_rest", system, i, j)), start))
    total = add(total, rest)
    constant: Expr = ZERO
    by_leaf: dict[str, Expr] = {}
    for j, b in enumerate(system.drive):
        gain = _gain(system, i, j)
        if is_zero(b) or is_zero(gain):
            continue
        moving = leaves(b, "value") - known
        form = linear_form(b, moving, "value")
        if form is None or not all(is_bind_time(c, known) for c in form.coefficients.values()):
            total = add(total, mul(system.constants.name(f".Q.{name}", gain), b))
            continue
        constant = add(constant, mul(gain, form.rest))
        for leaf, coefficient in form.coefficients.items():
            by_leaf[leaf] = add(by_leaf.get(leaf, ZERO), mul(gain, coefficient))
    for leaf, coefficient in by_leaf.items():
        total = add(total, mul(system.constants.name(f".Q.{name}.{leaf}", coefficient), value(leaf)))
    total = add(total, system.constants.name(f".Q.{name}.rest", constant))
    return add(system.start[i], total)


def _diffuse(system: System, integrate: Integrate, i: int) -> Expr:
    """What the noises add to state `i`: exact for constant coefficients, else Euler–Maruyama."""
    total: Expr = ZERO
    n = len(system.start)
    for noise in dict.fromkeys(name for terms in system.noise for name, _ in terms):
        column = [next((c for name, c in terms if name == noise), ZERO) for terms in system.noise]
        if not all(is_bind_time(c, system.constants.known) for c in column):
            only = tuple(tuple(t for t in terms if t[0] == noise) for terms in system.noise)
            total = add(total, euler_maruyama(_with_noise(integrate, only), i, system.h))
            continue
        if n == 1:
            a, h = system.matrix[0][0], system.h
            variance = h if is_zero(a) else mul(h, op("exprel", mul(mul(const(2.0), a), h)))
            size = system.constants.name(f".S.{system.names[i]}.{noise}", mul(column[0], op("sqrt", variance)))
            total = add(total, mul(size, draw(noise)))
            continue
        if not any(not is_zero(c) and (j == i or _reaches(system, j, i)) for j, c in enumerate(column)):
            continue
        entries = tuple(e for row in system.matrix for e in row) + tuple(mul(x, y) for x in column for y in column)
        for lane in range(i + 1):
            factor = make_entry("noise_factor", n, i, lane, system.h, entries)
            total = add(total, mul(system.constants.name(f".S.{system.names[i]}.{noise}.{lane}", factor), draw(noise, lane)))
    return total


def _with_noise(integrate: Integrate, noises: tuple[tuple[tuple[str, Expr], ...], ...]) -> Integrate:
    return Integrate(integrate.method, integrate.states, integrate.initial, integrate.rates, integrate.results, noises)
