"""Rows on events: what they act on, in which order, and clipping. An event of time t ms acts at stamp t."""

from __future__ import annotations

from math import exp

from tests.conformance.kit import Case

DENSE = {"exc": ([0] * 20, [float(k) for k in range(1, 21)], [2.0] * 20)}

# The current decays by q per ms from 8 at stamp 1; the membrane gains p (from itself) and c (from the current) per step.
P, Q = exp(-1 / 20), exp(-1 / 5)
C = (exp(-1 / 5) - exp(-1 / 20)) / (1 / 20 - 1 / 5) / 20


def membrane(v: float, i: float, steps: int) -> float:
    """v after `steps` steps of 1 ms of 20 v' = -v + i, 5 i' = -i."""
    return v * exp(-steps / 20) + i / 20 * (exp(-steps / 5) - exp(-steps / 20)) / (1 / 20 - 1 / 5)


EVENTS = (
    # A jump of 2 at every stamp, threshold 1, reset to 0. While v is held the jump is dropped.
    Case("delta_0", "delta", steps=20, inputs=DENSE, params={"t_ref": "0 ms"}, stamps=(tuple(range(1, 21)),), exact=True),
    Case("delta_1", "delta", steps=20, inputs=DENSE, params={"t_ref": "1 ms"}, stamps=(tuple(range(1, 21, 2)),), exact=True),
    Case("delta_2", "delta", steps=20, inputs=DENSE, params={"t_ref": "2 ms"}, stamps=(tuple(range(1, 21, 3)),), exact=True),
    # Spike at 1; held at 2, 3, 4: the jumps at 3 and 4 are dropped, those at 5 and 6 are not. tau = 8 ms.
    Case(
        "held_jump",
        "delta",
        steps=7,
        params={"t_ref": "3 ms"},
        inputs={"exc": ([0] * 5, [1.0, 3.0, 4.0, 5.0, 6.0], [2.0, 0.75, 0.75, 0.5, 0.25])},
        stamps=((1,),),
        values={"v": {1: 0.0, 3: 0.0, 4: 0.0, 5: 0.5, 6: 0.5 * exp(-1 / 8) + 0.25, 7: 0.5 * exp(-2 / 8) + 0.25 * exp(-1 / 8)}},
    ),
    # 8 at stamp 1. v = 8/20 (e^(-t/5) - e^(-t/20)) / (1/20 - 1/5), t from stamp 1: 0.985 at t = 4 and 1.096 at t = 5, so it fires at 6.
    # v stands at 0.25 at 7, 8, 9, while i decays and takes the jump of 1 at 8.
    Case(
        "free_current",
        "free_current",
        steps=10,
        inputs={"exc": ([0, 0], [1.0, 8.0], [8.0, 1.0])},
        stamps=((6,),),
        values={
            "i": {1: 8.0, 6: 8 * Q**5, 7: 8 * Q**6, 8: 8 * Q**7 + 1, 9: 8 * Q**8 + Q, 10: 8 * Q**9 + Q**2},
            "v": {1: 0.0, 2: 8 * C, 5: membrane(0.0, 8.0, 4), 6: 0.25, 9: 0.25, 10: 0.25 * P + (8 * Q**8 + Q) * C},
        },
    ),
    # Two events at stamp 1. x takes the sum, 0.5 + 0.9 - 0.5 = 0.9, and is clipped once. y takes one after the other: 1.4 is clipped to 1,
    # then 0.5; in neuron 1, in the other order, 0, then 0.9.
    Case(
        "summing",
        "ports",
        steps=2,
        n=2,
        inputs={"add": ([0, 0, 1, 1], [1.0] * 4, [0.9, -0.5, -0.5, 0.9]), "each": ([0, 0, 1, 1], [1.0] * 4, [0.9, -0.5, -0.5, 0.9])},
        values={"x": {1: 0.9, 2: 0.9}, "y": {1: (0.5, 0.9)}},
        exact=True,
    ),
    # A sum beyond the range is clipped: 0.5 + 0.9 + 0.9 -> 1.
    Case("summing_clipped", "ports", steps=1, inputs={"add": ([0, 0], [1.0, 1.0], [0.9, 0.9])}, values={"x": {1: 1.0}}, exact=True),
    # z -= 2 w with w = 1 + 0.25 at stamp 1. At stamp 3, z = -2.5 moves half of the way to 1, twice: -0.75, then 0.125.
    Case(
        "one_by_one",
        "ports",
        steps=3,
        inputs={"less": ([0, 0], [1.0, 1.0], [1.0, 0.25]), "gap": ([0, 0], [3.0, 3.0], [0.5, 0.5])},
        values={"z": {1: -2.5, 2: -2.5, 3: 0.125}},
        exact=True,
    ),
    # Sums go before: at one stamp z = 0 - 2 * 0.5 = -1 by `less`, declared first, then half of the way to 1: 0.
    Case(
        "less_then_gap",
        "ports",
        steps=1,
        inputs={"gap": ([0], [1.0], [0.5]), "less": ([0], [1.0], [0.5])},
        values={"z": {1: 0.0}},
        exact=True,
    ),
    # At stamp 2 both ports: (1 + 1) * 3 = 6, and in the model that declares them the other way round 1 * 3 + 1 = 4.
    Case(
        "port_order",
        "port_order",
        steps=3,
        inputs={"add": ([0], [2.0], [1.0]), "scale": ([0], [2.0], [3.0])},
        values={"x": {1: 1.0, 2: 6.0}},
        exact=True,
    ),
    Case(
        "port_order_turned",
        "port_order_turned",
        steps=3,
        inputs={"add": ([0], [2.0], [1.0]), "scale": ([0], [2.0], [3.0])},
        values={"x": {1: 1.0, 2: 4.0}},
        exact=True,
    ),
    # x = 0.375, 0.75, then 1.125 clipped to 1. At 4 it fires: 1 - 5 -> 0, then 0.25. y = 0.5 + 2 -> 1, then 1 - 1 = 0 at stamp 2.
    Case(
        "clip",
        "clip",
        steps=5,
        inputs={"jump": ([0], [2.0], [1.0])},
        stamps=((4,),),
        values={"x": {1: 0.375, 2: 0.75, 3: 1.0, 4: 0.25, 5: 0.625}, "y": {1: 0.5, 2: 0.0, 5: 0.0}},
        exact=True,
    ),
    # v rises to 2 and is kept there, so that it never reaches 2.5.
    Case("clip_test", "clip_test", steps=5, values={"v": {2: 2.0, 3: 2.0, 5: 2.0}}, exact=True),
    # x = 3 until stamp 3, where it is set to 7; y adds x at k: 3, 6, 9, then 16.
    Case(
        "resting",
        "resting",
        steps=4,
        inputs={"put": ([0], [3.0], [7.0])},
        values={"x": {1: 3.0, 2: 3.0, 3: 7.0, 4: 7.0}, "y": {3: 9.0, 4: 16.0}},
        exact=True,
    ),
)
