"""Checks of synapses and networks: what is sent to their ports, what is measured, and how they fail; parameters of networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from birc import driver
from birc.checks.compare import Stretch
from birc.checks.networks import MEASURES
from birc.cli import main
from birc.errors import BircError, Source
from birc.frontend.load import load as load_module
from birc.ir.expr import const, var
from birc.ir.model import Network, Window
from birc.ir.text import parse, print_module
from birc.runtime.network.parameters import with_parameters
from birc.runtime.result import Result, State
from birc.sources import Loaded

SYNAPSE = """synapse S:
    param q = 2 pA
    state n = 0, m = 0, late = 0, level = 0
    trace x of pre: tau = 10 ms
    input u: 1
    10 ms * late' = 1 - late
    level' = u / 1 ms
    on pre:
        n += 1
        send q * n
    on post:
        m += x
    preset double: q = 4 pA
"""

NETWORK = """neuron Clock:
    param T = 10 ms
    state v = 0 ms, got = 0
    input I: 1
    v' = 1 + I
    on add(w: 1): got += w
    spike when v >= T: v -= T

network N:
    param n = 4 in [2, 100], first = 10 ms, w = 2 in [0, 10]
    let    half = n / 2
    fn     twice(x: 1) = 2 * x
    population A: Clock(T = first)[n]
    population B: Clock(T = 20 ms, v = uniform(0 ms, 20 ms))[twice(half)]
    source p: poisson(rate = 50 Hz)[10 * n]
    project A -> B.add: w = w / n, fixed_indegree(k = half), axon = 1 ms
    preset large: n = 12, first = 5 ms
"""


def loaded(text: str) -> Loaded:
    source = Source("c.birc", text)
    return Loaded(source, load_module(source))


def checked(text: str) -> list[str]:
    """The messages of what does not hold."""
    return ["" if r.diagnostic is None else r.diagnostic.message for r in driver.check(loaded(text))]


def test_events_of_both_sides_reach_a_synapse_at_their_stamps() -> None:
    block = """
check S with dt = 0.5 ms:
    drive pre = at(5 ms, 15 ms) for 20 ms
    drive pre = regular(period = 10 ms, start = 0 ms) for 20 ms
    drive post = at(15 ms, 16 ms) for 40 ms
    expect n == 5
    expect n == 1 during [0 ms, 14.5 ms]
    expect n == 2 during [0 ms, 15 ms]
    expect count == 5
    expect count == 1 during (15 ms, 20 ms]
    expect sent == q * (1 + 2 + 3 + 4 + 5)
    expect sent == q * 3 during [16 ms, 20 ms]
    expect m == exp(-1) + exp(-0.1) + exp(-1.1) within 1e-9
    expect late == 1 - exp(-4) within 1e-9
    expect late == 1 - exp(-1) within 1e-9 during [0 ms, 10 ms]
"""
    assert checked(SYNAPSE + block) == [""] * 10


def test_presets_and_inputs_of_a_synapse() -> None:
    block = """
check S.double:
    drive u = step(3, 1 ms, 2 ms) for 4 ms
    drive pre = at(1 ms) for 4 ms
    expect sent == 4 pA
    expect level == 3 within 1e-9
    expect level == 1.5 within 1e-9 during [0 ms, 1.5 ms]
    expect u == 3 during [0 ms, 2 ms]
    expect level in [0, 3.1] always
    expect level in [0, 2] always
"""
    *good, bad = checked(SYNAPSE + block)
    assert good == [""] * 5
    assert bad == "expected in [0, 2], got 2.1 at stamp 17 (1.7 ms) (internal units: ms, mV, pA, nS …)"


def test_events_that_cannot_be() -> None:
    with pytest.raises(BircError) as error:
        checked(SYNAPSE + "check S:\n    drive pre = at(0.01 ms) for 4 ms\n    expect n == 0\n")
    assert error.value.diagnostics[0].code == "I120"


def test_events_drawn_for_a_check_depend_on_its_seed() -> None:
    texts = [f"check S with seed = {seed}:\n    drive pre = poisson(100 Hz) for 1 s\n    expect n in [-1, 0]\n" for seed in (0, 1, 0)]
    first, second, third = (checked(SYNAPSE + text)[0] for text in texts)
    assert first == third != second
    count = float(first.split("got ")[1].split()[0])
    assert 60 < count < 140


def test_measures_of_a_network() -> None:
    block = """
check N with dt = 0.5 ms:
    run for 100 ms
    expect A.count == 10 * n
    expect A.rate == 100 Hz within 1e-9 Hz
    expect A.rate == 1 / first during (0 ms, 50 ms]
    expect A.cv == 0 within 1e-9
    expect B.count == 5 * n
    expect p.rate in [30 Hz, 70 Hz]
    expect p.synchrony in [0.3, 3]

check N.large with dt = 0.5 ms:
    run for 50 ms
    expect A.count == 120
    expect A.cv == 0 during [0 ms, 7 ms]

check N with seed = 3, dt = 1 ms:
    run for 10 ms
    expect A.count == 4
"""
    *good, missing, last = checked(NETWORK + block)
    assert good == [""] * 8 and last == ""
    assert missing == "`A.cv` is not defined: `A` fired 12 times in this stretch"


def result(spikes: list[tuple[int, int]], n: int, steps: int) -> Result:
    stamps, index = (np.array([s[i] for s in sorted(spikes)], np.int64) for i in (0, 1))
    return Result("g", n, 1.0, 0, steps, 1, 0, stamps, index.astype(np.int32), {}, {}, State("g", steps, 1.0, 0, {}))


def test_measures_by_hand() -> None:
    # cell 0: intervals 4 and 8; cell 1: intervals 3 and 3; cell 2: one interval
    out = result([(2, 0), (6, 0), (14, 0), (1, 1), (4, 1), (7, 1), (5, 2), (9, 2)], 3, 15)
    whole = Stretch(15, 1.0, None, {})
    assert MEASURES["count"](out, whole) == 8
    assert MEASURES["rate"](out, whole) == pytest.approx(8 / 45)
    assert MEASURES["cv"](out, whole) == pytest.approx((2 / 6 + 0) / 2)
    # bins of 3 ms hold stamps 1-3, 4-6, 7-9, 10-12, 13-15: 2, 3, 2, 0, 1 spikes
    assert MEASURES["synchrony"](out, whole) == pytest.approx(np.var([2, 3, 2, 0, 1]) / 1.6)
    part = Stretch(15, 1.0, Window(const(3.0), const(9.0), False, True), {})
    assert MEASURES["count"](out, part) == 5
    assert MEASURES["synchrony"](out, part) == pytest.approx(np.var([3, 2]) / 2.5)


# --- parameters of networks


def network() -> Network:
    found = loaded(NETWORK).module.items[-1]
    assert isinstance(found, Network)
    return found


def test_a_network_with_parameters_reads_back_from_its_text() -> None:
    module = loaded(NETWORK + "check N.large with seed = 7, dt = 0.5 ms:\n    run for first\n    expect A.count in [0, n]\n").module
    assert tuple(parse(print_module((*module.items, *module.checks)))) == (*module.items, *module.checks)
    assert module.checks[0].run == var("first")
    assert module.checks[0].seed == 7


def test_counts_and_arguments_follow_parameters() -> None:
    default, large, given = (
        with_parameters(network()),
        with_parameters(network(), preset="large"),
        with_parameters(network(), {"n": 6.6, "first": "2 ms", "w": 3}, "large"),
    )
    assert [[p.count for p in x.populations] for x in (default, large, given)] == [[4, 4], [12, 12], [7, 7]]
    assert [x.sources[0].count for x in (default, large, given)] == [40, 120, 66]
    assert [dict(x.projections[0].rule_arguments)["k"] for x in (default, large, given)] == [const(2), const(6), const(3)]
    assert dict(given.populations[0].arguments)["T"] == const(2.0)
    assert all(x.params == () and x.presets == () and x.populations[0].size is None for x in (default, large, given))


@pytest.mark.parametrize(("given", "preset", "message"), [
    ({"m": 1}, None, "error[I102]: the model has no parameter `m`\n  help: parameters: n, first, w"),
    ({"n": 1}, None, "error[I130]: parameter `n` is 1, outside its range [2, 100]"),
    ({"first": "2 mV"}, None, "error[U112]: parameter `first` is a time, not a voltage"),
    ({}, "small", "error[I105]: the model has no preset `small`"),
    ({"n": [1, 2]}, None, "error[I110]: parameter `n` has shape (2,)"),
])  # fmt: skip
def test_parameters_that_cannot_be(given: dict[str, object], preset: str | None, message: str) -> None:
    with pytest.raises(BircError) as error:
        with_parameters(network(), given, preset)
    assert str(error.value).startswith(message)


def test_counts_that_leave_nothing() -> None:
    text = NETWORK.replace("n = 4 in [2, 100]", "n = 4").replace("preset", "record A[0:3].v\n    preset")
    found = loaded(text).module.items[-1]
    assert isinstance(found, Network)
    for n, message in ((0.2, "`A` has 0 instances"), (2, "`A` has the instances 0 to 1")):
        with pytest.raises(BircError) as error:
            with_parameters(found, {"n": n})
        assert (error.value.diagnostics[0].code, error.value.diagnostics[0].message) == ("I158", f"with these parameters {message}")


def test_parameters_are_set_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "n.birc"
    file.write_text(NETWORK, "utf-8")
    assert main(["run", str(file), "--preset", "large", "--set", "n=6", "--for", "20 ms", "--dt", "0.5 ms", "--json"]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert {name: group["n"] for name, group in groups.items()} == {"A": 6, "B": 6}
    assert groups["A"]["spikes"] == 24  # each 5 ms, as the preset says
    assert main(["run", str(file), "--set", "n=1", "--for", "20 ms"]) == 2
    assert "error[I130]: parameter `n` is 1, outside its range [2, 100]" in capsys.readouterr().err
