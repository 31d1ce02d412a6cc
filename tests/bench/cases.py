"""What is simulated: a library model, a scheme and a step, and the drive of its neurons; `floor.cpp` has the same by hand."""

from __future__ import annotations

from dataclasses import dataclass

from birc import driver

NEURONS = 10_000
TABLES = "1e-6, v in [-120 mV, 80 mV]"


@dataclass(frozen=True)
class Case:
    """The drive rises from the first neuron to the last, in the unit of the port `I`; without a solver, the library's choice.

    tables: as `--tables` takes them; the floor has none.
    """

    name: str
    title: str
    model: str
    dt: str
    solver: str | None
    low: float
    high: float
    steps: int
    neurons: int = NEURONS
    tables: str | None = None

    @property
    def scheme(self) -> str:
        """The solver of `v`."""
        return self.solver or next(row.method for row in driver.explain(self.model) if row.variable == "v")

    @property
    def floor(self) -> str | None:
        """The floor's loop for this model in this scheme and step, if it has one."""
        return FLOORS.get((self.model, self.scheme, self.dt))


FLOORS = {
    ("lif", "exact", "0.1 ms"): "lif",
    ("izhikevich", "euler", "0.5 ms"): "izhikevich",
    ("izhikevich", "rk4", "0.1 ms"): "izhikevich-rk4",
    ("adex", "euler", "0.1 ms"): "adex",
    ("hodgkin_huxley", "exponential", "0.01 ms"): "hodgkin-huxley",
    ("hodgkin_huxley", "strang4", "0.01 ms"): "hodgkin-huxley-strang4",
}

CASES = (
    Case("lif", "LIF with a current", "lif", "0.1 ms", None, 0.0, 400.0, 20_000),
    Case("izhikevich", "Izhikevich", "izhikevich", "0.5 ms", "euler", 0.0, 20.0, 20_000),
    Case("izhikevich-100k", "Izhikevich", "izhikevich", "0.5 ms", "euler", 0.0, 20.0, 2_000, 100_000),
    Case("izhikevich-default", "Izhikevich", "izhikevich", "0.1 ms", None, 0.0, 20.0, 10_000),
    Case("adex", "AdEx", "adex", "0.1 ms", "euler", 0.0, 1000.0, 10_000),
    Case("adex-100k", "AdEx", "adex", "0.1 ms", "euler", 0.0, 1000.0, 1_000, 100_000),
    Case("hodgkin-huxley", "HH squid", "hodgkin_huxley", "0.01 ms", "exponential", 0.0, 20.0, 2_000),
    Case("hodgkin-huxley-100k", "HH squid", "hodgkin_huxley", "0.01 ms", "exponential", 0.0, 20.0, 200, 100_000),
    Case(
        "hodgkin-huxley-tables",
        f"HH squid, tables of {TABLES}",
        "hodgkin_huxley",
        "0.01 ms",
        "exponential",
        0.0,
        20.0,
        2_000,
        tables=TABLES,
    ),
    Case("hodgkin-huxley-default", "HH squid", "hodgkin_huxley", "0.01 ms", None, 0.0, 20.0, 1_000),
)
