"""Check, compile, run and verify four models on every target that can run here, and draw what they did.

`make demo` runs this; it writes `out/demo.png`. Names of library files (`python examples/demo.py lif`) keep it to these; `--library`
(`make demo-all`) verifies every neuron of the library, which takes minutes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import birc
from birc import conformance
from birc.backends import load_backend, target_names
from birc.cli.show import plain

# A model, and for one neuron a step of current, for many a range of currents.
MODELS = {
    "lif": ("250 pA", "150 pA", "400 pA"),
    "izhikevich": ("10 mV/ms", "0 mV/ms", "20 mV/ms"),
    "adex": ("800 pA", "400 pA", "1200 pA"),
    "hodgkin_huxley": ("10 uA/cm^2", "0 uA/cm^2", "20 uA/cm^2"),
}
NAMED = [word for word in sys.argv[1:] if word != "--library"]
MODELS = {file: currents for file, currents in MODELS.items() if not NAMED or file in NAMED}
FIGURE = Path("out/demo.png")
RUN_ON = ("numpy", "native")
"""The simulators; the other targets are verified."""


def able() -> list[str]:
    """The targets that can run here; says what the others lack."""
    found = []
    for name in RUN_ON:
        missing = load_backend(name).missing()
        if missing is None:
            found.append(name)
        else:
            print(f"left out: target `{name}` lacks {missing.what}. {missing.how}")
    return found


def checked() -> bool:
    """Run the models' own checks."""
    good = True
    for file in MODELS:
        bad = [result.diagnostic for result in birc.check(file) if result.diagnostic is not None]
        good = good and not bad
        print(f"  {file}: {'checks met' if not bad else ''}")
        for diagnostic in bad:
            print(diagnostic)
    return good


def runs(target: str) -> dict[str, tuple[birc.Result, birc.Result]]:
    """Each model on a target: one neuron with a step of current, and 40 over a range of currents."""
    results = {}
    for file, (step, low, high) in MODELS.items():
        began = time.perf_counter()
        compiled = birc.compile(file, target=target, dt="0.05 ms")
        one = compiled.run("300 ms", inputs={"I": f"step({step}, 50 ms, 250 ms)"}, record=["v"])
        many = compiled.run("300 ms", n=40, inputs={"I": f"linspace({low}, {high})"})
        print(f"  {compiled.model} on {target}: {len(one.stamps)} spikes of one neuron, {len(many.stamps)} of 40", end="")
        print(f" (compiled and run in {time.perf_counter() - began:.2f} s)")
        results[file] = one, many
    return results


def verified() -> bool:
    """Compare neurons of the library on every target with the reference, and print the table."""
    files = None if "--library" in sys.argv[1:] else NAMED or conformance.SHORT
    reports = list(conformance.library_reports(target_names(), files=files))
    print(plain(*conformance.matrix(reports)))
    print("", *conformance.notes(reports), sep="\n")
    return all(report.status in ("pass", "refused", "unavailable") for report in reports)


def draw(results: dict[str, tuple[birc.Result, birc.Result]]) -> None:
    """Membrane of one neuron above, spikes of many below, a column per model."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, len(results), figsize=(14, 6), sharex=True, constrained_layout=True, squeeze=False)
    for column, (one, many) in enumerate(results.values()):
        above, below = axes[0][column], axes[1][column]
        above.plot(one.time, one.v[:, 0], linewidth=0.8)
        above.vlines(one.spikes.time, *above.get_ylim(), color="0.8", linewidth=0.5, zorder=0)
        above.set_title(f"{one.model}: {MODELS[list(results)[column]][0]}")
        above.set_ylabel(f"v ({one.units['v']})")
        below.plot(many.spikes.time, many.spikes.index, "|", markersize=3)
        below.set_ylabel("neuron, by input")
        below.set_xlabel("time (ms)")
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=120)
    pyplot.close(figure)


def main() -> int:
    """The whole demonstration; 0 if everything held."""
    targets = able()
    print("checks that stand beside the models")
    good = checked()
    print("compiled and run")
    results = {target: runs(target) for target in targets}
    print("verified against the reference, on every target")
    good = verified() and good
    draw(results[targets[-1]])
    if "--library" not in sys.argv[1:]:
        print("of all neurons: `make demo-all` or `birc verify --library --all` (minutes), or docs/conformance.md")
    print(f"wrote {FIGURE}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
