"""One target against the reference, for one step program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from birc import emission, passes
from birc.backends import Array, Backend, Dtype, Emulated, HasReaders, HoldsNumbers, Learns, Runner, SolvesItself
from birc.backends.legality import fuses
from birc.errors import Span
from birc.ir.step import Step
from birc.verification.boundary import edge_divergence
from birc.verification.case import Case, Reference
from birc.verification.compare import differ, undecided, worst_shift
from birc.verification.coverage import unreached
from birc.verification.culprit import ULPS
from birc.verification.divergence import Divergence, explain
from birc.verification.gradients import verify_gradients
from birc.verification.operations import transcendental, worst_operations
from birc.verification.readers import verify_reader
from birc.verification.report import Report, Status
from birc.verification.sensitive import as_often, sensitive, shifts
from birc.verification.trial import Trial, run_free, run_lock_step

LOCK_STEP: dict[str, float] = {"L0": 0.0, "L1": 1e-12, "L2": 1e-5}
FREE_RUNNING: dict[str, float] = {"L0": 0.0, "L1": 1e-9}


def verify_target(step: Step, backend: Backend, *, dtype: Dtype = "f64", skip: Iterable[str] = (), **setting: Any) -> Report:
    """The first of `verify_all`, the target itself, for a case of its own; setting: as `Case` takes it."""
    return verify_all(Case(step, **setting), backend, dtype=dtype, skip=skip)[0]


def verify_all(case: Case, backend: Backend, *, dtype: Dtype = "f64", skip: Iterable[str] = (), gradients: bool = False) -> list[Report]:
    """Lock-step and free-running comparison under the case's stimulus; then every reader of the target's files under the same.

    With `gradients`, every engine of a target that learns is held to the compiler's derivative.

    The reference is NumPy in float64; for the target NumPy, the interpreter. The target alone is given the program behind the passes that
    run for some targets, but for those in `skip`. Raises BircError for parameters that do not fit.
    """
    head = Report(backend.name, case.name, "pass", dt=case.dt, dtype=dtype)
    if isinstance(backend, HoldsNumbers):
        case = case.with_values()
    step = case.step
    refusals = backend.refuse(step, dtype)
    if refusals:
        reason = "; ".join(d.message for d in refusals)
        return [replace(head, status="refused", reason=reason, span=refusals[0].span, detail="\n\n".join(map(str, refusals)))]
    missing = backend.missing()
    if missing is not None:
        return [replace(head, status="unavailable", reason=f"lacks {missing.what}: {missing.how}")]
    if isinstance(backend, Emulated):
        head = replace(head, emulated=backend.emulation())
    reference = case.reference(itself=backend.name == "numpy")
    trials, weaker = case.trials(reference, dtype)
    if not trials:
        return [replace(head, status="not exercised", reason="the reference leaves the finite range in the first step", span=step.span)]
    main = trials[0]
    found = compare(step, backend, reference, dtype, trials, skip)
    if weaker:
        note = f"{weaker} of {case.count} neurons are driven more weakly: the reference in float32 leaves the finite range"
        found = replace(found, note="; ".join(filter(None, (found.note, note))))
    own = _judged(head, step, found, reference, main, case.h)
    artifact = emission.emit(backend, step, dtype)
    if gradients and own.status == "pass" and isinstance(backend, Learns):
        return [own, *verify_gradients(backend, artifact, head, main, case.h)]
    if not isinstance(backend, HasReaders):
        return [own]
    return [own, *(verify_reader(reader, artifact, head, main) for reader in backend.readers)]


def _judged(head: Report, step: Step, found: Comparison, reference: Reference, main: Trial, h: float) -> Report:
    """The report of a comparison."""
    if found.divergence is not None:
        return _failed(head, found, found.divergence, h)
    if found.problem:
        return replace(head, status="fail", worst=found.worst, reason=found.problem, span=found.span)
    grave, light = unreached(step, reference.fast_watch, main)
    reason = f"the stimulus did not reach {', '.join(grave)}" if grave else found.note
    status: Status = "not exercised" if grave else "pass"
    return replace(head, status=status, level=found.level, worst=found.worst, reason=reason, unreached=(*grave, *light))


def _failed(head: Report, found: Comparison, divergence: Divergence, h: float) -> Report:
    """The report of an explained divergence."""
    span = divergence.culprit.span
    return replace(
        head,
        status="fail",
        worst=found.worst,
        where=f"step {divergence.k}, neuron {divergence.neuron}, {divergence.variable}, {divergence.culprit.operation}",
        reason=f"`{divergence.variable}` diverges at step {divergence.k}" + (f", {span.where}" if span else ""),
        span=span,
        step=divergence.k,
        variable=divergence.variable,
        detail=divergence.text(head.model, head.target, h),
    )


@dataclass(frozen=True)
class Comparison:
    """The level reached, the worst lock-step error, and the first divergence or another problem, if any."""

    level: str
    worst: float
    divergence: Divergence | None = None
    problem: str = ""
    span: Span | None = None
    note: str = ""


def compare_runs(runner: Runner, step: Step, dtype: Dtype, trial: Trial) -> Comparison:
    """The free run of a target that solves the equations itself: its spikes, and its states while these are the same."""
    free = run_free(runner, step, dtype, trial.program, trial.stimulus)
    shift = worst_shift(free.fired, trial.trace.fired)
    if shift > (1 if dtype == "f32" else 0):
        return Comparison("", 0.0, problem=f"spikes shift by {shift} steps in a free run", span=step.span)
    drift = differ(free, trial, FREE_RUNNING["L1"] if dtype == "f64" else LOCK_STEP["L2"])
    if shift == 0 and drift.first is not None:
        problem = f"`{drift.first.variable}` of neuron {drift.first.neuron} drifts by {drift.worst:.2g} of its range in a free run"
        return Comparison("", drift.worst, problem=problem, span=step.span)
    return Comparison("L1" if dtype == "f64" else "L2", drift.worst)


def compare(
    step: Step, backend: Backend, reference: Reference, dtype: Dtype, trials: Sequence[Trial], skip: Iterable[str] = ()
) -> Comparison:
    """Lock-step first, then the edges of comparisons, then each transcendental operation, then free-running."""
    runner = backend.load(backend.emit(passes.for_target(step, skip) if fuses(backend, dtype) else step, dtype))
    if isinstance(backend, SolvesItself):
        return compare_runs(runner, step, dtype, trials[0])
    inexact = transcendental(reference.fast_watch)
    wanted = "L2" if dtype == "f32" else backend.levels[dtype] if inexact else "L0"
    bound = LOCK_STEP[wanted]
    allowed = 0.0 if wanted == "L0" else ULPS
    worst, tied, count = 0.0, False, trials[0].stimulus.n
    for trial in trials:
        after = run_lock_step(runner, step, dtype, trial)
        ties = undecided(step, trial, after.fired, max(bound, 1e-15))
        found = differ(after, trial, bound, ties)
        worst, tied = max(worst, found.worst), tied or bool(ties.any())
        if found.first is not None:
            return Comparison("", worst, explain(step, backend, reference.watch, dtype, trial, found.first, free=False, allowed=allowed))
    if dtype == "f64":
        edge = edge_divergence(step, backend, reference, trials[0], allowed)
        if edge is not None:
            return Comparison("", worst, edge)
    if wanted == "L1":
        off = {op: ulp for op, ulp in worst_operations(reference.fast_watch, backend, trials[0]).items() if ulp > ULPS}
        if off:
            shown = ", ".join(f"`{op}` by {ulp:.3g} ulp" for op, ulp in off.items())
            return Comparison("", worst, problem=f"operations are off by more than {ULPS} ulp: {shown}", span=step.span)
    far, loose = 0.0, 0
    for trial in trials:
        free = run_free(runner, step, dtype, trial.program, trial.stimulus)
        if dtype == "f32":
            problem, chaotic = _shifted(free.fired, reference, step, trial)
            if problem:
                return Comparison("", worst, problem=problem, span=step.span)
            loose = max(loose, chaotic)
            continue
        drift = differ(free, trial, FREE_RUNNING[wanted])
        far = max(far, drift.worst)
        if drift.first is not None:
            return Comparison("", worst, explain(step, backend, reference.watch, dtype, trial, drift.first, free=True, allowed=allowed))
    if dtype == "f32":
        note = f"of {loose} of {count} neurons only how often they fire is compared: roundings move their spikes in the reference too"
        return Comparison("L2", worst, note=note if loose else "")
    return Comparison("L0" if worst == 0.0 and far == 0.0 and not tied else "L1", worst)


def _shifted(fired: Array, reference: Reference, step: Step, trial: Trial) -> tuple[str, int]:
    """What is wrong with the spikes of a float32 run, and of how many neurons they could not be compared one by one."""
    right = trial.trace.fired
    shift = shifts(fired, right)
    if shift.max(initial=0) <= 1:
        return "", 0
    free = sensitive(trial.trace, lambda state: run_free(reference.runner, step, "f64", trial.program, trial.stimulus, state))
    worst = shift[~free].max(initial=0)
    if worst > 1:
        return f"spikes shift by {worst} steps in a free run, more than 1", 0
    if not as_often(fired[:, free], right[:, free]):
        got, expected = int(fired[:, free].sum()), int(right[:, free].sum())
        return f"there are {got} spikes in a free run, not {expected}, of neurons whose spikes roundings move", 0
    return "", int(free.sum())
