"""Reads handwritten digits with spiking neurons, trained by the derivative that the compiler makes; needs `birc[keras]` and scikit-learn.

An image is a current into each input, held for twenty steps of 1 ms; the class is the output neuron that fires most. Of the 1797 images of
8 x 8 pixels, 450 are the test, split off once, each class by its share. Those that are left are learned five times over: as they are, and
moved by a pixel to each side.

    python examples/learning/digits.py --seeds 5
    python examples/learning/digits.py --data mnist
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from birc.nn import SpikingCrossEntropy, create_spiking_classifier

Array = npt.NDArray[Any]
STEPS = 20
HIDDEN = (256, 128)
BATCH = 64
EPOCHS = {"digits": 40, "mnist": 5}
MOVES = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
FIGURE = Path("out/learning_digits.png")


@dataclass(frozen=True)
class Data:
    """Images [n, height, width] in [0, 1] with their digits [n]: those to learn from, and the test."""

    images: Array
    digits: Array
    test_images: Array
    test_digits: Array


@dataclass(frozen=True)
class Learned:
    """What came of one seed: the part of the test read rightly, processor seconds of training, the curves, and the model."""

    seed: int
    accuracy: float
    seconds: float
    history: dict[str, list[float]]
    model: Any


def load(name: str) -> Data:
    """`digits`, which scikit-learn brings along, or `mnist`, which Keras downloads."""
    if name == "mnist":
        return mnist()
    if find_spec("sklearn") is None:
        raise SystemExit("the digits are scikit-learn's: pip install scikit-learn")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, digits = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8).astype("float32") / 16
    x, test_x, y, test_y = train_test_split(images, digits, test_size=450, stratify=digits, random_state=0)
    return Data(np.concatenate([moved(x, *by) for by in MOVES]), np.tile(y, len(MOVES)), test_x, test_y)


def mnist() -> Data:
    """The 60000 images of 28 x 28 pixels and the test of 10000, if Keras has them or can get them."""
    try:
        (x, y), (test_x, test_y) = keras.datasets.mnist.load_data()
    except Exception as reason:  # Keras has no narrower one
        raise SystemExit(f"MNIST cannot be had: {reason}\nput mnist.npz into ~/.keras/datasets, or take --data digits") from None
    return Data(x.astype("float32") / 255, y, test_x.astype("float32") / 255, test_y)


def moved(images: Array, down: int, right: int) -> Array:
    """Images moved by a pixel; what comes in is blank."""
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    height, width = images.shape[1:]
    return wide[:, 1 - down : 1 - down + height, 1 - right : 1 - right + width]


def network(pixels: int) -> Any:
    """Images [batch, pixels] to the rates [batch, 10] of the output neurons."""
    spiking = create_spiking_classifier((pixels,), 10, time_steps=STEPS, hidden_units=HIDDEN)
    return keras.Sequential([keras.Input((pixels,)), keras.layers.RepeatVector(STEPS), spiking])


def rates(model: Any, images: Array) -> Array:
    """What a network says to images [n, pixels]."""
    found: Array = keras.ops.convert_to_numpy(model(images))
    return found


def flat(images: Array) -> Array:
    """[n, pixels]."""
    return images.reshape(len(images), -1)


def learn(data: Data, seed: int, epochs: int) -> Learned:
    """Train a fresh network, and see how much of the test it reads."""
    keras.utils.set_random_seed(seed)
    x, test = flat(data.images), flat(data.test_images)
    model = network(x.shape[1])
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * -(-len(x) // BATCH))
    model.compile(keras.optimizers.Adam(rate), SpikingCrossEntropy(time_steps=STEPS), metrics=["accuracy"])
    began = time.process_time()
    history = model.fit(x, data.digits, batch_size=BATCH, epochs=epochs, verbose=0).history
    seconds = time.process_time() - began
    read = np.concatenate([rates(model, test[at : at + 1000]).argmax(axis=1) for at in range(0, len(test), 1000)])
    return Learned(seed, float(np.mean(read == data.test_digits)), seconds, history, model)


def draw(runs: list[Learned], image: Array) -> None:
    """Curves of training, and the spikes with which the first network reads an image."""
    if find_spec("matplotlib") is None:
        return
    from matplotlib import pyplot

    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(12, 3.5), width_ratios=(2, 1, 3), layout="constrained")
    for run in runs:
        left.plot(run.history["accuracy"], label=f"seed {run.seed}")
    left.set(xlabel="epoch", ylabel="part of the training images read")
    left.legend()
    middle.imshow(image, cmap="gray_r")
    middle.set_axis_off()
    spiking = runs[0].model.layers[-1]
    layers = keras.Model(spiking.inputs[0], [layer.output for layer in spiking.layers[1:-1]])
    below = 0
    for spikes in layers(flat(image[None]).repeat(STEPS, axis=0)[None]):
        step, neuron = np.nonzero(keras.ops.convert_to_numpy(spikes[0]))
        right.scatter(step, below + neuron, s=2, marker="|", linewidths=4)
        below += spikes.shape[-1]
    right.set(xlabel="step", ylabel="neuron, layer upon layer", ylim=(-1, below))
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=120)
    pyplot.close(figure)


def main(seeds: int = 1, data: str = "digits", epochs: int | None = None) -> list[Learned]:
    """Learn with seeds 0, 1, … and print a table of what each came to."""
    found = load(data)
    print("| seed | test images read | processor time of training |\n|---|---|---|", flush=True)
    runs = []
    for seed in range(seeds):
        runs.append(learn(found, seed, epochs or EPOCHS[data]))
        print(f"| {seed} | {runs[-1].accuracy:.2%} | {runs[-1].seconds:.0f} s |", flush=True)
    print(f"| mean | {np.mean([run.accuracy for run in runs]):.2%} | {np.mean([run.seconds for run in runs]):.0f} s |")
    draw(runs, found.test_images[0])
    return runs


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="read handwritten digits with spiking neurons")
    parser.add_argument("--seeds", type=int, default=1, help="how many networks are trained")
    parser.add_argument("--data", choices=tuple(EPOCHS), default="digits")
    parser.add_argument("--epochs", type=int, help="by default what the table in docs/learning.md was made with")
    main(**vars(parser.parse_args()))
