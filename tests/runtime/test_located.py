"""Spikes inside steps, in results: their times, whatever is recorded and wherever it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import birc
from birc.ir.step import OFFSET
from birc.runtime import located
from birc.runtime.result import Result, load_state

GIVEN: dict[str, Any] = {"n": 5, "inputs": {"I": "linspace(300 pA, 900 pA)"}}


def run(duration: str = "150 ms", *, dtype: Any = "f64", stream: Path | None = None, **options: Any) -> Result:
    found: Result = birc.compile("lif", dtype=dtype, spikes="located").run(duration, stream=stream, **GIVEN, **options)
    return found


PLAIN = run(record=["v", OFFSET])


def test_times_lie_inside_their_steps_and_in_order() -> None:
    time, offsets = PLAIN.spikes.time, PLAIN.offsets
    assert offsets is not None and len(time) > 20 and np.all(np.diff(time) >= 0)
    assert np.array_equal(offsets, PLAIN[OFFSET][PLAIN.stamps - 1, PLAIN.index])
    assert np.allclose(time, (PLAIN.stamps - 1 + offsets) * PLAIN.dt, rtol=0, atol=1e-12)
    assert np.ptp(offsets) > 0.5


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("options", [{}, {"record": "v", "every": 7}, {"record": ["v", OFFSET], "every": 3}, {"record": "v"}])
def test_what_is_recorded_does_not_matter(options: dict[str, Any], streamed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(located, "MOST_OFFSETS", 400)  # stretches that no `every` divides
    found = run(**options, stream=tmp_path if streamed else None)
    assert np.array_equal(found.spikes.time, PLAIN.spikes.time) and np.array_equal(found.index, PLAIN.index)
    for name in found.recorded:
        every = found.every
        assert np.array_equal(found[name], PLAIN[name][every - 1 :: every])


@pytest.mark.parametrize("streamed", [False, True])
def test_they_are_saved(streamed: bool, tmp_path: Path) -> None:
    out = run(stream=tmp_path if streamed else None)
    with np.load(out.save(tmp_path / "a.npz")) as table:
        assert np.array_equal(table["spikes.time"], PLAIN.spikes.time)
        assert np.array_equal(table["spikes.offset"], np.asarray(PLAIN.offsets))
    lines = out.save(tmp_path / "a.csv").read_text().splitlines()[1:]
    assert [float(line.split(",")[1]) for line in lines] == PLAIN.spikes.time.tolist()


def test_a_run_goes_on_where_it_stood(tmp_path: Path) -> None:
    first = run("61.3 ms")
    first.save(tmp_path / "a.npz")
    second = birc.compile("lif", spikes="located").run("88.7 ms", inputs=GIVEN["inputs"], state=load_state(tmp_path / "a.npz"))
    both = np.concatenate([first.spikes.time, second.spikes.time])
    assert np.array_equal(both, PLAIN.spikes.time)


def test_a_simulator_knows_the_offset() -> None:
    sim = birc.compile("lif", spikes="located").simulator(n=5)
    current = np.linspace(300, 900, 5)
    found = []
    for _ in range(1500):
        fired = sim.step({"I": current})
        found += [(sim.stamp - 1 + offset) * sim.dt for offset in np.sort(sim[OFFSET][fired])]
    assert found == PLAIN.spikes.time.tolist()


def test_in_float32_they_are_close() -> None:
    found = run(dtype="f32")
    assert np.allclose(np.sort(found.spikes.time), np.sort(PLAIN.spikes.time), rtol=0, atol=2e-3)
