"""One neuron that learns by spike-timing-dependent plasticity alone to answer volleys; needs `birc[keras]`, and matplotlib for the figure.

A fifth of a hundred inputs fire together, within 6 ms, now and then; the others, as often, on their own. Nobody says which. Before
learning the neuron fires all the time; after half a minute of spikes it answers every volley and nothing else.

    python examples/stdp_layer.py [FIGURE.png]
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

INPUTS, TOGETHER, RATE = 100, 20, 0.015  # per step of 1 ms
SECONDS, W_MAX = 30, 0.15
Array = npt.NDArray[Any]


def stream(steps: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Spikes [1, steps, inputs], and when the volleys begin."""
    spikes = random.random((steps, INPUTS)) < RATE
    spikes[:, :TOGETHER] = random.random((steps, TOGETHER)) < RATE / 3
    volleys = np.cumsum(random.integers(40, 160, steps // 40))
    volleys = volleys[volleys < steps - 20]
    for start in volleys:
        spikes[start + random.integers(0, 6, TOGETHER), np.arange(TOGETHER)] = True
    return spikes[None].astype(np.float32), volleys


def answers(fired: Array, volleys: Array) -> tuple[float, float]:
    """Which part of the volleys is answered within 10 ms, and which part of the spikes is an answer."""
    behind = volleys[:, None] + np.arange(10)
    return float(fired[behind].any(axis=1).mean()), float(fired[np.unique(behind)].sum() / max(fired.sum(), 1))


def main(figure: str | None) -> None:
    """Learn, and print what the neuron answers to spikes that it has not seen."""
    import keras

    from birc.nn import STDPLayer

    layer = STDPLayer(
        1,
        a_minus=0.12,
        w_max=W_MAX,
        learning_rate=0.05,
        kernel_initializer=keras.initializers.Constant(W_MAX / 2),
        neuron_options={"tau_m": "10 ms"},
    )
    model = keras.Sequential([keras.Input((None, INPUTS)), layer])
    model.compile(loss="mse")  # no weight hears of it
    test, volleys = stream(5000, np.random.default_rng(99))
    before = model.predict(test, verbose=0)[0, :, 0]
    random, course = np.random.default_rng(1), [keras.ops.convert_to_numpy(layer.kernel)[:, 0]]
    for _ in range(SECONDS):
        spikes, _ = stream(1000, random)
        model.fit(spikes, np.zeros((1, 1000, 1)), verbose=0)
        course.append(keras.ops.convert_to_numpy(layer.kernel)[:, 0])
    after = model.predict(test, verbose=0)[0, :, 0]
    for when, fired in (("before", before), ("after", after)):
        answered, share = answers(fired, volleys)
        print(f"{when} learning: {answered:.0%} of {len(volleys)} volleys answered, {share:.0%} of {int(fired.sum())} spikes are answers")
    weights = np.array(course) / W_MAX
    print(f"mean weight: {weights[-1, :TOGETHER].mean():.2f} of the volleys' inputs, {weights[-1, TOGETHER:].mean():.2f} of the others")
    if figure is not None:
        draw(figure, weights, test[0], after)
        print(figure)


def draw(path: str, weights: Array, spikes: Array, fired: Array) -> None:
    """The weights as they were learned, and a raster of what the neuron answers then."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
    left.plot(weights[:, TOGETHER:], color="0.8", linewidth=0.6)
    left.plot(weights[:, :TOGETHER], color="C0", linewidth=0.6)
    left.plot(weights[:, TOGETHER:].mean(axis=1), color="0.3", label="others")
    left.plot(weights[:, :TOGETHER].mean(axis=1), color="C0", linewidth=2, label="volleys")
    left.set(xlabel="time (s)", ylabel="weight / w_max")
    left.legend()
    when, who = np.nonzero(spikes[:1000])
    right.scatter(when, who, s=2, c=np.where(who < TOGETHER, "C0", "0.6"))
    for t in np.flatnonzero(fired[:1000]):
        right.axvline(t, color="C3", linewidth=0.8)
    right.set(xlabel="time (ms)", ylabel="input", title="spikes of the neuron in red", xlim=(0, 1000))
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    if find_spec("keras") is None:
        sys.exit("needs keras: pip install 'birc[keras]'")
    main(next(iter(sys.argv[1:]), "stdp_layer.png" if find_spec("matplotlib") else None))
