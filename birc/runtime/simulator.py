"""One step at a time: a run whose inputs depend on what it does, for closed loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Dtype, Runner
from birc.errors import BircError
from birc.ir.step import Port, Step
from birc.runtime.durations import MOST_STEPS, step_length
from birc.runtime.events import SILENT, EventSource, Rows, spike_list
from birc.runtime.inputs import ZERO, Constant, Continuous, check_names
from birc.runtime.recording import declared_units
from birc.runtime.result import State
from birc.runtime.shown import in_unit
from birc.runtime.simulate import finite, left_range, prepare, start_values
from birc.runtime.values import Setting, numbers, per_neuron
from birc.suggest import closest

Array = npt.NDArray[Any]


class Simulator:
    """`n` neurons that wait for their inputs of each step.

    `sim.step({"I": current})` runs one step and tells who fired; `sim["v"]` is a state or output in its declared unit.
    """

    def __init__(
        self,
        runner: Runner,
        step: Step,
        *,
        dt: str | float,
        dtype: Dtype = "f64",
        n: int | None = None,
        params: Mapping[str, object] | None = None,
        preset: str | None = None,
        init: Mapping[str, object] | None = None,
        seed: int | None = None,
        threads: int | None = None,
        state: State | None = None,
    ) -> None:
        h = step_length(dt)
        self._program = prepare(
            runner, step, h=h, steps=1, dtype=dtype, n=n, params=params, preset=preset, init=init, seed=seed, threads=threads, state=state
        )
        self._values = start_values(self._program, state)
        self._outputs = {port.name: np.zeros((1, self.n), dtype=FLOATS[dtype]) for port in step.outputs}
        self._units = declared_units(step, [*(slot.name for slot in step.slots), *self._outputs])
        self.stamp = self._program.setting.start
        self.warnings = self._program.bound.warnings

    @property
    def n(self) -> int:
        """How many neurons."""
        return self._program.setting.n

    @property
    def dt(self) -> float:
        """The step, in ms."""
        return self._program.setting.h

    @property
    def time(self) -> float:
        """Where the simulation stands, in ms."""
        return self.stamp * self.dt

    @property
    def state(self) -> State:
        """A copy of where the simulation stands; a run can go on from it."""
        values = {name: array.copy() for name, array in self._values.items()}
        return State(self._program.step.name, self.stamp, self.dt, self._program.setting.seed, values)

    def __getitem__(self, name: str) -> Array:
        """A state, or an output at the last step, of each neuron [n], in its declared unit."""
        if name not in self._units:
            near = closest(name, self._units)
            listed = ", ".join(f"`{n}`" for n in self._units)
            raise BircError("I104", f"the model has no state or output `{name}`", help=f"did you mean `{near}`?" if near else listed)
        array = self._outputs[name][0] if name in self._outputs else self._values[name]
        return in_unit(array, self._units[name]).copy()

    def step(self, inputs: Mapping[str, object] | None = None) -> Array:
        """Run one step and tell which neurons fired [n].

        A continuous port takes a quantity, a number or an array [n]; an event port an array [n] in which 0 is no event, or a tuple
        (index, weight). A port that is not given gets nothing in this step.
        """
        program = self._program
        inputs = inputs or {}
        check_names(inputs, (*program.step.inputs, *program.step.events))
        setting = replace(program.setting, start=self.stamp)
        if self.stamp >= MOST_STEPS:
            raise BircError("I141", f"a simulation has at most {MOST_STEPS:.0e} steps, {self.time:g} ms")
        continuous: dict[str, Continuous] = {
            p.name: _held(inputs[p.name], p, setting) if p.name in inputs else ZERO for p in program.step.inputs
        }
        events: dict[str, EventSource] = {
            p.name: _arriving(inputs[p.name], p, setting) if p.name in inputs else SILENT for p in program.step.events
        }
        before = {name: array.copy() for name, array in self._values.items()}
        job = replace(program.job(self._values, self.stamp, 1, continuous, events), record=self._outputs)
        spikes = program.runner.run(job)
        if not finite(self._values, program.step):
            error = left_range(program, before, self.stamp, 1, continuous, events)
            self._values = before
            raise error
        self.stamp += 1
        fired = np.zeros(self.n, dtype=np.bool_)
        fired[spikes.index] = True
        return fired


def _held(given: object, port: Port, setting: Setting) -> Continuous:
    value = per_neuron(given, port.unit, f"input `{port.name}`", setting, port.name, "input")
    return Constant(np.atleast_1d(np.asarray(value, dtype=np.float64)).reshape(1, -1))


def _arriving(given: object, port: Port, setting: Setting) -> EventSource:
    what = f"input `{port.name}`"
    if isinstance(given, tuple):
        if len(given) not in (1, 2):
            raise BircError("I119", f"{what}: the events of one step are (index, weight)")
        index = np.atleast_1d(np.asarray(given[0]))
        now = np.full(index.shape, (setting.start + 1) * setting.h)
        return spike_list(index, now, given[1] if len(given) == 2 else None, port, setting, what)
    array = numbers(given, port.unit, what)
    if array.shape != (setting.n,):
        raise BircError("I110", f"{what} has shape {array.shape}", help=f"give a payload per neuron, ({setting.n},), or (index, weight)")
    return Rows(array.reshape(1, setting.n), setting.start, setting.n)
