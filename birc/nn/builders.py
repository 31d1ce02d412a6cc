"""Networks that are ready to be compiled and trained: the time axis is the second, and what comes out is a score for each class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import keras

from birc.nn.base import neuron
from birc.nn.neurons import AdExNeuron, ALIFNeuron, IzhikevichNeuron, LIFNeuron
from birc.nn.readout import READOUTS, FirstSpikeScore
from birc.nn.told import Speaker

NEURONS: Mapping[str, tuple[Callable[..., Any], float]] = {
    "lif": (LIFNeuron, 40.0),
    "alif": (ALIFNeuron, 40.0),
    "izhikevich": (IzhikevichNeuron, 100.0),
    "adex": (AdExNeuron, 15000.0),
}
"""The layers by the words of the builders, and the gain with which weights of variance 1 / fan-in make a fresh network fire: where 5 to
30 in 100 inputs are spikes, neurons fire in 1 to 30 of 100 steps, layer behind layer. With the layers' own gain of 1 they are silent."""
MEMBRANE_GAIN = 10.0
"""Of the integrator that gives membranes: fresh scores are then a few units apart at most."""
RULES = ("stdp", "stp")
PLASTICITY = "birc.nn.plasticity"


def create_spiking_classifier(
    input_shape: tuple[int, ...],
    num_classes: int,
    neuron_type: str = "lif",
    time_steps: int = 100,
    hidden_units: Sequence[int] = [128, 64],  # never written to
    surrogate_gradient: Any = "fast_sigmoid",
    learning_rule: str | None = None,
    *,
    gain: float | None = None,
    readout: str = "rate",
) -> keras.Model:
    """A network of fully connected layers of spiking neurons, not yet compiled for training.

    Input [batch, time_steps, *input_shape], spikes or currents as floating-point numbers; output [batch, num_classes], as
    `SpikingCrossEntropy` takes it: by `readout` the part of the steps in which each neuron of the last layer fires (`rate`), the highest
    membrane over time of a layer that does not fire (`membrane`, with a loss of `scale=1`), or the part of the steps that is left at its
    first spike (`first_spike`). neuron_type: a key of `NEURONS`. gain: of the spiking layers; None is that with which a fresh network
    fires.
    learning_rule: None; `stdp`: the hidden layers learn by spike timing alone, and the last by the loss; `stp`: synapses with short-term
    plasticity stand before each layer. Raises I301 for an argument that does not fit.
    """
    speaker = Speaker("create_spiking_classifier")
    make = _neurons(speaker, neuron_type, surrogate_gradient, gain)
    speaker.one_of("readout", readout, READOUTS)
    _counts(speaker, num_classes=num_classes, time_steps=time_steps, **{f"hidden_units[{i}]": n for i, n in enumerate(hidden_units)})
    if learning_rule is not None:
        speaker.one_of("learning_rule", learning_rule, RULES)
    x = inputs = keras.Input((time_steps, *input_shape))
    for units in hidden_units:
        for layer in _hidden(speaker, learning_rule, make, units):
            x = layer(x)
    last, score = _last(readout, make)
    for layer in _hidden(speaker, learning_rule if learning_rule == "stp" else None, last, num_classes):
        x = layer(x)
    return keras.Model(inputs, score(x), name="spiking_classifier")


def create_spiking_cnn(
    input_shape: tuple[int, ...],
    num_classes: int,
    neuron_type: str = "lif",
    time_steps: int = 100,
    filters: Sequence[int] = (16, 32),
    kernel_size: int = 3,
    pool_size: int = 2,
    hidden_units: Sequence[int] = (64,),
    surrogate_gradient: Any = "fast_sigmoid",
    *,
    gain: float | None = None,
    readout: str = "rate",
) -> keras.Model:
    """A network that convolves each step, with spiking neurons behind each convolution and pooling behind them.

    Input [batch, time_steps, height, width, channels]; output, gain and readout as of `create_spiking_classifier`; not yet compiled for
    training. Raises I301 for an argument that does not fit.
    """
    speaker = Speaker("create_spiking_cnn")
    make = _neurons(speaker, neuron_type, surrogate_gradient, gain)
    last, score = _last(speaker.one_of("readout", readout, READOUTS), make)
    if len(input_shape) != 3:
        raise speaker.refuse(f"input_shape = {tuple(input_shape)}: expected (height, width, channels)")
    _counts(speaker, num_classes=num_classes, time_steps=time_steps, kernel_size=kernel_size, pool_size=pool_size)
    x = inputs = keras.Input((time_steps, *input_shape))
    each = keras.layers.TimeDistributed
    for count in filters:
        x = each(keras.layers.Conv2D(count, kernel_size, padding="same", kernel_initializer=_initializer()))(x)
        x = each(keras.layers.AveragePooling2D(pool_size, padding="same"))(make()(x))
    for units in hidden_units:
        x = make(units=units, use_bias=True, kernel_initializer=_initializer())(x)
    x = last(units=num_classes, use_bias=True, kernel_initializer=_initializer())(x)
    return keras.Model(inputs, score(x), name="spiking_cnn")


def _initializer() -> Any:
    return keras.initializers.VarianceScaling(1.0, "fan_in", "normal")


def _neurons(speaker: Speaker, neuron_type: str, surrogate: Any, gain: float | None) -> Callable[..., Any]:
    """What makes a layer of this type."""
    made, firing = NEURONS[speaker.one_of("neuron_type", neuron_type, NEURONS)]
    if gain is not None and (isinstance(gain, bool) or not isinstance(gain, (int, float)) or not 0 < gain < float("inf")):
        raise speaker.refuse(f"gain = {gain!r} is no number above 0")
    return lambda **options: made(surrogate_gradient=surrogate, gain=firing if gain is None else float(gain), **options)


def _last(readout: str, make: Callable[..., Any]) -> tuple[Callable[..., Any], Any]:
    """What makes the last layer, and what makes a score of what it gives."""
    if readout == "membrane":
        return partial(neuron, "leaky_integrator", gain=MEMBRANE_GAIN), keras.layers.GlobalMaxPooling1D(name="membranes")
    return make, FirstSpikeScore(name="first_spikes") if readout == "first_spike" else keras.layers.GlobalAveragePooling1D(name="rates")


def _counts(speaker: Speaker, **counts: Any) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise speaker.refuse(f"{name} = {count!r} is no whole number from 1 on")


def _hidden(speaker: Speaker, rule: str | None, make: Callable[..., Any], units: int) -> Iterator[Any]:
    """The layers that stand for one layer of the network."""
    if rule is not None and find_spec(PLASTICITY) is None:
        raise speaker.refuse(f"learning_rule={rule!r}: this version of birc has no {PLASTICITY}")
    if rule == "stdp":
        yield import_module(PLASTICITY).STDPLayer(units=units)
        return
    if rule == "stp":
        yield import_module(PLASTICITY).STPLayer()
    yield make(units=units, use_bias=True, kernel_initializer=_initializer())
