"""Event inputs: every form, the stamp at which each event arrives, and the message for every wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from birc.ir import random
from birc.ir.step import Port
from birc.runtime.events import event_source
from birc.runtime.values import Setting
from birc.units import ONE, parse_unit

PORT = Port("exc", parse_unit("nA"))
BARE = Port("tick", ONE)
Event = tuple[int, int, float]


def setting(n: int = 3, steps: int = 10, start: int = 0, h: float = 0.1) -> Setting:
    return Setting("M", n, start, steps, h, 1)


def arrivals(given: Any, port: Port = PORT, cut: int | None = None, **options: Any) -> list[Event]:
    """(stamp, neuron, payload) of all events, in order, put together from two stretches."""
    place = setting(**options)
    source = event_source(given, port, place)
    cut = place.steps // 2 if cut is None else cut
    found: list[Event] = []
    for start, steps in ((place.start, cut), (place.start + cut, place.steps - cut)):
        events = source.events(start, steps)
        assert len(events.offsets) == steps + 1
        assert events.offsets[0] == 0 and events.offsets[-1] == len(events.index) == len(events.payload)
        assert events.index.dtype == np.int32 and events.payload.dtype == np.float64
        for j in range(steps):
            here = slice(events.offsets[j], events.offsets[j + 1])
            found += [(start + j + 1, int(i), float(w)) for i, w in zip(events.index[here], events.payload[here], strict=True)]
    return found


def message(given: Any, port: Port = PORT, **options: Any) -> str:
    with pytest.raises(BircError) as caught:
        arrivals(given, port, **options)
    return str(caught.value)


def test_row_k_of_an_array_arrives_at_stamp_k_plus_1() -> None:
    array = np.zeros((10, 3))
    array[0, 2], array[4, 0], array[4, 1], array[9, 1] = 1, 2, -3, 4
    expected = [(1, 2, 1000.0), (5, 0, 2000.0), (5, 1, -3000.0), (10, 1, 4000.0)]
    for cut in (0, 1, 4, 5, 10):
        assert arrivals(array, cut=cut) == expected
    assert arrivals(array, start=7) == [(s + 7, i, w) for s, i, w in expected]


def test_a_column_goes_to_every_neuron() -> None:
    column = np.zeros((10, 1))
    column[3] = 1
    assert arrivals(column) == [(4, 0, 1000.0), (4, 1, 1000.0), (4, 2, 1000.0)]
    assert arrivals(column[:, 0], n=1) == [(4, 0, 1000.0)]


def test_a_spike_list_keeps_its_order_within_a_stamp() -> None:
    index, time = [2, 0, 1, 0, 1], [0.5, 0.1, 0.52, 0.5, 1.0]
    weight = [1, 2, 3, 4, 5]
    assert arrivals((index, time, weight)) == [(1, 0, 2000), (5, 2, 1000), (5, 1, 3000), (5, 0, 4000), (10, 1, 5000)]
    assert arrivals((index, time, "5 pA"))[0] == (1, 0, 5.0)
    assert arrivals((index, time, 2))[0] == (1, 0, 2000.0)
    assert arrivals((index, time), BARE)[0] == (1, 0, 1.0)


def test_a_spike_list_is_absolute_and_may_reach_beyond_the_run() -> None:
    times = [0.1, 0.5, 0.6, 1.5, 1.6, 99.0]
    spikes = ([0] * 6, times, np.arange(6))
    assert [s for s, _, _ in arrivals(spikes, start=5)] == [6, 15]
    assert [s for s, _, _ in arrivals(spikes)] == [1, 5, 6]


def test_regular_events_come_at_multiples_of_the_period() -> None:
    assert arrivals("regular(0.3 ms, 5 pA)", n=1) == [(3, 0, 5.0), (6, 0, 5.0), (9, 0, 5.0)]
    assert [s for s, _, _ in arrivals("regular(0.25 ms, 5 pA)", n=1)] == [3, 5, 8, 10]
    assert [s for s, _, _ in arrivals("regular(0.3 ms, 5 pA, start = 0.2 ms)", n=1)] == [2, 5, 8]
    assert [s for s, _, _ in arrivals("regular(0.3 ms, 5 pA)", n=1, start=1000)] == [1002, 1005, 1008]
    assert arrivals("regular(0.5 ms)", BARE, n=2) == [(5, 0, 1.0), (5, 1, 1.0), (10, 0, 1.0), (10, 1, 1.0)]


def test_regular_events_are_the_same_in_any_stretches() -> None:
    source = event_source("regular(0.37 ms, 5 pA)", PORT, setting(n=1, steps=10_000))
    whole = source.events(0, 10_000).offsets
    pieces = [len(source.events(k, 1).index) for k in range(10_000)]
    assert np.array_equal(np.cumsum(pieces), whole[1:])


def test_at_gives_events_at_its_times() -> None:
    assert arrivals("at(0.5 ms, 0.2 ms, 5 pA)", n=1) == [(2, 0, 5.0), (5, 0, 5.0)]
    assert arrivals("at(0.5 ms)", BARE, n=1) == [(5, 0, 1.0)]
    assert arrivals("at(0.5 ms, 3)", BARE, n=1) == [(5, 0, 3.0)]
    assert arrivals("at(0.5 ms, weight = 3 pA)", n=1) == [(5, 0, 3.0)]


def test_poisson_events_have_their_rate_and_do_not_depend_on_stretches() -> None:
    found = arrivals("poisson(2 kHz, 40 pA)", n=100, steps=1000)
    expected = 2.0 * 0.1 * 1000 * 100
    assert abs(len(found) - expected) < 4 * np.sqrt(expected)
    assert found == arrivals("poisson(2 kHz, 40 pA)", n=100, steps=1000, cut=77)
    assert {w for _, _, w in found} == {40.0}
    assert arrivals("poisson(0 Hz, 40 pA)") == []
    u = random.uniform(1, random.stream("M.exc:input"), np.arange(1000)[:, None], np.arange(100))
    assert np.array_equal([(s, i) for s, i, _ in found], [(k + 1, i) for k, i in np.argwhere(u > random.exp(-0.2))
                          for _ in range(int(random.poisson(random.poisson_table(0.2), u[k, i])))])  # fmt: skip


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (([0], [0.04], [1]), "error[I120]: input `exc`: event 0 at 0.04 ms would arrive at stamp 0, before the first step\n"
         "  help: the first stamp at which an event can arrive is 1 (0.1 ms)"),
        (([0, 3], [1, 1], [1, 1]), "error[I121]: input `exc`: event 1 is for neuron 3, and there are 3 (0 … 2)"),
        (([-1], [1], [1]), "event 0 is for neuron -1"),
        (([0.5], [1], [1]), "event 0 is for neuron 0.5"),
        (([0], [1]), "error[I122]: input `exc`: the events carry no weight, and the port takes nA"),
        (([0], [1], [float("nan")]), "error[I111]: input `exc`, weight: the value at 0 is nan"),
        (([0], [1e300], [1]), "error[I120]"),
        (([0, 1], [1], [1]), "error[I119]: input `exc`: 2 indices and 1 times"),
        (([0, 1], [1, 1], [1, 2, 3]), "error[I119]: input `exc`: 2 events and 3 weights"),
        (([0],), "a spike list is (index, time[, weight]), not 1 things"),
        (0.5, "error[I110]: input `exc` takes events, not one number"),
        ("5 pA", "error[I110]: input `exc` takes events, not one quantity\n  help: say when: `regular(10 ms, 5 pA)`"),
        (np.zeros(3), "error[I110]: input `exc` has shape (3,)"),
        (np.zeros((9, 3)), "error[I110]: input `exc` has shape (9, 3)"),
        (np.zeros((3, 10)), "steps come first: transpose it"),
        ("poisson(2 kHz)", "error[I115]: input `exc`: `weight` is missing"),
        ("poisson(-2 kHz, 1 pA)", "a rate cannot be negative"),
        ("poisson(6000 kHz, 1 pA)", "error[I123]: input `exc`: 600 events per step are too many"),
        ("poison(2 kHz, 1 pA)", "did you mean `poisson`?"),
        ("regular(0.05 ms, 1 pA)", "a period of 0.05 ms is shorter than the step of 0.1 ms"),
        ("regular(1 ms, 1 pA, 0 ms)", "error[I120]: input `exc`: the first event at 0 ms would arrive at stamp 0"),
        ("at(0 ms, 1 pA)", "error[I120]: input `exc`: the event at 0 ms would arrive at stamp 0"),
        ("at(5 ms)", "error[I115]"),
        ("at(weight = 5 pA)", "error[I115]"),
    ],
)  # fmt: skip
def test_wrong_events_are_explained(given: Any, text: str) -> None:
    assert text in message(given)


def test_files_hold_arrays_or_spike_lists(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("index,time_ms,weight\n1,0.5,2\n0,0.3,4\n")
    np.savez(tmp_path / "s.npz", index=[1, 0], time=[0.5, 0.3], weight=[2, 4])
    np.save(tmp_path / "a.npy", np.eye(10, 3))
    assert arrivals(f"@{tmp_path}/s.csv") == [(3, 0, 4000.0), (5, 1, 2000.0)]
    assert arrivals(f"@{tmp_path}/s.npz") == [(3, 0, 4000.0), (5, 1, 2000.0)]
    assert arrivals(f"@{tmp_path}/a.npy") == [(1, 0, 1000.0), (2, 1, 1000.0), (3, 2, 1000.0)]
