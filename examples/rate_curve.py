"""The firing rate of a neuron over its input: one run of many neurons, each with a current of its own."""

from __future__ import annotations

import numpy as np

import birc

PRESETS = ("RS", "FS", "LTS")
CURRENTS = np.linspace(0.0, 20.0, 11)  # mV/ms


def main() -> None:
    """Print a column of rates for each preset."""
    columns = []
    for preset in PRESETS:
        compiled = birc.compile("izhikevich", model=f"Izhikevich.{preset}")
        columns.append(compiled.run("1 s", n=len(CURRENTS), inputs={"I": CURRENTS}).rates)
    print("I (mV/ms)  " + "  ".join(f"{preset:>3} (Hz)" for preset in PRESETS))
    for row, current in enumerate(CURRENTS):
        print(f"{current:>9.1f}  " + "  ".join(f"{rates[row]:>8.1f}" for rates in columns))


if __name__ == "__main__":
    main()
