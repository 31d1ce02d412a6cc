"""Step programs written by hand, and the interpreter run over a job as the judge of backends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Dtype, Events, Job, Spikes
from birc.errors import Source, Span
from birc.ir.evaluate import Moment, interpret
from birc.ir.expr import Expr, const, make, op, value
from birc.ir.random import normal
from birc.ir.step import Carry, Define, Deliver, Emit, Noise, Phase, Port, Put, Slot, Step, Store
from birc.units import ONE

Array = npt.NDArray[Any]

SOURCE = Source("lif.birc", "neuron LIF:\n" + "    line\n" * 20)


def at(line: int) -> Span:
    """A place in an imagined source."""
    return Span(SOURCE, line, 5, line, 9)


def load(name: str) -> Expr:
    """A slot at stamp k."""
    return make("load", (), name)


def lif() -> Step:
    """A leaky neuron with refractoriness, noise, a summing port, one whose events act one by one, a flag and an output."""
    v = value
    flow = (
        Define("v", load("v"), at(5)),
        Define(".r", load("refractory")),
        Define(".busy", op("gt", v(".r"), const(0))),
        Define(
            "v.0",
            op("add", op("add", op("mul", v(".P"), v("v")), op("mul", v(".Q"), v("I"))), op("mul", v("sigma"), make("normal", (), "xi:0"))),
            at(6),
        ),
        Define("v.1", op("select", v(".busy"), v("v"), v("v.0"))),
        Define("u.1", op("add", op("mul", const(0.9), load("u")), op("mul", v("sigma"), make("normal", (), "xi:1")))),
    )
    exc = Deliver("exc", "w", True, (Define("v.2", op("select", v(".busy"), v("v.1"), op("add", v("v.1"), v("w")))),), (), at(8))
    jump = Define("v.4", op("add", v("v.3"), op("mul", v("a"), op("sub", const(2.0), v("v.3")))))
    inh = Deliver("pull", "a", False, (jump,), (Carry("v.3", v("v.2"), v("v.4"), "v.5"),), at(9))
    reset = (
        Store("v", op("select", v(".fired"), v("v_reset"), v("v.5")), at(11)),
        Store("refractory", op("select", v(".fired"), v(".n_ref"), op("max", op("sub", v(".r"), const(1)), const(0)))),
        Store("u", v("u.1")),
        Store("above", op("gt", v("v.5"), v("u.1"))),
    )
    test = (Define(".fired", op("and", op("ge", v("v.5"), v("v_th")), op("not", v(".busy"))), at(10)),)
    return Step(
        "LIF",
        (),
        (
            Slot("v", "real", ONE, ".init"),
            Slot("refractory", "int", ONE, ".zero"),
            Slot("u", "real", ONE, ".init"),
            Slot("above", "bool", ONE, ".off"),
        ),
        (Port("I", ONE),),
        (Port("exc", ONE), Port("pull", ONE)),
        (Port("y", ONE),),
        (Noise("xi", 2),),
        (
            Define(".P", const(0.95)),
            Define(".Q", const(0.05)),
            Define("sigma", const(0.01)),
            Define("v_th", const(1.0)),
            Define("v_reset", const(0.0)),
            Define(".n_ref", const(20)),
            Define(".init", const(0.0)),
            Define(".zero", const(0)),
            Define(".off", const(False)),
        ),
        (
            Phase("input", (Define("I", make("read", (), "I")),)),
            Phase("flow", flow),
            Phase("deliver", (exc, inh)),
            Phase("test", test),
            Phase("reset", reset),
            Phase("emit", (Emit(v(".fired")), Put("y", op("add", op("mul", const(2.0), v("v.5")), const(0.1))))),
        ),
        doc="A leaky neuron.",
    )


def arrivals(n: int, steps: int, rate: float, seed: int) -> Events:
    """Random events, several to one neuron in one step among them."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate, steps)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return Events(offsets, rng.integers(0, n, offsets[-1]).astype(np.int32), rng.uniform(0, 0.3, offsets[-1]))


def lif_job(n: int, steps: int, dtype: Dtype, **changes: Any) -> Job:
    """A job for `lif` with events, noise and everything recorded."""
    real = FLOATS[dtype]
    job = Job(
        n,
        start=0,
        steps=steps,
        bind={".P": 0.95, ".Q": 0.05, "sigma": 0.01, "v_th": 1.0, "v_reset": 0.0, ".n_ref": 3},
        state={"v": np.zeros(n, real), "refractory": np.zeros(n, np.int32), "u": np.zeros(n, real), "above": np.zeros(n, np.bool_)},
        inputs={"I": np.linspace(0.5, 2.0, n)[None]},
        events={"exc": arrivals(n, steps, n / 20, 1), "pull": arrivals(n, steps, n / 10, 2)},
        record={"v": np.zeros((steps, n), real), "y": np.zeros((steps, n), real), "above": np.zeros((steps, n), np.bool_)},
        seed=0x123456789ABCDEF0,
        streams={"xi": 77},
    )
    return replace(job, **changes)


def copy(job: Job) -> Job:
    """The same job with arrays of its own for what is written."""
    return replace(job, state={k: a.copy() for k, a in job.state.items()}, record={k: a.copy() for k, a in job.record.items()})


def interpreted(step: Step, job: Job, dtype: Dtype) -> Spikes:
    """Run a job with the interpreter."""
    real = FLOATS[dtype]
    index, stamps = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    row = 0
    for j in range(job.steps):
        k = job.start + j

        def draw(noise: str, lane: int, k: int = k) -> Array:
            return normal(job.seed, job.streams[noise], k, np.arange(job.n), lane)

        events = {p: (e.index[e.offsets[j] : e.offsets[j + 1]], e.payload[e.offsets[j] : e.offsets[j + 1]]) for p, e in job.events.items()}
        inputs = {p: np.broadcast_to(a[j if len(a) > 1 else 0], job.n) for p, a in job.inputs.items()}
        outcome = interpret(step, Moment(job.n, job.bind, job.state, inputs, events, draw, real))
        for name, array in outcome.state.items():
            job.state[name][:] = array
        fired = np.flatnonzero(outcome.fired).astype(np.int32)
        index.append(fired)
        stamps.append(np.full(len(fired), k + 1, np.int64))
        if (k + 1) % job.every == 0:
            for name, rows in job.record.items():
                rows[row] = job.state[name] if name in job.state else outcome.outputs[name]
            row += 1
    return Spikes(np.concatenate(index), np.concatenate(stamps))


def same(a: Job, b: Job) -> None:
    """Assert that two jobs ended alike, bit for bit (NaN equals NaN)."""
    for kind in ("state", "record"):
        left, right = getattr(a, kind), getattr(b, kind)
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name], err_msg=f"{kind} {name}")
