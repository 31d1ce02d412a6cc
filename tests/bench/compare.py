"""birc beside other simulators on the same neurons, in turns; each of them runs in a process of its own and waits for its turn."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.driver import Compiled
from tests.bench import timing
from tests.bench.cases import Case
from tests.bench.page import millions, table
from tests.bench.peers import PEERS, Peer
from tests.bench.session import PeerError, Session, session

HEAD = ("case", "step", "simulator", "its scheme", "type", "its", "native", "native/its", "neurons x steps", "spikes, its", "native's")


@dataclass
class Match:
    """A simulator's process, and the seconds of each turn, its own and birc's."""

    session: Session
    theirs: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    spikes: int = 0
    failure: str = ""

    @property
    def peer(self) -> Peer:
        return self.session.peer


def arguments(case: Case, dtype: str, neurons: int, steps: int) -> list[str]:
    """A case as the programs of the simulators take it."""
    words = {"neurons": neurons, "steps": steps, "dt": float(case.dt.split()[0]), "dtype": dtype, "low": case.low, "high": case.high}
    return [case.model, *(word for name, value in words.items() for word in (f"--{name}", str(value)))]


@contextmanager
def match(peer: Peer, case: Case, dtype: Dtype) -> Iterator[Match]:
    """A simulator started on a case; it is ended at the end of the block."""
    with session(peer, arguments(case, dtype, *peer.sizes[case.name]), dtype) as found:
        yield Match(found)


def take_turns(case: Case, matches: Sequence[Match], repeats: int) -> None:
    """Let all warm up, then let each run beside birc, in turns. One that fails keeps its reason."""
    programs: dict[Dtype, Compiled] = {}
    for dtype in {each.session.dtype for each in matches}:
        programs[dtype] = timing.compiled(case, "native", dtype)
    for turn in range(repeats + 1):
        for each in (m for m in matches if not m.failure):
            neurons, steps = each.peer.sizes[case.name]
            try:
                if turn:
                    each.theirs.append(each.session.run())
                else:
                    each.session.listen()
            except PeerError as error:
                each.failure = str(error)
                continue
            seconds, _, each.spikes = timing.run(programs[each.session.dtype], case, steps, neurons)
            if turn:
                each.ours.append(seconds)


def row(case: Case, each: Match) -> tuple[str, ...]:
    """What a simulator reached."""
    neurons, steps = each.peer.sizes[case.name]
    if each.failure:
        return f"{case.title} ({case.scheme})", case.dt, each.peer.title, f"failed: {each.failure}", each.session.dtype, *("-" * 6)
    theirs, ours = statistics.median(each.theirs), statistics.median(each.ours)
    paces = millions(neurons * steps / theirs), millions(neurons * steps / ours), f"{theirs / ours:.1f}"
    spikes = f"{neurons:,} x {steps:,}", str(each.session.answer["spikes"]), str(each.spikes)
    return f"{case.title} ({case.scheme})", case.dt, each.peer.title, each.session.answer["scheme"], each.session.dtype, *paces, *spikes


def rows(cases: Iterable[Case], repeats: int, versions: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Every simulator that is installed on every case that it has; the versions are filled in."""
    for case in cases:
        wanted = [(peer, dtype) for peer in PEERS if peer.installed and case.name in peer.sizes for dtype in peer.dtypes]
        if not wanted:
            continue
        with ExitStack() as stack:
            matches = [stack.enter_context(match(peer, case, dtype)) for peer, dtype in wanted]
            take_turns(case, matches, repeats)
            versions.update({each.peer.title: each.session.answer["version"] for each in matches if each.session.answer})
            yield from [row(case, each) for each in matches]


def section(cases: Sequence[Case], repeats: int) -> str:
    """The table, what its columns mean, the versions, and how to install what is missing."""
    missing = [f"- {peer.title}: not installed; `{peer.installation}`" for peer in PEERS if not peer.installed]
    if build.find_compiler() is None:
        return "Nothing to compare: native needs a C++ compiler."
    versions: dict[str, str] = {}
    lines = table(HEAD, rows(cases, repeats, versions), left=4)
    known = [f"- {title}: {version}" for title, version in versions.items()]
    return f"""Millions of updates per second of processor time, on one thread; medians of {repeats} after a warm-up,
simulator and native in turns, over the same neurons, drives and steps. A simulator's clock runs over its stepping alone, native's from
Python's call to its result. Both record spikes (Jaxley counts them in its voltages). Native's scheme is in brackets; where the
simulator's is another, spikes may differ. "native/its" above 1: native is so many times faster.

{lines}

{chr(10).join(known + missing)}"""
