"""Rows on what synapses see and when: traces, delays on both sides, equal stamps. The step is 1 ms, so stamps are times in ms.

The synapse `Learn` takes A = 1 times the trace of its target's spikes at `pre`, and adds B = 10 times that of its source's at `post`; both
traces keep exp(-0.1) of themselves per step.
"""

from __future__ import annotations

from math import exp

from tests.conformance.network_kit import NetworkCase

W = "s -> B.exc.w"


def seen(lag: float, tau: float = 10.0) -> float:
    """What is left of a trace that rose by 1 so many ms ago."""
    return exp(-lag / tau)


PLASTICITY = (
    # Stamp 4: pre reads y = 0 and sends 100, so B fires at 4; post reads x as it was, 0. Stamp 7: pre reads y of 4, post x of 4.
    NetworkCase(
        "coincident_pair",
        """
    population B: Relay[1]
    source s: regular(rate = 1000 / 3 * 1 Hz)[1]
    project s -> B.exc: Learn, one_to_one, axon = 1 ms
""",
        steps=8,
        stamps={"B": ((4, 7),)},
        values={W: {3: 100.0, 4: 100.0, 6: 100.0, 7: 100 + 9 * seen(3)}, "s -> B.exc.trace.x": {4: 1.0, 5: seen(1), 7: 1 + seen(3)}},
    ),
    # The weight is sent as the handler left it: 100 at 4; at 7 less by y. What post adds comes too late.
    NetworkCase(
        "what_is_sent",
        """
    population B: Sum[1]
    population C: Relay[1]
    source s: regular(rate = 1000 / 3 * 1 Hz)[1]
    source t: regular(rate = 1000 / 3 * 1 Hz)[1]
    project t -> C.exc: w = 1, one_to_one, axon = 1 ms
    project s -> C.exc: Learn, one_to_one, axon = 1 ms
    project s -> B.exc: Count, one_to_one, axon = 1 ms
""",
        models="""
synapse Count:
    state n = 0
    on pre:
        send n
        n += 1
        send 10 * n
""",
        steps=8,
        stamps={"C": ((4, 7),)},
        values={"s -> C.exc.w": {7: 100 + 9 * seen(3)}, "B.x": {3: 0.0, 4: 10.0, 7: 31.0}},
    ),
    # The same way in two parts. axon 4: seen at 14, arrives at 14, B's spike seen at once. dend 4: seen at 10, arrives at 14, the spike
    # is seen at 18 (back = dend); s fires again at 20. At 24 (axon): pre sees 10 ms, post too. dend: pre at 20 sees y of 18, and so on.
    NetworkCase(
        "axon",
        """
    population B: Relay[1]
    source s: regular(rate = 0.1 kHz)[1]
    project s -> B.exc: Learn, one_to_one, axon = 4 ms
""",
        steps=29,
        stamps={"B": ((14, 24),)},
        values={W: {14: 100.0, 23: 100.0, 24: 100 - seen(10) + 10 * seen(10)}},
    ),
    NetworkCase(
        "dend_and_back_by_default",
        """
    population B: Relay[1]
    source s: regular(rate = 0.1 kHz)[1]
    project s -> B.exc: Learn, one_to_one, dend = 4 ms
""",
        steps=29,
        stamps={"B": ((14, 24),)},
        values={
            W: {
                17: 100.0,
                18: 100 + 10 * seen(8),
                20: 100 + 10 * seen(8) - seen(2),
                27: 100 + 10 * seen(8) - seen(2),
                28: 100 + 20 * seen(8) - seen(2) + 10 * seen(18),
            },
            "s -> B.exc.trace.y": {14: 0.0, 17: 0.0, 18: 1.0, 19: seen(1)},
        },
    ),
    # pre at 12, the payload arrives and fires at 15, post is seen at 16.
    NetworkCase(
        "axon_dend_and_back",
        """
    population B: Relay[1]
    source s: regular(rate = 0.1 kHz)[1]
    project s -> B.exc: Learn, one_to_one, axon = 2 ms, dend = 3 ms, back = 1 ms
""",
        steps=19,
        stamps={"B": ((15,),)},
        values={W: {15: 100.0, 16: 100 + 10 * seen(4), 19: 100 + 10 * seen(4)}},
    ),
    # The same with delays that are drawn (from 2 to 2 ms …), for which traces are kept per synapse.
    NetworkCase(
        "drawn_delays",
        """
    population B: Relay[1]
    source s: regular(rate = 0.1 kHz)[1]
    project s -> B.exc: Learn, one_to_one, axon = uniform(2 ms, 2 ms), dend = uniform(3 ms, 3 ms), back = uniform(1 ms, 1 ms)
""",
        steps=26,
        stamps={"B": ((15, 25),)},
        values={W: {15: 100.0, 16: 100 + 10 * seen(4), 21: 100 + 10 * seen(4), 22: 100 + 10 * seen(4) - seen(6)}},
    ),
    # Post alone, seen before and behind pre: B fires at 6 by t; s is seen at 8: -exp(-0.2). B fires at 12 by t: + 10 exp(-0.4).
    NetworkCase(
        "driven_by_another",
        """
    population B: Relay[1]
    source s: spikes(file = "s.csv")[1]
    source t: regular(rate = 1000 / 6 * 1 Hz)[1]
    project t -> B.exc: w = 1, one_to_one
    project s -> B.exc: Learn(w = 0.25, A = 0.125), one_to_one, axon = 1 ms
""",
        files={"s.csv": "index,time_ms\n0,7\n"},
        steps=13,
        stamps={"B": ((6, 12),)},
        values={W: {7: 0.25, 8: 0.25 - seen(2) / 8, 12: 0.25 - seen(2) / 8 + 10 * seen(4)}},
    ),
    # B fires at 5, which is seen at 6, as is s: the weight is doubled, sent, and then 1 more.
    NetworkCase(
        "pre_before_post",
        """
    population B: Sum(x = 999)[1]
    source s: spikes(file = "s.csv")[1]
    source t: spikes(file = "t.csv")[1]
    project t -> B.exc: w = 1, one_to_one
    project s -> B.exc: Doubles, one_to_one, axon = 1 ms, back = 1 ms
""",
        models="""
synapse Doubles:
    state w = 1
    on pre:
        w *= 2
        send w
    on post: w += 1
""",
        files={"s.csv": "index,time_ms\n0,5\n", "t.csv": "index,time_ms\n0,5\n"},
        steps=7,
        stamps={"B": ((5,),)},
        values={W: {5: 1.0, 6: 3.0}, "B.x": {5: 0.0, 6: 2.0}},
        exact=True,
    ),
    # Triplet terms at equal stamps: at 4 no trace has risen yet; at 7 each reads the others' left limits.
    NetworkCase(
        "triplet_at_equal_stamps",
        """
    population B: Relay[1]
    source s: regular(rate = 1000 / 3 * 1 Hz)[1]
    project s -> B.exc: Triplet, one_to_one, axon = 1 ms
""",
        models="""
synapse Triplet:
    param A2 = 2, A3 = 3
    state w = 100
    trace x of pre: tau = 10 ms
    trace x_3 of pre: tau = 50 ms
    trace y of post: tau = 20 ms
    trace y_3 of post: tau = 40 ms
    on pre:
        w -= y * (A2 + A3 * x_3)
        send w
    on post:
        w += x * (A2 + A3 * y_3)
""",
        steps=8,
        stamps={"B": ((4, 7),)},
        values={W: {4: 100.0, 7: 100 - seen(3, 20) * (2 + 3 * seen(3, 50)) + seen(3, 10) * (2 + 3 * seen(3, 40))}},
    ),
    # A nearest trace is 1 behind each event, an all-to-all one adds up; m events raise it by m.
    NetworkCase(
        "nearest",
        """
    population B: Sum[1]
    source s: spikes(file = "s.csv")[1]
    project s -> B.exc: Near, one_to_one, axon = 1 ms
""",
        models="""
synapse Near:
    state w = 0
    trace x of pre: tau = 10 ms, nearest
    trace z of pre: tau = 10 ms
    on pre:
        w += x + 100 * z
        send w
""",
        files={"s.csv": "index,time_ms\n0,2\n0,2\n0,4\n0,5\n"},
        steps=7,
        values={
            "s -> B.exc.trace.x": {2: 0.0, 3: 1.0, 4: seen(1), 5: 1.0, 6: 1.0, 7: seen(1)},
            "s -> B.exc.trace.z": {3: 2.0, 5: 1 + 2 * seen(2), 6: 1 + seen(1) + 2 * seen(3)},
            W: {3: 0.0, 5: 201 * seen(2), 6: 201 * seen(2) + seen(1) + 100 * (seen(1) + 2 * seen(3))},
        },
    ),
    # m coincident events run the handler m times, with traces as they were: n = 1, 2, 3, all sent; then x = 3.
    NetworkCase(
        "handler_once_per_event",
        """
    population B: Sum[1]
    source s: spikes(file = "s.csv")[1]
    project s -> B.exc: Count, one_to_one, axon = 1 ms
""",
        models="""
synapse Count:
    state n = 0
    trace x of pre: tau = 10 ms
    on pre:
        n += 1 + 100 * x
        send n
""",
        files={"s.csv": "index,time_ms\n0,2\n0,2\n0,2\n0,4\n"},
        steps=6,
        values={"B.x": {2: 0.0, 3: 6.0, 5: 10 + 300 * seen(2)}},
    ),
    # Clipped behind each line: 0.5 + 2 -> 1, then 1 - 0.75 = 0.25, and 0.25 - 0.5 -> 0 at the next event.
    NetworkCase(
        "clip",
        """
    population B: Sum[1]
    source s: spikes(file = "s.csv")[1]
    project s -> B.exc: Clipped, one_to_one
""",
        models="""
synapse Clipped:
    state w = 0.5 in [0, 1], d = 2
    on pre:
        w += d
        send w
        w -= 0.75
        d = -0.5
        send 10 * w
""",
        files={"s.csv": "index,time_ms\n0,2\n0,3\n"},
        steps=4,
        values={W: {1: 0.5, 2: 0.25, 3: 0.0}, "B.x": {2: 3.5, 3: 3.5}},
        exact=True,
    ),
    # Tsodyks and Markram's recursion, closed between events: u decays to 0 (50 ms), x to 1 (80 ms); events at 21 and 41.
    NetworkCase(
        "between_events",
        """
    population B: Sum[1]
    source s: regular(rate = 0.05 kHz)[1]
    project s -> B.exc: STP, one_to_one, axon = 1 ms
""",
        models="""
synapse STP:
    state x = 1, u = 0.5
    80 ms * x' = 1 - x
    50 ms * u' = -u
    on pre:
        u += 0.2 * (1 - u)
        send u * x
        x -= u * x
""",
        steps=42,
        values={
            "B.x": {
                21: (first := 0.2 + 0.8 * 0.5 * seen(21, 50)),
                41: first + (0.2 + 0.8 * first * seen(20, 50)) * (1 - first * seen(20, 80)),
            }
        },
    ),
    # Three factors: c rises at post by x, and w by c times the signal, each as it was at the start of the step.
    NetworkCase(
        "three_factors",
        """
    population B: Relay[1]
    source s: spikes(file = "s.csv")[1]
    source t: spikes(file = "t.csv")[1]
    source d: spikes(file = "d.csv")[1]
    signal DA: tau = 10 ms
    project t -> B.exc: w = 1, one_to_one
    project d -> DA: w = 2, one_to_one
    project s -> B.exc: Rewarded(DA = DA), one_to_one
""",
        models="""
synapse Rewarded:
    state w = 0, c = 0
    input DA: 1
    trace x of pre: tau = 10 ms
    20 ms * c' = -c
    step w = w + c * DA
    on pre: send 0 * w
    on post: c += x
""",
        files={"s.csv": "index,time_ms\n0,2\n", "t.csv": "index,time_ms\n0,4\n", "d.csv": "index,time_ms\n0,6\n"},
        steps=9,
        stamps={"B": ((4,),)},
        values={
            "s -> B.exc.c": {3: 0.0, 4: seen(2), 6: seen(2) * seen(2, 20)},
            W: {6: 0.0, 7: 2 * seen(2) * seen(2, 20), 8: 2 * seen(2) * (seen(2, 20) + seen(3, 20) * seen(1))},
        },
    ),
)
