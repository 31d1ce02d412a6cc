"""Milliseconds for a simulated second of each network: floor, birc and other simulators, in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import birc
from birc.backends import Dtype, load_backend
from birc.backends.c_family import build
from birc.backends.networks import RunsNetworks
from tests.bench import timing
from tests.bench.network_cases import NetworkCase
from tests.bench.page import table
from tests.bench.peers import Peer
from tests.bench.session import PeerError, Session, session
from tests.bench.watch import Watch

DTYPES: tuple[Dtype, ...] = ("f32", "f64")
SECONDS, MORE = 3.0, 10
"""The turns of each take so long together, unless they are so many times as many as asked for."""
NUMPY_STEPS = 500
"""NumPy is timed over no more steps."""
FLOORS = {"floor_network": timing.FLOOR_FLAGS, "floor_rounded": timing.ROUNDED_FLAGS}
"""Files of floors, and how they are built."""
Programs = dict[Dtype, dict[str, Path]]
"""Of floors, by number type and file."""
HEAD = (
    "network", "who", "scheme", "type", "ms for 1 s", "times the floor", "times native", "goal, ms", "wiring, ms", "steps", "spikes/s each",
)  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """One run: seconds of the stepping alone, spikes, and seconds before the first step where they are known."""

    seconds: float
    spikes: int
    wiring: float | None = None


@dataclass
class Contestant:
    """One who runs a network, and what its turns were; one that fails, or whose neurons are silent, keeps the reason."""

    who: str
    dtype: Dtype
    steps: int
    run: Callable[[], Turn]
    session: Session | None = None
    turns: list[Turn] = field(default_factory=list)
    failure: str = ""

    def take(self, first: bool) -> None:
        """Take a turn, of which the first is no more than a warm-up."""
        try:
            if not first:
                self.turns.append(self.run())
            elif self.session is not None:
                self.session.listen()
            else:
                self.run()
        except PeerError as error:
            self.failure = str(error)
        if self.turns and not self.turns[-1].spikes:
            self.failure = "no spikes"

    @property
    def seconds(self) -> float:
        """The median of its turns."""
        return statistics.median(turn.seconds for turn in self.turns)


def floor_turn(program: Path, name: str, neurons: int, steps: int) -> Turn:
    """A run of a floor, by its name in the program."""
    command = [str(program), name, str(neurons), str(steps)]
    seconds, spikes, wiring, *_ = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return Turn(float(seconds), int(spikes), float(wiring))


def birc_turn(program: Any, case: NetworkCase, steps: int, threads: int = 1) -> Turn:
    """A run of birc. On several threads by the clock, else processor time."""
    watch = Watch(time.process_time if threads == 1 else time.perf_counter)
    out = program.run(f"{steps * case.dt:g} ms", seed=1, threads=threads, progress=watch.report)
    return Turn(watch.pace * steps, sum(len(out[name].stamps) for name in case.populations), watch.wiring)


def floors(case: NetworkCase, programs: Programs) -> Iterator[Contestant]:
    """The floors in each number type."""
    for dtype, files in programs.items():
        for who, file, name in (("floor", "floor_network", case.name), *case.floors):

            def run(program: Path = files[file], name: str = name) -> Turn:
                return floor_turn(program, name, case.neurons, case.steps)

            yield Contestant(who, dtype, case.steps, run)


def ours(case: NetworkCase, quiet: bool) -> Iterator[Contestant]:
    """birc: NumPy and, where there is one, native on one thread; on two, where both may have a core."""
    native: list[tuple[str, str, Dtype, int]] = [("birc native", "native", dtype, 1) for dtype in DTYPES]
    if quiet:
        native.append(("birc native, 2 threads, by the clock", "native", "f32", 2))
    wanted = native if runs_networks("native") else []
    for who, target, dtype, threads in [*wanted, ("birc NumPy", "numpy", "f64", 1)]:
        program = birc.compile(case.file, target=target, dt=f"{case.dt} ms", dtype=dtype)
        steps = min(NUMPY_STEPS, case.steps) if target == "numpy" else case.steps

        def run(program: Any = program, steps: int = steps, threads: int = threads) -> Turn:
            return birc_turn(program, case, steps, threads)

        yield Contestant(who, dtype, steps, run)


def runs_networks(target: str) -> bool:
    """Whether a target takes networks here."""
    backend = load_backend(target)
    return isinstance(backend, RunsNetworks) and backend.missing() is None


def arguments(case: NetworkCase, dtype: Dtype, neurons: int, steps: int) -> list[str]:
    """A case as the programs of the simulators take it."""
    return [case.name, "--neurons", str(neurons), "--steps", str(steps), "--dt", str(case.dt), "--dtype", dtype]


def theirs(case: NetworkCase, peer: Peer, dtype: Dtype, found: Session) -> Contestant:
    """Another simulator."""

    def run() -> Turn:
        return Turn(found.run(), int(found.answer["spikes"]))

    return Contestant(peer.title, dtype, peer.sizes[case.name][1], run, found)


def take_turns(contestants: Sequence[Contestant], repeats: int) -> None:
    """Let all warm up, then let all run, in turns; those more often than is asked whose runs are short, which noise meets harder."""
    for each in contestants:
        each.take(first=True)
    for turn in range(repeats if repeats == 1 else MORE * repeats):
        for each in contestants:
            if not each.failure and (turn < repeats or turn * each.seconds < SECONDS):
                each.take(first=False)


def row(case: NetworkCase, each: Contestant, marks: dict[tuple[str, Dtype], float]) -> tuple[str, ...]:
    """What one reached; `marks` are the milliseconds for a simulated second of the others."""
    if each.failure:
        return case.title, each.who, f"failed: {each.failure}", each.dtype, *("-" * (len(HEAD) - 4))
    took, last = marks[each.who, each.dtype], each.turns[-1]
    times = [f"{took / marks[mark, each.dtype]:.2f}" if (mark, each.dtype) in marks else "-" for mark in ("floor", "birc native")]
    goal = f"{case.goals[each.dtype]:,.0f}" if each.who == "birc native" else "-"
    wiring = "-" if last.wiring is None else f"{1000 * last.wiring:,.0f}"
    rate = last.spikes / case.neurons / case.seconds(each.steps)
    scheme = each.session.answer["scheme"] if each.session else case.scheme
    return case.title, each.who, scheme, each.dtype, milliseconds(took), *times, goal, wiring, f"{each.steps:,}", f"{rate:.2f}"


def milliseconds(took: float) -> str:
    """Three digits, or all before the point."""
    return f"{took:,.0f}" if took >= 99.95 else f"{took:.3g}"


def rows(cases: Iterable[NetworkCase], repeats: int, peers: Sequence[Peer], versions: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Everybody on every network; the versions of the simulators are filled in."""
    with tempfile.TemporaryDirectory() as folder:
        programs = floor_programs(Path(folder))
        quiet = os.getloadavg()[0] < 1
        for case in cases:
            with ExitStack() as stack:
                contestants = [*floors(case, programs), *ours(case, quiet)]
                for peer in (p for p in peers if p.installed and case.name in p.sizes):
                    for dtype in peer.dtypes:
                        found = stack.enter_context(session(peer, arguments(case, dtype, *peer.sizes[case.name]), dtype))
                        contestants.append(theirs(case, peer, dtype, found))
                take_turns(contestants, repeats)
                for each in contestants:
                    if each.session and each.turns:
                        versions[each.who] = each.session.answer["version"]
                marks = {(c.who, c.dtype): 1000 * c.seconds / case.seconds(c.steps) for c in contestants if not c.failure}
                yield from [row(case, each, marks) for each in contestants]


def floor_programs(folder: Path) -> Programs:
    """The floors' programs, where there is a compiler."""
    if build.find_compiler() is None:
        return {}
    return {dtype: {name: timing.floor_program(dtype, folder, name, flags) for name, flags in FLOORS.items()} for dtype in DTYPES}


RECORDED = """GeNN 5.4.0 (single-threaded CPU, float32) is on no package index. Recorded on another machine (AMD EPYC, AVX2, g++ 12,
quiet), so not to be held against the lines above: CUBA with 4,000 neurons 109 ms for a simulated second, with 40,000 1,081 ms;
COBA-HH 6,140 ms (13 million updates of a neuron per second); pair STDP 66 ms."""


def section(cases: Sequence[NetworkCase], repeats: int, peers: Sequence[Peer] = ()) -> str:
    """The table, what its columns mean, and the versions of the simulators."""
    versions: dict[str, str] = {}
    lines = table(HEAD, rows(cases, repeats, peers, versions), left=4)
    missing = [f"- {peer.title}: not installed; `{peer.installation}`" for peer in peers if not peer.installed]
    notes = [f"- {who}: {version}" for who, version in versions.items()] + missing
    return f"""Milliseconds of processor time for a simulated second, on one thread unless said; medians of {repeats} after a warm-up, or of
more where runs are short, all in turns. The networks are those of `tests/bench/networks`. The floor is
`tests/bench/floor_network.cpp`: each written by hand in the same scheme, with wiring of its own,
built with `{" ".join(timing.FLOOR_FLAGS)}`.
Only steps count, for birc those behind its first report of progress; the time up to there is its wiring. NumPy and some simulators run
fewer steps. Networks are chaotic, and wired by each with its own random numbers: rates agree only roughly, and are higher where less
of the time is behind the onset. "goal" is the design's. Two threads are timed, by the clock, where the machine has nothing else to do.

To be no easy mark, the floor was held against another that was written independently, with the same flags in the same run (g++ 12,
AVX-512): that took, in float32 and float64, 1.2 and 1.6 times as long for CUBA with 4,000 neurons and 2.3 times with 40,000.

Native is meant to take at most 1.5 times as long as the floor. Its results equal NumPy's bit for bit, on any number of threads, which
forbids three things that the floor does in CUBA: a product and a sum in one instruction; a decay that is a factor a little below 1, where
birc adds what goes and so keeps more digits; and events added one by one, where birc adds their sum. "Rounding as birc does" is a
floor without these, `tests/bench/floor_rounded.cpp`, built with
`{" ".join(timing.ROUNDED_FLAGS)}`.

{lines}

{chr(10).join([*notes, *([""] if notes else []), RECORDED])}"""
