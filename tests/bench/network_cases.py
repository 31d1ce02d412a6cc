"""Which networks are run: a file of `networks`, a step, how large and how long; `floor_network.cpp` has the same by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NETWORKS = Path(__file__).parent / "networks"


@dataclass(frozen=True)
class NetworkCase:
    """`neurons` are those of the file, sources left out; another number scales all populations and keeps what the rules say."""

    name: str
    title: str
    scheme: str
    dt: float
    """In ms."""
    neurons: int
    synapses: str
    steps: int
    goals: Mapping[str, float]
    """Milliseconds for a simulated second, by number type."""
    populations: tuple[str, ...] = ("E", "I")
    floors: tuple[tuple[str, str, str], ...] = ()
    """Further floors: whose they are, the program's file, and what that calls them."""

    @property
    def file(self) -> Path:
        """What birc runs."""
        return NETWORKS / f"{self.name.replace('-', '_')}.birc"

    def text(self, neurons: int) -> str:
        """The file with so many neurons."""
        text, found = re.subn(
            r"^( *population .*\[)(\d+)\]$",
            lambda line: f"{line[1]}{int(line[2]) * neurons // self.neurons}]",
            self.file.read_text("utf-8"),
            flags=re.MULTILINE,
        )
        assert found == len(self.populations), f"{self.file.name}: {found} populations"
        return text

    def seconds(self, steps: int) -> float:
        """Simulated, over so many steps."""
        return steps * self.dt / 1000


def _rounded(name: str) -> tuple[str, str, str]:
    """The floor of a case that is bound to the bits of NumPy's results."""
    return "floor, rounding as birc does", "floor_rounded", name


NETWORK_CASES = (
    NetworkCase("cuba", "CUBA, 2 %", "exact", 0.1, 4_000, "320,000", 50_000, {"f32": 42, "f64": 75}, floors=(_rounded("cuba"),)),
    NetworkCase(
        "cuba-fixed", "CUBA, 80 each", "exact", 0.1, 40_000, "3,200,000", 10_000, {"f32": 500, "f64": 850}, floors=(_rounded("cuba-fixed"),)
    ),
    NetworkCase("coba-hh", "COBA-HH, 2 %", "exponential Euler", 0.05, 4_000, "320,000", 20_000, {"f32": 1143, "f64": 2286}),
    NetworkCase(
        "stdp",
        "pair STDP, 1000 Poisson sources",
        "Euler",
        0.1,
        100,
        "100,000",
        50_000,
        {"f32": 33, "f64": 33},
        ("E",),
        (("floor, drawing as birc does", "floor_network", "stdp-philox"),),
    ),
)
