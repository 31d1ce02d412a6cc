"""Another simulator's program as a process: it is started on a task, waits for its turns, and answers in lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from birc.backends import Dtype
from tests.bench.peers import WHERE, Peer

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class PeerError(Exception):
    """A simulator's program ended, or said nothing that can be read."""


@dataclass
class Session:
    """A simulator's process and what it last answered."""

    peer: Peer
    dtype: Dtype
    process: subprocess.Popen[str]
    errors: IO[str]
    answer: dict[str, Any] = field(default_factory=dict)

    def listen(self) -> float:
        """Read its next answer and give its processor seconds; other lines, such as banners, are passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if (found := answer(line)) is not None:
                self.answer = found
                return float(found["seconds"])
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
        return self.listen()


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


@contextmanager
def session(peer: Peer, words: Sequence[str], dtype: Dtype) -> Iterator[Session]:
    """A simulator's program, started with arguments; it is ended at the end of the block."""
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    environment.pop("PYTHONPATH", None)
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            peer.command(*words), cwd=WHERE, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        with process:
            try:
                yield Session(peer, dtype, process, errors)
            finally:
                process.kill()
