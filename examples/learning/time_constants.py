"""Finds the membrane time constants of neurons from noisy traces of their potential; needs `birc[keras]`.

Eight leaky neurons with time constants from 4 to 40 ms get currents too weak to make them fire, as in a recording; birc's NumPy reference
computes their potentials, and a hundredth of the threshold is added as noise. A layer of the same model, which begins with 12 ms for all,
learns one time constant for each neuron until its potentials are the same. The derivative goes through the exact solution of the equation
over a step, so what is learned is the time constant itself, in ms, whatever the step.

    python examples/learning/time_constants.py
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

import birc
from birc.nn import LIFNeuron

Array = npt.NDArray[Any]
KNOWN = (4.0, 6.0, 9.0, 13.0, 18.0, 25.0, 32.0, 40.0)
START = 12.0
STEPS, SAMPLES = 200, 16
NOISE = 0.01
EPOCHS = 200
FIGURE = Path("out/learning_time_constants.png")


@dataclass(frozen=True)
class Found:
    """Time constants in ms: [neurons] known and found, [epochs + 1, neurons] on the way."""

    known: Array
    found: Array
    course: Array

    @property
    def error(self) -> float:
        """The largest part by which one is missed."""
        return float(np.max(np.abs(self.found / self.known - 1)))


def currents(random: np.random.Generator) -> Array:
    """[SAMPLES, STEPS, neurons]: a level for each sample and neuron that changes every ten steps; the threshold is 1."""
    levels = random.normal(0.0, 0.3, (SAMPLES, STEPS // 10, len(KNOWN)))
    return levels.repeat(10, axis=1).astype("float32")


def traces(current: Array) -> Array:
    """Potentials [SAMPLES, STEPS, neurons] at the ends of the steps."""
    samples, steps, neurons = current.shape
    by_step = current.transpose(1, 0, 2).reshape(steps, samples * neurons)
    model = birc.compile("lif_unit", target="numpy", dt="1 ms")
    out = model.run(f"{steps} ms", n=samples * neurons, params={"tau_m": np.tile(KNOWN, samples)}, inputs={"I": by_step}, record=["v"])
    potentials: Array = out.v.reshape(steps, samples, neurons).transpose(1, 0, 2)
    return potentials


def main(epochs: int = EPOCHS) -> Found:
    """Learn, and print each time constant beside the one that made the traces."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    current = currents(random)
    wanted = (traces(current) + random.normal(0, NOISE, current.shape)).astype("float32")
    layer = LIFNeuron(membrane_time_constant=START / 1000, learnable_parameters=["tau_m"], per_feature=True, output="v")
    model = keras.Sequential([keras.Input(current.shape[1:]), layer])
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2.0, epochs)), "mse")
    course = [np.full(len(KNOWN), START)]

    def look(epoch: int, logs: dict[str, float]) -> None:
        course.append(keras.ops.convert_to_numpy(layer.trainable_weights[0]))

    watch = keras.callbacks.LambdaCallback(on_epoch_end=look)
    model.fit(current, wanted, batch_size=SAMPLES, epochs=epochs, shuffle=False, verbose=0, callbacks=[watch])
    found = Found(np.array(KNOWN), course[-1], np.array(course))
    print("known (ms)  found (ms)")
    for a, b in zip(found.known, found.found, strict=True):
        print(f"{a:>10.1f}  {b:>10.2f}")
    print(f"the worst is off by {found.error:.2%}")
    draw(found)
    return found


def draw(found: Found) -> None:
    """How the time constants come to their values."""
    if find_spec("matplotlib") is None:
        return
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for i, known in enumerate(found.known):
        axes.axhline(known, color=f"C{i}", linestyle=":")
        axes.plot(found.course[:, i], color=f"C{i}")
    axes.set(xlabel="epoch", ylabel="time constant (ms)")
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
