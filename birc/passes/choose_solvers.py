"""Choose each block's method, with the reason in a sentence; `with solver` takes precedence.

    block %i_s, %v constant                ->  block %i_s, %v constant method exact
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from birc.errors import BircError, Diagnostic, Span
from birc.ir.expr import leaves
from birc.ir.model import Block, Linearity, Model
from birc.ir.solvers import SOLVERS, Solver
from birc.passes.classify_odes import linearity

REASONS = {
    "exact": "linear with constant coefficients: solved exactly",
    "strang": "affine in its own variable: an exponential step, exact but for the motion of what it reads",
    "strang4": "each equation is affine in its own variable: exponential steps there and back, extrapolated to order 4",
    "rk4": "nonlinear: classical Runge-Kutta of order 4 on the whole component",
}
COUPLED = {"constant": "exact", "affine": "strang4", "nonlinear": "rk4"}
ALONE = {"constant": "exact", "affine": "strang", "nonlinear": "rk4"}
"""The method by kind, for several states that depend on one another, and for one alone."""

SEQUENCE = "sequential_euler"
"""The method whose equations are solved in the order in which they stand, whether they depend on one another or not."""

MISFITS = {
    "constant": "its equations are not linear with constant coefficients",
    "affine": "an equation is not affine in its own variable",
}


def run(model: Model) -> Model:
    """Give every block a method. Raises N122 for a method that is none, L102 for all that cannot work for their blocks."""
    overrides = _overrides(model)
    rates = {o.state: o.rhs for o in model.odes}
    blocks: list[Block] = []
    faults: dict[Diagnostic, None] = {}
    for block in model.blocks:
        rest = tuple(s for s in block.states if s not in overrides)
        for method in dict.fromkeys(m for m, _ in overrides.values()):
            named = tuple(s for s in block.states if s in overrides and overrides[s][0] == method)
            if method == SEQUENCE and named:
                named = _at_once(model, block, overrides)
            if named:
                kind = linearity(model, named, rates)
                faults.update(dict.fromkeys(_misfits(named, kind, SOLVERS[method], overrides[named[0]][1])))
                blocks.append(Block(_sequence(model, named, method), kind, method, f"{method}, because the model says so"))
        if rest:
            kind = block.linearity if rest == block.states else linearity(model, rest, rates)
            method = (COUPLED if len(rest) > 1 else ALONE)[kind]
            blocks.append(Block(_sequence(model, rest, method), kind, method, REASONS[method]))
    if faults:
        raise BircError.of(faults)
    return model if tuple(blocks) == model.blocks else replace(model, blocks=tuple(blocks))


def _overrides(model: Model) -> dict[str, tuple[str, Span | None]]:
    """The method asked for, by state; a later line wins."""
    found: dict[str, tuple[str, Span | None]] = {}
    for option in model.options:
        if option.kind != "solver":
            continue
        if option.name not in SOLVERS:
            raise BircError("N122", f"there is no solver `{option.name}`", option.span, f"solvers: {', '.join(SOLVERS)}")
        for state in option.targets or [o.state for o in model.odes]:
            found[state] = option.name, option.span
    return found


def _misfits(states: tuple[str, ...], kind: Linearity, solver: Solver, span: Span | None) -> list[Diagnostic]:
    """Why a method cannot work for some states."""
    fitting: dict[str, tuple[Linearity, ...]] = {"constant": ("constant",), "affine": ("constant", "affine")}
    reasons = []
    if kind not in fitting.get(solver.fits, (kind,)):
        reasons.append(MISFITS[solver.fits])
    if solver.most_states is not None and len(states) > solver.most_states:
        reasons.append(f"it takes {solver.most_states} states at most that depend on one another, and these are {len(states)}")
    names = ", ".join(f"`{s}`" for s in states)
    help = "leave it to the compiler, or take rk4"
    return [Diagnostic("L102", f"solver {solver.name} cannot work for {names}: {reason}", span, help) for reason in reasons]


def _at_once(model: Model, block: Block, overrides: Mapping[str, tuple[str, Span | None]]) -> tuple[str, ...]:
    """All states that are solved in the order of the model, in the first block that has one of them; none in the others."""
    every = tuple(o.state for o in model.odes if overrides.get(o.state, ("", None))[0] == SEQUENCE)
    first = next(b for b in model.blocks if set(b.states) & set(every))
    return every if block is first else ()


def _sequence(model: Model, states: tuple[str, ...], method: str) -> tuple[str, ...]:
    """The order of exponential steps: first gates and their like, last what the spike condition reads."""
    if SOLVERS[method].fits != "affine":
        return states
    tested = leaves(model.spike.condition, "var") if model.spike else frozenset()
    gates = {s.name for s in model.states if s.gate}
    return tuple(sorted(states, key=lambda s: (s in tested, s not in gates)))
