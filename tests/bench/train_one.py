"""One engine of Keras: forward passes and training steps of several models, in turns, in one process on one thread.

`KERAS_BACKEND=… python -m tests.bench.train_one CASE ROUNDS` prints JSON: by model, [forward, training step] in seconds of the processor.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import time
from itertools import pairwise
from typing import Any

for threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[threads] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import keras  # noqa: E402
import numpy as np  # noqa: E402

import birc  # noqa: E402
from tests.bench.train_peers import peers  # noqa: E402

STEPS, BATCH, SIZES = 50, 64, (784, 256, 128, 10)
LIF = {"tau_m": 9.5, "R": 10.0, "t_ref": 0, "use_bias": True}
"""A step of 1 ms keeps 0.9 of the potential and adds the input about as it is."""
SETTLE = 0.2
"""Seconds between two models: what the one before kept is freed by another thread when its step has long returned."""
DRIVES = {"adex": (0.1, 900.0), "hodgkin_huxley": (0.05, 20.0)}
"""The step in ms, and the current, of single layers of 256 neurons."""

Model = Any


def engine() -> str:
    """The package that Keras computes with, held to one thread."""
    name: str = keras.backend.backend()
    if name == "torch":
        importlib.import_module("torch").set_num_threads(1)
    return name


def dense() -> Model:
    """The network of plain neurons over the same steps."""
    layers = [keras.layers.Dense(n, activation="relu") for n in SIZES[1:-1]]
    return network([*layers, keras.layers.Dense(SIZES[-1])])


def spiking(fused: bool, **options: Any) -> Model:
    """The network of spiking ones."""
    made = birc.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    return network([made.layer(units=n, fused=fused, **LIF, **options) for n in SIZES[1:]])


def network(layers: list[Any]) -> Model:
    """Layers, then a mean over time, with the same weights to start from."""
    model = keras.Sequential([keras.layers.Input((STEPS, SIZES[0])), *layers, keras.layers.GlobalAveragePooling1D()])
    rng = np.random.default_rng(1)
    for w in (w for w in model.trainable_weights if len(w.shape) == 2):
        w.assign((rng.standard_normal(w.shape) / np.sqrt(w.shape[0])).astype(np.float32))
    return compiled(model, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def alone(name: str, fused: bool) -> Model:
    """One layer of 256 neurons that are driven directly."""
    made = birc.compile_model(name, target="keras", dt=f"{DRIVES[name][0]} ms", dtype="f32")
    layer = made.layer(fused=fused, learn=[next(p.name for p in made.step.params)])
    return compiled(keras.Sequential([keras.layers.Input((100, 256)), layer]), keras.losses.MeanSquaredError())


def compiled(model: Model, loss: Any) -> Model:
    """Ready to be trained."""
    model.compile(keras.optimizers.Adam(1e-3), loss)
    return model


def spikes(density: float) -> tuple[Any, Any]:
    """Inputs with a share of ones, and labels."""
    rng = np.random.default_rng(0)
    return (rng.random((BATCH, STEPS, SIZES[0])) < density).astype(np.float32), rng.integers(0, SIZES[-1], BATCH).astype(np.int32)


def currents(name: str) -> tuple[Any, Any]:
    """Currents for a single layer, and what it is to fire."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, DRIVES[name][1], (BATCH, 100, 256)).astype(np.float32)
    return x, (rng.random(x.shape) < 0.1).astype(np.float32)


def models(case: str) -> tuple[dict[str, Model], tuple[Any, Any]]:
    """The models of a case, and their data."""
    portable = [*(("sweep",) if keras.backend.backend() != "torch" else ()), "loop"]
    if case in DRIVES:
        return {"fused": alone(case, True), **{name: alone(case, False) for name in portable}}, currents(case)
    networks = {"dense": dense(), "fused": spiking(True), **{name: spiking(False) for name in portable}}
    others = peers(SIZES, STEPS) if keras.backend.backend() == "torch" else {}
    return networks | others, spikes(float(case))


def timed(models: dict[str, Model], data: tuple[Any, Any], rounds: int) -> dict[str, list[float]]:
    """The median of each model's forward pass and training step, all in turns."""
    x, y = (keras.ops.convert_to_tensor(a) for a in data)  # or the copying of the data would be part of the times
    found: dict[str, list[list[float]]] = {name: [] for name in models}
    for _ in range(rounds + 1):
        for name, model in models.items():
            os.environ["BIRC_SWEEP"] = "0" if name == "loop" else "1"  # read where a model is traced
            time.sleep(SETTLE)
            marks = [time.process_time()]
            model.predict_on_batch(x)
            marks.append(time.process_time())
            model.train_on_batch(x, y)
            marks.append(time.process_time())
            found[name].append([b - a for a, b in pairwise(marks)])
    return {name: [statistics.median(row[i] for row in rows[1:]) for i in (0, 1)] for name, rows in found.items()}


def kept(model: Model, data: tuple[Any, Any]) -> int:
    """Bytes that torch keeps for the way back through a model, inputs and weights apart; each storage counts once."""
    torch = importlib.import_module("torch")
    x = keras.ops.convert_to_tensor(data[0])
    known = {t.untyped_storage().data_ptr() for t in (x, *(w.value for w in model.weights))}
    held: dict[int, Any] = {}

    def pack(t: Any) -> Any:
        if t.untyped_storage().data_ptr() not in known:
            held[t.untyped_storage().data_ptr()] = t
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        out = model(x, training=True)
    del out
    return sum(t.untyped_storage().nbytes() for t in held.values())


def main(case: str, rounds: int) -> None:
    """Print the figures of a case."""
    versions = {name: importlib.import_module(name).__version__ for name in ("keras", engine())}
    ready, data = models(case)
    rate = float(np.mean(keras.ops.convert_to_numpy(ready["fused"].layers[0](data[0]))))
    sizes = {}
    if engine() == "torch" and case not in DRIVES:
        sizes = {name: kept(model, data) for name, model in ready.items() if name in ("dense", "fused")}
    print(json.dumps({"kept": sizes, "versions": versions, "rate": rate, "seconds": timed(ready, data, rounds)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
