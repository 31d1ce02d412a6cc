"""One neuron through the whole compiler: every stage is printed, from the text to spikes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import birc

TEXT = """neuron LIF:
    param tau_m = 20 ms in (0 ms, inf), R = 1, v_th = 1, v_reset = 0, t_ref = 2 ms
    state v = 0
    input I: 1
    tau_m * v' = -v + R * I
    spike when v >= v_th:
        v = v_reset
    refractory t_ref: hold v

check LIF:
    drive I = 1.5 for 200 ms
    expect isi == t_ref + tau_m * log(3) within 1 step
"""


def heading(text: str) -> None:
    """A line above each stage."""
    print(f"\n=== {text}\n")


def main() -> None:
    """Print the stages in their order."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lif.birc"
        file.write_text(TEXT, "utf-8")

        heading("the text")
        print(TEXT)

        heading("the model: what it is, in one coherent system of units")
        print(birc.dump(file, "model"))

        heading("how each variable is solved, and why")
        for row in birc.explain(file):
            print(f"{row.variable}: {row.method}, {row.reason}")

        heading("the step program: how it advances from stamp k to stamp k+1")
        print(birc.dump(file, "step"))

        compiled = birc.compile(file, target="numpy", dt="0.1 ms")
        for name, content in compiled.artifact.files.items():
            heading(f"what the numpy target makes of it: {name}")
            print(content)

        heading("its own checks")
        for result in birc.check(file):
            print("met" if result.diagnostic is None else result.diagnostic)

        heading("a run")
        out = compiled.run("200 ms", inputs={"I": 1.5}, record=["v"])
        print(f"spikes at {', '.join(f'{time:.1f}' for time in out.spikes.time)} ms")
        print(f"v at the end: {out.v[-1, 0]:.6f}")


if __name__ == "__main__":
    main()
