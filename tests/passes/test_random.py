"""Rewrites of random expressions and of random step programs: every value stays what it was."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birc import passes
from birc.ir.check import check_step
from birc.ir.evaluate import Moment, evaluate_names, interpret
from birc.ir.expr import Expr, Rule, const, make, op, rewrite, topo, value, var
from birc.ir.step import Carry, Define, Deliver, Emit, Noise, Phase, Port, Put, Slot, Step, Store
from birc.passes.expand_powers import expand
from birc.passes.fold_constants import fold
from birc.passes.simplify import simplify
from birc.passes.singular_quotients import remove
from birc.units import ONE
from tests.passes.programs import same_bits

NUMBERS = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, -2.5, 1e-3, 40.0)
UNARY = ("neg", "exp", "expm1", "exprel", "log", "log1p", "sqrt", "sin", "tanh", "sigmoid", "abs", "floor", "heaviside")
BINARY = ("add", "add", "sub", "sub", "mul", "mul", "div", "div", "min", "max")
COMPARE = ("lt", "le", "gt", "ge", "eq", "ne")
VALUES = np.array([0.0, -0.0, 1.0, -1.0, 0.3, -2.0, 7.5, 1e-9, 1e9, -1e300, np.inf, -np.inf, np.nan])

seeds = st.integers(0, 2**32).map(Random)
thorough = settings(max_examples=300, deadline=None)


class Growing:
    """Random expressions over given leaves: numbers and conditions, with shared parts."""

    def __init__(self, source: Random, leaves: list[Expr]) -> None:
        self.source = source
        self.numbers = list(leaves)
        self.conditions: list[Expr] = []

    def grow(self, count: int) -> None:
        """Add operations."""
        pick = self.source.choice
        for _ in range(count):
            roll = self.source.random()
            if roll < 0.2:
                self.numbers.append(const(pick(NUMBERS)))
            elif roll < 0.4:
                self.numbers.append(op(pick(UNARY), pick(self.numbers)))
            elif roll < 0.75:
                self.numbers.append(op(pick(BINARY), pick(self.numbers), pick(self.numbers)))
            elif roll < 0.8:
                self.numbers.append(op("pow", pick(self.numbers), const(float(self.source.randint(-4, 5)))))
            elif roll < 0.9 or not self.conditions:
                self.conditions.append(
                    op(pick(COMPARE), pick(self.numbers), pick(self.numbers))
                    if self.source.random() < 0.8
                    else const(self.source.random() < 0.5)
                )
            elif roll < 0.95:
                a, b = pick(self.conditions), pick(self.conditions)
                self.conditions.append(op("not", a) if self.source.random() < 0.3 else op(pick(("and", "or")), a, b))
            else:
                self.numbers.append(op("select", pick(self.conditions), pick(self.numbers), pick(self.numbers)))

    def number(self) -> Expr:
        """A late one."""
        return self.source.choice(self.numbers[-4:])

    def condition(self) -> Expr:
        """Any."""
        return self.source.choice(self.conditions) if self.conditions else op("gt", self.number(), const(0.5))


def evaluated(e: Expr) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The value at every pair of awkward numbers."""
    x, y = np.meshgrid(VALUES, VALUES)
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(evaluate_names(e, {"x": x, "y": y}), np.float64), x.shape)


def bits(e: Expr) -> bytes:
    """The bits of the value, all NaNs alike."""
    found = evaluated(e)
    return np.where(np.isnan(found), np.nan, found).tobytes()


@pytest.mark.parametrize("rule", [fold, simplify])
@thorough
@given(source=seeds)
def test_exact_rules(rule: Rule, source: Random) -> None:
    growing = Growing(source, [var("x"), var("y"), const(1.0), const(0.0)])
    growing.grow(12)
    for e in (growing.number(), growing.condition()):
        assert bits(rewrite(e, rule)) == bits(e)


@thorough
@given(source=seeds)
def test_both_together(source: Random) -> None:
    growing = Growing(source, [var("x"), const(2.0)])
    growing.grow(15)
    e = growing.number()
    simple = rewrite(e, fold, simplify)
    assert bits(simple) == bits(e)
    assert rewrite(simple, fold, simplify) is simple


@thorough
@given(source=seeds)
def test_powers(source: Random) -> None:
    growing = Growing(source, [var("x"), var("y")])
    growing.grow(2)
    base, n = growing.number(), float(source.randint(-16, 16))
    before = op("pow", base, const(n))
    after = rewrite(before, expand)
    assert "pow" not in {e.op for e in topo(after)} or "pow" in {e.op for e in topo(base)}
    if "pow" not in {e.op for e in topo(base)}:
        a, b = evaluated(before), evaluated(after)
        normal = (np.abs(a) > 1e-150) & (np.abs(a) < 1e150)  # a factor may leave the range of float64 before the product does
        np.testing.assert_allclose(b[normal], a[normal], rtol=1e-13)


@thorough
@given(source=seeds)
def test_quotients(source: Random) -> None:
    """A quotient that has exp(y) - 1 in it, with all sorts of factors about it."""
    k, x, y = source.choice((0.3, 2.0, -5.0)), var("x"), var("y")
    linear = op(source.choice(("add", "sub")), op("mul", const(k), x), const(source.choice((0.0, 1.0, -2.0))))
    exponent = source.choice(
        (linear, op("neg", linear), op("div", linear, y), op("mul", linear, const(0.5)), op("div", linear, const(-4.0)))
    )
    singular = op("sub", *source.sample([op("exp", exponent), const(1.0)], 2))
    growing = Growing(source, [linear, linear, op("exp", linear), y, const(3.0)])
    for _ in range(source.randint(0, 3)):
        growing.numbers.append(op("mul", source.choice(growing.numbers), source.choice(growing.numbers)))
    e = op("div", growing.numbers[-1], op("mul", singular, source.choice((y, const(2.0)))) if source.random() < 0.3 else singular)
    e = e if source.random() < 0.7 else op("div", op("mul", const(7.0), singular), growing.numbers[-1])
    after = rewrite(e, lambda node: remove(node, frozenset({"x"})))
    points = np.array([-3.1, -0.7, 0.11, 0.9, 2.3, 5.7])
    with np.errstate(all="ignore"):
        one, two = (evaluate_names(form, {"x": points, "y": np.float64(1.7)}) for form in (e, after))
    fine = np.isfinite(one)
    np.testing.assert_allclose(np.broadcast_to(two, 6)[fine], np.broadcast_to(one, 6)[fine], rtol=1e-12)


# --- step programs


def random_step(source: Random) -> Step:
    """Definitions over two states, an input, bind values, a draw, and events of a summing and of another port."""
    fixed = Growing(source, [value("p"), value("q"), const(2.0)])
    outside = [make("load", (), "x"), make("load", (), "z"), make("read", (), "I"), make("normal", (), "xi:0")]
    growing = Growing(source, [*outside, value("p"), value("q"), const(1.0)])
    names: list[str] = []

    def define(prefix: str) -> Define:
        fixed.grow(2)
        growing.numbers.append(fixed.number())
        growing.grow(source.randint(1, 6))
        names.append(f"{prefix}{len(names)}")
        return Define(names[-1], growing.number())

    flow = []
    for _ in range(source.randint(1, 4)):
        flow.append(define("a"))
        growing.numbers.append(value(names[-1]))
    summing = Deliver("s", "s.w", True, (Define("b", op("add", growing.number(), op("mul", value("s.w"), growing.number()))),), ())
    growing.numbers.append(value("b"))
    inside = Growing(source, [*growing.numbers[-6:], value("e.w"), value("c.in")])
    inside.conditions = list(growing.conditions)
    inside.grow(5)
    body = (Define("d", inside.number()), Define("f", op("add", inside.number(), value("d"))))
    each = Deliver("e", "e.w", False, body, (Carry("c.in", growing.number(), value("f"), "c"),))
    growing.numbers.append(value("c"))
    growing.grow(4)
    fired = growing.condition()
    reset = [define("r")]
    growing.numbers.append(value(names[-1]))
    stores = (Store("x", growing.number()), Store("z", op("select", value("fired"), value("c"), growing.number())))
    zero = Slot("x", "real", ONE, "zero")
    phases = (
        Phase("flow", tuple(flow)),
        Phase("deliver", (summing, each)),
        Phase("test", (Define("fired", fired),)),
        Phase("reset", (*reset, *stores)),
        Phase("emit", (Emit(value("fired")),)),
        Phase("record", (Put("y", growing.number()),)),
    )
    bind = (Define("p", const(1.25)), Define("q", op("exp", value("p"))), Define("zero", const(0.0)))
    ports = (Port("s", ONE), Port("e", ONE))
    return Step("S", (), (zero, replace(zero, name="z")), (Port("I", ONE),), ports, (Port("y", ONE),), (Noise("xi", 1),), bind, phases)


def moment_of(step: Step, seed: int) -> Moment:
    """Random numbers for a random program, whose bind values need no parameters."""
    numbers: dict[str, object] = {}
    with np.errstate(all="ignore"):
        for d in step.bind:
            numbers[d.name] = np.asarray(interpret_bind(d.value, numbers)).item()
    rng = np.random.default_rng(seed)
    n = 7
    state = {"x": rng.normal(0, 2, n), "z": rng.normal(0, 2, n)}
    events = {p: (np.sort(rng.integers(0, n, 9)).astype(np.int32), rng.normal(0, 2, 9)) for p in ("s", "e")}
    noise = rng.normal(size=n)
    return Moment(n, numbers, state, {"I": rng.normal(0, 2, n)}, events, lambda name, lane: noise)


def interpret_bind(e: Expr, numbers: dict[str, object]) -> object:
    """A bind value from those before it."""
    from birc.ir.expr import substitute

    return evaluate_names(substitute(e, {n: var(str(n.attr)) for n in topo(e) if n.op == "value"}), numbers)


@pytest.mark.parametrize(
    "names",
    [("fold-step",), ("hoist-to-bind",), ("share-common",), ("dead-code",), ("fold-step", "hoist-to-bind", "share-common", "dead-code")],
)
@thorough
@given(source=seeds)
def test_step_passes(names: tuple[str, ...], source: Random) -> None:
    before = random_step(source)
    check_step(before)
    after = passes.run(before, names)
    assert isinstance(after, Step)
    same_bits(interpret(before, moment_of(before, 5)), interpret(after, moment_of(after, 5)))
    again = passes.run(after, names[-1:])
    assert again is after
