"""`birc run` and `birc compile` of a network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birc.cli import show
from birc.cli.arguments import assignments
from birc.errors import BircError

if TYPE_CHECKING:
    from birc.networks import CompiledNetwork
    from birc.runtime.network.result import NetworkResult
    from birc.sources import Loaded


def run_network(arguments: argparse.Namespace, loaded: Loaded) -> int:
    """Simulate a network, then print and write what came out."""
    from birc.runtime.export.formats import format_of

    if arguments.output:
        format_of(arguments.output)  # what cannot be written is told before a long run, not after it
    _refuse({
        "-n": arguments.n != 1, "--input": bool(arguments.input), "--init": bool(arguments.init), "--record": arguments.record is not None,
        "--every": arguments.every != "1", "--spikes": arguments.spikes is not None,
    })  # fmt: skip
    compiled = _compiled(arguments, loaded)
    folder = Path(f"{arguments.output or compiled.model}.checkpoint")
    cells = sum(p.population.count for p in compiled.program.populations)
    with show.progress(f"{compiled.model} on {arguments.target}", cells) as progress:
        out = compiled.run(
            arguments.duration,
            seed=arguments.seed,
            threads=arguments.threads,
            progress=progress,
            checkpoint=arguments.checkpoint,
            folder=folder if arguments.checkpoint or arguments.resume else None,
            go_on=arguments.resume,
            stream=Path(arguments.output).parent if arguments.output else None,
            max_rate=arguments.max_rate,
        )
    show.warnings(out.warnings)
    written = []
    if arguments.output:
        written.append(out.save(arguments.output))
    if arguments.plot:
        from birc.runtime.network.plot import plot

        written.append(plot(out, arguments.plot))
    if not out.interrupted and (arguments.checkpoint or arguments.resume):
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
    if arguments.json:
        show.as_json(_record(out, arguments, written))
    else:
        _show(out, arguments, written)
    if out.interrupted:
        print(f"birc: {out.interrupted}", file=sys.stderr)
        return 130
    return 0


def compile_network(arguments: argparse.Namespace, loaded: Loaded) -> CompiledNetwork:
    """A network compiled for a target, to be written."""
    _refuse({"--spikes": arguments.spikes is not None})
    return _compiled(arguments, loaded)


def _compiled(arguments: argparse.Namespace, loaded: Loaded) -> CompiledNetwork:
    from birc import driver

    compiled: CompiledNetwork = driver.compile(
        loaded, arguments.target, model=arguments.model, preset=arguments.preset, dt=arguments.dt, dtype=arguments.dtype,
        solver=arguments.solver, skip=arguments.without, params=assignments(arguments.set, "--set"), tables=arguments.tables,
    )  # fmt: skip
    show.warnings(compiled.warnings)
    return compiled


def _refuse(given: Mapping[str, bool]) -> None:
    """A017: what a network says itself is not said on the command line."""
    wrong = [option for option, is_given in given.items() if is_given]
    if wrong:
        help = "write it into the network: `population E: LIF(tau_m = 10 ms)[800]`, `source`, `record E.v every 1 ms`"
        raise BircError("A017", f"a network takes no `{wrong[0]}`", help=help)


def _record(out: NetworkResult, arguments: argparse.Namespace, written: list[Path]) -> dict[str, Any]:
    return {
        "network": out.name,
        "target": arguments.target,
        "dt_ms": out.dt,
        "dtype": arguments.dtype,
        "duration_ms": out.duration,
        "seed": out.seed,
        "groups": {
            name: {"n": group.n, "spikes": len(group.index), "rate_hz": group.rate, "recorded": dict(group.units)}
            for name, group in out.groups.items()
        },
        "synapses": {p.name: p.edges.count for p in out.network.projections},
        "interrupted": out.interrupted or None,
        "written": [str(path) for path in written],
    }


def _show(out: NetworkResult, arguments: argparse.Namespace, written: list[Path]) -> None:
    synapses = sum(p.edges.count for p in out.network.projections)
    how = f"{out.duration:g} ms, dt {out.dt:g} ms, {arguments.dtype}, seed {out.seed}"
    cells = sum(p.n for p in out.network.populations)
    print(f"{out.name} on {arguments.target}: {show.count(cells, 'neuron')}, {show.count(synapses, 'synapse')}, {how}")
    rows = []
    for name, group in out.groups.items():
        ranges = []
        for variable in group.recorded:
            if group.recorded[variable].size:
                low, high = group.extent(variable)
                ranges.append(f"{variable}: from {low:.6g} to {high:.6g} {group.units[variable]}")
        rows.append((name, str(group.n), str(len(group.index)), f"{group.rate:.4g}", "; ".join(ranges)))
    show.table(("group", "cells", "spikes", "Hz per cell", "recorded"), rows)
    for path in written:
        print(f"  wrote {path}")
