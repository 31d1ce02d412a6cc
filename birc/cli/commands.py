"""One function per command: it calls birc and prints. Each returns the exit code."""

from __future__ import annotations

import argparse
import re
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import birc
from birc.cli import show
from birc.cli.arguments import assignments
from birc.errors import BircError, Source

if TYPE_CHECKING:
    from birc.checks import CheckResult
    from birc.driver import Compiled
    from birc.networks import CompiledNetwork
    from birc.runtime.result import Result
    from birc.sources import Loaded
    from birc.verification import Report

Command = Callable[[argparse.Namespace], int]


def check(arguments: argparse.Namespace) -> int:
    """`birc check`: all mistakes of all files, then their `check` blocks."""
    from birc import sources

    records: list[dict[str, Any]] = []
    failed = 0
    for file in arguments.files:
        try:
            loaded = sources.load(file)
            results = _run_checks(loaded, arguments.no_run)
        except BircError as error:
            failed += 1
            records.extend(show.diagnostic_record(d) for d in error.diagnostics)
            if not arguments.json:
                print(error, file=sys.stderr)
            continue
        bad = [result.diagnostic for result in results if result.diagnostic is not None]
        failed += len(bad)
        records.extend(show.diagnostic_record(d) for d in (*loaded.warnings, *bad))
        if not arguments.json:
            show.warnings((*loaded.warnings, *bad))
            met = f", {len(results) - len(bad)} of {show.count(len(results), 'expectation')} met" if results else ""
            print(f"{file}: {show.count(len(loaded.module.items), 'item')}{met}")
    if arguments.json:
        show.as_json(records)
    return 1 if failed else 0


def _run_checks(loaded: Loaded, no_run: bool) -> tuple[CheckResult, ...]:
    if loaded.module.checks and not no_run:
        from birc import driver  # files without checks need less of birc, and are quicker without it

        return tuple(driver.check(loaded))
    from birc.solvable import faults

    broken = faults(loaded.module.items)
    if broken:
        raise BircError.of(broken)
    return ()


def fmt(arguments: argparse.Namespace) -> int:
    """`birc fmt`: files put in form, in place."""
    from birc.frontend.format import format_text
    from birc.frontend.read import read_source
    from birc.runtime.output import write_atomic

    changed = 0
    for file in arguments.files:
        source = Source("<stdin>", sys.stdin.read()) if file == "-" else read_source(file)
        text = format_text(source)
        if file == "-" and not arguments.check:
            sys.stdout.write(text)
        elif text != source.text:
            changed += 1
            print(f"{source.name}: {'not in form' if arguments.check else 'put in form'}")
            if not arguments.check:
                write_atomic(file, text)
    return 1 if arguments.check and changed else 0


def dump(arguments: argparse.Namespace) -> int:
    """`birc dump`: a stage of the compilation as text."""
    from birc import driver

    text = driver.dump(
        arguments.file,
        stage=arguments.stage,
        after=arguments.after,
        after_all=arguments.after_all,
        model=arguments.model,
        solver=arguments.solver,
        skip=arguments.without,
        form=arguments.format,
        tables=arguments.tables,
        spikes=arguments.spikes,
    )
    print(text.rstrip("\n"))
    return 0


def _compiled(arguments: argparse.Namespace, loaded: Loaded, params: Mapping[str, object] | None = None) -> Compiled:
    from birc import driver

    compiled = driver.compile_model(
        loaded,
        target=arguments.target,
        model=arguments.model,
        preset=arguments.preset,
        dt=arguments.dt,
        dtype=arguments.dtype,
        solver=arguments.solver,
        skip=arguments.without,
        params=params,
        tables=arguments.tables,
        spikes=arguments.spikes,
    )
    show.warnings(compiled.warnings)
    return compiled


def _is_network(loaded: Loaded, name: str | None) -> bool:
    """Whether the item that is chosen in a file is a network."""
    from birc import sources
    from birc.ir.model import Network

    return loaded.step is None and isinstance(sources.choose(loaded, name)[0], Network)


def compile_(arguments: argparse.Namespace) -> int:
    """`birc compile`: the files of a target, in a folder."""
    from birc import sources
    from birc.cli.networks import compile_network
    from birc.runtime.output import MARK

    loaded = sources.load(arguments.file)
    if _is_network(loaded, arguments.model):
        compiled: Compiled | CompiledNetwork = compile_network(arguments, loaded)
    else:
        compiled = _compiled(arguments, loaded, assignments(arguments.set, "--set"))
    folder = Path(arguments.output or f"out/{compiled.model}-{arguments.target}")
    compiled.write(folder, force=arguments.force)
    print(f"{compiled.model} for {arguments.target}, dt {arguments.dt}, {arguments.dtype}, in {folder}:")
    for name in (folder / MARK).read_text("utf-8").splitlines():
        print(f"  {name}")
    return 0


def run(arguments: argparse.Namespace) -> int:
    """`birc run`: simulate, then print, write and draw what came out."""
    from birc import sources
    from birc.cli.networks import run_network
    from birc.runtime.export.formats import format_of

    loaded = sources.load(arguments.file)
    if _is_network(loaded, arguments.model):
        return run_network(arguments, loaded)
    if arguments.checkpoint or arguments.resume:
        raise BircError("A018", "checkpoints are made of networks", help="a network of one population is one: `population E: LIF[100]`")
    if arguments.output:
        format_of(arguments.output)  # what cannot be written is told before a long run, not after it
    inputs = assignments(arguments.input, "--input")
    params = assignments(arguments.set, "--set")
    init = assignments(arguments.init, "--init")
    compiled = _compiled(arguments, loaded)
    record = arguments.record
    if record is None:
        shown = any(slot.name == "v" for slot in compiled.step.slots)
        record = "v" if shown and (arguments.n <= 10 or arguments.plot) else "spikes"
    stream = Path(arguments.output).parent if arguments.output else None
    with show.progress(f"{compiled.model} on {arguments.target}", arguments.n) as progress:
        out = compiled.run(
            arguments.duration,
            n=arguments.n,
            inputs=inputs,
            params=params,
            init=init,
            record=record,
            every=int(arguments.every) if arguments.every.isdecimal() else arguments.every,
            seed=arguments.seed,
            threads=arguments.threads,
            progress=progress,
            stream=stream,
        )
    show.warnings(out.warnings)
    written = []
    if arguments.output:
        written.append(out.save(arguments.output))
    if arguments.plot:
        from birc.runtime.plot import plot

        written.append(plot(out, arguments.plot))
    if arguments.json:
        show.as_json(_run_record(out, arguments, written))
    else:
        _show_run(out, arguments, written)
    if out.interrupted:
        print(f"birc: {out.interrupted}", file=sys.stderr)
        return 130
    return 0


def _run_record(out: Result, arguments: argparse.Namespace, written: list[Path]) -> dict[str, Any]:
    return {
        "model": out.model,
        "target": arguments.target,
        "n": out.n,
        "dt_ms": out.dt,
        "dtype": arguments.dtype,
        "duration_ms": out.duration,
        "seed": out.seed,
        "spikes": len(out.index),
        "rate_hz": out.rate,
        "recorded": {name: out.units[name] for name in out.recorded},
        "interrupted": out.interrupted or None,
        "written": [str(path) for path in written],
    }


def _show_run(out: Result, arguments: argparse.Namespace, written: list[Path]) -> None:
    how = f"{out.duration:g} ms, dt {out.dt:g} ms, {arguments.dtype}, seed {out.seed}"
    print(f"{out.model} on {arguments.target}: {show.count(out.n, 'neuron')}, {how}")
    each = " per neuron" if out.n > 1 else ""
    print(f"  {show.count(len(out.index), 'spike')}, {out.rate:.4g} Hz{each}")
    for name in out.recorded:
        if out.recorded[name].size:
            unit = "" if out.units[name] == "1" else f" {out.units[name]}"
            low, high = out.extent(name)
            print(f"  {name}: from {low:.6g} to {high:.6g}{unit}")
    for path in written:
        print(f"  wrote {path}")


def verify(arguments: argparse.Namespace) -> int:
    """`birc verify`: targets against the reference, or a scheme against the exact solution."""
    if arguments.exact:
        from birc.cli.exact import verify_exact

        return verify_exact(arguments)
    if arguments.input:
        raise BircError("A007", "`--input` goes with `--exact` only: targets are compared on a stimulus that reaches the whole model")
    if arguments.library:
        return _verify_library(arguments)
    if arguments.file is None:
        raise BircError("A006", "there is nothing to verify: name a file, or `--library`")
    from birc import driver, sources

    params = assignments(arguments.set, "--set")
    n = arguments.n or 32
    loaded = sources.load(arguments.file)
    network = _is_network(loaded, arguments.model)
    with show.progress("verify") as progress:
        reports = driver.verify(
            loaded,
            targets=None if arguments.all else tuple(arguments.target or ("native",)),
            model=arguments.model,
            preset=arguments.preset,
            dt=arguments.dt,
            dtype=arguments.dtype,
            solver=arguments.solver,
            skip=arguments.without,
            tables=arguments.tables,
            spikes=arguments.spikes,
            duration=arguments.duration,
            n=n,
            seed=arguments.seed,
            params=params,
            progress=progress,
        )
    if arguments.json:
        show.as_json([report.record() for report in reports])
    else:
        steps = arguments.duration or f"{driver.NETWORK_STEPS if network else 2000} steps"
        how = steps if network else f"{show.count(n, 'neuron')}, {steps}"
        print(f"dt {arguments.dt}, {arguments.dtype}, {how}\n")
        heads = ("model", "target", "status", "level", "worst error", "note")
        show.table(heads, [report.row() for report in reports])
        for report in reports:
            if report.detail:
                print(f"\n{report.detail}")
    return _verdict(reports, arguments.all)


def _verdict(reports: Sequence[Report], every: bool) -> int:
    """The exit code: a target that was asked for by name must take the model and run; of `every` target at least one must.

    What others make of its files is asked for by nobody, but is no pass where it comes out wrong.
    """
    states = {report.status for report in reports if not report.reader}
    wrong = {report.status for report in reports} & {"fail", "not exercised"}
    if wrong or ("refused" in states and ("pass" not in states or not every)):
        return 1
    return 3 if "unavailable" in states and not every else 0


def _verify_library(arguments: argparse.Namespace) -> int:
    """One table: a row per neuron, a column per target; below it why something is refused or cannot run."""
    from birc import conformance
    from birc.backends import target_names

    targets = arguments.target or (target_names() if arguments.all else ["native"])
    total = len(conformance.neurons()) * len(targets)
    reports = []
    with show.progress("verify") as progress:
        for report in conformance.library_reports(targets, (arguments.dtype,), arguments.jobs):
            reports.append(report)
            if progress is not None:
                progress(len(reports), total)
    if arguments.json:
        show.as_json([report.record() for report in reports])
    else:
        show.table(*conformance.matrix(reports))
        print("", *conformance.notes(reports), sep="\n")
    return _verdict(reports, arguments.all)


CODE = re.compile(r"[A-Z]\d{3}")


def explain(arguments: argparse.Namespace) -> int:
    """`birc explain`: a code's page, or the solver of each variable of a model and why."""
    from birc import codes, driver
    from birc.cli.exact import step_warnings
    from birc.suggest import closest

    what = arguments.what
    if CODE.fullmatch(what.upper()):
        table = codes.load()
        entry = table.get(what.upper())
        if entry is None:
            near = closest(what.upper(), table)
            raise BircError("A004", f"there is no code `{what}`", help=f"did you mean `{near}`?" if near else "`docs/errors.md` lists them")
        if arguments.json:
            show.as_json({"code": entry.code, "title": entry.title, "page": entry.page, "exit": entry.exit})
        else:
            print(f"{entry.code}: {entry.title}\n\n{entry.page}")
        return 0
    rows = driver.explain(
        what, model=arguments.model, solver=arguments.solver, skip=arguments.without, tables=arguments.tables, spikes=arguments.spikes
    )
    if arguments.json:
        show.as_json([{"variable": row.variable, "method": row.method, "reason": row.reason, "place": row.place} for row in rows])
    else:
        show.table(("variable", "method", "why", "place"), [(row.variable, row.method, row.reason, row.place) for row in rows])
    step_warnings(arguments)
    return 0


def targets(arguments: argparse.Namespace) -> int:
    """`birc targets`: what each target is, what it cannot take, and whether it can run here."""
    from birc.backends import target_names

    records = [_target(name) for name in target_names()]
    if arguments.json:
        show.as_json(records)
        return 0
    heads = ("target", "what it is", "level f64", "level f32", "does not take", "here")
    show.table(heads, [(r["target"], r["description"], *r["levels"].values(), _lacks(r), _here(r)) for r in records])
    return 0


def _lacks(record: dict[str, Any]) -> str:
    """What a target's table leaves out, in words; empty where it has none."""
    return "" if record["lacks"] is None else ", ".join(record["lacks"]) or "(takes all)"


def _target(name: str) -> dict[str, Any]:
    """A target's record; of a package's target that cannot be loaded, the reason."""
    from birc.backends import Emulated, load_backend
    from birc.backends.legality import Declares

    try:
        backend = load_backend(name)
    except BircError as error:
        nothing = {
            "description": "",
            "levels": {"f64": "", "f32": ""},
            "lacks": None,
            "runs_here": False,
            "missing": None,
            "emulated": None,
        }
        return {"target": name, **nothing, "problem": error.diagnostics[0].message}
    lacking = backend.missing()
    return {
        "target": backend.name,
        "description": backend.description,
        "levels": {dtype: backend.levels.get(dtype, "") for dtype in ("f64", "f32")},
        "lacks": list(backend.takes.lacks()) if isinstance(backend, Declares) else None,
        "runs_here": lacking is None,
        "missing": None if lacking is None else {"what": lacking.what, "how": lacking.how},
        "emulated": (backend.emulation() or None) if lacking is None and isinstance(backend, Emulated) else None,
        "problem": None,
    }


def _here(record: dict[str, Any]) -> str:
    """Whether a target runs here, in words."""
    if record["missing"]:
        return f"lacks {record['missing']['what']}: {record['missing']['how']}"
    return record["problem"] or record["emulated"] or "ok"


def passes(arguments: argparse.Namespace) -> int:
    """`birc passes`: all passes in their order."""
    from birc.passes import PASSES

    if arguments.json:
        show.as_json([{"pass": p.name, "level": p.level, "needed": p.needed, "summary": p.summary} for p in PASSES])
    else:
        show.table(("pass", "level", "needed", "what it does"), [(p.name, p.level, "yes" if p.needed else "no", p.summary) for p in PASSES])
    return 0


def models(arguments: argparse.Namespace) -> int:
    """`birc models`: the library, a model's card, cards as files, published patterns."""
    from birc.cli.cards import models as show_models
    from birc.cli.patterns import patterns

    if arguments.patterns or arguments.plot:
        return patterns(arguments)
    return show_models(arguments)


def bench(arguments: argparse.Namespace) -> int:
    """`birc bench`: the benchmarks of a checkout."""
    root = Path(birc.__file__).parent.parent
    if not (root / "tests" / "bench" / "__main__.py").exists():
        raise BircError("X005", "the benchmarks are not here: they are part of a checkout, not of the installed package")
    sys.path.insert(0, str(root))
    words = [arguments.what] if arguments.what else []
    words += [f"--{name}" for name in ("quick", "peers", "write") if getattr(arguments, name)]
    sys.argv = ["birc bench", *words, *(f"--case={name}" for name in arguments.case)]
    runpy.run_module("tests.bench", run_name="__main__")
    return 0


COMMANDS: Mapping[str, Command] = {
    "check": check,
    "fmt": fmt,
    "dump": dump,
    "compile": compile_,
    "run": run,
    "verify": verify,
    "explain": explain,
    "targets": targets,
    "passes": passes,
    "models": models,
    "bench": bench,
}
