"""What the targets are held against, for one step program: its reference runs under the stimulus made for it, made once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property

from birc.backends import Dtype, Runner, load_backend
from birc.ir.step import Step
from birc.runtime import defaults
from birc.runtime.durations import count_steps, step_length
from birc.runtime.simulate import Program, prepare
from birc.verification.expose import COMPARISONS
from birc.verification.narrow import narrowed
from birc.verification.oracle import Oracle
from birc.verification.stimulus import make_stimulus, probes
from birc.verification.trial import Stimulus, Trial, finite_part, run_free
from birc.verification.variety import varied
from birc.verification.watch import Watch, watch

INSTANCES, STEPS = 32, 2000


class Reference:
    """What a target is compared with: NumPy, or for NumPy the interpreter.

    runner: runs the program; watch: shows every operation; fast_watch: the same by NumPy, fast_edges: comparisons and their sides alone.
    """

    def __init__(self, runner: Runner, seen: Watch, fast_watch: Watch, fast_edges: Watch) -> None:
        self.runner, self.watch, self.fast_watch, self.fast_edges = runner, seen, fast_watch, fast_edges


class Case:
    """A step program with parameters, and what drives it.

    dt: a time; duration: of the stimulus (default: 2000 steps); n: neurons (default: 32); params: values by name, as in a run.
    Raises BircError, when it is first asked for its program, for parameters that do not fit.
    """

    def __init__(
        self,
        step: Step,
        *,
        dt: str,
        duration: str | None = None,
        n: int | None = None,
        seed: int = 0,
        params: Mapping[str, object] | None = None,
        preset: str | None = None,
    ) -> None:
        self.step, self.dt, self.duration, self.n, self.seed = step, dt, duration, n, seed
        self.params, self.preset = dict(params or {}), preset
        self.name = f"{step.name}.{preset}" if preset else step.name
        self.h = step_length(dt)
        self.count = n or INSTANCES
        self.trials = cache(self._trials)
        self.reference = cache(self._reference)

    def with_values(self) -> Case:
        """The case of the program in which the parameters' values stand, for targets whose files hold them."""
        step = defaults.with_values(self.step, self.params, self.preset)
        case = Case(step, dt=self.dt, duration=self.duration, n=self.n, seed=self.seed, params=self.params, preset=self.preset)
        case.name = self.name
        return case

    @cached_property
    def steps(self) -> int:
        """Of the stimulus."""
        return STEPS if self.duration is None else count_steps(self.duration, self.h)[0]

    @cached_property
    def fast(self) -> Runner:
        """NumPy."""
        numpy = load_backend("numpy")
        return numpy.load(numpy.emit(self.step, "f64"))

    @cached_property
    def fast_watch(self) -> Watch:
        """NumPy, with every operation shown."""
        return watch(self.step, load_backend("numpy"), "f64")

    @cached_property
    def fast_edges(self) -> Watch:
        """NumPy, with comparisons and their sides shown."""
        return watch(self.step, load_backend("numpy"), "f64", COMPARISONS)

    def _reference(self, *, itself: bool) -> Reference:
        """What targets are compared with; `itself`: NumPy."""
        seen = self.fast_watch
        if itself:
            seen = Watch(Oracle(seen.exposed, "f64"), seen.exposed, seen.points, "f64")
        return Reference(Oracle(self.step, "f64") if itself else self.fast, seen, self.fast_watch, self.fast_edges)

    def program(self, n: int, params: Mapping[str, object] | None = None) -> Program:
        """The program bound for `n` neurons."""
        given = self.params if params is None else params
        return prepare(
            self.fast, self.step, h=self.h, steps=self.steps, dtype="f64", n=n, params=given, preset=self.preset, seed=self.seed, threads=1
        )

    @cached_property
    def main(self) -> Program:
        """The program as it is compared."""
        return self.program(self.count)

    @cached_property
    def stimulus(self) -> Stimulus:
        """What drives it."""
        return make_stimulus(self.step, self.fast, self.main, self.program(probes()), self.steps, self.count, self.seed)

    @cached_property
    def narrow(self) -> tuple[Stimulus, int]:
        """The stimulus for float32, and how many neurons it drives more weakly."""
        numpy = load_backend("numpy")
        return narrowed(self.step, numpy.load(numpy.emit(self.step, "f32")), self.main, self.stimulus)

    def _trials(self, reference: Reference, dtype: Dtype) -> tuple[tuple[Trial, ...], int]:
        """What the reference does, as it is and with parameters that differ between neurons; none where it leaves the finite range in the
        first step. And how many neurons are driven more weakly than in float64."""
        stimulus, weaker = (self.stimulus, 0) if dtype == "f64" else self.narrow
        if dtype == "f32" and not weaker:
            return self.trials(reference, "f64")
        main = finite_part(Trial(self.main, stimulus, run_free(reference.runner, self.step, "f64", self.main, stimulus)))
        if main is None:
            return (), weaker
        more = varied(self.step, reference.runner, main, lambda given: self.program(self.count, given), self.params)
        return (main, *more), weaker
