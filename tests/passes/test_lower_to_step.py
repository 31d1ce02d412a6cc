"""`lower-to-step`: the phases of a step, in their order, with what each sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from birc import passes
from birc.errors import BircError
from birc.ir.evaluate import Moment, Outcome, interpret
from birc.ir.expr import var
from birc.ir.step import REFRACTORY, Deliver, Integrate, Step
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, bound, lowered, model_of, steps_around, text_around

TEXT = """
neuron Cell:
    param tau = 10 ms, t_ref = 2 ms
    state v = 0 in [-1, inf], w = 0
    input I: 1
    tau * v' = I - v
    step w = w / 2
    on exc(a: 1): v += a
    on jump(a: 1):
        v = a * v
        w += v
    spike on rise v > 1:
        v = 0
        w += v
    refractory t_ref: hold v
    output y: 1 = v + w
"""


def lower(text: str) -> Step:
    """The program as it leaves the pass."""
    found: list[Step] = []

    def keep(name: str, program: passes.Program, seconds: float) -> None:
        if isinstance(program, Step) and not found:
            found.append(program)

    passes.run(model_of(text), passes.PIPELINES["step"], keep)
    return found[0]


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "lower-to-step")
    golden.check("golden/passes/lower_to_step.txt", text[text.index("# after") :])


def one(
    step: Step, events: dict[str, list[float]] | None = None, inputs: dict[str, float] | None = None, **state: float
) -> dict[str, float]:
    """One step of 0.1 ms of one instance."""
    outcome = step_of(step, events or {}, inputs or {}, state)
    return (
        {n: float(a[0]) for n, a in outcome.state.items()}
        | {n: float(a[0]) for n, a in outcome.outputs.items()}
        | {"fired": float(outcome.fired[0])}
    )


def step_of(step: Step, events: dict[str, list[float]], inputs: dict[str, float], state: dict[str, float]) -> Outcome:
    """The outcome of one step."""
    numbers = bound(step)
    slots = {s.name: np.full(1, state.get(s.name, numbers[s.init]), np.int32 if s.kind == "int" else np.float64) for s in step.slots}
    ports = {p.name: np.full(1, inputs.get(p.name, 0.0)) for p in step.inputs}
    arrived = {p.name: (np.zeros(len(events.get(p.name, [])), np.int32), np.array(events.get(p.name, []))) for p in step.events}
    return interpret(step, Moment(1, numbers, slots, ports, arrived))


CELL = lowered(model_of(TEXT))
DECAY = float(np.exp(-0.01))


def test_ports_run_in_the_order_of_declaration_after_the_flow() -> None:
    found = one(CELL, {"exc": [0.2, 0.1], "jump": [2.0, 3.0]}, v=0.01, w=1.0)
    flown = 0.01 * DECAY + (0.2 + 0.1)
    assert found["v"] == 0.0 and found["fired"] == 1.0  # 6 * 0.31 crosses 1
    found = one(CELL, {"exc": [0.2, 0.1], "jump": [0.5, 0.5]}, v=0.01, w=1.0)
    assert found["v"] == pytest.approx(0.25 * flown, rel=1e-14)
    assert found["w"] == pytest.approx(0.5 + 0.5 * flown + 0.25 * flown, rel=1e-14)


def test_a_held_variable_ignores_events_and_flow_but_not_the_reset() -> None:
    found = one(CELL, {"exc": [5.0], "jump": [2.0]}, {"I": 9.0}, v=0.5, w=1.0, refractory=1)
    assert (found["v"], found["fired"], found[REFRACTORY]) == (0.5, 0.0, 0.0)
    assert found["w"] == 0.5 + 0.5


def test_the_reset_runs_top_to_bottom() -> None:
    found = one(CELL, {"exc": [5.0]}, w=1.0)
    assert (found["v"], found["w"], found[REFRACTORY]) == (0.0, 0.5, 20.0)
    assert found["y"] == 0.5


def test_a_rise_needs_a_condition_that_was_false() -> None:
    assert one(CELL, {"exc": [5.0]}, v=0.9)["fired"] == 1.0
    assert one(CELL, {"exc": [5.0]}, v=1.5)["fired"] == 0.0
    assert one(CELL, v=1.5)["fired"] == 0.0


def test_a_rise_is_judged_with_the_inputs_held_over_the_step() -> None:
    step = lowered(SMALL["rise_and_refractory"])
    assert one(step, inputs={"I": 600.0}, v=0.0)["fired"] == 0.0  # with this input the condition holds at k already
    assert one(step, inputs={"I": 400.0}, v=0.0)["fired"] == 1.0


def test_clipping_comes_after_each_statement() -> None:
    step = lowered(SMALL["clipped"])
    found = one(step, {"exc": [0.2]}, x=0.9, y=0.0, z=0.0)
    assert 0.9 * np.exp(-0.05) + 0.2 > 1
    assert found["x"] == pytest.approx(1.0 - 0.2 * (1.0 + 0.2), rel=1e-14)
    assert found["y"] == 1.0 + 0.2
    assert one(step, {"inh": [-50.0]})["z"] == 0.25


def test_step_rules_are_simultaneous() -> None:
    found = one(lowered(SMALL["only_a_step_rule"]), x=1.0, y=3.0)
    assert (found["x"], found["y"]) == (0.9 + 3.0, 1.0)


def test_elapsed_is_the_length_of_a_step() -> None:
    found = one(lowered(SMALL["elapsed"]), inputs={"f": 3.0}, x=1.0)
    assert found["x"] == pytest.approx(float(np.exp(-0.02)) + 0.3, rel=1e-14)


@pytest.mark.parametrize(("body", "sums"), [
    ("x += w", True),
    ("x -= w", True),
    ("x += k * w / 2", True),
    ("x -= w * (k + 1)", True),
    ("x += -w", True),
    ("x += w\n        y -= k * w", True),
    ("x += w\n        x += w", False),
    ("x += w + 1", False),
    ("x += w * w", False),
    ("x += x * w", False),
    ("x += y * w", False),
    ("x = w", False),
    ("x = w + x", False),
    ("x *= w", False),
    ("x += 1", False),
    ("x += I * w", False),
])  # fmt: skip
def test_which_ports_sum(body: str, sums: bool) -> None:
    step = lower(f"neuron A:\n    param k = 2\n    input I: 1\n    state x = 0, y = 0\n    on exc(w: 1):\n        {body}\n")
    (deliver,) = (s for _, s in step.statements() if isinstance(s, Deliver))
    assert deliver.summing == sums


def test_an_exact_state_is_fed_only_to_methods_with_stages() -> None:
    step = steps_around(SMALL["fed_eif"], "expand-exact")[0]
    integrals = [s for _, s in step.statements() if isinstance(s, Integrate)]
    assert [(s.states, s.part, [f.state for f in s.feeds]) for s in integrals] == [
        (("r", "s"), 1.0, []),
        (("r", "s"), 0.5, []),
        (("v",), 1.0, ["s"]),
    ]
    euler = lowered(SMALL["fed_eif"], solver="v=euler")
    assert not [n for _, s in euler.statements() if (n := getattr(s, "name", "")).endswith(".half")]


def test_presets_params_and_doc_go_along() -> None:
    step = lowered(LIBRARY["AdEx"])
    assert step.doc == LIBRARY["AdEx"].doc and step.presets == LIBRARY["AdEx"].presets and step.params == LIBRARY["AdEx"].params


def test_a_channel_does_not_run_by_itself() -> None:
    with pytest.raises(BircError) as caught:
        lower("channel C:\n    outward i = 1 nS * v\n")
    assert [d.code for d in caught.value.diagnostics] == ["L110"]


def test_a_refractory_time_is_fixed() -> None:
    model = LIBRARY["LIF"]
    assert model.refractory is not None
    with pytest.raises(BircError) as caught:
        passes.run(replace(model, refractory=replace(model.refractory, duration=var("v"))), passes.PIPELINES["step"])
    assert [d.code for d in caught.value.diagnostics] == ["L111"]
    assert caught.value.diagnostics[0].span is not None
