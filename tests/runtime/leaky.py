"""A small step program and a runner that interprets it, so that the runtime is tested without any backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import Dtype, Job, Spikes
from birc.ir.evaluate import Moment, interpret
from birc.ir.expr import Expr, const, make, op, value
from birc.ir.model import Param, Preset, Range
from birc.ir.random import normal
from birc.ir.step import Define, Deliver, Emit, Noise, Phase, Port, Put, Slot, Step, Store
from birc.units import ONE, parse_unit

Array = npt.NDArray[Any]
MS, MV, NA, V = (parse_unit(u) for u in ("ms", "mV", "nA", "V"))
INF = float("inf")


def leaf(kind: str, name: str) -> Expr:
    return make(kind, (), name)


def param(name: str, unit: Any, default: float | Expr, range: Range | None = None) -> Param:
    return Param(name, unit, default if isinstance(default, Expr) else const(default), range)


LEAKY = Step(
    name="Leaky",
    params=(
        param("tau", MS, 10.0, Range(0.0, INF, False, False)),
        param("gain", MS, op("mul", const(2.0), leaf("var", "tau"))),
        param("v_th", MV, 15.0),
        param("t_ref", MS, 0.0),
        param("sigma", MV, 0.0),
        param("growth", ONE, 0.0),
        param("top", MV, INF),
    ),
    slots=(
        Slot("v", "real", MV, ".init.v", -100.0, 100.0),
        Slot("u", "real", V, ".init.u"),
        Slot("refractory", "int", ONE, ".init.refractory"),
    ),
    inputs=(Port("I", NA), Port("drift", ONE)),
    events=(Port("exc", MV), Port("tick", ONE)),
    outputs=(Port("double", V),),
    noises=(Noise("xi", 1),),
    bind=(
        Define(".h", make("step_size")),
        *(Define(n, leaf("param", n)) for n in ("tau", "gain", "v_th", "t_ref", "sigma", "growth", "top")),
        Define(".P", op("exp", op("neg", op("div", value(".h"), value("tau"))))),
        Define(".Q", op("sub", const(1.0), value(".P"))),
        Define(".n_ref", op("steps", value("t_ref"), value(".h"))),
        Define(".init.v", const(0.0)),
        Define(".init.u", op("mul", const(2.0), value(".init.v"))),
        Define(".init.refractory", const(0)),
    ),
    phases=(
        Phase("input", (Define("I", leaf("read", "I")), Define("drift", leaf("read", "drift")))),
        Phase(
            "flow",
            (
                Define("v", leaf("load", "v")),
                Define("u", leaf("load", "u")),
                Define(".r", leaf("load", "refractory")),
                Define("v.1", op("add", op("mul", value(".P"), value("v")), op("mul", value(".Q"), value("I")))),
                Define("v.2", op("add", value("v.1"), op("mul", value("sigma"), leaf("normal", "xi:0")))),
                Define("u.1", op("add", value("u"), op("mul", value("u"), value("growth")))),
                Define("u.2", op("add", value("u.1"), value("drift"))),
            ),
        ),
        Phase("deliver", (Deliver("exc", "exc.w", True, (Define("v.3", op("add", value("v.2"), value("exc.w"))),), ()),)),
        Phase(
            "test",
            (
                Define(".ready", op("le", value(".r"), const(0))),
                Define(".fired", op("and", op("ge", value("v.3"), value("v_th")), value(".ready"))),
            ),
        ),
        Phase(
            "reset",
            (
                Define("v.4", op("select", value(".fired"), const(0.0), value("v.3"))),
                Define(".left", op("max", op("sub", value(".r"), const(1)), const(0))),
                Store("v", value("v.4")),
                Store("u", value("u.2")),
                Store("refractory", op("select", value(".fired"), value(".n_ref"), value(".left"))),
            ),
        ),
        Phase("emit", (Emit(value(".fired")),)),
        Phase("record", (Put("double", op("mul", const(2.0), value("v.4"))),)),
    ),
    presets=(Preset("slow", (("tau", const(50.0)),)),),
)
"""v decays with `tau` towards I (nA, taken as pA times a resistance of 1 Gohm), jumps by `exc` and fires at `v_th`; `u` (V) grows by
`growth` and `drift` at each step; the output `double` is 2 v."""


class Interpreter:
    """Runs jobs with the interpreter, and remembers them."""

    def __init__(self, step: Step = LEAKY, dtype: Dtype = "f64") -> None:
        self.step = step
        self.real = {"f64": np.float64, "f32": np.float32}[dtype]
        self.jobs: list[Job] = []

    def run(self, job: Job) -> Spikes:
        self.jobs.append(job)
        index, stamps, row = [], [], 0
        for k in range(job.steps):
            stamp = job.start + k + 1
            outcome = interpret(self.step, self._moment(job, k))
            for name, array in outcome.state.items():
                job.state[name][...] = array
            fired = np.flatnonzero(outcome.fired).astype(np.int32)
            index.append(fired)
            stamps.append(np.full(len(fired), stamp, dtype=np.int64))
            if stamp % job.every == 0:
                for name, rows in job.record.items():
                    rows[row] = job.state[name] if name in job.state else outcome.outputs[name]
                row += 1
        for name, rows in job.record.items():
            assert len(rows) == row, f"{name} has {len(rows)} rows for {row} stamps"
        return Spikes(np.concatenate(index), np.concatenate(stamps))

    def _moment(self, job: Job, k: int) -> Moment:
        def draw(noise: str, lane: int) -> Array:
            return normal(job.seed, job.streams[noise], job.start + k, np.arange(job.n), lane)

        events = {}
        for name, e in job.events.items():
            here = slice(e.offsets[k], e.offsets[k + 1])
            events[name] = (e.index[here], e.payload[here])
        inputs = {name: np.broadcast_to(rows[k if len(rows) > 1 else 0], (job.n,)) for name, rows in job.inputs.items()}
        return Moment(job.n, job.bind, job.state, inputs, events, draw, self.real)
