"""One target against the reference, for one step program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from birc.backends import Array, Backend, Dtype, Runner, load_backend
from birc.errors import Span
from birc.ir.step import Step
from birc.runtime.durations import count_steps, step_length
from birc.runtime.simulate import Program, prepare
from birc.verify.coverage import unreached
from birc.verify.divergence import ULPS, explain
from birc.verify.expose import expose
from birc.verify.operations import transcendental, worst_operations
from birc.verify.oracle import Oracle
from birc.verify.report import Report
from birc.verify.stimulus import make_stimulus, probes
from birc.verify.trial import Stimulus, Trace, job_of, run_free, run_lock_step

INSTANCES, STEPS = 32, 2000
LOCK_STEP: dict[str, float] = {"L0": 0.0, "L1": 1e-12, "L2": 1e-5}
FREE_RUNNING = 1e-9


def verify_target(
    step: Step,
    backend: Backend,
    *,
    dt: str,
    dtype: Dtype = "f64",
    duration: str | None = None,
    n: int | None = None,
    seed: int = 0,
    params: Mapping[str, object] | None = None,
    preset: str | None = None,
) -> Report:
    """Lock-step and free-running comparison under a stimulus made for the model.

    The reference is NumPy in float64; for the target NumPy, the interpreter. Raises BircError for parameters that do not fit.
    """
    name = f"{step.name}.{preset}" if preset else step.name
    head = {"target": backend.name, "model": name, "dt": dt, "dtype": dtype}
    refusals = backend.refuse(step, dtype)
    if refusals:
        reason = "; ".join(f"{d.message}" for d in refusals)
        return Report(**head, status="refused", reason=reason, span=refusals[0].span, detail="\n\n".join(map(str, refusals)))  # type: ignore[arg-type]
    missing = backend.missing()
    if missing is not None:
        return Report(**head, status="unavailable", reason=f"lacks {missing.what}: {missing.how}")  # type: ignore[arg-type]
    h = step_length(dt)
    steps = STEPS if duration is None else count_steps(duration, h)[0]
    numpy = load_backend("numpy")
    fast = numpy.load(numpy.emit(step, "f64"))

    def program_of(count: int, length: int) -> Program:
        return prepare(fast, step, h=h, steps=length, dtype="f64", n=count, params=params, preset=preset, seed=seed, threads=1)

    program = program_of(n or INSTANCES, steps)
    stimulus = make_stimulus(step, fast, program, program_of(probes(), steps), steps, n or INSTANCES, seed)
    reference: Runner = Oracle(step, "f64") if backend.name == "numpy" else fast
    trace = run_free(reference, step, "f64", program, stimulus)
    found = compare(step, backend, dtype, program, stimulus, trace)
    if found.first is not None:
        exposed, _ = expose(step)
        watched: Runner = Oracle(exposed, "f64") if backend.name == "numpy" else numpy.load(numpy.emit(exposed, "f64"))
        k, neuron, variable = found.first
        divergence = explain(step, backend, watched, dtype, program, stimulus, trace, found.first, found.values)
        where = f"step {k}, neuron {neuron}, {variable}, {divergence.operation}"
        reason = f"`{variable}` diverges at step {k}" + (f", {divergence.span.where}" if divergence.span else "")
        detail = divergence.text(name, backend.name, h)
        return Report(
            **head, status="fail", worst=found.worst, where=where, reason=reason, span=divergence.span, detail=detail  # type: ignore[arg-type]
        )  # fmt: skip
    if found.problem:
        return Report(**head, status="fail", level=found.level, worst=found.worst, reason=found.problem, span=_line(step))  # type: ignore[arg-type]
    grave, light = unreached(step, program, stimulus, trace)
    status = "not exercised" if grave else "pass"
    reason = f"the stimulus did not reach {', '.join(grave)}" if grave else ""
    return Report(
        **head, status=status, level=found.level, worst=found.worst, reason=reason, unreached=tuple(grave + light)  # type: ignore[arg-type]
    )  # fmt: skip


def _line(step: Step) -> Span | None:
    return step.span


@dataclass(frozen=True)
class Comparison:
    """The level reached, the worst lock-step error, and the first place beyond the bound, if any."""

    level: str
    worst: float
    first: tuple[int, int, str] | None = None
    values: tuple[float, float] = (0.0, 0.0)
    problem: str = ""


def compare(step: Step, backend: Backend, dtype: Dtype, program: Program, stimulus: Stimulus, trace: Trace) -> Comparison:
    """Lock-step first, then each transcendental operation, then free-running."""
    runner = backend.load(backend.emit(step, dtype))
    inexact = transcendental(step)
    wanted = "L2" if dtype == "f32" else backend.levels[dtype] if inexact else "L0"
    bound = LOCK_STEP[wanted]
    after, fired = run_lock_step(runner, step, dtype, program, stimulus, trace)
    scales = {name: _scale(a) for name, a in trace.states.items()}
    ties = _ties(step, program, stimulus, trace, fired, max(bound, 1e-15))
    errors = {name: np.where(ties, 0.0, _errors(after[name], trace.states[name][1:], scales[name])) for name in after}
    worst = max((float(e.max(initial=0.0)) for e in errors.values()), default=0.0)
    wrong_spike = (fired != trace.fired) & ~ties
    first = _first(errors, wrong_spike, bound)
    if first is not None:
        return Comparison("", worst, first, _values(first, after, fired, trace))
    if wanted == "L1":
        off = {op: ulp for op, ulp in worst_operations(step, backend, program, stimulus, trace).items() if ulp > ULPS}
        if off:
            shown = ", ".join(f"`{op}` by {ulp:.3g} ulp" for op, ulp in off.items())
            return Comparison("", worst, problem=f"operations are off by more than {ULPS} ulp: {shown}")
    free = run_free(runner, step, dtype, program, stimulus)
    if dtype == "f32":
        shift = _worst_shift(free.fired, trace.fired)
        if shift > 1:
            return Comparison("", worst, problem=f"spikes shift by {shift} steps in a free run, more than 1")
        return Comparison("L2", worst)
    if not np.array_equal(free.fired, trace.fired):
        k, neuron = np.argwhere(free.fired != trace.fired)[0]
        return Comparison("", worst, problem=f"free-running spikes differ first at stamp {k + 1}, neuron {neuron}, though each step agrees")
    drift = {n: float(_errors(free.states[n], trace.states[n], scales[n]).max(initial=0.0)) for n in trace.states}
    drift |= {n: float(_errors(free.outputs[n], trace.outputs[n], _scale(trace.outputs[n])).max(initial=0.0)) for n in trace.outputs}
    farthest = max(drift, key=lambda n: drift[n], default="")
    far = drift.get(farthest, 0.0)
    if far > (0.0 if wanted == "L0" else FREE_RUNNING):
        return Comparison("", worst, problem=f"`{farthest}` drifts by {far:.2g} in a free run, though each step agrees")
    return Comparison("L0" if worst == 0.0 and far == 0.0 and not ties.any() else "L1", worst)


def _scale(a: Array) -> float:
    """The largest magnitude of a variable along the reference run."""
    return float(np.abs(np.asarray(a, float)).max(initial=0.0)) or 1.0


def _errors(got: Array, right: Array, scale: float) -> Array:
    """Differences over the variable's scale; infinite where one is NaN."""
    with np.errstate(all="ignore"):
        difference = np.abs(np.asarray(got, float) - np.asarray(right, float)) / scale
    same = np.asarray(got == right)
    return np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))


def _first(errors: Mapping[str, Array], wrong_spike: Array, bound: float) -> tuple[int, int, str] | None:
    """The earliest step (then neuron, then variable in the order of the program) beyond the bound."""
    marked = [*((e > bound, name) for name, e in errors.items()), (wrong_spike, "spike")]
    candidates = [(int(k), int(neuron), i, name) for i, (mask, name) in enumerate(marked) for k, neuron in np.argwhere(mask)[:1]]
    if not candidates:
        return None
    k, neuron, _, name = min(candidates)
    return k, neuron, name


def _values(first: tuple[int, int, str], after: Mapping[str, Array], fired: Array, trace: Trace) -> tuple[float, float]:
    k, neuron, name = first
    if name == "spike":
        return float(fired[k, neuron]), float(trace.fired[k, neuron])
    return float(after[name][k, neuron]), float(trace.states[name][k + 1, neuron])


def _ties(step: Step, program: Program, stimulus: Stimulus, trace: Trace, fired: Array, bound: float) -> Array:
    """Where a spike differs and the reference itself is undecided: it changes its mind when its state moves by the bound."""
    ties = np.zeros_like(fired)
    if bound <= 1e-15:
        return ties
    oracle = Oracle(step, "f64")
    for k in np.unique(np.argwhere(fired != trace.fired)[:, 0]):
        minds = []
        for sign in (-1.0, 1.0):
            state = {}
            for name, a in trace.states.items():
                moved = a[k] if a.dtype.kind != "f" else a[k] + sign * bound * _scale(a)
                state[name] = moved.astype(a.dtype)
            spikes = oracle.run(job_of(program, stimulus.at(int(k)), state, int(k)))
            minds.append(np.isin(np.arange(stimulus.n), spikes.index))
        ties[k] = (fired[k] != trace.fired[k]) & (minds[0] != minds[1])
    return ties


def _worst_shift(got: Array, right: Array) -> int:
    """The largest shift between the j-th spikes of a neuron, in steps; a spike too many or too few may only be the last."""
    worst = 0
    steps = len(got)
    for i in range(got.shape[1]):
        a, b = np.flatnonzero(got[:, i]), np.flatnonzero(right[:, i])
        m = min(len(a), len(b))
        if m:
            worst = max(worst, int(np.abs(a[:m] - b[:m]).max()))
        if len(a) != len(b):
            extra = (a if len(a) > len(b) else b)[m]
            worst = max(worst, steps - int(extra))
    return worst


