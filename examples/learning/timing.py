"""Tells patterns apart of which only the timing differs, by who fires first; needs `birc[keras]`.

In every sample each of twelve channels fires once. A class is an order of the channels; each spike comes up to two steps too early or too
late, and each sample begins up to eight steps later. So the counts are the same in every class, and what sees nothing but counts cannot do
better than chance: shown by a network that is trained on counts, and by the spiking network itself, given the spikes in scrambled time.

    python examples/learning/timing.py
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from birc.nn import FirstSpikeCrossEntropy, LIFNeuron, SpikeDecoder

Array = npt.NDArray[Any]
CLASSES, CHANNELS, STEPS, SLOT = 4, 12, 50, 3
JITTER, LATE = 2, 8
EPOCHS, BATCH = 25, 50
RATE = 5e-3
FIGURE = Path("out/learning_timing.png")


@dataclass(frozen=True)
class Told:
    """Parts of the test that were told apart, 1 / CLASSES being chance; how often each channel fires, by class [CLASSES, CHANNELS]."""

    by_timing: float
    by_counts: float
    scrambled: float
    spikes_per_channel: Array
    losses: list[float]


def patterns(samples: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Spikes [samples, STEPS, CHANNELS] and classes [samples], of each class the same number."""
    orders = np.array([np.random.default_rng(k).permutation(CHANNELS) for k in range(CLASSES)])
    classes = random.permutation(np.arange(samples) % CLASSES)
    begins = JITTER + random.integers(0, LATE + 1, (samples, 1))
    rows = begins + SLOT * orders[classes] + random.integers(-JITTER, JITTER + 1, (samples, CHANNELS))
    return (np.arange(STEPS)[:, None] == rows[:, None]).astype("float32"), classes


def network() -> Any:
    """Spikes [batch, STEPS, CHANNELS] to spikes [batch, STEPS, CLASSES]."""
    normal = keras.initializers.VarianceScaling(1.0, "fan_in", "normal", seed=0)
    neurons = {"gain": 40.0, "use_bias": True, "kernel_initializer": normal, "per_feature": True}
    return keras.Sequential(
        [
            keras.Input((STEPS, CHANNELS)),
            LIFNeuron(units=64, membrane_time_constant=10e-3, learnable_parameters=["membrane_time_constant"], **neurons),
            LIFNeuron(units=CLASSES, membrane_time_constant=10e-3, learnable_parameters=["membrane_time_constant"], **neurons),
        ]
    )


def counts_network() -> Any:
    """Counts [batch, CHANNELS] to scores [batch, CLASSES]."""
    return keras.Sequential([keras.Input((CHANNELS,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(CLASSES)])


def told_apart(model: Any, spikes: Array, classes: Array) -> float:
    """The part of samples of which the right output neuron fires before all others."""
    first = SpikeDecoder.first_spike_decode(model.predict(spikes, verbose=0))
    right = np.take_along_axis(first, classes[:, None], axis=1)
    return float(np.mean((first <= right).sum(axis=1) == 1))


def draw(model: Any, spikes: Array, losses: list[float]) -> None:
    """The loss, and one sample with what the network says to it."""
    if find_spec("matplotlib") is None:
        return
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
    left.plot(losses)
    left.set(xlabel="epoch", ylabel="loss of first spikes")
    answer = model.predict(spikes[None], verbose=0)[0]
    right.eventplot([np.flatnonzero(train) for train in spikes.T], colors="C0")
    right.eventplot([np.flatnonzero(train) for train in answer.T], lineoffsets=np.arange(CLASSES) + CHANNELS + 1, colors="C1")
    right.set(xlabel="step", ylabel="channel, and above them classes", xlim=(0, STEPS))
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=120)
    pyplot.close(figure)


def main(epochs: int = EPOCHS) -> Told:
    """Train both networks, and print what they can tell."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(1)
    spikes, classes = patterns(2000, random)
    test, test_classes = patterns(1000, random)

    model = network()
    # First spikes jump from step to step as the weights change: a rate that stays may end behind a bad jump.
    falling = keras.optimizers.schedules.CosineDecay(RATE, epochs * len(spikes) // BATCH)
    model.compile(keras.optimizers.Adam(falling), FirstSpikeCrossEntropy(tau=2.0))
    losses = model.fit(spikes, classes, batch_size=BATCH, epochs=epochs, verbose=0).history["loss"]
    scrambled = random.permuted(test, axis=1)

    counts = counts_network()
    counts.compile(keras.optimizers.Adam(RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    counts.fit(spikes.sum(axis=1), classes, batch_size=BATCH, epochs=epochs, verbose=0)
    guessed = counts.predict(test.sum(axis=1), verbose=0).argmax(axis=1)

    told = Told(
        told_apart(model, test, test_classes),
        float(np.mean(guessed == test_classes)),
        told_apart(model, scrambled, test_classes),
        np.array([test[test_classes == k].sum(axis=1).mean(axis=0) for k in range(CLASSES)]),
        losses,
    )
    print(f"by who fires first: {told.by_timing:.1%} of {len(test)} samples told apart")
    print(f"by counts alone: {told.by_counts:.1%}, chance being {1 / CLASSES:.0%}")
    print(f"by who fires first, with the spikes of each channel at another time: {told.scrambled:.1%}")
    draw(model, test[0], losses)
    return told


if __name__ == "__main__":
    main()
