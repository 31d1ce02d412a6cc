"""From text to an artifact, on one page; it reads from top to bottom as the pipeline, with early stops.

source -> module -> model -> (passes) -> step -> (passes) -> artifact -> result
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import birc
from birc import emission, passes
from birc.approximations import approximations, words_of_table
from birc.backends import (
    Accelerates,
    Artifact,
    Backend,
    Cautions,
    Dtype,
    HoldsNumbers,
    Layers,
    Numbers,
    Runner,
    TakesSynapses,
    load_backend,
    target_names,
)
from birc.backends.legality import fuses
from birc.checks import CheckResult, bench, run_check, run_network_check
from birc.errors import BircError, Diagnostic
from birc.explained import Explained, explain_network
from birc.frontend.quantity import parse_quantity
from birc.ir.model import Item, Model, Module, Network
from birc.ir.step import Step
from birc.ir.text import print_module, print_step
from birc.lowering import lower as lower
from birc.lowering import lower_network, lower_one_synapse
from birc.networks import compile_network
from birc.runtime.bind import bind
from birc.runtime.defaults import with_values
from birc.runtime.durations import count_steps, step_length
from birc.runtime.network.parameters import with_parameters
from birc.runtime.output import write_folder
from birc.runtime.result import Result, State
from birc.runtime.simulate import Progress, simulate
from birc.runtime.simulator import Simulator
from birc.runtime.values import Setting
from birc.solvable import faults
from birc.sources import Loaded, choose, find, load
from birc.suggest import meant
from birc.tabulation import network_with_tables, with_tables, without
from birc.verification import Case, Report, verify_all, verify_network, verify_tables

DT = "0.1 ms"
NETWORK_STEPS = 500
"""Steps over which a network is compared where nobody says how many."""


# --- step to artifact


@dataclass(frozen=True)
class Compiled:
    """A model compiled for a target: files to write, and, where the target runs here, something to run."""

    artifact: Artifact
    dt: str
    preset: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def step(self) -> Step:
        """The step program that was lowered."""
        return self.artifact.step

    @property
    def model(self) -> str:
        """The model's name."""
        return self.artifact.step.name

    @cached_property
    def runner(self) -> Runner:
        """The artifact, loaded. Raises an X code where this machine lacks something."""
        backend = load_backend(self.artifact.target)
        _available(backend)
        return backend.load(self.artifact)

    def run(
        self,
        duration: str | float | None = None,
        *,
        steps: int | None = None,
        n: int | None = None,
        inputs: Mapping[str, object] | None = None,
        params: Mapping[str, object] | None = None,
        preset: str | None = None,
        init: Mapping[str, object] | None = None,
        record: str | Iterable[str] = (),
        every: str | int = 1,
        seed: int | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
        state: State | None = None,
        stream: str | Path | None = None,
    ) -> Result:
        """Simulate `duration` (a time; a bare number is in ms) of `n` instances.

        inputs: by port, a quantity (`"250 pA"`), a number or array in the port's unit ([n], [steps, n], [steps, 1]; [steps] where n is 1),
        a source as text, or a spike list for an event port. Recorded arrays are [stamps, n] in the variable's unit; with `stream`, a
        folder, they lie on its disk and not in memory.
        Raises BircError: I… for arguments that do not fit, R001 where a state leaves the finite range.
        """
        return simulate(
            self.runner,
            self.step,
            dt=self.dt,
            duration=duration,
            steps=steps,
            dtype=self.artifact.dtype,
            n=n,
            inputs=inputs,
            params={**self.params, **(params or {})},
            preset=preset or self.preset,
            init=init,
            record=record,
            every=every,
            seed=seed,
            threads=threads,
            progress=progress,
            state=state,
            manifest=self.artifact.manifest,
            stream=stream,
        )

    def simulator(self, **options: Any) -> Simulator:
        """A simulator that advances one step at a time, for closed loops."""
        options.setdefault("preset", self.preset)
        options["params"] = {**self.params, **options.get("params", {})}
        return Simulator(self.runner, self.step, dt=self.dt, dtype=self.artifact.dtype, **options)

    def layer(self, /, **options: Any) -> Any:
        """A layer of the target's framework, where it has layers (`keras`).

        options: what the emitted layer takes, and parameters by name, as in `run`. Raises A016 for a target without layers, X001 where
        this machine lacks something, I301 for an option that does not fit.
        """
        backend = load_backend(self.artifact.target)
        if not isinstance(backend, Layers):
            raise BircError("A016", f"the target {backend.name} makes no layers", help='`birc.compile(…, target="keras")` does')
        _available(backend)
        units = {p.name: p.unit for p in self.step.params}

        def number(name: str, text: str) -> float:
            return parse_quantity(text, units[name], f"parameter `{name}`") / float(units[name].scale)

        if isinstance(backend, Accelerates):
            from birc.fused.layer import fused

            backend.accelerate(self.artifact, fused)
        return backend.layer(self.artifact, self.params, {"dt": step_length(self.dt), "preset": self.preset, **options}, number)

    def write(self, folder: str | Path, force: bool = False) -> Path:
        """Write the artifact's files and its manifest; a folder with foreign files or another artifact is refused unless `force`."""
        if not force:
            _refuse_other(Path(folder), self.model, self.artifact.target)
        bound = bind(self.step, Setting(self.model, 1, 0, 1, step_length(self.dt), 0), "f64", self.params, self.preset)
        initial = {name: a.tolist()[0] for name, a in bound.state.items()}
        backend = load_backend(self.artifact.target)
        artifact = self.artifact
        if isinstance(backend, HoldsNumbers):
            artifact = backend.fill(artifact, Numbers(step_length(self.dt), bound.values, initial))
        manifest = {**artifact.manifest, "bind": {k: np.asarray(v).tolist() for k, v in bound.values.items()}, "initial": initial}
        if bound.tables:
            manifest["tables"] = {
                name: {"low": table.low, "width": table.width, "coefficients": table.coefficients.tolist()}
                for name, table in bound.tables.items()
            }
        text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        return write_folder(folder, {**artifact.files, "manifest.json": text}, force)


def _refuse_other(folder: Path, model: str, target: str) -> None:
    """Raises I153 where a folder holds the artifact of another model or target; `Cell` and `CELL` are two models on every file system."""
    try:
        there = json.loads((folder / "manifest.json").read_text("utf-8"))
        found = there["model"], there["target"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if found != (model, target):
        message = f"the folder `{folder}` holds `{found[0]}` for {found[1]}, and this is `{model}` for {target}"
        raise BircError("I153", message, help="choose another folder, or use `--force` to replace it")


def _available(backend: Backend) -> None:
    missing = backend.missing()
    if missing is not None:
        raise BircError("X001", f"the target {backend.name} cannot run here: {missing.what}", help=missing.how)


def compile_model(
    file: str | Path | Loaded,
    target: str = "numpy",
    *,
    model: str | None = None,
    preset: str | None = None,
    neuron_type: str | None = None,
    dt: str = DT,
    dtype: Dtype = "f64",
    solver: str | Sequence[str] | None = None,
    params: Mapping[str, object] | None = None,
    skip: Iterable[str] = (),
    tables: str | None = None,
    spikes: str | None = None,
) -> Compiled:
    """Compile a model of a file (or a library name) for a target.

    preset: a named set of the model's parameters, `RS` or `regular_spiking`; neuron_type: the same, by the word that layers use for it;
    dt: a time; dtype: `f64` or `f32`; solver: a method for all states, or `v=rk4`; params: values by name, as in `Compiled.run`;
    skip: passes to leave out; spikes: `grid` (on the ends of steps) or `located` (inside them);
    tables: an error and ranges, `1e-6, v in [-120 mV, 80 mV]`, for tables in place of costly functions.
    Raises BircError with every mistake of the file, or with all that the target cannot take.
    """
    if preset is not None and neuron_type is not None:
        message = f"the preset is given twice: `preset={preset!r}` and `neuron_type={neuron_type!r}`"
        raise BircError("A019", message, help="`neuron_type` is another word for `preset`: give one of them")
    loaded = load(file)
    if loaded.step is not None:
        step, named = loaded.step, None
    else:
        item, named = choose(loaded, model)
        if isinstance(item, Model) and item.kind == "synapse" and isinstance(load_backend(target), TakesSynapses):
            return build_synapse(item, target, dt, dtype, preset or named, params, loaded.warnings, skip)
        _, step = lower(item, solver, without(skip, tables), spikes=spikes)
    chosen = preset or neuron_type or named
    presets = [p.name for p in step.presets]
    if chosen is not None and chosen not in presets:
        raise BircError("A012", f"`{step.name}` has no preset `{chosen}`", help=meant(chosen, presets, "presets"))
    step, said = with_tables(step, tables) if tables else (step, ())
    from birc.stiffness import first_step_faults

    said = (*said, *first_step_faults(step, dt, params or {}, chosen))
    return build(step, target, dt, dtype, chosen, params, (*loaded.warnings, *said), skip)


def compile(file: str | Path | Loaded, target: str = "numpy", *, model: str | None = None, **options: Any) -> Any:
    """Compile a model or network of a file (or a library name) for a target; gives a `Compiled`, or a `CompiledNetwork`.

    Options are those of `compile_model`; networks take `dt`, `dtype`, `solver`, `skip` and `tables` of them.
    Raises BircError with every mistake of the file, or with all that the target cannot take.
    """
    load_backend(target)  # a misspelt target is said before anything is read
    loaded = load(file)
    if loaded.step is None:
        item, named = choose(loaded, model)
        if isinstance(item, Network):
            from birc.stiffness import network_faults

            given = _for_networks(options)
            made = compile_network(item, target, warnings=loaded.warnings, **{**given, "preset": given.get("preset") or named})
            return replace(made, warnings=(*made.warnings, *network_faults(made.program, made.dt)))
    return compile_model(loaded, target, model=model, **options)


def _for_networks(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a network takes. Raises A017 for one that it does not."""
    known = ("dt", "dtype", "solver", "skip", "preset", "params", "tables")
    for name, value in options.items():
        if name not in known and value:
            raise BircError("A017", f"a network takes no `{name}`", help=f"it takes {', '.join(f'`{k}`' for k in known)}")
    return {name: value for name, value in options.items() if name in known}


def build(
    step: Step,
    target: str,
    dt: str = DT,
    dtype: Dtype = "f64",
    preset: str | None = None,
    params: Mapping[str, object] | None = None,
    warnings: tuple[Diagnostic, ...] = (),
    skip: Iterable[str] = (),
) -> Compiled:
    """Emit a step program for a target. Raises all refusals of the target at once."""
    backend = load_backend(target)
    if isinstance(backend, (HoldsNumbers, Layers)):  # their files hold the parameters' values
        step = with_values(step, params, preset)
    refusals = backend.refuse(step, dtype)
    if refusals:
        raise BircError.of(refusals)
    if fuses(backend, dtype):
        step = passes.for_target(step, skip)
    artifact = emission.emit(backend, step, dtype)
    manifest = {**manifest_of(step, target, dt, dtype, preset), **artifact.manifest}
    cautions = backend.cautions(step, step_length(dt)) if isinstance(backend, Cautions) else ()
    said = (*warnings, *_unused_options(step), *cautions)
    return Compiled(replace(artifact, manifest=manifest), dt, preset, dict(params or {}), said)


def build_synapse(
    model: Model,
    target: str,
    dt: str = DT,
    dtype: Dtype = "f32",
    preset: str | None = None,
    params: Mapping[str, object] | None = None,
    warnings: tuple[Diagnostic, ...] = (),
    skip: Iterable[str] = (),
) -> Compiled:
    """Emit all programs of a synapse for a target that takes them. Raises A012 for a preset, and all refusals of the target at once."""
    backend = load_backend(target)
    assert isinstance(backend, TakesSynapses)
    program = lower_one_synapse(model, skip=skip)
    presets = [p.name for p in program.start.presets]
    if preset is not None and preset not in presets:
        raise BircError("A012", f"`{model.name}` has no preset `{preset}`", help=meant(preset, presets, "presets"))
    program = replace(program, start=with_values(program.start, params, preset))
    refusals = backend.refuse_synapse(program, dtype)
    if refusals:
        raise BircError.of(refusals)
    artifact = backend.emit_synapse(program, dtype)
    manifest = {**manifest_of(program.start, target, dt, dtype, preset), **artifact.manifest}
    return Compiled(replace(artifact, manifest=manifest), dt, preset, dict(params or {}), warnings)


def _unused_options(step: Step) -> list[Diagnostic]:
    """L113 for each `with store`, on which no target acts yet; it changes no result, but nothing is passed over in silence."""
    stores = [o for o in step.model.options if o.kind == "store"] if step.model else []
    help = "choose the number type of all states with `--dtype`"
    return [Diagnostic("L113", "no target acts on `with store` yet", o.span, help, severity="warning") for o in stores]


def manifest_of(step: Step, target: str, dt: str, dtype: Dtype, preset: str | None) -> dict[str, Any]:
    """What an artifact says of itself."""
    return {
        "birc": birc.__version__,
        "model": step.name,
        "target": target,
        "dt": dt,
        "dtype": dtype,
        "preset": preset,
        "ir_sha256": hashlib.sha256(print_step(step).encode()).hexdigest(),
        "solver": {s: b.method for b in step.blocks for s in b.states},
        "approximations": approximations(step),
    }


# --- commands that look inside


def check(file: str | Path | Loaded, names: Iterable[str] | None = None) -> list[CheckResult]:
    """Run the `check` blocks of a file on the reference. Raises L102 for every solver that cannot work for its equations."""
    loaded = load(file)
    broken = faults(loaded.module.items)
    if broken:
        raise BircError.of(broken)
    made: dict[tuple[object, ...], Any] = {}
    found: list[CheckResult] = []
    for block in loaded.module.checks:
        if names is not None and block.model not in names:
            continue
        item = next(i for i in loaded.module.items if i.name == block.model)
        dt = DT if block.dt is None else f"{block.dt!r} ms"
        if isinstance(item, Network):
            found += run_network_check(block, item, dt)
        elif isinstance(item, Model) and item.kind == "synapse":
            key: tuple[object, ...] = block.model, block.preset, dt
            made[key] = made.get(key) or bench(item, block.preset, dt)
            found += made[key].run(block)
        else:
            key = block.model, block.solver, block.spikes
            made[key] = made.get(key) or build(lower(item, block.solver, spikes=block.spikes)[1], "numpy")
            found += run_check(block, made[key].step, made[key].runner, block.dt or DT)
    return found


def dump(
    file: str | Path | Loaded,
    stage: str = "model",
    *,
    after: str | None = None,
    after_all: bool = False,
    model: str | None = None,
    solver: str | Sequence[str] | None = None,
    skip: Iterable[str] = (),
    form: str = "text",
    tables: str | None = None,
    spikes: str | None = None,
) -> str:
    """A stage of the compilation as text: `ast`, `model`, `step`, `adjoint`; with `after`, the program behind one pass, or each.

    Raises L140 for the adjoint of a program that has none.
    """
    if stage == "ast":
        from birc.frontend.parser import parse
        from birc.frontend.show import show_module

        return show_module(parse(find(file) if not isinstance(file, Loaded) else file.source))
    loaded = load(file)
    if loaded.step is not None:
        return _show(_adjoint(loaded.step) if stage == "adjoint" else loaded.step, form)
    if after_all or after:
        last = after is not None and passes.find(after).level == "target"
        pieces: list[str] = []

        def keep(name: str, program: passes.Program, seconds: float) -> None:
            if after_all:
                pieces.append(f"# after {name}, {1000 * seconds:.1f} ms\n{_show(program, form)}")
            elif name == after:
                pieces.append(_show(program, form))

        _, step = lower(choose(loaded, model)[0], solver, skip, keep, spikes)
        if last:
            passes.for_target(step, skip, keep)
        return "\n".join(pieces)
    if stage == "model":
        shown: Any = choose(loaded, model)[0] if model else loaded.module
        return _show(shown, form)
    if isinstance(item := choose(loaded, model)[0], Network):
        program = lower_network(item, solver, without(skip, tables))
        parts = (network_with_tables(program, tables)[0] if tables else program).parts
        if form == "json":
            return "[" + ",\n".join(_show(step, form) for _, step in parts) + "]"
        return "\n".join(_show(step, form) if form == "dot" else f"# {what}\n{_show(step, form)}" for what, step in parts)
    step = lower(choose(loaded, model)[0], solver, without(skip, tables), spikes=spikes)[1]
    step = with_tables(step, tables)[0] if tables else step
    return _show(_adjoint(step) if stage == "adjoint" else step, form)


def _adjoint(step: Step) -> passes.Program:
    return passes.run(step, passes.PIPELINES["adjoint"])


def _show(program: Any, form: str) -> str:
    if form == "json":
        from birc.ir.json_form import to_json

        return json.dumps(to_json(program), indent=1, ensure_ascii=False)
    if form == "dot":
        from birc.ir.dot import to_dot

        parts = program.items if isinstance(program, Module) else (program,)
        return "\n".join(to_dot(p) for p in parts if isinstance(p, (Model, Step)))
    return print_module((*program.items, *program.checks) if isinstance(program, Module) else (program,))


def explain(
    file: str | Path | Loaded,
    *,
    model: str | None = None,
    solver: str | Sequence[str] | None = None,
    skip: Iterable[str] = (),
    tables: str | None = None,
    spikes: str | None = None,
) -> list[Explained]:
    """The solver of each variable of a model, and the tables asked for, each with the reason and the line."""
    item = choose(load(file), model)[0]
    if isinstance(item, Network):
        return explain_network(item, solver, skip, tables)
    lowered, step = lower(item, solver, without(skip, tables), spikes=spikes)
    places = {o.state: o.span.where if o.span else "" for o in lowered.odes}
    rows = []
    guards = {g.state for g in step.guards}
    for block in step.blocks:
        for state in block.states:
            guard = "; inner stages see it at most at the threshold (runaway guard)" if state in guards else ""
            rows.append(Explained(state, block.method, block.reason + guard, places.get(state, "")))
    rows += [Explained(r.state, "step", "given by its `step` rule", r.span.where if r.span else "") for r in lowered.step_rules]
    moved = {r.variable for r in rows}
    rows += [
        Explained(s.name, "constant", "no equation: changes only at events", s.span.where if s.span else "")
        for s in lowered.states
        if s.name not in moved
    ]
    made = with_tables(step, tables)[0].tables if tables else ()
    return rows + [Explained(t.name, "table", words_of_table(t, step), places.get(t.slot, "")) for t in made]


def run(file: str | Path | Loaded, duration: str | float, *, target: str = "numpy", **options: Any) -> Any:
    """Compile and run in one call; options of `compile` and of what it gives together. Gives a `Result`, or a `NetworkResult`."""
    names = ("model", "dt", "dtype", "solver", "skip", "preset", "neuron_type", "tables", "spikes")
    first = {k: options.pop(k) for k in names if k in options}
    return compile(file, target, **first).run(duration, **options)


def verify(
    file: str | Path | Loaded,
    targets: Sequence[str] | None = None,
    *,
    model: str | None = None,
    preset: str | None = None,
    dt: str = DT,
    dtype: Dtype = "f64",
    solver: str | Sequence[str] | None = None,
    skip: Iterable[str] = (),
    duration: str | None = None,
    n: int | None = None,
    seed: int | None = None,
    params: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    tables: str | None = None,
    spikes: str | None = None,
) -> list[Report]:
    """Compare targets (all of them, if none are named) with the reference, for one model of a file or for each that can run.

    With `tables`, target and reference have the same, and a report of its own says how far the tables move each state in one step.

    Behind a target stand the programs that read its files, each with a report of its own, where the target takes the model.
    """
    loaded = load(file)
    names = target_names() if targets is None else targets
    backends = [load_backend(name) for name in names]
    item, named = choose(loaded, model) if loaded.step is None else (None, None)
    if isinstance(item, Network):
        h = step_length(dt)
        steps = count_steps(duration, h)[0] if duration else NETWORK_STEPS
        lowered = lower_network(with_parameters(item, params, preset or named), solver, without(skip, tables))
        lowered = network_with_tables(lowered, tables)[0] if tables else lowered
        return [verify_network(lowered, b, h=h, dtype=dtype, steps=steps, seed=seed or 0, dt=dt) for b in backends]
    programs = _programs(loaded, model, preset, solver, without(skip, tables), spikes)
    reports: list[Report] = []
    done = 0
    for name, program, chosen in programs:
        if tables and isinstance(program, Step):
            exact, program = program, with_tables(program, tables)[0]
            if program is not exact:
                reports.append(verify_tables(exact, program, dt=dt, duration=duration, n=n, seed=seed or 0, params=params, preset=chosen))
        case: Case | None = None
        for backend in backends:
            if isinstance(program, Diagnostic):
                head = Report(backend.name, name, "refused", dt=dt, dtype=dtype)
                reports.append(replace(head, reason=program.message, span=program.span, detail=str(program)))
            else:
                case = case or Case(program, dt=dt, duration=duration, n=n, seed=seed or 0, params=params, preset=chosen)
                reports += verify_all(case, backend, dtype=dtype, skip=skip, gradients=targets is not None)
            done += 1
            if progress is not None:
                progress(done, len(programs) * len(backends))
    return reports


def _programs(
    loaded: Loaded,
    model: str | None,
    preset: str | None,
    solver: str | Sequence[str] | None,
    skip: Iterable[str],
    spikes: str | None,
) -> list[tuple[str, Step | Diagnostic, str | None]]:
    """(name, step program, preset) of a model, or of all in a file that stand by themselves; for what is not lowered yet, why."""
    if loaded.step is not None:
        return [(loaded.step.name, loaded.step, preset)]
    if model is not None or not any(_stands_alone(item) for item in loaded.module.items):
        item, named = choose(loaded, model)
        chosen = [(item, preset or named)]
    else:
        chosen = [(item, preset) for item in loaded.module.items if _stands_alone(item)]
    found: list[tuple[str, Step | Diagnostic, str | None]] = []
    for item, name in chosen:
        try:
            found.append((item.name, lower(item, solver, skip, spikes=spikes)[1], name))
        except BircError as refusal:
            if refusal.code != "L112":
                raise
            found.append((item.name, refusal.diagnostics[0], name))
    return found


def _stands_alone(item: Item) -> bool:
    """Channels and synapses are verified inside what uses them."""
    return not isinstance(item, Model) or item.kind in ("neuron", "astrocyte")
