"""Hears a signal as it comes, piece by piece, and answers as if it had heard it at once; needs `birc[keras]`.

A network with `stateful=True` keeps the state of its neurons from call to call. A recording of 240 steps is given at once to a network that
begins each call afresh, and in pieces of 1, 7 and 40 steps to its stateful twin, which has the same weights; `reset_state()` begins anew.

    python examples/learning/streaming.py
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from birc.nn import ALIFNeuron, LIFNeuron, SpikeEncoder

Array = npt.NDArray[Any]
STEPS, CHANNELS = 240, 16
PIECES = (1, 7, 40)


def network(stateful: bool) -> Any:
    """Spikes [2, any number of steps, CHANNELS] to spikes of four neurons; the same weights each time."""
    keras.utils.set_random_seed(0)
    shared = {"stateful": stateful, "gain": 40.0}
    return keras.Sequential(
        [
            keras.Input((None, CHANNELS), batch_size=2),
            LIFNeuron(units=32, recurrent=True, **shared),
            ALIFNeuron(units=16, **shared),
            LIFNeuron(units=4, output=["spikes", "v"], **shared),
        ]
    )


def in_pieces(model: Any, signal: Array, steps: int) -> list[Array]:
    """What a stateful network answers to a signal that comes `steps` at a time: its outputs, each [batch, time, neurons]."""
    for layer in model.layers:
        layer.reset_state()
    parts = [model(signal[:, at : at + steps]) for at in range(0, signal.shape[1], steps)]
    return [np.concatenate([keras.ops.convert_to_numpy(part) for part in output], axis=1) for output in zip(*parts, strict=True)]


def main() -> dict[int, bool]:
    """Print, for each length of the pieces, whether spikes and potentials are the same to the bit."""
    signal = SpikeEncoder.poisson_encode(np.full((2, CHANNELS), 0.8), max_rate=200.0, time_steps=STEPS, seed=0)
    whole = [keras.ops.convert_to_numpy(output) for output in network(stateful=False)(signal)]
    stream = network(stateful=True)
    same = {}
    for steps in PIECES:
        heard = in_pieces(stream, signal, steps)
        same[steps] = all(a.tobytes() == b.tobytes() for a, b in zip(whole, heard, strict=True))
        print(f"in pieces of {steps:>2} steps: {'the same to the bit' if same[steps] else 'not the same'}, {int(heard[0].sum())} spikes")
    return same


if __name__ == "__main__":
    main()
