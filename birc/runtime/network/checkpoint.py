"""Long runs that can be stopped at any moment: a folder of parts of the output, and of the state behind the last of them.

`state.npz` says how many parts count; it is written behind its part, each under another name first, so that a run that is killed loses what
came after its last checkpoint and nothing else.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from birc.backends import Spikes
from birc.errors import BircError
from birc.runtime.archive import Member, write_npz
from birc.runtime.files import read_table
from birc.runtime.network.collected import Collected
from birc.runtime.network.state import NetworkState, about_state, read_state, state_members
from birc.runtime.output import write_atomic

Array = npt.NDArray[Any]


@dataclass
class Checkpoints:
    """The checkpoints of one run, in a folder of their own; `parts` have been written, from stamp `start` of the run on."""

    folder: Path
    start: int
    parts: int = 0

    def save(self, state: NetworkState, collected: Collected) -> None:
        """Write what was collected since the last checkpoint, and the state; then it need not be kept in memory."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self._part(self.parts), lambda file: _write_part(file, collected))
        about = {**about_state(state), "parts": self.parts + 1, "start": self.start}
        write_atomic(self.folder / "state.npz", lambda file: _write_state(file, about, state))
        self.parts += 1
        collected.clear()

    def join(self, collected: Collected, into: Collected) -> Collected:
        """All that was collected, from the parts on, put into something empty."""
        for i in range(self.parts):
            into.extend(read_part(self._part(i)))
        into.extend(collected)
        return into

    def remove(self) -> None:
        """The run has ended, and its result is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _part(self, number: int) -> Path:
        return self.folder / f"part-{number:06}.npz"


def resume(folder: Path) -> tuple[Checkpoints, NetworkState]:
    """The checkpoints in a folder, and the state behind the last. Raises I116 where there are none, I117 where they cannot be read."""
    path = folder / "state.npz"
    if not path.exists():
        raise BircError("I116", f"there is no checkpoint in `{folder}` to go on from", help="run without `--resume` first")
    about, state = read_state(path)
    try:
        found = Checkpoints(folder, int(about["start"]), int(about["parts"]))
    except (KeyError, ValueError, TypeError) as error:
        raise BircError("I117", f"`{path}` is no checkpoint") from error
    for i in range(found.parts):
        if not found._part(i).exists():
            raise BircError("I117", f"the checkpoint `{folder}` has lost its part {i}", help="remove the folder, and run from the start")
    return found, state


def _write_state(file: BinaryIO, about: Mapping[str, Any], state: NetworkState) -> None:
    write_npz(file, {"about": Member(np.array(json.dumps(dict(about), sort_keys=True))), **state_members(state)})


def _write_part(file: BinaryIO, collected: Collected) -> None:
    members: dict[str, Member] = {}
    for name, rows in collected.rows.items():
        members[f"rows/{name}"] = Member(np.concatenate(rows) if rows else np.zeros((0, 0)))
    for name, found in collected.spikes.items():
        members[f"index/{name}"] = Member(np.concatenate([np.zeros(0, np.int32), *(s.index for s in found)]))
        members[f"stamp/{name}"] = Member(np.concatenate([np.zeros(0, np.int64), *(s.stamp for s in found)]))
        if any(s.offset is not None for s in found):
            members[f"offset/{name}"] = Member(collected.offsets(name))
    write_npz(file, members)


def read_part(path: Path) -> Collected:
    """What one part holds. Raises I117 where it cannot be read."""
    arrays = read_table(str(path), "checkpoint").arrays
    rows = {name.removeprefix("rows/"): [a] for name, a in arrays.items() if name.startswith("rows/") and a.size}
    groups = [name.removeprefix("index/") for name in arrays if name.startswith("index/")]
    spikes = {g: [Spikes(arrays[f"index/{g}"], arrays[f"stamp/{g}"], arrays.get(f"offset/{g}"))] for g in groups}
    return Collected(rows, spikes)
