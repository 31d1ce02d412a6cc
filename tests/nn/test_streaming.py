"""A stateful layer in a graph, where its loop over time keeps the state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.nn.kit import keras, nn, noise, numbers


@pytest.mark.parametrize("options", [{"recurrent": True}, {"fused": False}, {}], ids=str)
def test_predictions_of_parts_go_on_from_one_another(options: dict[str, Any]) -> None:
    x = noise(2, 120, 3)

    def network(stateful: bool) -> Any:
        keras.utils.set_random_seed(0)
        layer = nn.LIFNeuron(units=5, gain=10.0, stateful=stateful, output=["spikes", "v"], **options)
        return keras.Sequential([keras.Input((60 if stateful else 120, 3), batch_size=2), layer])

    whole, stream = network(stateful=False).predict(x, batch_size=2, verbose=0), network(stateful=True)
    parts = [stream.predict(x[:, at : at + 60], batch_size=2, verbose=0) for at in (0, 60)]
    for i, output in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[i] for part in parts], axis=1), output)
    assert whole[0].sum() > 0
    stream.layers[0].reset_state()
    again = [numbers(part) for part in stream(x[:, :60])]  # 60 steps, of which a graph is made
    np.testing.assert_array_equal(again[0], whole[0][:, :60])
