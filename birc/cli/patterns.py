"""`birc models NAME --patterns`: published patterns as a table or as a figure."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from birc.cli import show
from birc.errors import BircError

if TYPE_CHECKING:
    from birc.patterns import Pattern
    from birc.runtime.result import Result


def patterns(arguments: argparse.Namespace) -> int:
    """Run the patterns of a library model, then print or draw them."""
    from birc.patterns import draw
    from birc.patterns import patterns as run

    if not arguments.patterns:
        raise BircError("A007", "`--plot` draws what `--patterns` runs", help="`birc models izhikevich --patterns --plot patterns.png`")
    if arguments.name is None:
        raise BircError("A007", "`--patterns` is about one model", help="`birc models izhikevich --patterns`")
    if arguments.source or arguments.card:
        raise BircError("A007", "`--patterns` goes with neither `--source` nor `--card`")
    found = list(run(arguments.name))
    written = draw(found, arguments.plot) if arguments.plot else None
    if arguments.json:
        show.as_json([_record(pattern) for pattern in found])
    elif written is not None:
        print(f"{show.count(len(found), 'pattern')}, wrote {written}")
    else:
        show.table(HEADS, [row(pattern) for pattern in found])
    return 0


HEADS = ("pattern", "step", "published: spikes", "first, last (ms)", "accurate: spikes", "first, last (ms)", "")


def row(pattern: Pattern) -> tuple[str, ...]:
    """A pattern's line of the table, below `HEADS`."""
    scheme, equations = pattern.published, pattern.accurate
    step = f"{pattern.dt:g} ms"
    note = "" if pattern.agrees else "differs"
    return pattern.name, step, str(len(scheme.index)), _ends(scheme), str(len(equations.index)), _ends(equations), note


def _ends(result: Result) -> str:
    times = result.spikes.time
    return ", ".join(f"{t:.2f}" for t in (times[:1] if len(times) < 2 else (times[0], times[-1])))


def _record(pattern: Pattern) -> dict[str, object]:
    return {
        "model": pattern.model,
        "pattern": pattern.name,
        "solver": pattern.solver,
        "dt_ms": pattern.dt,
        "published_ms": pattern.published.spikes.time.tolist(),
        "accurate_ms": pattern.accurate.spikes.time.tolist(),
    }
