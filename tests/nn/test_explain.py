"""A layer explains itself."""

from __future__ import annotations

import numpy as np

from tests.nn.kit import ENGINE, nn, noise


def test_the_whole_text() -> None:
    layer = nn.LIFNeuron(units=2, learnable_parameters=["threshold"], name="first", fused=False)
    layer(noise(1, 2, 3))
    layer.trainable_weights[-1].assign(0.75)
    assert str(nn.explain(layer)) == "\n".join(
        [
            "LIFNeuron `first`: LIFUnit. Leaky integrate-and-fire neuron in units of its threshold.",
            "equations",
            "  tau_m * v' = -v + R * I",
            "  on syn(w: 1): v += w",
            "  spike when v >= v_th:",
            "      v = v_reset",
            "  refractory t_ref: hold v",
            "parameters",
            "  tau_m   = 20 ms",
            "  R       = 1",
            "  v_th    = 0.75   (learned)",
            "  v_reset = 0",
            "  t_ref   = 2 ms",
            "integration",
            "  v: exact (linear with constant coefficients: solved exactly)",
            "step: 1 ms",
            "input: I; 1 is 1",
            "output: spikes",
            "surrogate: fast_sigmoid; the reset is detached",
            "realism: medium",
            f"computed by: the portable step, keras.ops on {ENGINE}",
        ]
    )


def test_what_was_chosen() -> None:
    layer = nn.IzhikevichNeuron(neuron_type="FS", surrogate_gradient=nn.SigmoidSurrogate(), a=[0.1, 0.2], biological_realism_level="high")
    found = nn.explain(layer)
    assert found.parameters[0] == ("a", "0.1 … 0.2 in 2 neurons", "ms^-1", True)
    assert found.schemes[0][:2] == ("v, u", "rk4")
    facts = dict(found.facts)
    assert facts["step"] == "1 ms, 8 substeps of 0.125 ms"
    assert facts["input"] == "I; 1 is 10 mV/ms"
    assert facts["surrogate"] == "sigmoid(alpha = 4), which sees a margin of 30 as 1; the reset is detached"
    assert facts["realism"] == "high"


def test_weights_of_each_neuron() -> None:
    layer = nn.LIFNeuron(learnable_parameters="tau_m", per_feature=True, output="v")
    layer(np.zeros((1, 2, 3), np.float32))
    found = nn.explain(layer)
    assert found.parameters[0] == ("tau_m", "20 … 20 in 3 neurons", "ms", True)
    assert dict(found.facts)["surrogate"] == "none: no spikes are put out"
