"""How long a person waits before anything runs."""

from __future__ import annotations

import statistics

from birc.backends import BACKENDS, load_backend
from birc.backends.c_family import build
from tests.bench import timing
from tests.bench.page import table

LINES = 300
BUILT = ("lif", "izhikevich", "adex", "hodgkin_huxley")


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def section(repeats: int) -> str:
    """The table of what is waited for: importing, checking, emitting, building."""
    rows = [("`import birc`", milliseconds(timing.median(timing.import_seconds, repeats)), "100 ms")]
    rows.append((f"`birc check` of {LINES} lines", milliseconds(timing.median(lambda: timing.check_seconds(LINES), repeats)), "500 ms"))
    rows.append(("`birc check` of all neurons of the library, processor time, once", f"{timing.library_seconds():.0f} s", "60 s"))
    for target in BACKENDS:
        if load_backend(target).missing() is None:
            seconds, name = timing.emission_seconds(target)
            rows.append((f"emitting {name} to {target}, the slowest of the library, processor time", milliseconds(seconds), "300 ms"))
    if build.find_compiler():
        for model in BUILT:
            pairs = [timing.build_seconds(model) for _ in range(repeats)]
            rows.append((f"native build of {model}, cold", milliseconds(statistics.median(cold for cold, _ in pairs)), "1000 ms"))
            rows.append((f"native build of {model}, cached", milliseconds(statistics.median(cached for _, cached in pairs)), "50 ms"))
    return table(("what", "takes", "goal"), rows)
