"""The benchmarks of networks: floors fire as the published networks do, files take other sizes, pages are made. Nothing is timed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import birc
from birc.backends import Dtype
from birc.backends.c_family import build
from tests.bench import growth, microcircuit, network, one_network, peers, timing
from tests.bench.network_cases import NETWORK_CASES, NetworkCase
from tests.bench.watch import Watch

CASES = {case.name: case for case in NETWORK_CASES}
compiler = pytest.mark.skipif(build.find_compiler() is None, reason="needs a C++ compiler")


@pytest.fixture(scope="module", params=["f32", "f64"])
def floor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    dtype: Dtype = request.param
    return timing.floor_program(dtype, tmp_path_factory.mktemp("floor"), "floor_network")


@compiler
@pytest.mark.parametrize(
    ("name", "neurons", "steps", "low", "high"),
    [
        ("cuba", 4000, 20_000, 5.0, 6.0),
        ("cuba-fixed", 4000, 20_000, 5.0, 6.0),
        ("coba-hh", 4000, 4_000, 30.0, 45.0),
        ("stdp", 100, 10_000, 30.0, 55.0),
        ("stdp-philox", 100, 10_000, 30.0, 55.0),
    ],
)
def test_the_floor_fires_as_other_simulators_do(floor: Path, name: str, neurons: int, steps: int, low: float, high: float) -> None:
    turn = network.floor_turn(floor, name, neurons, steps)
    dt = CASES[name.removesuffix("-philox")].dt
    assert low <= turn.spikes / neurons / (steps * dt / 1000) <= high


@compiler
@pytest.mark.parametrize("name", ["cuba", "cuba-fixed"])
def test_the_rounded_floor_is_the_same_network(name: str, tmp_path: Path) -> None:
    """In float64 the same spikes, before chaos tells their rounding apart."""
    programs = network.floor_programs(tmp_path)["f64"]
    plain, rounded = (network.floor_turn(program, name, 4000, 4_000).spikes for program in programs.values())
    assert plain == rounded > 5_000


@compiler
def test_the_floor_wires_what_it_says(floor: Path) -> None:
    def synapses(name: str, neurons: int) -> tuple[int, int]:
        words = subprocess.run([str(floor), name, str(neurons), "10"], capture_output=True, text=True, check=True).stdout.split()
        return int(words[3]), int(words[4])

    assert synapses("cuba-fixed", 1000) == (80_000, 4 * 80_000 + 8 * 1001)
    assert abs(synapses("cuba", 1000)[0] - 80_000) < 5 * 80_000**0.5
    assert synapses("stdp", 10)[0] == 10_000


@compiler
def test_the_floor_knows_no_other_case(floor: Path) -> None:
    assert subprocess.run([str(floor), "squid", "10", "10"], capture_output=True).returncode == 2


@pytest.mark.parametrize("case", NETWORK_CASES, ids=lambda case: case.name)
def test_a_case_is_written_in_other_sizes(case: NetworkCase, tmp_path: Path) -> None:
    assert case.text(case.neurons) == case.file.read_text("utf-8")
    path = tmp_path / "small.birc"
    path.write_text(case.text(case.neurons // 10), "utf-8")
    out = birc.compile(path, target="numpy", dt=f"{case.dt} ms").run(f"{20 * case.dt:g} ms", seed=1)
    assert sum(out[name].n for name in case.populations) == case.neurons // 10


def test_a_watch_tells_wiring_and_pace() -> None:
    times: Iterator[float] = iter([10.0, 13.0, 14.0, 17.0])
    watch = Watch(lambda: next(times))
    for done in (16, 32, 96):
        watch.report(done, 96, 0)
    assert (watch.wiring, watch.pace) == (3.0, 4.0 / 80)


def test_a_run_with_one_report_is_too_short() -> None:
    watch = Watch(lambda: 0.0)
    watch.report(16, 16, 0)
    with pytest.raises(ValueError, match="a run of 16 steps is too short to be timed"):
        _ = watch.pace


@compiler
def test_two_threads_are_timed_where_nothing_else_runs() -> None:
    busy, quiet = ([each.who for each in network.ours(CASES["cuba"], quiet)] for quiet in (False, True))
    assert busy == ["birc native", "birc native", "birc NumPy"]
    assert quiet == [*busy[:2], "birc native, 2 threads, by the clock", "birc NumPy"]


@compiler
def test_floor_and_birc_stand_in_one_table() -> None:
    case = replace(CASES["cuba"], steps=500)
    lines = [row for row in network.rows([case], 1, (), {}) if row]
    floors = ("floor", "floor, rounding as birc does")
    assert [row[:2] + row[3:4] for row in lines][:4] == [(case.title, who, dtype) for dtype in ("f32", "f64") for who in floors]
    assert (case.title, "birc NumPy", "exact", "f64") in [row[:4] for row in lines]
    assert all(len(row) == len(network.HEAD) for row in lines)
    assert float(lines[0][5]) == 1.0 and float(lines[-1][5]) > 1.0


def test_who_is_fast_takes_more_turns() -> None:
    """But not where one turn is enough, and not for ever."""
    for repeats, expected in ((1, [1, 1, 1]), (2, [20, 4, 2])):
        seconds = (0.01, 0.9, 40.0)
        contestants = [network.Contestant("x", "f32", 10, partial(network.Turn, s, 1)) for s in seconds]
        network.take_turns(contestants, repeats)
        assert [len(each.turns) for each in contestants] == expected


class Fake(peers.Peer):
    """A simulator that is a line of Python."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", self.flags[0], *arguments]


ANSWERS = """
import json, sys
for turn in range(30):
    print(json.dumps({"version": "1.2", "scheme": "euler", "seconds": 0.5, "spikes": SPIKES, "arguments": sys.argv[1:]}), flush=True)
    sys.stdin.readline()
"""


def test_simulators_answer_in_the_table_or_tell_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers.Peer, "installed", True)
    monkeypatch.setattr(network, "floors", lambda case, programs: [])
    monkeypatch.setattr(network, "ours", lambda case, quiet: [])
    versions: dict[str, str] = {}
    able = Fake("Able", "fake", {"cuba": (4000, 10_000)}, flags=(ANSWERS.replace("SPIKES", "4000"),))
    lost = Fake("Lost", "fake", {"cuba": (4000, 10_000)}, flags=("import no_such_simulator",))
    mute = Fake("Mute", "fake", {"cuba": (4000, 10_000)}, flags=(ANSWERS.replace("SPIKES", "0"),))
    found = list(network.rows([CASES["cuba"]], 2, [able, lost, mute], versions))
    assert found[0] == ("CUBA, 2 %", "Able", "euler", "f64", "500", "-", "-", "-", "-", "10,000", "1.00")
    assert found[1][:4] == ("CUBA, 2 %", "Lost", "failed: ModuleNotFoundError: No module named 'no_such_simulator'", "f64")
    assert found[2][:4] == ("CUBA, 2 %", "Mute", "failed: no spikes", "f64")
    assert versions == {"Able": "1.2", "Mute": "1.2"}


def test_the_programs_of_simulators_are_told_the_case() -> None:
    words = network.arguments(CASES["coba-hh"], "f64", 4000, 500)
    assert words == ["coba-hh", "--neurons", "4000", "--steps", "500", "--dt", "0.05", "--dtype", "f64"]


def test_a_network_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "small.birc"
    path.write_text(CASES["cuba-fixed"].text(400), "utf-8")
    facts = one_network.apart(path, target="numpy", dt=0.1, dtype="f64", transient=10.0, duration=20.0)
    assert facts.synapses == 400 * 80
    assert facts.neurons == {"E": 320, "I": 80}
    assert facts.seconds > 0 and facts.wiring > 0 and facts.megabytes > facts.idle_megabytes > 0
    assert 0 < facts.rates["E"] < 100


@compiler
def test_growth_is_told_by_size() -> None:
    text = growth.section((250,))
    assert text.count("| 20,000 | floor |") == 2 and text.count("| 20,000 | birc ") == 2


def test_rates_fit_within_a_tenth_or_0_1_hertz() -> None:
    assert [microcircuit.fits(*pair) for pair in ((1.0, 0.903), (1.01, 0.903), (7.0, 7.7), (6.9, 7.7))] == [True, False, True, False]


def test_costs_and_rates_of_the_microcircuit_are_tables() -> None:
    facts = one_network.Facts(1.0, 50.0, 9.0, 100.0, 5 * 1024.0, 300, {}, dict(microcircuit.RATES))
    other = replace(facts, rates={**microcircuit.RATES, "L5I": 12.0})
    assert list(microcircuit.costs([facts, other]))[-1] == ("largest resident set, GB", "5.00", "5.00", "6")
    fit = {row[0]: row[-1] for row in microcircuit.rates([facts, other])}
    assert fit.pop("L5I") == "no" and set(fit.values()) == {"yes"}


def test_the_microcircuit_has_a_section(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def apart(file: str, *, params: dict[str, object], seed: int, **options: object) -> one_network.Facts:
        asked.append((file, params, seed, options["transient"], options["duration"]))
        return one_network.Facts(1.0, 50.0, 9.0, 100.0, 5 * 1024.0, 300, dict.fromkeys(microcircuit.RATES, 10), dict(microcircuit.RATES))

    monkeypatch.setattr(microcircuit, "apart", apart)
    text = microcircuit.section(quick=False)
    assert asked == [("potjans_diesmann", {"scale": 1.0}, seed, 1000.0, 10_000.0) for seed in (1, 2, 3)]
    assert "80 neurons" in text and "|  | seed 1 | seed 2 | seed 3 | goal |" in text
    assert "| L5I | 8.633 | 8.633 | 8.633 | 8.633 | yes |" in text


def test_a_network_that_cannot_be_measured_says_why() -> None:
    with pytest.raises(RuntimeError, match="no_such_network"):
        one_network.apart("no_such_network.birc", target="numpy")
