"""Rows on thresholds, resets and refractoriness. Unless a row says otherwise the step is 1 ms, so that stamps are times in ms."""

from __future__ import annotations

from math import exp

from tests.conformance.kit import Case

# v(k) = 1.5 (1 - e^(-k/20)) reaches 1 where e^(-k/20) <= 1/3: k >= 20 log 3 = 21.97, so at 22. From the reset at s, v stands still at
# stamps s + 1 … s + n_ref and needs 22 steps again: the interval is 22 + n_ref.
LIF = tuple(
    Case(
        f"lif_{n_ref}",
        "lif",
        steps=100,
        inputs={"I": 1.5},
        params={"t_ref": f"{n_ref} ms"},
        stamps=(tuple(range(22, 101, 22 + n_ref)),),
        values={
            "v": {
                1: 1.5 * (1 - exp(-1 / 20)),
                21: 1.5 * (1 - exp(-21 / 20)),
                22: 0.0,
                22 + n_ref: 0.0,
                23 + n_ref: 1.5 * (1 - exp(-1 / 20)),
            }
        },
        exact=True,
    )
    for n_ref in (0, 1, 2, 10, 20)
)

# The same, with a refractory time, a drive and a time constant of its own for each neuron. I = 3: e^(-k/20) <= 2/3 from k = 8.1, so 9.
# I = 0.9 never fires. With 40 ms: 40 log 3 = 43.94, so 44, and the next at 44 + 20 + 44.
EACH = Case(
    "lif_each",
    "lif",
    steps=108,
    n=4,
    inputs={"I": [1.5, 3.0, 0.9, 1.5]},
    params={"t_ref": [0.0, 5.0, 0.0, 20.0], "tau": [20.0, 20.0, 20.0, 40.0]},
    stamps=(tuple(range(22, 109, 22)), tuple(range(9, 109, 14)), (), (44, 108)),
    values={"v": {22: (0.0, 3 * (1 - exp(-8 / 20)), 0.9 * (1 - exp(-22 / 20)), 1.5 * (1 - exp(-22 / 40)))}},
    exact=True,
)

# T/h + 0.5, rounded down: 2.5 -> 3, 1.5 -> 2, 0.5 -> 1, 0.4 -> 0, 1.6 -> 2 steps, each with a warning. v stays at 2: it fires whenever
# it may.
ROUNDING = tuple(
    Case(
        f"rounding_{t}",
        "rounding",
        steps=12,
        params={"t_ref": f"{t} ms"},
        stamps=(tuple(range(1, 13, n + 1)),),
        warns=("I131",),
        exact=True,
    )
    for t, n in (("2.5", 3), ("1.5", 2), ("0.5", 1), ("0.4", 0), ("1.6", 2))
)

SPIKING = (
    *LIF,
    EACH,
    *ROUNDING,
    # 3 ms are 3 steps: no warning.
    Case("rounding_3", "rounding", steps=12, params={"t_ref": "3 ms"}, stamps=((1, 5, 9),), exact=True),
    # v = k. With `>=` it fires where v equals 3, and with `>` one step later.
    Case("strict", "strict", steps=12, stamps=((4, 8, 12),), values={"v": {3: 3.0, 4: 0.0}}, exact=True),
    Case(
        "recorded",
        "recorded",
        steps=10,
        stamps=((3, 7),),
        values={"v": {2: 2.0, 3: -0.5, 6: 2.5, 7: -0.5}, "y": {2: 21.0, 3: -4.0, 6: 26.0}},
        exact=True,
    ),
    # Rows of every third stamp. v = 1, 2, -0.5 | 0.5, 1.5, 2.5 | -0.5, 0.5, 1.5 | 2.5
    Case("every", "recorded", steps=10, every=3, stamps=((3, 7),), values={"v": {3: -0.5, 6: 2.5, 9: 1.5}}, exact=True),
    # Nothing is tested at stamp 0: v = 2 fires at 1, is reset and stays.
    Case("above", "above", steps=5, stamps=((1,),), values={"v": {1: 0.0, 5: 0.0}}, exact=True),
    # On the edge, v = 2 at stamp 0 and above at 1, 2: no rise. Down at 3, up at 4: a spike.
    Case("above_edge", "above_edge", steps=6, inputs={"I": [2.0, 2.0, 0.0, 2.0, 2.0, 2.0]}, stamps=((4,),), exact=True),
    # v at stamp k + 1 is row k: 0 1 1 0 1 1 1 0 0 1 at stamps 1 … 10.
    Case("level", "level", steps=10, inputs={"I": [0, 1, 1, 0, 1, 1, 1, 0, 0, 1]}, stamps=((2, 3, 5, 6, 7, 10),), exact=True),
    Case("edge", "edge", steps=10, inputs={"I": [0, 1, 1, 0, 1, 1, 1, 0, 0, 1]}, stamps=((2, 5, 10),), exact=True),
    # Rises at 2, 4 and 9. After the spike at 2 it is refractory at 3, 4, 5: the rise at 4 is lost, and v above at 6 is no rise.
    Case("edge_refractory", "edge_refractory", steps=10, inputs={"I": [0, 1, 0, 1, 1, 1, 1, 0, 1, 1]}, stamps=((2, 9),), exact=True),
    # Both sides of the edge see the input of this step. v = k. Step 2 -> 3 with I = 3: 2 + 3 > 3.5 before and after, no rise.
    # Step 3 -> 4 with I = 0: 3 before, 4 after: a rise.
    Case("edge_input", "edge_input", steps=6, inputs={"I": [0, 0, 3, 0, 0, 0]}, stamps=((4,),), exact=True),
    # v = k/2, theta = 1 + 4 e^(-k/10). k = 6: 3 < 3.195; k = 7: 3.5 > 2.986, a spike. v = 3.5 - 1 - 4 e^-0.7 = 0.514, theta = 3 + 4 e^-0.7;
    # after j more steps v = 0.514 + j/2, theta = 1 + (2 + 4 e^-0.7) e^(-j/10). j = 5: 3.01 < 3.42; j = 6: 3.51 > 3.19, a spike.
    Case(
        "soft_reset",
        "soft_reset",
        steps=14,
        stamps=((7, 13),),
        values={
            "v": {6: 3.0, 7: 2.5 - 4 * exp(-0.7), 12: 5.0 - 4 * exp(-0.7)},
            "theta": {6: 1 + 4 * exp(-0.6), 7: 3 + 4 * exp(-0.7), 12: 1 + (2 + 4 * exp(-0.7)) * exp(-0.5)},
        },
    ),
    # v = 2 at stamp 2: theta = 3, v = 2 - 3 = -1. v = 3 at 6: theta = 4, v = -1. v = 4 at 11: theta = 5. v = 5 at 17.
    Case(
        "reset_order",
        "reset_order",
        steps=17,
        stamps=((2, 6, 11, 17),),
        values={"v": {2: -1.0, 6: -1.0}, "theta": {2: 3.0, 11: 5.0}},
        exact=True,
    ),
    # v = 3 at stamp 3: v = -1.5, and y = 2 v with the new v. Then 4.5 ms to 3: v = 3 at 7.5, so at 8 (v = 3.5).
    Case("reset_let", "reset_let", steps=8, stamps=((3, 8),), values={"y": {2: 0.0, 3: -3.0, 8: -3.0}, "v": {7: 2.5}}, exact=True),
    # v = 3 at stamp 3. Refractory at 4 … 8, while v goes on: 5 at 8, and 6 at 9, where it may fire. The jump of -4 at 6, while it is
    # refractory, acts: in neuron 1 v = 1 at 8, 2 at 9, 3 at 10.
    Case(
        "no_hold",
        "no_hold",
        steps=15,
        n=2,
        inputs={"exc": ([1], [6.0], [-4.0])},
        stamps=((3, 9, 15), (3, 10)),
        values={"v": {3: 0.0, 6: (3.0, -1.0), 8: (5.0, 1.0), 9: (0.0, 2.0)}},
        exact=True,
    ),
    # -70 mV + 0.1 Gohm * 0.3 nA = -40 mV with a time constant of 0.1 Gohm * 0.2 nF = 20 ms: -50 mV is 2/3 of the way, reached at
    # 20 log 3 = 21.97 ms.
    Case(
        "units",
        "units",
        steps=50,
        inputs={"I": "300 pA"},
        stamps=((22, 44),),
        values={"v": {1: -0.07 + 0.03 * (1 - exp(-1 / 20)), 22: -0.07}},
        exact=True,
    ),
)
