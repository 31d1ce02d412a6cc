"""What the tests of the passes share: models from text, the program before and after a pass, both run on the same random numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from birc import driver, passes, sources
from birc.backends import Dtype
from birc.errors import Source
from birc.frontend.load import load
from birc.ir.evaluate import Moment, Outcome, interpret
from birc.ir.model import Model
from birc.ir.step import REFRACTORY, Slot, Step
from birc.ir.text import print_model, print_step
from birc.passes import Program
from birc.runtime.bind import bind
from birc.runtime.values import Setting

Array = npt.NDArray[Any]

N = 12


def model_of(text: str, name: str = "m.birc") -> Model:
    """The last item of a module."""
    item = load(Source(name, text)).items[-1]
    assert isinstance(item, Model)
    return item


def _library() -> dict[str, Model]:
    found = {}
    for file in sources.library():
        for item in sources.load(file).module.items:
            if isinstance(item, Model) and item.kind == "neuron":
                found[item.name] = item
    return found


LIBRARY = _library()
"""Every neuron of the library."""


@cache
def stages(model: Model) -> dict[str, Program]:
    """The program behind each pass of the pipeline; behind "" the model itself."""
    found: dict[str, Program] = {"": model}

    def keep(name: str, program: Program, seconds: float) -> None:
        found[name] = program

    passes.run(model, passes.PIPELINES["step"], keep)
    return found


def around(model: Model, name: str) -> tuple[Program, Program]:
    """The program before a pass of the pipeline and after it."""
    found = stages(model)
    names = list(found)
    return found[names[names.index(name) - 1]], found[name]


def models_around(model: Model, name: str) -> tuple[Model, Model]:
    """The same, of a pass on models."""
    before, after = around(model, name)
    assert isinstance(before, Model) and isinstance(after, Model)
    return before, after


def steps_around(model: Model, name: str) -> tuple[Step, Step]:
    """The same, of a pass on steps."""
    before, after = around(model, name)
    assert isinstance(before, Step) and isinstance(after, Step)
    return before, after


def lowered(model: Model, **options: Any) -> Step:
    """The step program behind all passes."""
    if options:
        return driver.lower(model, **options)[1]
    step = list(stages(model).values())[-1]
    assert isinstance(step, Step)
    return step


def text_around(text: str, name: str) -> str:
    """Before and after, as a golden file shows them."""
    return "\n".join(
        f"# {when} {name}\n{_text(program)}" for when, program in zip(("before", "after"), around(model_of(text), name), strict=True)
    )


def _text(program: Program) -> str:
    return print_model(program) if isinstance(program, Model) else print_step(program)


# --- running a step program


def bound(step: Step, h: float = 0.1, dtype: Dtype = "f64", **params: Any) -> dict[str, Any]:
    """The bind values of a program."""
    return bind(step, Setting(step.name, N, 0, 1, h, 0), dtype, params).values


def limits(slot: Slot, numbers: Mapping[str, Any]) -> tuple[Any, Any]:
    """The limits of a slot as numbers, given the bind values."""
    low, high = (numbers[x] if isinstance(x, str) else x for x in (slot.low, slot.high))
    return -np.inf if low is None else low, np.inf if high is None else high


def moment(step: Step, seed: int = 0, h: float = 0.1, n: int = N, dtype: Dtype = "f64", **given: Any) -> Moment:
    """Random states about the initial ones, random inputs and events (several to a target among them), and a generator of draws.

    `given` sets states and inputs; the same seed gives the same numbers to two programs with the same slots and ports.
    """
    rng = np.random.default_rng(seed)
    numbers = bound(step, h, dtype)
    real = np.float64 if dtype == "f64" else np.float32
    state: dict[str, Array] = {}
    for slot in step.slots:
        start = float(np.asarray(numbers[slot.init]).reshape(-1)[0])
        if slot.name == REFRACTORY:
            state[slot.name] = rng.integers(0, 4, n).astype(np.int32)
            continue
        values = rng.uniform(0, 1, n) if 0 < start < 1 else start + rng.normal(0, 0.2 * max(1.0, abs(start)), n)
        state[slot.name] = np.broadcast_to(np.asarray(given.get(slot.name, np.clip(values, *limits(slot, numbers))), real), (n,)).copy()
    inputs = {p.name: np.broadcast_to(np.asarray(given.get(p.name, rng.normal(100, 300, n)), real), (n,)).copy() for p in step.inputs}
    events = {p.name: (np.sort(rng.integers(0, n, 2 * n)).astype(np.int32), rng.normal(0, 10, 2 * n)) for p in step.events}
    draws = np.random.default_rng([seed, 1]).normal(size=(8, n))

    def draw(noise: str, lane: int) -> Array:
        row: Array = draws[lane] * (1 + len(noise))
        return row

    return Moment(n, numbers, state, inputs, events, draw, real)


def run(step: Step, seed: int = 0, h: float = 0.1, **given: Any) -> Outcome:
    """One step of the interpreter on random numbers."""
    return interpret(step, moment(step, seed, h, **given))


def same_bits(a: Outcome, b: Outcome) -> None:
    """Assert that two outcomes are alike, bit for bit but for the sign of a zero (NaN equals NaN)."""
    _compare(a, b, np.testing.assert_array_equal)


def close(a: Outcome, b: Outcome, rel: float) -> None:
    """Assert that two outcomes agree to `rel` of their size."""

    def check(x: Array, y: Array, err_msg: str) -> None:
        scale = max(1e-300, float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x))))
        np.testing.assert_allclose(x / scale, y / scale, rtol=0, atol=rel, err_msg=err_msg)

    _compare(a, b, check)


def _compare(a: Outcome, b: Outcome, check: Callable[..., None]) -> None:
    assert a.state.keys() == b.state.keys() and a.outputs.keys() == b.outputs.keys()
    for name in a.state:
        check(a.state[name], b.state[name], err_msg=f"state {name}")
    for name in a.outputs:
        check(a.outputs[name], b.outputs[name], err_msg=f"output {name}")
    np.testing.assert_array_equal(a.fired, b.fired)


def advance(
    step: Step, count: int, h: float, state: Mapping[str, float], inputs: Mapping[str, float] | None = None, **params: Any
) -> dict[str, float]:
    """The states of one instance after `count` steps of the interpreter without events, from given states."""
    values = bound(step, h, **params)
    ports = {p.name: np.full(1, (inputs or {}).get(p.name, 0.0)) for p in step.inputs}
    now: dict[str, Array] = {}
    for slot in step.slots:
        now[slot.name] = np.full(1, state.get(slot.name, float(values[slot.init])), np.float64 if slot.kind == "real" else np.int32)
    for _ in range(count):
        now = interpret(step, Moment(1, values, now, ports)).state
    return {name: float(a[0]) for name, a in now.items()}
