"""Where a run of a network stood, as arrays, and as a file that it can go on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from birc.errors import BircError
from birc.runtime.archive import Member
from birc.runtime.files import read_table

Array = npt.NDArray[Any]
PREFIX = "state/"


@dataclass(frozen=True, eq=False)
class NetworkState:
    """Where a run stood at a stamp: all arrays by name in internal units, and what its wiring and random numbers depend on."""

    network: str
    stamp: int
    dt: float
    seed: int
    dtype: str
    program: str
    """A hash of the network: a state fits no other."""
    values: Mapping[str, Array]


def about_state(state: NetworkState) -> dict[str, Any]:
    """What is written beside the arrays of a state."""
    return {
        "network": state.network,
        "stop": state.stamp,
        "dt": state.dt,
        "seed": state.seed,
        "dtype": state.dtype,
        "program": state.program,
    }


def state_members(state: NetworkState) -> dict[str, Member]:
    """The arrays of a state as members of an archive."""
    return {PREFIX + name: Member(array) for name, array in state.values.items()}


def read_state(path: str | Path) -> tuple[dict[str, Any], NetworkState]:
    """What stands beside a state in a file, and the state. Raises I116 and I117 where the file is no such thing."""
    table = read_table(str(path), "state")
    try:
        about = json.loads(str(table.arrays["about"]))
        name, stamp, dt, seed = str(about["network"]), int(about["stop"]), float(about["dt"]), int(about["seed"])
        dtype, program = str(about["dtype"]), str(about["program"])
    except (KeyError, ValueError, TypeError) as error:
        raise BircError("I117", f"state: `{path}` was not written by a run of a network") from error
    values = {name.removeprefix(PREFIX): array for name, array in table.arrays.items() if name.startswith(PREFIX)}
    return about, NetworkState(name, stamp, dt, seed, dtype, program, values)
