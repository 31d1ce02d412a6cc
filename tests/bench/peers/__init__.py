"""Other simulators to compare with, each in an environment of its own; what imports one runs there, as a program.

This file is imported in those environments too, where birc is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parent.parent.parent.parent
FOLDER = ROOT / ".venv-peers"
WHERE = ROOT / "tests"
"""Where the programs start: an environment may have a package named `tests`, which would hide the folder."""


@dataclass(frozen=True)
class Peer:
    """A simulator as it is run: the environment and the program of this package that it needs, and what it can take.

    `sizes` has neurons and steps by case, so many that a run takes about a second.
    """

    title: str
    environment: str
    sizes: Mapping[str, tuple[int, int]]
    dtypes: tuple[Literal["f32", "f64"], ...] = ("f64",)
    flags: tuple[str, ...] = ()
    kind: Literal["", "_network"] = ""
    """Which of its environment's programs it is: that for neurons, or that for networks."""

    @property
    def program(self) -> str:
        """The program's name."""
        return f"run_{self.environment}{self.kind}"

    @property
    def python(self) -> Path:
        return FOLDER / self.environment / "bin" / "python"

    @property
    def installed(self) -> bool:
        """Whether its environment is complete."""
        return (FOLDER / self.environment / "complete").exists()

    @property
    def installation(self) -> str:
        """The line that installs it."""
        return f"python -m tests.bench.peers make {self.environment}"

    def command(self, *arguments: str) -> list[str]:
        """The line that runs it, in the folder `WHERE`."""
        return [str(self.python), "-m", f"bench.peers.{self.program}", *arguments, *self.flags]


ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "brian2": ("brian2==2.9.0", "numpy<2.3", "setuptools<81"),  # it uses ndarray.ptp and pkg_resources, which newer ones lack
    "nest": ("nest-simulator==3.10.0",),
    "neuron": ("neuron==9.0.2",),
    "arbor": ("arbor==0.12.2",),
    "jaxley": ("jaxley==0.14.0", "jax==0.10.2"),
}
"""What each environment has installed."""

PEERS = (
    Peer(
        "Brian2, C++ standalone",
        "brian2",
        {
            "lif": (10_000, 10_000),
            "izhikevich": (10_000, 20_000),
            "izhikevich-100k": (100_000, 2_000),
            "adex": (10_000, 5_000),
            "hodgkin-huxley": (10_000, 500),
        },
    ),
    Peer(
        "Brian2, C++ standalone, all of -ffast-math",
        "brian2",
        {"adex": (10_000, 10_000), "hodgkin-huxley": (10_000, 500)},
        flags=("--fast-math",),
    ),
    Peer(
        "NEST",
        "nest",
        {
            "lif": (10_000, 2_000),
            "izhikevich": (10_000, 2_000),
            "adex": (2_000, 1_000),
            "hodgkin-huxley": (2_000, 500),
        },
    ),
    Peer("NEURON", "neuron", {"hodgkin-huxley": (2_000, 2_000)}),
    Peer("CoreNEURON", "neuron", {"hodgkin-huxley": (2_000, 2_000)}, flags=("--coreneuron",)),
    Peer("Arbor", "arbor", {"hodgkin-huxley": (10_000, 1_000)}),
    Peer("Jaxley, CPU", "jaxley", {"hodgkin-huxley": (10_000, 1_000)}, dtypes=("f32", "f64")),
)

NETWORK_PEERS = (
    Peer(
        "Brian2, C++ standalone",
        "brian2",
        {"cuba": (4_000, 10_000), "cuba-fixed": (40_000, 2_000), "coba-hh": (4_000, 2_000), "stdp": (100, 10_000)},
        kind="_network",
    ),
    Peer(
        "NEST",
        "nest",
        {"cuba": (4_000, 10_000), "cuba-fixed": (40_000, 500), "coba-hh": (4_000, 500), "stdp": (100, 10_000)},
        kind="_network",
    ),
)
