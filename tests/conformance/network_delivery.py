"""Rows on how spikes travel: delays, coincidence, order. The step is 1 ms unless it is said, so stamps are times in ms."""

from __future__ import annotations

from math import exp

from tests.conformance.network_kit import NetworkCase

DELIVERY = (
    # A spike at s acts at s + axon + dend; the source's spike at time 0 has stamp 0.
    NetworkCase(
        "delays",
        """
    population A: Relay[1]
    population B: Relay[1]
    source s: spikes(file = "s.csv")[1]
    project s -> A.exc: w = 1, one_to_one, axon = 2 ms
    project A -> B.exc: w = 1, one_to_one, axon = 1 ms, dend = 3 ms
""",
        files={"s.csv": "index,time_ms\n0,0\n0,3\n"},
        steps=12,
        stamps={"s": ((3,),), "A": ((2, 5),), "B": ((6, 9),)},
        exact=True,
    ),
    # floor(T/h + 0.5) steps, h = 0.5 ms: 1.2 ms are 2, 1.3 ms 3, 0.75 ms 2; a source spike at 0.6 ms is at stamp 1.
    NetworkCase(
        "delay_no_multiple",
        """
    population A: Relay[3]
    source s: spikes(file = "s.csv")[1]
    project s -> A[0:1].exc: w = 1, all_to_all, axon = 1.2 ms
    project s -> A[1:2].exc: w = 1, all_to_all, axon = 1.3 ms
    project s -> A[2:3].exc: w = 1, all_to_all, axon = 0.75 ms, dend = 0.75 ms
""",
        files={"s.csv": "index,time_ms\n0,0.6\n"},
        h=0.5,
        steps=8,
        stamps={"s": ((1,),), "A": ((3,), (4,), (5,))},
        exact=True,
    ),
    # Each of three populations fires in the stamp in which the one before does, whatever their order in the file.
    NetworkCase(
        "chain_without_delay",
        """
    population C: Relay[1]
    population B: Relay[1]
    population A: Relay[1]
    source s: regular(rate = 0.25 kHz)[1]
    project B -> C.exc: w = 1, one_to_one
    project A -> B.exc: Weighted, one_to_one
    project s -> A.exc: w = 1, one_to_one
""",
        steps=9,
        stamps={"A": ((4, 8),), "B": ((4, 8),), "C": ((4, 8),)},
        exact=True,
    ),
    # So does a third party; G stands first in the file.
    NetworkCase(
        "third_without_delay",
        """
    population G: Relay[1]
    population B: Relay[1]
    population A: Relay[1]
    source s: regular(rate = 0.25 kHz)[1]
    project s -> A.exc: w = 1, one_to_one
    project A -> B.exc: w = 1, one_to_one
    third A -> B.exc via G.exc: p = 1, w = 0.5
    third A -> B.exc via G.exc: p = 1, w = 0.5
""",
        steps=9,
        stamps={"A": ((4, 8),), "B": ((4, 8),), "G": ((4, 8),)},
        exact=True,
    ),
    # A cycle whose delay is behind the synapse: A fires at 2, sees it at 2, and its payload comes back at 5, 8.
    NetworkCase(
        "cycle_behind_the_synapse",
        """
    population A: Relay[1]
    source s: spikes(file = "s.csv")[1]
    project s -> A.exc: w = 1, one_to_one, axon = 1 ms
    project A -> A.exc: Weighted, one_to_one, self, dend = uniform(3 ms, 3 ms)
""",
        files={"s.csv": "index,time_ms\n0,1\n"},
        steps=9,
        stamps={"A": ((2, 5, 8),)},
        exact=True,
    ),
    # Two sources and two projections reach one cell at one stamp; each adds its weight. 2 + 2 at 5; 4 + 5 - 1 at 10.
    NetworkCase(
        "coincidence",
        """
    population A: Sum[1]
    source s: regular(rate = 0.2 kHz)[2]
    source t: regular(rate = 0.1 kHz)[1]
    project s -> A.exc: w = 2, all_to_all
    project t -> A.exc: w = 5, all_to_all
    project t -> A.inh: w = 1, all_to_all
""",
        steps=10,
        values={"A.x": {4: 0.0, 5: 4.0, 9: 4.0, 10: 12.0}},
        exact=True,
    ),
    # m spikes at one stamp are m times the weight.
    NetworkCase(
        "several_at_once",
        """
    population A: Sum[1]
    source s: spikes(file = "s.csv")[1]
    project s -> A.exc: w = 2, all_to_all, axon = 1 ms
""",
        files={"s.csv": "index,time_ms\n0,2\n0,2\n0,2\n0,4\n"},
        steps=6,
        stamps={"s": ((2, 2, 2, 4),)},
        values={"A.x": {2: 0.0, 3: 6.0, 4: 6.0, 5: 8.0}},
        exact=True,
    ),
    # The first projection comes first, though the second's spike is older. In the third the older spike (of cell 1) comes first; of
    # the two spikes of cell 0 one after the other reaches both synapses. All of it arrives at stamp 5.
    NetworkCase(
        "order_at_a_port",
        """
    population D: Digits[1]
    source t: spikes(file = "t.csv")[2]
    source u: spikes(file = "u.csv")[2]
    project t[1:2] -> D.write: w = 1, all_to_all
    project t[0:1] -> D.write: w = 2, all_to_all, axon = 3 ms
    project u -> D.write: w = "edges.csv:weight", from file "edges.csv", multapses
""",
        files={
            "t.csv": "index,time_ms\n0,2\n1,5\n",
            "u.csv": "index,time_ms\n1,2\n0,4\n0,4\n",
            "edges.csv": "source,target,delay,weight\n0,0,1,5\n0,0,1,6\n1,0,3,4\n",
        },
        steps=6,
        values={"D.x": {4: 0.0, 5: 1245656.0, 6: 1245656.0}},
        exact=True,
    ),
    # The same through a synapse.
    NetworkCase(
        "order_through_synapses",
        """
    population D: Digits[1]
    source u: spikes(file = "u.csv")[2]
    project u -> D.write: Weighted(w = "edges.csv:weight"), from file "edges.csv", multapses
""",
        files={"u.csv": "index,time_ms\n1,2\n0,4\n0,4\n", "edges.csv": "source,target,delay,weight\n0,0,1,5\n0,0,1,6\n1,0,3,4\n"},
        steps=6,
        values={"D.x": {4: 0.0, 5: 45656.0, 6: 45656.0}},
        exact=True,
    ),
    # A sum of floats depends on its order, and numbers near 1e17 are 16 apart. By sources ((1 + 1e17) + 9) - 1e17 is 16, the other way
    # round 17; with the sums of projections (1e17 + (9 + 9)) - 1e17 is 16, while 1e17 + 9 + 9 - 1e17, one after the other, is 32.
    NetworkCase(
        "order_of_sums",
        """
    population A: Sum[1]
    population B: Sum[1]
    source s: regular(rate = 0.2 kHz)[4]
    project s -> A.exc: w = "w.csv", dense
    project s[0:1] -> B.exc: w = 1e17, all_to_all
    project s[1:3] -> B.exc: w = 9, all_to_all
    project s[3:4] -> B.exc: w = -1e17, all_to_all
""",
        files={"w.csv": "1\n1e17\n9\n-1e17\n"},
        steps=5,
        values={"A.x": {5: 16.0}, "B.x": {5: 16.0}},
    ),
    # Without `self` a cell does not reach itself; of a slice, neither. Cell 1 fires at 2, so 0 and 2 at 3. At 4 come, from 0 and 2, 2 for
    # each other cell, from 2 also 10 for 0 and 1, and from 1, two steps ago, 100 for all.
    NetworkCase(
        "no_autapses",
        """
    population A: Sum(x = 999)[3]
    source s: spikes(file = "s.csv")[3]
    project s -> A.exc: w = 1, one_to_one
    project A -> A.exc: w = 2, all_to_all, axon = 1 ms
    project A[1:3] -> A[0:2].exc: w = 10, all_to_all, axon = 1 ms
    project A -> A.exc: w = 100, all_to_all, self, axon = 2 ms
""",
        files={"s.csv": "index,time_ms\n1,2\n"},
        steps=4,
        stamps={"A": ((3,), (2,), (3,))},
        values={"A.x": {2: (999.0, 0.0, 999.0), 3: (0.0, 0.0, 0.0), 4: (112.0, 114.0, 102.0)}},
        exact=True,
    ),
    # Payloads wait behind their synapses: seen at 1 and 3, they arrive at 4 and 6, each once though rows are used again.
    NetworkCase(
        "pending",
        """
    population A: Sum[2]
    source s: spikes(file = "s.csv")[1]
    project s -> A.exc: Weighted(w = 3), all_to_all, dend = 3 ms
""",
        files={"s.csv": "index,time_ms\n0,1\n0,3\n"},
        steps=14,
        values={"A.x": {3: 0.0, 4: 3.0, 5: 3.0, 6: 6.0, 14: 6.0}},
        exact=True,
    ),
    # Where a port acts once per event, they do so one by one: 2 of s[0] and 3 of s[1], sent at 1, arrive at 4 in this order, in front of 4
    # that is sent then without delay; 2 that is sent at 2 is there at 5; and 3, sent twice at 7, comes twice at 10.
    NetworkCase(
        "pending_one_by_one",
        """
    population D: Digits[1]
    source s: spikes(file = "s.csv")[3]
    project s -> D.write: Weighted(w = "edges.csv:weight"), from file "edges.csv", dend = "edges.csv:dend"
""",
        files={
            "s.csv": "index,time_ms\n0,1\n1,1\n0,2\n2,4\n1,7\n1,7\n",
            "edges.csv": "source,target,weight,dend\n0,0,2,3\n1,0,3,3\n2,0,4,0\n",
        },
        steps=11,
        values={"D.x": {3: 0.0, 4: 234.0, 5: 2342.0, 9: 2342.0, 10: 234233.0, 11: 234233.0}},
        exact=True,
    ),
    # A payload is what the weight was when it was sent: each time it is one more. Seen at 1, 2 and 3, they arrive two steps later.
    NetworkCase(
        "payload_of_the_past",
        """
    population D: Digits[2]
    source s: spikes(file = "s.csv")[1]
    project s -> D.write: Counts, all_to_all, dend = 2 ms
""",
        models="""
synapse Counts:
    state w = 1
    on pre:
        send w
        w += 1
""",
        files={"s.csv": "index,time_ms\n0,1\n0,2\n0,3\n"},
        steps=6,
        values={"D.x": {2: 0.0, 3: 1.0, 4: 12.0, 5: 123.0, 6: 123.0}, "s -> D.write.w": {1: 2.0, 3: 4.0, 6: 4.0}},
        exact=True,
    ),
    # Two populations of one model: the input of one is fed, that of the other is 0; and what an input is stands at the start of a step.
    NetworkCase(
        "inputs",
        """
    population A: Echo[1]
    population B: Echo[2]
    population R: Ramp[2]
    project R.o -> B.I: one_to_one
    project R.v -> B.J: w = 10, all_to_all, gap
""",
        models="""
neuron Ramp:
    state v = 1
    output o: 1 = 2 * v
    step v = v + 1

neuron Echo:
    state y = 0, v = 0
    input I: 1, J: 1
    step y = I + 100 * J
    step v = v + 0.5
""",
        steps=4,
        values={"A.y": {1: 0.0, 4: 0.0}, "B.y": {1: 2002.0, 2: 4 + 3000.0, 4: 8 + 5000.0}},
        exact=True,
    ),
    # A signal is raised by what arrives, and decays by exp(-h/tau) each step.
    NetworkCase(
        "signal",
        """
    population B: Sum[1]
    source s: regular(rate = 0.25 kHz)[2]
    signal DA: tau = 10 ms
    project s -> DA: w = 2, all_to_all, axon = 1 ms
""",
        steps=10,
        values={"DA": {4: 0.0, 5: 4.0, 6: 4 * exp(-0.1), 9: 4 + 4 * exp(-0.4), 10: (4 + 4 * exp(-0.4)) * exp(-0.1)}},
    ),
)
