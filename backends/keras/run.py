"""Run an emitted Keras module: its step as a target to be verified, and its layer."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from birc.backends import FLOATS, Accelerator, Array, Artifact, Job, Spikes
from birc.backends.keras.engines import ENGINES
from birc.backends.keras.names import LAYER
from birc.errors import BircError
from birc.ir.events import rounds, total
from birc.ir.random import normal
from birc.ir.step import Deliver

KINDS = {"int": np.int32, "bool": np.bool_}


def load_keras() -> Any:
    """Keras, on the package that `KERAS_BACKEND` names, or else on one that is installed. Raises X301 where that fails."""
    if "keras" not in sys.modules:
        if "KERAS_BACKEND" not in os.environ and find_spec(ENGINES[0]) is None:
            os.environ["KERAS_BACKEND"] = next((engine for engine in ENGINES if find_spec(engine)), ENGINES[0])
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return importlib.import_module("keras")
    except (ImportError, ValueError) as failure:
        chosen = os.environ.get("KERAS_BACKEND")
        named = f" with KERAS_BACKEND={chosen}" if chosen else ""
        raise BircError(
            "X301", f"Keras does not start{named}: {failure}", help='pip install "birc[keras]", and no KERAS_BACKEND'
        ) from failure


def load_module(artifact: Artifact) -> ModuleType:
    """The emitted module, imported under a name of its own; the same text is imported once for each number type.

    The text tells modules apart, as one of a step without its derivative is another than the one that has it.
    """
    floatx = load_keras().config.floatx()
    ((file, text),) = artifact.files.items()
    assert isinstance(text, str)
    layer = str(artifact.manifest["layer"])
    name = f"birc_keras_{layer}_{hashlib.sha256(text.encode()).hexdigest()[:12]}_{floatx}"
    if name not in sys.modules:
        module = ModuleType(name)
        module.__file__ = f"<birc {file}>"
        sys.modules[name] = module
        try:
            exec(compile(text, module.__file__, "exec"), module.__dict__)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def accelerate(artifact: Artifact, make: Accelerator) -> None:
    """Give the module what runs all steps of its layers at once, if `make` has it; in float64 its loop over time stays."""
    module, keras = load_module(artifact), load_keras()
    if module.FUSED is None and module.REAL == "float32":
        module.__dict__["FUSED"] = make(artifact, keras.backend.backend(), keras.ops)


def make_layer(
    artifact: Artifact, params: Mapping[str, object], options: Mapping[str, object], number: Callable[[str, str], float]
) -> object:
    """The module's layer. Among `options`, a parameter goes by its name in the model unless an option has it, or by its argument.

    Raises I301 for an option that does not fit.
    """
    module = load_module(artifact)
    arguments: Mapping[str, str] = artifact.manifest["arguments"]
    parameters = {argument: name for name, argument in arguments.items()}
    given: dict[str, object] = {arguments[name]: value for name, value in params.items()}
    for name, value in options.items():
        argument = arguments[name] if name in arguments and name not in LAYER else name
        if argument in options and argument != name:
            raise BircError("I301", f"layer of `{artifact.step.name}`: {name} and {argument} are the same parameter")
        given[argument] = value
    for argument, value in given.items():
        if argument in parameters and isinstance(value, str):
            given[argument] = number(parameters[argument], value)
    try:
        layer: object = getattr(module, str(artifact.manifest["layer"]))(**given)
    except module.LayerError as mistake:
        raise BircError("I301", f"layer of `{artifact.step.name}`: {mistake}") from None
    return layer


LONG = 50
"""Steps from which on a graph of the step is made."""


class KerasRunner:
    """Executes the module's `step` once per step.

    In float32 the step is compiled as it is when a layer runs; in float64 op by op, because a compiler may contract what the program
    keeps apart, and then nothing would be said about the program. TensorFlow's graph, when it is told not to improve it, is op by op too.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._names: Mapping[str, str] = artifact.manifest["names"]
        self._program = artifact.step
        self._real = FLOATS[artifact.dtype]
        self._float = np.dtype(self._real).name
        with _number_type(self._float):
            self._module = load_module(artifact)
        self._summing = {s.port: s.summing for _, s in artifact.step.statements() if isinstance(s, Deliver)}
        self._call = self._compiled()

    def _advance(self, bind: Any, state: Any, inputs: Any, events: Any, draws: Any) -> tuple[Any, Any, Any]:
        after, fired, _, outputs = self._module.step(bind, state, inputs, events, draws, self._module.Hard())
        return after, {} if fired is None else {"fired": fired}, outputs

    def _compiled(self) -> Callable[..., Any]:
        engine = load_keras().backend.backend()
        if engine == "jax" and self._real == np.float32:
            compiled: Callable[..., Any] = importlib.import_module("jax").jit(self._advance)
            return compiled
        if engine == "tensorflow":
            compiled = importlib.import_module("tensorflow").function(self._advance, autograph=False)
            return compiled
        return self._advance

    def run(self, job: Job) -> Spikes:
        """Run a job step by step."""
        with _number_type(self._float), np.errstate(all="ignore"):
            if self._real == np.float32:
                return self._run(job, self._call)
            with _as_written():
                return self._run(job, self._call if job.steps >= LONG else self._advance)

    def _bind(self, job: Job) -> dict[str, Any]:
        """In float64 as tensors of one value per neuron: XLA divides by one number for all by taking the product with its reciprocal."""
        module, tensor = self._module, load_keras().ops.convert_to_tensor
        bind = {self._names[n]: np.asarray(module.number(v)) for n, v in job.bind.items() if self._names.get(n) in module.NEEDS}
        return {name: tensor(value if self._real == np.float32 else np.broadcast_to(value, job.n)) for name, value in bind.items()}

    def _run(self, job: Job, call: Callable[..., Any]) -> Spikes:
        keras = load_keras()
        to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor
        bind, state = self._bind(job), {slot: tensor(values) for slot, values in job.state.items()}
        most = _most_rounds(job, self._summing)
        index: list[Array] = [np.zeros(0, np.int32)]
        stamps: list[Array] = [np.zeros(0, np.int64)]
        row = 0
        for j in range(job.steps):
            stamp = job.start + j + 1
            inputs = {p: a[j if len(a) > 1 else 0].astype(self._real) for p, a in job.inputs.items()}
            events = {p: self._events(job, p, j, most.get(p, 0)) for p in job.events}
            draws = {f"{n.name}:{lane}": self._draw(job, n.name, stamp - 1, lane) for n in self._program.noises for lane in range(n.lanes)}
            # Tensors before anything is computed, or NumPy would take part.
            after, fired, outputs = call(bind, state, *keras.tree.map_structure(tensor, (inputs, events, draws)))
            state = {**state, **after}
            if fired:
                who = np.flatnonzero(np.broadcast_to(to_numpy(fired["fired"]), job.n))
                index.append(who.astype(np.int32))
                stamps.append(np.full(len(who), stamp, np.int64))
            if job.record and stamp % job.every == 0:
                for name, rows in job.record.items():
                    rows[row] = to_numpy(state[name] if name in job.state else outputs[name])
                row += 1
        for slot, values in state.items():
            job.state[slot][:] = to_numpy(values)
        return Spikes(np.concatenate(index), np.concatenate(stamps))

    def _events(self, job: Job, port: str, j: int, most: int) -> Any:
        """The sum of a port's events, or `most` rounds of them, the last ones empty."""
        e = job.events[port]
        low, high = e.offsets[j], e.offsets[j + 1]
        if self._summing.get(port, True):
            return total(e.index[low:high], e.payload[low:high], job.n, self._real)
        found = list(rounds(e.index[low:high], e.payload[low:high], job.n, self._real))
        nobody = (np.zeros(job.n, np.bool_), np.zeros(job.n, self._real))
        return [*found, *[nobody] * (most - len(found))]

    def _draw(self, job: Job, noise: str, step: int, lane: int) -> Array:
        drawn: Array = normal(job.seed, job.streams[noise], step, np.arange(job.n), lane).astype(self._real)
        return drawn


def _most_rounds(job: Job, summing: Mapping[str, bool]) -> dict[str, int]:
    """The largest number of events that reach one neuron in one step, of each port whose events act one by one."""
    most = {}
    for port, e in job.events.items():
        if not summing.get(port, True) and len(e.index):
            stamp = np.repeat(np.arange(job.steps), np.diff(e.offsets))
            most[port] = int(np.unique(stamp * np.int64(job.n) + e.index, return_counts=True)[1].max())
    return most


@contextmanager
def _number_type(name: str) -> Iterator[None]:
    """Keras makes numbers of this type, for as long."""
    keras = load_keras()
    before = keras.config.floatx()
    keras.config.set_floatx(name)
    try:
        if keras.backend.backend() == "jax" and name == "float64":
            with importlib.import_module("jax").enable_x64(True):
                yield
        else:
            yield
    finally:
        keras.config.set_floatx(before)


@contextmanager
def _as_written() -> Iterator[None]:
    """TensorFlow runs graphs with the ops that stand in them, for as long."""
    if load_keras().backend.backend() != "tensorflow":
        yield
        return
    optimizer = importlib.import_module("tensorflow").config.optimizer
    before = optimizer.get_experimental_options()
    optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        optimizer.set_experimental_options({"disable_meta_optimizer": before.get("disable_meta_optimizer", False)})
