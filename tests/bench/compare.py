"""birc beside other simulators on the same neurons, in turns; each of them runs in a process of its own and waits for its turn."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.driver import Compiled
from tests.bench import timing
from tests.bench.cases import Case
from tests.bench.page import millions, table
from tests.bench.peers import PEERS, WHERE, Peer

HEAD = ("case", "step", "simulator", "its scheme", "type", "its", "native", "native/its", "neurons x steps", "spikes, its", "native's")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class PeerError(Exception):
    """A simulator's program ended, or said nothing that can be read."""


@dataclass
class Session:
    """A simulator's process, what it last answered, and the seconds of each turn, its own and birc's."""

    peer: Peer
    dtype: Dtype
    process: subprocess.Popen[str]
    errors: IO[str]
    answer: dict[str, Any] = field(default_factory=dict)
    theirs: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    spikes: int = 0
    failure: str = ""

    def listen(self) -> None:
        """Read its next answer; other lines, such as banners, are passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if (found := answer(line)) is not None:
                self.answer = found
                return
        self.errors.seek(0)
        raise PeerError(reason(self.errors.read()))

    def run(self) -> float:
        """Have it run once more: its processor seconds."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended: `listen` tells why
        self.listen()
        return float(self.answer["seconds"])


def answer(line: str) -> dict[str, Any] | None:
    """The answer on a line of output, if it is one."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and {"version", "scheme", "seconds", "spikes"} <= found.keys() else None


def reason(errors: str) -> str:
    """The last line of what a failing program wrote."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1] if lines else "it ended without a word"


def arguments(case: Case, dtype: str, neurons: int, steps: int) -> list[str]:
    """A case as the programs of the simulators take it."""
    words = {"neurons": neurons, "steps": steps, "dt": float(case.dt.split()[0]), "dtype": dtype, "low": case.low, "high": case.high}
    return [case.model, *(word for name, value in words.items() for word in (f"--{name}", str(value)))]


@contextmanager
def session(peer: Peer, case: Case, dtype: Dtype) -> Iterator[Session]:
    """A simulator started on a case; it is ended at the end of the block."""
    command = peer.command(*arguments(case, dtype, *peer.sizes[case.name]))
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    environment.pop("PYTHONPATH", None)
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=WHERE, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        with process:
            try:
                yield Session(peer, dtype, process, errors)
            finally:
                process.kill()


def take_turns(case: Case, sessions: Sequence[Session], repeats: int) -> None:
    """Let all warm up, then let each run beside birc, in turns. One that fails keeps its reason."""
    programs: dict[Dtype, Compiled] = {}
    for each in sessions:
        programs.setdefault(each.dtype, timing.compiled(case, "native", each.dtype))
    for turn in range(repeats + 1):
        for each in (s for s in sessions if not s.failure):
            neurons, steps = each.peer.sizes[case.name]
            try:
                if turn:
                    each.theirs.append(each.run())
                else:
                    each.listen()
            except PeerError as error:
                each.failure = str(error)
                continue
            seconds, _, each.spikes = timing.run(programs[each.dtype], case, steps, neurons)
            if turn:
                each.ours.append(seconds)


def row(case: Case, each: Session) -> tuple[str, ...]:
    """What a simulator reached."""
    neurons, steps = each.peer.sizes[case.name]
    if each.failure:
        return f"{case.title} ({case.scheme})", case.dt, each.peer.title, f"failed: {each.failure}", each.dtype, *("-" * 6)
    theirs, ours = statistics.median(each.theirs), statistics.median(each.ours)
    paces = millions(neurons * steps / theirs), millions(neurons * steps / ours), f"{theirs / ours:.1f}"
    spikes = f"{neurons:,} x {steps:,}", str(each.answer["spikes"]), str(each.spikes)
    return f"{case.title} ({case.scheme})", case.dt, each.peer.title, each.answer["scheme"], each.dtype, *paces, *spikes


def rows(cases: Iterable[Case], repeats: int, versions: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Every simulator that is installed on every case that it has; the versions are filled in."""
    for case in cases:
        wanted = [(peer, dtype) for peer in PEERS if peer.installed and case.name in peer.sizes for dtype in peer.dtypes]
        if not wanted:
            continue
        with ExitStack() as stack:
            sessions = [stack.enter_context(session(peer, case, dtype)) for peer, dtype in wanted]
            take_turns(case, sessions, repeats)
            versions.update({each.peer.title: each.answer["version"] for each in sessions if each.answer})
            yield from [row(case, each) for each in sessions]


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
